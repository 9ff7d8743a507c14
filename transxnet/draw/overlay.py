"""Raw maps over the photo, drawn where their units are: `place` (results/placement.py) says where that is."""

from __future__ import annotations

import cv2
import numpy as np

from ..results.placement import interpolate
from .scale import MASKED, PLAIN, Tone, above, alpha, colorize

__all__ = ["crop_view", "mark", "overlay", "interpolate"]

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
    """The photo in gray under the map's colors, opacity rising with the value (scale.py's rule).

    Masked, it is the photo in its own colors where the map is not below the threshold; elsewhere 1 - opacity
    of its light is left.

    photo: uint8 (H, W, 3), RGB: the view, or the same part of the upload at another size. heat: (H, W), raw, from
    `place`. value_range: raw (low, high), normalized by whoever calls. Returns uint8 (H, W, 3), RGB; where heat is not
    finite, the gray photo, or the dark one.
    """
    if tone.mode == MASKED:
        light = np.where(above(heatmap, value_range, signed, tone), 1, 1 - np.float32(opacity))[..., None]  # (H, W, 1)
        return np.rint(photo * light).astype(np.uint8)
    gray = cv2.cvtColor(np.ascontiguousarray(photo), cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]  # (H, W, 1)
    a = alpha(heatmap, value_range, opacity, signed, root, tone)[..., None]  # (H, W, 1)
    colors = colorize(heatmap, value_range, colormap, signed, root, tone).astype(np.float32)  # (H, W, 3)
    return np.rint(gray * (1 - a) + colors * a).astype(np.uint8)


def crop_view(upload: np.ndarray, crop_box: tuple[float, float, float, float], size: tuple[int, int]) -> np.ndarray:
    """What the view covers, taken from the upload at `size` (height, width) instead of at the model's resolution.

    upload: uint8 (H, W, 3), RGB. crop_box: x0, y0, x1, y1, edges in upload pixels; a part outside repeats the edge.
    """
    height, width = size
    x0, y0, x1, y1 = crop_box
    sx, sy = (x1 - x0) / width, (y1 - y0) / height
    # pixel centres of the drawing -> pixel centres of the upload
    to_upload = np.float64([[sx, 0, x0 + sx / 2 - 0.5], [0, sy, y0 + sy / 2 - 0.5]])
    shrink = max(sx, sy)
    if shrink > 1:  # warpAffine takes single samples: smooth first, so that fine detail does not alias
        upload = cv2.GaussianBlur(upload, (0, 0), shrink / 2)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(upload, to_upload, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def mark(
    image: np.ndarray, position: tuple[float, float], input_size: tuple[int, int], radius: float = 0.022
) -> np.ndarray:
    """A copy with a ring, white inside black, about a point (x, y) in view pixels.

    view_size: (height, width) of the view the image covers. radius: of the ring, as a share of the image's width.
    """
    height, width = image.shape[:2]
    x = (position[0] + 0.5) * width / input_size[1] - 0.5
    y = (position[1] + 0.5) * height / input_size[0] - 0.5
    marked = np.ascontiguousarray(image).copy()
    ring, thick = max(4, round(radius * width)), max(1, round(width / 380))
    center = (round(x * 16), round(y * 16))  # shift=4: sixteenths of a pixel
    for line, color in ((thick + 2, BLACK), (thick, WHITE)):
        cv2.circle(marked, center, ring * 16, color, line, cv2.LINE_AA, shift=4)
    return marked
