"""Square panels in rows with words above and below, and color bars: an image whose height grows as they come."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .bars import colorbar, figure_rgb
from .text import GRAY, INK, font, number, width, wrap

DPI, WIDTH, MARGIN = 160, 7.7, 8  # inches, and pixels around them: 1248 in all
GAP, LINE, TEXT = 0.12, 0.155, 8  # between panels and from one line to the next, inches; points


class Panels:
    """Fills from left to right and top to bottom. `pixels`: a panel's side in the image."""

    def __init__(self, columns: int):
        self.columns = columns
        self.side = (WIDTH - (columns - 1) * GAP) / columns  # inches
        self.pixels = round(self.side * DPI)
        self._figure = Figure(figsize=(WIDTH, 1), dpi=DPI, facecolor="white")
        self._placed: list[tuple[object, tuple[float, float, float, float]]] = []  # left, top, width, height: inches
        self._top, self._below, self._column = 0.02, 0.0, 0

    def heading(self, title: str, what: str = "") -> None:
        """A line across: the title bold, what it is beside it."""
        self.new_row()
        self._text(title, 0.0, self._top, TEXT + 1, INK, bold=True)
        self._top += LINE + 0.03
        if what:
            self.line(what)

    def line(self, words: str) -> None:
        """Gray words across, as many lines as they need."""
        self.new_row()
        for one in wrap(words, WIDTH * 72, TEXT):
            self._text(one, 0.0, self._top, TEXT, GRAY)
            self._top += LINE
        self._top += 0.03

    def panel(self, title: str, rgb: np.ndarray, input_size: tuple[int, int], words: Sequence[str] = ()) -> Axes:
        """A square with its title above and words below. Its axes count pixels of the view, (height, width)."""
        left, top = self._cell(title)
        axes = self._figure.add_axes((0, 0, 1, 1))
        rows, cols = input_size
        axes.imshow(rgb, extent=(-0.5, cols - 0.5, rows - 0.5, -0.5), interpolation="none", aspect="auto")
        axes.set_axis_off()
        self._placed.append((axes, (left, top, self.side, self.side)))
        self._under(left, top, [line for part in words for line in wrap(part, self.side * 72, TEXT)])
        return axes

    def words(self, title: str, words: str) -> None:
        """In the place of a panel: why there is none."""
        left, top = self._cell(title)
        for i, line in enumerate(wrap(words, self.side * 72, TEXT)):
            self._text(line, left, top + i * LINE, TEXT, GRAY)
        self._under(left, top, [])

    def bar(self, value_range: tuple[float, float], words: str, colormap: str, decades: bool = False) -> None:
        """A color bar with its ends and what it stands for. decades: the range is of exponents of ten."""
        self.new_row()
        low, high = (number(10**v if decades else v) for v in value_range)
        lowest = f"{low} or less" if decades else low
        self._text(lowest, 1.0 - width(lowest, TEXT) / 72, self._top, TEXT, GRAY)  # ends where the bar begins
        axes = self._figure.add_axes((0, 0, 1, 1))
        axes.imshow(colorbar(value_range, colormap), aspect="auto")
        axes.set_axis_off()
        self._placed.append((axes, (1.1, self._top + 0.02, 1.6, 0.1)))
        self._text(high, 2.78, self._top, TEXT, GRAY)
        for line in wrap(words, (WIDTH - 3.4) * 72, TEXT):
            self._text(line, 3.4, self._top, TEXT, GRAY)
            self._top += LINE
        self._top += 0.08

    def new_row(self) -> None:
        if self._column:
            self._top, self._column, self._below = self._below + 0.1, 0, 0.0

    def image(self) -> np.ndarray:
        """uint8 (H, W, 3), RGB."""
        self.new_row()
        height = self._top
        self._figure.set_size_inches(WIDTH, height)
        for artist, (left, top, wide, high) in self._placed:
            if isinstance(artist, Axes):
                artist.set_position((left / WIDTH, 1 - (top + high) / height, wide / WIDTH, high / height))
            else:
                artist.set_position((left / WIDTH, 1 - top / height))
        return np.pad(figure_rgb(self._figure), ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), constant_values=255)

    def _cell(self, title: str) -> tuple[float, float]:
        """Left edge and top of the next panel, its title written above."""
        if self._column == self.columns:
            self.new_row()
        left = self._column * (self.side + GAP)
        self._column += 1
        whole = width(title, TEXT, bold=True) <= self.side * 72
        rows = 1 if self.columns < 3 else 2  # the same for all, so that panels stand in line
        lines = wrap(title if whole else _broken(title, self.side * 72), self.side * 72, TEXT, bold=True)[:rows]
        for i, line in enumerate(lines):
            self._text(line, left, self._top + (rows - len(lines) + i) * LINE, TEXT, INK, bold=True)
        return left, self._top + rows * LINE + 0.03

    def _under(self, left: float, top: float, lines: Sequence[str]) -> None:
        for i, line in enumerate(lines):
            self._text(line, left, top + self.side + 0.04 + i * LINE, TEXT, GRAY)
        self._below = max(self._below, top + self.side + 0.04 + len(lines) * LINE)

    def _text(self, words: str, left: float, top: float, size: float, color: str, bold: bool = False) -> None:
        text = self._figure.text(0, 0, words, color=color, fontproperties=font(size, bold), va="top", parse_math=False)
        self._placed.append((text, (left, top, 0, 0)))


def _broken(title: str, points: float) -> str:
    """A name too long for its line, with a space where it may be broken: before "@", else after as much as fits."""
    title = title.replace("@", " @")
    first, *rest = title.split()
    if width(first, TEXT, bold=True) <= points:
        return title
    ends = [i for i, c in enumerate(first, 1) if c in ":_-." and width(first[:i], TEXT, bold=True) <= points]
    return " ".join([first[: ends[-1]], first[ends[-1] :], *rest]) if ends else title


def fit(values: np.ndarray, side: int) -> np.ndarray:
    """A map or photo as side x side pixels: the mean of what a pixel covers, or each value as a block."""
    shrinks = values.shape[0] >= side
    values = np.ascontiguousarray(values if values.dtype == np.uint8 else values.astype(np.float32))
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR if values.ndim == 3 else cv2.INTER_NEAREST
    return cv2.resize(values, (side, side), interpolation=how)


def ring(axes: Axes, position: tuple[float, float]) -> None:
    """A ring, white inside black, about a point (x, y) of the view."""
    for color, thick in (("black", 2.4), ("white", 1.0)):
        axes.plot(*position, "o", mfc="none", mec=color, mew=thick, ms=7, clip_on=False)
