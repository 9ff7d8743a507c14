"""The state of a page as data, and as the query string of its address. No gradio here.

    state, words = from_query(request.query_params)   # nothing in a query is trusted
    to_query(state)                                    # "image=lion&view=attention&stage=2&x=120&y=80"

A query holds what differs from State's defaults only. Whatever cannot be used is left at its default and said in a
sentence. What only the browser knows (`display`) is checked here and applied by js/links.js.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

from transxnet.backbones.spec import is_backbone, spec_of
from transxnet.draw.colormaps import COLORMAPS, SEQUENTIAL
from transxnet.errors import LensError, UnknownName
from transxnet.errors import quote as repeat
from transxnet.explain.ablation.catalog import parse_ablations
from transxnet.labels import label_set
from transxnet.variants import UNTRAINED, VARIANTS

from .examples import examples
from .i18n.tabs import TABS
from .i18n.translate import LANGUAGES, tr

MOST_VARIANTS = 3
QUOTED = 40  # characters of a refused value that a sentence repeats
LONGEST = 400  # characters of a value that is looked at
NOT_OURS = {"view": ("api", "settings", "api-recorder")}  # Gradio's own pages
WHAT = {  # key of the query -> key of what it is, in a sentence
    "image": "links.what_image",
    "variants": "links.what_models",
    "view": "links.what_tab",
    "stage": "links.what_stage",
    "block": "links.what_block",
    "cam": "links.what_cam_layer",
    "x": "links.what_position",
    "y": "links.what_position",
    "class": "links.what_class",
    "compared": "links.what_compared",
    "with": "links.what_reference_image",
    "photos": "links.what_photos",
    "off": "links.what_ablations",
    "tour": "links.what_tour",
    "lang": "links.what_language",
    "head": "links.what_head",
    "direction": "links.what_direction",
    "colors": "links.what_colormap",
    "signed": "links.what_diverging",
    "opacity": "links.what_opacity",
    "gamma": "links.what_gamma",
    "threshold": "links.what_threshold",
    "show": "links.what_scale",
    "seen": "links.what_seen",
}


@dataclass(frozen=True)
class State:
    """What a link holds. Images by their examples' labels, so that an order may change; "" is a default.

    display: the browser's own settings as (key of DISPLAY, text), sorted by key.
    """

    image: str = ""  # the first example, or an upload, which no link holds
    variants: tuple[str, ...] = ()  # the one that the page opens on
    view: str = "overview"
    stage: int = 3
    block: int = 0  # the stage's last
    cam: int = 4
    position: tuple[int, int] | None = None  # in pixels of the upright image; None is its middle
    target: str = ""  # a WNID; "" is the model's own answer
    compared: str = "attention"
    second: str = ""  # the example after the image's own
    tour: int = 0
    language: str = ""  # the visitor's own
    display: tuple[tuple[str, str], ...] = ()
    edits: tuple[str, ...] = ()  # What if: the parts switched off, as explain.switches names them
    photos: bool = False  # Compare: two photos on one variant


# ---- one value: text -> what it means, or ValueError ----------------------------------------------------------


def _number(low: int, high: int) -> Callable[[str], int]:
    def clean(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return clean


def _share(low: float, high: float) -> Callable[[str], str]:
    def clean(text: str) -> str:
        if not re.fullmatch(r"[0-9](\.[0-9]{1,6})?", text) or not low <= float(text) <= high:
            raise ValueError(text)
        return text

    return clean


def _among(*names: str) -> Callable[[str], str]:
    return _matching("|".join(map(re.escape, names)))


def _matching(pattern: str) -> Callable[[str], str]:
    def clean(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(text)
        return text

    return clean


def _example(text: str) -> str:
    return _among(*(example.label for example in examples()))(text)


def _switches(text: str) -> tuple[str, ...]:
    try:
        return tuple(str(switch) for switch in parse_ablations(text.split(",")))
    except LensError:
        raise ValueError(text) from None


_SEQUENTIAL = [c.name for c in COLORMAPS.values() if c.kind == SEQUENTIAL]
_DIVERGING = [c.name for c in COLORMAPS.values() if c.kind != SEQUENTIAL]
FIELDS: Mapping[str, tuple[str, Callable[[str], Any]]] = MappingProxyType(
    {
        "image": ("image", _example), "view": ("view", _among(*TABS)), "stage": ("stage", _number(1, 4)),
        "block": ("block", _number(0, 99)), "cam": ("cam", _number(1, 4)),
        "compared": ("compared", _matching("[a-z][a-z0-9_]{0,39}")), "with": ("second", _example),
        "tour": ("tour", _number(0, 99)), "lang": ("language", _among(*LANGUAGES)),
        "photos": ("photos", lambda text: bool(_among("1")(text))), "off": ("edits", _switches),
    }
)  # fmt: skip # query key -> the State's field, and what its text means
DISPLAY: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "colors": _among(*_SEQUENTIAL), "signed": _among(*_DIVERGING), "opacity": _share(0, 1),
        "gamma": _share(0.3, 3), "threshold": _share(0, 0.95), "show": _among("raw", "normalized", "masked"),
        "seen": _among("1"), "head": _matching("mean|max|[1-9][0-9]?"), "direction": _among("from", "to"),
    }
)  # fmt: skip # as js/links.js writes lensDisplay's fields (js/display.js cleans them within the same bounds)


# ---- reading ------------------------------------------------------------------------------------------------


def from_query(query: Any) -> tuple[State, list[str]]:
    """The state of an address, and a sentence for everything that could not be used.

    query: a mapping of texts, or one with `multi_items` as starlette's QueryParams, which tells of repeated keys.
    """
    found: dict[str, str] = {}
    said: list[str] = []
    repeated = set()
    for key, text in getattr(query, "multi_items", query.items)():
        if key in WHAT and text not in NOT_OURS.get(key, ()):
            repeated |= {key} & set(found)
            found[key] = text
    for what in dict.fromkeys(WHAT[key] for key in WHAT if key in repeated):
        said.append(tr("links.repeated", what=tr(what)))
        found = {key: text for key, text in found.items() if WHAT[key] != what}
    state, more = updated(State(), found)
    return state, said + more


def updated(state: State, asked: Mapping[str, Any]) -> tuple[State, list[str]]:
    """The state with these keys of a query changed, and a sentence for each that cannot be used. "" sets a default."""
    said: list[str] = []
    given = {key: _text(value) for key, value in asked.items() if value is not None}
    if "variants" in given:
        state = replace(state, variants=_variants(given["variants"], said))
    for key, (field, clean) in FIELDS.items():
        if key in given:
            default = getattr(State, field)
            state = replace(state, **{field: _cleaned(key, given[key], clean, said, default)})
    if "class" in given:
        state = replace(state, target=_cleaned("class", given["class"], lambda t: _wnid(t, state.variants), said, ""))
    if {"x", "y"} & set(given):
        state = replace(state, position=_position(given, said))
    display = dict(state.display) | {
        key: _cleaned(key, given[key], clean, said, "") for key, clean in DISPLAY.items() if key in given
    }
    state = replace(state, display=tuple(sorted((key, text) for key, text in display.items() if text)))
    return _with_a_block(state, said), said


def _text(value: Any) -> str:
    """A value of a query, or of a script's request: a text, a number or a list of texts."""
    if isinstance(value, float) and isfinite(value):
        value = round(value)
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _cleaned(key: str, text: str, clean: Callable[[str], Any], said: list[str], default: Any) -> Any:
    if not text:
        return default
    try:
        return clean(text[:LONGEST])
    except ValueError:
        said.append(tr("links.unused", what=tr(WHAT[key]), value=_quoted(text)))
        return default


def _variants(text: str, said: list[str]) -> tuple[str, ...]:
    names: list[str] = []
    for name in text[:LONGEST].split(","):
        if not name.strip():
            continue
        try:
            names.append(canonical(name))
        except (LensError, ValueError):
            said.append(tr("links.unknown_model", value=_quoted(name)))
    names = list(dict.fromkeys(names))
    if len(names) > MOST_VARIANTS:
        said.append(tr("links.many_models", most=MOST_VARIANTS))
    return tuple(names[:MOST_VARIANTS])


def canonical(name: str) -> str:
    """A variant's or backbone's name as the page writes it. Raises UnknownName with the nearest names."""
    spec, untrained = spec_of(name)
    return spec.short + (f"@{UNTRAINED}" if untrained else "")


def known_class(wnid: str, variants: tuple[str, ...]) -> str:
    """The WNID, if one of these variants, or any of this project's, has that class. Raises UnknownName."""
    try:
        return _wnid(wnid, variants)
    except ValueError:
        raise UnknownName(f"No model has a class {repeat(wnid)}.", remedy="Choose one of the answers.") from None


def _wnid(text: str, variants: tuple[str, ...]) -> str:
    """A class that one of these variants, or any of this project's, has."""
    sets = {spec.label_set for spec in VARIANTS.values()} | {spec_of(name)[0].label_set for name in variants}
    if not any(text in label_set(name).wnids for name in sets):
        raise ValueError(text)
    return text


def _position(given: Mapping[str, str], said: list[str]) -> tuple[int, int] | None:
    if not (given.get("x") and given.get("y")):
        if given.get("x") or given.get("y"):
            said.append(tr("links.half_position"))
        return None
    found = [_cleaned(key, given[key], _number(0, 999_999), said, None) for key in ("x", "y")]
    return None if None in found else (found[0], found[1])


def _with_a_block(state: State, said: list[str]) -> State:
    """Blocks that every variant has; which variant "" means only the page knows, and it looks again."""
    depths = [spec_of(name)[0].depths[state.stage - 1] for name in state.variants if not is_backbone(name)]
    if state.block <= min(depths, default=99):
        return state
    said.append(tr("links.no_block", block=state.block, stage=state.stage))
    return replace(state, block=0)


def _quoted(text: str) -> str:
    text = "".join(c if c.isprintable() else " " for c in text[: QUOTED + 1])
    return text if len(text) <= QUOTED else text[:QUOTED] + "…"


# ---- writing ------------------------------------------------------------------------------------------------


def to_query(state: State) -> str:
    """The query string of a state, without "?"; from_query gives the same state back."""
    return urlencode(query_of(state), quote_via=quote, safe=",:@")


def query_of(state: State) -> dict[str, str]:
    """What stands in the address, key by key; js/links.js adds what the browser knows."""
    return dict(_pairs(state))


def _pairs(state: State) -> Iterator[tuple[str, str]]:
    values = {key: _written(getattr(state, field)) for key, (field, _) in FIELDS.items()}
    usual = {key: _written(getattr(State, field)) for key, (field, _) in FIELDS.items()}
    values |= {"variants": ",".join(state.variants), "class": state.target} | dict(state.display)
    if state.position is not None:
        values |= {"x": str(state.position[0]), "y": str(state.position[1])}
    if state.tour:
        del usual["view"]  # or a link would open the step's own
    for key in WHAT:  # in the order in which they are read best
        if values.get(key) and values[key] != usual.get(key):
            yield key, values[key]


def _written(value: Any) -> str:
    """As FIELDS reads it; a switch that is off is left out."""
    return str(int(value) or "") if isinstance(value, bool) else _text(value)
