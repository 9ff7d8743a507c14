"""From raw values to colours and opacity: the one rule that the page's JavaScript mirrors.

    sequential   t = clip((v - low) / (high - low), 0, 1)        colour = lut[round(255 t)]           strength = t
    signed       t = clip(v / m, -1, 1), m = max(|low|, |high|)  colour = lut[round(255 (t + 1) / 2)] strength = |t|
    root         t = sign(t) sqrt(|t|) before both: for maps whose few peaks tower over the rest
    opacity      alpha = opacity * strength ** ALPHA_POWER

Ranges are raw values and shared by everything drawn in one column, so that equal colours mean equal values.
A value that is not finite has no colour: strength 0, and MISSING where nothing lies under it. Where low = high,
what exceeds it is drawn at full strength and the rest not at all, so that an all-zero map draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .colormaps import lut

ALPHA_POWER = 0.75  # below 1: middling values show; above 0: the lowest leave the photograph as it is
MISSING = (200, 200, 200)  # RGB of a value that is not a number


def shared_range(maps: Iterable[np.ndarray], signed: bool = False) -> tuple[float, float]:
    """One raw range (low, high) for maps to be compared: symmetric about zero if signed, else with zero inside.

    Values that are not finite are left out; no finite value at all gives (0, 0).
    """
    finite = [values[np.isfinite(values)] for values in map(np.asarray, maps)]
    low = min((float(v.min()) for v in finite if v.size), default=0.0)
    high = max((float(v.max()) for v in finite if v.size), default=0.0)
    if signed:
        return -max(abs(low), abs(high)), max(abs(low), abs(high))
    return min(low, 0.0), max(high, 0.0)


def position(
    values: np.ndarray, value_range: tuple[float, float], signed: bool = False, root: bool = False
) -> np.ndarray:
    """Place on the colour map, 0 (low end) to 1 (high end), float32 of the same shape; NaN where not finite."""
    t = _unit(values, value_range, signed, root)
    return (t + 1) / 2 if signed else t


def strength(
    values: np.ndarray, value_range: tuple[float, float], signed: bool = False, root: bool = False
) -> np.ndarray:
    """How much there is to see, 0 to 1, float32 of the same shape; 0 where not finite."""
    return np.nan_to_num(np.abs(_unit(values, value_range, signed, root)), nan=0.0)


def alpha(
    values: np.ndarray,
    value_range: tuple[float, float],
    opacity: float = 0.85,
    signed: bool = False,
    root: bool = False,
) -> np.ndarray:
    """Opacity of the map over the photograph: opacity * strength ** ALPHA_POWER, float32 of the same shape."""
    return np.float32(opacity) * strength(values, value_range, signed, root) ** np.float32(ALPHA_POWER)


def colorize(
    values: np.ndarray,
    value_range: tuple[float, float],
    colormap: str = "magma",
    signed: bool = False,
    root: bool = False,
) -> np.ndarray:
    """Raw values (...) -> colours uint8 (..., 3), RGB; MISSING where not finite. Raises UnknownName."""
    at = position(values, value_range, signed, root)
    known = np.isfinite(at)
    index = np.rint(np.where(known, at, 0) * 255).astype(np.uint8)
    return np.where(known[..., None], lut(colormap)[index], np.uint8(MISSING))


def _unit(values: np.ndarray, value_range: tuple[float, float], signed: bool, root: bool) -> np.ndarray:
    """t of the formulas above: -1 to 1 if signed, else 0 to 1; NaN where not finite."""
    values = np.asarray(values, np.float64)
    values = np.where(np.isfinite(values), values, np.nan)
    low, high = value_range
    if signed:
        low, high = 0.0, max(abs(low), abs(high))
    if high > low:
        t = (values - low) / (high - low)
    else:
        t = np.where(np.isnan(values), np.nan, np.sign(values - low))
    t = np.clip(t, -1 if signed else 0, 1)
    return (np.sign(t) * np.sqrt(np.abs(t)) if root else t).astype(np.float32)
