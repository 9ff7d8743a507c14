"""From raw values to colors and opacity: one rule, which the page's JavaScript mirrors.

    sequential   t = clip((v - low) / (high - low), 0, 1)        color = lut[round(255 t)]           strength = t
    signed       t = clip(v / m, -1, 1), m = max(|low|, |high|)  color = lut[round(255 (t + 1) / 2)] strength = |t|
    root         t = sign(t) sqrt(|t|) before both: for maps whose few peaks tower over the rest
    gamma        t = sign(t) |t| ** gamma, after the root: below 1 it lifts low values, above 1 it lowers them
    threshold    where |t| lies below it before root and gamma, as a share of the scale's maximum: strength 0, HIDDEN
    opacity      alpha = opacity * strength ** ALPHA_POWER

Ranges are raw values, shared by all maps of one column, so that equal colors mean equal values. A value that is not
finite has no color: strength 0, and MISSING where there is no image below it. Where low = high, values above it are
drawn at full strength and the rest not at all, so that an all-zero map draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .colormaps import lut

ALPHA_POWER = 0.75  # below 1: middle values stay visible; above 0: the lowest leave the photo as it is
MISSING = (200, 200, 200)  # RGB of a value that is not a number
HIDDEN = (230, 235, 239)  # RGB of a value below the threshold, where there is no image below it
RAW, NORMALIZED, MASKED = MODES = ("raw", "normalized", "masked")
MODE_NOTES = {
    RAW: "",
    NORMALIZED: "Each map has its own scale: do not compare brightness.",
    MASKED: "The photo is shown where the map is above the threshold, and darkened elsewhere.",
}


@dataclass(frozen=True)
class Tone:
    """Display settings of a scale.

    Attributes:
        gamma: As above.
        threshold: As above; 0 hides nothing.
        mode: RAW, the shared range; NORMALIZED, each map's own range, so that maps do not compare; MASKED, the photo
            in its colors where the map is not below the threshold, and dark elsewhere.

    Raises:
        ValueError: For a value out of range.
    """

    gamma: float = 1.0  # above 0
    threshold: float = 0.0  # 0 hides nothing, below 1
    mode: str = RAW

    def __post_init__(self) -> None:
        if not (self.gamma > 0 and 0 <= self.threshold < 1 and self.mode in MODES):
            raise ValueError(f"gamma > 0, 0 <= threshold < 1 and one of {MODES} are required, not {self}.")

    @property
    def description(self) -> str:
        """Sentences for the caption of a drawing that is not PLAIN; '' for PLAIN."""
        sentences = [f"Gamma {self.gamma:g}."] * (self.gamma != 1)
        sentences += [f"Values below {100 * self.threshold:g}% of the scale's maximum are hidden."] * (
            self.threshold > 0
        )
        return " ".join([*sentences, MODE_NOTES[self.mode]]).strip()


PLAIN = Tone()


def shared_range(maps: Iterable[np.ndarray], signed: bool = False) -> tuple[float, float]:
    """One raw range (low, high) for maps that are compared: symmetric about zero if signed, else including zero.

    Values that are not finite are ignored; without a finite value the range is (0, 0).
    """
    finite = [values[np.isfinite(values)] for values in map(np.asarray, maps)]
    low = min((float(v.min()) for v in finite if v.size), default=0.0)
    high = max((float(v.max()) for v in finite if v.size), default=0.0)
    if signed:
        return -max(abs(low), abs(high)), max(abs(low), abs(high))
    return min(low, 0.0), max(high, 0.0)


def color_position(
    values: np.ndarray,
    value_range: tuple[float, float],
    signed: bool = False,
    root: bool = False,
    tone: Tone = PLAIN,
) -> np.ndarray:
    """Position on the color map, 0 (low end) to 1 (high end), float32 of the same shape; NaN where not finite."""
    t = _unit(values, value_range, signed, root, tone)
    return (t + 1) / 2 if signed else t


def strength(
    values: np.ndarray,
    value_range: tuple[float, float],
    signed: bool = False,
    root: bool = False,
    tone: Tone = PLAIN,
) -> np.ndarray:
    """Visibility, 0 to 1, float32 of the same shape; 0 where not finite or below the threshold."""
    magnitude = np.nan_to_num(np.abs(_unit(values, value_range, signed, root, tone)), nan=0.0)
    return np.where(above(values, value_range, signed, tone), magnitude, np.float32(0))


def above(values: np.ndarray, value_range: tuple[float, float], signed: bool = False, tone: Tone = PLAIN) -> np.ndarray:
    """Where values are finite and not below the threshold: bool of the same shape."""
    return np.abs(_share(values, value_range, signed)) >= tone.threshold  # no comparison holds for NaN


def alpha(
    values: np.ndarray,
    value_range: tuple[float, float],
    opacity: float = 0.85,
    signed: bool = False,
    root: bool = False,
    tone: Tone = PLAIN,
) -> np.ndarray:
    """Opacity of the map over the photo: opacity * strength ** ALPHA_POWER, float32 of the same shape."""
    return np.float32(opacity) * strength(values, value_range, signed, root, tone) ** np.float32(ALPHA_POWER)


def colorize(
    values: np.ndarray,
    value_range: tuple[float, float],
    colormap: str = "magma",
    signed: bool = False,
    root: bool = False,
    tone: Tone = PLAIN,
) -> np.ndarray:
    """Colors of raw values.

    Args:
        values: Raw, of any shape (...).
        value_range: Raw (low, high) of the scale.
        colormap: A name of COLORMAPS.
        signed: Whether the color map diverges about zero.
        root: Whether colors follow the square root.
        tone: Display settings.

    Returns:
        uint8 (..., 3), RGB; MISSING where not finite, HIDDEN below the threshold.

    Raises:
        UnknownName: For a color map that is not known.
    """
    position = color_position(values, value_range, signed, root, tone)
    finite = np.isfinite(position)
    index = np.rint(np.where(finite, position, 0) * 255).astype(np.uint8)
    colors = np.where(above(values, value_range, signed, tone)[..., None], lut(colormap)[index], np.uint8(HIDDEN))
    return np.where(finite[..., None], colors, np.uint8(MISSING))


def colorbar(
    value_range: tuple[float, float],
    colormap: str = "magma",
    signed: bool = False,
    size: tuple[int, int] = (12, 384),
    root: bool = False,
    tone: Tone = PLAIN,
) -> np.ndarray:
    """A strip of the colors from low (left) to high (right), linear in the values.

    Its ends are the ends of value_range, so a range that is not symmetric shows only its part of a diverging map;
    values below the threshold are gray.

    Args:
        value_range, colormap, signed, root, tone: As for `colorize`.
        size: (height, width) in pixels.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    low, high = value_range
    if high <= low:  # a single value: show the whole color map rather than one color
        low, high = (-1.0, 1.0) if signed else (0.0, 1.0)
    values = np.broadcast_to(np.linspace(low, high, size[1]), size)
    return colorize(values, (low, high), colormap, signed, root, tone)


def _share(values: np.ndarray, value_range: tuple[float, float], signed: bool) -> np.ndarray:
    """Values over the scale's maximum: -1 to 1 if signed, else 0 to 1, float64; NaN where not finite."""
    values = np.asarray(values, np.float64)
    values = np.where(np.isfinite(values), values, np.nan)
    low, high = value_range
    if signed:
        low, high = 0.0, max(abs(low), abs(high))
    if high > low:
        t = (values - low) / (high - low)
    else:
        t = np.where(np.isnan(values), np.nan, np.sign(values - low))
    return np.clip(t, -1 if signed else 0, 1)


def _unit(values: np.ndarray, value_range: tuple[float, float], signed: bool, root: bool, tone: Tone) -> np.ndarray:
    """t of the formulas above, after root and gamma, float32; NaN where not finite."""
    t = _share(values, value_range, signed)
    if root:
        t = np.sign(t) * np.sqrt(np.abs(t))
    if tone.gamma != 1:
        t = np.sign(t) * np.abs(t) ** tone.gamma
    return t.astype(np.float32)
