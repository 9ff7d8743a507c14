"""`python -m transxnet evaluate`: arguments, progress, what is printed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .progress import advance, progress_bar

if TYPE_CHECKING:
    from .evaluate import Accuracy

PICTURES = "folders or zips, of WNID folders or of WNID_name files; several together"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `evaluate` takes; sets `run`, the function of the parsed arguments that returns the exit code."""
    parser.add_argument("--model", default="pico", metavar="NAME", help="variant, or NAME@untrained (pico)")
    parser.add_argument("--source", help="its weights: a file, or an hf-hub: id")
    parser.add_argument("--weights-dir", help="folder of <name>.safetensors or official files (TRANSXNET_WEIGHTS)")
    parser.add_argument("--hub-namespace", help="Hub namespace that holds <name> (TRANSXNET_HUB_NAMESPACE)")
    parser.add_argument("--data", nargs="+", required=True, metavar="PATH", help=PICTURES)
    parser.add_argument("--image-size", type=int, metavar="PIXELS", help="side of the view; the variant's own without")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run_evaluate)


def run_evaluate(args: argparse.Namespace) -> int:
    """Accuracy of one model on labelled pictures."""
    from ..weights import load
    from .evaluate import evaluate

    loaded = load(args.model, args.source, args.device, weights_dir=args.weights_dir, hub_namespace=args.hub_namespace)
    with progress_bar("picture") as bar:
        result = evaluate(
            loaded, args.data, image_size=args.image_size, progress=lambda done, total: advance(bar, done, total)
        )
    if args.json:
        print(json.dumps({**result.as_json(), "provenance": loaded.provenance.as_json()}))
    else:
        print(f"{loaded.name}: {loaded.provenance.short()}. {loaded.provenance.note}".rstrip())
        print("\n".join(_sentences(result)))
    return 0


def _sentences(result: Accuracy) -> Iterator[str]:
    for name, share, (low, high) in (
        ("top-1", result.top1, result.top1_interval),
        ("top-5", result.top5, result.top5_interval),
    ):
        yield f"{result.model} {name}: {share:.1%} ({low:.1%} to {high:.1%}, 95 %)"
    yield f"{result.pictures} pictures at {result.image_size} px, {result.left_out} of unknown classes left out"
