"""`python -m transxnet erf`: the published receptive-field protocol over images, for several models side by side.

What lies in --out, and is rewritten as the run goes on, is erf_folder.py's. Images come in chunks; torchrun's
processes divide each among them, and the chief adds up.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import LensError, OutOfRange
from ..output import check_output
from .common import count, images_in, load_models, names_in, written
from .erf_folder import FIGURE, Column, Run, stored, write

if TYPE_CHECKING:
    from ..distributed import Worker

EVERY = 5  # images a process from one preview to the next; the first comes after one
EPILOG = """Published figures take ImageNet's first 50 validation images at 1024 px: on one CPU core 20 s and 6 GiB a
image for t, 9 s and 3 GiB for pico. --size 512 takes a ninth of the time; the figure says so.

beside other backbones, with timm's weights (timm:resnet50@untrained takes random ones):
  python -m transxnet erf VALIDATION_FOLDER --out erf \\
    --models t,timm:resnet50,timm:convnext_tiny,timm:swin_tiny_patch4_window7_224

several GPUs or machines:
  torchrun --nproc-per-node 8 -m transxnet erf … (the averages are those of one process)

exit code: 1 where images could not be used, or a model failed; the others are done"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EPILOG
    parser.add_argument("images", nargs="+", metavar="IMAGE", type=Path, help="image, or folder of images")
    parser.add_argument("--models", default="pico", metavar="A,B", help="variants and timm:NAMEs, first to last (pico)")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help=f"folder for {FIGURE} and its numbers")
    parser.add_argument("--max-images", type=count, default=50, metavar="N", help="the first N of the images (50)")
    parser.add_argument("--size", type=count, default=1024, metavar="PIXELS", help="side of the warped view (1024)")
    parser.add_argument("--stage", type=int, default=0, help="whose unit, from 1; 0 is the last (0)")
    parser.add_argument("--unit", type=_unit, metavar="ROW,COLUMN", help="from 0; (rows // 2, columns // 2) without")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out, if it has one")
    parser.set_defaults(run=run_erf)


def run_erf(args: argparse.Namespace) -> int:
    """Average, preview, write. 1 where images or models failed and others were done."""
    from ..distributed import workers

    paths = images_in(args.images, but=args.out)[: args.max_images]
    names = names_in(args.models)
    if not names:
        raise OutOfRange("--models names no model.", remedy="Name a variant, or several with commas.")
    check_output(args.out, resume=args.resume)
    with workers(args.device) as worker, written():
        args.device = str(worker.device)
        run = _begin(args, worker, names, paths)
        steps = max(len(column.chunks) for column in run.columns)
        for step in range(steps):
            for column in run.columns:
                if step < len(column.chunks) and not column.broken:
                    _advance(run, column, column.chunks[step])
            if worker.chief and step + 1 < steps:
                write(run)
        if worker.chief:
            write(run, finished=True)
            _tell(run)
        return 1 if any(column.broken or column.found.failed for column in run.columns) else 0


# --- Beginning --------------------------------------------------------------------------------------------------------


def _begin(args: argparse.Namespace, worker: Worker, names: Sequence[str], paths: Sequence[Path]) -> Run:
    from ..explain.erf.protocol import ErfSum

    models = load_models(names, args, args.size)
    run = Run(args, worker, len(paths))
    begun = stored(args, models) if args.resume and worker.chief else {}
    done = worker.everybodys({name: found.images for name, found in begun.items()})[0]  # the chief's word
    for loaded in models:
        found = begun.get(loaded.name) or ErfSum(args.size, args.stage, args.unit)
        chunks = _chunks(_left(paths, done.get(loaded.name, ())), worker.size)
        run.columns.append(Column(loaded, found, chunks))
    return run


def _left(paths: Sequence[Path], done: Sequence[str]) -> list[Path]:
    """The images not yet averaged. Raises OutOfRange where the run holds others than those named."""
    from ..explain.erf.protocol import image_name

    counted, left = Counter(done), []
    for path in paths:
        if counted[image_name(path)]:
            counted[image_name(path)] -= 1
        else:
            left.append(path)
    if counted.total():
        raise OutOfRange(
            f"The run in --out holds {counted.total()} images that are not among those named.",
            remedy="Name them too, or leave out --resume to begin anew.",
        )
    return left


def _chunks(paths: Sequence[Path], processes: int) -> list[list[Path]]:
    """One image a process first, so that something shows; then EVERY a process."""
    first, many = processes, EVERY * processes
    rest = [list(paths[i : i + many]) for i in range(first, len(paths), many)]
    return [list(paths[:first]), *rest] if paths else []


# --- Going on ---------------------------------------------------------------------------------------------------------


def _advance(run: Run, column: Column, chunk: Sequence[Path]) -> None:
    """One chunk of one model: this process's share, then everybody's to the chief. An error of the model stops it."""
    from ..explain.erf.protocol import ErfSum, add_image

    worker, part, wrong = run.worker, ErfSum(run.args.size, run.args.stage, run.args.unit), ""
    try:
        for path in chunk[worker.rank :: worker.size]:
            if not add_image(part, column.loaded, path):
                print(f"{path}, {column.name}: {part.failed[-1][1]}", file=sys.stderr)
    except LensError as error:
        wrong = str(error)
    column.broken = next(filter(None, worker.everybodys(wrong)), "")
    for one in worker.gather(part) or ():
        column.found.merge(one)
    if worker.chief:
        said = column.broken or f"{column.found.count} of {_images(run.total)}"
        print(f"{column.name}: {said}", file=sys.stderr, flush=True)
    else:
        column.found.failed += part.failed


def _tell(run: Run) -> None:
    """Both r of every model, and where the figure is."""
    for column in run.columns:
        if column.found.count:
            numbers = column.found.result().numbers
            r = ", ".join(f"{k} {100 * numbers[k]:.2f} %" for k in ("raw/r50", "published/r50"))
            print(f"{column.name}: {_images(column.found.count)}, {r}")
    print(run.args.out / FIGURE)


def _images(count: int) -> str:
    return f"{count} image" if count == 1 else f"{count} images"


def _unit(text: str) -> tuple[int, int]:
    try:
        row, col = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not ROW,COLUMN: two whole numbers and a comma") from None
    return row, col
