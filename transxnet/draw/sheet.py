"""A sheet: one row a variant, one column a view, captions, one color bar a column, and where the weights came from.

The same layout serves a single map with its caption. Lengths are inches from the top left corner, text sizes points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .bars import colorbar, figure_rgb
from .scale import NORMALIZED, PLAIN, Tone
from .text import GRAY, INK, WARNING, font, number, printable, width, wrap

DPI = 160
CELL = 2.4  # inches; images drawn at CELL_PX need no resampling
CELL_PX = round(CELL * DPI)
GAP, MARGIN = 0.16, 0.3
HAIRLINE = "#d5dae0"
TITLE, HEADING, SMALL = 13, 9.5, 7.2
OWN = ("each map's least", "its most")  # the ends of a bar of maps that each have their own
LINE = 1.32  # line height over text size


@dataclass(frozen=True)
class Column:
    """One view. caption: layer, what exactly, normalization. value_range: raw (low, high) of the shared color bar.

    Without a value_range there is no bar. tone: how whoever looks has set the scale, said under the caption.
    """

    title: str
    caption: str = ""
    value_range: tuple[float, float] | None = None
    colormap: str = "magma"
    signed: bool = False
    units: str = ""
    root: bool = False
    tone: Tone = PLAIN


@dataclass(frozen=True)
class Cell:
    """One image, uint8 (H, W, 3), RGB, and the number worth knowing under it; or None, and in its place why."""

    image: np.ndarray | None
    caption: str = ""


@dataclass(frozen=True)
class Row:
    """One variant. provenance: where its weights came from. untrained: said in red, before anything else.

    A cell may be None: what could not be computed is left empty.
    """

    title: str
    cells: Sequence[Cell | None]
    note: str = ""
    provenance: str = ""
    untrained: bool = False


@dataclass
class _Page:
    """Things to draw, collected while the layout runs down the page, because the height is known only at the end."""

    wide: float
    down: float = MARGIN
    items: list[tuple] = field(default_factory=list)

    def text(self, x: float, y: float, words: str, size: float, color: str, bold: bool = False, align: str = "left"):
        self.items.append(("text", x, y, words, size, color, bold, align))

    def block(self, x: float, y: float, words: str, room: float, size: float, color: str, bold: bool = False) -> float:
        """Wrapped text; returns its height."""
        lines = wrap(words, room * 72, size, bold)
        for i, line in enumerate(lines):
            self.text(x, y + i * size * LINE / 72, line, size, color, bold)
        return len(lines) * size * LINE / 72

    def image(self, x: float, y: float, rgb: np.ndarray):
        self.items.append(("image", x, y, rgb))

    def line(self, y: float):
        self.items.append(("line", y))

    def draw(self) -> np.ndarray:
        """uint8 (H, W, 3), RGB."""
        high, wide = round((self.down + MARGIN) * DPI), round(self.wide * DPI)
        figure = Figure(figsize=(wide / DPI, high / DPI), dpi=DPI, facecolor="white")
        images = []
        for kind, *item in self.items:
            if kind == "text":
                x, y, words, size, color, bold, align = item
                figure.text(
                    x * DPI / wide, 1 - y * DPI / high, words, fontproperties=font(size, bold), color=color,
                    ha=align, va="top", parse_math=False,
                )  # fmt: skip
            elif kind == "line":
                y = 1 - item[0] * DPI / high
                ends = (MARGIN * DPI / wide, 1 - MARGIN * DPI / wide)
                figure.add_artist(Line2D(ends, (y, y), color=HAIRLINE, linewidth=0.8))
            else:
                images.append(item)
        canvas = figure_rgb(figure)
        for x, y, rgb in images:  # pasted, not drawn: every pixel stays as it is
            left, top = round(x * DPI), round(y * DPI)
            canvas[top : top + rgb.shape[0], left : left + rgb.shape[1]] = rgb
        return canvas


def sheet(
    columns: Sequence[Column], rows: Sequence[Row], title: str = "", subtitle: str = "", notes: Sequence[str] = ()
) -> np.ndarray:
    """The whole sheet, uint8 (H, W, 3), RGB. Every row has one cell a column.

    notes: sentences for the foot: what the maps do not say.
    """
    page = _Page(2 * MARGIN + len(columns) * CELL + (len(columns) - 1) * GAP)
    room = page.wide - 2 * MARGIN
    page.down += page.block(MARGIN, page.down, title, room, TITLE, INK, bold=True)
    page.down += page.block(MARGIN, page.down + 0.03, subtitle, room, HEADING - 1, GRAY) + (0.16 if title else 0)
    page.down += _headings(page, columns)
    for row in rows:
        page.down += _row(page, row, room)
    if notes:
        page.line(page.down)
        page.down += 0.1
    for note in notes:
        page.down += page.block(MARGIN, page.down, note, room, SMALL, GRAY) + 0.03
    return page.draw()


def _left(i: int) -> float:
    return MARGIN + i * (CELL + GAP)


def _headings(page: _Page, columns: Sequence[Column]) -> float:
    """Names, captions and color bars; the bars stand in one line. Returns the height."""
    top, tallest = page.down, 0.0
    for i, column in enumerate(columns):
        used = page.block(_left(i), top, column.title, CELL, HEADING, INK, bold=True)
        used += page.block(_left(i), top + used, f"{column.caption} {column.tone.words}".strip(), CELL, SMALL, GRAY)
        tallest = max(tallest, used)
    if not any(column.value_range for column in columns):
        return tallest + 0.1
    bar, below = top + tallest + 0.05, 0.0
    for i, column in enumerate(columns):
        if column.value_range is None:
            continue
        low, high = column.value_range
        size = (round(0.06 * DPI), CELL_PX)
        strip = colorbar(column.value_range, column.colormap, column.signed, size, column.root, column.tone)
        page.image(_left(i), bar, strip)
        own = column.tone.mode == NORMALIZED  # then each map ends elsewhere
        page.text(_left(i), bar + 0.09, OWN[0] if own else number(low), SMALL, GRAY)
        tight = width(column.units, SMALL) / 72 > CELL - 1.1  # then it stands under the numbers
        below = max(below, 0.13 if tight else 0.0)
        page.text(_left(i) + CELL / 2, bar + (0.22 if tight else 0.09), column.units, SMALL, GRAY, align="center")
        page.text(_left(i) + CELL, bar + 0.09, OWN[1] if own else number(high), SMALL, GRAY, align="right")
    return tallest + 0.35 + below


def _row(page: _Page, row: Row, room: float) -> float:
    """Title, provenance, images, captions. Returns the height."""
    top = page.down
    page.line(top)
    y = top + 0.1
    if row.untrained:
        y += page.block(MARGIN, y, "Random weights: this model was never trained.", room, HEADING, WARNING, bold=True)
    title = printable(row.title)
    beside = width(title, HEADING, bold=True) / 72 + 0.12
    note = page.block(MARGIN + beside, y + (HEADING - SMALL) * 0.95 / 72, row.note, room - beside, SMALL, GRAY)
    y += max(note, page.block(MARGIN, y, title, room, HEADING, INK, bold=True))
    y += page.block(MARGIN, y, row.provenance, room, SMALL, GRAY) + 0.06
    tallest = 0.0
    for i, cell in enumerate(row.cells):
        if cell is None:
            continue
        if cell.image is None:
            page.block(_left(i), y, cell.caption, CELL, SMALL, GRAY)
            continue
        page.image(_left(i), y, _fit(cell.image))
        tallest = max(tallest, page.block(_left(i), y + CELL + 0.05, cell.caption, CELL, SMALL, INK))
    return y + CELL + 0.05 + tallest + 0.14 - top


def _fit(rgb: np.ndarray) -> np.ndarray:
    """Into a cell, aspect kept. An image that fills it already is left alone."""
    high, wide = rgb.shape[:2]
    share = CELL_PX / max(high, wide)
    if share == 1:
        return rgb
    size = (max(1, round(wide * share)), max(1, round(high * share)))
    # values must not be mixed when enlarging: a kernel's tap stays one color
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_NEAREST)
