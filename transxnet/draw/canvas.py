"""One canvas for every figure: rows of titled images, color bars, charts, tables and wrapped text.

A `Canvas` lays out a Matplotlib Figure from the top down and renders it as pixels, SVG or PDF. Lengths are inches from
the upper left corner, text sizes are points. The height follows from the content.

An image keeps its pixels: in a raster each of them is one pixel, in SVG and PDF the image is embedded. Text stays text
there. All renderings are laid out with DejaVu Sans, and the fonts of fonts.py for what it lacks.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from xml.sax.saxutils import quoteattr

import cv2
import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Affine2D

from .dark import flat_image, recolor
from .figure import Table
from .fonts import NOTE, unprintable_count
from .kernels import kernel_tiles
from .scale import NORMALIZED, PLAIN, Tone, colorbar
from .text import GRAY, HAIRLINE, INK, font, number, printable, shorten, width, wrap

DPI, WIDTH, MARGIN, GAP = 160, 7.8, 0.05, 0.12  # pixels an inch; inches: of a figure, around it, between panels
SIZE = 8  # points
LINE = 1.35  # line height over text size
NORMALIZED_ENDS = "map minimum", "map maximum"  # of a bar for maps that each have their own range
MAX_COLUMNS = 6  # of a table that is not transposed
_SETTINGS_LOCK = Lock()  # Matplotlib reads its settings of vector files from global parameters


def line_height(size: float = SIZE) -> float:
    """Inches from one line of text to the next."""
    return size * LINE / 72


@dataclass(frozen=True)
class Panel:
    """An image with its title above and its caption below.

    Attributes:
        title: At most two lines; '' leaves it out.
        image: uint8 (H, W, 3), RGB; None shows the caption alone, e.g. why there is no image.
        caption: Paragraphs.
        alt: What the image shows, for SVG readers.
    """

    title: str
    image: np.ndarray | None
    caption: Sequence[str] = ()
    alt: str = ""


class _Image(Artist):
    """Pixels at a place on the canvas, never interpolated where its size is its own."""

    def __init__(self, rgb: np.ndarray, box: tuple[float, float, float, float], is_flat: bool) -> None:
        super().__init__()
        self.rgb, self.box, self.is_flat = rgb, box, is_flat

    def draw(self, renderer: RendererBase) -> None:
        canvas = self.get_figure()
        x, y, wide, high = (length * canvas.dpi for length in self.box)
        context = renderer.new_gc()
        context.set_gid(self.get_gid())
        if renderer.option_scale_image():  # vector output
            place = Affine2D().scale(wide, -high).translate(0, high)  # rows of an image count from its top
            renderer.draw_image(context, x, canvas.bbox.height - y - high, self.rgb, place)
        else:
            size = max(1, round(wide)), max(1, round(high))
            shrinks = self.rgb.shape[1] > size[0]
            rgb = self.rgb if self.rgb.shape[1::-1] == size else cv2.resize(
                self.rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
            )  # fmt: skip
            rgba = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
            renderer.draw_image(context, round(x), round(canvas.bbox.height) - round(y) - size[1], rgba[::-1])
        context.restore()


class Canvas:
    """A figure under construction; `y` is where the next row begins.

    Args:
        width: Inches, margins included.
        dpi: Pixels an inch in a raster.
        margin: Inches on each side.
        font_note: Whether a note follows where characters were replaced that no font has.
    """

    def __init__(
        self, width: float = WIDTH, dpi: float = DPI, margin: float = MARGIN, font_note: bool = True
    ) -> None:  # fmt: skip
        self.width, self.dpi, self.margin, self.y = width, dpi, margin, margin
        self.figure = Figure(figsize=(width, 1), dpi=dpi, facecolor="white")
        self._from_top = Affine2D()
        self._inches = self._from_top + self.figure.dpi_scale_trans
        self._axes: list[tuple[Axes, tuple[float, float, float, float]]] = []
        self._alts: list[str] = []
        self._unprintable = unprintable_count() if font_note else None

    @property
    def room(self) -> float:
        """Inches between the margins."""
        return self.width - 2 * self.margin

    # ---- text ------------------------------------------------------------------------------------------------

    def text(
        self, x: float, y: float, text: str, size: float = SIZE, color: str = INK, bold: bool = False,
        align: str = "left", **style: object,
    ) -> None:  # fmt: skip
        """One line; y is its top unless `va` says otherwise."""
        self.figure.text(
            x, y, text, transform=self._inches, fontproperties=font(size, bold, text), color=color, ha=align,
            parse_math=False, **{"va": "top"} | style,
        )  # fmt: skip

    def wrapped(
        self, x: float, y: float, text: str, room: float, size: float = SIZE, color: str = GRAY, bold: bool = False
    ) -> float:
        """Text in lines of at most `room` inches; returns its height."""
        return self._lines(x, y, wrap(text, room * 72, size, bold), size, color, bold)

    def paragraph(
        self, text: str, size: float = SIZE, color: str = GRAY, bold: bool = False, gap: float = 0.03
    ) -> None:
        """Wrapped text between the margins, and a gap below it; nothing for ''."""
        if text:
            self.y += self.wrapped(self.margin, self.y, text, self.room, size, color, bold) + gap

    def heading(self, title: str, subtitle: str = "") -> None:
        """A bold title, and a gray paragraph below it."""
        self.paragraph(printable(title), SIZE + 1.5, INK, bold=True)
        self.paragraph(subtitle, gap=0.08)

    def _lines(self, x: float, y: float, lines: Sequence[str], size: float, color: str, bold: bool = False) -> float:
        for i, line in enumerate(lines):
            self.text(x, y + i * line_height(size), line, size, color, bold)
        return len(lines) * line_height(size)

    def rule(self) -> None:
        """A hairline between the margins."""
        ends = self.margin, self.width - self.margin
        line = Line2D(ends, (self.y, self.y), color=HAIRLINE, linewidth=0.8, transform=self._inches)
        self.figure.add_artist(line)

    def legend(self, handles: Sequence[Line2D], gap: float = 0.05) -> None:
        """Labels of lines and markers side by side."""
        legend = self.figure.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(self.margin, self.y), bbox_transform=self._inches,
            ncol=len(handles), frameon=False, prop=font(SIZE), labelcolor=INK, borderaxespad=0.2, borderpad=0,
            handletextpad=0.5, columnspacing=1.6,
        )  # fmt: skip
        _finish_legend(legend)
        self.y += line_height() + gap

    # ---- images ----------------------------------------------------------------------------------------------

    def image(
        self, x: float, y: float, rgb: np.ndarray, alt: str = "", width: float | None = None, is_flat: bool = False
    ) -> float:  # fmt: skip
        """An image at its own pixels, or scaled to `width` inches; returns its height in inches.

        Args:
            x: Left edge.
            y: Upper edge.
            rgb: uint8 (H, W, 3).
            alt: What it shows.
            width: Inches; None keeps every pixel.
            is_flat: Whether white in it is the page's, as between kernels.
        """
        width = width or rgb.shape[1] / self.dpi
        height = width * rgb.shape[0] / rgb.shape[1]
        image = _Image(np.ascontiguousarray(rgb, np.uint8), (x, y, width, height), is_flat)
        image.set_gid(f"image-{len(self._alts)}")
        self._alts.append(alt)
        self.figure.add_artist(image)
        return height

    def rectangle(self, x: float, y: float, width: float, height: float, color: str) -> None:
        """A filled rectangle of whole pixels."""
        shape = (max(1, round(height * self.dpi)), max(1, round(width * self.dpi)), 3)
        self.image(x, y, np.broadcast_to(_rgb(color), shape), is_flat=True)

    def tiles(
        self, x: float, y: float, kernels: np.ndarray, value_range: tuple[float, float], tap: int, gap: int,
        columns: int, colormap: str = "RdBu_r", signed: bool = True,
    ) -> float:  # fmt: skip
        """Kernels (n, K, K) in reading order, each in a hairline; `tap` and `gap` in pixels. Returns the height."""
        rgb = kernel_tiles(kernels, value_range, colormap, signed, columns, tap, gap)
        side, framed = kernels.shape[-1] * tap, np.full((rgb.shape[0] + 2, rgb.shape[1] + 2, 3), 255, np.uint8)
        for i in range(len(kernels)):
            top, left = i // columns * (side + gap), i % columns * (side + gap)
            framed[top : top + side + 2, left : left + side + 2] = _rgb(HAIRLINE)
            framed[top + 1 : top + side + 1, left + 1 : left + side + 1] = rgb[top : top + side, left : left + side]
        self.image(x, y, framed, is_flat=True)
        return rgb.shape[0] / self.dpi

    def panel_width(self, columns: int) -> float:
        """Inches of one of so many panels side by side."""
        return (self.room - (columns - 1) * GAP) / columns

    def panel_pixels(self, columns: int) -> int:
        """The same in pixels: the width of an image that fills a panel."""
        return round(self.panel_width(columns) * self.dpi)

    def panels(self, panels: Sequence[Panel], columns: int | None = None) -> None:
        """Rows of at most `columns` panels, with the images of a row on one line."""
        columns = columns or max(1, len(panels))
        width = self.panel_width(columns)
        for first in range(0, len(panels), columns):
            row = panels[first : first + columns]
            titles = [wrap(_breakable(panel.title, width * 72), width * 72, SIZE, bold=True)[:2] for panel in row]
            images = self.y + max(map(len, titles)) * line_height() + 0.03
            bottom = images
            for i, (panel, title) in enumerate(zip(row, titles, strict=True)):
                x, y = self.margin + i * (width + GAP), images
                self._lines(x, images - 0.03 - len(title) * line_height(), title, SIZE, INK, bold=True)
                if panel.image is not None:
                    y += self.image(x, y, panel.image, panel.alt or panel.title) + 0.04
                for text in panel.caption:
                    y += self.wrapped(x, y, text, width)
                bottom = max(bottom, y)
            self.y = bottom + 0.1

    def color_bar(
        self, value_range: tuple[float, float], units: str, colormap: str = "magma", signed: bool = False,
        root: bool = False, tone: Tone = PLAIN, x: float | None = None, width: float | None = None,
        decades: bool = False,
    ) -> float:  # fmt: skip
        """A color bar at `y`, which stays, with its ends and units below; returns the height of all.

        Args:
            value_range: Raw values at its ends; with `decades` exponents of ten, the lower one an upper bound.
            units: What the values are, on a line of their own where the bar is too short.
            colormap, signed, root, tone: As for `scale.colorize`.
            x: Left edge; the margin by default.
            width: Inches; all between the margins by default.
            decades: Whether colors stand for logarithms.
        """
        x, width = self.margin if x is None else x, width or self.room
        self.image(x, self.y, colorbar(value_range, colormap, signed, (13, round(width * self.dpi)), root, tone), units)
        ends = tuple(number(10**value if decades else value) for value in value_range)
        ends = NORMALIZED_ENDS if tone.mode == NORMALIZED else (f"≤ {ends[0]}" if decades else ends[0], ends[1])
        below = self.y + 13 / self.dpi + 0.03
        self.text(x, below, ends[0], color=GRAY)
        self.text(x + width, below, ends[1], color=GRAY, align="right")
        free = width - 2 * max(_text_width(end) for end in ends) - 0.2
        if _text_width(units) <= free:
            self.text(x + width / 2, below, units, color=GRAY, align="center")
            return below + line_height() + 0.06 - self.y
        return below + line_height() + self.wrapped(x, below + line_height(), units, width) + 0.06 - self.y

    # ---- charts and tables -----------------------------------------------------------------------------------

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Axes of this size; ticks and labels lie outside it."""
        axes = self.figure.add_axes((0, 0, 1, 1), label=str(len(self._axes)))
        self._axes.append((axes, (x, y, width, height)))
        return axes

    def table(self, title: str, table: Table) -> None:
        """A table as wide as the page at most; a single row of many numbers is written as a column."""
        self.paragraph(title, SIZE + 1.5, INK, bold=True, gap=0.04)
        lines = [table.head, *table.rows]
        if len(table.head) > MAX_COLUMNS and len(lines) < len(table.head):
            lines = list(zip(*lines, strict=True))
        widths = _column_widths(
            [[printable(text) for text in column] for column in zip(*lines, strict=True)], self.room
        )
        lefts = self.margin + np.cumsum([0.0, *widths[:-1]])
        for i, line in enumerate(lines):
            color = INK if i else GRAY
            heights = [
                self.wrapped(float(x), self.y, text, float(wide) - 0.08, SIZE, color, bold=not i)
                for x, wide, text in zip(lefts, widths, line, strict=True)
            ]
            self.y += max(heights) + 0.02
            self.rule()
            self.y += 0.03
        self.y += 0.12

    # ---- output ----------------------------------------------------------------------------------------------

    def to_rgb(self) -> np.ndarray:
        """The figure as pixels: uint8 (H, W, 3), RGB."""
        self._set_height()
        canvas = FigureCanvasAgg(self.figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()

    def to_dark_rgb(self) -> np.ndarray:
        """The same on a dark page: dark ground, light text; the last rendering, since colors change in place."""
        recolor(self.figure)
        for image in self.figure.findobj(_Image):
            image.rgb = flat_image(image.rgb) if image.is_flat else image.rgb
        return self.to_rgb()

    def to_svg(self, title: str, metadata: str = "") -> str:
        """The figure as one SVG file that refers to no other.

        Args:
            title: For `<title>`.
            metadata: Text for `<dc:description>` of the file's metadata.
        """
        buffer = io.BytesIO()
        about = {"Title": title, "Description": metadata, "Date": None, "Creator": None}
        self._save(buffer, "svg", about)
        svg = re.sub(r"'DejaVu Sans'(, '[^']+')*", r"\g<0>, Verdana, sans-serif", buffer.getvalue().decode())
        return re.sub(r'id="image-(\d+)"', self._described, svg)

    def to_pdf(self, title: str, metadata: str = "") -> bytes:
        """The figure as a PDF of one page, with its fonts embedded.

        Args:
            title: For the document's title.
            metadata: Text for its subject.
        """
        buffer = io.BytesIO()
        self._save(buffer, "pdf", {"Title": title, "Subject": metadata, "CreationDate": None})
        return buffer.getvalue()

    def _save(self, buffer: io.BytesIO, format: str, metadata: dict[str, str | None]) -> None:
        self._set_height()
        settings = {"svg.fonttype": "none", "svg.hashsalt": "transxnet-lens", "pdf.fonttype": 42}  # 42: TrueType
        with _SETTINGS_LOCK, rc_context(settings):
            self.figure.savefig(buffer, format=format, metadata=metadata)

    def _described(self, found: re.Match[str]) -> str:
        alt = quoteattr(self._alts[int(found[1])])
        return f'{found[0]} role="img" aria-label={alt}'

    def _set_height(self) -> None:
        if self._unprintable is not None and unprintable_count() > self._unprintable:
            self._unprintable = None  # once
            self.paragraph(NOTE)
        wide, high = round(self.width * self.dpi), round((self.y + self.margin) * self.dpi)
        height = high / self.dpi
        self.figure.set_size_inches(wide / self.dpi, height)
        self._from_top.clear().scale(1, -1).translate(0, height)
        for axes, (x, y, w, h) in self._axes:
            axes.set_position((x / self.width, 1 - (y + h) / height, w / self.width, h / height))


# ---- charts ----------------------------------------------------------------------------------------------------


def style_axes(axes: Axes, x_label: str = "", y_label: str = "") -> None:
    """Hairlines on two sides, small gray ticks and labels. Call it after the ticks are set."""
    for side, spine in axes.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=HAIRLINE, linewidth=0.8)
    axes.tick_params(length=3, width=0.8, color=HAIRLINE, labelcolor=GRAY, pad=2)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(font(SIZE, text=label.get_text()))
    axes.set_xlabel(x_label, fontproperties=font(SIZE, text=x_label), color=GRAY, labelpad=2)
    axes.set_ylabel(y_label, fontproperties=font(SIZE, text=y_label), color=GRAY, labelpad=3)


def axes_title(axes: Axes, title: str, room: float) -> None:
    """A bold title at the left, shortened to `room` inches."""
    title = shorten(printable(title), room * 72, SIZE, bold=True)
    properties = font(SIZE, True, title)
    axes.set_title(title, color=INK, fontproperties=properties, loc="left", parse_math=False, pad=5)


def axes_legend(axes: Axes, columns: int = 1, location: str = "upper right") -> None:
    """The names of the lines inside the axes, without a frame."""
    _finish_legend(axes.legend(loc=location, ncols=columns, frameon=False, prop=font(SIZE), labelcolor=INK))


def stage_axis(axes: Axes, stages: Sequence[int]) -> None:
    """Blocks at 1, 2, …, one a tick; hairlines between stages, whose numbers stand below their blocks."""
    starts = [i for i, stage in enumerate(stages) if not i or stage != stages[i - 1]]
    ends = [*starts[1:], len(stages)]
    for start in starts[1:]:
        axes.axvline(start + 0.5, color=HAIRLINE, linewidth=0.8, zorder=0)
    centers = [(start + end + 1) / 2 for start, end in zip(starts, ends, strict=True)]
    axes.set(xlim=(0.5, len(stages) + 0.5), xticks=centers)
    axes.set_xticklabels([str(stages[start]) for start in starts])


def _finish_legend(legend: object) -> None:
    for text in legend.get_texts():
        text.set_parse_math(False)
        text.set_fontproperties(font(SIZE, text=text.get_text()))


def _rgb(color: str) -> np.ndarray:
    return np.frombuffer(bytes.fromhex(color.lstrip("#")), np.uint8)


# ---- text widths -----------------------------------------------------------------------------------------------


def _text_width(text: str) -> float:
    return width(text, SIZE) / 72


def _breakable(title: str, points: float) -> str:
    """A name too long for its line, with a space where it may be broken: before "@", else after as much as fits."""
    title = printable(title)
    if width(title, SIZE, bold=True) <= points:
        return title
    first, *rest = title.replace("@", " @").split()
    if width(first, SIZE, bold=True) <= points:
        return " ".join([first, *rest])
    ends = [i for i, c in enumerate(first, 1) if c in ":_-." and width(first[:i], SIZE, bold=True) <= points]
    return " ".join([first[: ends[-1]], first[ends[-1] :], *rest]) if ends else title


def _column_widths(columns: Sequence[Sequence[str]], room: float) -> np.ndarray:
    """Inches of each column: its longest text if all fit, else its longest word and a share of what is left."""
    desired = np.asarray([_longest(column) for column in columns])
    least = np.asarray([_longest(" ".join(column).split()) for column in columns])
    if desired.sum() <= room:
        return desired
    if least.sum() >= room:
        return least * room / least.sum()
    return least + (desired - least) * (room - least.sum()) / (desired - least).sum()


def _longest(texts: Sequence[str]) -> float:
    return max((width(text, SIZE, bold=True) for text in texts), default=0.0) / 72 + 0.08
