"""`python -m transxnet train` and `bundle`: arguments, progress, what is printed; evaluate_cli.py has `evaluate`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import WeightsError
from . import evaluate_cli
from .progress import advance, progress_bar
from .recipes import RECIPES, Recipe, find_recipe

if TYPE_CHECKING:
    from ..model import TransXNet
    from .loop import Run

PICTURES = "folders or zips, of WNID folders or of WNID_name files; several together"


def add_commands(subparsers: argparse._SubParsersAction) -> None:
    """Register the three commands; each sets `run`, a function of the parsed arguments that returns the exit code."""
    device = argparse.ArgumentParser(add_help=False)
    device.add_argument("--device", help="cuda, cuda:1, mps or cpu; the best there is without")
    _add_train(subparsers.add_parser("train", parents=[device], help="train a model by a recipe"))
    evaluate_cli.add_arguments(
        subparsers.add_parser("evaluate", parents=[device], help="accuracy on labelled pictures")
    )
    _add_bundle(subparsers.add_parser("bundle", parents=[device], help="a finished run -> weights with a card"))


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", required=True, metavar="NAME", help=f"one of: {', '.join(RECIPES)}")
    parser.add_argument("--data", nargs="+", required=True, metavar="PATH", help=PICTURES)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for checkpoint.pt, log.csv and the weights"
    )
    parser.add_argument("--start", type=Path, metavar="FILE", help="the weights that the recipe continues, if it does")
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint in --out, if it has one")
    parser.set_defaults(run=run_train)


def _add_bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", dest="folder", type=Path, required=True, metavar="DIR", help="what train --out wrote")
    parser.add_argument("--data", nargs="+", required=True, metavar="PATH", help=f"what it was trained on: {PICTURES}")
    parser.add_argument("--val", nargs="+", required=True, metavar="PATH", help="validation pictures, likewise")
    parser.add_argument("--photos", nargs="+", required=True, metavar="PATH", help="photographs, likewise")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for both files: assets/weights")
    parser.add_argument(
        "--hardware", default="", metavar="TEXT", help="what it was trained on, if the run does not say"
    )
    parser.set_defaults(run=run_bundle)


# --- train ------------------------------------------------------------------------------------------------------------


def run_train(args: argparse.Namespace) -> int:
    """Follow a recipe; print one JSON object at the end."""
    from safetensors.torch import save_file

    recipe = find_recipe(args.recipe)
    run = _begin(args, recipe)
    with progress_bar("step") as bar:

        def report(step: int, steps: int, loss: float) -> None:
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            advance(bar, step, steps)

        ema = run.train(report)
    weights = {key: value.contiguous() for key, value in ema.state_dict().items()}
    save_file(weights, args.out / f"{recipe.variant}.safetensors", metadata={"format": "pt"})
    print(json.dumps({"recipe": recipe.as_json(), "data": run.data.digest, "steps": run.step, "loss": run.loss}))
    return 0


def _begin(args: argparse.Namespace, recipe: Recipe) -> Run:
    """The run as asked for, resumed where that is wanted and possible."""
    from ..labels import label_set
    from ..weights import resolve_device
    from .data import load_pictures
    from .loop import CHECKPOINT, Run

    if (args.out / CHECKPOINT).exists():
        _may_continue(args)
    else:
        _may_start(args, recipe)
    device, model = resolve_device(args.device), _model(recipe, args.start)
    data = load_pictures(args.data, label_set(model.spec.label_set).wnids)
    run = Run(recipe, model, data, args.out, device)
    if args.resume:
        run.resume()
    return run


def _may_continue(args: argparse.Namespace) -> None:
    """Nobody's earlier run is overwritten."""
    if not args.resume:
        raise WeightsError(
            f"The folder {args.out.name} holds a training run already.",
            remedy="Add --resume to continue it, or give an empty folder to --out.",
            detail=str(args.out),
        )


def _may_start(args: argparse.Namespace, recipe: Recipe) -> None:
    """What a recipe says of where it starts goes on the card, so it has to be true."""
    if recipe.start and args.start is None:
        raise WeightsError(f"{recipe.name} {recipe.about}.", remedy="Give the weights it continues by --start.")
    if args.start is not None and not recipe.start:
        raise WeightsError(
            f"{recipe.name} starts at random weights.",
            remedy="Leave out --start, or write a recipe that says what it continues.",
        )


def _model(recipe: Recipe, start: Path | None) -> TransXNet:
    """Where a run begins: random weights by the recipe's seed, or those of a file."""
    import torch

    from ..checkpoint import check_fit, read_checkpoint
    from ..model import TransXNet
    from ..variants import find_variant

    torch.manual_seed(recipe.seed)
    model = TransXNet(find_variant(recipe.variant), drop_path_rate=recipe.drop_path)
    if start is not None:
        state, _ = read_checkpoint(start)
        check_fit(model, state, start.name)
        model.load_state_dict(state, strict=True)
    return model


# --- bundle -----------------------------------------------------------------------------------------------------------


def run_bundle(args: argparse.Namespace) -> int:
    """Weights and card of a finished run; print the card."""
    from .bundle import bundle

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
