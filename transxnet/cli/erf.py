"""`python -m transxnet erf`: the published protocol of effective receptive fields over images, for several models.

Images come in chunks, which torchrun's processes divide; the main process adds up their sums and writes the files
(erf_files.py) after each chunk.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..console import readable
from ..errors import LensError, OutOfRange
from ..output import check_output
from .common import (
    AddOption,
    add_images_argument,
    add_model_options,
    explained_write_errors,
    find_images,
    image_limits,
    load_models,
    model_names,
    positive_int,
)
from .erf_files import FIGURE, ModelRun, Run, stored_sums, write_results

if TYPE_CHECKING:
    from ..distributed import Worker

IMAGES_PER_PREVIEW = 5  # for each process; the first preview comes after one
EPILOG = """The published setting is ImageNet's first 50 validation images at 1024 px: on one CPU core 20 s and 6 GiB
per image for t, 9 s and 3 GiB for pico. --image-size 512 takes a ninth of the time; the figure states it.

comparison with other backbones, with timm's weights (timm:resnet50@untrained: random weights):
  python -m transxnet erf VALIDATION_FOLDER --out erf \\
    --models t,timm:resnet50,timm:convnext_tiny,timm:swin_tiny_patch4_window7_224

several GPUs or machines:
  torchrun --nproc-per-node 8 -m transxnet erf … (the averages are those of one process)

exit code: 1 if images could not be used or a model failed; the others are finished"""


def add_options(add: AddOption) -> None:
    """Define the options of `erf`."""
    add_images_argument(add)
    add_model_options(add, help="models in the order of the figure")
    add("--out", f"output folder: {FIGURE} and its values", required=True, type=Path, metavar="DIR")
    add("--max-images", "use the first N images", type=positive_int, default=50, metavar="N")
    text = "side of the model input, to which images are warped"
    add("--image-size", text, unit="px", type=positive_int, default=1024, metavar="N")
    add("--stage", "stage of the unit, from 1; 0 = last stage", type=int, default=0, metavar="N")
    text, default = "unit on the feature map, from 0", "center: rows // 2, columns // 2"
    add("--unit", text, type=_unit, metavar="ROW,COLUMN", default_text=default)
    add("--resume", "continue the run in --out, if there is one", action="store_true")


def _unit(text: str) -> tuple[int, int]:
    try:
        row, column = (int(number) for number in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not ROW,COLUMN: two integers separated by a comma") from None
    return row, column


def run(args: argparse.Namespace) -> int:
    """Average the fields, with previews, and write the results; 1 if images or models failed."""
    import cv2  # noqa: F401  the figures need it: where it cannot be imported, the command fails before its work

    from ..distributed import process_group

    paths = find_images(args.images, exclude=args.out)[: args.max_images]
    names = model_names(args)
    check_output(args.out, resume=args.resume)
    with process_group(args.device) as worker, explained_write_errors():
        args.device = str(worker.device)
        run = _create_run(args, worker, names, paths)
        num_chunks = max(len(model.chunks) for model in run.models)
        for i in range(num_chunks):
            for model in run.models:
                if i < len(model.chunks) and not model.error:
                    _add_chunk(run, model, model.chunks[i])
            if worker.is_main and i + 1 < num_chunks:
                write_results(run)
        if worker.is_main:
            write_results(run, finished=True)
            _print_summary(run)
        return 1 if any(model.error or model.sum.failed for model in run.models) else 0


def _create_run(args: argparse.Namespace, worker: Worker, names: Sequence[str], paths: Sequence[Path]) -> Run:
    models = load_models(names, args, args.image_size)
    run = Run(args, worker, len(paths))
    sums = stored_sums(run, models) if args.resume and worker.is_main else {}
    added = worker.all_gather({name: erf_sum.images for name, erf_sum in sums.items()})[0]  # the main process's
    for loaded in models:
        remaining = _remaining(paths, added.get(loaded.name, ()))
        chunks = _chunks(remaining, worker.world_size)
        run.models.append(ModelRun(loaded, sums.get(loaded.name) or run.empty_sum(), chunks))
    return run


def _remaining(paths: Sequence[Path], added: Sequence[str]) -> list[Path]:
    """The images that are not in the average yet. Raises OutOfRange if it holds images that are not named."""
    from ..explain.erf.protocol import image_name

    counts, remaining = Counter(added), []
    for path in paths:
        if counts[image_name(path)]:
            counts[image_name(path)] -= 1
        else:
            remaining.append(path)
    if counts.total():
        raise OutOfRange(
            f"The run in --out includes {counts.total()} images that are not among those named.",
            remedy="Name them too, or leave out --resume to start again.",
        )
    return remaining


def _chunks(paths: Sequence[Path], processes: int) -> list[list[Path]]:
    """One image for each process first, for an early preview; then IMAGES_PER_PREVIEW for each."""
    size = IMAGES_PER_PREVIEW * processes
    rest = [list(paths[i : i + size]) for i in range(processes, len(paths), size)]
    return [list(paths[:processes]), *rest] if paths else []


def _add_chunk(run: Run, model: ModelRun, chunk: Sequence[Path]) -> None:
    """Add a chunk to one model's sum: this process's share, then all shares at the main process."""
    from ..explain.erf.protocol import add_image

    worker, share, error = run.worker, run.empty_sum(), ""
    try:
        for path in chunk[worker.rank :: worker.world_size]:
            if not add_image(share, model.loaded, path, limits=image_limits(run.args)):
                print(readable(f"{path}, {model.name}: {share.failed[-1][1]}"), file=sys.stderr)
    except LensError as model_error:
        error = str(model_error)
    model.error = next(filter(None, worker.all_gather(error)), "")
    for process_share in worker.gather(share) or ():
        model.sum.merge(process_share)
    if worker.is_main:
        progress = model.error or f"{model.sum.count} of {_count_text(run.num_images)}"
        print(f"{model.name}: {progress}", file=sys.stderr, flush=True)
    else:
        model.sum.failed += share.failed


def _print_summary(run: Run) -> None:
    for model in run.models:
        if model.sum.count:
            numbers = model.sum.result().numbers
            r = ", ".join(f"{name} {numbers[name]:.2%}" for name in ("raw/r50", "published/r50"))
            print(f"{model.name}: {_count_text(model.sum.count)}, {r}")
    print(run.args.out / FIGURE)


def _count_text(count: int) -> str:
    return f"{count} image{'' if count == 1 else 's'}"
