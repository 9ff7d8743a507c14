"""Kernels made by hand, as one block would report them."""

from __future__ import annotations

import numpy as np

from transxnet.results.kernels import KernelSet, gate_entropies


def kernel_set(kernels, static=None, gates=None, variant: str = "transxnet_tiny", stage: int = 3) -> KernelSet:
    """Block 2 of `stage` with these kernels, (C, K, K); static: the same, gates: one open of two, unless given.

    Entropy and distance follow from what is given; biases are 0.
    """
    kernels = np.asarray(kernels, np.float32)
    static = kernels if static is None else np.asarray(static, np.float32)
    if gates is None:
        gates = np.stack([np.ones_like(kernels), np.zeros_like(kernels)])  # (2, C, K, K)
    none = np.zeros(len(kernels), np.float32)
    away, size = (np.linalg.norm(k, axis=(1, 2)) for k in (kernels - static, static))
    return KernelSet(
        variant, stage, 2, kernels, static, gates, none, gates.mean(axis=(2, 3)),
        gate_entropy=gate_entropies(gates).mean(axis=(1, 2)),
        static_distance=np.divide(away, size, out=np.full_like(away, np.nan), where=size > 0),
    )  # fmt: skip
