"""Studies -> figures: the figures of one image, every variant on each, in the order in which one reads them.

A row of FIGURES names the part of a Study that it draws; variants that do not have it are left out of that figure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..draw import ablation_table, attention, erf, heads, heads_off, kernel_figures
from ..draw import sanity_checks as trusts
from ..draw.figure import StudyFigure
from ..draw.variants import variants_figure
from ..draw.views import MAP_STYLES, factor
from ..explain.attribution.methods import METHODS
from ..explain.erf.erf import erf_curves
from ..explain.sanity.agreement import agreement_between_variants
from ..labels import label_set
from ..results import Explanation
from ..study import OVERVIEW, Study
from .images import LIMITS, Style, results, sheet, source_crop

MAPS = tuple(name for name in MAP_STYLES if name not in OVERVIEW)
COMPARED = tuple(name for name in METHODS if name != "attention")  # whose results are Explanations
PHOTO = 768  # pixels of the photos that maps are drawn over
ACROSS = 3  # maps in a row of the sheet of maps: with more, captions are too small on a page


@dataclass(frozen=True)
class Shown:
    """The studies that have the part which a figure is about, and what it is drawn from."""

    studies: list[Study]
    found: list
    upload: np.ndarray | None

    @property
    def names(self) -> list[str]:
        return [study.model for study in self.studies]

    @property
    def learned(self) -> list[str]:
        """Those whose kernels are learned and not generated; a backbone has neither."""
        return [study.model for study in self.studies if not getattr(study.spec, "idconv", True)]

    @property
    def photos(self) -> list[np.ndarray]:
        return [source_crop(study, self.upload, PHOTO) for study in self.studies]


@dataclass(frozen=True)
class Row:
    """part: of a Study. make: the figures of all variants that have it."""

    part: str
    make: Callable[[Shown], StudyFigure | list[StudyFigure]]


def _change(shown: Shown) -> StudyFigure:
    pairs = [(photo, s.other_view) for photo, s in zip(shown.photos, shown.studies, strict=True)]
    same = all(s.clusters is not None for s in shown.studies)
    channels = [s.clusters.medoids for s in shown.studies] if same else None
    return kernel_figures.change_figure(shown.found, shown.names, pairs, channels)


def _spectra(shown: Shown) -> StudyFigure:
    generated, static = zip(*shown.found, strict=True)
    return kernel_figures.spectrum_figure(generated, static, shown.names)


def _ablation_table(shown: Shown) -> list[StudyFigure]:
    found = [ablation_table.ablation_table_figure(shown.found, shown.names)]
    stage = shown.studies[0].options.stage
    if any(head.stage == stage for result in shown.found for head in result.heads):
        found.append(heads_off.heads_off_figure(shown.found, shown.names, stage))
    return found


TRUST = (trusts.sanity_check_table, trusts.faithfulness_figure, trusts.randomization_figure, trusts.agreement_figure)
FIGURES = (
    Row("position_attention", lambda s: heads.heads_figure(s.found, s.names, s.photos)),
    Row("attention_depth", lambda s: attention.depth_figure(s.found, s.names)),
    Row("rollouts", lambda s: heads.rollout_figure(s.found, s.names, s.photos)),
    Row("pathway_energies", lambda s: attention.halves_figure(s.found, s.names)),
    Row("clusters", lambda s: kernel_figures.clusters_figure(s.found, s.names, s.learned)),
    Row("kernels", lambda s: kernel_figures.gates_figure(s.found, s.names)),
    Row("spectra", _spectra),
    Row("kernel_change", _change),
    Row("kernel_depth", lambda s: kernel_figures.kernel_depth_figure(s.found, s.names)),
    Row("erf_pathways", lambda s: erf.parts_figure(s.found, s.names, s.photos)),
    Row("receptive_field", lambda s: erf.curves_figure([erf_curves(f) for f in s.found], s.names)),
    Row("ablation_table", _ablation_table),
    Row("sanity_checks", lambda s: [study_figure(s.found, s.names) for study_figure in TRUST]),
)


def figures(
    studies: Sequence[Study], upload: np.ndarray | None = None, style: Style | None = None
) -> list[StudyFigure]:
    """Every figure that these studies of one image hold enough for.

    studies: one a variant, in the order of the rows. upload: uint8 (H, W, 3), the upright image, for sharper
    photos; None takes what the model saw.
    """
    style = style or Style()
    found = [_overview(studies, upload, style), *_maps(studies, upload, style)]
    for row in FIGURES:
        found += figures_for(row.part, studies, upload)
    return [*found, *between_variants(studies)]


def between_variants(studies: Sequence[Study]) -> list[StudyFigure]:
    """How far two and more variants' maps agree on what all of them saw; none for one variant alone.

    Maps about an answer are compared only where all variants explain the same class, `contrast` only where they set it
    against the same one; the caption names those left out.
    """
    there = [name for name in COMPARED if all(getattr(study, name) is not None for study in studies)]
    if len(studies) < 2 or not there:
        return []
    compared = [name for name in there if _same_question(name, studies)]
    left_out = [MAP_STYLES[name].title for name in there if name not in compared]
    if not compared:
        return []
    said = f"Left out: {', '.join(left_out)}, as the variants explain different classes ({_answers(studies)})."
    maps = {name: {study.model: getattr(study, name) for study in studies} for name in compared}
    return [
        variants_figure(
            {name: agreement_between_variants(each) for name, each in maps.items()},
            {name: [factor(found) for found in each.values()] for name, each in maps.items()},
            said if left_out else "",
        )
    ]


def _same_question(name: str, studies: Sequence[Study]) -> bool:
    """Whether these variants' maps ask about the same class, by WNID: they number classes each in its own way."""
    if not METHODS[name].about_class:
        return True
    asked = {(study.target.wnid, _contrast_target(study, getattr(study, name))) for study in studies}
    return len(asked) == 1


def _contrast_target(study: Study, found: Explanation) -> str:
    """WNID of the class that a map sets the explained one against; '' where it has none."""
    index = found.numbers.get("contrast_index")
    return "" if index is None else label_set(study.spec.label_set).wnids[int(index)]


def _answers(studies: Sequence[Study]) -> str:
    """Whose maps are of which class: "pico: cougar against Chihuahua; …" where there is a contrast."""
    said = []
    for study in studies:
        against = "" if study.contrast is None else _against(study)
        said.append(f"{study.model}: {study.target.label}{against}")
    return "; ".join(said)


def _against(study: Study) -> str:
    return f" against {label_set(study.spec.label_set).names[int(study.contrast.numbers['contrast_index'])]}"


def figures_for(part: str, studies: Sequence[Study], upload: np.ndarray | None = None) -> list[StudyFigure]:
    """The figures about one part of the studies: of those that have it, none where nobody does."""
    having = [study for study in studies if getattr(study, part) is not None]
    if not having:
        return []
    shown = Shown(having, [getattr(study, part) for study in having], upload)
    made = [row.make(shown) for row in FIGURES if row.part == part]
    return [study_figure for one in made for study_figure in (one if isinstance(one, list) else [one])]


def _overview(studies: Sequence[Study], upload: np.ndarray | None, style: Style) -> StudyFigure:
    names = [name for name in OVERVIEW if any(name in results(s) for s in studies)]
    shown = ", ".join(MAP_STYLES[name].title for name in names) or "no map"
    return StudyFigure(
        "sheet", "Overview", "One row a variant, one column a view, one color scale a column.",
        f"The image, the best answers and {shown} for {_named(studies)}.", " ".join(LIMITS),
        sheet(studies, upload, "", style, names),
    )  # fmt: skip


def _maps(studies: Sequence[Study], upload: np.ndarray | None, style: Style) -> list[StudyFigure]:
    names = [name for name in MAPS if any(name in results(s) for s in studies)]
    if not names:
        return []
    return [
        StudyFigure(
            "maps", "More maps of the same answer", "One row a variant, one column a method, one scale a column.",
            f"{', '.join(MAP_STYLES[name].title for name in names)} for {_named(studies)}.",
            "Each method answers a question of its own, so they need not agree. How far each can be trusted stands "
            "below, under Trust.",
            _below_each_other([
                sheet(studies, upload, "", style, names[i : i + ACROSS], answers=False)
                for i in range(0, len(names), ACROSS)
            ]),
        )
    ]  # fmt: skip


def _below_each_other(sheets: Sequence[np.ndarray]) -> np.ndarray:
    """uint8 (H, W, 3) each, white to the right of those that are narrower."""
    wide = max(one.shape[1] for one in sheets)
    return np.vstack([np.pad(one, ((0, 0), (0, wide - one.shape[1]), (0, 0)), constant_values=255) for one in sheets])


def _named(studies: Sequence[Study]) -> str:
    return " and ".join(study.model for study in studies)
