"""Effective receptive fields (ERF): containment curves, pathways of one unit, and the average over many images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .explanation import Explanation

SHARES = (0.2, 0.3, 0.5, 0.99)  # the t of the published tables


@dataclass(frozen=True)
class ContainmentCurve:
    """r(t): area of the smallest centered square that contains a share t of a map, as a share of the image.

    Attributes:
        kind: "published" or "raw", as defined in explain/erf/erf.py.
        shares: (n,), t, 0 to 1.
        areas: (n,), r(t), 0 to 1; NaN where no square contains that share.
        center: (x, y), the model-input pixel on which the squares are centered.
    """

    kind: str
    shares: np.ndarray
    areas: np.ndarray
    center: tuple[float, float]

    def area_at(self, share: float) -> float:
        """r(t) of one share.

        Args:
            share: t, one of `shares`.

        Returns:
            0 to 1, or NaN.

        Raises:
            KeyError: For a share that is not on the curve.
        """
        matches = np.flatnonzero(np.isclose(self.shares, share))
        if not len(matches):
            raise KeyError(share)
        return float(self.areas[matches[0]])

    @property
    def numbers(self) -> dict[str, float]:
        """{"r20": r(0.2), …}; NaN where no square contains the share."""
        return {f"r{100 * t:g}": float(area) for t, area in zip(self.shares, self.areas, strict=True)}

    @property
    def unreached_shares(self) -> tuple[float, ...]:
        """The shares that no square of this curve contains."""
        return tuple(float(t) for t in self.shares[np.isnan(self.areas)])


@dataclass(frozen=True)
class ErfCurves:
    """Both containment curves of one map, to compare them.

    Attributes:
        model: Name of the model.
        caption: Layer, unit and images of the map.
        published_curve: Of kind "published".
        raw_curve: Of kind "raw".
    """

    model: str
    caption: str
    published_curve: ContainmentCurve
    raw_curve: ContainmentCurve


@dataclass(frozen=True)
class ErfPathways:
    """The ERF of one unit on one image, in full and with modulating tensors detached.

    Attributes:
        model: Name of the model.
        maps: Map by name, in the order and by the names of explain/erf/pathways.py, all in the same raw unit over the
            same model input.
        titles: Title of each name in `maps` and `missing`.
        missing: Reason why this model has no map of that name.
        numbers: "NAME/ratio" and others, as listed by `erf_pathways`.
    """

    model: str
    maps: Mapping[str, Explanation]
    titles: Mapping[str, str]
    missing: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def full(self) -> Explanation:
        """The ERF with nothing detached."""
        return self.maps["full"]


@dataclass(frozen=True)
class ErfProtocol:
    """The average of the published protocol over images, raw.

    Attributes:
        model: Name of the model.
        layer: Caption of the layer, such as "stage 4, block 2".
        unit: (row, column), from 0.
        position: (x, y), the unit's pixel in the model input.
        heatmap: (size, size) float64, mean over images of the ReLU of the gradient, summed over RGB.
        images: Names of the averaged images: "FOLDER/FILE", or "image 3" for an array.
        failed: (image, reason) of those left out.
        published_curve: r(t) as published.
        raw_curve: r(t) of the raw map.
        note: How the setting differs from the published one; "" if it does not.
    """

    model: str
    layer: str
    unit: tuple[int, int]
    position: tuple[float, float]
    heatmap: np.ndarray
    images: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    published_curve: ContainmentCurve
    raw_curve: ContainmentCurve
    note: str = ""

    @property
    def size(self) -> int:
        """Side of the model input in pixels."""
        return self.heatmap.shape[0]

    @property
    def count(self) -> int:
        """Number of averaged images."""
        return len(self.images)

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the images' folders, each once."""
        return tuple(dict.fromkeys(name.rpartition("/")[0] for name in self.images if "/" in name))

    @property
    def log_heatmap(self) -> np.ndarray:
        """A = log10(heatmap + 1) over its maximum, as in the published figures: (size, size), 0 to 1."""
        return log_scale(self.heatmap)

    @property
    def numbers(self) -> dict[str, float]:
        """images, total, peak, and r(t) of both kinds at the published shares: "published/r20", "raw/r20", …"""
        curves = (self.published_curve, self.raw_curve)
        areas = {f"{curve.kind}/r{100 * t:g}": curve.area_at(t) for curve in curves for t in SHARES}
        peak, total = float(self.heatmap.max()), float(self.heatmap.sum())
        return {"images": float(self.count), "total": total, "peak": peak, **areas}


def log_scale(heatmap: np.ndarray) -> np.ndarray:
    """log10(g + 1) over its maximum, as RepLKNet draws ERFs.

    Args:
        heatmap: g >= 0, any shape.

    Returns:
        float64 of the same shape, 0 to 1; all zeros where the map is.
    """
    logarithm = np.log10(np.asarray(heatmap, np.float64) + 1)
    with np.errstate(invalid="ignore"):  # infinity over infinity is NaN, as it should be
        return logarithm / (logarithm.max() or 1.0)
