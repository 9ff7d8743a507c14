"""What one number of IDConv's output is made of: input, gates, learned kernels, the kernel they give, products, bias.

IDConv (TransXNet, arXiv 2310.19380, section 3.1) is a depthwise convolution: out[y, x] = sum over u, v of
kernel[u, v] * input[y + u - 3, x + v - 3] + bias, zeros beyond the border, every channel by itself. Only its kernel and
its bias are made anew for every image. Nothing is computed again here: all are the tensors of one pass.

What it must not be read as: the input is a normalized feature of the block, not a color of the image, and the output
is half of what D-Mixer hands on, before STE, LayerScale and the residual path. A large product says what made this
number large, not what made the answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from ...errors import OutOfRange
from ...results.kernel_arithmetic import KernelArithmetic
from ..observe import Observation, need_part


def kernel_arithmetic(
    observation: Observation, stage: int, block: int | None, channels: Sequence[int]
) -> KernelArithmetic:
    """Everything that IDConv's output of these channels is made of, in one block.

    stage, block: from 1; block None or 0 is the stage's last. channels: from 0, of IDConv's own. Units are the stage's;
    values are unitless. Of a variant without IDConv there is one group, and its gates are 1.
    Raises OutOfRange for a stage, block or channel that does not exist, or where the trace did not keep idconv_input,
    idconv, kernels, gates, biases and bias_gates; PartMissing for a backbone, which is no TransXNet.
    """
    need_part(observation, "idconv")
    stage, block = observation.locate(stage, block)
    given, gave, kernels, gates, biases, bias_gates = (
        observation.trace.one(kind, stage, block).tensor[0]
        for kind in ("idconv_input", "idconv", "kernels", "gates", "biases", "bias_gates")
    )
    picked = _checked(channels, len(kernels))
    unit = observation.model.network[2 * (stage - 1)][block - 1].token_mixer.local_unit
    learned = _numpy(unit.weight)[:, picked]  # (G, n, K, K)
    spec = observation.model.spec
    return KernelArithmetic(
        observation.model_name, stage, block, picked,
        observation.geometry(given.shape[-2:], spec.strides[stage - 1], spec.origins[stage - 1]),
        inputs=_numpy(given)[picked], outputs=_numpy(gave)[picked],
        kernels=_numpy(kernels)[picked], static=learned.mean(axis=0),
        learned=learned.swapaxes(0, 1), gates=_numpy(gates)[:, picked].swapaxes(0, 1),
        biases=_numpy(biases)[picked],
        bias_learned=_numpy(unit.bias)[:, picked].T, bias_gates=_numpy(bias_gates)[:, picked].T,
    )  # fmt: skip


def _checked(channels: Sequence[int], known: int) -> np.ndarray:
    picked = np.asarray(channels, int)
    wrong = picked[(picked < 0) | (picked >= known)]
    if len(wrong):
        raise OutOfRange(f"IDConv has no channel {wrong[0]} here.", remedy=f"Choose 0 to {known - 1}.")
    return picked


def _numpy(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()
