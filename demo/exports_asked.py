"""What a downloaded file is about, and how the browser had it drawn. No gradio here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from transxnet.draw.colormaps import COLORMAPS, SEQUENTIAL
from transxnet.draw.scale import MODES, Tone
from transxnet.draw.styles import MAP_STYLES
from transxnet.export.images import Style
from transxnet.export.rows import LARGEST, Shot
from transxnet.images import SourceImage

from .columns import Column
from .timing import Run

QUERY = {  # key of an address -> field of js/display.js, and what it is at first (as js/links.js has them)
    "colors": ("colormap", ""), "signed": ("diverging", ""), "opacity": ("opacity", 0.85), "gamma": ("gamma", 1),
    "threshold": ("threshold", 0), "show": ("view", "raw"), "seen": ("seen", False), "head": ("head", "mean"),
    "direction": ("direction", "from"),
}  # fmt: skip


@dataclass(frozen=True)
class Display:
    """The browser's settings, cleaned. seen: the photo at the model's resolution. direction: "from" or "to"."""

    style: Style = field(default_factory=Style)
    seen: bool = False
    direction: str = "from"


@dataclass(frozen=True)
class Asked:
    """What a file is about. labels: of the images, an example's, "" for a visitor's own. options: what was computed.

    second: the other photo's shots, where two are compared. columns: of the shots, with what they cost, and
    timings what was measured of them. left_out: variant -> why. link: the page's query. notes: what it cannot hold.
    """

    view: str
    shots: Sequence[Shot]
    images: Sequence[SourceImage]
    labels: Sequence[str]
    options: Mapping[str, Any]
    display: Display
    compared: str = "attention"
    second: Sequence[Shot] = ()
    columns: Sequence[Column] = ()
    timings: Run = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    notes: Sequence[str] = ()


def identity(image: SourceImage) -> dict[str, Any]:
    """By which a manifest knows an image."""
    return {"sha256": image.sha256, "of": "size and upright pixels", "size": image.size}


def display_of(sent: Any) -> Display:
    """What js/display.js holds, by its keys; whatever cannot be used is left at its default."""
    sent = sent if isinstance(sent, Mapping) else {}
    colors = {name: sent.get("colormap") for name, look in MAP_STYLES.items() if not look.signed}
    colors |= {name: sent.get("diverging") for name, look in MAP_STYLES.items() if look.signed}
    kinds = {name: COLORMAPS[str(c)].kind == SEQUENTIAL for name, c in colors.items() if str(c) in COLORMAPS}
    colormaps = {name: colors[name] for name, sequential in kinds.items() if sequential != MAP_STYLES[name].signed}
    mode = sent.get("view") if sent.get("view") in MODES else MODES[0]
    tone = Tone(_within(sent, "gamma", 0.3, 3, 1.0), _within(sent, "threshold", 0, 0.95, 0.0), mode)
    head = sent.get("head")
    whole = isinstance(head, int) and not isinstance(head, bool)
    head = head if head == LARGEST or (whole and 0 < head < 100) else 0
    style = Style(head, _within(sent, "opacity", 0, 1, Style.opacity), colormaps, tone)
    return Display(style, sent.get("seen") is True, "to" if sent.get("direction") == "to" else "from")


def in_query(sent: Any) -> dict[str, str]:
    """The same as the address has it, by its keys (demo/links.py checks them); what is as usual is left out."""
    sent = sent if isinstance(sent, Mapping) else {}
    found = {key: sent.get(field, usual) for key, (field, usual) in QUERY.items() if sent.get(field, usual) != usual}
    return {key: "1" if value is True else _short(value) for key, value in found.items()}


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _within(sent: Mapping[str, Any], key: str, low: float, high: float, otherwise: float) -> float:
    value = sent.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        return otherwise
    return min(max(float(value), low), high)
