"""Figures of the sanity checks: insertion and deletion, randomization, agreement, and a table of the outcomes.

Every function takes the reports of one or several models on one image and puts them into one figure. What the checks
are, and their sources, is documented in explain/sanity; here their numbers are only drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ..messages import Message
from ..results.sanity_checks import Faithfulness, Randomization, SanityChecks
from ..results.verdict_rates import GRAD_CAM, UNRELATED, VerdictRate, read_verdict_rates
from . import strings
from .canvas import SIZE, Canvas, axes_title, style_axes
from .figure import StudyFigure, Table, joined
from .scale import colorize, shared_range
from .styles import MAP_STYLES
from .text import ACCENT, GRAY, SERIES, font, printable, width, wrap

WIDTH = 7.5  # inches: 1200 px
COLUMNS, CHART_PITCH = 3, 1.95  # charts of curves in a row, inches from one row to the next
CASCADE_HEIGHT = 2.25  # inches of one model's chart
STRIPS, STRIP_WIDTH, STRIP_HEIGHT, TILE, TILE_PITCH = 2, 3.72, 0.84, 0.44, 0.51  # maps along the cascade, inches
PAIRS, PAIR_WIDTH, PAIR_HEIGHT, PAIR_TILE = 3, 2.45, 1.0, 0.6  # maps with a single random copy
ROW_HEIGHT, LABELS = 0.3, 2.0  # inches: a row of a matrix, its names
INSERTION = "#b26a00"
BASELINE = {"gray": "gray", "blur": "blurred"}
CURVES = ("shares", "deletion", "insertion", "chance", "chance_insertion")
AREAS = (
    "deletion_auc", "chance_auc", "chance_margin", "insertion_auc", "chance_insertion_auc", "chance_insertion_margin"
)  # fmt: skip
HEAD = (
    "Map", "Model", "Prediction", "Correlation", "Deletion", "Deletion, shifted", "Insertion", "Insertion, shifted",
    "p", "Remarks",
)  # fmt: skip
UNIFORM = "uniform"


def map_title(method: str, name: str = "", names: Sequence[str] = ()) -> str:
    """A map's title, after its model's name where there are several."""
    title = MAP_STYLES[method].title if method in MAP_STYLES else method.replace("_", " ").capitalize()
    return f"{printable(name)} · {title}" if len(names) > 1 else title


def _correlation(value: float) -> str:
    return UNIFORM if value != value else f"{round(value, 2) + 0.0:.2f}"  # no "-0.00"


def _remaining(randomization: Randomization) -> str:
    return UNIFORM if randomization.is_uniform else f"{randomization.mean_correlation:.2f}"


# --- Insertion and deletion -------------------------------------------------------------------------------------------


def faithfulness_figure(reports: Sequence[SanityChecks], names: Sequence[str]) -> StudyFigure:
    """Insertion and deletion of every map: a chart a map, all of one model on one scale.

    Args:
        reports: Of `sanity_checks`, one a model.
        names: The models.
    """
    cells = [
        (name, method, faithfulness)
        for name, report in zip(names, reports, strict=True) for method, faithfulness in report.faithfulness.items()
    ]  # fmt: skip
    tops = {name: highest_probability(report) for name, report in zip(names, reports, strict=True)}
    canvas = Canvas(WIDTH)
    canvas.legend([
        Line2D([], [], color=color, ls=style, lw=1.3, label=label)
        for label, color, style in (("deletion", ACCENT, "-"), ("insertion", INSERTION, "-"), ("chance", GRAY, "--"))
    ])  # fmt: skip
    top = canvas.y + 0.2
    for i, (name, method, faithfulness) in enumerate(cells):
        x, y = 0.42 + 2.4 * (i % COLUMNS), top + CHART_PITCH * (i // COLUMNS)
        is_last = i + COLUMNS >= len(cells)
        _draw_curves(canvas, x, y, map_title(method, name, names), faithfulness, tops[name], is_last)
    canvas.y = top + CHART_PITCH * -(-len(cells) // COLUMNS)
    first = cells[0][2]
    return StudyFigure(
        "faithfulness", strings.FAITHFULNESS_TITLE,
        Message(strings.FAITHFULNESS_CAPTION, baseline=BASELINE[first.baseline], copies=len(first.chance)),
        "Curves of a probability over the share of pixels changed, one for each map: " + "; ".join(
            f"{map_title(m, n, names)} deletion {f.deletion_auc:.3f}, insertion {f.insertion_auc:.3f}"
            for n, m, f in cells
        ) + ".",
        strings.FAITHFULNESS_LIMITS, canvas, None,
        *({f"{name}/{method}/{key}": getattr(f, key) for name, method, f in cells for key in keys}
          for keys in (AREAS, CURVES)),
    )  # fmt: skip


def highest_probability(report: SanityChecks) -> float:
    """Where a model's probability axes end."""
    return axis_end(max(getattr(faithfulness, key).max()
                        for faithfulness in report.faithfulness.values() for key in CURVES[1:]))  # fmt: skip


def axis_end(value: float) -> float:
    """The end of a probability axis: a round number."""
    return next((end for end in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8) if value <= end), 1.0)


def _draw_curves(
    canvas: Canvas, x: float, y: float, title: str, result: Faithfulness, end: float, named: bool
) -> None:  # fmt: skip
    """Deletion and insertion, dashed the mean of the shifted copies; above, title and areas. named: the x axis."""
    lines = wrap(title, 2.3 * 72, SIZE, bold=True)[:2]
    for i, line in enumerate(lines):
        canvas.text(x - 0.3, y + 0.15 * (i + 1 - len(lines)), line, bold=True)
    axes = canvas.axes(x, y + 0.5, 1.95, 0.95)
    for i, (label, curve, copies, color, areas) in enumerate((
        ("deletion", result.deletion, result.chance, ACCENT,
         (result.deletion_auc, result.chance_auc, result.chance_margin)),
        ("insertion", result.insertion, result.chance_insertion, INSERTION,
         (result.insertion_auc, result.chance_insertion_auc, result.chance_insertion_margin)),
    )):  # fmt: skip
        canvas.text(x - 0.3, y + 0.17 + 0.14 * i, "{} {:.3f} vs {:.3f} ± {:.3f}".format(label, *areas), color=color)
        axes.plot(result.shares, copies.mean(axis=0), color=color, linewidth=0.9, linestyle="--", alpha=0.6)
        axes.plot(result.shares, curve, color=color, linewidth=1.4, clip_on=False)
    ticks = (0, end / 2, end)
    axes.set(xlim=(0, 1), ylim=(0, end), xticks=(0, 0.5, 1), yticks=ticks)
    axes.set_xticklabels(("0", "½", "1"))
    axes.set_yticklabels([f"{tick:g}" for tick in ticks])
    style_axes(axes, "share of pixels changed" if named else "")


# --- Randomization ----------------------------------------------------------------------------------------------------


def randomization_figure(reports: Sequence[SanityChecks], names: Sequence[str]) -> StudyFigure:
    """How much of each map remains while the weights are randomized: rank correlations as lines, and the maps.

    Args:
        reports: Of `sanity_checks`, one a model.
        names: The models.
    """
    canvas = Canvas(WIDTH)
    for name, report in zip(names, reports, strict=True):
        axes = canvas.axes(0.55, canvas.y + 0.2, 4.7, 1.75)
        _draw_cascade(axes, report)
        if len(names) > 1:
            axes_title(axes, name, 4.7)
        canvas.y += CASCADE_HEIGHT
    canvas.y += 0.1
    _draw_strips(canvas, reports, names)
    maps = [
        (name, method, report.randomization[method])
        for name, report in zip(names, reports, strict=True) for method in report.maps
    ]  # fmt: skip
    keys = ("signed", "absolute", "complete_signed", "complete_absolute", "heatmaps")
    return StudyFigure(
        "randomization", strings.RANDOMIZATION_TITLE,
        strings.RANDOMIZATION_CAPTION,
        "Correlation of each map with that of fully random models: "
        + "; ".join(f"{map_title(m, n, names)} {_remaining(r)}" for n, m, r in maps) + ".",
        strings.RANDOMIZATION_LIMITS, canvas, None, _correlations(reports, names),
        {f"{name}/{method}/{key}": getattr(result, key) for name, method, result in maps for key in keys},
    )  # fmt: skip


def _draw_cascade(axes: Axes, report: SanityChecks) -> None:
    """Rank correlation with the original map, step by step; at the right the mean of all random copies, and names."""
    steps = ("original", *_steps(report))
    end, labels = len(steps) - 1, []
    for i, (method, result) in enumerate(report.randomization.items()):
        color = SERIES[i % len(SERIES)]
        if len(result.steps) > 1:
            axes.plot(range(end + 1), [1, *result.correlations], color=color, linewidth=1.3, clip_on=False)
        axes.plot(
            (end + 1, end + 1),
            (result.complete_correlations.min(), result.complete_correlations.max()),
            color=color,
            linewidth=0.8,
        )
        axes.plot(end + 1, result.mean_correlation, "o", color=color, markersize=4, clip_on=False)
        value = (
            UNIFORM
            if result.is_uniform
            else f"{_correlation(result.mean_correlation)}{' abs' if result.uses_absolute_values else ''}"
        )
        labels.append((result.mean_correlation, f"{map_title(method)} {value}", color))
    axes.axhline(0, color=GRAY, linewidth=0.5)
    ticks = steps_drawn(end)
    axes.set(xlim=(0, end + 1.1), ylim=(-1, 1), yticks=(-1, 0, 1), xticks=[*ticks, end + 1])
    axes.set_xticklabels([*(steps[tick] for tick in ticks), "copies"])
    style_axes(axes, y_label="rank correlation")
    axes.tick_params(axis="x", pad=6)  # clear of "-1"
    labels.sort(key=lambda label: label[0])
    for y, (_, label, color) in zip(spread([value for value, _, _ in labels], 0.19), labels, strict=True):
        axes.text(end + 1.25, y, label, color=color, fontproperties=font(SIZE), va="center")


def spread(values: Sequence[float], gap: float) -> list[float]:
    """The values in rising order, at least `gap` apart, inside -1.05 … 1.05 where they fit."""
    placed: list[float] = []
    for value in sorted(values):
        placed.append(max(value, placed[-1] + gap) if placed else value)
    excess = max(0.0, placed[-1] - 1.05)
    return [value - excess * (i + 1) / len(placed) for i, value in enumerate(placed)] if excess else placed


def _steps(report: SanityChecks) -> tuple[str, ...]:
    """Those of the cascade, or "everything" where no map has them."""
    return max((result.steps for result in report.randomization.values()), key=len)


def steps_drawn(count: int) -> list[int]:
    """All of 0 (the original) to `count`, or seven evenly spaced ones with both ends."""
    return sorted({round(step) for step in np.linspace(0, count, min(count, 6) + 1)})


Cells = list[tuple[str, str, SanityChecks]]  # (model, method, report)


def _draw_strips(canvas: Canvas, reports: Sequence[SanityChecks], names: Sequence[str]) -> None:
    """Maps before and after the steps of the cascade, two in a row; maps with one random copy, three in a row."""
    pairs = list(zip(names, reports, strict=True))
    methods = dict.fromkeys(method for report in reports for method in report.maps)
    cascades = [m for m in methods if any(len(r.randomization[m].steps) > 1 for r in reports if m in r.maps)]
    strips = [(name, m, report) for m in cascades for name, report in pairs]
    single = [(name, m, r) for name, r in pairs for m in methods if m not in cascades and m in r.maps]
    for i, (name, method, report) in enumerate(strips):
        row, column = divmod(i, STRIPS)
        x, y = 0.12 + STRIP_WIDTH * column, canvas.y + 0.2 + row * STRIP_HEIGHT
        if row == 0:
            steps = ("original", *_steps(report))
            for place, step in enumerate(steps_drawn(len(steps) - 1)):
                canvas.text(x + place * TILE_PITCH + TILE / 2, canvas.y, steps[step], align="center", va="center")
        if method in report.maps:
            _draw_strip(canvas, x, y, map_title(method, name, names), method, report)
    canvas.y += 0.2 + STRIP_HEIGHT * -(-len(strips) // STRIPS)
    columns = pairs_in_a_row(single, names)
    for i, (name, method, report) in enumerate(single):
        row, column = divmod(i, columns)
        x, y, title = (
            0.12 + PAIRS * PAIR_WIDTH / columns * column,
            canvas.y + row * PAIR_HEIGHT,
            map_title(method, name, names),
        )
        _draw_strip(canvas, x, y, title, method, report)
    canvas.y += PAIR_HEIGHT * -(-len(single) // columns)


def pairs_in_a_row(cells: Cells, names: Sequence[str]) -> int:
    """As many as have room for their titles."""
    titles = [map_title(method, name, names) for name, method, _ in cells]
    widest = max((width(title, SIZE, bold=True) / 72 + 0.1 for title in titles), default=0.1)
    return max(1, min(PAIRS, int(PAIRS * PAIR_WIDTH / widest)))


def _draw_strip(canvas: Canvas, x: float, y: float, title: str, method: str, report: SanityChecks) -> None:
    """A title, and below it the map before and after the steps, each with its correlation."""
    original, result = report.maps[method], report.randomization[method]
    canvas.text(x, y, title, bold=True, va="center")
    is_pair = len(result.steps) == 1
    tile, pitch = (PAIR_TILE, 0.8) if is_pair else (TILE, TILE_PITCH)
    for place, step in enumerate(steps_drawn(len(result.steps))):
        heatmap = result.heatmaps[step - 1] if step else original.heatmap
        label = _correlation(result.correlations[step - 1]) if step else "original" if is_pair else ""
        label = f"random {label}" if is_pair and step else label
        _draw_tile(canvas, x + place * pitch, y + 0.1, tile, heatmap, original.signed)
        canvas.text(x + place * pitch + tile / 2, y + tile + 0.19, label, color=GRAY, align="center", va="center")


def _draw_tile(canvas: Canvas, x: float, y: float, width: float, heatmap: np.ndarray, signed: bool) -> None:
    low, high = shared_range([heatmap], signed)
    if not signed:
        high = max(high, 2 * float(np.nanmean(heatmap)))  # a uniform map has the middle color, not the highest
    colors = colorize(heatmap, (low, high), "RdBu_r" if signed else "inferno", signed)
    side = round(width * canvas.dpi)
    canvas.image(x, y, cv2.resize(colors, (side, side), interpolation=cv2.INTER_NEAREST))


def _correlations(reports: Sequence[SanityChecks], names: Sequence[str]) -> dict[str, float]:
    return {
        f"{name}/{method}/correlation": result.mean_correlation
        for name, report in zip(names, reports, strict=True) for method, result in report.randomization.items()
    }  # fmt: skip


# --- Agreement --------------------------------------------------------------------------------------------------------


def agreement_figure(reports: Sequence[SanityChecks], names: Sequence[str]) -> StudyFigure:
    """Which maps agree: rank correlation above the diagonal, overlap of the top tenth below it.

    Args:
        reports: Of `sanity_checks`, one a model.
        names: The models.
    """
    canvas, numbers, arrays = Canvas(WIDTH), {}, {}
    titles = {map_title(method) for report in reports for method in report.agreement.names}
    diagonal = 0.3 + max(width(title, SIZE) for title in titles) / 72 * 0.71  # inches of names at 45 degrees
    for name, report in zip(names, reports, strict=True):
        canvas.y += diagonal
        _draw_matrix(canvas, report, name if len(names) > 1 else "")
        result = report.agreement
        arrays |= {f"{name}/correlation": result.correlation, f"{name}/overlap": result.overlap}
        for a, b in combinations(range(len(result.names)), 2):
            key = f"{name}/{result.names[a]}/{result.names[b]}"
            numbers[f"{key}/correlation"] = float(result.correlation[a, b])
            numbers[f"{key}/overlap"] = float(result.overlap[a, b])
    first = reports[0].agreement
    return StudyFigure(
        "agreement", strings.AGREEMENT_TITLE,
        Message(strings.AGREEMENT_CAPTION, share=f"{100 * first.share:.0f}", chance=f"{first.chance_overlap:.2f}"),
        "A table of the maps against each other, with a rank correlation and an overlap for every pair.",
        strings.AGREEMENT_LIMITS, canvas, None, numbers, arrays,
    )  # fmt: skip


def _draw_matrix(canvas: Canvas, report: SanityChecks, name: str) -> None:
    """Correlation above the diagonal, overlap below it, as numbers and colors of one scale."""
    result, top = report.agreement, canvas.y
    count = len(result.names)
    cell = min(0.6, (WIDTH - LABELS - 0.9) / count)  # the rest is for the last column's name
    axes = canvas.axes(LABELS, top, count * cell, count * ROW_HEIGHT)
    values = np.where(np.triu(np.ones((count, count), bool), 1), result.correlation, result.overlap)
    values[np.eye(count, dtype=bool)] = np.nan
    colors = colorize(values, (-1, 1), "RdBu_r", signed=True)
    axes.imshow(colors, extent=(0, count, count, 0), alpha=0.55, aspect="auto")
    axes.set_axis_off()
    for row, method in enumerate(result.names):
        y, x, title = top + (row + 0.5) * ROW_HEIGHT, LABELS + (row + 0.5) * cell, map_title(method)
        canvas.text(LABELS - 0.1, y, title, align="right", va="center")
        canvas.text(x, top - 0.05, title, rotation=45, rotation_mode="anchor", va="baseline")
        for column in range(count):
            text = "" if row == column else _correlation(values[row, column])
            canvas.text(LABELS + (column + 0.5) * cell, y, text, align="center", va="center")
    canvas.text(0.1, top - 0.15, printable(name), SIZE + 1, bold=True, va="center")
    canvas.y = top + count * ROW_HEIGHT + 0.1


# --- Outcomes ---------------------------------------------------------------------------------------------------------


def sanity_check_table(reports: Sequence[SanityChecks], names: Sequence[str]) -> StudyFigure:
    """The outcomes: one row a map, a word for each check, then the numbers.

    Args:
        reports: Of `sanity_checks`, one a model.
        names: The models.
    """
    pairs = list(zip(names, reports, strict=True))
    rows = [(map_title(m, name, names), *_outcome(report, m)) for name, report in pairs for m in report.maps]
    rows += [
        (map_title(m, name, names), *["–"] * (len(HEAD) - 2), reason)
        for name, report in pairs for m, reason in report.missing.items()
    ]  # fmt: skip
    limits = joined([Message(strings.CHECKS_LIMITS), *verdict_rates_text(read_verdict_rates())], " ")
    targets = " and ".join(dict.fromkeys(printable(report.target) for report in reports))
    return StudyFigure(
        "checks", strings.CHECKS_TITLE,
        Message(strings.CHECKS_CAPTION, targets=targets),
        "A table of outcomes, a row a map: a word on the model, a word on the prediction, and the numbers.",
        limits, None, Table(HEAD, rows), _correlations(reports, names),
    )  # fmt: skip


def verdict_rates_text(table: Sequence[VerdictRate]) -> Iterator[Message]:
    """How often the test passes maps: of the trained model and, without the 10% rule, with random weights."""
    cells = {(row.minimum_probability > 0, row.map, row.maps_tested > 1): row for row in table}
    templates = {True: strings.CHECKS_RATES, False: strings.CHECKS_RATES_RANDOM}
    for trained in dict.fromkeys(key[0] for key in cells):
        cam, unrelated = cells[trained, GRAD_CAM, False], cells[trained, UNRELATED, False]
        yield Message(
            templates[trained], model=cam.model, weights=cam.weights, images=cam.pairs, pairs=unrelated.pairs,
            alone=cam.percent, false_alone=unrelated.percent, maps=cells[trained, GRAD_CAM, True].maps_tested,
            together=cells[trained, GRAD_CAM, True].percent, false_together=cells[trained, UNRELATED, True].percent,
        )  # fmt: skip


def _outcome(report: SanityChecks, method: str) -> tuple[str, ...]:
    """The cells of HEAD after the map's title."""
    check, faithful, randomized = report.checks[method], report.faithfulness[method], report.randomization[method]
    if check.randomization_outcome == "uniform":
        return (UNIFORM, UNIFORM, *["–"] * (len(HEAD) - 4), " ".join(check.sentences))
    return (
        check.randomization_outcome, check.faithfulness_outcome, _remaining(randomized),
        f"{faithful.deletion_auc:.3f}", f"{faithful.chance_auc:.3f} ± {faithful.chance_margin:.3f}",
        f"{faithful.insertion_auc:.3f}",
        f"{faithful.chance_insertion_auc:.3f} ± {faithful.chance_insertion_margin:.3f}",
        "–" if check.p_value is None else f"{check.p_value:.3f}", " ".join(check.remarks),
    )  # fmt: skip
