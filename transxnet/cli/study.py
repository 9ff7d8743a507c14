"""`python -m transxnet study`: every question about every image, written as files and one report.

Processes that torchrun started divide the images. With --resume those that an earlier run finished are not looked at
again (looking.py).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..backbones.spec import BackboneSpec, spec_of
from ..errors import LensError, OutOfRange, UnknownName, quote
from ..output import check_output
from ..variants import VariantSpec
from .common import cam_layer, images_in, load_models, models_in, names_in, places_of, position, written
from .study_images import Looked, Run, in_order, look_at, write
from .study_timing import in_words, timing

if TYPE_CHECKING:
    from ..distributed import Worker
    from ..study import StudyOptions


ALL = "all"  # of --only


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="+", metavar="IMAGE", type=Path, help="image, or folder of images")
    parser.add_argument("--models", default="pico", metavar="A,B", help="variants, timm:NAMEs, in their order (pico)")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for report.html and the files")
    parser.add_argument(
        "--only",
        type=names_in,
        default=(),
        metavar="PART,…",
        help="these parts, or all; without, all but occlusion, the slowest",
    )
    parser.add_argument("--stage", type=int, default=3, help="of attention, kernels and receptive field, 1 to 4 (3)")
    parser.add_argument("--block", type=int, default=0, help="of attention and kernels, from 1; 0 is the last (0)")
    parser.add_argument("--head", type=int, default=0, help="of attention as drawn, from 1; 0 is the mean (0)")
    parser.add_argument("--point", type=position, metavar="X,Y", help="pixel of the upright image; the middle without")
    parser.add_argument(
        "--class", dest="target", metavar="NAME",
        help="explained class: words, WNID or index; without, the first model's top answer",
    )  # fmt: skip
    parser.add_argument("--cam-stage", type=cam_layer, default=4, help="of Grad-CAM: 1 to 4, or head (4)")
    parser.add_argument(
        "--against", type=Path, metavar="IMAGE", help="image to compare kernels with; without, the next one given"
    )
    parser.add_argument(
        "--thorough", action="store_true", help="sanity_checks: the full cascade for the dear methods, too"
    )
    parser.add_argument("--resume", action="store_true", help="images that an earlier run finished stay as they are")
    parser.set_defaults(run=run_study)


def run_study(args: argparse.Namespace) -> int:
    """Explain every image by every model, and write what was found; report and manifest come last."""
    from ..distributed import workers

    begun, names = time.perf_counter(), models_in(args.models)
    _check(args, [spec_of(name)[0] for name in names])
    paths = images_in(args.images, but=args.out)
    check_output(args.out, resume=args.resume)
    with workers(args.device) as worker, written():
        args.device = str(worker.device)
        run = Run(args, _options(args), paths, load_models(names, args))
        mine = list(zip(paths, places_of(paths), strict=True))[worker.rank :: worker.size]
        entries = []
        for (path, _), found in zip(mine, in_order(lambda one: look_at(run, *one), mine, run.models), strict=True):
            entry = write(run, found) if isinstance(found, Looked) else found
            entries += [entry | {"image": str(path)}] if entry else []
        return _finish(run, worker, entries, begun)


def _options(args: argparse.Namespace) -> StudyOptions:
    from ..study import DEFAULT, DRAWN, StudyOptions

    return StudyOptions(
        stage=args.stage, block=args.block, position=args.position, target=args.target, cam_layer=args.cam_layer,
        only=DRAWN if args.only == (ALL,) else args.only or DEFAULT, thorough=args.thorough,
    )  # fmt: skip


def _finish(run: Run, worker: Worker, entries: list[dict[str, Any]], begun: float) -> int:
    """Everybody's images in the order given, as report.html and manifest.json, by the chief."""
    from ..export.files import write_manifest, write_reports
    from ..export.records import versions

    parts = worker.gather((entries, run.failed))
    if parts is None:
        return 0  # the chief tells
    order = {str(path): position for position, path in reversed(list(enumerate(run.paths)))}
    images, failed = ([one for part in parts for one in part[i]] for i in (0, 1))
    manifest = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": ["python", "-m", "transxnet", *run.args.argv],
        "versions": versions(),
        "images": sorted(images, key=lambda entry: order[entry["image"]]),
        "failed": sorted(failed, key=lambda entry: order[entry["image"]]),
    }
    for path in write_reports(run.args.out, manifest):
        print(path)
    if run.looked:  # by the chief, where there are several
        manifest["timing"] = timing(time.perf_counter() - begun, run.looked, run.models)
        print(in_words(manifest["timing"]))
    print(write_manifest(run.args.out, manifest))
    return 1 if failed else 0


def _check(args: argparse.Namespace, specs: Sequence[VariantSpec | BackboneSpec]) -> None:
    """Refuse, before anything is loaded, what no image could make right. Raises OutOfRange or UnknownName.

    Blocks and heads are for the TransXNets among the models; a backbone beside them takes each stage as a whole.
    """
    from ..study import ANALYSES

    if not specs:
        raise OutOfRange("--models names no model.", remedy="Name a variant, or several with commas.")
    for spec in specs:
        _within(f"{spec.short} has no stage", args.stage, 1, len(spec.depths))
        if args.cam_layer != "head":
            _within(f"{spec.short} has no stage", args.cam_layer, 1, len(spec.depths))
    for spec in [spec for spec in specs if isinstance(spec, VariantSpec)] or specs:
        _within(f"Stage {args.stage} of {spec.short} has no block", args.block, 0, spec.depths[args.stage - 1])
        _within(f"Stage {args.stage} of {spec.short} has no head", args.head, 0, spec.heads[args.stage - 1])
    for name in args.only:
        if name not in ANALYSES and args.only != (ALL,):
            raise UnknownName(
                f"There is no part called {quote(name)}.", remedy=f"Choose some of: {', '.join(ANALYSES)}."
            )
    if args.target is not None:
        _somebody_knows(args.target, specs)


def _somebody_knows(target: str, specs: Sequence[VariantSpec | BackboneSpec]) -> None:
    """At least one of the models must know the class."""
    from ..labels import label_set

    for i, spec in enumerate(specs, 1):
        try:
            label_set(spec.label_set).find(target)
            return
        except LensError:
            if i == len(specs):
                raise


def _within(lack: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise OutOfRange(f"{lack} {value}.", remedy=f"Choose {low} to {high}." if high > low else f"Leave it at {low}.")
