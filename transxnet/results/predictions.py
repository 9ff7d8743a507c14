"""What a model answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """One class a model answered. index is the model's own output."""

    index: int
    wnid: str
    label: str
    probability: float
    logit: float


@dataclass(frozen=True)
class Predictions:
    """top: the best answers, best first. probabilities and logits: (classes,) float32."""

    top: tuple[Prediction, ...]
    probabilities: np.ndarray
    logits: np.ndarray
