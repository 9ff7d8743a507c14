"""A model's predictions for one image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """One class.

    Attributes:
        index: The class's index among the model's outputs, from 0.
        wnid: Its WordNet ID, or the label set's own identifier.
        label: Its name.
        probability: Softmax over the model's classes, 0 to 1.
        logit: The model's output.
    """

    index: int
    wnid: str
    label: str
    probability: float
    logit: float


@dataclass(frozen=True)
class Predictions:
    """All outputs of one image.

    Attributes:
        top: The best classes, best first.
        probabilities: (classes,) float32, sum 1.
        logits: (classes,) float32.
    """

    top: tuple[Prediction, ...]
    probabilities: np.ndarray
    logits: np.ndarray
