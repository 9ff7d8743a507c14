"""Maps over the photo, at the positions of their units (`interpolate`, results/placement.py), and images as PNG."""

from __future__ import annotations

import cv2
import numpy as np

from ..results.placement import interpolate
from .scale import MASKED, PLAIN, Tone, above, alpha, colorize

__all__ = ["crop_source", "mark", "overlay", "interpolate", "resized", "to_png"]

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def overlay(
    photo: np.ndarray,
    heatmap: np.ndarray,
    value_range: tuple[float, float],
    colormap: str = "magma",
    opacity: float = 0.85,
    signed: bool = False,
    root: bool = False,
    tone: Tone = PLAIN,
) -> np.ndarray:
    """The photo in gray below the colors of a map, whose opacity rises with the value (see scale.py).

    In mode MASKED the photo keeps its colors where the map is not below the threshold; elsewhere 1 - opacity of its
    light remains.

    Args:
        photo: uint8 (H, W, 3), RGB: the model's crop, or the same part of the source image at another size.
        heatmap: (H, W), raw, from `interpolate`; where it is not finite, the photo stays gray or dark.
        value_range: Raw (low, high), shared by all maps of a column.
        colormap, signed, root, tone: As for `scale.colorize`.
        opacity: Of the strongest value, 0 to 1.

    Returns:
        uint8 (H, W, 3), RGB.
    """
    if tone.mode == MASKED:
        light = np.where(above(heatmap, value_range, signed, tone), 1, 1 - np.float32(opacity))[..., None]  # (H, W, 1)
        return np.rint(photo * light).astype(np.uint8)
    gray = cv2.cvtColor(np.ascontiguousarray(photo), cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]  # (H, W, 1)
    a = alpha(heatmap, value_range, opacity, signed, root, tone)[..., None]  # (H, W, 1)
    colors = colorize(heatmap, value_range, colormap, signed, root, tone).astype(np.float32)  # (H, W, 3)
    return np.rint(gray * (1 - a) + colors * a).astype(np.uint8)


def crop_source(image: np.ndarray, crop_box: tuple[float, float, float, float], size: tuple[int, int]) -> np.ndarray:
    """The model's crop, taken from the source image at `size` instead of at the model's resolution.

    Args:
        image: uint8 (H, W, 3), RGB.
        crop_box: x0, y0, x1, y1, edges in pixels of the image; a part outside repeats the edge.
        size: (height, width) of the result in pixels.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    height, width = size
    x0, y0, x1, y1 = crop_box
    sx, sy = (x1 - x0) / width, (y1 - y0) / height
    # pixel centers of the result -> pixel centers of the image
    to_source = np.float64([[sx, 0, x0 + sx / 2 - 0.5], [0, sy, y0 + sy / 2 - 0.5]])
    shrink = max(sx, sy)
    if shrink > 1:  # warpAffine takes single samples: smooth first against aliasing
        image = cv2.GaussianBlur(image, (0, 0), shrink / 2)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, to_source, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def mark(
    image: np.ndarray, position: tuple[float, float], input_size: tuple[int, int], radius: float = 0.022
) -> np.ndarray:
    """A copy with a ring, white inside black, about a position.

    Args:
        image: uint8 (H, W, 3), RGB.
        position: (x, y) in pixels of the model input.
        input_size: (height, width) of the model input that the image covers.
        radius: Of the ring, over the image's width; at least 4 pixels.

    Returns:
        uint8 (H, W, 3), RGB.
    """
    height, width = image.shape[:2]
    x = (position[0] + 0.5) * width / input_size[1] - 0.5
    y = (position[1] + 0.5) * height / input_size[0] - 0.5
    marked = np.ascontiguousarray(image).copy()
    ring, thick = max(4, round(radius * width)), max(1, round(radius * width / 8))
    center = (round(x * 16), round(y * 16))  # shift=4: sixteenths of a pixel
    for line, color in ((thick + 2, BLACK), (thick, WHITE)):
        cv2.circle(marked, center, ring * 16, color, line, cv2.LINE_AA, shift=4)
    return marked


def resized(values: np.ndarray, side: int) -> np.ndarray:
    """A map or photo as side x side pixels: means of what a pixel covers, or each value as a block."""
    values = np.ascontiguousarray(values if values.dtype == np.uint8 else values.astype(np.float32))
    enlarge = cv2.INTER_LINEAR if values.ndim == 3 else cv2.INTER_NEAREST
    return cv2.resize(values, (side, side), interpolation=cv2.INTER_AREA if values.shape[0] >= side else enlarge)


def to_png(rgb: np.ndarray) -> bytes:
    """uint8 (H, W, 3), RGB -> PNG; a lossy format would change the colors, which stand for values."""
    success, data = cv2.imencode(".png", cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2BGR))
    if not success:
        raise RuntimeError(f"OpenCV could not encode an array of shape {rgb.shape} as PNG")
    return data.tobytes()
