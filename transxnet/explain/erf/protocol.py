"""The effective receptive field as it is published: one unit's field averaged over many images.

RepLKNet's script (Ding et al., arXiv 2203.06717; its erf/visualize_erf.py), which the figures of TransXNet's paper
follow: the first 50 images of ImageNet's validation set, each warped to 1024 x 1024 bicubically (aspect lost, nothing
cropped) and normalized; s = sum over channels of ReLU(M[:, h // 2, w // 2]), M the last stage's output before the
head's norm; the ReLU of ds/dx, summed over RGB, averaged over images; an image whose gradient is not finite is left
out. The figure is log10 of it (results/erf.py), r(t) is erf.py's.

Where it differs: any size, stage, unit and images, and then the result says so; a backbone's colors are normalized as
its own weights want them; a side above 2048 px is reduced
before the warp, as everywhere here (images.py). relative_pos_enc is resized as the model does it: at 1024 px stage 1
has 65,536 queries and 1,024 keys, so that one image takes T about 6 GiB and 20 s on one CPU core, pico 3 GiB and
9 s; at 512 px 2 GiB and 2 s, pico 1 GiB and 1 s.

What it must not be read as: a property of the model alone (other images, another size or another training give
another field), nor a measure of what is useful: a wide field is not a good one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ...backbones.module import Backbone
from ...errors import DeviceError, LensError, OutOfRange
from ...images import ModelInput, SourceImage, ViewSpec, decode, prepare
from ...model import TransXNet
from ...results import Explanation
from ...results.erf import ErfProtocol
from ...weights.load import LoadedModel
from ..observe import observe
from .erf import CURVE, published_r, r_curve, receptive_field

IMAGES, SIZE = 50, 1024  # the published number of images, and their side in pixels
SMALLEST = 32  # one unit of a last stage
_VALIDATION = re.compile(r"ILSVRC2012_val_(\d{8})")
_FIRST_CLASS = "n01440764"  # an ImageFolder of ImageNet gives these 50 first

AnyModel = LoadedModel | TransXNet | Backbone
Source = str | Path | np.ndarray
Preview = Callable[[ErfProtocol], None]


@dataclass
class ErfSum:
    """Fields added up: sum and count, and all that a run needs to go on, or to be put together from several processes.

    size, stage, unit: what is asked; stage 0 is the last there is, unit None the one at (h // 2, w // 2).
    total: (size, size) float64, the sum over `images`, raw. place: where it was taken, known once there is an image.
    """

    size: int = SIZE
    stage: int = 0
    unit: tuple[int, int] | None = None
    total: np.ndarray | None = None
    images: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    place: Place | None = None

    def __post_init__(self) -> None:
        if self.size < SMALLEST:
            raise OutOfRange(f"A side of {self.size} pixels is too small.", remedy=f"Choose {SMALLEST} or more.")

    @property
    def count(self) -> int:
        return len(self.images)

    def add(self, gradient: np.ndarray, name: str, place: Place | None = None) -> None:
        """One image's field, (size, size). Raises LensError, and adds nothing, where it is not finite."""
        if gradient.shape != (self.size, self.size):
            raise ValueError(f"a field of {gradient.shape} pixels in a run at {self.size}")
        if not np.isfinite(gradient).all():
            raise LensError("The gradient is not finite: the image is left out, as in the published protocol.")
        self.total = gradient.astype(np.float64) if self.total is None else self.total + gradient
        self.images.append(name)
        self.place = self.place or place

    def merge(self, other: ErfSum) -> None:
        """Take in another's images. Raises ValueError where it asked something else."""
        if (self.size, self.stage, self.unit) != (other.size, other.stage, other.unit):
            raise ValueError("two runs of other sizes, stages or units")
        if other.total is not None:
            self.total = other.total.copy() if self.total is None else self.total + other.total
        self.images += other.images
        self.failed += other.failed
        self.place = self.place or other.place

    def result(self) -> ErfProtocol:
        """The average so far. Raises LensError where there is no image in it."""
        if self.total is None or self.place is None:
            reasons = "".join(f" {name}: {why}" for name, why in self.failed[:3])
            raise LensError(f"No image could be used for the receptive field.{reasons}", remedy="Choose others.")
        heatmap, place = self.total / self.count, self.place
        x, y = place.position
        return ErfProtocol(
            place.variant, place.layer, place.unit, place.position, heatmap, tuple(self.images), tuple(self.failed),
            published_r(heatmap, CURVE), r_curve(heatmap, (y, x)), self._note(),
        )  # fmt: skip

    def _note(self) -> str:
        images = "1 image" if self.count == 1 else f"{self.count} images"
        what = "" if is_published_set(self.images) else f"{images}, not ImageNet's first {IMAGES}"
        size = "" if self.size == SIZE else f"{self.size} px, not {SIZE}"
        other = "; ".join(filter(None, (what, size)))
        return f"Not the published setting: {other}." if other else ""


@dataclass(frozen=True)
class Place:
    """Where the fields of a run were taken: model, layer, unit and its pixel (x, y) in the view."""

    variant: str
    layer: str
    unit: tuple[int, int]
    position: tuple[float, float]

    @staticmethod
    def of(found: Explanation) -> Place:
        n = found.numbers
        return Place(found.model, found.layer, (int(n["row"]), int(n["column"])), (n["x"], n["y"]))


def published_erf(
    model: AnyModel,
    images: Iterable[Source],
    size: int = SIZE,
    stage: int = 0,
    unit: tuple[int, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
    preview: Preview | None = None,
    every: int = 5,
) -> ErfProtocol:
    """The published protocol over images: paths, or uint8 RGB arrays (H, W, 3), read one at a time.

    size: side of the square view, pixels. stage from 1, 0 the last; unit (row, column), None at (h // 2, w // 2).
    progress: (done, in all; 0 in all where `images` does not say). preview: given the running average after the first
    image and after every `every`-th. An image that cannot be read is in `failed`, and the others go on.
    Result: raw, sum of features per unit of normalized input, float64 (size, size).
    Raises OutOfRange for a stage or unit that is not there, DeviceError for too little memory, LensError where no
    image could be used.
    """
    found = ErfSum(size, stage, unit)
    count = len(images) if hasattr(images, "__len__") else 0
    for done, image in enumerate(images, 1):
        add_image(found, model, image, done)
        if progress is not None:
            progress(done, count)
        if preview is not None and found.count and (found.count == 1 or done % every == 0):
            preview(found.result())
    return found.result()


def add_image(found: ErfSum, model: AnyModel, image: Source, number: int = 1) -> bool:
    """Add one image's field to a sum; False, and a line in `failed`, where the image cannot be used.

    number: what an array is called by, as it has no name. Raises as published_erf does.
    """
    name = name_of(image, number)
    try:
        model_input = warped(decode(image, name=name), found.size, _bare(model).spec)
        field_of_one = one_field(model, model_input, found.stage, found.unit)
        found.add(field_of_one.heatmap, name, Place.of(field_of_one))
    except (OutOfRange, DeviceError):
        raise  # the same for every image
    except LensError as error:
        found.failed.append((name, str(error)))
        return False
    return True


def one_field(
    model: AnyModel, model_input: ModelInput, stage: int = 0, unit: tuple[int, int] | None = None
) -> Explanation:
    """One image's share of the average: float32 (S, S), ReLU of the gradient, summed over RGB."""
    model = _bare(model)
    with _in_words(model, model_input.crop.shape[1]):
        seen = observe(model, model_input, ("stage",), grad=True)
        last = max(record.stage for record in seen.trace.find("stage"))
        return receptive_field(seen, stage or last, unit=unit, rectify=True, keep_graph=False)


def warped(image: SourceImage, size: int, spec: ViewSpec | None = None) -> ModelInput:
    """The whole image as size x size pixels, bicubically, its aspect lost; colors normalized as `spec` has it."""
    own = {name: getattr(spec, name) for name in ("mean", "std") if hasattr(spec, name)}
    return prepare(image, image_size=size, crop_pct=1.0, crop_mode="squash", **own)


def name_of(image: Source, number: int = 1) -> str:
    """ "FOLDER/FILE" of a path, nothing above it; "image 3" of an array."""
    if isinstance(image, np.ndarray):
        return f"image {number}"
    path = Path(image)
    return "/".join(filter(None, (path.absolute().parent.name, path.name)))


def is_published_set(names: Iterable[str]) -> bool:
    """Whether these are, by their names, ImageNet's first 50: by number, or as a folder a class gives them."""
    names = sorted(set(names))
    found = [_VALIDATION.search(name) for name in names]
    if len(names) != IMAGES or not all(found):
        return False
    numbers = [int(match[1]) for match in found]
    return numbers == list(range(1, IMAGES + 1)) or all(name.startswith(f"{_FIRST_CLASS}/") for name in names)


def _bare(model: AnyModel) -> TransXNet | Backbone:
    return model.model if isinstance(model, LoadedModel) else model


@contextmanager
def _in_words(model: TransXNet | Backbone, size: int) -> Iterator[None]:
    """Too little memory, or a backbone that this size does not fit, becomes a sentence."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError, AssertionError, ValueError) as error:
        if isinstance(error, MemoryError) or re.search(r"out of memory|allocate memory", str(error)):
            raise DeviceError(
                f"An image of {size} pixels a side is too much for this device's memory.",
                remedy="Choose a smaller size, such as 512.",
            ) from error
        if isinstance(error, LensError) or not isinstance(model, Backbone):
            raise
        raise OutOfRange(
            f"{model.spec.name} cannot look at images of {size} px.",
            remedy=f"Load it with image_size={size}, or choose a multiple of 32.",
            detail=str(error)[:200],
        ) from error
