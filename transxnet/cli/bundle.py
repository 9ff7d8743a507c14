"""`python -m transxnet bundle`: convert a finished training run to weights and a model card, as in assets/weights."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..output import check_output
from .common import LABELED_IMAGES, AddOption


def add_options(add: AddOption) -> None:
    """Define the options of `bundle`."""
    add("--run", "folder that train --out wrote", dest="folder", type=Path, required=True, metavar="DIR")
    add("--data", f"its training images: {LABELED_IMAGES}", nargs="+", required=True, metavar="PATH")
    add("--val", "validation images, likewise", nargs="+", required=True, metavar="PATH")
    add("--photos", "full-size photos, likewise", nargs="+", required=True, metavar="PATH")
    add("--out", "output folder, such as assets/weights", type=Path, required=True, metavar="DIR")
    add("--hardware", "hardware of the training", metavar="TEXT", default="", default_text="as recorded by the run")


def run(args: argparse.Namespace) -> int:
    """Write weights and card of a finished run; print the card."""
    from ..training.bundle import bundle

    check_output(args.out)
    card = bundle(
        args.folder, args.data, args.val, args.photos, args.out,
        device=args.device, hardware=args.hardware, command=_shareable_command(args),
        report=lambda text: print(text, file=sys.stderr),
    )  # fmt: skip
    print(json.dumps(card, indent=2, ensure_ascii=False))
    return 0


def _shareable_command(args: argparse.Namespace) -> str:
    """The command with file names in place of paths, for the card."""
    paths = {"run": [args.folder], "data": args.data, "val": args.val, "photos": args.photos, "out": [args.out]}
    options = (f"--{option} {' '.join(Path(path).name for path in values)}" for option, values in paths.items())
    return f"python -m transxnet bundle {' '.join(options)}"
