"""The languages of the page's words. Words stand in English where they are used; `say` finds them in another language.

Catalogs (demo/words/) map the English text, placeholders and all, to the same in one language. What no catalog has
stays English: captions of figures made by the library, names of layers, file formats.

`speaking` sets the language for what is done inside it, in this thread and context only: Gradio runs every step of a
generator in a context of its own, so it must stand round whatever makes words, inside one step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

from .words import ko, zh

LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "ko": "한국어", "zh": "中文"})  # code -> its own name
CATALOGS: Mapping[str, Mapping[str, str]] = MappingProxyType({"en": {}, "ko": ko.WORDS, "zh": zh.WORDS})
_language: ContextVar[str] = ContextVar("language", default="en")


def say(english: str) -> str:
    """The text in the language that is being spoken; still with its placeholders."""
    return CATALOGS[_language.get()].get(english, english)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """language: a code of LANGUAGES; another one speaks English."""
    token = _language.set(language if language in CATALOGS else "en")
    try:
        yield
    finally:
        _language.reset(token)
