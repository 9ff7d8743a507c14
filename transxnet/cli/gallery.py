"""`python -m transxnet gallery`: every figure for one photo as a page of images, as in assets/gallery."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..output import check_output
from .common import load_model, models_in, written

if TYPE_CHECKING:
    from ..draw.figure import StudyFigure
    from ..images import SourceImage
    from ..study import Study, StudyOptions
    from ..weights.load import LoadedModel

NEAR = 1  # stage of the receptive fields: its units still see a part of the image only
SIZE = 512  # pixels of the published protocol's view


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE", type=Path, help="photo")
    parser.add_argument("--against", type=Path, metavar="IMAGE", help="second photo, to compare kernels with")
    parser.add_argument("--models", default="pico,t@untrained", metavar="A,B", help="rows (pico,t@untrained)")
    parser.add_argument("--backbones", default="", metavar="A,B", help="beside them in the published receptive field")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for README.md and the images")
    parser.set_defaults(run=run_gallery)


def run_gallery(args: argparse.Namespace) -> int:
    """Study the photo by all models, draw everything, write the page."""
    from ..export.gallery import provenance_lines, write_gallery
    from ..export.records import versions
    from ..export.report import without_folders
    from ..images import decode

    check_output(args.out)
    image = decode(args.image, name=args.image.name)
    other = decode(args.against, name=args.against.name) if args.against else None
    models = [load_model(name, args) for name in models_in(args.models)]
    figures = [*_studied(models, image, other, args.against.name if args.against else ""), *_published(args, image)]
    words = {m.name: f"{m.provenance.short()}. {m.provenance.note}".strip() for m in models}
    command = shlex.join(["python", "-m", "transxnet", *without_folders(args.argv)])
    about = [
        f"One photo (`{args.image.name}`), looked at in every way this project has. Random weights are there for "
        "comparison: what an untrained model shows too is the architecture's doing, not something learned.",
        provenance_lines(words),
        f"Made by `{command}`, with {', '.join(f'{name} {version}' for name, version in versions().items())}.",
    ]
    with written():
        print(write_gallery(args.out, figures, about))
    return 0


def _studied(
    models: Sequence[LoadedModel], image: SourceImage, other: SourceImage | None, words: str
) -> list[StudyFigure]:
    """Everything about a unit in the middle of stage 3; its receptive field in an early stage, where parts differ."""
    from ..export.figures import figures, figures_for
    from ..study import DRAWN, StudyOptions

    early = ("erf_pathways", "receptive_field")
    main = _studies(models, image, other, StudyOptions(only=DRAWN), words)
    near = _studies(models, image, None, StudyOptions(stage=NEAR, only=early))
    about_fields = [study_figure for part in early for study_figure in figures_for(part, near, image.rgb)]
    theirs = {study_figure.name: study_figure for study_figure in about_fields}
    return [theirs.get(study_figure.name, study_figure) for study_figure in figures(main, image.rgb)]


def _studies(
    models: Sequence[LoadedModel], image: SourceImage, other: SourceImage | None, options: StudyOptions, words: str = ""
) -> list[Study]:
    """One a model; all explain the first one's answer where they know it."""
    from ..study import study

    found: list[Study] = []
    for model in models:
        found.append(study(model, image, options, other, other_words=words))
        options = replace(options, target=found[0].target.wnid, follow=True, contrast_target=found[0].contrast_target)
    return found


def _published(args: argparse.Namespace, image: SourceImage) -> list[StudyFigure]:
    """The published protocol over this one photo, other backbones beside."""
    from ..draw.erf import protocol_figure
    from ..explain.erf.protocol import published_erf
    from ..weights.load import load

    names = (*models_in(args.models), *models_in(args.backbones))
    places = {"weights_dir": args.weights_dir, "hub_namespace": args.hub_namespace}
    models = [load(name, None, args.device, image_size=SIZE, **places) for name in names]
    return [protocol_figure([published_erf(model, [image.rgb], SIZE) for model in models], [m.name for m in models])]
