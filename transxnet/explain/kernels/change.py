"""How kernels differ between two images, and from the static kernel in every block.

Distances are Frobenius norms over a channel's taps, relative to its static kernel (the mean of the learned ones), as in
`kernels`, so that the distance between two images and the distance to the static kernel are comparable.
This project's own.

Limitations: different kernels mean that the kernels depend on the image, not that the prediction does; the ablations
(uniform gates, kernels of another image) measure that. One pair of images only: other pairs may differ more or less.
"""

from __future__ import annotations

import numpy as np

from ...errors import OutOfRange, UnknownName
from ...results.kernels import KernelChange, KernelDepth, KernelSet
from ..observe import Observation, require_part
from .kernels import kernels, relative_distance


def kernel_change(first: KernelSet, second: KernelSet) -> KernelChange:
    """Compare the kernels of one block for two images; symmetric except for the order of the two.

    distance: ||k1 - k2|| / ||static|| per channel, exactly 0 where kernels are learned and not generated.

    Args:
        first: Kernels for the first image.
        second: Kernels of the same block of the same model for the second image.

    Returns:
        Distances, similarities and differences of gates per channel.

    Raises:
        UnknownName: For kernels of two models, or of one model with other weights (trained and random).
        OutOfRange: For kernels of two blocks.
    """
    _check_same_block(first, second)
    k1, k2, static = first.kernels, second.kernels, first.static_kernels  # each (C, K, K)
    return KernelChange(
        first.model, first.stage, first.block, k1, k2, static,
        distance=relative_distance(k1, k2, static),
        similarity=_cosine_similarity(k1, k2),
        gate_change=np.abs(first.gates - second.gates).mean(axis=(0, 2, 3)),
        static_distance=np.stack([first.static_distance, second.static_distance]),
    )  # fmt: skip


def kernel_depth(observation: Observation) -> KernelDepth:
    """Distance to the static kernel and gate entropy of every block whose kernels were recorded.

    Args:
        observation: Must have recorded kernels, gates, biases and bias_gates.

    Returns:
        One entry per block, in the model's order.

    Raises:
        OutOfRange: If no kernels were recorded, or kernels without gates, biases and bias_gates.
        PartMissing: For another backbone than TransXNet.
    """
    require_part(observation, "idconv")
    blocks = [(record.stage, record.block) for record in observation.trace.find("kernels")]
    if not blocks:
        raise OutOfRange("The trace kept no kernels.", remedy='Keep "kernels", "gates", "biases" and "bias_gates".')
    kernel_sets = [kernels(observation, stage, block) for stage, block in blocks]
    return KernelDepth(
        observation.model_name, *np.array(blocks).T,
        groups=np.array([len(kernel_set.gates) for kernel_set in kernel_sets]),
        static_distance=np.array([np.nanquantile(k.static_distance, (0.25, 0.5, 0.75)) for k in kernel_sets]),
        gate_entropy=np.array([kernel_set.gate_entropy.mean() for kernel_set in kernel_sets]),
    )  # fmt: skip


def _check_same_block(first: KernelSet, second: KernelSet) -> None:
    if first.model != second.model:
        message = f"Kernels of {first.model} and of {second.model} share no channels."
        raise UnknownName(message, remedy="Compare two images in one variant.")
    if (first.stage, first.block) != (second.stage, second.block):
        first_block, second_block = (f"stage {k.stage}, block {k.block}" for k in (first, second))
        message = f"Kernels of {first_block} and of {second_block} share no channels."
        raise OutOfRange(message, remedy="Compare two images in one block.")
    if not np.array_equal(first.static_kernels, second.static_kernels):
        message = f"Both sets of kernels are of {first.model}, but of other weights."
        raise UnknownName(message, remedy="Compare two images in one model.")


def _cosine_similarity(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(C, K, K) twice -> (C,); NaN where either kernel is all zeros."""
    k1, k2 = (kernels.reshape(len(kernels), -1).astype(np.float64) for kernels in (first, second))
    norms = np.linalg.norm(k1, axis=1) * np.linalg.norm(k2, axis=1)
    return np.divide((k1 * k2).sum(axis=1), norms, out=np.full_like(norms, np.nan), where=norms > 0)
