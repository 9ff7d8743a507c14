"""Do the kernels move? Between two images, and block by block.

Distances are Frobenius norms over a channel's taps, relative to its static kernel (the mean of the learned ones), as in
`kernels`: so the distance between two images and the distance from static are in one unit and can be compared.
This project's own.

What they must not be read as: that kernels differ says that they depend on the image, not that the answer does. The
what-ifs (gates held uniform, kernels of another image) measure that. And two images are two images: another pair
moves the kernels more or less.
"""

from __future__ import annotations

import numpy as np

from ...errors import OutOfRange, UnknownName
from ...results.kernels import KernelChange, KernelDepth, KernelSet
from ..observe import Observation, need_part
from .kernels import kernels, relative_distance


def change(first: KernelSet, second: KernelSet) -> KernelChange:
    """How the kernels of one block differ between two images: see KernelChange. Symmetric but for the order.

    distance: ||k1 - k2|| / ||static|| per channel, exactly 0 where kernels are learned and not generated.
    Raises UnknownName for sets of two variants, or of one variant with other weights (trained beside untrained);
    OutOfRange for sets of two blocks.
    """
    _same_block(first, second)
    k1, k2, static = first.kernels, second.kernels, first.static  # each (C, K, K)
    return KernelChange(
        first.model, first.stage, first.block, k1, k2, static,
        distance=relative_distance(k1, k2, static),
        similarity=_cosine(k1, k2),
        gates=np.abs(first.gates - second.gates).mean(axis=(0, 2, 3)),
        from_static=np.stack([first.distance, second.distance]),
    )  # fmt: skip


def kernel_depth(observation: Observation) -> KernelDepth:
    """Distance from the static kernel and gate entropy of every block whose kernels were kept, first block first.

    Raises OutOfRange where the trace kept no kernels, or kernels without gates, biases and bias_gates; PartMissing for
    a backbone, which is no TransXNet.
    """
    need_part(observation, "idconv")
    kept = [(record.stage, record.block) for record in observation.trace.find("kernels")]
    if not kept:
        raise OutOfRange("The trace kept no kernels.", remedy='Keep "kernels", "gates", "biases" and "bias_gates".')
    sets = [kernels(observation, stage, block) for stage, block in kept]
    stages, blocks = np.array(kept).T
    return KernelDepth(
        observation.model_name, stages, blocks,
        groups=np.array([len(s.gates) for s in sets]),
        distance=np.array([np.nanquantile(s.distance, (0.25, 0.5, 0.75)) for s in sets]),
        entropy=np.array([s.gate_entropy.mean() for s in sets]),
    )  # fmt: skip


def _same_block(first: KernelSet, second: KernelSet) -> None:
    if first.model != second.model:
        raise UnknownName(
            f"Kernels of {first.model} and of {second.model} share no channels.",
            remedy="Compare two images in one variant.",
        )
    if (first.stage, first.block) != (second.stage, second.block):
        raise OutOfRange(
            f"Stage {first.stage}, block {first.block} and stage {second.stage}, block {second.block} "
            "share no channels.",
            remedy="Compare two images in one block.",
        )
    if not np.array_equal(first.static, second.static):
        raise UnknownName(
            f"Both sets of kernels are of {first.model}, but of other weights.",
            remedy="Compare two images in one model.",
        )


def _cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:  # (C, K, K) twice -> (C,)
    k1, k2 = (k.reshape(len(k), -1).astype(np.float64) for k in (first, second))
    sizes = np.linalg.norm(k1, axis=1) * np.linalg.norm(k2, axis=1)
    return np.divide((k1 * k2).sum(axis=1), sizes, out=np.full_like(sizes, np.nan), where=sizes > 0)
