"""What IDConv computed in some channels of one block: everything one output number is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .geometry import Geometry


@dataclass(frozen=True)
class KernelArithmetic:
    """n channels of one block, for one image. G groups, K = 7, H x W units of the stage; all float32.

    outputs[i] = cross-correlation of inputs[i], zeros beyond its border, with kernels[i], plus biases[i].
    """

    model: str
    stage: int
    block: int
    channels: np.ndarray  # (n,) int, from 0
    units: Geometry  # where inputs and outputs sit
    inputs: np.ndarray  # (n, H, W): what IDConv was given
    outputs: np.ndarray  # (n, H, W): what the model computed from it
    kernels: np.ndarray  # (n, K, K): generated, sum over G of gates * learned
    static: np.ndarray  # (n, K, K): what uniform gates would give, the mean of learned
    learned: np.ndarray  # (n, G, K, K)
    gates: np.ndarray  # (n, G, K, K), sums to 1 over G
    biases: np.ndarray  # (n,): sum over G of bias_gates * bias_learned
    bias_learned: np.ndarray  # (n, G)
    bias_gates: np.ndarray  # (n, G), sums to 1 over G

    def patch(self, i: int, row: int, col: int) -> np.ndarray:
        """(K, K): what the kernel of channels[i] lies over when it stands on a unit; zeros beyond the border."""
        k = self.kernels.shape[-1]
        padded = np.pad(self.inputs[i], k // 2)
        return padded[row : row + k, col : col + k]

    def output(self, i: int, row: int, col: int) -> float:
        """The sum of the K * K products and the bias, in float64: `outputs` there, up to float32's rounding."""
        products = self.patch(i, row, col).astype(np.float64) * self.kernels[i]
        return float(products.sum() + self.biases[i])
