"""The kernels IDConv generated for one image, and the gates that mixed them.

IDConv (TransXNet, arXiv 2310.19380, section 3.1): the image, pooled to K x K, chooses for every channel and every
tap how to mix G learned kernels: kernel = sum over g of gates[g] * weight[g], gates a softmax over g. Compared here
with the static kernel, which uniform gates 1/G would give: the mean of the G learned kernels.

Of a variant without IDConv (VariantSpec.idconv) these are its learned kernels: one group, every gate 1, distance 0.

What they must not be read as: the released model's kernel differs by image, channel and tap, and is shared by all
positions of that image; texts that call it "spatially varying" mean the taps. And a kernel acts on normalized
features of its block, so it is no filter on the image.
"""

from __future__ import annotations

import numpy as np

from ...results.kernels import KernelSet, gate_entropies
from ..observe import Observation, need_part

SHOWN = 16  # channels that stand for all of a block's, wherever its kernels are drawn


def kernels(observation: Observation, stage: int, block: int | None = None) -> KernelSet:
    """The kernels of one block, (C, K, K), with gates, biases and distances from the static kernel.

    stage, block: from 1; block None or 0 is the stage's last. C is half the stage's width, all of it without OSRA.
    Unitless: weights.
    gate_entropy = mean over taps of -sum(g log g) / log G, 0 (one kernel chosen) to 1 (static), 0 where G is 1.
    distance = ||kernel - static|| / ||static|| (Frobenius), NaN where the static kernel is all zeros.
    Raises OutOfRange for a stage or block that does not exist, or whose kernels, gates, biases and bias_gates the
    trace did not keep; PartMissing for a backbone, which is no TransXNet.
    """
    need_part(observation, "idconv")
    stage, block = observation.locate(stage, block)
    composed, gates, biases, bias_gates = (
        observation.trace.one(kind, stage, block).tensor[0].detach().float().cpu().numpy()
        for kind in ("kernels", "gates", "biases", "bias_gates")
    )
    unit = observation.model.network[2 * (stage - 1)][block - 1].token_mixer.local_unit
    static = unit.weight.detach().float().mean(dim=0).cpu().numpy()  # (G, C, K, K) -> (C, K, K)
    return KernelSet(
        observation.model_name, stage, block, composed, static, gates, biases, bias_gates,
        gate_entropy=gate_entropies(gates).mean(axis=(1, 2)), distance=relative_distance(composed, static, static),
    )  # fmt: skip


def representatives(kernel_set: KernelSet, n: int = SHOWN) -> np.ndarray:
    """Channels, counted from 0, whose kernels show the variety of all C: (min(n, C),) int, most typical first.

    Greedy k-medoids (the BUILD step of PAM, Kaufman and Rousseeuw 1990) on 1 - cosine similarity, so shape and sign
    count and size does not: the first channel is nearest to all others, each next one brings the remaining channels
    nearest to a chosen one. Deterministic; ties go to the lower channel.
    """
    apart = dissimilarity(kernel_set.kernels)
    nearest = np.full(len(apart), 2.0)  # distance of each channel to the nearest chosen one
    chosen: list[int] = []
    for _ in range(min(n, len(apart))):
        gain = np.maximum(nearest - apart, 0).sum(axis=1)  # (C,): what each candidate would save
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
        nearest = np.minimum(nearest, apart[chosen[-1]])
    return np.array(chosen, dtype=int)


def dissimilarity(kernels: np.ndarray) -> np.ndarray:
    """1 - cosine similarity of every two kernels of (C, K, K): (C, C) float64, 0 (one shape) to 2 (each other's
    negative); a kernel of zeros is 1 from all others."""
    flat = kernels.reshape(len(kernels), -1).astype(np.float64)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    apart = 1 - flat @ flat.T  # (C, C)
    np.fill_diagonal(apart, 0)
    return apart


def relative_distance(kernels: np.ndarray, others: np.ndarray, static: np.ndarray) -> np.ndarray:
    """||kernels - others|| / ||static|| of each channel, each (C, K, K): (C,), NaN where static is all zeros."""
    away, size = np.linalg.norm(kernels - others, axis=(1, 2)), np.linalg.norm(static, axis=(1, 2))
    return np.divide(away, size, out=np.full_like(away, np.nan), where=size > 0)
