"""One map over an image."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .geometry import Geometry


@dataclass(frozen=True)
class Explanation:
    """One map over an image: raw values, neither scaled nor clipped.

    Attributes:
        method: "grad_cam", "erf", "integrated_gradients", "occlusion", "attention", …
        model: Name of the model.
        layer: Caption of the layer, counted from 1: "stage 4, block 2".
        target: Caption of what is explained: "ladybug (class 31)", "query at row 3, column 5".
        heatmap: float32 (rows, columns), in `units`.
        signed: True to draw with a diverging color map centered on zero.
        units: "weight", "logit per unit of feature", …
        geometry: Positions of the values.
        numbers: Scalars that belong to the map, by name.
    """

    method: str
    model: str
    layer: str
    target: str
    heatmap: np.ndarray
    signed: bool
    units: str
    geometry: Geometry
    numbers: dict[str, float] = field(default_factory=dict)

    @property
    def value_range(self) -> tuple[float, float]:
        """Smallest and largest raw value."""
        return float(self.heatmap.min()), float(self.heatmap.max())
