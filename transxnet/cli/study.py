"""`python -m transxnet study`: explain images with several models; write figures, raw arrays, a report and a manifest.

Processes started by torchrun divide the images. With --resume, images that an earlier run finished are kept
(study_images.py).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import Field, fields
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from ..backbones.spec import BackboneSpec, spec_of
from ..errors import LensError, OutOfRange, check_name
from ..export.map_options import MapFileOptions
from ..output import check_output
from ..process_settings import without_tf32
from ..variants import VariantSpec
from .common import (
    AddOption,
    add_image_size_option,
    add_images_argument,
    add_model_options,
    explained_write_errors,
    find_images,
    folder_names,
    load_models,
    model_names,
    position,
    split_names,
)
from .study_images import ImageStudies, Run, map_concurrently, study_image, write_image_files

if TYPE_CHECKING:
    from ..distributed import Worker
    from ..study import StudyOptions
    from ..weights.load import LoadedModel

ALL = "all"  # value of --analyses
TIMED_PASSES = 7  # forward passes of each model that are timed, after one that warms up


def add_options(add: AddOption) -> None:
    """Define the options of `study`."""
    add_images_argument(add)
    add_model_options(add)
    add_image_size_option(add)
    add("--out", "output folder: report.html and files", required=True, type=Path, metavar="DIR")
    text, default = f"analyses to run, comma-separated, or {ALL}", "all except occlusion, the slowest"
    add("--analyses", text, type=split_names, metavar="A,B", default=(), default_text=default)
    add("--stage", "stage of attention, kernels and ERF", type=int, default=3, metavar="{1,2,3,4}")
    text = "block of attention and kernels, from 1; 0 = last block of the stage"
    add("--block", text, type=int, default=0, metavar="N")
    add("--head", "attention head to draw, from 1; 0 = mean", type=int, default=0, metavar="N")
    text = "query position: pixel after EXIF rotation"
    add("--position", text, type=position, metavar="X,Y", default_text="center")
    text, default = "class to explain: name, WNID or index", "top prediction of the first model"
    add("--target", text, metavar="CLASS", default_text=default)
    text = "Grad-CAM layer: a stage (4), a block (3.2), head, or a module (network.4.1.norm2); L,L combines several"
    add("--cam-layer", text, default="4", metavar="LAYER")
    text = "reference image, to compare kernels with"
    add("--reference", text, type=Path, metavar="IMAGE", default_text="the next image")
    text = "sanity checks: run the full randomization cascade for expensive methods as well"
    add("--full-cascade", text, action="store_true")
    for option in fields(MapFileOptions):
        _add_map_option(add, option)
    add("--resume", "skip images already finished", action="store_true")


def _add_map_option(add: AddOption, option: Field) -> None:
    """An option of MapFileOptions. Files of single maps are written where a format is chosen."""
    name, text = f"--map-{option.name.replace('_', '-')}", f"files of single maps: {option.metadata['description']}"
    if isinstance(option.default, bool):
        add(name, text, action=argparse.BooleanOptionalAction, default=option.default, default_text="yes")
        return
    default = None if option.name == "format" else option.default
    default_text = "no such files" if option.name == "format" else ""
    choices = option.metadata["choices"]
    add(name, text, type=type(choices[0]), choices=choices, default=default, default_text=default_text)


def _map_options(args: argparse.Namespace) -> MapFileOptions | None:
    values = {option.name: getattr(args, f"map_{option.name}") for option in fields(MapFileOptions)}
    return MapFileOptions(**values) if values["format"] else None


def run(args: argparse.Namespace) -> int:
    """Explain every image with every model and write the results; report and manifest come last."""
    from ..distributed import process_group

    start, names = time.perf_counter(), model_names(args)
    _check_arguments(args, [spec_of(name)[0] for name in names])
    paths = find_images(args.images, exclude=args.out)
    check_output(args.out, resume=args.resume)
    with process_group(args.device) as worker, explained_write_errors():
        args.device = str(worker.device)
        run = Run(args, _study_options(args), paths, load_models(names, args, args.image_size), _map_options(args))
        images = list(zip(paths, folder_names(paths), strict=True))[worker.rank :: worker.world_size]
        results = map_concurrently(lambda image: study_image(run, *image), images, run.models)
        entries = []
        for (path, _), result in zip(images, results, strict=True):
            entry = write_image_files(run, result) if isinstance(result, ImageStudies) else result
            if entry:
                entries.append(entry | {"image": str(path)})
        return _write_manifest(run, worker, entries, start)


def _study_options(args: argparse.Namespace) -> StudyOptions:
    from ..study import DEFAULT_ANALYSES, FIGURE_ANALYSES, StudyOptions

    return StudyOptions(
        stage=args.stage, block=args.block, position=args.position, target=args.target, cam_layer=args.cam_layer,
        analyses=FIGURE_ANALYSES if args.analyses == (ALL,) else args.analyses or DEFAULT_ANALYSES,
        full_cascade=args.full_cascade,
    )  # fmt: skip


def _write_manifest(run: Run, worker: Worker, entries: list[dict[str, Any]], start: float) -> int:
    """Collect all processes' entries; the main one writes report.html and manifest.json. Returns the exit code."""
    from ..export.files import write_manifest, write_reports
    from ..export.records import versions

    parts = worker.gather((entries, run.failures))
    if parts is None:
        return 0  # the main process reports
    order = {str(path): number for number, path in reversed(list(enumerate(run.paths)))}
    images, failures = (
        sorted((entry for part in parts for entry in part[i]), key=lambda entry: order[entry["image"]]) for i in (0, 1)
    )
    manifest = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": ["python", "-m", "transxnet", *run.args.argv],
        "versions": versions(),
        "images": images,
        "failed": failures,
    }
    for path in write_reports(run.args.out, manifest):
        print(path)
    if run.num_studied:  # by the main process, where there are several
        manifest["timing"] = timing(time.perf_counter() - start, run.num_studied, run.models)
        print(timing_text(manifest["timing"]))
    print(write_manifest(run.args.out, manifest))
    return 1 if failures else 0


# --- Arguments that are refused before anything is loaded -------------------------------------------------------------


def _check_arguments(args: argparse.Namespace, specs: Sequence[VariantSpec | BackboneSpec]) -> None:
    """Raises OutOfRange or UnknownName for options that no image could make valid.

    Blocks and heads are checked for the TransXNets among the models: other backbones have only stages.
    """
    from ..explain.attribution.cam_layers import parse_cam_layers
    from ..study import ANALYSES

    for spec in specs:
        _check_range(f"{spec.short} has no stage", args.stage, 1, len(spec.depths))
        for layer in parse_cam_layers(args.cam_layer):
            if layer.stage is not None:
                _check_range(f"{spec.short} has no stage", layer.stage, 1, len(spec.depths))
                depth = spec.depths[layer.stage - 1] if isinstance(spec, VariantSpec) else layer.block
                _check_range(f"Stage {layer.stage} of {spec.short} has no block", layer.block, 0, depth)
    for spec in [spec for spec in specs if isinstance(spec, VariantSpec)] or specs:
        _check_range(f"Stage {args.stage} of {spec.short} has no block", args.block, 0, spec.depths[args.stage - 1])
        _check_range(f"Stage {args.stage} of {spec.short} has no head", args.head, 0, spec.heads[args.stage - 1])
    for name in args.analyses if args.analyses != (ALL,) else ():
        check_name(name, ANALYSES, "There is no analysis called {name}.", "Choose some of: {names}.")
    if args.target is not None:
        _check_target(args.target, specs)


def _check_target(target: str, specs: Sequence[VariantSpec | BackboneSpec]) -> None:
    """Raises UnknownName or OutOfRange for a class that none of the models with classes has."""
    specs = [spec for spec in specs if spec.num_classes]
    for i, spec in enumerate(specs, 1):
        try:
            spec.labels.find(target)
            return
        except LensError:
            if i == len(specs):
                raise


def _check_range(problem: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        remedy = f"Choose {low} to {high}." if high > low else f"Leave it at {low}."
        raise OutOfRange(f"{problem} {value}.", remedy=remedy)


# --- Timing -----------------------------------------------------------------------------------------------------------


@without_tf32()
def plain_forward_seconds(model: LoadedModel) -> float:
    """Seconds of a forward pass without a trace, for one image of the model's input size: median of TIMED_PASSES."""
    import torch

    size = model.spec.image_size
    x = torch.zeros(1, 3, size, size, device=model.device)
    seconds = []
    with torch.no_grad():
        for _ in range(TIMED_PASSES + 1):  # the first one warms up
            start = time.perf_counter()
            model.model(x).cpu()  # waits for a GPU
            seconds.append(time.perf_counter() - start)
    return median(seconds)


def timing(seconds: float, num_images: int, models: Sequence[LoadedModel]) -> dict[str, Any]:
    """The manifest's timing. Forward passes of the same run make it comparable between machines and under load.

    Args:
        seconds: Duration of the whole study.
        num_images: Number of images studied in that time.
        models: The models that studied each image.
    """
    passes = {model.name: plain_forward_seconds(model) for model in models}
    per_image = seconds / num_images if num_images else 0.0
    return {
        "seconds": seconds,
        "images": num_images,
        "plain_forward_seconds": passes,
        "plain_forwards_per_image": per_image / sum(passes.values()),
    }


def timing_text(timing: dict[str, Any]) -> str:
    """ "3 images in 41.0 s: 13.7 s each, equivalent to 640 forward passes (21.4 ms, timed in this run)"."""
    images, seconds, passes = timing["images"], timing["seconds"], timing["plain_forward_seconds"]
    return (
        f"{images} image{'' if images == 1 else 's'} in {seconds:.1f} s: {seconds / images:.1f} s each, equivalent to "
        f"{timing['plain_forwards_per_image']:.0f} forward passes ({1000 * sum(passes.values()):.1f} ms"
        f"{' for all models' if len(passes) > 1 else ''}, timed in this run)"
    )
