"""What each part does for one image: bars over depth, one small panel a question, all on one scale.

Left the questions about IDConv, right those about OSRA; where a variant cannot be asked some, a line says why and the
others move up. Blocks stand in the model's order, stages between hairlines. A bar is the change of the explained
class's logit when the part is changed in that block alone, the dark line what it does in the whole stage, the bar at
the right end what it does everywhere; both have their number beside them. Raw logits, nothing scaled.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

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
    percent,
    signed,
)
from .figure import StudyFigure, Table
from .sheet import HAIRLINE
from .text import GRAY, INK, font, shorten, width, wrap

BETWEEN, WORDS, GAP, AXIS = 0.42, 0.34, 0.12, 0.25  # inches: between columns; heights of words, air, names of stages
NUMBER = 0.16  # inches: height of a number beside a bar
PANEL_WIDE = (WIDE - LEFT - RIGHT - BETWEEN) / 2
OF_IDCONV = ("uniform_gates", "other_kernels", "no_idconv")  # the questions about each half, and about both
OF_OSRA, OF_BOTH = ("uniform_attention", "one_head", "no_osra"), ("no_ste",)
LIMITS = (
    "The models were never trained with a part changed. A large change says that the part is used here, for this "
    "image, not that a model trained without it would be worse by as much: compare with the siblings that were "
    "trained without one, pico_static, pico_noosra and pico_noste. A small change may mean that another part "
    "does the same. Blocks do not add up to their stage, nor stages to everywhere. An untrained T, S or B hardly "
    "moves: its LayerScale starts at 1e-5, so that no part has a say yet."
)


def ablation_table_figure(results: Sequence[AblationTable], names: Sequence[str]) -> StudyFigure:
    """What each part does for this image: a panel a question, all variants on one scale, and a table.

    results: of ablation_table, one a variant, on the same image. names: what to call them. The table tells,
    everywhere and
    for each stage, the explained class's probability afterwards, and the best answer where it is another than before.
    numbers: before, and what everywhere did. arrays, by question: stage, block (0 is any), logit change, margin
    change, probability, divergence (nats) of every row, and its logits (rows, classes).
    """
    heights = [_height(result) for result in results]
    sheet = Sheet(LEGEND + sum(heights))
    sheet.legend("━ a whole stage", "all: everywhere")
    scale = _with_room(limits([row.logit_change for result in results for row in result.rows]))
    for i, (result, name) in enumerate(zip(results, names, strict=True)):
        top = LEGEND + sum(heights[:i])
        sheet.text(LEFT, top, f"{name}: {explained(result)}", size=SIZE + 1.5, bold=True)
        _variant(sheet, result, top + BAND, scale)
    return StudyFigure(
        "ablation_table", "What does each part do for this image?", _caption(results), _alt(results, names), LIMITS,
        figure_rgb(sheet.figure), _table(results, names), _numbers(results, names), _arrays(results, names),
    )  # fmt: skip


# --- One variant ----------------------------------------------------------------------------------------------------


def _columns(result: AblationTable) -> tuple[list[str], list[str]]:
    """The questions that were answered, left and right: by their half, or evenly where one half is missing."""
    left, right, both = ([one for one in some if one in result.answered] for some in (OF_IDCONV, OF_OSRA, OF_BOTH))
    if left and right and len(left) == len(right):
        return left + both, right
    every = [*left, *right, *both]
    return every[0::2], every[1::2]


def _not_asked(result: AblationTable) -> list[str]:
    """Why some questions have no panel, a sentence a reason."""
    reasons: dict[str, list[str]] = {}
    for question, why in result.missing.items():
        reasons.setdefault(why, []).append(result.questions[question])
    return [line for why, asked in reasons.items() for line in _lines(f"Not asked: {'; '.join(asked)}. {why}")]


def _lines(words: str) -> list[str]:
    return wrap(words, (WIDE - LEFT - RIGHT) * 72, SIZE)


def _height(result: AblationTable) -> float:
    said = len(_not_asked(result)) * LINE
    panels = len(_columns(result)[0])
    return BAND + said + (GAP if said else 0) + panels * (WORDS + PANEL + GAP) + AXIS


def _variant(sheet: Sheet, result: AblationTable, top: float, scale: tuple[float, float]) -> None:
    """Why some questions were not asked, then a panel for each of the others, in two columns."""
    for line in (said := _not_asked(result)):
        sheet.text(LEFT, top, line, GRAY)
        top += LINE
    top += GAP if said else 0
    for side, questions in enumerate(_columns(result)):
        for i, question in enumerate(questions):
            at = LEFT + side * (PANEL_WIDE + BETWEEN), top + i * (WORDS + PANEL + GAP)
            _panel(sheet, result, question, at, scale, question == questions[-1])


def _panel(
    sheet: Sheet, result: AblationTable, question: str, at: tuple[float, float], scale: tuple[float, float], last: bool
) -> None:
    """Its question, what everywhere did, and the bars. last: of its column, names the stages."""
    x, y = at
    sheet.text(x, y, shorten(result.questions[question], PANEL_WIDE * 72, SIZE, bold=True), INK, bold=True)
    rows = {(row.stage, row.block): row for row in result.rows if row.question == question}
    if (0, 0) in rows:
        words = f"all: logit {signed(rows[0, 0].logit_change)}, then {_outcome(rows[0, 0])}"
        sheet.text(x, y + LINE, shorten(words, PANEL_WIDE * 72, SIZE), GRAY)
    _bars(sheet.panel(x, y + WORDS, PANEL_WIDE, scale), result.depths, rows, last)


def _bars(axes: Axes, depths: Sequence[int], rows: dict[tuple[int, int], Change], named: bool) -> None:
    """Blocks from 0 on, stage lines over them, everywhere one and a half places after the last block."""
    blocks = [(stage, block) for stage, depth in enumerate(depths, 1) for block in range(1, depth + 1)]
    ends = np.cumsum((0, *depths)) - 0.5  # where stages begin and end
    last = len(blocks) + 0.5
    places = [*((i, rows[place]) for i, place in enumerate(blocks) if place in rows)]
    places += [(last, rows[0, 0])] if (0, 0) in rows else []
    bars(axes, [i for i, _ in places], [row.logit_change for _, row in places])
    room = PANEL_WIDE * 72 / (last + 1)  # points a block
    for stage, (start, end) in enumerate(pairwise(ends), 1):
        axes.axvline(end, color=HAIRLINE, linewidth=0.8)
        if (stage, 0) in rows:
            change = rows[stage, 0].logit_change
            axes.hlines(change, start + 0.1, end - 0.1, color=INK, linewidth=1.4, zorder=4)
            if width(signed(change), SIZE) < room * (end - start):
                own = [row.logit_change for (of, _), row in rows.items() if of == stage]
                _value(axes, (start + end) / 2, change, own)
    if (0, 0) in rows:
        _value(axes, last, rows[0, 0].logit_change, [rows[0, 0].logit_change])
    axes.set_xlim(-0.5, last + 0.5)
    names = [f"stage {s}" if width(f"stage {s}", SIZE) < room * depth else str(s) for s, depth in enumerate(depths, 1)]
    axes.set_xticks([*(ends[:-1] + ends[1:]) / 2, last], [*names, "all"] if named else [""] * (len(depths) + 1))
    fonts(axes)


def _value(axes: Axes, x: float, change: float, beside: Sequence[float]) -> None:
    """A change in figures, clear of the bars that stand there: above them all, or below where it is negative."""
    end, points, align = (max(*beside, 0), 2, "bottom") if change >= 0 else (min(*beside, 0), -2, "top")
    axes.annotate(
        signed(change), (x, end), xytext=(0, points), textcoords="offset points", ha="center", va=align, color=INK,
        fontproperties=font(SIZE), zorder=5, annotation_clip=False,
    )  # fmt: skip


def _with_room(scale: tuple[float, float]) -> tuple[float, float]:
    """A range widened at both ends by what a number beside the longest bar takes."""
    spare = (scale[1] - scale[0]) * NUMBER / (PANEL - 2 * NUMBER)
    return scale[0] - spare, scale[1] + spare


# --- Words and numbers ----------------------------------------------------------------------------------------------


def _outcome(row: Change) -> str:
    """ "14.1 %", and the new best answer where there is one."""
    return percent(row.probability_after) + (f", answers {row.new_top.label}" if row.new_top else "")


def _caption(results: Sequence[AblationTable]) -> str:
    lent = sorted({result.other for result in results if "other_kernels" in result.answered})
    return (
        "Change of the explained class’s logit when a part is changed while the model looks: in one block (bars), in a "
        "whole stage (dark lines and their numbers), everywhere (last bar). All panels on one scale, raw logits. One "
        "head off takes in each block the head that alone moves the logit most there; where a stage has one "
        "head, that is OSRA’s half." + (f" The lent kernels are those made for {' and '.join(lent)}." if lent else "")
    )


def _alt(results: Sequence[AblationTable], names: Sequence[str]) -> str:
    return "Bars over the blocks, a panel a question. " + " ".join(
        f"{name}, {explained(result)}: {_largest(result)}" for name, result in zip(names, results, strict=True)
    )


def _largest(result: AblationTable) -> str:
    """What moves the logit most when done everywhere."""
    rows = [row for row in result.rows if not row.stage]
    if not rows:
        return "nothing was changed everywhere."
    row = max(rows, key=lambda row: abs(row.logit_change))
    words = result.questions[row.question]
    return f"the largest change everywhere is {signed(row.logit_change)} ({words}), then {_outcome(row)}."


def _table(results: Sequence[AblationTable], names: Sequence[str]) -> Table:
    stages = max(len(result.depths) for result in results)
    rows: list[tuple[str, ...]] = []
    for result, name in zip(results, names, strict=True):
        whose = f"{name}: " if len(results) > 1 else ""
        before = f"{percent(result.explained.probability)} {result.explained.label}"
        rows.append((f"{whose}Untouched", before, *[""] * stages))
        for question, words in result.questions.items():
            if question in result.missing:
                cells = ("has no such part", *[""] * stages)
            else:
                found = {row.stage: _outcome(row) for row in result.rows if row.question == question and not row.block}
                cells = tuple(found.get(stage, "not asked") for stage in range(stages + 1))
            rows.append((whose + words, *cells))
    return Table(("What is changed", "Everywhere", *(f"Stage {s}" for s in range(1, stages + 1))), rows)


def _numbers(results: Sequence[AblationTable], names: Sequence[str]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for result, name in zip(results, names, strict=True):
        before = {"probability": result.explained.probability, "logit": result.explained.logit}
        numbers |= {f"{name}/{key}": value for key, value in before.items()}
        for row in result.rows:
            if not row.stage:
                numbers[f"{name}/{row.question}/logit_change"] = row.logit_change
                numbers[f"{name}/{row.question}/margin_change"] = row.margin_change
                numbers[f"{name}/{row.question}/probability"] = row.probability_after
                numbers[f"{name}/{row.question}/divergence"] = row.divergence
    return numbers


def _arrays(results: Sequence[AblationTable], names: Sequence[str]) -> dict[str, np.ndarray]:
    columns = ("stage", "block", "logit_change", "margin_change", "probability_after", "divergence", "logits")
    return {
        f"{name}/{question}/{column}": np.array([getattr(r, column) for r in result.rows if r.question == question])
        for result, name in zip(results, names, strict=True)
        for question in result.answered
        for column in columns
    }
