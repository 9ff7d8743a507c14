"""A visitor's language in the front end: the page's first answer says it, and Gradio's components have their words.

The server chooses once (languages.negotiated), for what it makes itself and for what Gradio's front end shows:
`InLanguage` writes the choice into the page, before any of its scripts asks the browser.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..i18n.translate import LANGUAGES, TAGS, current_locale, in_every_locale, negotiate_locale, tr


class Words:
    """Words of Gradio's own components: what is said here is found by the front end in the visitor's language."""

    def __init__(self) -> None:
        self._said: dict[str, dict[str, str]] = {}  # English, which is the key -> by code

    def __call__(self, text: str, **values: Any) -> Any:
        """Text of a key, for a label, a choice, a placeholder, a title."""
        return self.made(lambda: tr(text, **values) if values else tr(text))

    def made(self, make: Callable[[], str]) -> Any:
        """What `make` makes in each language: a label, or the whole of a gr.HTML."""
        found = in_every_locale(make)
        self._said[found["en"]] = found
        return gr.I18n()(found["en"])

    def i18n(self) -> gr.I18n:
        """For Blocks.launch."""
        return gr.I18n(**{
            TAGS[code]: {english: found[code] for english, found in self._said.items()} for code in LANGUAGES
        })  # fmt: skip


def chooser() -> str:
    """The languages by their own names (language.js), the one that is spoken chosen."""
    options = "".join(
        f'<option value="{code}" lang="{TAGS[code]}"{" selected" if code == current_locale() else ""}>{name}</option>'
        for code, name in LANGUAGES.items()
    )
    name, hint, lost = (escape(tr(text)) for text in ("page.language", "page.language_hint", "page.language_upload"))
    return (
        f'<select class="chip lens-language" aria-label="{name}" title="{hint}" data-hint="{hint}" '
        f'data-upload="{lost}" autocomplete="off">{options}</select>'
    )


class InLanguage:
    """ASGI middleware: the page itself, GET /, says its language in <html lang> and to its scripts.

    head: elements for its <head>, before Gradio's own scripts.
    """

    def __init__(self, app: ASGIApp, head: str = ""):
        self.app = app
        self.head = head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] == "http" else ""
        if path not in ("", "/") or scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        query = QueryParams(scope["query_string"].decode("latin-1"))
        language = negotiate_locale(query.getlist("lang"), Headers(scope=scope).get("accept-language", ""))
        await self.app(scope, receive, _Told(language, self.head, send))


class _Told:
    """Holds a page back until all of it is here, and sends it with its language."""

    def __init__(self, language: str, head: str, send: Send):
        self.tag = TAGS[language]
        self.head = head
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and "text/html" in Headers(raw=message["headers"])["content-type"]:
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._all()

    async def _all(self) -> None:
        body = _said(self._body, self.tag, self.head)
        headers = MutableHeaders(raw=list(self._start["headers"]))
        headers["content-length"] = str(len(body))
        headers.add_vary_header("Accept-Language")
        await self._send({**self._start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})


def _said(page: bytes, tag: str, head: str) -> bytes:
    """tag: one of TAGS, so it needs no escaping."""
    script = f'<script>Object.defineProperty(navigator,"language",{{get:()=>"{tag}",configurable:true}});</script>'
    page = re.sub(rb'(<html\b[^>]*?)\s+lang="[^"]*"', rb"\1", page, count=1)
    page = page.replace(b"<html", b'<html lang="' + tag.encode() + b'"', 1)
    return page.replace(b"<head>", b"<head>" + (script + head).encode(), 1)
