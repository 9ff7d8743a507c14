"""Every training run that made a bundled checkpoint, as data: `python -m transxnet train --recipe NAME`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from ..errors import UnknownName


@dataclass(frozen=True)
class Recipe:
    """One training run. Rates are for AdamW; sizes are sides of the square view in pixels.

    sizes: (side, share of the steps) pairs; each step draws one side, so that one model answers at several.
    Two recipes are equal when their runs are: the words at the end change nothing in a run.
    """

    name: str
    variant: str
    epochs: float
    batch: int
    lr: float
    sizes: tuple[tuple[int, float], ...]
    warmup: float = 0.05  # share of the steps in which the rate rises linearly
    weight_decay: float = 0.05  # none on vectors, LayerScale and the bias tables
    label_smoothing: float = 0.1
    ema: float = 0.999
    crop_area: tuple[float, float] = (0.4, 1.0)  # share of the picture a random crop keeps
    crop_aspect: float = 4 / 3  # its sides' ratio, up to this either way
    brightness: float = 0.25  # factors in 1 +- this, likewise contrast
    drop_path: float = 0.0
    grad_clip: float = 1.0
    seed: int = 0
    about: str = field(default="", compare=False)
    start: str = field(default="", compare=False)  # the weights it continues, in words; '' starts at random ones
    pictures: str = field(default="", compare=False)  # what it is meant to be trained on, in words
    limits: tuple[str, ...] = field(default=(), compare=False)  # of the model it makes, a sentence each

    def as_json(self) -> dict[str, object]:
        """All that determines a run, and its name; the words are left out."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.compare}


_PICO_START = (
    "transxnet_pico pretrained for 9 epochs at 96 px on the same 100,000 pictures with the official layers: batch 128, "
    "AdamW (rate 2.5e-3, one cycle with 12 % warm-up; weight decay 0.05, none on vectors, LayerScale and the bias "
    "tables), label smoothing 0.1, random resized crops (area 0.4 to 1, reflected borders), flips, brightness 0.75 to "
    "1.25, LayerScale starting at 1e-2, EMA 0.999, float32; 106 minutes on two CPU cores, the loss still falling. "
    "It was right on 43.1 % of the validation pictures at 96 and at 128 px, on 36.4 % at 160 px."
)
_TINY_IMAGENET = "Tiny-ImageNet-200 training pictures, 64 x 64, 500 of each of 200 ImageNet classes"
_TINY_LIMITS = (
    "It knows 200 of ImageNet's classes, and answers with one of them whatever it is shown.",
    "It learnt from pictures of 64 x 64 pixels, enlarged: it has never seen fine detail.",
    "Small and briefly trained, it is often wrong (see accuracy): made to be looked into, not to be relied on.",
    "Its probabilities are not calibrated.",
    "Outside the sizes it was trained at it gets worse.",
    "Its pictures are ImageNet's, with ImageNet's choice of things, places and people.",
)

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe(
                "pico-first-light", "transxnet_pico", epochs=0.7, batch=128, lr=6e-4,
                sizes=((96, 0.25), (128, 0.5), (160, 0.25)),
                about="continues a pico trained for 9 epochs at 96 px, so that it answers at 96 to 160 px",
                start=_PICO_START, pictures=_TINY_IMAGENET, limits=_TINY_LIMITS,
            ),
            Recipe(
                "smoke", "transxnet_pico", epochs=1.0, batch=8, lr=1e-3, sizes=((32, 1.0),), ema=0.9,
                about="a few seconds on a handful of pictures: to see that training works here",
                pictures="a handful of pictures", limits=("It has learnt nothing worth asking for.",),
            ),
        )
    }
)  # fmt: skip


def find_recipe(name: str) -> Recipe:
    """The recipe of that name; UnknownName lists what there is."""
    if name not in RECIPES:
        raise UnknownName(f"There is no recipe called {name!r}.", remedy=f"Choose one of: {', '.join(RECIPES)}.")
    return RECIPES[name]
