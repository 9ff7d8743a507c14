"""`python -m transxnet bundle`: a finished run -> weights and card, as assets/weights holds them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..output import check_output


def add_arguments(parser: argparse.ArgumentParser, images: str) -> None:
    """The options of `bundle`. images: what --data, --val and --photos take, in words."""
    parser.add_argument("--run", dest="folder", type=Path, required=True, metavar="DIR", help="what train --out wrote")
    parser.add_argument("--data", nargs="+", required=True, metavar="PATH", help=f"what it was trained on: {images}")
    parser.add_argument("--val", nargs="+", required=True, metavar="PATH", help="validation images, likewise")
    parser.add_argument("--photos", nargs="+", required=True, metavar="PATH", help="photos, likewise")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for both files: assets/weights")
    parser.add_argument(
        "--hardware", default="", metavar="TEXT", help="what it was trained on, if the run does not say"
    )
    parser.set_defaults(run=run_bundle)


def run_bundle(args: argparse.Namespace) -> int:
    """Weights and card of a finished run; print the card."""
    from ..training.bundle import bundle

    check_output(args.out)
    card = bundle(
        args.folder, args.data, args.val, args.photos, args.out,
        device=args.device, hardware=args.hardware, command=_bundle_command(args),
        report=lambda text: print(text, file=sys.stderr),
    )  # fmt: skip
    print(json.dumps(card, indent=2, ensure_ascii=False))
    return 0


def _bundle_command(args: argparse.Namespace) -> str:
    """The command as a card may show it: names without the folders of this machine."""
    places = {"run": [args.folder], "data": args.data, "val": args.val, "photos": args.photos, "out": [args.out]}
    options = (f"--{option} {' '.join(Path(path).name for path in paths)}" for option, paths in places.items())
    return f"python -m transxnet bundle {' '.join(options)}"
