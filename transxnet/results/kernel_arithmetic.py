"""Every quantity that one output value of IDConv is computed from, for some channels of one block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .geometry import Geometry
from .layer import LayerResult


@dataclass(frozen=True)
class KernelArithmetic(LayerResult):
    """n channels of one block, for one image. G groups, K = 7, H x W units of the stage; floats are float32.

    outputs[i] = cross-correlation of inputs[i], zero-padded, with kernels[i], plus biases[i].

    Attributes:
        model: Name of the model.
        stage: From 1.
        block: From 1.
        channels: (n,) int, from 0.
        units: Positions of inputs and outputs.
        inputs: (n, H, W), input of IDConv.
        outputs: (n, H, W), the model's output.
        kernels: (n, K, K), generated: sum over G of gates * learned_kernels.
        static_kernels: (n, K, K), what uniform gates would give: the mean of learned_kernels over G.
        learned_kernels: (n, G, K, K).
        gates: (n, G, K, K), sum to 1 over G.
        biases: (n,), sum over G of bias_gates * learned_biases.
        learned_biases: (n, G).
        bias_gates: (n, G), sum to 1 over G.
    """

    channels: np.ndarray
    units: Geometry
    inputs: np.ndarray
    outputs: np.ndarray
    kernels: np.ndarray
    static_kernels: np.ndarray
    learned_kernels: np.ndarray
    gates: np.ndarray
    biases: np.ndarray
    learned_biases: np.ndarray
    bias_gates: np.ndarray

    def patch(self, index: int, row: int, col: int) -> np.ndarray:
        """Input under the kernel centered on one unit.

        Args:
            index: Index into `channels`.
            row: Row of the unit, from 0.
            col: Column of the unit, from 0.

        Returns:
            (K, K) float32; zeros outside the border.
        """
        size = self.kernels.shape[-1]
        padded = np.pad(self.inputs[index], size // 2)
        return padded[row : row + size, col : col + size]

    def output(self, index: int, row: int, col: int) -> float:
        """Sum of the K * K products and the bias, in float64; equals `outputs` up to float32 rounding.

        Args:
            index: Index into `channels`.
            row: Row of the unit, from 0.
            col: Column of the unit, from 0.

        Returns:
            The recomputed output value.
        """
        products = self.patch(index, row, col).astype(np.float64) * self.kernels[index]
        return float(products.sum() + self.biases[index])
