"""Studies -> plates: the figures of one picture, every variant on each, in the order in which one reads them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..draw.plate import Plate
from ..draw.views import LOOKS
from ..study import OVERVIEW, Study
from .pictures import LIMITS, Style, results, sheet

MAPS = tuple(name for name in LOOKS if name not in OVERVIEW)


def plates(studies: Sequence[Study], upload: np.ndarray | None = None, style: Style | None = None) -> list[Plate]:
    """Every figure that these studies of one picture hold enough for.

    studies: one a variant, in the order of the rows. upload: uint8 (H, W, 3), the upright picture, for sharper
    photographs; None takes what the model saw.
    """
    style = style or Style()
    found = [_overview(studies, upload, style), _maps(studies, upload, style)]
    return [plate for plate in found if plate is not None]


def _overview(studies: Sequence[Study], upload: np.ndarray | None, style: Style) -> Plate:
    names = [name for name in OVERVIEW if any(name in results(s) for s in studies)]
    picture = sheet(studies, upload, "", style, names)
    shown = ", ".join(LOOKS[name].title for name in names) or "the answers"
    return Plate(
        "sheet", "Overview", "One row a variant, one column a view, one colour scale a column.",
        f"The picture, the best answers and {shown} for {_named(studies)}.", " ".join(LIMITS), picture,
    )  # fmt: skip


def _maps(studies: Sequence[Study], upload: np.ndarray | None, style: Style) -> Plate | None:
    names = [name for name in MAPS if any(name in results(s) for s in studies)]
    if not names:
        return None
    return Plate(
        "maps", "More maps of the same answer", "One row a variant, one column a method, one colour scale a column.",
        f"{', '.join(LOOKS[name].title for name in names)} for {_named(studies)}.",
        "Each method answers a question of its own, so they need not agree; what is made of each stands with Trust.",
        sheet(studies, upload, "", style, names, answers=False),
    )  # fmt: skip


def _named(studies: Sequence[Study]) -> str:
    return " and ".join(study.variant for study in studies)
