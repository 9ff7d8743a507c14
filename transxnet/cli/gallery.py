"""`python -m transxnet gallery`: every figure of one photo as a Markdown page, as in assets/gallery."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..output import check_output
from .common import AddOption, add_model_options, explained_write_errors, image_limits, load_model, model_names

if TYPE_CHECKING:
    from ..draw.figure import StudyFigure
    from ..images import SourceImage
    from ..study import Study, StudyOptions
    from ..weights.load import LoadedModel

ERF_STAGE = 1  # of the receptive fields: units of this stage see only part of the image
SIZE = 512  # side of the model input of the published ERF protocol, pixels


def add_options(add: AddOption) -> None:
    """Define the options of `gallery`."""
    add("image", "photo to explain", metavar="IMAGE", type=Path)
    add("--reference", "reference image, to compare kernels with", type=Path, metavar="IMAGE")
    add_model_options(add, default="pico,t@untrained")
    add("--backbones", "other backbones in the figure of the published ERF protocol", default="", metavar="A,B")
    add("--out", "output folder: README.md and images", required=True, type=Path, metavar="DIR")


def run(args: argparse.Namespace) -> int:
    """Study the photo with all models, draw every figure, write the page."""
    from ..export.gallery import provenance_lines, write_gallery
    from ..export.records import versions
    from ..export.report import without_folders
    from ..images import decode

    check_output(args.out)
    image, reference = (
        decode(path, name=path.name, limits=image_limits(args)) if path else None
        for path in (args.image, args.reference)
    )
    models = [load_model(name, args) for name in model_names(args)]
    figures = _study_figures(models, image, reference, args.reference.name if args.reference else "")
    weights = {m.name: f"{m.provenance.short()}. {m.provenance.note}".strip() for m in models}
    command = shlex.join(["python", "-m", "transxnet", *without_folders(args.argv)])
    introduction = [
        f"Every figure of this project for one photo (`{args.image.name}`). Random weights are included for "
        "comparison: what they show as well comes from the architecture, not from training.",
        provenance_lines(weights),
        f"Made by `{command}`, with {', '.join(f'{name} {version}' for name, version in versions().items())}.",
    ]
    with explained_write_errors():
        print(write_gallery(args.out, [*figures, _protocol_figure(args, image)], introduction))
    return 0


def _study_figures(
    models: Sequence[LoadedModel], image: SourceImage, reference: SourceImage | None, reference_name: str
) -> list[StudyFigure]:
    """All figures for a unit in the middle of stage 3; receptive fields at ERF_STAGE, where pathways differ."""
    from ..export.figures import figures, figures_for
    from ..study import FIGURE_ANALYSES, StudyOptions

    erf_analyses = ("erf_pathways", "receptive_field")
    studies = _studies(models, image, reference, StudyOptions(analyses=FIGURE_ANALYSES), reference_name)
    erf_studies = _studies(models, image, None, StudyOptions(stage=ERF_STAGE, analyses=erf_analyses))
    erf_figures = {
        study_figure.name: study_figure
        for analysis in erf_analyses
        for study_figure in figures_for(analysis, erf_studies, image.rgb)
    }
    return [erf_figures.get(study_figure.name, study_figure) for study_figure in figures(studies, image.rgb)]


def _studies(
    models: Sequence[LoadedModel], image: SourceImage, reference: SourceImage | None, options: StudyOptions,
    reference_name: str = "",
) -> list[Study]:  # fmt: skip
    """One study per model; all explain the first model's top prediction, if they have that class."""
    from ..study import study

    studies: list[Study] = []
    for model in models:
        studies.append(study(model, image, options, reference, reference_name=reference_name))
        first = studies[0]
        options = replace(
            options, target=first.target.wnid, allow_missing_target=True, contrast_target=first.contrast_target,
            position=first.position,
        )  # fmt: skip
    return studies


def _protocol_figure(args: argparse.Namespace, image: SourceImage) -> StudyFigure:
    """The published ERF protocol on this photo, for all models and the other backbones."""
    from ..draw.erf import erf_protocol_figure
    from ..explain.erf.protocol import published_erf

    names = model_names(args, [args.models, args.backbones])
    models = [load_model(name, args, image_size=SIZE) for name in names]
    return erf_protocol_figure([published_erf(model, [image.rgb], SIZE) for model in models], [m.name for m in models])
