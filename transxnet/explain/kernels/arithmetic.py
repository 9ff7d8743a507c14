"""What one output value of IDConv is computed from: input, gates, learned and generated kernel, products, bias.

IDConv (TransXNet, arXiv 2310.19380, section 3.1) is a depthwise convolution: out[y, x] = sum over u, v of
kernel[u, v] * input[y + u - 3, x + v - 3] + bias, zero-padded, each channel separately. Only its kernel and its bias
are generated per image. Nothing is recomputed here: all tensors are those of one forward pass.

Limitations: the input is a normalized feature of the block, not a color of the image, and the output is half of
D-Mixer's output before STE, LayerScale and the residual path. A large product explains why this value is large, not
why the model made its prediction.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from ...errors import check_index
from ...results.kernel_arithmetic import KernelArithmetic
from ..observe import Observation, require_part


def kernel_arithmetic(
    observation: Observation, stage: int, block: int | None, channels: Sequence[int]
) -> KernelArithmetic:
    """Collect everything that IDConv's output of some channels is computed from, in one block.

    Args:
        observation: Must have recorded idconv_input, idconv, kernels, gates, biases and bias_gates.
        stage: From 1.
        block: From 1; None or 0 is the stage's last.
        channels: From 0, of IDConv's channels.

    Returns:
        Unitless values of the chosen channels. A model without IDConv has one group, whose gates are 1.

    Raises:
        OutOfRange: For a stage, block or channel that does not exist, or if a kind was not recorded.
        PartMissing: For another backbone than TransXNet.
    """
    require_part(observation, "idconv")
    stage, block = observation.locate(stage, block)
    inputs, outputs, kernels, gates, biases, bias_gates = (
        observation.trace.find_one(kind, stage, block).tensor[0]
        for kind in ("idconv_input", "idconv", "kernels", "gates", "biases", "bias_gates")
    )
    last = len(kernels) - 1
    indices = [check_index(channel, 0, last, "IDConv has no channel {index} here.") for channel in channels]
    channels = np.array(indices, int)
    idconv = observation.model.network[2 * (stage - 1)][block - 1].token_mixer.local_unit
    learned = _numpy(idconv.weight)[:, channels]  # (G, n, K, K)
    spec = observation.model.spec
    return KernelArithmetic(
        observation.model_name, stage, block, channels,
        observation.geometry(inputs.shape[-2:], spec.strides[stage - 1], spec.origins[stage - 1]),
        inputs=_numpy(inputs)[channels], outputs=_numpy(outputs)[channels],
        kernels=_numpy(kernels)[channels], static_kernels=learned.mean(axis=0),
        learned_kernels=learned.swapaxes(0, 1), gates=_numpy(gates)[:, channels].swapaxes(0, 1),
        biases=_numpy(biases)[channels],
        learned_biases=_numpy(idconv.bias)[:, channels].T, bias_gates=_numpy(bias_gates)[:, channels].T,
    )  # fmt: skip


def _numpy(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()
