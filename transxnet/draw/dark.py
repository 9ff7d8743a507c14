"""A finished figure in the colors of a dark page: ground, text and lines change, photos and maps stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb, to_rgba
from matplotlib.figure import Figure

from .text import GRAY, HAIRLINE, INK

GROUND = "#12181e"  # of the page, as in demo/web/css/base.css
COLORS = {"#ffffff": GROUND, "#000000": "#e8edf1", INK: "#e8edf1", GRAY: "#a3b0bb", HAIRLINE: "#303a44"}
CONTRAST = 4.5  # of other colors to the ground, at least (WCAG 2.1, 1.4.3)
PROPERTIES = ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor")


def recolor(figure: Figure) -> None:
    """Change the colors of everything that is not an image."""
    for artist in set(figure.findobj(lambda artist: not isinstance(artist, (Figure, Axes)))):  # these have patches
        for get, change in _accessors(artist):
            with suppress(TypeError, ValueError):  # a color of another kind, such as "auto"
                value = np.asarray(get())
                change([_dark(one) for one in value] if value.ndim == 2 else _dark(get()))


def flat_image(rgb: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3): the same with the ground in place of white, as between kernels, and darker hairlines."""
    dark = rgb.copy()
    for light in ("#ffffff", HAIRLINE):
        dark[(rgb == _bytes(light)).all(axis=-1)] = _bytes(COLORS[light])
    return dark


def _accessors(artist: Artist) -> Iterator[tuple]:
    for name in PROPERTIES:
        get, change = getattr(artist, f"get_{name}", None), getattr(artist, f"set_{name}", None)
        if get and change:
            yield get, change


def _dark(color: object) -> tuple[float, float, float, float]:
    """RGBA. A color that has no counterpart is mixed with white until it is legible."""
    alpha, name = to_rgba(color)[3], to_hex(color)
    if name in COLORS:
        return to_rgba(COLORS[name], alpha)
    rgb, share = np.asarray(to_rgb(color)), 0.0
    while _contrast(mixed := rgb * (1 - share) + share) < CONTRAST:
        share += 0.1
    return (*mixed, alpha)


def _contrast(rgb: np.ndarray) -> float:
    return (_luminance(rgb) + 0.05) / (_luminance(np.asarray(to_rgb(GROUND))) + 0.05)


def _luminance(rgb: np.ndarray) -> float:
    """Relative luminance (WCAG 2.1)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def _bytes(color: str) -> np.ndarray:
    return np.round(255 * np.asarray(to_rgb(color))).astype(np.uint8)
