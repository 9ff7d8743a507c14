"""Attention heads off one at a time: one bar a head, blocks between hairlines, all variants on one scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from ..results.ablation_table import AblationTable, Change
from .bars import figure_rgb
from .change_bars import (
    BAND,
    LEFT,
    LEGEND,
    LINE,
    PANEL,
    RIGHT,
    SIZE,
    WIDE,
    Sheet,
    bars,
    explained,
    fonts,
    limits,
    signed,
)
from .figure import StudyFigure, Table
from .sheet import HAIRLINE
from .text import GRAY, font, width

AXIS = 2 * LINE + 0.28  # inches: numbers of heads, names of blocks, and air
LIMITS = (
    "The models were never trained with a head off. A large change says that the head is used here, for this image; "
    "a small one may mean that others do the same. Changes of single heads do not add up to those of their block. "
    "Where a stage has one head, taking it off takes away all of OSRA’s half."
)


def heads_off_figure(results: Sequence[AblationTable], names: Sequence[str], stage: int) -> StudyFigure:
    """Every attention head of a stage off alone: one panel a variant on one scale, and a table of blocks x heads.

    results: of ablation_table or heads_off, on the same image. stage: from 1. The table holds changes of the explained
    class's logit. numbers: the largest of them. arrays: block, head, logit_change, probability_after and divergence
    (nats) of each. A variant whose heads of that stage were not asked, or that has none, keeps its place and says why.
    """
    found = [[row for row in result.heads if row.stage == stage] for result in results]
    heights = [BAND + (PANEL + AXIS if rows else 2 * LINE) for rows in found]
    sheet = Sheet(LEGEND + sum(heights))
    sheet.legend("a bar: one head off, alone")
    scale = limits([row.logit_change for rows in found for row in rows])
    for i, (result, name, rows) in enumerate(zip(results, names, found, strict=True)):
        top = LEGEND + sum(heights[:i])
        sheet.text(LEFT, top, f"{name}: {explained(result)}", size=SIZE + 1.5, bold=True)
        if rows:
            _bars(sheet.panel(LEFT, top + BAND, WIDE - LEFT - RIGHT, scale), rows)
        else:
            sheet.lines(LEFT, top + BAND, _why(result, stage), WIDE - LEFT - RIGHT, most=3)
    return StudyFigure(
        "ablation_heads", f"What does each attention head of stage {stage} do for this image?",
        f"Change of the explained class’s logit with one head of stage {stage} off, alone, in one block. All panels on "
        "one scale, raw logits; heads and blocks count from 1.",
        _alt(results, names, found, stage), LIMITS, figure_rgb(sheet.figure), _table(found, names),
        {f"{name}/largest_change": max((row.logit_change for row in rows), key=abs)
         for name, rows in zip(names, found, strict=True) if rows},
        _arrays(found, names),
    )  # fmt: skip


def _bars(axes: Axes, rows: Sequence[Change]) -> None:
    """Heads in their order; a place is left free between blocks, where the hairline stands."""
    at = np.array([i + row.block - rows[0].block for i, row in enumerate(rows)], float)
    bars(axes, at, [row.logit_change for row in rows])
    axes.set_xlim(-0.7, at[-1] + 0.7)
    place = (WIDE - LEFT - RIGHT) * 72 / (at[-1] + 1.4)  # points a head
    every = 1 if width("00", SIZE) < place else max(_head(row) for row in rows)  # too narrow: only the first is told
    axes.set_xticks(at, [str(_head(row)) if (_head(row) - 1) % every == 0 else "" for row in rows])
    axes.tick_params(axis="x", pad=7)
    fonts(axes)
    _under(axes, -0.7, "head", -7, "right")
    for block in sorted({row.block for row in rows}):
        mine = at[[row.block == block for row in rows]]
        words = f"block {block}" if width(f"block {block}", SIZE) < place * (len(mine) + 1) else str(block)
        _under(axes, mine.mean(), words, -9 - SIZE * 1.35)
        if mine[-1] != at[-1]:
            axes.axvline(mine[-1] + 1, color=HAIRLINE, linewidth=0.8)


def _under(axes: Axes, x: float, words: str, points: float, align: str = "center") -> None:
    """Words so many points below the panel."""
    axes.annotate(
        words, (x, 0), xycoords=("data", "axes fraction"), xytext=(0, points), textcoords="offset points",
        ha=align, va="top", color=GRAY, fontproperties=font(SIZE), annotation_clip=False,
    )  # fmt: skip


def _head(row: Change) -> int:
    return row.heads[0][2]


def _why(result: AblationTable, stage: int) -> str:
    return result.missing.get("one_head") or f"The heads of stage {stage} were not asked."


def _alt(results: Sequence[AblationTable], names: Sequence[str], found: Sequence[Sequence[Change]], stage: int) -> str:
    words = [f"One bar a head of stage {stage}."]
    for result, name, rows in zip(results, names, found, strict=True):
        if rows:
            row = max(rows, key=lambda row: abs(row.logit_change))
            most = f"most by head {_head(row)} of block {row.block}, {signed(row.logit_change)}"
            words.append(f"{name}, {explained(result)}: the logit is moved {most}.")
        else:
            words.append(f"{name}: {_why(result, stage)}")
    return " ".join(words)


def _table(found: Sequence[Sequence[Change]], names: Sequence[str]) -> Table:
    most = max((_head(row) for rows in found for row in rows), default=0)
    lines = []
    for rows, name in zip(found, names, strict=True):
        for block in sorted({row.block for row in rows}):
            changes = {_head(row): signed(row.logit_change) for row in rows if row.block == block}
            cells = (changes.get(head, "") for head in range(1, most + 1))
            lines.append((f"{name}, block {block}", *cells))
    return Table(("Change of the logit", *(f"Head {head}" for head in range(1, most + 1))), lines)


def _arrays(found: Sequence[Sequence[Change]], names: Sequence[str]) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for rows, name in zip(found, names, strict=True):
        arrays[f"{name}/head"] = np.array([_head(row) for row in rows])
        for column in ("block", "logit_change", "probability_after", "divergence"):
            arrays[f"{name}/{column}"] = np.array([getattr(row, column) for row in rows])
    return arrays
