"""Studies -> plates: the figures of one picture, every variant on each, in the order in which one reads them.

A row of PLATES names the part of a Study that it draws; variants that do not have it are left out of that figure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..draw import attention, erf, heads, heads_off, kernel_plates, what_if
from ..draw import trust as trusts
from ..draw.plate import Plate
from ..draw.variants import variants_plate
from ..draw.views import LOOKS
from ..explain.agreement import agreement_between_variants
from ..explain.erf import erf_curves
from ..explain.methods import METHODS
from ..results import Explanation
from ..study import OVERVIEW, Study
from .pictures import LIMITS, Style, photograph, results, sheet

MAPS = tuple(name for name in LOOKS if name not in OVERVIEW)
COMPARED = tuple(name for name in METHODS if name != "attention")  # whose results are Explanations
PHOTO = 768  # pixels of the photographs that maps are drawn over


@dataclass(frozen=True)
class Shown:
    """The studies that have the part which a figure is about, and what it is drawn from."""

    studies: list[Study]
    found: list
    upload: np.ndarray | None

    @property
    def names(self) -> list[str]:
        return [study.variant for study in self.studies]

    @property
    def photos(self) -> list[np.ndarray]:
        return [photograph(study, self.upload, PHOTO) for study in self.studies]


@dataclass(frozen=True)
class Row:
    """part: of a Study. make: the figures of all variants that have it."""

    part: str
    make: Callable[[Shown], Plate | list[Plate]]


def _change(shown: Shown) -> Plate:
    pairs = [(photo, s.other_view) for photo, s in zip(shown.photos, shown.studies, strict=True)]
    same = all(s.clusters is not None for s in shown.studies)
    channels = [s.clusters.medoids for s in shown.studies] if same else None
    return kernel_plates.change_plate(shown.found, shown.names, pairs, channels)


def _spectra(shown: Shown) -> Plate:
    generated, static = zip(*shown.found, strict=True)
    return kernel_plates.spectrum_plate(generated, static, shown.names)


def _what_if(shown: Shown) -> list[Plate]:
    found = [what_if.what_if_plate(shown.found, shown.names)]
    stage = shown.studies[0].options.stage
    if any(head.stage == stage for result in shown.found for head in result.heads):
        found.append(heads_off.heads_plate(shown.found, shown.names, stage))
    return found


TRUST = (trusts.verdict_table, trusts.faithfulness_plate, trusts.randomisation_plate, trusts.agreement_plate)
PLATES = (
    Row("both_ways", lambda s: heads.heads_plate(s.found, s.names, s.photos)),
    Row("attention_depth", lambda s: attention.depth_plate(s.found, s.names)),
    Row("rollouts", lambda s: heads.rollout_plate(s.found, s.names, s.photos)),
    Row("half_energies", lambda s: attention.halves_plate(s.found, s.names)),
    Row("clusters", lambda s: kernel_plates.clusters_plate(s.found, s.names)),
    Row("kernels", lambda s: kernel_plates.gates_plate(s.found, s.names)),
    Row("spectra", _spectra),
    Row("kernel_change", _change),
    Row("kernel_depth", lambda s: kernel_plates.kernel_depth_plate(s.found, s.names)),
    Row("erf_parts", lambda s: erf.parts_plate(s.found, s.names, s.photos)),
    Row("receptive_field", lambda s: erf.curves_plate([erf_curves(f) for f in s.found], s.names)),
    Row("what_if", _what_if),
    Row("trust", lambda s: [plate(s.found, s.names) for plate in TRUST]),
)


def plates(studies: Sequence[Study], upload: np.ndarray | None = None, style: Style | None = None) -> list[Plate]:
    """Every figure that these studies of one picture hold enough for.

    studies: one a variant, in the order of the rows. upload: uint8 (H, W, 3), the upright picture, for sharper
    photographs; None takes what the model saw.
    """
    style = style or Style()
    found = [_overview(studies, upload, style), *_maps(studies, upload, style)]
    for row in PLATES:
        found += plates_of(row.part, studies, upload)
    return [*found, *between_variants(studies)]


def between_variants(studies: Sequence[Study]) -> list[Plate]:
    """How far two and more variants' maps agree on what all of them saw; none for one variant alone."""
    maps: dict[str, dict[str, Explanation]] = {}
    for name in COMPARED if len(studies) > 1 else ():
        each = {study.variant: getattr(study, name) for study in studies}
        if all(found is not None for found in each.values()):
            maps[name] = each
    if not maps:
        return []
    return [variants_plate({name: agreement_between_variants(each) for name, each in maps.items()})]


def plates_of(part: str, studies: Sequence[Study], upload: np.ndarray | None = None) -> list[Plate]:
    """The figures about one part of the studies: of those that have it, none where nobody does."""
    having = [study for study in studies if getattr(study, part) is not None]
    if not having:
        return []
    shown = Shown(having, [getattr(study, part) for study in having], upload)
    made = [row.make(shown) for row in PLATES if row.part == part]
    return [plate for one in made for plate in (one if isinstance(one, list) else [one])]


def _overview(studies: Sequence[Study], upload: np.ndarray | None, style: Style) -> Plate:
    names = [name for name in OVERVIEW if any(name in results(s) for s in studies)]
    shown = ", ".join(LOOKS[name].title for name in names) or "no map"
    return Plate(
        "sheet", "Overview", "One row a variant, one column a view, one colour scale a column.",
        f"The picture, the best answers and {shown} for {_named(studies)}.", " ".join(LIMITS),
        sheet(studies, upload, "", style, names),
    )  # fmt: skip


def _maps(studies: Sequence[Study], upload: np.ndarray | None, style: Style) -> list[Plate]:
    names = [name for name in MAPS if any(name in results(s) for s in studies)]
    if not names:
        return []
    return [
        Plate(
            "maps", "More maps of the same answer", "One row a variant, one column a method, one scale a column.",
            f"{', '.join(LOOKS[name].title for name in names)} for {_named(studies)}.",
            "Each method answers a question of its own, so they need not agree. How far each can be trusted stands "
            "below, under Trust.",
            sheet(studies, upload, "", style, names, answers=False),
        )
    ]  # fmt: skip


def _named(studies: Sequence[Study]) -> str:
    return " and ".join(study.variant for study in studies)
