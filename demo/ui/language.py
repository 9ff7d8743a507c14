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
from starlette.types import ASGIApp, Receive, Scope, Send

from ..http_policy import edit_response
from ..i18n.translate import (
    LANGUAGES,
    TAGS,
    current_locale,
    in_every_locale,
    negotiate_locale,
    tr,
    tr_group,
    use_locale,
)
from ..web import inline_script


class Translations:
    """Text of Gradio's components: the front end looks English text up in the visitor's locale."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, str]] = {}  # English text, the key -> text by locale

    def __call__(self, text: str, **values: Any) -> Any:
        """Text of a key, for a label, a choice, a placeholder, a title."""
        return self.marker(lambda: tr(text, **values) if values else tr(text))

    def of_group(self, prefix: str, name: str) -> Any:
        """Text of one of a group's names (translate.tr_group)."""
        return self.marker(lambda: tr_group(prefix)[name])

    def marker(self, make: Callable[[], str]) -> Any:
        """The text that `make` returns in each locale: a label, or the content of a gr.HTML."""
        texts = in_every_locale(make)
        self._texts[texts["en"]] = texts
        return gr.I18n()(texts["en"])

    def i18n(self) -> gr.I18n:
        """For Blocks.launch."""
        return gr.I18n(**{
            TAGS[code]: {english: texts[code] for english, texts in self._texts.items()} for code in LANGUAGES
        })  # fmt: skip


def chooser() -> str:
    """The languages by their own names (web/js/core/language.js), the one that is spoken chosen."""
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

        def localize(headers: MutableHeaders, page: bytes) -> bytes:
            if page:
                with use_locale(language):
                    script = inline_script(TAGS[language], tr("page.root_path"))
                page = _localized(page, TAGS[language], script + self.head)
                headers["content-length"] = str(len(page))
                headers.add_vary_header("Accept-Language")
            return page

        await self.app(scope, receive, edit_response(send, localize))


def _localized(page: bytes, tag: str, head: str) -> bytes:
    """tag: one of TAGS, so it needs no escaping."""
    page = re.sub(rb'(<html\b[^>]*?)\s+lang="[^"]*"', rb"\1", page, count=1)
    page = page.replace(b"<html", b'<html lang="' + tag.encode() + b'"', 1)
    return page.replace(b"<head>", b"<head>" + head.encode(), 1)
