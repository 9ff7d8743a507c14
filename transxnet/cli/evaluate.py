"""`python -m transxnet evaluate`: arguments, progress, what is printed. Several processes: see distributed.py."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutOfRange
from ..output import check_output
from .progress import advance, progress_bar

if TYPE_CHECKING:
    from ..distributed import Worker
    from ..training.report import Report
    from ..weights.load import LoadedModel

REPORT, TABLE = "report.json", "report.txt"  # names inside --out
IMAGES = "folders or zips: of WNID folders, of WNID_name files, of ImageNet-V2's folders; several together"
LABELS = "a file that tells the classes of flat files (LOC_val_solution.csv, lines of NAME WNID); or the word indices"
EPILOG = """several GPUs or machines:
  torchrun --nproc-per-node 8 -m transxnet evaluate … (the numbers are those of one process)

exit code: 1 where images could not be read; they are listed, and in no share"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `evaluate` takes; sets `run`, the function of the parsed arguments that returns the exit code."""
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EPILOG
    parser.add_argument("--model", default="pico", metavar="A,B", help="variants, also NAME@untrained (pico)")
    parser.add_argument("--source", help="its weights: a file, or an hf-hub: id")
    parser.add_argument("--weights-dir", help="folder of <name>.safetensors or official files (TRANSXNET_WEIGHTS)")
    parser.add_argument("--hub-namespace", help="Hub namespace that holds <name> (TRANSXNET_HUB_NAMESPACE)")
    parser.add_argument("--data", nargs="+", required=True, metavar="PATH", help=IMAGES)
    parser.add_argument("--labels", metavar="FILE", help=LABELS)
    parser.add_argument(
        "--restrict",
        action="store_true",
        help="answers among the images' classes, not the model's",
    )
    parser.add_argument(
        "--held-out", type=float, default=0.0, metavar="SHARE",
        help="only what a recipe with this share does not train on (0.02)",
    )  # fmt: skip
    parser.add_argument("--image-size", type=int, metavar="PIXELS", help="side of the view; the variant's own without")
    parser.add_argument("--crop-pct", type=float, metavar="SHARE", help="view / short side; the variant's own without")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="images at a time (64)")
    parser.add_argument("--autocast", default="", choices=("bf16", "fp16"), help="on CUDA only; float32 without")
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"folder for {REPORT}, {TABLE} and what is done so far")
    parser.add_argument("--resume", action="store_true", help="go on with the evaluation in --out, if it has one")
    parser.add_argument("--json", action="store_true", help="one JSON object a model: classes, confusions, settings")
    parser.set_defaults(run=run_evaluate)


def run_evaluate(args: argparse.Namespace) -> int:
    """Accuracy of one model, or of several after each other, on labeled images. 1 where some could not be read."""
    from ..distributed import workers
    from ..training.report import table

    _may(args)
    check_output(args.out)
    reports = []
    with workers(args.device) as worker:
        for name in names(args):
            out = args.out / name if args.out and len(names(args)) > 1 else args.out
            report = _one(args, name, out, worker)
            if report is not None:  # the chief tells
                reports.append(report)
    if len(reports) > 1:
        lines = "\n".join(table(reports))
        if args.out is not None:
            (args.out / TABLE).write_text(lines.lstrip() + "\n", encoding="utf-8")
        if not args.json:
            print(lines)
    unreadable = sum(len(report.unreadable) for report in reports)
    if unreadable:
        print(f"transxnet: {unreadable} images could not be read.", file=sys.stderr)
    return 1 if unreadable else 0


def names(args: argparse.Namespace) -> list[str]:
    """The models asked for."""
    return [name.strip() for name in args.model.split(",") if name.strip()]


def _may(args: argparse.Namespace) -> None:
    if args.resume and args.out is None:
        raise OutOfRange("--resume needs the folder to go on from.", remedy="Add --out DIR.")
    if args.source and "," in args.model:
        raise OutOfRange("--source is one model's, and several are named.", remedy="Evaluate them one by one.")
    if not names(args):
        raise OutOfRange("--model names no model.", remedy="Name a variant, or several with commas.")


def _one(args: argparse.Namespace, name: str, out: Path | None, worker: Worker) -> Report | None:
    """One model's report, written to `out` and printed by the chief."""
    from ..weights.load import load

    loaded = load(name, args.source, worker.device, weights_dir=args.weights_dir, hub_namespace=args.hub_namespace)
    report = _assess(args, loaded, out, worker)
    if report is None:
        return None
    text = json.dumps(report.as_json(), allow_nan=False)
    lines = [f"{loaded.name}: {loaded.provenance.short()}. {loaded.provenance.note}".rstrip(), *report.lines()]
    if out is not None:
        (out / REPORT).write_text(text + "\n", encoding="utf-8")
        (out / TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8", errors="backslashreplace")
    print(text if args.json else "\n".join(lines))
    return report


def _assess(args: argparse.Namespace, loaded: LoadedModel, out: Path | None, worker: Worker) -> Report | None:
    from ..training.evaluate import assess
    from ..training.labeling import read_labeling
    from ..training.protocol import Protocol

    protocol = Protocol.of(
        loaded.spec, args.image_size, args.crop_pct,
        batch=args.batch_size, restrict=args.restrict, autocast=args.autocast,
    )  # fmt: skip
    labeling = None if args.labels is None else read_labeling(args.labels)
    with progress_bar("image", shown=worker.chief) as bar:
        return assess(
            loaded, args.data, protocol, labeling=labeling, held_out=args.held_out, out=out,
            resume=args.resume, worker=worker,
            progress=lambda done, total: advance(bar, done, total),
        )  # fmt: skip
