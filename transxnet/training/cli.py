"""`python -m transxnet train` and `evaluate`: arguments, progress, what is printed."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .recipes import RECIPES, find_recipe


def add_commands(subparsers: argparse._SubParsersAction) -> None:
    """Register the two commands; each sets `run`, a function of the parsed arguments that returns the exit code."""
    train = subparsers.add_parser("train", help="train a model by a recipe")
    train.add_argument("--recipe", required=True, help=f"one of: {', '.join(RECIPES)}")
    train.add_argument("--data", nargs="+", required=True, help="folders or zips of WNID folders; several together")
    train.add_argument("--out", type=Path, required=True, help="folder for checkpoint.pt, log.csv and the weights")
    train.add_argument("--start", help="safetensors to start from; random weights without")
    train.add_argument("--resume", action="store_true", help="continue from the checkpoint in --out")
    train.add_argument("--device")
    train.set_defaults(run=run_train)

    evaluate = subparsers.add_parser("evaluate", help="accuracy on labelled pictures")
    evaluate.add_argument("--model", default="pico")
    evaluate.add_argument("--source", help="weights: a file or hf-hub: id")
    evaluate.add_argument(
        "--data", nargs="+", required=True, help="folders or zips of WNID folders, or WNID_name files"
    )
    evaluate.add_argument("--image-size", type=int, help="side of the view; the variant's own without")
    evaluate.add_argument("--device")
    evaluate.add_argument("--json", action="store_true")
    evaluate.set_defaults(run=run_evaluate)


def run_train(args: argparse.Namespace) -> int:
    from safetensors.torch import load_file, save_file
    from tqdm import tqdm

    from ..labels import label_set
    from ..model import TransXNet
    from ..variants import find_variant
    from ..weights import resolve_device
    from .data import load_pictures
    from .loop import Run

    recipe = find_recipe(args.recipe)
    spec = find_variant(recipe.variant)
    model = TransXNet(spec, drop_path_rate=recipe.drop_path)
    if args.start:
        model.load_state_dict(load_file(args.start), strict=True)
    data = load_pictures(args.data, label_set(spec.label_set).wnids)
    run = Run(recipe, model, data, args.out, resolve_device(args.device))
    if args.resume:
        run.resume()
    with tqdm(total=run.steps, initial=run.step, unit="step", disable=not sys.stderr.isatty()) as bar:

        def report(step: int, steps: int, loss: float) -> None:
            bar.update()
            bar.set_postfix(loss=f"{loss:.3f}")

        ema = run.train(report)
    save_file({k: v.contiguous() for k, v in ema.state_dict().items()}, args.out / f"{spec.name}.safetensors")
    print(json.dumps({"recipe": recipe.as_json(), "data": data.digest, "steps": run.step, "loss": run.loss}))
    return 0


def run_evaluate(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from ..weights import load
    from .evaluate import evaluate

    loaded = load(args.model, args.source, args.device)
    with tqdm(unit="picture", disable=not sys.stderr.isatty()) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        result = evaluate(loaded, args.data, image_size=args.image_size, progress=progress)
    if args.json:
        print(json.dumps({**result.as_json(), "provenance": loaded.provenance.as_json()}))
        return 0
    for name, share, (low, high) in (
        ("top-1", result.top1, result.top1_interval),
        ("top-5", result.top5, result.top5_interval),
    ):
        print(f"{result.model} {name}: {share:.1%} ({low:.1%} to {high:.1%}, 95 %)")
    print(f"{result.pictures} pictures at {result.image_size} px, {result.left_out} of unknown classes left out")
    return 0
