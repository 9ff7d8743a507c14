"""What a model computes for the frames of a sequence: the kernels of one block, their mixing weights, predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .layer import LayerResult
from .predictions import Predictions


@dataclass(frozen=True)
class KernelSequence(LayerResult):
    """The same channels of one block in F frames: the n channels whose kernels change most. K = 7.

    Attributes:
        model: Name of the model.
        stage: From 1.
        block: From 1.
        channels: (n,) int, from 0, the one that changes most first.
        kernels: (F, n, K, K), generated for each frame.
        gates: (F, n, K, K), mixing weights of the first learned kernel, 0 to 1.
        distance: (F,), ||kernel - kernel of the first frame|| / ||static||, median over all channels of the block.
        predictions: One a frame.
        crops: (F, S, S, 3) uint8, the model's input.
    """

    channels: np.ndarray
    kernels: np.ndarray
    gates: np.ndarray
    distance: np.ndarray
    predictions: tuple[Predictions, ...]
    crops: np.ndarray

    def __len__(self) -> int:
        """The number of frames."""
        return len(self.kernels)
