"""Do models agree? Their maps of one image on the region that all of them see, with rank correlation and overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from ..messages import Message
from ..results.sanity_checks import Agreement
from . import strings
from .canvas import Canvas, Panel
from .figure import StudyFigure, Table, joined
from .overlay import resized
from .scale import colorize, shared_range
from .styles import MAP_STYLES
from .text import number


def model_agreement_figure(
    agreements: Mapping[str, Agreement], factors: Mapping[str, Sequence[float]] | None = None, note: str = ""
) -> StudyFigure:
    """Every method's maps side by side, a panel a model, those of one method on one scale.

    Args:
        agreements: Method -> `agreement_between_models` of its maps, all of the same models.
        factors: Method -> for each model the `styles.display_factor` of its raw values; 1 by default.
        note: A sentence on maps that cannot be compared.
    """
    first = next(iter(agreements.values()))
    names, by_chance = first.names, number(first.chance_overlap)
    pairs = list(combinations(range(len(names)), 2))
    cells = [
        (method, a, b, (("correlation", agreement.correlation), ("overlap", agreement.overlap)))
        for method, agreement in agreements.items() for a, b in pairs
    ]  # fmt: skip
    return StudyFigure(
        "variants", strings.VARIANTS_TITLE,
        joined([Message(strings.VARIANTS_CAPTION, chance=by_chance), *([note] if note else [])], " "),
        "Pairs of small maps. " + "; ".join(
            f"{MAP_STYLES[method].title}: {names[a]} and {names[b]} correlate by {cell_text(values[0][1], a, b)}"
            for method, a, b, values in cells
        ) + ".",
        strings.VARIANTS_LIMITS, _draw_maps(agreements, factors or {}),
        Table(("Maps", "Rank correlation", f"Top 10% overlap ({by_chance} by chance)"), [
            (f"{MAP_STYLES[method].title}: {names[a]}, {names[b]}", *(cell_text(matrix, a, b) for _, matrix in values))
            for method, a, b, values in cells
        ]),
        {f"{names[a]}/{names[b]}/{method}/{measure}": float(matrix[a, b])
         for method, a, b, values in cells for measure, matrix in values},
        {f"{name}/{method}": agreement.values[i] for method, agreement in agreements.items()
         for i, name in enumerate(names)},
    )  # fmt: skip


def _draw_maps(agreements: Mapping[str, Agreement], factors: Mapping[str, Sequence[float]]) -> Canvas:
    count = len(next(iter(agreements.values())).names)
    canvas, columns, panels = Canvas(), 4 if count == 2 else count, []
    side = canvas.panel_pixels(columns)
    for method, agreement in agreements.items():
        style = MAP_STYLES[method]
        values = agreement.values * np.reshape(factors.get(method, [1.0] * count), (-1, 1, 1))
        value_range = shared_range(values, style.signed)
        for i, name in enumerate(agreement.names):
            rgb = resized(colorize(values[i], value_range, style.colormap, style.signed, style.root), side)
            caption = (
                f"correlation {cell_text(agreement.correlation, 0, i)}, overlap {cell_text(agreement.overlap, 0, i)}"
                if i else f"{number(value_range[0])} to {number(value_range[1])} {style.units}"
            )  # fmt: skip
            panels.append(Panel(style.title, rgb, [name, caption]))
    canvas.panels(panels, columns)
    return canvas


def cell_text(matrix: np.ndarray, a: int, b: int) -> str:
    """A value of a matrix with two decimals, or "n/a (uniform map)"."""
    return f"{matrix[a, b]:.2f}" if np.isfinite(matrix[a, b]) else "n/a (uniform map)"
