"""The part of `train` for recipes whose classes are those of the training images: finetune and linear-probe."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UnknownName, WeightsError
from ..training.recipes import OWN_RECIPES, Recipe
from .common import AddOption, add_image_size_option, image_limits, load_model, positive_int

if TYPE_CHECKING:
    from ..model import TransXNet
    from ..training.data import ImageSet
    from ..training.loop import Run
    from ..weights.load import LoadedModel

_OPTIONS = ("from", "epochs", "batch_size", "lr", "image_size")
_MARGIN = 8 / 7  # side of the images in memory over the input size: most random crops are not enlarged


def add_finetune_options(add: AddOption) -> None:
    """Define the options of these recipes."""
    own = "/".join(OWN_RECIPES)
    text = f"{own}: model to continue, by name (t, pico, …) or as a file, a folder or hf-hub:ID"
    add("--from", text, metavar="NAME|SOURCE")
    add("--epochs", f"{own}: number of times that each image is shown", type=float, metavar="N", default_text="20")
    add("--batch-size", f"{own}: images per step", type=positive_int, metavar="N", default_text="32")
    add("--lr", f"{own}: learning rate", type=float, metavar="RATE", default_text="that of the recipe")
    add_image_size_option(add)


def check_finetune_options(args: argparse.Namespace, recipe: Recipe) -> None:
    """Raises WeightsError for options of other recipes, and where there is nothing to continue."""
    given = [f"--{name.replace('_', '-')}" for name in _OPTIONS if vars(args)[name] is not None]
    if given and not recipe.own_classes:
        raise WeightsError(
            f"{given[0]} is not an option of {recipe.name}.", remedy=f"Leave it out, or use {' or '.join(OWN_RECIPES)}."
        )
    if not recipe.own_classes:
        return
    if vars(args)["from"] is None:
        raise WeightsError(f"{recipe.name} continues a model.", remedy="Name it: --from pico, --from t or --from FILE.")
    if args.initial_checkpoint is not None or args.continue_from is not None:
        raise WeightsError(f"{recipe.name} takes its weights from --from.", remedy="Leave out the other option.")


def model_for_own_classes(
    args: argparse.Namespace, recipe: Recipe, is_main: bool
) -> tuple[Recipe, TransXNet, ImageSet, ImageSet | None]:
    """The recipe with the user's settings, the model, the training images and the validation images."""
    from ..training.data import load_images
    from ..training.finetune import keep_class_names, labels_of, own_model, own_recipe, own_spec
    from ..training.samples import list_images

    listing, base = list_images(args.data), _load_base(args)
    labels = labels_of(listing, _model_name(args.out))
    spec = own_spec(base, labels)
    recipe = own_recipe(recipe, base, args.epochs, args.batch_size, args.lr)
    keep_class_names(args.out, labels.wnids, is_main)
    side, limits = round(spec.image_size * _MARGIN), image_limits(args)
    data = load_images(listing, labels, side, limits)
    validation = load_images(list_images(args.val, labels), labels, side, limits) if args.val and is_main else None
    return recipe, own_model(base, spec, recipe), data, validation


def _model_name(out: Path) -> str:
    """The name of the folder, where a model of the user's own can have it."""
    from ..registry import is_model_name
    from ..weights.own_models import builtin_variant

    name = out.resolve().name
    return name if is_model_name(name) and builtin_variant(name) is None else "fine-tuned"


def _load_base(args: argparse.Namespace) -> LoadedModel:
    """The model that --from names, at the input size of the options."""
    from ..backbones.spec import displayed_name
    from ..weights.load import load

    text = vars(args)["from"]
    try:
        return load_model(displayed_name(text), args, args.image_size)
    except UnknownName:
        if not (text.startswith(("hf-hub:", "local-dir:")) or Path(text).expanduser().exists()):
            raise
    return load("initial", text, args.device, image_size=args.image_size, refresh=args.refresh)


def write_finetuned_model(args: argparse.Namespace, run: Run) -> dict[str, Any]:
    """Write the model and say how to open it; returns what the command's JSON has in addition."""
    from ..publish.finetuned import write_finetuned

    report, spec = write_finetuned(run, args.out, args.data, args.val), run.model.spec
    if report is not None:
        accuracy, (low, high) = report.accuracy, report.accuracy.top1_interval
        interval = f"{accuracy.top1:.1%} (95% interval {low:.1%} to {high:.1%})"
        print(f"top-1 accuracy on {accuracy.images} images: {interval}", file=sys.stderr)
    print(f"open it: python app.py --model {spec.name}={args.out}", file=sys.stderr)
    measured = {} if report is None else {"accuracy": asdict(report.accuracy)}
    return {"classes": list(spec.labels.names), **measured}
