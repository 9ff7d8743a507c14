"""The effective receptive field as published: one unit's ERF averaged over many images.

RepLKNet's script (Ding et al., arXiv 2203.06717; its erf/visualize_erf.py), which the figures of TransXNet's paper
follow: the first 50 images of ImageNet's validation set, each resized to 1024 x 1024 bicubically (aspect ratio not
kept, no crop) and normalized; s = sum over channels of ReLU(M[:, h // 2, w // 2]), M the last stage's output before the
head's norm; the ReLU of ds/dx, summed over RGB, averaged over images; images with a gradient that is not finite are
left out. The figure is its log10 (results/erf.py), r(t) is erf.py's.

Differences: any size, stage, unit and images, which the result then notes; another backbone's colors are normalized as
its weights need; a side above 2048 px is reduced before the resize, as everywhere here (images.py). relative_pos_enc
is resized as the model does it: at 1024 px stage 1 has 65,536 queries and 1,024 keys, so that one image takes T about
6 GiB and 20 s on one CPU core, pico 3 GiB and 9 s; at 512 px 2 GiB and 2 s, pico 1 GiB and 1 s.

Limitations: not a property of the model alone (other images, another size or another training give another field), nor
a measure of usefulness: a wide field is not a better one.
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
from ...errors import DeviceError, LensError, OutOfRange, PartMissing
from ...images import LIMITS, InputSpec, Limits, ModelInput, SourceImage, decode, prepare
from ...model import TransXNet
from ...results import Explanation
from ...results.erf import ErfProtocol
from ...weights.load import LoadedModel
from ..observe import observe
from .erf import CURVE_SHARES, containment_curve, published_curve, receptive_field

IMAGES, SIZE = 50, 1024  # the published number of images, and their side in pixels
SMALLEST = 32  # one unit of the last stage
_VALIDATION_NAME = re.compile(r"ILSVRC2012_val_(\d{8})")
_FIRST_CLASS = "n01440764"  # an ImageFolder of ImageNet lists its 50 images first

AnyModel = LoadedModel | TransXNet | Backbone
Source = str | Path | np.ndarray
Preview = Callable[[ErfProtocol], None]


@dataclass(frozen=True)
class UnitLocation:
    """The unit whose ERFs a run averages.

    Attributes:
        model: Name of the model.
        layer: Caption of the layer.
        unit: (row, column), from 0.
        position: (x, y), its model-input pixel.
    """

    model: str
    layer: str
    unit: tuple[int, int]
    position: tuple[float, float]

    @classmethod
    def of(cls, erf: Explanation) -> UnitLocation:
        """The unit of a map that `receptive_field` computed."""
        n = erf.numbers
        return cls(erf.model, erf.layer, (int(n["row"]), int(n["column"])), (n["x"], n["y"]))


@dataclass
class ErfSum:
    """Sum and count of ERFs, and all that a run needs to continue or to be merged from several processes.

    Attributes:
        size: Side of the model input in pixels.
        stage: From 1; 0 is the last.
        unit: (row, column) from 0; None is (h // 2, w // 2).
        total: (size, size) float64, the raw sum over `images`; None before the first image.
        images: Names of the images in the sum.
        failed: (image, reason) of those left out.
        location: The averaged unit; None before the first image.
    """

    size: int = SIZE
    stage: int = 0
    unit: tuple[int, int] | None = None
    total: np.ndarray | None = None
    images: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    location: UnitLocation | None = None

    def __post_init__(self) -> None:
        if self.size < SMALLEST:
            raise OutOfRange(f"A side of {self.size} pixels is too small.", remedy=f"Choose {SMALLEST} or more.")

    @property
    def count(self) -> int:
        """Number of images in the sum."""
        return len(self.images)

    def add(self, gradient: np.ndarray, name: str, location: UnitLocation | None = None) -> None:
        """Add one image's ERF.

        Args:
            gradient: (size, size).
            name: Of the image.
            location: The unit, needed with the first image.

        Raises:
            LensError: If the gradient is not finite; nothing is added.
            ValueError: For another shape.
        """
        if gradient.shape != (self.size, self.size):
            raise ValueError(f"a field of {gradient.shape} pixels in a run at {self.size}")
        if not np.isfinite(gradient).all():
            raise LensError("The gradient is not finite: the image is left out, as in the published protocol.")
        self.total = gradient.astype(np.float64) if self.total is None else self.total + gradient
        self.images.append(name)
        self.location = self.location or location

    def merge(self, other: ErfSum) -> None:
        """Add the images of another sum, which stays unchanged.

        Args:
            other: Of the same size, stage and unit.

        Raises:
            ValueError: For another size, stage or unit.
        """
        if (self.size, self.stage, self.unit) != (other.size, other.stage, other.unit):
            raise ValueError("two runs of other sizes, stages or units")
        if other.total is not None:
            self.total = other.total.copy() if self.total is None else self.total + other.total
        self.images += other.images
        self.failed += other.failed
        self.location = self.location or other.location

    def result(self) -> ErfProtocol:
        """The average so far.

        Returns:
            The average with both curves.

        Raises:
            LensError: If there is no image in the sum.
        """
        if self.total is None or self.location is None:
            reasons = "".join(f" {name}: {reason}" for name, reason in self.failed[:3])
            raise LensError(f"No image could be used for the receptive field.{reasons}", remedy="Choose others.")
        heatmap, location = self.total / self.count, self.location
        x, y = location.position
        return ErfProtocol(
            location.model, location.layer, location.unit, location.position, heatmap,
            tuple(self.images), tuple(self.failed),
            published_curve(heatmap, CURVE_SHARES), containment_curve(heatmap, (y, x)), self._note(),
        )  # fmt: skip

    def _note(self) -> str:
        images = "1 image" if self.count == 1 else f"{self.count} images"
        images = "" if is_published_image_set(self.images) else f"{images}, not ImageNet's first {IMAGES}"
        size = "" if self.size == SIZE else f"{self.size} px, not {SIZE}"
        differences = "; ".join(filter(None, (images, size)))
        return f"Not the published setting: {differences}." if differences else ""


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
    """Run the published protocol over images. An image that cannot be read is listed in `failed`.

    Args:
        model: In evaluation mode.
        images: Paths, or uint8 RGB arrays (H, W, 3), read one at a time.
        size: Side of the square model input in pixels.
        stage: From 1; 0 is the last.
        unit: (row, column) from 0; None is (h // 2, w // 2).
        progress: Called with (images done, images in total); 0 in total where `images` has no length.
        preview: Called with the running average after the first image and after every `every`-th.
        every: Images between two previews.

    Returns:
        The raw average, sum of features per unit of normalized input, float64 (size, size).

    Raises:
        OutOfRange: For a stage or unit that does not exist.
        PartMissing: For a stage that this backbone lacks.
        DeviceError: If memory does not suffice.
        LensError: If no image could be used.
    """
    erf_sum = ErfSum(size, stage, unit)
    count = len(images) if hasattr(images, "__len__") else 0
    for number, image in enumerate(images, 1):
        add_image(erf_sum, model, image, number)
        if progress is not None:
            progress(number, count)
        if preview is not None and erf_sum.count and (erf_sum.count == 1 or number % every == 0):
            preview(erf_sum.result())
    return erf_sum.result()


def add_image(erf_sum: ErfSum, model: AnyModel, image: Source, number: int = 1, limits: Limits = LIMITS) -> bool:
    """Add one image's ERF to a sum.

    Args:
        erf_sum: Changed in place.
        model: In evaluation mode.
        image: Path, or uint8 RGB array (H, W, 3).
        number: Names an array, which has no name.
        limits: Which images are accepted.

    Returns:
        False if the image cannot be used; it is then listed in `failed`.

    Raises:
        OutOfRange: For a stage or unit that does not exist.
        PartMissing: For a stage that this backbone lacks.
        DeviceError: If memory does not suffice.
    """
    name = image_name(image, number)
    try:
        model_input = warp_to_square(decode(image, name=name, limits=limits), erf_sum.size, _module(model).spec)
        erf = single_image_erf(model, model_input, erf_sum.stage, erf_sum.unit)
        erf_sum.add(erf.heatmap, name, UnitLocation.of(erf))
    except (OutOfRange, PartMissing, DeviceError):
        raise  # the same for every image
    except LensError as error:
        erf_sum.failed.append((name, str(error)))
        return False
    return True


def single_image_erf(
    model: AnyModel, model_input: ModelInput, stage: int = 0, unit: tuple[int, int] | None = None
) -> Explanation:
    """One summand of the average.

    Args:
        model: In evaluation mode.
        model_input: As returned by `warp_to_square`.
        stage: From 1; 0 is the last.
        unit: (row, column) from 0; None is (h // 2, w // 2).

    Returns:
        float32 (S, S), ReLU of the gradient, summed over RGB.

    Raises:
        OutOfRange: For a stage or unit that does not exist, or a size that the backbone does not take.
        DeviceError: If memory does not suffice.
    """
    model = _module(model)
    with _readable_errors(model, model_input.crop.shape[1]):
        observation = observe(model, model_input, ("stage",), grad=True)
        last = max(record.stage for record in observation.trace.find("stage"))
        return receptive_field(observation, stage or last, unit=unit, rectify=True, keep_graph=False)


def warp_to_square(image: SourceImage, size: int, spec: InputSpec | None = None) -> ModelInput:
    """Resize the whole image to size x size pixels, bicubically; the aspect ratio is not kept.

    Args:
        image: Decoded image.
        size: Side in pixels.
        spec: Model spec whose mean and std normalize the colors; None is ImageNet's.

    Returns:
        The model input.
    """
    normalization = {name: getattr(spec, name) for name in ("mean", "std") if hasattr(spec, name)}
    return prepare(image, image_size=size, crop_pct=1.0, crop_mode="squash", **normalization)


def image_name(image: Source, number: int = 1) -> str:
    """Name of an image without the path above its folder.

    Args:
        image: Path, or array.
        number: Of the image, for an array.

    Returns:
        "FOLDER/FILE" for a path, "image 3" for an array.
    """
    if isinstance(image, np.ndarray):
        return f"image {number}"
    path = Path(image)
    return "/".join(filter(None, (path.absolute().parent.name, path.name)))


def is_published_image_set(names: Iterable[str]) -> bool:
    """Whether these are, by name, ImageNet's first 50 validation images: by number, or all of the first class.

    Args:
        names: As returned by `image_name`.

    Returns:
        True for either set.
    """
    names = sorted(set(names))
    matches = [_VALIDATION_NAME.search(name) for name in names]
    if len(names) != IMAGES or not all(matches):
        return False
    numbers = [int(match[1]) for match in matches]
    return numbers == list(range(1, IMAGES + 1)) or all(name.startswith(f"{_FIRST_CLASS}/") for name in names)


def _module(model: AnyModel) -> TransXNet | Backbone:
    return model.model if isinstance(model, LoadedModel) else model


@contextmanager
def _readable_errors(model: TransXNet | Backbone, size: int) -> Iterator[None]:
    """Raise DeviceError for too little memory, OutOfRange for a size that a backbone does not take."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError, AssertionError, ValueError) as error:
        if isinstance(error, MemoryError) or re.search(r"out of memory|allocate memory", str(error)):
            raise DeviceError(
                f"An image of {size} x {size} pixels does not fit into this device's memory.",
                remedy="Choose a smaller size, such as 512.",
            ) from error
        if isinstance(error, LensError) or not isinstance(model, Backbone):
            raise
        raise OutOfRange(
            f"{model.spec.name} does not take images of {size} px.",
            remedy=f"Load it with image_size={size}, or choose a multiple of 32.",
            detail=str(error)[:200],
        ) from error
