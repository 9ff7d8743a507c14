"""Response headers that tell a browser what this page may load, and which sites may show it in a frame.

`SecurityHeaders` is ASGI middleware. The policy names every source; where it allows more than 'self', the comment says
which code of Gradio 6.31 needs it, as Chromium reported it when the browser tests ran without it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from transxnet.errors import OutOfRange

FRAMED_BY = ("'self'", "https://huggingface.co", "https://*.hf.space")
FRAMED_BY_LOCAL = ("http://localhost:*", "http://127.0.0.1:*")  # for a server that only this machine reaches
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:([0-9]{1,5}|\*))?", re.IGNORECASE)
_INLINE_SCRIPT = re.compile(rb"<script\b[^>]*>(.*?)</script", re.DOTALL | re.IGNORECASE)


def policy(frame_ancestors: Sequence[str], script_hashes: Sequence[str] = ()) -> str:
    """The Content-Security-Policy of a response.

    Args:
        frame_ancestors: the sources that may show the page in a frame.
        script_hashes: hash sources of the inline scripts in the response.
    """
    directives = {
        "default-src": ["'self'"],
        "connect-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "media-src": ["'self'", "data:", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        # 'unsafe-eval': gr.HTML compiles html_template and js_on_load with `new Function`. Inline scripts run by their
        # hash, so that markup which reaches the page later, as an onerror= attribute, does not run.
        "script-src": ["'self'", "'unsafe-eval'", *script_hashes],
        # 'unsafe-inline': Svelte writes style attributes, and Gradio adds theme and css_paths as <style> elements.
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'"],
        "worker-src": ["'self'"],
        "frame-ancestors": list(frame_ancestors),
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def frame_sources(loopback: bool, more: Sequence[str] = ()) -> tuple[str, ...]:
    """The sources of `frame-ancestors`.

    Args:
        loopback: whether the server listens on loopback, so that pages of this machine may show it.
        more: origins to add, such as https://example.org, https://*.example.org or http://example.org:8080.

    Raises:
        OutOfRange: one of `more` is not an origin.
    """
    for origin in more:
        if not _ORIGIN.fullmatch(origin):
            raise OutOfRange(
                f"{origin[:80]!r} is not an origin.",
                remedy="Give --frame-ancestors a scheme and a host, such as https://example.org.",
            )
    return (*FRAMED_BY, *(FRAMED_BY_LOCAL if loopback else ()), *more)


class SecurityHeaders:
    """Adds the headers to every response; an HTML response waits for its end, because its inline scripts are hashed.

    They are Gradio's own. Those of this page are modules with an address (demo/web/), which 'self' allows.
    """

    def __init__(self, app: ASGIApp, frame_ancestors: Sequence[str] = FRAMED_BY):
        self.app = app
        self.frame_ancestors = frame_ancestors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Response(self.frame_ancestors, send))


class _Response:
    """One response on its way."""

    def __init__(self, frame_ancestors: Sequence[str], send: Send):
        self._frame_ancestors = frame_ancestors
        self._send = send
        self._start: Message | None = None  # of an HTML response whose end has not come
        self._body: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                self._start = message
            else:
                await self._send(self._with_headers(message))
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body.append(message.get("body", b""))
            if not message.get("more_body"):
                body = b"".join(self._body)
                await self._send(self._with_headers(self._start, script_hashes(body)))
                await self._send({"type": "http.response.body", "body": body})

    def _with_headers(self, start: Message, hashes: Sequence[str] = ()) -> Message:
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["Content-Security-Policy"] = policy(self._frame_ancestors, hashes)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        return {**start, "headers": headers.raw}


def script_hashes(page: bytes) -> list[str]:
    """The hash sources of all inline scripts of an HTML page, in their order."""
    texts = dict.fromkeys(text for text in _INLINE_SCRIPT.findall(page) if text)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'" for text in texts]
