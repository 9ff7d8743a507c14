"""Plates of the trust tests: insertion and deletion, randomization, agreement, and the checks as a table.

Every function takes the reports of one or several variants on one image and puts them into one drawing: curves on
one scale a variant, the variants one below the other or side by side. What the tests are, and where they come from,
stands in explain/sanity_checks.py's neighbors; what is here only draws their numbers. Each study_figure says, in
`limits`, what it
must not be read as.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from ..results.sanity_checks import SanityChecks
from .bars import figure_rgb
from .figure import StudyFigure, Table
from .sanity_check_parts import (
    INSERTION,
    TALL,
    blank_figure,
    called,
    ceiling,
    curves,
    forgetting,
    legend,
    matrix,
    matrix_heads,
    pairs,
    place_axes,
    strips,
    strips_height,
)  # fmt: skip
from .text import ACCENT, GRAY, INK, font, printable

COLUMNS, PANEL = 3, 1.95  # panels a row, inches from one row to the next
BASELINE = {"gray": "gray", "blur": "blurred"}
AREAS = (
    "deletion_auc", "chance_auc", "chance_margin", "insertion_auc", "chance_insertion_auc", "chance_insertion_margin"
)  # fmt: skip
CURVES = ("shares", "deletion", "insertion", "chance", "chance_insertion")
HEAD = (
    "Map", "Model", "Answer", "Left", "Deletion", "of moved copies", "Insertion", "of moved copies", "Remarks"
)  # fmt: skip


def faithfulness_figure(reports: Sequence[SanityChecks], names: Sequence[str]) -> StudyFigure:
    """Insertion and deletion of every map: one panel a map, all of a variant on one scale."""
    cells = [
        (name, method, found) for name, report in pairs(reports, names) for method, found in report.faithfulness.items()
    ]
    ends = {name: _highest(report) for name, report in pairs(reports, names)}
    figure = blank_figure(0.4 + PANEL * -(-len(cells) // COLUMNS))
    legend(figure, [("deletion", ACCENT, "-"), ("insertion", INSERTION, "-"), ("chance", GRAY, "--")])
    for i, (name, method, found) in enumerate(cells):
        row, column = divmod(i, COLUMNS)
        last = i + COLUMNS >= len(cells)
        curves(figure, 0.42 + 2.4 * column, 0.4 + PANEL * row, called(method, name, names), found, ends[name], last)
    first = cells[0][2]
    said = [
        f"{called(m, n, names)} deletion {f.deletion_auc:.3f}, insertion {f.insertion_auc:.3f}" for n, m, f in cells
    ]
    return StudyFigure(
        "faithfulness", "Does the answer hang on what a map marks?",
        f"Probability of the explained class while pixels turn {BASELINE[first.baseline]} in the map's order "
        "(deletion) or appear in it (insertion). Numbers are areas under the curves: deletion is better the lower, "
        f"insertion the higher. Dashed, and after “vs”: chance, the mean of {len(first.chance)} copies of the same "
        f"map, moved elsewhere; nine in ten more would lie within ±. All panels of one variant on one scale.",
        f"Curves of a probability over the share of pixels changed, one for each map: {'; '.join(said)}.",
        "Images with holes are not what the model was trained on, so part of each fall is the hole's doing. A map "
        "that always marks the middle finds most photos' subject. Areas of one image do not compare with "
        "another's.",
        figure_rgb(figure), None,
        {f"{name}/{method}/{part}": getattr(found, part) for name, method, found in cells for part in AREAS},
        {f"{name}/{method}/{part}": getattr(found, part) for name, method, found in cells for part in CURVES},
    )  # fmt: skip


def _highest(report: SanityChecks) -> float:
    """Where a variant's probability axes end."""
    return ceiling(max(getattr(found, part).max() for found in report.faithfulness.values() for part in CURVES[1:]))


def randomization_figure(reports: Sequence[SanityChecks], names: Sequence[str]) -> StudyFigure:
    """What is left of each map while the model forgets: rank correlations as lines, and the maps themselves."""
    lines = 2.25
    figure = blank_figure(lines * len(reports) + 0.15 + strips_height(reports, names))
    for i, (name, report) in enumerate(pairs(reports, names)):
        axes = place_axes(figure, 0.55, 0.25 + i * lines, 4.7, 1.75)
        forgetting(axes, report)
        if len(names) > 1:
            axes.set_title(printable(name), fontproperties=font(8, True), color=INK, loc="left", pad=3)
    strips(figure, lines * len(reports) + 0.15, reports, names)
    maps = [
        (name, method, report.randomization[method]) for name, report in pairs(reports, names) for method in report.maps
    ]
    parts = ("signed", "absolute", "complete_signed", "complete_absolute", "heatmaps")
    said = [f"{called(m, n, names)} {'even' if r.blank else f'{r.left:.2f}'}" for n, m, r in maps]
    return StudyFigure(
        "randomization", "Does a map change when the model forgets?",
        "Rank correlation (Spearman) with the original map while a copy of the model gets random weights, from the "
        "head down to the stem. Lines: maps of one pass, one cascade. Dots and names' numbers: the mean over all "
        "wholly random copies (whisker: lowest to highest); of a map of many passes there is one. “abs”: of absolute "
        "values, where more is left of them. Below, the maps themselves, each on its own scale, with that one "
        "copy's number. A map that stays near 1 does not explain the model.",
        f"What is left of each map in wholly random models: {'; '.join(said)}.",
        "A map that changes is not thereby right. Maps of an inner stage can change only once that stage is reached. "
        "Maps of few values correlate by luck.",
        figure_rgb(figure), None, _left(reports, names),
        {f"{name}/{method}/{part}": getattr(found, part) for name, method, found in maps for part in parts},
    )  # fmt: skip


def agreement_figure(reports: Sequence[SanityChecks], names: Sequence[str]) -> StudyFigure:
    """Which maps agree: rank correlation above the diagonal, overlap of the highest tenth below it."""
    above, tops = matrix_heads(reports), [0.0]
    for report in reports:
        tops.append(tops[-1] + above + len(report.agreement.names) * TALL + 0.1)
    figure = blank_figure(tops[-1])
    for top, (name, report) in zip(tops, pairs(reports, names), strict=False):
        matrix(figure, report, top + above, name if len(names) > 1 else "")
    share, chance = reports[0].agreement.share, reports[0].agreement.overlap_by_chance
    numbers, arrays = {}, {}
    for name, report in pairs(reports, names):
        found = report.agreement
        arrays |= {f"{name}/correlation": found.correlation, f"{name}/overlap": found.overlap}
        for a, b in combinations(range(len(found.names)), 2):
            key = f"{name}/{found.names[a]}/{found.names[b]}"
            numbers[f"{key}/correlation"] = float(found.correlation[a, b])
            numbers[f"{key}/overlap"] = float(found.overlap[a, b])
    return StudyFigure(
        "agreement", "Do the maps agree?",
        "Above the diagonal: rank correlation (Spearman) of the two maps on the view's pixels, -1 to 1. Below it: "
        f"overlap of the {100 * share:.0f} % of pixels that each ranks highest, intersection over union, 0 to 1; two "
        f"random choices would have {chance:.2f}.",
        "A table of the maps against each other, with a rank correlation and an overlap in every pair of cells.",
        "Maps that agree may all be wrong, and maps that ask different questions have no reason to agree.",
        figure_rgb(figure), None, numbers, arrays,
    )  # fmt: skip


def sanity_check_table(reports: Sequence[SanityChecks], names: Sequence[str]) -> StudyFigure:
    """The checks: one row a map, a word for each question, then the numbers."""
    rows = [
        (called(method, name, names), *_told(report, method))
        for name, report in pairs(reports, names)
        for method in report.maps
    ]
    rows += [
        (called(method, name, names), *["–"] * (len(HEAD) - 2), why)
        for name, report in pairs(reports, names)
        for method, why in report.missing.items()
    ]
    explained = " and ".join(dict.fromkeys(printable(report.target) for report in reports))
    return StudyFigure(
        "checks", "Can these maps be believed?",
        f"What the tests say of each map of {explained}. Model: does the map follow the model? Left: its rank "
        "correlation with the same map of random copies. Answer: does it find what matters, better than the same map "
        "moved elsewhere? Deletion (better the lower) and insertion (the higher) are areas under the answer's "
        "probability, beside those of the moved copies. The thresholds behind the words are habits, the numbers are "
        "not.",
        "A table of checks, a row for each map: a word on the model, a word on the answer, and the numbers.",
        "A map that passes has survived two tests that bad maps fail. That does not make it the reason for the answer.",
        None, Table(HEAD, rows), _left(reports, names),
    )  # fmt: skip


def _told(report: SanityChecks, method: str) -> tuple[str, ...]:
    """What stands under HEAD, after the map's name."""
    sanity_check, found, left = report.checks[method], report.faithfulness[method], report.randomization[method]
    if sanity_check.follows == "even":
        return ("even", "even", *["–"] * (len(HEAD) - 4), " ".join(sanity_check.words))
    return (
        sanity_check.follows, sanity_check.finds, "even" if left.blank else f"{left.left:.2f}",
        f"{found.deletion_auc:.3f}", f"{found.chance_auc:.3f} ± {found.chance_margin:.3f}",
        f"{found.insertion_auc:.3f}", f"{found.chance_insertion_auc:.3f} ± {found.chance_insertion_margin:.3f}",
        " ".join(sanity_check.remarks),
    )  # fmt: skip


def _left(reports: Sequence[SanityChecks], names: Sequence[str]) -> dict[str, float]:
    return {
        f"{name}/{method}/left": found.left
        for name, report in pairs(reports, names)
        for method, found in report.randomization.items()
    }
