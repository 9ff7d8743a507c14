"""Every training run that made a bundled checkpoint, as data: `python -m transxnet train --recipe NAME`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

from ..errors import UnknownName


@dataclass(frozen=True)
class Recipe:
    """One training run. Rates are for AdamW; sizes are sides of the square view in pixels.

    sizes: (side, share of the steps) pairs; each step draws one side, so that one model answers at several.
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
    about: str = ""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe(
                "pico-first-light", "transxnet_pico", epochs=1.0, batch=128, lr=6e-4,
                sizes=((96, 0.25), (128, 0.5), (160, 0.25)),
                about="continues a pico trained for 9 epochs at 96 px, so that it answers at 96 to 160 px",
            ),
            Recipe(
                "smoke", "transxnet_pico", epochs=1.0, batch=8, lr=1e-3, sizes=((32, 1.0),), ema=0.9,
                about="a few seconds on a handful of pictures: to see that training works here",
            ),
        )
    }
)  # fmt: skip


def find_recipe(name: str) -> Recipe:
    if name not in RECIPES:
        raise UnknownName(f"There is no recipe called {name!r}.", remedy=f"Choose one of: {', '.join(RECIPES)}.")
    return RECIPES[name]
