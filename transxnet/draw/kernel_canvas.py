"""An image laid out in pixels from its top left corner, for figures of kernels: tiles whose every tap is whole pixels.

Kernels are pasted, not drawn, so that a tap keeps one color and one size; words and charts are Matplotlib's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .bars import colorbar, figure_rgb
from .kernels import grid
from .text import GRAY, INK, font, number, printable, wrap

DPI, WIDE, MARGIN = 160, 1440, 40  # pixels: 9 inches across
HEADING, TEXT, SMALL = 11, 9, 8.5  # points
LINE = 1.35 * DPI / 72  # pixels of line height a point of text
HAIRLINE = "#d5dae0"
SERIES = ("#0f6b5c", "#b4552d", "#4a5fa5", "#8a6a00", "#8b3a7a", "#4c7a1f")  # one color a variant, in order

KERNELS, GATES, AMOUNT = "RdBu_r", "coolwarm", "viridis"  # two diverging about zero, one from zero up


@dataclass
class Canvas:
    """What to draw is collected while the layout runs down; `rgb` draws it. down: where the next part begins."""

    down: float = MARGIN
    items: list[tuple[Callable, tuple]] = field(default_factory=list)

    def text(
        self, x: float, y: float, words: str, size: float = TEXT, color: str = INK, bold: bool = False,
        align: str = "left",
    ) -> None:  # fmt: skip
        """One line, its top at y."""
        self.items.append((_text, (x, y, words, size, color, bold, align)))

    def block(self, x: float, y: float, words: str, room: float, size: float = TEXT, color: str = GRAY) -> float:
        """Wrapped text; returns its height."""
        lines = wrap(words, room * 72 / DPI, size)
        for i, line in enumerate(lines):
            self.text(x, y + i * size * LINE, line, size, color)
        return len(lines) * size * LINE

    def heading(self, name: str, words: str) -> None:
        """A variant's name, and under it in gray what is to be known about it."""
        self.text(MARGIN, self.down, printable(name), HEADING, bold=True)
        self.down += HEADING * LINE
        self.down += self.block(MARGIN, self.down, words, WIDE - 2 * MARGIN) + 12

    def image(self, x: float, y: float, rgb: np.ndarray) -> None:
        self.items.append((_paste, (x, y, rgb)))

    def tiles(
        self, x: float, y: float, kernels: np.ndarray, value_range: tuple[float, float], tap: int, gap: int,
        columns: int, colormap: str = KERNELS,
    ) -> float:  # fmt: skip
        """Kernels (n, K, K) in reading order, each in a hairline; returns the height."""
        rgb = grid(kernels, value_range, colormap, colormap != AMOUNT, columns, tap, gap)
        self.image(x, y, framed(rgb, kernels.shape[-1] * tap, gap, len(kernels), columns))
        return rgb.shape[0]

    def rectangle(self, x: float, y: float, wide: float, high: float, color: str) -> None:
        rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)
        self.image(x, y, np.broadcast_to(rgb, (round(high), round(wide), 3)))

    def chart(self, x: float, y: float, wide: float, high: float, draw: Callable[[Axes], None]) -> None:
        """Axes of this size; their ticks and labels lie outside it."""
        self.items.append((_chart, (x, y, wide, high, draw)))

    def bar(
        self, value_range: tuple[float, float], units: str, colormap: str = KERNELS, x: float = MARGIN, wide: int = 420
    ) -> None:  # fmt: skip
        """A color bar with its ends and what it stands for, at the current height, which stays."""
        low, high = value_range
        self.image(x, self.down, colorbar(value_range, colormap, colormap != AMOUNT, (12, wide)))
        y = self.down + 16
        self.text(x, y, number(low), SMALL, GRAY)
        self.text(x + wide / 2, y, units, SMALL, GRAY, align="center")
        self.text(x + wide, y, number(high), SMALL, GRAY, align="right")

    def rgb(self) -> np.ndarray:
        """uint8 (H, WIDE, 3), RGB; ends at `down` and a margin."""
        high = round(self.down) + MARGIN
        figure = Figure(figsize=(WIDE / DPI, high / DPI), dpi=DPI, facecolor="white")
        for draw, item in self.items:
            if draw is not _paste:
                draw(figure, high, *item)
        canvas = figure_rgb(figure)
        for draw, item in self.items:
            if draw is _paste:
                draw(canvas, *item)
        return canvas


ACROSS = 12  # kernels in one line
NOT_A_FILTER = (
    "A kernel acts on normalized features inside its block, so it is no filter on the image; it is shared by all "
    "positions of the image. "
)
BAR = 50  # pixels a color bar and its words take
EDGE = (213, 218, 224)  # HAIRLINE


def framed(rgb: np.ndarray, side: int, gap: int, n: int, columns: int) -> np.ndarray:
    """A grid with a hairline about each tile, so that a kernel of zeros is seen to be one. The gap must leave room."""
    canvas = np.full((rgb.shape[0] + 2, rgb.shape[1] + 2, 3), 255, np.uint8)
    for i in range(n):
        y, x = i // columns * (side + gap), i % columns * (side + gap)
        canvas[y : y + side + 2, x : x + side + 2] = EDGE
        canvas[y + 1 : y + side + 1, x + 1 : x + side + 1] = rgb[y : y + side, x : x + side]
    return canvas


def plain(axes: Axes, x: str = "", y: str = "") -> None:
    """Two hairline axes with small words, nothing else."""
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set(color=HAIRLINE, linewidth=0.8)
    axes.tick_params(length=3, width=0.8, color=HAIRLINE, labelcolor=GRAY)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(font(8))
    axes.set_xlabel(x, fontproperties=font(SMALL), color=GRAY, labelpad=3)
    axes.set_ylabel(y, fontproperties=font(SMALL), color=GRAY, labelpad=4)


def legend(axes: Axes, columns: int = 1, place: str = "upper right") -> None:
    """The names of the lines, without a frame."""
    axes.legend(loc=place, ncols=columns, frameon=False, prop=font(SMALL), labelcolor=INK, handlelength=1.6)


def under(keys: Sequence[str], names: Sequence[str], results: Sequence[object]) -> dict[str, np.ndarray]:
    """Raw values of several variants' results: "VARIANT/key" -> the attribute of that name."""
    found = zip(names, results, strict=True)
    return {f"{name}/{key}": np.asarray(getattr(result, key)) for name, result in found for key in keys}


def _text(figure: Figure, high: int, x, y, words, size, color, bold, align) -> None:
    figure.text(
        x / WIDE, 1 - y / high, words, fontproperties=font(size, bold), color=color, ha=align, va="top",
        parse_math=False,
    )  # fmt: skip


def _chart(figure: Figure, high: int, x, y, wide, tall, draw) -> None:
    draw(figure.add_axes((x / WIDE, 1 - (y + tall) / high, wide / WIDE, tall / high)))


def _paste(canvas: np.ndarray, x: float, y: float, rgb: np.ndarray) -> None:
    left, top = round(x), round(y)
    canvas[top : top + rgb.shape[0], left : left + rgb.shape[1]] = rgb
