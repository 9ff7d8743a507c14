"""One composer for pages of maps: columns and rows with headings and color bars, tables, figures and notes.

The overview sheet has a row a model and a column a method; a downloaded figure has a column a model and a row a
method. Both are a `Composition`, and the color bar belongs to whichever heading has a `ColorScale`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .canvas import GAP, SIZE, Canvas, Panel
from .figure import StudyFigure, Table
from .scale import PLAIN, Tone
from .text import GRAY, INK, WARNING, printable

CELL_WIDTH, PAGE_MARGIN = 4.2, 0.3  # inches
TITLE_SIZE, HEADING_SIZE = 14, 10  # points
RANDOM_WEIGHTS = "Random weights: this model was never trained."


@dataclass(frozen=True)
class ColorScale:
    """What a color bar shows; the fields are those of `Canvas.color_bar`."""

    value_range: tuple[float, float]
    units: str = ""
    colormap: str = "magma"
    signed: bool = False
    root: bool = False
    tone: Tone = PLAIN


@dataclass(frozen=True)
class Heading:
    """The head of a row or of a column.

    Attributes:
        title: A model or a method.
        lines: Paragraphs below it.
        untrained: Whether a warning in red says that the weights are random.
        scale: Drawn as a color bar.
    """

    title: str
    lines: Sequence[str] = ()
    untrained: bool = False
    scale: ColorScale | None = None


@dataclass(frozen=True)
class Cell:
    """One image of a page.

    Attributes:
        draw: Width in pixels -> uint8 (H, width, 3), RGB; an image that is narrower is enlarged by a whole number.
        caption: The text below it.
        title: The text above it, where it differs from the column's.
    """

    draw: Callable[[int], np.ndarray]
    caption: str
    title: str = ""


@dataclass(frozen=True)
class Composition:
    """Everything on one page.

    Attributes:
        title, subtitle: Its head.
        columns: One heading a column.
        rows: A heading and its cells each; a string says why there is no map, None leaves the cell empty.
        tables: With a title each.
        figures: Finished images with their text.
        notes: Paragraphs at the foot: limitations, provenance.
    """

    title: str
    subtitle: str = ""
    columns: Sequence[Heading] = ()
    rows: Sequence[tuple[Heading, Sequence[Cell | str | None]]] = ()
    tables: Sequence[tuple[str, Table]] = ()
    figures: Sequence[StudyFigure] = ()
    notes: Sequence[str] = ()


def compose(page: Composition, side: int, cell_width: float = CELL_WIDTH) -> Canvas:
    """Lay out a page.

    Args:
        page: Its content.
        side: Pixels across each map; with `cell_width` it sets the resolution.
        cell_width: Inches across each map.

    Returns:
        A canvas, to be rendered as pixels or as SVG.
    """
    columns = max([len(page.columns), *(len(cells) for _, cells in page.rows), 2 if page.figures else 1])
    canvas = Canvas(2 * PAGE_MARGIN + columns * cell_width + (columns - 1) * GAP, side / cell_width, PAGE_MARGIN)
    canvas.paragraph(page.title, TITLE_SIZE, INK, bold=True)
    canvas.paragraph(page.subtitle, HEADING_SIZE, gap=0.1)
    _draw_headings(canvas, page.columns, cell_width, cell_width)
    for heading, cells in page.rows:
        _start_section(canvas)
        _draw_headings(canvas, [heading], cell_width, canvas.room)
        canvas.panels([_panel(cell, heading.title, side) for cell in cells], columns)
    for title, table in page.tables:
        _start_section(canvas)
        canvas.table(title, table)
    for figure in page.figures:
        _start_section(canvas)
        _draw_figure(canvas, figure)
    if page.notes:
        _start_section(canvas)
    for note in page.notes:
        canvas.paragraph(note)
    return canvas


def _start_section(canvas: Canvas) -> None:
    canvas.rule()
    canvas.y += 0.1


def _draw_headings(canvas: Canvas, headings: Sequence[Heading], cell_width: float, room: float) -> None:
    """Headings side by side, with their color bars on one line below all of them."""
    lefts = [canvas.margin + i * (cell_width + GAP) for i in range(len(headings))]
    bottom = canvas.y
    for x, heading in zip(lefts, headings, strict=True):
        y = canvas.y + canvas.wrapped(x, canvas.y, printable(heading.title), room, HEADING_SIZE, INK, bold=True)
        if heading.untrained:
            y += canvas.wrapped(x, y, RANDOM_WEIGHTS, room, SIZE, WARNING, bold=True)
        for line in heading.lines:
            y += canvas.wrapped(x, y, line, room, SIZE, GRAY)
        bottom = max(bottom, y)
    canvas.y = bottom + 0.06
    bars = [
        canvas.color_bar(**vars(heading.scale), x=x, width=cell_width)
        for x, heading in zip(lefts, headings, strict=True) if heading.scale is not None
    ]  # fmt: skip
    canvas.y += max(bars, default=0.0)


def _panel(cell: Cell | str | None, title: str, side: int) -> Panel:
    if not isinstance(cell, Cell):
        return Panel("", None, [cell or ""])
    rgb = cell.draw(side)
    times = max(1, side // rgb.shape[1])
    return Panel(cell.title, rgb.repeat(times, 0).repeat(times, 1), [cell.caption], f"{title}. {cell.caption}")


def _draw_figure(canvas: Canvas, figure: StudyFigure) -> None:
    """A finished image as wide as the page, with its text and its table."""
    canvas.paragraph(figure.title, HEADING_SIZE, INK, bold=True)
    canvas.paragraph(figure.caption, gap=0.06)
    if figure.image is not None:
        canvas.y += canvas.image(canvas.margin, canvas.y, figure.image, figure.alt, canvas.room) + 0.06
    canvas.paragraph(figure.limits, gap=0.1)
    if figure.table is not None:
        canvas.table("Numbers", figure.table)
