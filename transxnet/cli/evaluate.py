"""`python -m transxnet evaluate`: accuracy of models on labeled images, by one process or several (distributed.py)."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutOfRange
from ..output import check_output
from .common import (
    LABELED_IMAGES,
    AddOption,
    add_image_size_option,
    add_model_options,
    image_limits,
    load_model,
    model_names,
    positive_int,
    report_skipped,
)

if TYPE_CHECKING:
    from ..distributed import Worker
    from ..training.report import Report

REPORT, TABLE = "report.json", "report.txt"  # names inside --out
EPILOG = """several GPUs or machines:
  torchrun --nproc-per-node 8 -m transxnet evaluate … (the numbers are those of one process)

exit code: 1 if images could not be read; they are listed and not counted"""


def add_options(add: AddOption) -> None:
    """Define the options of `evaluate`."""
    add_model_options(add, help="models to evaluate")
    text = f"{LABELED_IMAGES}, or ImageNet-V2's numbered folders"
    add("--data", text, nargs="+", required=True, metavar="PATH")
    text = "file of labels, such as LOC_val_solution.csv; indices = folders are numbered by class"
    add("--labels", text, metavar="FILE|indices", default_text="WNIDs in the names")
    add("--restrict-classes", "restrict predictions to the classes present in the data", action="store_true")
    text = "only the fraction held out by the training recipe, such as 0.02"
    add("--held-out-fraction", text, type=float, default=0.0, metavar="FRACTION", default_text="all images")
    add_image_size_option(add)
    text = "input size / resized short side"
    add("--crop-pct", text, type=float, metavar="FRACTION", default_text="that of the model")
    add("--batch-size", "images per forward pass", type=positive_int, default=64, metavar="N")
    text = "mixed precision, on CUDA only"
    add("--autocast", text, default="", choices=("bf16", "fp16"), default_text="float32")
    add("--out", f"output folder: {REPORT}, {TABLE} and outcomes so far", type=Path, metavar="DIR")
    add("--resume", "continue the evaluation in --out, if there is one", action="store_true")
    add("--json", "print one JSON object per model: accuracy, classes, confusions", action="store_true")


def run(args: argparse.Namespace) -> int:
    """Evaluate the models one after another; 1 if images could not be read."""
    from ..distributed import process_group
    from ..training.report import comparison_table

    _check_arguments(args)
    names = model_names(args)
    check_output(args.out)
    reports = []
    with process_group(args.device) as worker:
        args.device = worker.device
        for name in names:
            out = args.out / name if args.out and len(names) > 1 else args.out
            report = _evaluate_model(args, name, out, worker)
            if report is not None:  # only the main process has it
                reports.append(report)
    if len(reports) > 1:
        table = "\n".join(comparison_table(reports))
        if args.out is not None:
            (args.out / TABLE).write_text(table.lstrip() + "\n", encoding="utf-8")
        if not args.json:
            print(table)
    unreadable = sum(len(report.unreadable) for report in reports)
    if unreadable:
        print(f"transxnet: {unreadable} images could not be read.", file=sys.stderr)
    return 1 if unreadable else 0


def _check_arguments(args: argparse.Namespace) -> None:
    """Raises OutOfRange for options that exclude each other."""
    if args.resume and args.out is None:
        raise OutOfRange("--resume needs the folder to continue from.", remedy="Add --out DIR.")


def _evaluate_model(args: argparse.Namespace, name: str, out: Path | None, worker: Worker) -> Report | None:
    """Evaluate one model; the main process writes the report to `out`, prints and returns it."""
    from tqdm import tqdm

    from ..explain.observe import require_classes
    from ..training.evaluate import assess
    from ..training.labeling import read_labeling
    from ..training.protocol import Protocol

    loaded = load_model(name, args)
    require_classes(loaded.model)
    protocol = Protocol.of(
        loaded.spec, args.image_size, args.crop_pct, batch_size=args.batch_size,
        restrict_classes=args.restrict_classes, autocast=args.autocast,
    )  # fmt: skip
    labeling = None if args.labels is None else read_labeling(args.labels, loaded.spec.labels)
    with tqdm(unit="image", disable=None if worker.is_main else True) as bar:  # None: only on a terminal

        def show_progress(finished: int, total: int) -> None:
            bar.total = total
            bar.update(finished - bar.n)

        report = assess(
            loaded, args.data, protocol, labeling=labeling, held_out_fraction=args.held_out_fraction, out=out,
            resume=args.resume, worker=worker, progress=show_progress, limits=image_limits(args),
        )  # fmt: skip
    if report is None:
        return None
    text = json.dumps(report.as_json(), allow_nan=False)
    lines = [f"{loaded.name}: {loaded.provenance.short()}. {loaded.provenance.note}".rstrip(), *report.lines()]
    if out is not None:
        (out / REPORT).write_text(text + "\n", encoding="utf-8")
        (out / TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8", errors="backslashreplace")
    if args.json:
        report_skipped((entry["file"], entry["reason"]) for entry in report.data["skipped"])
    print(text if args.json else "\n".join(lines))
    return report
