"""Do variants agree? Their maps of one image on what all of them saw, with rank correlation and overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from ..results.sanity_checks import Agreement
from .figure import StudyFigure, Table
from .panels import Panels, fit
from .scale import colorize, shared_range
from .text import number
from .views import MAP_STYLES


def variants_figure(
    found: Mapping[str, Agreement], factors: Mapping[str, Sequence[float]] | None = None, left_out: str = ""
) -> StudyFigure:
    """Every method's maps beside each other, a panel a variant, those of one method on one scale.

    found: method -> `agreement_between_variants` of its maps, all of the same variants. factors: method -> for each
    variant what its raw values are multiplied by to be drawn, `views.factor`; 1 without. left_out: a sentence on maps
    that cannot be compared.
    """
    factors = factors or {}
    names = next(iter(found.values())).names
    sheet = Panels(4 if len(names) == 2 else len(names))
    for method, agreement in found.items():
        look = MAP_STYLES[method]
        own = np.reshape(factors.get(method, [1.0] * len(names)), (-1, 1, 1))
        values = agreement.values * own  # (variants, rows, columns)
        value_range = shared_range(values, look.signed)
        for i, name in enumerate(names):
            rgb = fit(colorize(values[i], value_range, look.colormap, look.signed, look.root), sheet.pixels)
            size = agreement.values.shape[1:]
            sheet.panel(look.title, rgb, size, [name, _words(agreement, i, value_range, look.units)])
    by_chance = next(iter(found.values())).overlap_by_chance
    pairs = list(combinations(range(len(names)), 2))
    return StudyFigure(
        "variants", "Do the variants agree?",
        "Maps of the part of the image that all variants saw, those of one method on one scale, in the units that "
        "stand under the first. Rank correlation (Spearman) over its pixels; overlap: intersection over union of the "
        f"tenth of the pixels that each ranks highest, {number(by_chance)} by chance. {left_out}".strip(),
        "Pairs of small maps. " + "; ".join(
            f"{MAP_STYLES[method].title}: {names[a]} and {names[b]} correlate by {a_b(agreement.correlation, a, b)}"
            for method, agreement in found.items() for a, b in pairs
        ) + ".",
        "Variants that agree may be wrong together. Two variants share a scale here, though features of two models "
        "have no common unit: compare shapes, not heights.",
        sheet.image(), _table(found, names, pairs, by_chance),
        {f"{names[a]}/{names[b]}/{method}/{what}": float(values[a, b]) for method, agreement in found.items()
         for a, b in pairs for what, values in _both(agreement)},
        {f"{name}/{method}": agreement.values[i] for method, agreement in found.items()
         for i, name in enumerate(names)},
    )  # fmt: skip


def a_b(values: np.ndarray, a: int, b: int) -> str:
    """Of a matrix, in words: "0.43", or "blank"."""
    return f"{values[a, b]:.2f}" if np.isfinite(values[a, b]) else "blank"


def _words(agreement: Agreement, i: int, value_range: tuple[float, float], units: str) -> str:
    """The scale under the first panel of a method, under the others how they agree with it."""
    if i == 0:
        return f"scale {number(value_range[0])} to {number(value_range[1])} {units}"
    return f"correlation {a_b(agreement.correlation, 0, i)}, overlap {a_b(agreement.overlap, 0, i)}"


def _both(agreement: Agreement) -> tuple[tuple[str, np.ndarray], ...]:
    return ("correlation", agreement.correlation), ("overlap", agreement.overlap)


def _table(
    found: Mapping[str, Agreement], names: tuple[str, ...], pairs: list[tuple[int, int]], by_chance: float
) -> Table:
    rows = [
        (f"{MAP_STYLES[method].title}: {names[a]}, {names[b]}", *(a_b(values, a, b) for _, values in _both(agreement)))
        for method, agreement in found.items() for a, b in pairs
    ]  # fmt: skip
    return Table(("Maps", "rank correlation", f"top 10 % overlap ({number(by_chance)} by chance)"), rows)
