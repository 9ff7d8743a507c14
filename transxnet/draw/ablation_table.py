"""Figures of ablations: what each part does for one image, and each attention head.

Bars are changes of the target class's logit, raw and on one scale for all panels. Below zero the logit falls without
the part, so the part supports the class; above zero the part opposes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..messages import Message
from ..results.ablation_table import AblationRow, AblationTable
from . import strings
from .canvas import SIZE, Canvas, line_height, stage_axis, style_axes
from .figure import StudyFigure, Table
from .text import ACCENT, GRAY, HAIRLINE, INK, ORANGE, font, percent, shorten, width

WIDTH, LEFT, RIGHT, BETWEEN = 7.5, 0.6, 0.15, 0.42  # inches: the figure, left and right of the charts, between them
LEGEND, CHART, TITLES, AXIS, GAP = 0.32, 0.9, 0.34, 0.3, 0.12  # inches: heights
NUMBER = 0.16  # inches: height of a number next to a bar
CHART_WIDTH = (WIDTH - LEFT - RIGHT - BETWEEN) / 2
SMALLEST = 0.005  # logits: what two decimals resolve, hundreds of times the rounding error
NEGATIVE, POSITIVE = ACCENT, ORANGE
OF_IDCONV = ("uniform_gates", "other_kernels", "no_idconv")  # questions about each pathway, and about both
OF_OSRA, OF_BOTH = ("uniform_attention", "one_head", "no_osra"), ("no_ste",)

# --- Parts --------------------------------------------------------------------------------------------------------


def ablation_table_figure(results: Sequence[AblationTable], names: Sequence[str]) -> StudyFigure:
    """The effect of each part for one image: a chart an ablation, and a table.

    Charts about IDConv are on the left and about OSRA on the right. In a chart, bars are blocks, dark lines are whole
    stages, and the last bar is the whole model. The table holds the probability of the target class afterwards, and
    the new prediction where it changes. `arrays` hold for each ablation: stage, block (0 is all), logit change,
    margin change, probability and divergence (nats) of every row, and its logits (rows, classes).

    Args:
        results: Of `ablation_table`, one a model, on the same image.
        names: The models.
    """
    pairs, canvas = list(zip(results, names, strict=True)), Canvas(WIDTH)
    _draw_legend(
        canvas, Line2D([], [], color=INK, lw=1.4, label="whole stage"), Line2D([], [], ls="", label="all: whole model")
    )
    low, high = logit_range([row.logit_change for result in results for row in result.rows])
    spare = (high - low) * NUMBER / (CHART - 2 * NUMBER)  # room for the number next to the longest bar
    for result, name in pairs:
        _draw_subtitle(canvas, result, name)
        for line in _missing_lines(result):
            canvas.y += canvas.wrapped(LEFT, canvas.y, line, WIDTH - LEFT - RIGHT)
        columns, top = _columns(result), canvas.y + GAP
        for i, questions in enumerate(columns):
            for j, question in enumerate(questions):
                x, y = LEFT + i * (CHART_WIDTH + BETWEEN), top + j * (TITLES + CHART + GAP)
                is_last = question == questions[-1]
                _draw_chart(canvas, result, question, (x, y), (low - spare, high + spare), is_last)
        canvas.y = top + len(columns[0]) * (TITLES + CHART + GAP) + AXIS
    others = sorted({result.reference_name for result in results if "other_kernels" in result.available})
    return StudyFigure(
        "ablation_table", strings.ABLATION_TABLE_TITLE,
        Message(
            strings.ABLATION_TABLE_CAPTION,
            kernels=Message(strings.ABLATION_TABLE_KERNELS, images=" and ".join(others)) if others else "",
        ),
        "Bars over the blocks, a chart an ablation. "
        + " ".join(f"{name}, {_prediction(r)}: {_largest(r)}" for r, name in pairs),
        strings.ABLATION_TABLE_LIMITS, canvas, _table(pairs), _numbers(pairs), _arrays(pairs),
    )  # fmt: skip


def _draw_legend(canvas: Canvas, *more: Line2D) -> None:
    square = {"marker": "s", "ls": "", "ms": 6}
    canvas.legend([
        Line2D([], [], color=NEGATIVE, **square, label="logit falls: the part supports the class"),
        Line2D([], [], color=POSITIVE, **square, label="logit rises: the part opposes it"), *more,
    ])  # fmt: skip
    canvas.y = LEGEND


def _draw_subtitle(canvas: Canvas, result: AblationTable, name: str) -> None:
    canvas.y += canvas.wrapped(LEFT, canvas.y, f"{name}: {_prediction(result)}", WIDTH - LEFT, SIZE + 1.5, INK, True)
    canvas.y += 0.06


def _prediction(result: AblationTable) -> str:
    target = result.target
    return f"{target.label}, {percent(target.probability, 1)}, logit {target.logit:.2f}"


def _columns(result: AblationTable) -> tuple[list[str], list[str]]:
    """Ablations that were run, left and right: by pathway, or evenly where a model lacks one."""
    left, right, both = ([q for q in group if q in result.available] for group in (OF_IDCONV, OF_OSRA, OF_BOTH))
    if left and right and len(left) == len(right):
        return left + both, right
    questions = [*left, *right, *both]
    return questions[0::2], questions[1::2]


def _missing_lines(result: AblationTable) -> list[str]:
    """Why some ablations have no chart, a sentence a reason."""
    reasons: dict[str, list[str]] = {}
    for question, reason in result.missing.items():
        reasons.setdefault(reason, []).append(result.ablations[question])
    return [f"Not run: {'; '.join(titles)}. {reason}" for reason, titles in reasons.items()]


def _draw_chart(
    canvas: Canvas, result: AblationTable, question: str, position: tuple[float, float], limits: tuple[float, float],
    is_last: bool,
) -> None:  # fmt: skip
    """Its title, the effect in the whole model, and the bars; the last chart of a column names the stages."""
    x, y = position
    canvas.text(x, y, shorten(result.ablations[question], CHART_WIDTH * 72, SIZE, bold=True), bold=True)
    rows = {(row.stage, row.block): row for row in result.rows if row.ablation == question}
    if (0, 0) in rows:
        text = f"all: logit {signed(rows[0, 0].logit_change)}, then {_outcome(rows[0, 0])}"
        canvas.text(x, y + line_height(), shorten(text, CHART_WIDTH * 72, SIZE), color=GRAY)
    _draw_blocks(_logit_axes(canvas, x, y + TITLES, CHART_WIDTH, limits), result.depths, rows, is_last)


def _logit_axes(canvas: Canvas, x: float, y: float, width: float, limits: tuple[float, float]) -> Axes:
    """Axes with a line at zero and three or four ticks of the logit."""
    axes = canvas.axes(x, y, width, CHART)
    axes.set_ylim(limits)
    axes.axhline(0, color=GRAY, linewidth=0.6, zorder=3)
    axes.yaxis.set_major_locator(MaxNLocator(3, min_n_ticks=2))
    axes.grid(axis="y", color=HAIRLINE, linewidth=0.5)
    axes.set_axisbelow(True)
    return axes


def _finish_axes(axes: Axes) -> None:
    style_axes(axes)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _draw_bars(axes: Axes, positions: Sequence[float], changes: Sequence[float]) -> None:
    axes.bar(positions, changes, width=0.78, color=[NEGATIVE if v < 0 else POSITIVE for v in changes], zorder=2)


def _draw_blocks(axes: Axes, depths: Sequence[int], rows: Mapping[tuple[int, int], AblationRow], named: bool) -> None:
    """Blocks from 1 on with their stages, and the whole model one and a half places after the last block."""
    blocks = [(stage, block) for stage, depth in enumerate(depths, 1) for block in range(1, depth + 1)]
    whole = len(blocks) + 1.5
    bars = [*((i, rows[block]) for i, block in enumerate(blocks, 1) if block in rows)]
    bars += [(whole, rows[0, 0])] if (0, 0) in rows else []
    _draw_bars(axes, [i for i, _ in bars], [row.logit_change for _, row in bars])
    stage_axis(axes, [stage for stage, _ in blocks])
    axes.axvline(len(blocks) + 0.5, color=HAIRLINE, linewidth=0.8)
    room = CHART_WIDTH * 72 / (whole + 0.5)  # points a block
    ends = np.cumsum((0, *depths)) + 0.5
    names = [f"stage {s}" if width(f"stage {s}", SIZE) < room * depth else str(s) for s, depth in enumerate(depths, 1)]
    for stage, start, end in zip(range(1, len(depths) + 1), ends[:-1], ends[1:], strict=True):
        if (stage, 0) in rows:
            change = rows[stage, 0].logit_change
            axes.hlines(change, start + 0.1, end - 0.1, color=INK, linewidth=1.4, zorder=4)
            if width(signed(change), SIZE) < room * (end - start):
                changes = [row.logit_change for (of, _), row in rows.items() if of == stage]
                _write_change(axes, (start + end) / 2, change, changes)
    if (0, 0) in rows:
        _write_change(axes, whole, rows[0, 0].logit_change, [rows[0, 0].logit_change])
    axes.set_xlim(0.5, whole + 0.5)
    axes.set_xticks([*(ends[:-1] + ends[1:]) / 2, whole], [*names, "all"] if named else [""] * (len(depths) + 1))
    _finish_axes(axes)


def _write_change(axes: Axes, x: float, change: float, bars: Sequence[float]) -> None:
    """A change as a number, above all of the bars, or below them where it is negative."""
    y, points, align = (max(*bars, 0), 2, "bottom") if change >= 0 else (min(*bars, 0), -2, "top")
    axes.annotate(
        signed(change), (x, y), xytext=(0, points), textcoords="offset points", ha="center", va=align, color=INK,
        fontproperties=font(SIZE), zorder=5, annotation_clip=False,
    )  # fmt: skip


def logit_range(changes: Sequence[float]) -> tuple[float, float]:
    """One range for all charts, with zero inside and some room, and never so narrow that rounding errors show."""
    low, high = min([-SMALLEST, *changes]), max([SMALLEST, *changes])
    room = 0.08 * (high - low)
    return low - room, high + room


def signed(change: float) -> str:
    """Two decimals and a sign; a change too small for them is 0.00."""
    return "0.00" if abs(change) < SMALLEST else f"{change:+.2f}".replace("-", "−")


def _outcome(row: AblationRow) -> str:
    """ "14.1%", and the new prediction where it changes."""
    return percent(row.probability_after, 1) + (f", predicts {row.new_top.label}" if row.new_top else "")


def _largest(result: AblationTable) -> str:
    """The ablation that changes the logit most when applied to the whole model."""
    rows = [row for row in result.rows if not row.stage]
    if not rows:
        return "nothing was changed in the whole model."
    row = max(rows, key=lambda row: abs(row.logit_change))
    title = result.ablations[row.ablation]
    return f"the largest change in the whole model is {signed(row.logit_change)} ({title}), then {_outcome(row)}."


def _table(pairs: Sequence[tuple[AblationTable, str]]) -> Table:
    stages = max(len(result.depths) for result, _ in pairs)
    rows: list[tuple[str, ...]] = []
    for result, name in pairs:
        prefix = f"{name}: " if len(pairs) > 1 else ""
        before = f"{percent(result.target.probability, 1)} {result.target.label}"
        rows.append((f"{prefix}Unchanged", before, *[""] * stages))
        for question, title in result.ablations.items():
            outcomes = {row.stage: _outcome(row) for row in result.rows if row.ablation == question and not row.block}
            cells = tuple(outcomes.get(stage, "not run") for stage in range(stages + 1))
            missing = ("not in this model", *[""] * stages)
            rows.append((prefix + title, *(missing if question in result.missing else cells)))
    return Table(("Ablation", "Whole model", *(f"Stage {s}" for s in range(1, stages + 1))), rows)


def _numbers(pairs: Sequence[tuple[AblationTable, str]]) -> dict[str, float]:
    keys = {"logit_change": "logit_change", "margin_change": "margin_change", "probability": "probability_after",
            "divergence": "divergence"}  # fmt: skip
    numbers: dict[str, float] = {}
    for result, name in pairs:
        numbers |= {f"{name}/{key}": getattr(result.target, key) for key in ("probability", "logit")}
        whole = (row for row in result.rows if not row.stage)
        numbers |= {f"{name}/{row.ablation}/{key}": getattr(row, of) for row in whole for key, of in keys.items()}
    return numbers


def _arrays(pairs: Sequence[tuple[AblationTable, str]]) -> dict[str, np.ndarray]:
    columns = ("stage", "block", "logit_change", "margin_change", "probability_after", "divergence", "logits")
    return {
        f"{name}/{question}/{column}": np.array([getattr(r, column) for r in result.rows if r.ablation == question])
        for result, name in pairs for question in result.available for column in columns
    }  # fmt: skip


# --- Heads --------------------------------------------------------------------------------------------------------


def ablation_heads_figure(results: Sequence[AblationTable], names: Sequence[str], stage: int) -> StudyFigure:
    """Every attention head of a stage turned off on its own: a chart a model on one scale, and a table.

    `numbers` hold the largest change, `arrays` block, head, logit change, probability and divergence (nats).

    Args:
        results: Of `ablation_table`, on the same image; a model without rows for this stage says why.
        names: The models.
        stage: From 1.
    """
    by_model = [(result, name, [row for row in result.heads if row.stage == stage])
                for result, name in zip(results, names, strict=True)]  # fmt: skip
    canvas = Canvas(WIDTH)
    _draw_legend(canvas, Line2D([], [], ls="", label="a bar: one head off"))
    limits = logit_range([row.logit_change for _, _, rows in by_model for row in rows])
    for result, name, rows in by_model:
        _draw_subtitle(canvas, result, name)
        if rows:
            _draw_heads(_logit_axes(canvas, LEFT, canvas.y, WIDTH - LEFT - RIGHT, limits), rows)
            canvas.y += CHART + 2 * line_height() + 0.28
        else:
            canvas.y += canvas.wrapped(LEFT, canvas.y, _no_heads(result, stage), WIDTH - LEFT - RIGHT) + GAP
    return StudyFigure(
        "ablation_heads", Message(strings.ABLATION_HEADS_TITLE, stage=stage),
        Message(strings.ABLATION_HEADS_CAPTION, stage=stage),
        f"One bar a head of stage {stage}. " + " ".join(
            f"{name}, {_prediction(result)}: {_strongest(rows)}" if rows else f"{name}: {_no_heads(result, stage)}"
            for result, name, rows in by_model
        ),
        strings.ABLATION_HEADS_LIMITS, canvas, _heads_table(by_model),
        {f"{name}/largest_change": max((row.logit_change for row in rows), key=abs)
         for _, name, rows in by_model if rows},
        {f"{name}/{column}": np.array([_head(r) if column == "head" else getattr(r, column) for r in rows])
         for _, name, rows in by_model
         for column in ("head", "block", "logit_change", "probability_after", "divergence")},
    )  # fmt: skip


def _draw_heads(axes: Axes, rows: Sequence[AblationRow]) -> None:
    """Heads in their order, with a free place between blocks."""
    positions = np.array([i + row.block - rows[0].block for i, row in enumerate(rows)], float)
    _draw_bars(axes, positions, [row.logit_change for row in rows])
    axes.set_xlim(-0.7, positions[-1] + 0.7)
    room = (WIDTH - LEFT - RIGHT) * 72 / (positions[-1] + 1.4)  # points a head
    step = 1 if width("00", SIZE) < room else max(_head(row) for row in rows)  # where narrow, only the first is named
    axes.set_xticks(positions, [str(_head(row)) if (_head(row) - 1) % step == 0 else "" for row in rows])
    _finish_axes(axes)
    axes.tick_params(axis="x", pad=7)
    _write_below(axes, -0.7, "head", -7, "right")
    for block in sorted({row.block for row in rows}):
        of_block = positions[[row.block == block for row in rows]]
        label = f"block {block}" if width(f"block {block}", SIZE) < room * (len(of_block) + 1) else str(block)
        _write_below(axes, of_block.mean(), label, -9 - SIZE * 1.35)
        if of_block[-1] != positions[-1]:
            axes.axvline(of_block[-1] + 1, color=HAIRLINE, linewidth=0.8)


def _write_below(axes: Axes, x: float, text: str, points: float, align: str = "center") -> None:
    axes.annotate(
        text, (x, 0), xycoords=("data", "axes fraction"), xytext=(0, points), textcoords="offset points",
        ha=align, va="top", color=GRAY, fontproperties=font(SIZE), annotation_clip=False,
    )  # fmt: skip


def _head(row: AblationRow) -> int:
    return row.heads[0][2]


def _no_heads(result: AblationTable, stage: int) -> str:
    return result.missing.get("one_head") or f"The heads of stage {stage} were not ablated."


def _strongest(rows: Sequence[AblationRow]) -> str:
    row = max(rows, key=lambda row: abs(row.logit_change))
    return f"the largest change is that of head {_head(row)} of block {row.block}, {signed(row.logit_change)}."


def _heads_table(by_model: Sequence[tuple[AblationTable, str, Sequence[AblationRow]]]) -> Table:
    heads = range(1, 1 + max((_head(row) for _, _, rows in by_model for row in rows), default=0))
    lines = []
    for _, name, rows in by_model:
        for block in sorted({row.block for row in rows}):
            changes = {_head(row): signed(row.logit_change) for row in rows if row.block == block}
            lines.append((f"{name}, block {block}", *(changes.get(head, "") for head in heads)))
    return Table(("AblationRow of the logit", *(f"Head {head}" for head in heads)), lines)
