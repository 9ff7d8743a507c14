"""Raw maps over the photograph, drawn where their units are.

A map's value [i, j] belongs to view pixel (origin + stride * j, origin + stride * i): `Geometry`. Stretching the grid
over the view instead, as an image resize does, would put value 0 at the middle of the first cell: (stride - 1) / 2
pixels too far right and down, 15.5 px for a stage of stride 32.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..results import Geometry
from .scale import alpha, colorize

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def place(heat: np.ndarray, geometry: Geometry, size: tuple[int, int] | None = None) -> np.ndarray:
    """Bilinear interpolation of a grid onto pixels, each value at its unit's centre, edge values extended outwards.

    heat: (rows, columns), raw. size: (height, width) of the drawing, which covers exactly the view; None takes the
    view's own. Returns float32 (height, width), raw values; at a unit's pixel exactly the unit's value.
    """
    heat = np.asarray(heat, np.float32)
    height, width = size or geometry.view_size
    top, bottom, down = _neighbours(height, geometry.view_size[0], heat.shape[0], geometry)
    left, right, along = _neighbours(width, geometry.view_size[1], heat.shape[1], geometry)
    rows = heat[top] * (1 - down)[:, None] + heat[bottom] * down[:, None]  # (height, columns)
    return rows[:, left] * (1 - along) + rows[:, right] * along  # (height, width)


def _neighbours(pixels: int, view: int, units: int, geometry: Geometry) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each pixel of one axis of the drawing: the unit before it, the one after, and how far along it lies."""
    in_view = (np.arange(pixels) + 0.5) * view / pixels - 0.5
    u = np.clip((in_view - geometry.origin) / geometry.stride, 0, units - 1)
    before = np.floor(u).astype(int)
    share = (u - before).astype(np.float32)
    return before, before + (share > 0), share  # at a unit's pixel no neighbour: 0 * NaN would be NaN


def overlay(
    photo: np.ndarray,
    heat: np.ndarray,
    value_range: tuple[float, float],
    colormap: str = "magma",
    opacity: float = 0.85,
    signed: bool = False,
    root: bool = False,
) -> np.ndarray:
    """The photograph in grey under the map's colours, opacity rising with the value (scale.py's rule).

    photo: uint8 (H, W, 3), RGB: the view, or the same part of the upload at another size. heat: (H, W), raw, from
    `place`. value_range: raw (low, high). Returns uint8 (H, W, 3), RGB; where heat is not finite, the grey photograph.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(photo), cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]  # (H, W, 1)
    a = alpha(heat, value_range, opacity, signed, root)[..., None]  # (H, W, 1)
    colours = colorize(heat, value_range, colormap, signed, root).astype(np.float32)  # (H, W, 3)
    return np.rint(grey * (1 - a) + colours * a).astype(np.uint8)


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
    picture: np.ndarray, point: tuple[float, float], view_size: tuple[int, int], radius: float = 0.022
) -> np.ndarray:
    """A copy with a ring, white inside black, about a point (x, y) in view pixels.

    view_size: (height, width) of the view the picture covers. radius: of the ring, as a share of the picture's width.
    """
    height, width = picture.shape[:2]
    x = (point[0] + 0.5) * width / view_size[1] - 0.5
    y = (point[1] + 0.5) * height / view_size[0] - 0.5
    marked = np.ascontiguousarray(picture).copy()
    ring, thick = max(4, round(radius * width)), max(1, round(width / 380))
    centre = (round(x * 16), round(y * 16))  # shift=4: sixteenths of a pixel
    for line, colour in ((thick + 2, BLACK), (thick, WHITE)):
        cv2.circle(marked, centre, ring * 16, colour, line, cv2.LINE_AA, shift=4)
    return marked
