"""The frames of a transition: a crossfade of two images, or one image panned, zoomed or rotated.

Frames are squares of floor(image_size / crop_pct) pixels, to which `images.prepare` resizes the short side, so that
preparing a frame changes no pixel. The first frame of a crossfade is therefore exactly the model input of its image,
and the last that of the other one.

The other transitions move a square window over one image, resampled with Pillow's antialiased bicubic filter:

    pan      a window of PAN of the short side moves along the long side, from the left (top) to the right (bottom)
    zoom     the window of the short side shrinks to 1 / ZOOM of it, in equal ratios from frame to frame
    rotate   a window of the short side / sqrt(2), whose corners never leave the image, turns once about the center
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from PIL import Image

from ..errors import LensError, check_index, check_name
from ..images import FILTERS, InputSpec, SourceImage, decode

CROSSFADE, *_ = TRANSITIONS = ("crossfade", "pan", "zoom", "rotate")
TWO_IMAGES = frozenset({CROSSFADE})  # the transitions from one image to another
MIN_FRAMES, MAX_FRAMES = 2, 600
PAN, ZOOM = 2 / 3, 3.0  # of the short side; times


def transition(
    name: str, spec: InputSpec, image: SourceImage, other: SourceImage | None = None, count: int = 24
) -> Iterator[SourceImage]:
    """The frames of a transition, each made when it is needed.

    Args:
        name: One of TRANSITIONS.
        spec: Of the model that the frames are for.
        image: The image, of a crossfade the first one.
        other: The second image of a crossfade; others ignore it.
        count: How many frames, 2 to MAX_FRAMES.

    Returns:
        The frames, square.

    Raises:
        UnknownName: There is no such transition.
        OutOfRange: `count` is out of range.
        LensError: A crossfade of one image.
    """
    check_name(name, TRANSITIONS, "There is no transition called {name}.")
    check_count(count)
    side = math.floor(spec.image_size / spec.crop_pct)
    if name == CROSSFADE:
        if other is None:
            raise LensError("A crossfade needs two images.", remedy="Name a second one, or pan, zoom or rotate.")
        return _crossfade(_square(image, spec, side), _square(other, spec, side), count)
    return _MOVES[name](image.rgb, side, count, FILTERS[spec.interpolation])


def check_count(count: int) -> int:
    """The number of frames; raises OutOfRange for one that a sequence cannot have."""
    return check_index(count, MIN_FRAMES, MAX_FRAMES, "A sequence cannot have {index} frames.")


def _square(image: SourceImage, spec: InputSpec, side: int) -> np.ndarray:
    """The part of an image around the model input, uint8 (side, side, 3): `images.prepare` without its crop."""
    short, long = min(image.size), max(image.size)
    longer = side if spec.crop_mode == "squash" else int(side * long / short)
    width, height = (side, longer) if image.size[0] <= image.size[1] else (longer, side)
    inner = round((side - spec.image_size) / 2.0)  # where prepare crops the frame
    left, top = (round((edge - spec.image_size) / 2.0) - inner for edge in (width, height))
    resized = Image.fromarray(image.rgb).resize((width, height), FILTERS[spec.interpolation])
    return np.array(resized.crop((left, top, left + side, top + side)))


def _crossfade(first: np.ndarray, second: np.ndarray, count: int) -> Iterator[SourceImage]:
    a, b = first.astype(np.float32), second.astype(np.float32)
    for i in range(count):
        share = i / (count - 1)
        yield decode(np.rint(a * (1 - share) + b * share).astype(np.uint8))


def _pan(rgb: np.ndarray, side: int, count: int, resample: Image.Resampling) -> Iterator[SourceImage]:
    image, (height, width) = Image.fromarray(rgb), rgb.shape[:2]
    window = PAN * min(width, height)
    for i in range(count):
        share = i / (count - 1)
        along, across = share * (max(width, height) - window), (min(width, height) - window) / 2
        x, y = (along, across) if width >= height else (across, along)
        yield _resized(image, (x, y, x + window, y + window), side, resample)


def _zoom(rgb: np.ndarray, side: int, count: int, resample: Image.Resampling) -> Iterator[SourceImage]:
    image, (height, width) = Image.fromarray(rgb), rgb.shape[:2]
    for i in range(count):
        window = min(width, height) / ZOOM ** (i / (count - 1))
        x, y = (width - window) / 2, (height - window) / 2
        yield _resized(image, (x, y, x + window, y + window), side, resample)


def _rotate(rgb: np.ndarray, side: int, count: int, resample: Image.Resampling) -> Iterator[SourceImage]:
    """The image is resized first, so that turning it needs no antialiasing."""
    height, width = rgb.shape[:2]
    factor = side * math.sqrt(2) / min(width, height)
    size = round(width * factor), round(height * factor)
    image = Image.fromarray(rgb).resize(size, resample)
    for i in range(count):
        angle = 2 * math.pi * i / (count - 1)
        cos, sin = math.cos(angle), math.sin(angle)
        # pixel (u, v) of the frame, measured from its center, comes from (cos u + sin v, -sin u + cos v) of the image
        x = size[0] / 2 - side / 2 * (cos + sin)
        y = size[1] / 2 - side / 2 * (cos - sin)
        data = (cos, sin, x, -sin, cos, y)
        yield decode(image.transform((side, side), Image.Transform.AFFINE, data, Image.Resampling.BICUBIC))


def _resized(image: Image.Image, box: tuple[float, ...], side: int, resample: Image.Resampling) -> SourceImage:
    width, height = image.size
    inside = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(width)), min(box[3], float(height)))
    return decode(image.resize((side, side), resample, box=inside))


_MOVES = dict(zip(TRANSITIONS[1:], (_pan, _zoom, _rotate), strict=True))
