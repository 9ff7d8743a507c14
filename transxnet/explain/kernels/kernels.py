"""The kernels that IDConv generated for one image, and the gates that mixed them.

IDConv (TransXNet, arXiv 2310.19380, section 3.1): the image, pooled to K x K, selects for every channel and every tap
how to mix G learned kernels: kernel = sum over g of gates[g] * weight[g], gates a softmax over g. They are compared
here with the static kernel that uniform gates 1/G would give: the mean of the G learned kernels.

In a model without IDConv (VariantSpec.idconv) these are its learned kernels: one group, every gate 1, distance 0.

Limitations: the released model's kernel differs by image, channel and tap, and is shared by all positions of that
image; texts that call it "spatially varying" mean the taps. A kernel acts on normalized features of its block; do not
interpret it as a filter on the image.
"""

from __future__ import annotations

import numpy as np

from ...results.kernels import KernelSet, gate_entropies
from ..observe import Observation, require_part

REPRESENTATIVE_COUNT = 16  # channels that represent a block's kernels wherever they are drawn


def kernels(observation: Observation, stage: int, block: int | None = None) -> KernelSet:
    """The kernels of one block with their gates, biases and distances to the static kernel.

    gate_entropy = mean over taps of -sum(g log g) / log G, 0 (one kernel selected) to 1 (static), 0 where G is 1.
    static_distance = ||kernel - static|| / ||static|| (Frobenius), NaN where the static kernel is all zeros.

    Args:
        observation: Must have recorded kernels, gates, biases and bias_gates.
        stage: From 1.
        block: From 1; None or 0 is the stage's last.

    Returns:
        Kernels (C, K, K), unitless; C is half the stage's width, all of it in a model without OSRA.

    Raises:
        OutOfRange: For a stage or block that does not exist, or if a kind was not recorded.
        PartMissing: For another backbone than TransXNet.
    """
    require_part(observation, "idconv")
    stage, block = observation.locate(stage, block)
    generated, gates, biases, bias_gates = (
        observation.trace.find_one(kind, stage, block).tensor[0].detach().float().cpu().numpy()
        for kind in ("kernels", "gates", "biases", "bias_gates")
    )
    idconv = observation.model.network[2 * (stage - 1)][block - 1].token_mixer.local_unit
    static = idconv.weight.detach().float().mean(dim=0).cpu().numpy()  # (G, C, K, K) -> (C, K, K)
    return KernelSet(
        observation.model_name, stage, block, generated, static, gates, biases, bias_gates,
        gate_entropy=gate_entropies(gates).mean(axis=(1, 2)),
        static_distance=relative_distance(generated, static, static),
    )  # fmt: skip


def representatives(kernel_set: KernelSet, n: int = REPRESENTATIVE_COUNT) -> np.ndarray:
    """Select channels whose kernels represent the variety of all C.

    Greedy k-medoids (the BUILD step of PAM, Kaufman and Rousseeuw 1990) on 1 - cosine similarity, so that shape and
    sign count and scale does not: the first channel is nearest to all others, each next one brings the remaining
    channels nearest to a selected one. Deterministic; ties go to the lower channel.

    Args:
        kernel_set: Kernels of one block.
        n: How many channels to select.

    Returns:
        (min(n, C),) int, channels from 0, most typical first.
    """
    distances = dissimilarity(kernel_set.kernels)
    nearest = np.full(len(distances), 2.0)  # distance of each channel to the nearest selected one
    selected: list[int] = []
    for _ in range(min(n, len(distances))):
        gain = np.maximum(nearest - distances, 0).sum(axis=1)  # (C,): what each candidate would save
        gain[selected] = -1
        selected.append(int(gain.argmax()))
        nearest = np.minimum(nearest, distances[selected[-1]])
    return np.array(selected, dtype=int)


def dissimilarity(kernels: np.ndarray) -> np.ndarray:
    """1 - cosine similarity of every two kernels.

    Args:
        kernels: (C, K, K).

    Returns:
        (C, C) float64, 0 (one shape) to 2 (each other's negative); 1 between a kernel of zeros and any other.
    """
    flat = kernels.reshape(len(kernels), -1).astype(np.float64)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    distances = 1 - flat @ flat.T  # (C, C)
    np.fill_diagonal(distances, 0)
    return distances


def relative_distance(kernels: np.ndarray, reference: np.ndarray, static: np.ndarray) -> np.ndarray:
    """||kernels - reference|| / ||static|| of each channel.

    Args:
        kernels: (C, K, K).
        reference: (C, K, K).
        static: (C, K, K).

    Returns:
        (C,), >= 0; NaN where static is all zeros.
    """
    distance, norm = np.linalg.norm(kernels - reference, axis=(1, 2)), np.linalg.norm(static, axis=(1, 2))
    return np.divide(distance, norm, out=np.full_like(distance, np.nan), where=norm > 0)
