"""`python -m transxnet study`: every question about every picture, written as files."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import LensError, OutOfRange, UnknownName
from ..variants import VariantSpec, parse_variant
from .common import cam_stage, failure, load_model, names_in, pictures_in, places_of, point, written

if TYPE_CHECKING:
    from ..study import Options, Study
    from ..weights import LoadedModel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="+", metavar="IMAGE", type=Path, help="picture, or folder of pictures")
    parser.add_argument("--models", default="pico", metavar="A,B", help="variants, first to last row (pico)")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for manifest.json and the files")
    parser.add_argument("--stage", type=int, default=3, help="of attention, kernels and receptive field, 1 to 4 (3)")
    parser.add_argument("--block", type=int, default=0, help="of attention and kernels, from 1; 0 is the last (0)")
    parser.add_argument("--head", type=int, default=0, help="of attention as drawn, from 1; 0 is the mean (0)")
    parser.add_argument("--point", type=point, metavar="X,Y", help="pixel of the upright picture; the middle without")
    parser.add_argument(
        "--class", dest="target", metavar="NAME",
        help="explained class: words, WNID or index; without, the first model's top answer",
    )  # fmt: skip
    parser.add_argument("--cam-stage", type=cam_stage, default=4, help="of Grad-CAM: 1 to 4, or head (4)")
    parser.add_argument(
        "--also", type=names_in, default=(), metavar="METHOD,…", help="integrated_gradients, occlusion: slower"
    )
    parser.set_defaults(run=run_study)


def run_study(args: argparse.Namespace) -> int:
    """Explain every picture by every model, and write what was found; the manifest comes last."""
    from ..export.files import write_manifest
    from ..export.records import versions
    from ..study import OVERVIEW, Options

    names = names_in(args.models)
    _check(args, [parse_variant(name)[0] for name in names])
    options = Options(args.stage, args.block, args.point, args.target, args.cam_stage, (*OVERVIEW, *args.also))
    paths = pictures_in(args.images)
    models = [load_model(name, args) for name in names]
    entries, failed = [], []
    with written():
        for path, place in zip(paths, places_of(paths), strict=True):
            entries += _study_picture(path, place, models, options, args, failed)
        manifest = {
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": ["python", "-m", "transxnet", *args.argv],
            "versions": versions(),
            "pictures": entries,
            "failed": failed,
        }
        print(write_manifest(args.out, manifest))
    return 1 if failed else 0


def _study_picture(
    path: Path, place: str, models: Iterable[LoadedModel], options: Options, args: argparse.Namespace, failed: list
) -> list[dict[str, object]]:
    """Write one picture's files; its part of the manifest, or none where nothing could be explained."""
    from ..export.files import write_picture
    from ..export.pictures import Style
    from ..images import decode

    try:
        picture = decode(path, name=path.name)
    except LensError as error:
        failed.append(failure(path, "", error))
        return []
    studies = list(_studies(models, picture, options, path, failed))
    if not studies:
        return []
    entry = write_picture(args.out, place, studies, picture.rgb, path.name, Style(args.head))
    print(args.out / entry["sheet"], flush=True)
    return [entry | {"image": str(path)}]


def _studies(models: Iterable[LoadedModel], picture, options: Options, path: Path, failed: list) -> Iterator[Study]:
    """One study a model. Without a class asked for, all explain the first one's top answer, so that maps compare."""
    from ..study import study

    for model in models:
        try:
            made = study(model, picture, options)
        except LensError as error:
            failed.append(failure(path, model.name, error))
            continue
        if options.target is None:
            options = replace(options, target=made.target.wnid)
        yield made


def _check(args: argparse.Namespace, specs: Sequence[VariantSpec]) -> None:
    """Refuse, before anything is loaded, what no picture could make right. Raises OutOfRange or UnknownName."""
    from ..labels import label_set
    from ..study import PARTS

    for spec in specs:
        _within(f"{spec.short} has no stage", args.stage, 1, len(spec.depths))
        _within(f"Stage {args.stage} of {spec.short} has no block", args.block, 0, spec.depths[args.stage - 1])
        _within(f"Stage {args.stage} of {spec.short} has no head", args.head, 0, spec.heads[args.stage - 1])
        if args.cam_stage != "head":
            _within(f"{spec.short} has no stage", args.cam_stage, 1, len(spec.depths))
    for name in args.also:
        if name not in PARTS:
            raise UnknownName(f"There is no method called {name!r}.", remedy=f"Choose some of: {', '.join(PARTS)}.")
    if args.target is not None:  # at least one of the models must know the class
        for position, spec in enumerate(specs, 1):
            try:
                label_set(spec.label_set).find(args.target)
                break
            except LensError:
                if position == len(specs):
                    raise


def _within(lack: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise OutOfRange(f"{lack} {value}.", remedy=f"Choose {low} to {high}.")
