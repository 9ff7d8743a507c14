"""What every HTTP exchange is held to: time, host name, size and form of the request, headers of the response.

* `TimedProtocol` closes connections whose headers never become complete, or that wait for nothing.
* `AllowedHosts` refuses other host names, against DNS rebinding.
* `BodyLimit` refuses large bodies while they arrive, and `parse_json` JSON that no code behind could rely on.
* `SecurityHeaders` tells a browser what this page may load, and which sites may show it in a frame.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from transxnet.errors import InvalidValue, quote

MB = 2**20
HEADERS = 10.0  # seconds in which the headers of a request must be complete
IDLE = 65  # seconds between two requests; longer than the 60 s of nginx and most load balancers
MAX_UPLOAD_BODY = 12 * MB  # one image and its multipart wrapping
MAX_BODY = 4 * MB  # everything else: the browser posts the values of an event's input components back as JSON
DEPTH = 32  # lists and objects inside each other
DIGITS = 20  # of an integer
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
FRAMED_BY = ("'self'", "https://huggingface.co", "https://*.hf.space")
REFUSAL = (
    "This server does not answer requests for this host name. Open it as localhost. If a reverse proxy passes on "
    "another name, start the server with --allowed-host NAME."
)
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:/@\[\]]+)(:[0-9]*)?", re.IGNORECASE)
_INLINE_SCRIPT = re.compile(rb"<script\b[^>]*>(.*?)</script", re.DOTALL | re.IGNORECASE)


# ---- time ----------------------------------------------------------------------------------------------------------


class TimedProtocol(AutoHTTPProtocol):
    """uvicorn's HTTP protocol, whose connection closes when complete headers do not arrive in time.

    The time runs from the start of the connection, and from the first byte of each later request. uvicorn itself waits
    for ever for a client that sends no request, or half of one. This overrides methods of asyncio.Protocol only, and
    reads one attribute, `cycle`: the request that is being answered. While there is one, no time-out runs; event
    streams and uploads are such requests.
    """

    def __init__(self, *args: Any, header_timeout: float = HEADERS, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.header_timeout = header_timeout
        self._header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        is_websocket = self.transport.get_protocol() is not self  # from now on
        if not is_websocket and (self.cycle is None or self.cycle.response_complete):
            self._start_timer()
        else:
            self._stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _start_timer(self) -> None:
        """Unless it runs: a client that sends byte after byte gets no more time for it."""
        if self._header_timer is None and not self.transport.is_closing():
            self._header_timer = self.loop.call_later(self.header_timeout, self.transport.close)

    def _stop_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None


def set_timeouts(config: uvicorn.Config, header_timeout: float = HEADERS, idle_timeout: int = IDLE) -> None:
    """Set both time-outs, in seconds, of a uvicorn server that has not been started."""
    config.http = partial(TimedProtocol, header_timeout=header_timeout)
    config.timeout_keep_alive = idle_timeout


# ---- host name -----------------------------------------------------------------------------------------------------


def host_name(host: str) -> str:
    """The name in a Host header, in lower case and without its port; "" if it is malformed."""
    match = _HOST.fullmatch(host)
    return match[1].lower().rstrip(".") if match else ""


class AllowedHosts:
    """ASGI middleware: requests for other host names are answered 403, websockets are closed.

    A site whose name is made to resolve to 127.0.0.1 shares its origin with this page in a visitor's browser, and could
    call every endpoint. The browser still sends the site's name as `Host`.

    Args:
        app: The application behind.
        names: Host names to accept besides LOCAL_NAMES and that of Gradio's share link.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str] = ()):
        self.app = app
        self.names = LOCAL_NAMES | {host_name(name) for name in names} - {""}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._accepts(Headers(scope=scope).getlist("host"), scope.get("app")):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await JSONResponse({"error": REFUSAL}, status_code=403)(scope, receive, send)

    def _accepts(self, hosts: Sequence[str], app: Any) -> bool:
        name = host_name(hosts[0]) if len(hosts) == 1 else ""
        return bool(name) and (name in self.names or name == _share_name(app))


def _share_name(app: Any) -> str | None:
    """The host name of the share link, which Gradio has only after the server has started."""
    blocks = app.get_blocks() if hasattr(app, "get_blocks") else None
    return urlsplit(getattr(blocks, "share_url", None) or "").hostname


# ---- request -------------------------------------------------------------------------------------------------------


class TrackedSend:
    """A `send` that knows whether the response has begun: `started`."""

    def __init__(self, send: Send):
        self.started = False
        self._send = send

    async def __call__(self, message: Message) -> None:
        self.started = True
        await self._send(message)


def declared_length(scope: Scope) -> int | None:
    """The Content-Length of a request, None without a valid one."""
    declared = Headers(scope=scope).get("content-length", "")
    return int(declared[:20]) if declared.isdecimal() else None  # 20 digits are plenty, and quick to read


class BodyLimit:
    """ASGI middleware: a request body above its limit is answered 413, with a sentence as JSON, as soon as it is known.

    A declared Content-Length is refused before anything is read; a body sent in chunks is counted as it comes, and the
    application behind sees its client hang up, so it holds no more than the limit. Smaller bodies pass untouched.
    Gradio's own max_file_size counts one part of one upload; JSON bodies and other form fields are unlimited there.

    Args:
        app: The application behind.
        uploads: Bytes allowed where the path ends in /upload.
        default: Bytes allowed elsewhere.
    """

    def __init__(self, app: ASGIApp, uploads: int = MAX_UPLOAD_BODY, default: int = MAX_BODY):
        self.app = app
        self.uploads = uploads
        self.default = default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.uploads if scope["path"].rstrip("/").endswith("/upload") else self.default
        sentence = (
            f"This request is larger than {limit / MB:g} MB, the most that is accepted here. Send a smaller image."
        )
        too_large = JSONResponse({"error": sentence}, 413, {"connection": "close"})
        if (declared_length(scope) or 0) > limit:
            await too_large(scope, receive, send)
            return
        received, is_refused, tracked = 0, False, TrackedSend(send)

        async def receive_counted() -> Message:
            nonlocal received, is_refused
            message: Message = {"type": "http.disconnect"} if is_refused else await receive()
            received += len(message.get("body", b""))
            if message["type"] != "http.request" or received <= limit:
                return message
            is_refused = True
            if not tracked.started:
                await too_large(scope, receive, send)
            return {"type": "http.disconnect"}

        async def send_unless_refused(message: Message) -> None:
            if not is_refused:
                await tracked(message)

        try:
            await self.app(scope, receive_counted, send_unless_refused)
        except Exception:
            if not is_refused:
                raise  # after a refusal it is the application's surprise at its client's disappearance


def parse_json(body: bytes) -> Any:
    """Read JSON as RFC 8259 has it, within limits that all code behind can rely on.

    Args:
        body: UTF-8.

    Returns:
        The value. Numbers are finite, integers have at most 20 digits, texts can be encoded as UTF-8, and at most 32
        lists and objects are nested.

    Raises:
        InvalidValue: The body is something else.
    """
    try:
        value = _JSON.validate_json(body)
    except ValidationError as error:
        sentence = f"The request's body is not JSON: {error.errors(include_input=False)[0]['ctx']['error']}."
        raise InvalidValue(sentence, remedy="Send JSON, encoded as UTF-8.") from None
    _check_limits(value)
    return value


_JSON = TypeAdapter(Any)  # pydantic's parser refuses what RFC 8259 does not have, but for NaN and Infinity


def _check_limits(value: Any, depth: int = 0) -> None:
    if isinstance(value, (dict, list)):
        if depth == DEPTH:
            raise InvalidValue(f"The request nests more than {DEPTH} lists and objects.")
        for item in value.values() if isinstance(value, dict) else value:
            _check_limits(item, depth + 1)
    is_too_long = isinstance(value, int) and abs(value) >= 10**DIGITS
    if is_too_long or (isinstance(value, float) and not isfinite(value)):
        raise InvalidValue(f"The request holds {quote(value)}, not a finite number of at most {DIGITS} digits.")


# ---- response ------------------------------------------------------------------------------------------------------


def edit_response(send: Send, edit: Callable[[MutableHeaders, bytes], bytes]) -> Send:
    """A `send` that lets `edit` change a response.

    Args:
        send: Takes the changed response.
        edit: Changes the headers, and returns the body, of an HTML page, which waits for its end. For any other
            response it gets an empty body, and what it returns is ignored.
    """
    start: Message | None = None  # of an HTML page whose end has not come
    body = bytearray()

    async def send_edited(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            message = {**message, "headers": list(message["headers"])}
            headers = MutableHeaders(raw=message["headers"])
            if headers.get("content-type", "").startswith("text/html"):
                start = message
                return
            edit(headers, b"")
        elif start is not None and message["type"] == "http.response.body":
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            message = {"type": "http.response.body", "body": edit(MutableHeaders(raw=start["headers"]), bytes(body))}
            await send(start)
        await send(message)

    return send_edited


class SecurityHeaders:
    """ASGI middleware: adds the headers to every response, and the hashes of its inline scripts to an HTML page.

    They are Gradio's own. Those of this page are modules with an address (demo/web/), which 'self' allows.

    Args:
        app: The application behind.
        frame_ancestors: The sources that may show the page in a frame.
    """

    def __init__(self, app: ASGIApp, frame_ancestors: Sequence[str] = FRAMED_BY):
        self.app = app
        self.frame_ancestors = frame_ancestors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, edit_response(send, self._add) if scope["type"] == "http" else send)

    def _add(self, headers: MutableHeaders, page: bytes) -> bytes:
        headers["Content-Security-Policy"] = policy(self.frame_ancestors, script_hashes(page))
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        return page


def policy(frame_ancestors: Sequence[str], script_hashes: Sequence[str] = ()) -> str:
    """The Content-Security-Policy of a response.

    Where it allows more than 'self', the comment says which code of Gradio 6.31 needs it, as Chromium reported it when
    the browser tests ran without it.

    Args:
        frame_ancestors: The sources that may show the page in a frame.
        script_hashes: Hash sources of the inline scripts in the response.
    """
    return "; ".join(
        (
            "default-src 'self'", "connect-src 'self'", "font-src 'self'", "worker-src 'self'", "base-uri 'self'",
            "object-src 'none'", "img-src 'self' data: blob:", "media-src 'self' data: blob:",
            # 'unsafe-eval': gr.HTML compiles html_template and js_on_load with `new Function`. Inline scripts run by
            # their hash, so that markup which reaches the page later, as an onerror= attribute, does not run.
            " ".join(("script-src 'self' 'unsafe-eval'", *script_hashes)),
            # 'unsafe-inline': Svelte writes style attributes, and Gradio adds theme and css_paths as <style> elements.
            "style-src 'self' 'unsafe-inline'",
            " ".join(("frame-ancestors", *frame_ancestors)),
        )
    )  # fmt: skip


def script_hashes(page: bytes) -> list[str]:
    """The hash sources of all inline scripts of an HTML page, in their order."""
    texts = dict.fromkeys(text for text in _INLINE_SCRIPT.findall(page) if text)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'" for text in texts]
