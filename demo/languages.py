"""The languages of the page's words. Words stand in English where they are used; `say` finds them in another language.

Catalogs (demo/words/) map the English text, placeholders and all, to the same in one language. What no catalog has
stays English: captions of figures made by the library, names of layers, file formats.

`speaking` sets the language for what is done inside it, in this thread and context only. Around every event of the page
stands demo/ui/components.py's Blocks; threads of a studio speak English, and their errors are retold where they show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import parse_qs

from transxnet.errors import LensError, NoWeights

from .captions import SOURCES
from .captions.library import SENTENCES
from .words import ko, zh

T = TypeVar("T")
LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "ko": "한국어", "zh": "中文"})  # code -> its own name
TAGS: Mapping[str, str] = MappingProxyType({"en": "en", "ko": "ko", "zh": "zh-CN"})  # code -> what a browser calls it
CATALOGS: Mapping[str, Mapping[str, str]] = MappingProxyType({"en": {}, "ko": ko.WORDS, "zh": zh.WORDS})
LONGEST = 300  # characters of an Accept-Language header that are read
_language: ContextVar[str] = ContextVar("language", default="en")


def say(english: str) -> str:
    """The text in the language that is being spoken; still with its placeholders."""
    return CATALOGS[_language.get()].get(english, english)


def spoken() -> str:
    """The code of the language that is being spoken."""
    return _language.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """language: a code of LANGUAGES; another one speaks English."""
    token = _language.set(language if language in CATALOGS else "en")
    try:
        yield
    finally:
        _language.reset(token)


def in_all(make: Callable[[], T]) -> dict[str, T]:
    """What `make` makes in every language, by its code: for what one page holds for all visitors."""
    found = {}
    for code in LANGUAGES:
        with speaking(code):
            found[code] = make()
    return found


# ---- what the library says --------------------------------------------------------------------------------------


def retold(english: str) -> str:
    """A finished sentence of the library in the language that is being spoken, if it is one of captions.library's.

    Several sentences after each other are retold one by one; what is none of them stays English.
    """
    if spoken() == "en" or not english:
        return english
    if english in CATALOGS[spoken()]:
        return say(english)
    for template, pattern in _patterns():
        if found := pattern.fullmatch(english):
            return say(template).format(**{key: retold(value) for key, value in found.groupdict().items()})
    first, mark, rest = english.partition("; ")
    return f"{retold(first)}{mark}{retold(rest)}" if rest else english


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((text, _pattern(text)) for text in SENTENCES if "{" in text)


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    texts = [f"(?P<{part}>.+?)" if i % 2 else re.escape(part) for i, part in enumerate(parts)]
    return re.compile("".join(texts), re.DOTALL)


def told(error: LensError) -> str:
    """What str(error) says, in the language that is being spoken."""
    if spoken() == "en":
        return str(error)
    if isinstance(error, NoWeights):
        attempts = tuple((say(SOURCES.get(one, one)), *map(retold, rest)) for one, *rest in error.attempts)
        return str(NoWeights(retold(error.what), attempts, remedy=retold(error.remedy)))
    return f"{retold(error.what)} {retold(error.remedy)}".strip()


# ---- which language ---------------------------------------------------------------------------------------------


def negotiated(asked: Sequence[str], accepted: str) -> str:
    """The code of a visitor's language: what the address asks for, else what the browser likes best, else English.

    asked: every value of `lang` in the address; more than one is none. accepted: an Accept-Language header, as sent.
    """
    if len(asked) == 1 and asked[0] in LANGUAGES:
        return asked[0]
    wishes = [_wish(part) for part in accepted[:LONGEST].split(",")]
    liked = sorted((wish for wish in wishes if wish[0] > 0 and wish[1] in LANGUAGES), key=lambda wish: -wish[0])
    return liked[0][1] if liked else "en"


def language_of_page(headers: Mapping[str, str]) -> str:
    """The code of the language of the page that sent a request: by its address, else by the browser.

    headers: of the request, by lower-case name.
    """
    query = parse_qs(headers.get("referer", "").partition("?")[2])
    return negotiated(query.get("lang", []), headers.get("accept-language", ""))


def _wish(part: str) -> tuple[float, str]:
    """(weight from 0 to 1, primary tag) of "zh-TW;q=0.8"; weight 0 where that cannot be read."""
    tag, _, weight = part.strip().partition(";")
    number = re.fullmatch(r"\s*q=([01](?:\.[0-9]{0,3})?)\s*", weight or "q=1")
    return (min(float(number[1]), 1.0) if number else 0.0), tag.strip().partition("-")[0].lower()
