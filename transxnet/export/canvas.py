"""A page of text, bars and images, drawn twice from the same things: as pixels, and as SVG.

Lengths are inches from the top left corner, text sizes points. As pixels, images are pasted, so that every one of
theirs stays as it is; in SVG they are PNG data, text is text and a color bar a gradient. Both lay out with DejaVu
Sans; an SVG's reader without it shows the next sans-serif.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

import cv2
import numpy as np
from matplotlib.figure import Figure

from ..draw.bars import figure_rgb
from ..draw.png import to_png
from ..draw.text import FAMILY, INK, font, wrap

POINTS = 72  # an inch
LINE = 1.34  # line height over text size
BASELINE = 0.93  # of DejaVu Sans: from the top of a line's text to its baseline, over the text size


@dataclass(frozen=True)
class Text:
    x: float
    y: float  # of its top
    words: str
    size: float
    color: str
    bold: bool
    align: str  # "left", "center" or "right" of x


@dataclass(frozen=True)
class Image:
    """rgb: uint8 (H, W, 3). wide, high: inches. name: what it shows, for who cannot see it."""

    x: float
    y: float
    rgb: np.ndarray
    wide: float
    high: float
    name: str


@dataclass(frozen=True)
class Bar:
    """strip: uint8 (n, 3), its colors from left to right."""

    x: float
    y: float
    strip: np.ndarray
    wide: float
    high: float


@dataclass(frozen=True)
class Rule:
    x: float
    y: float
    wide: float
    color: str


@dataclass
class Canvas:
    """wide: inches. dpi: pixels an inch, where it is drawn as pixels. `down` is where a layout stands."""

    wide: float
    dpi: float
    down: float = 0.3
    high: float = 0.0
    items: list[Text | Image | Bar | Rule] = field(default_factory=list)

    def text(
        self, x: float, y: float, words: str, size: float, color: str = INK, bold: bool = False, align: str = "left"
    ) -> None:
        self.items.append(Text(x, y, words, size, color, bold, align))

    def block(
        self, x: float, y: float, words: str, room: float, size: float, color: str = INK, bold: bool = False
    ) -> float:
        """Wrapped to `room` inches; returns its height."""
        lines = wrap(words, room * POINTS, size, bold)
        for i, line in enumerate(lines):
            self.text(x, y + i * size * LINE / POINTS, line, size, color, bold)
        return len(lines) * size * LINE / POINTS

    def image(self, x: float, y: float, rgb: np.ndarray, name: str, wide: float = 0.0) -> float:
        """Its own pixels, or `wide` inches; returns its height."""
        wide = wide or rgb.shape[1] / self.dpi
        high = wide * rgb.shape[0] / rgb.shape[1]
        self.items.append(Image(x, y, rgb, wide, high, name))
        return high

    def bar(self, x: float, y: float, strip: np.ndarray, wide: float, high: float) -> None:
        self.items.append(Bar(x, y, strip, wide, high))

    def rule(self, x: float, y: float, wide: float, color: str) -> None:
        self.items.append(Rule(x, y, wide, color))

    # ---- as pixels ------------------------------------------------------------------------------------------

    def to_rgb(self) -> np.ndarray:
        """uint8 (H, W, 3), RGB. Images stand at whole pixels."""
        wide, high = round(self.wide * self.dpi), round(self.high * self.dpi)
        figure = Figure(figsize=(wide / self.dpi, high / self.dpi), dpi=self.dpi, facecolor="white")
        for one in self.items:
            if isinstance(one, Text):
                figure.text(
                    one.x * self.dpi / wide, 1 - one.y * self.dpi / high, one.words,
                    fontproperties=font(one.size, one.bold), color=one.color, ha=one.align, va="top", parse_math=False,
                )  # fmt: skip
        canvas = figure_rgb(figure)
        for one in self.items:
            if not isinstance(one, Text):
                self._paste(canvas, one)
        return canvas

    def _paste(self, canvas: np.ndarray, one: Image | Bar | Rule) -> None:
        left, top, wide = round(one.x * self.dpi), round(one.y * self.dpi), max(1, round(one.wide * self.dpi))
        if isinstance(one, Rule):
            canvas[top : top + max(1, round(self.dpi / 100)), left : left + wide] = _rgb(one.color)
            return
        size = (wide, max(1, round(one.high * self.dpi)))
        rgb = one.rgb if isinstance(one, Image) else one.strip[None]
        if rgb.shape[1::-1] != size:
            smooth = isinstance(one, Image) and rgb.shape[1] > wide
            rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if smooth else cv2.INTER_NEAREST)
        canvas[top : top + size[1], left : left + size[0]] = rgb

    # ---- as SVG ---------------------------------------------------------------------------------------------

    def to_svg(self, title: str, metadata: str = "") -> str:
        """One file that names no other. Units are points. metadata: text, which a reader finds in <metadata>."""
        wide, high = self.wide * POINTS, self.high * POINTS
        parts = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.2f}pt" height="{high:.2f}pt" '
            f'viewBox="0 0 {wide:.2f} {high:.2f}" role="img" font-family="\'{FAMILY}\', Verdana, sans-serif">',
            f"<title>{escape(title)}</title>",
            f'<metadata id="transxnet-lens">{escape(metadata)}</metadata>',
            f'<rect width="{wide:.2f}" height="{high:.2f}" fill="#fff"/>',
            *(_svg(one, number) for number, one in enumerate(self.items)),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"


def _svg(one: Text | Image | Bar | Rule, number: int) -> str:
    x, y = one.x * POINTS, one.y * POINTS
    if isinstance(one, Text):
        anchor = {"left": "start", "center": "middle", "right": "end"}[one.align]
        weight = ' font-weight="bold"' if one.bold else ""
        return (
            f'<text x="{x:.2f}" y="{y + one.size * BASELINE:.2f}" font-size="{one.size:g}" fill="{one.color}" '
            f'text-anchor="{anchor}"{weight}>{escape(one.words)}</text>'
        )
    place = f'x="{x:.2f}" y="{y:.2f}" width="{one.wide * POINTS:.2f}"'
    if isinstance(one, Rule):
        return f'<rect {place} height="0.6" fill="{one.color}"/>'
    place += f' height="{one.high * POINTS:.2f}"'
    if isinstance(one, Image):
        data = base64.b64encode(to_png(one.rgb)).decode()
        name = quoteattr(one.name)
        return f'<image {place} role="img" aria-label={name} href="data:image/png;base64,{data}"/>'
    stops = "".join(f'<stop offset="{at:.4f}" stop-color="{color}"/>' for at, color in _stops(one.strip))
    gradient = f'<linearGradient id="bar{number}">{stops}</linearGradient>'
    return f'<defs>{gradient}</defs><rect {place} fill="url(#bar{number})"/>'


def _stops(strip: np.ndarray) -> Sequence[tuple[float, str]]:
    """Where colors change: each at its own place, so that a step of the scale stays a step."""
    last = len(strip) - 1
    kept = [i for i in range(len(strip)) if i in (0, last) or (strip[i] != strip[i - 1]).any() or
            (strip[i] != strip[i + 1]).any()]  # fmt: skip
    return [(i / last, "#{:02x}{:02x}{:02x}".format(*strip[i])) for i in kept]


def _rgb(color: str) -> tuple[int, int, int]:
    return tuple(bytes.fromhex(color.lstrip("#")))
