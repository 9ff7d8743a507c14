"""Plates of the trust tests: insertion and deletion, randomisation, agreement, and the verdicts as a table.

Every function takes the reports of one or several variants on one picture and puts them into one drawing: curves on
one scale, the variants one below the other. What the tests are, and where they come from, stands in explain/trust.py's
neighbours; what is here only draws their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from ..results.trust import TrustReport, Verdict
from .bars import figure_rgb
from .plate import Plate, Table
from .text import ACCENT, GREY, INK, font, printable, shorten
from .trust_parts import (
    INSERTION,
    blank_figure,
    called,
    ceiling,
    curves,
    forgetting,
    legend,
    matrix,
    pairs,
    place_axes,
    strip,
    strip_heads,
)  # fmt: skip

COLUMNS = 3
BASELINE = {"grey": "grey", "blur": "blurred"}


def faithfulness_plate(reports: Sequence[TrustReport], names: Sequence[str]) -> Plate:
    """Insertion and deletion of every map: one panel a map, all on one scale."""
    cells = [
        (name, method, found) for name, report in pairs(reports, names) for method, found in report.faithfulness.items()
    ]
    rows, pitch = -(-len(cells) // COLUMNS), 1.86
    top = ceiling(max(max(f.deletion.max(), f.insertion.max(), f.chance.max()) for _, _, f in cells))
    figure = blank_figure(0.5 + pitch * rows)
    legend(figure, [("deletion", ACCENT, "-"), ("insertion", INSERTION, "-"), ("chance", GREY, "--")])
    for i, (name, method, found) in enumerate(cells):
        row, column = divmod(i, COLUMNS)
        axes = place_axes(figure, 0.42 + 2.4 * column, 0.88 + pitch * row, 1.95, 1.0)
        curves(axes, found, top)
        title = shorten(called(method, name, names), 2.3 * 72, 8, bold=True)
        axes.set_title(title, fontproperties=font(8, True), color=INK, loc="left", pad=25)
        areas = f"deletion {found.deletion_auc:.3f}, insertion {found.insertion_auc:.3f}\n"
        areas += f"chance {found.chance_auc:.3f} ± {found.chance_margin:.3f}"
        axes.text(0, 1.04, areas, transform=axes.transAxes, fontproperties=font(8), color=GREY)
        if i + COLUMNS >= len(cells):
            axes.set_xlabel("share of pixels changed", fontproperties=font(8), color=GREY, labelpad=2)
    first = cells[0][2]
    numbers = {
        f"{name}/{method}/{part}": getattr(found, part)
        for name, method, found in cells
        for part in ("deletion_auc", "insertion_auc", "chance_auc", "chance_margin")
    }
    arrays = {
        f"{name}/{method}/{part}": getattr(found, part)
        for name, method, found in cells
        for part in ("shares", "deletion", "insertion", "chance")
    }
    said = [
        f"{called(m, n, names)} deletion {f.deletion_auc:.3f}, insertion {f.insertion_auc:.3f}" for n, m, f in cells
    ]
    return Plate(
        "faithfulness", "Does the answer hang on what a map marks?",
        f"Probability of the explained class while pixels turn {BASELINE[first.baseline]} in the map's order "
        "(deletion) or appear in it (insertion). Numbers are areas under the curves: deletion is better the lower, "
        f"insertion the higher. Dashed: chance, the mean of {len(first.chance)} random maps on the same grid; "
        "nine in ten more would lie within ±. All panels on one scale.",
        f"Curves of the answer's probability over the share of pixels changed, one for each map: {'; '.join(said)}.",
        "Pictures with holes are not what the model was trained on, so part of each fall is the hole's doing. Areas of "
        "one picture do not compare with another's.",
        figure_rgb(figure), None, numbers, arrays,
    )  # fmt: skip


def randomisation_plate(reports: Sequence[TrustReport], names: Sequence[str]) -> Plate:
    """What is left of each map while the model forgets: rank correlations as lines, and the maps themselves."""
    strips = [(name, method, report) for name, report in pairs(reports, names) for method in report.maps]
    lines, pitch, top = 2.3, 0.84, 0.3 + 2.3 * len(reports)
    figure = blank_figure(top + 0.25 + len(strips) * pitch)
    for i, (name, report) in enumerate(pairs(reports, names)):
        axes = place_axes(figure, 0.55, 0.3 + i * lines, 4.7, 1.75)
        forgetting(axes, report)
        if len(names) > 1:
            axes.set_title(printable(name), fontproperties=font(8, True), color=INK, loc="left", pad=3)
    strip_heads(figure, top + 0.1, strips[0][2])
    for i, (name, method, report) in enumerate(strips):
        strip(figure, top + 0.2 + i * pitch, called(method, name, names), method, report)
    arrays = {
        f"{name}/{method}/{part}": getattr(report.randomisation[method], part)
        for name, method, report in strips
        for part in ("signed", "absolute", "complete_signed", "complete_absolute", "heats")
    }
    said = [f"{called(m, n, names)} {r.randomisation[m].left:.2f}" for n, m, r in strips]
    return Plate(
        "randomisation", "Does a map change when the model forgets?",
        "Rank correlation (Spearman) with the original map while a copy of the model gets random weights, from the "
        "head down to the stem. Lines: maps of one backward pass. Dots: one complete randomisation. Below, the maps "
        "themselves, each on its own scale. A map that stays near 1 does not explain the model.",
        f"What is left of each map in wholly random models: {'; '.join(said)}.",
        "A map that changes is not thereby right. Maps of an inner stage can change only once that stage is reached. "
        "Maps of few values correlate by luck: verdicts take the mean of several random copies.",
        figure_rgb(figure), None, _left(reports, names), arrays,
    )  # fmt: skip


def agreement_plate(reports: Sequence[TrustReport], names: Sequence[str]) -> Plate:
    """Which maps agree: rank correlation above the diagonal, overlap of the highest tenth below it."""
    cell = min(0.6, 5.2 / max(len(report.agreement.names) for report in reports))
    figure = blank_figure(sum(0.5 + len(report.agreement.names) * cell for report in reports))
    top = 0.4
    for name, report in pairs(reports, names):
        matrix(figure, report, top, cell, name if len(names) > 1 else "")
        top += 0.5 + len(report.agreement.names) * cell
    share = reports[0].agreement.share
    numbers, arrays = {}, {}
    for name, report in pairs(reports, names):
        found = report.agreement
        arrays |= {f"{name}/correlation": found.correlation, f"{name}/overlap": found.overlap}
        for a, b in combinations(range(len(found.names)), 2):
            key = f"{name}/{found.names[a]}/{found.names[b]}"
            numbers[f"{key}/correlation"] = float(found.correlation[a, b])
            numbers[f"{key}/overlap"] = float(found.overlap[a, b])
    chance = reports[0].agreement.overlap_by_chance
    return Plate(
        "agreement", "Do the maps agree?",
        "Above the diagonal: rank correlation (Spearman) of the two maps on the view's pixels, -1 to 1. Below it: "
        f"overlap of the {100 * share:.0f} % of pixels that each ranks highest, intersection over union, 0 to 1; two "
        f"random choices would have {chance:.2f}. Columns are numbered as the rows are.",
        "A table of the maps against each other, with a rank correlation and an overlap in every pair of cells.",
        "Maps that agree may all be wrong, and maps that ask different questions have no reason to agree.",
        figure_rgb(figure), None, numbers, arrays,
    )  # fmt: skip


def verdict_table(reports: Sequence[TrustReport], names: Sequence[str]) -> Plate:
    """The verdicts in words: one row a map."""
    rows = [
        (called(method, name, names), *_told(report.verdicts[method]))
        for name, report in pairs(reports, names)
        for method in report.maps
    ]
    rows += [
        (called(method, name, names), why, "–")
        for name, report in pairs(reports, names)
        for method, why in report.missing.items()
    ]
    explained = " and ".join(dict.fromkeys(printable(report.target) for report in reports))
    return Plate(
        "verdicts", "Can these maps be believed?",
        f"What the tests say of each map of {explained}; the thresholds are habits, the numbers are not.",
        "A table of verdicts in words, a row for each map.",
        "A map that passes has survived two tests that bad maps fail. That does not make it the reason for the answer.",
        None, Table(("Map", "Does it follow the model?", "Does it find what matters?"), rows), _left(reports, names),
    )  # fmt: skip


def _told(verdict: Verdict) -> tuple[str, str]:
    """On the model, and on the answer: the last two sentences, of deletion and insertion."""
    if verdict.follows == "blank":
        return " ".join(verdict.words), "–"
    return " ".join(verdict.words[:-2]), " ".join(verdict.words[-2:])


def _left(reports: Sequence[TrustReport], names: Sequence[str]) -> dict[str, float]:
    return {
        f"{name}/{method}/left": found.left
        for name, report in pairs(reports, names)
        for method, found in report.randomisation.items()
    }
