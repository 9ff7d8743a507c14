"""Fine-tune a TransXNet: a model for the classes of the training images, with the weights of another one.

The recipes `finetune` and `linear-probe` leave open what the user chooses; `own_recipe` fills it in. The classifier is
new unless the classes are the same. publish/finetuned.py writes the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from ..class_names import class_names
from ..errors import OutOfRange, WeightsError, WeightsMismatch
from ..labels import LabelSet, label_set, own_labels
from ..model import TransXNet
from ..variants import VARIANTS, VariantSpec
from ..weights.checkpoint import state_digest
from ..weights.load import LoadedModel
from .recipes import Recipe
from .samples import Listing

CLASS_NAMES = "class_names.txt"  # in the folder of the run; weights/own_models.py finds it next to checkpoints


def labels_of(listing: Listing, name: str) -> LabelSet:
    """The classes of training images, sorted as text; WNIDs keep their names.

    Args:
        listing: The images, with labels as the data have them.
        name: Of the model.

    Raises:
        InvalidValue: A label cannot be the name of a class.
        OutOfRange: There is only one class.
    """
    names = class_names(listing.classes, "the training images")
    if len(names) < 2:
        raise OutOfRange(
            f"The training images belong to one class, {names[0]}.", remedy="Use one folder for each class."
        )
    imagenet = label_set("imagenet-1k")
    return own_labels(name, names, dict(zip(imagenet.wnids, imagenet.all_names, strict=True)))


def own_spec(base: LoadedModel, labels: LabelSet) -> VariantSpec:
    """The base model's architecture, input size and preprocessing with other classes.

    Raises:
        WeightsMismatch: The base model is no TransXNet.
    """
    spec = base.spec
    if not isinstance(spec, VariantSpec):
        raise WeightsMismatch(
            f"{base.name} is not a TransXNet.", remedy="Pass a TransXNet with --from, such as t or a file."
        )
    return replace(
        spec, name=labels.name, num_classes=len(labels), label_set=labels.name, own_labels=labels,
        official_file="", paper=None,
        architecture=spec.name if spec.name in VARIANTS else spec.architecture, about=f"{base.name}, fine-tuned",
    )  # fmt: skip


def own_recipe(recipe: Recipe, base: LoadedModel, epochs: float | None, batch: int | None, lr: float | None) -> Recipe:
    """The recipe with the user's settings; None keeps the recipe's.

    Args:
        recipe: finetune or linear-probe.
        base: The model that it continues.
        epochs: Number of times that each image is shown.
        batch: Images per step, of all processes together.
        lr: Learning rate.

    Raises:
        OutOfRange: A setting is not positive.
    """
    chosen = {key: value for key, value in (("epochs", epochs), ("batch", batch), ("lr", lr)) if value is not None}
    for key, value in chosen.items():
        if not 0 < value < 1e6:
            raise OutOfRange(f"The value of {key} is {value:g}.", remedy="Use a positive number.")
    spec = base.spec
    return replace(
        recipe, variant=getattr(spec, "architecture", "") or spec.name, initial=state_digest(base.model.state_dict()),
        start=f"{base.name}: {base.provenance.short()}. {base.provenance.note}".strip(), **chosen,
    )  # fmt: skip


def own_model(base: LoadedModel, spec: VariantSpec, recipe: Recipe) -> TransXNet:
    """A trainable copy of the base model, with a new classifier unless its classes are the same."""
    torch.manual_seed(recipe.seed)
    model = TransXNet(spec, drop_path_rate=recipe.drop_path)
    state = {key: value.cpu() for key, value in base.model.state_dict().items()}
    if base.spec.num_classes != spec.num_classes or base.spec.labels.names != spec.labels.names:
        state = {key: value for key, value in state.items() if not key.startswith("classifier.2.")}
    model.load_state_dict(state, strict=False)
    return model


def keep_class_names(folder: Path, names: Sequence[str], is_main: bool) -> None:
    """Write the classes into the folder of the run, so that its checkpoint can be opened; check those that are there.

    Raises:
        WeightsError: The folder holds a run with other classes.
    """
    path, text = folder / CLASS_NAMES, "".join(f"{name}\n" for name in names)
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise WeightsError(
            f"The {CLASS_NAMES} of {folder.name} names other classes than the training images have.",
            remedy="Use the images it was started with, or an empty folder.",
        )
    if is_main and not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
