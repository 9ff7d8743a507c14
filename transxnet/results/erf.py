"""Effective receptive fields: how far one reaches, its parts, and the average over many images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .explanation import Explanation

SHARES = (0.2, 0.3, 0.5, 0.99)  # the published t


@dataclass(frozen=True)
class RCurve:
    """r(t): how much of the image the smallest square covers that holds a share t of a map."""

    kind: str  # "published" or "sound", as explain/erf.py defines them
    shares: np.ndarray  # (n,): t, 0 to 1
    areas: np.ndarray  # (n,): r(t), area of the square over the image's, 0 to 1; NaN where no square holds so much
    center: tuple[float, float]  # (x, y), the view pixel that the squares stand about

    def at(self, share: float) -> float:
        """r(t) of a share on the curve. Raises KeyError for one that is not."""
        (found,) = np.flatnonzero(np.isclose(self.shares, share))[:1].tolist() or [None]
        if found is None:
            raise KeyError(share)
        return float(self.areas[found])

    @property
    def numbers(self) -> dict[str, float]:
        """{"r20": r(0.2), …}; NaN where none was found."""
        return {f"r{100 * t:g}": float(area) for t, area in zip(self.shares, self.areas, strict=True)}

    @property
    def none_found(self) -> tuple[float, ...]:
        """The shares that no square of this curve holds."""
        return tuple(float(t) for t in self.shares[np.isnan(self.areas)])


@dataclass(frozen=True)
class ErfCurves:
    """Both curves of one map, to be read side by side."""

    model: str
    what: str  # layer, unit and images in words
    published: RCurve
    sound: RCurve


@dataclass(frozen=True)
class ErfPathways:
    """The field of one unit on one image: whole, and with what only modulates held still.

    maps: name -> map, in the order and by the names of explain/erf_pathways.py, all in the same raw units over the same
    view. missing: name -> why this variant has no such map. numbers: "NAME/share" and others that erf_pathways names.
    """

    model: str
    maps: Mapping[str, Explanation]
    titles: Mapping[str, str]  # of maps and of missing, in words
    missing: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def full(self) -> Explanation:
        return self.maps["full"]


@dataclass(frozen=True)
class ErfProtocol:
    """The published protocol's average over images, raw, and what it was taken over."""

    model: str
    layer: str  # "stage 4, block 2"
    unit: tuple[int, int]  # row, column, from 0
    position: tuple[float, float]  # (x, y), the unit's own pixel in the view
    heatmap: np.ndarray  # (size, size) float64: mean over images of ReLU of the gradient, summed over RGB
    images: tuple[str, ...]  # those in the average: "FOLDER/FILE", or "image 3" of an array
    failed: tuple[tuple[str, str], ...]  # (image, why it is not in the average)
    published: RCurve
    sound: RCurve
    note: str = ""  # where the images are fewer or others than the published ones; "" if they are those

    @property
    def size(self) -> int:
        """Side of the view, pixels."""
        return self.heatmap.shape[0]

    @property
    def count(self) -> int:
        return len(self.images)

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders that the images lay in, each once."""
        return tuple(dict.fromkeys(name.rpartition("/")[0] for name in self.images if "/" in name))

    @property
    def scaled(self) -> np.ndarray:
        """A = log10(heat + 1) over its maximum, as the published figures show it: (size, size), 0 to 1."""
        return log_scaled(self.heatmap)

    @property
    def curves(self) -> ErfCurves:
        """Both r(t), with what they were taken of."""
        row, col = self.unit
        images = "1 image" if self.count == 1 else f"{self.count} images"
        what = f"{self.layer}, unit at row {row}, column {col}, {images} at {self.size} px"
        return ErfCurves(self.model, what, self.published, self.sound)

    @property
    def numbers(self) -> dict[str, float]:
        """images, total, peak, and both r at the published shares: "published/r20", "sound/r20", …"""
        both = {f"{c.kind}/r{100 * t:g}": c.at(t) for c in (self.published, self.sound) for t in SHARES}
        peak, total = float(self.heatmap.max()), float(self.heatmap.sum())
        return {"images": float(self.count), "total": total, "peak": peak, **both}


def log_scaled(heatmap: np.ndarray) -> np.ndarray:
    """log10(g + 1) over its maximum, of a map g >= 0: the same shape, 0 to 1; all zero where the map is."""
    scaled = np.log10(np.asarray(heatmap, np.float64) + 1)
    with np.errstate(invalid="ignore"):  # infinity over itself is no number, and says so
        return scaled / (scaled.max() or 1.0)
