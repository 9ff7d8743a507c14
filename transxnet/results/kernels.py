"""The kernels of one block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class KernelSet:
    """The depthwise kernels IDConv generated for one picture in one block. C channels, G groups, K = 7."""

    variant: str
    stage: int
    block: int
    kernels: np.ndarray  # (C, K, K) composed
    static: np.ndarray  # (C, K, K) what uniform gates would give: the mean of the G learned kernels
    gates: np.ndarray  # (G, C, K, K), sums to 1 over G
    biases: np.ndarray  # (C,)
    bias_gates: np.ndarray  # (G, C)
    gate_entropy: np.ndarray  # (C,): entropy over groups / log G, mean over taps, 0 to 1
    distance: np.ndarray  # (C,): ||kernel - static|| / ||static||
