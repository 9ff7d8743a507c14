"""Look-up of the page's text by key, in the visitor's language.

    with use_locale("ko"):
        tr("attention.heads_title")             # "모든 헤드"
        tr("progress.steps", done=3, total=8)   # placeholders are filled by name
        tr_message(error.what)                  # a sentence of the library, by its template

strings/ holds the English text of every key. locales/CODE.json holds the same keys in another language ("strings"), and
the library's templates ("library": English template -> translation). Text that a catalog lacks stays English.

The locale is a context variable: it holds in the thread and context that set it. demo/ui/components.py sets it for
every event of the page. Background threads have English; what they return as Message is translated where it is shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import parse_qs

from transxnet.errors import LensError, NoWeights
from transxnet.messages import Message

from .strings import STRINGS

T = TypeVar("T")
Text = str | Mapping[str, str]  # one text, or plural form ("one", "other") -> text
LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "ko": "한국어", "zh": "中文"})  # locale -> its name
TAGS: Mapping[str, str] = MappingProxyType({"en": "en", "ko": "ko", "zh": "zh-CN"})  # locale -> BCP 47 tag
MAX_HEADER = 300  # characters of an Accept-Language header that are read
_locale: ContextVar[str] = ContextVar("locale", default="en")


def _catalog(locale: str, section: str) -> Mapping[str, Any]:
    path = files(__package__) / "locales" / f"{locale}.json"
    return MappingProxyType(json.loads(path.read_text(encoding="utf-8"))[section])


CATALOGS: Mapping[str, Mapping[str, Text]] = MappingProxyType(
    {"en": STRINGS, "ko": _catalog("ko", "strings"), "zh": _catalog("zh", "strings")}
)
LIBRARY: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"en": {}, "ko": _catalog("ko", "library"), "zh": _catalog("zh", "library")}
)


_KEYS: Mapping[str, str] = MappingProxyType(  # English text, each plural form of it -> its key
    {form: key for key, text in STRINGS.items() for form in ([text] if isinstance(text, str) else text.values())}
)


# ---- locale -------------------------------------------------------------------------------------------------------


def current_locale() -> str:
    """The locale in use, a key of LANGUAGES."""
    return _locale.get()


@contextmanager
def use_locale(locale: str) -> Iterator[None]:
    """Translate into this locale inside a `with` block; a locale without a catalog is English."""
    token = _locale.set(locale if locale in CATALOGS else "en")
    try:
        yield
    finally:
        _locale.reset(token)


def in_every_locale(render: Callable[[], T]) -> dict[str, T]:
    """Locale -> what `render` returns in it, for a component that serves all visitors."""
    rendered = {}
    for locale in LANGUAGES:
        with use_locale(locale):
            rendered[locale] = render()
    return rendered


def negotiate_locale(requested: Sequence[str], accept_language: str) -> str:
    """The locale of a visitor: what the address requests, else what the browser prefers, else English.

    Args:
        requested: Every value of `lang` in the address; more than one counts as none.
        accept_language: Header of that name, as sent.
    """
    if len(requested) == 1 and requested[0] in LANGUAGES:
        return requested[0]
    preferences = [_preference(part) for part in accept_language[:MAX_HEADER].split(",")]
    supported = [(weight, locale) for weight, locale in preferences if weight > 0 and locale in LANGUAGES]
    return max(supported, key=lambda preference: preference[0])[1] if supported else "en"


def locale_of_page(headers: Mapping[str, str]) -> str:
    """The locale of the page that sent a request, by its address, else by its browser.

    Args:
        headers: Of the request, by lower-case name.
    """
    query = parse_qs(headers.get("referer", "").partition("?")[2])
    return negotiate_locale(query.get("lang", []), headers.get("accept-language", ""))


def _preference(part: str) -> tuple[float, str]:
    """(weight from 0 to 1, primary tag) of "zh-TW;q=0.8"; weight 0 if it cannot be read."""
    tag, _, weight = part.strip().partition(";")
    number = re.fullmatch(r"\s*q=([01](?:\.[0-9]{0,3})?)\s*", weight or "q=1")
    return (min(float(number[1]), 1.0) if number else 0.0), tag.strip().partition("-")[0].lower()


# ---- text by key --------------------------------------------------------------------------------------------------


def tr(key: str, /, **values: object) -> str:
    """Text of a key in the current locale.

    Args:
        key: As in strings/.
        values: Fill the placeholders; `count` chooses among plural forms. Without any the text is returned as it is,
            for the browser to fill.
    """
    text = _form(CATALOGS[_locale.get()].get(key) or STRINGS[key], values)
    return text.format(**values) if values else text


def tr_lines(key: str, /, **values: object) -> list[str]:
    """Text of several lines (a table's head, the sentences of a step), one by one."""
    return tr(key, **values).split("\n")


def tr_group(prefix: str) -> Mapping[str, str]:
    """Text of every key with this prefix: the rest of the key -> text, as it is.

    Args:
        prefix: "display.", a module of strings/, for the browser; "models.title_", one text for each of several values.
    """
    return _group(prefix, _locale.get())


@cache
def _group(prefix: str, locale: str) -> Mapping[str, str]:
    with use_locale(locale):
        return {
            key.removeprefix(prefix): tr(key)
            for key, text in STRINGS.items()
            if key.startswith(prefix) and isinstance(text, str)
        }


def message(key: str, /, **values: object) -> Message:
    """English text of a key as a Message, for an error or a note that is translated where it is shown."""
    return Message(_form(STRINGS[key], values), **values)


def _form(text: Text, values: Mapping[str, object]) -> str:
    if isinstance(text, str):
        return text
    return text["one"] if values["count"] == 1 and "one" in text else text["other"]


# ---- messages of the library --------------------------------------------------------------------------------------


def tr_message(text: str) -> str:
    """Text of the library in the current locale.

    Args:
        text: A Message, translated by its template, its values that are text as well; a plain str is its own template.

    Returns:
        The translation, or the English text if the catalog has no such template.
    """
    locale = _locale.get()
    if locale == "en":
        return str(text)
    template = text.template if isinstance(text, Message) else text
    values = text.values if isinstance(text, Message) else {}
    values = {name: tr_message(value) if isinstance(value, str) else value for name, value in values.items()}
    translation = LIBRARY[locale].get(template) or CATALOGS[locale].get(_KEYS.get(template, ""), template)
    form = _form(translation, values)
    return form.format(**values) if values else form


def tr_error(error: LensError) -> str:
    """What str(error) says, in the current locale."""
    if _locale.get() == "en":
        return str(error)
    if isinstance(error, NoWeights):
        attempts = tuple((source_name(name), *map(tr_message, rest)) for name, *rest in error.attempts)
        return str(NoWeights(tr_message(error.what), attempts, remedy=tr_message(error.remedy)))
    return f"{tr_message(error.what)} {tr_message(error.remedy)}".strip()


def source_name(source: str) -> str:
    """Name of a source of weights, as transxnet.weights.load calls it, for people."""
    return tr_group("weights.source_").get(source, source)
