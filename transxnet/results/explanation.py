"""One map over an image."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .geometry import Geometry


@dataclass(frozen=True)
class Explanation:
    """One map over an image, raw: heat is float32 (rows, columns) in `units`, scaled and clipped nowhere."""

    method: str  # "grad_cam", "erf", "integrated_gradients", "occlusion", "attention", …
    model: str
    layer: str  # in words that count from 1: "stage 4, block 2"
    target: str  # what was explained: "ladybug (class 31)", "query at row 3, column 5"
    heatmap: np.ndarray
    signed: bool  # True: draw with a diverging map centerd on zero
    units: str  # "weight", "logit per unit of feature", …
    geometry: Geometry
    numbers: dict[str, float] = field(default_factory=dict)  # what is worth reading beside the image

    @property
    def value_range(self) -> tuple[float, float]:
        """Smallest and largest raw value."""
        return float(self.heatmap.min()), float(self.heatmap.max())
