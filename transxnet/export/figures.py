"""Studies -> figures: all figures of one image, every model on each, in reading order.

A row of FIGURES names the part of a Study that it draws; models without that part are left out of the figure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..draw import ablation_table, attention, erf, kernel_figures, sanity_checks, strings
from ..draw.figure import StudyFigure
from ..draw.fonts import numbered_classes
from ..draw.styles import MAP_STYLES, display_factor
from ..draw.variants import model_agreement_figure
from ..explain.attribution.methods import METHODS
from ..explain.erf.erf import erf_curves
from ..explain.sanity.agreement import agreement_between_models
from ..messages import Message
from ..results import Explanation
from ..study import OVERVIEW_ANALYSES, Study
from .images import LIMITS, Style, class_numbers, overview_sheet, results, source_crop

MAPS = tuple(name for name in MAP_STYLES if name not in OVERVIEW_ANALYSES)
COMPARED = tuple(name for name in METHODS if name != "attention")  # whose results are Explanations
PHOTO = 768  # pixels of the photos below maps
IN_A_ROW = 3  # maps on a sheet: with more, captions are too small on a page


@dataclass(frozen=True)
class FigureInput:
    """The studies that have the part of a figure, and that part of each."""

    studies: list[Study]
    results: list
    image: np.ndarray | None

    @property
    def names(self) -> list[str]:
        return [study.model for study in self.studies]

    @property
    def learned(self) -> list[str]:
        """Models whose kernels are learned and not generated; other backbones have neither."""
        return [study.model for study in self.studies if not getattr(study.spec, "idconv", True)]

    @property
    def photos(self) -> list[np.ndarray]:
        return [source_crop(study, self.image, PHOTO) for study in self.studies]


def _kernel_change(given: FigureInput) -> StudyFigure:
    pairs = [(photo, s.reference_crop) for photo, s in zip(given.photos, given.studies, strict=True)]
    have_clusters = all(s.clusters is not None for s in given.studies)
    channels = [s.clusters.medoids for s in given.studies] if have_clusters else None
    return kernel_figures.kernel_change_figure(given.results, given.names, pairs, channels)


def _ablations(given: FigureInput) -> list[StudyFigure]:
    figures = [ablation_table.ablation_table_figure(given.results, given.names)]
    stage = given.studies[0].options.stage
    if any(head.stage == stage for result in given.results for head in result.heads):
        figures.append(ablation_table.ablation_heads_figure(given.results, given.names, stage))
    return figures


SANITY_CHECKS = (
    sanity_checks.sanity_check_table, sanity_checks.faithfulness_figure, sanity_checks.randomization_figure,
    sanity_checks.agreement_figure,
)  # fmt: skip
FIGURES: tuple[tuple[str, Callable[[FigureInput], StudyFigure | list[StudyFigure]]], ...] = (
    ("position_attention", lambda f: attention.attention_heads_figure(f.results, f.names, f.photos)),
    ("attention_depth", lambda f: attention.attention_depth_figure(f.results, f.names)),
    ("rollouts", lambda f: attention.rollout_figure(f.results, f.names, f.photos)),
    ("pathway_energies", lambda f: attention.pathway_energy_figure(f.results, f.names)),
    ("clusters", lambda f: kernel_figures.kernel_clusters_figure(f.results, f.names, f.learned)),
    ("kernels", lambda f: kernel_figures.mixing_weights_figure(f.results, f.names)),
    ("spectra", lambda f: kernel_figures.kernel_spectrum_figure(*zip(*f.results, strict=True), f.names)),
    ("kernel_change", _kernel_change),
    ("kernel_depth", lambda f: kernel_figures.kernel_depth_figure(f.results, f.names)),
    ("erf_pathways", lambda f: erf.erf_pathways_figure(f.results, f.names, f.photos)),
    ("receptive_field", lambda f: erf.erf_curves_figure([erf_curves(r) for r in f.results], f.names)),
    ("ablation_table", _ablations),
    ("sanity_checks", lambda f: [make(f.results, f.names) for make in SANITY_CHECKS]),
)


def figures(studies: Sequence[Study], image: np.ndarray | None = None, style: Style | None = None) -> list[StudyFigure]:
    """All figures for which these studies of one image hold results.

    Args:
        studies: One a model, in the order of the rows.
        image: uint8 (H, W, 3), the upright source image, for sharper photos; None takes the model's crop.
        style: Display settings of the overview.
    """
    style = style or Style()
    drawn = [_overview(studies, image, style), *_more_maps(studies, image, style)]
    for part, _ in FIGURES:
        drawn += figures_for(part, studies, image)
    return [*drawn, *model_agreement(studies)]


def figures_for(part: str, studies: Sequence[Study], image: np.ndarray | None = None) -> list[StudyFigure]:
    """The figures about one part of the studies, of those that have it; none where no study has it."""
    with_part = [study for study in studies if getattr(study, part) is not None]
    if not with_part:
        return []
    given = FigureInput(with_part, [getattr(study, part) for study in with_part], image)
    with numbered_classes(class_numbers(studies)):
        drawn = [make(given) for name, make in FIGURES if name == part]
    return [figure for entry in drawn for figure in (entry if isinstance(entry, list) else [entry])]


def model_agreement(studies: Sequence[Study]) -> list[StudyFigure]:
    """How far the maps of several models agree on what all of them see; none for a single model.

    Maps about a class are compared only where all models explain the same class, `contrast` only where they also
    contrast it with the same one; the caption names the maps left out.
    """
    available = [name for name in COMPARED if all(getattr(study, name) is not None for study in studies)]
    if len(studies) < 2 or not available:
        return []
    compared = [name for name in available if _same_question(name, studies)]
    left_out = [MAP_STYLES[name].title for name in available if name not in compared]
    if not compared:
        return []
    note = Message(
        strings.VARIANTS_LEFT_OUT, maps=", ".join(left_out),
        classes="; ".join(f"{study.model}: {_classes(study)}" for study in studies),
    ) if left_out else ""  # fmt: skip
    maps = {name: {study.model: getattr(study, name) for study in studies} for name in compared}
    agreements = {name: agreement_between_models(by_model) for name, by_model in maps.items()}
    factors = {name: [display_factor(result) for result in by_model.values()] for name, by_model in maps.items()}
    with numbered_classes(class_numbers(studies)):
        return [model_agreement_figure(agreements, factors, note)]


def _same_question(name: str, studies: Sequence[Study]) -> bool:
    """Whether the maps are about the same class, by WNID, since models number classes differently."""
    if not METHODS[name].about_class:
        return True
    return len({(study.target.wnid, _contrast_wnid(study, getattr(study, name))) for study in studies}) == 1


def _contrast_wnid(study: Study, result: Explanation) -> str:
    """WNID of the class with which a map contrasts the target; '' where it has none."""
    index = result.numbers.get("contrast_index")
    return "" if index is None else study.spec.labels.wnids[int(index)]


def _classes(study: Study) -> str:
    """ "cougar", or "cougar against Chihuahua" where there is a contrast."""
    if study.contrast is None:
        return study.target.label
    other = study.spec.labels.names[int(study.contrast.numbers["contrast_index"])]
    return f"{study.target.label} against {other}"


def _overview(studies: Sequence[Study], image: np.ndarray | None, style: Style) -> StudyFigure:
    names = [name for name in OVERVIEW_ANALYSES if any(name in results(s) for s in studies)]
    titles = ", ".join(MAP_STYLES[name].title for name in names) or "no map"
    return StudyFigure(
        "sheet", strings.SHEET_TITLE, strings.SHEET_CAPTION,
        f"The image, the predictions and {titles} for {' and '.join(s.model for s in studies)}.", " ".join(LIMITS),
        overview_sheet(studies, image, "", style, names),
    )  # fmt: skip


def _more_maps(studies: Sequence[Study], image: np.ndarray | None, style: Style) -> list[StudyFigure]:
    names = [name for name in MAPS if any(name in results(s) for s in studies)]
    if not names:
        return []
    sheets = [
        overview_sheet(studies, image, "", style, names[i : i + IN_A_ROW], with_predictions=False)
        for i in range(0, len(names), IN_A_ROW)
    ]
    widest = max(sheet.shape[1] for sheet in sheets)
    padded = [np.pad(s, ((0, 0), (0, widest - s.shape[1]), (0, 0)), constant_values=255) for s in sheets]
    titles = ", ".join(MAP_STYLES[name].title for name in names)
    return [StudyFigure(
        "maps", strings.MAPS_TITLE,
        strings.MAPS_CAPTION, f"{titles} for {' and '.join(s.model for s in studies)}.",
        strings.MAPS_LIMITS, np.vstack(padded),
    )]  # fmt: skip
