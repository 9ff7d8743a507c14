"""Rows of maps, tables and figures -> one figure for a paper: columns of variants, captions, bars, provenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..draw.bars import colorbar
from ..draw.figure import StudyFigure, Table
from ..draw.scale import NORMALIZED
from ..draw.sheet import HAIRLINE, OWN
from ..draw.text import GRAY, INK, WARNING, number, printable, width
from .canvas import LINE, POINTS, Canvas
from .images import Style
from .rows import Cell, Row, Shot

CELL, GAP, MARGIN = 4.2, 0.18, 0.3  # inches
TITLE, HEADING, SMALL = 15, 10.5, 8
BAR_STEPS = 512  # colors of a bar
MOST_COLUMNS = 6  # of a table that is not turned
PAD = 6 / POINTS  # between a table's columns


@dataclass(frozen=True)
class Figure:
    """Everything on it. tables: with a title each. figures: finished images with their words. foot: where it is from.

    notes: what the maps do not say.
    """

    title: str
    subtitle: str
    shots: Sequence[Shot]
    rows: Sequence[Row] = ()
    tables: Sequence[tuple[str, Table]] = ()
    figures: Sequence[StudyFigure] = ()
    notes: Sequence[str] = ()
    foot: str = ""


def laid_out(figure: Figure, style: Style, side: int) -> Canvas:
    """side: pixels across each map."""
    columns = max([len(figure.shots), *(len(row.cells) for row in figure.rows), 2 if figure.figures else 1])
    page = Canvas(2 * MARGIN + columns * CELL + (columns - 1) * GAP, side / CELL, MARGIN)
    room = page.wide - 2 * MARGIN
    page.down += page.block(MARGIN, page.down, figure.title, room, TITLE, INK, bold=True)
    page.down += page.block(MARGIN, page.down + 0.03, figure.subtitle, room, HEADING, GRAY) + 0.15
    page.down += _heads(page, figure.shots)
    for row in figure.rows:
        page.down += _row(page, row, style, side, room)
    for title, table in figure.tables:
        page.down += _table(page, title, table, room)
    for study_figure in figure.figures:
        page.down += _plate(page, study_figure, room)
    page.rule(MARGIN, page.down, room, HAIRLINE)
    page.down += 0.1
    for words in (*figure.notes, figure.foot):
        page.down += page.block(MARGIN, page.down, words, room, SMALL, GRAY) + 0.04
    page.high = page.down + MARGIN - 0.04
    return page


def _left(i: int) -> float:
    return MARGIN + i * (CELL + GAP)


def _heads(page: Canvas, shots: Sequence[Shot]) -> float:
    """A variant a column: what it answers, whose weights. Returns the height."""
    tallest = 0.0
    for i, shot in enumerate(shots):
        study, y, best = shot.study, page.down, shot.study.predictions.top[0]
        y += page.block(_left(i), y, shot.title, CELL, HEADING + 1, INK, bold=True)
        if study.untrained:
            y += page.block(_left(i), y, "Random weights: this model was never trained.", CELL, SMALL, WARNING, True)
        share = 100 * float(study.predictions.probabilities[study.target.index])
        words = f"Answers {best.label}, {100 * best.probability:.1f} %."
        if study.target.index != best.index:
            words += f" Explained: {study.target.label}, {share:.1f} %."
        weights = f"Weights: {study.provenance.short()}. {study.provenance.note}".strip()
        for line in (words, *study.notes, weights):
            y += page.block(_left(i), y, line, CELL, SMALL, GRAY)
        tallest = max(tallest, y - page.down)
    return tallest + 0.14


def _row(page: Canvas, row: Row, style: Style, side: int, room: float) -> float:
    """Title, caption, bar, cells. Returns the height."""
    page.rule(MARGIN, page.down, room, HAIRLINE)
    y = page.down + 0.1
    y += page.block(MARGIN, y, row.title, room, HEADING, INK, bold=True)
    y += page.block(MARGIN, y, f"{row.caption} {style.tone.words}".strip(), room, SMALL, GRAY) + 0.06
    if row.value_range is not None:
        y += _bar(page, y, row, style)
    tallest = 0.0
    for i, cell in enumerate(row.cells):
        tallest = max(tallest, _cell(page, _left(i), y, cell, row, side))
    return y + tallest + 0.16 - page.down


def _cell(page: Canvas, x: float, y: float, cell: Cell | str, row: Row, side: int) -> float:
    top = y
    if isinstance(cell, str):
        return page.block(x, y, cell, CELL, SMALL, GRAY)
    if cell.title:
        y += page.block(x, y, cell.title, CELL, HEADING - 1, INK, bold=True) + 0.03
    y += page.image(x, y, cell.paint(side), f"{row.title}. {cell.caption}") + 0.05
    return y + page.block(x, y, cell.caption, CELL, SMALL, INK) - top


def _bar(page: Canvas, y: float, row: Row, style: Style) -> float:
    """One column wide, its ends and its unit below it. Returns the height."""
    low, high = row.value_range
    strip = colorbar(row.value_range, row.colormap, row.signed, (1, BAR_STEPS), row.root, style.tone)[0]
    page.bar(MARGIN, y, strip, CELL, 0.09)
    ends = OWN if style.tone.mode == NORMALIZED else (number(low), number(high))
    page.text(MARGIN, y + 0.12, ends[0], SMALL, GRAY)
    page.text(MARGIN + CELL, y + 0.12, ends[1], SMALL, GRAY, align="right")
    page.text(MARGIN + CELL / 2, y + 0.12, row.units, SMALL, GRAY, align="center")
    return 0.12 + SMALL * LINE / POINTS + 0.08


def _table(page: Canvas, title: str, table: Table, room: float) -> float:
    """Every line as it is where it fits; else no word is cut where all have room. Returns the height."""
    page.rule(MARGIN, page.down, room, HAIRLINE)
    y = page.down + 0.1
    y += page.block(MARGIN, y, title, room, HEADING, INK, bold=True) + 0.04
    lines = [table.head, *table.rows]
    if len(table.head) > MOST_COLUMNS and len(lines) < len(table.head):  # one line of many numbers reads better down
        lines = list(zip(*lines, strict=True))
    shares = _shared([[printable(text) for text in column] for column in zip(*lines, strict=True)], room)
    lefts = MARGIN + np.concatenate([[0.0], np.cumsum(shares)[:-1]])
    for place, line in enumerate(lines):
        high = [
            page.block(float(x), y, text, float(wide) - PAD, SMALL, INK if place else GRAY, bold=not place)
            for x, wide, text in zip(lefts, shares, line, strict=True)
        ]
        y += max(high) + 0.05
        page.rule(MARGIN, y - 0.03, room, HAIRLINE)
    return y + 0.12 - page.down


def _shared(columns: Sequence[Sequence[str]], room: float) -> np.ndarray:
    """How wide each column is: as it wants to be if all can, else its longest word and a share of what is left."""
    wanted = np.asarray([_widest(column) for column in columns])
    least = np.asarray([_widest(" ".join(column).split()) for column in columns])
    if wanted.sum() <= room:
        return wanted
    if least.sum() >= room:
        return least * room / least.sum()
    return least + (wanted - least) * (room - least.sum()) / (wanted - least).sum()


def _widest(texts: Sequence[str]) -> float:
    return max((width(text, SMALL, bold=True) for text in texts), default=0.0) / POINTS + PAD


def _plate(page: Canvas, study_figure: StudyFigure, room: float) -> float:
    """A finished image, as wide as the page at most. Returns the height."""
    page.rule(MARGIN, page.down, room, HAIRLINE)
    y = page.down + 0.1
    y += page.block(MARGIN, y, study_figure.title, room, HEADING, INK, bold=True)
    y += page.block(MARGIN, y, study_figure.caption, room, SMALL, GRAY) + 0.06
    if study_figure.image is not None:
        y += page.image(MARGIN, y, study_figure.image, study_figure.alt, room) + 0.06
    y += page.block(MARGIN, y, study_figure.limits, room, SMALL, GRAY) + 0.1
    if study_figure.table is not None:
        page.down, before = y, page.down
        y += _table(page, "Numbers", study_figure.table, room)
        page.down = before
    return y + 0.06 - page.down
