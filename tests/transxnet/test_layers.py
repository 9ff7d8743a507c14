"""Each part of the model against its definition, written out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from tests.fixtures.tiny_model import model_input, recipe_model
from transxnet.layers import (
    MSFFN,
    OSRA,
    STE,
    Block,
    DMixer,
    GroupNorm1,
    IDConv,
    LayerScale,
    MultiScaleDWConv,
    StaticConv,
    adaptive_avg_pool,
    fit_bias,
)  # fmt: skip
from transxnet.trace import Trace

RECOMPOSED = ("gates", "kernels", "bias_gates", "biases", "attention", "idconv", "osra")


def shaken(module: nn.Module, seed: int = 0) -> nn.Module:
    """Every parameter and running statistic away from where it starts, in eval mode."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.randn(tensor.shape, generator=generator)
            tensor.copy_(1 + 0.2 * noise.tanh() if "running_var" in name else 0.3 * noise)
    return module.eval()


def depthwise(x: np.ndarray, kernels: np.ndarray, biases: np.ndarray) -> np.ndarray:
    """Cross-correlation of each channel of x (C, H, W) with its own kernel (C, K, K), zero padding, plus its bias."""
    edge = kernels.shape[-1] // 2
    padded = np.pad(x.astype(np.float64), ((0, 0), (edge, edge), (edge, edge)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernels.shape[-2:], axis=(1, 2))  # (C, H, W, K, K)
    return np.einsum("chwuv,cuv->chw", windows, kernels) + biases[:, None, None]


def close(ours: Tensor, expected: np.ndarray | Tensor, limit: float = 1e-5) -> bool:
    """Within `limit` of the largest expected value."""
    expected = np.asarray(expected)
    return float(np.abs(ours.numpy() - expected).max()) < limit * float(np.abs(expected).max())


# --- IDConv ----------------------------------------------------------------------------------------


@torch.no_grad()
def test_idconv_equals_a_depthwise_convolution_per_image():
    idconv, x = shaken(IDConv(channels=8, groups=3, kernel_size=7)), torch.randn(2, 8, 10, 13)
    with Trace(RECOMPOSED) as trace:
        out = idconv(x)
    for image in (0, 1):
        gates, weight = trace.find_one("gates").tensor[image].numpy(), idconv.weight.numpy()
        bias_gates, bias = trace.find_one("bias_gates").tensor[image].numpy(), idconv.bias.numpy()
        kernels, biases = (gates * weight).sum(axis=0), (bias_gates * bias).sum(axis=0)
        assert close(trace.find_one("kernels").tensor[image], kernels)
        assert close(out[image], depthwise(x[image].numpy(), kernels, biases))
    assert (trace.find_one("kernels").tensor[0] - trace.find_one("kernels").tensor[1]).abs().max() > 0.01


@torch.no_grad()
def test_idconv_gates_come_from_the_pooled_image():
    idconv, x = shaken(IDConv(channels=8, groups=3, kernel_size=7)), torch.randn(1, 8, 14, 21)
    with Trace(RECOMPOSED) as trace:
        idconv(x)
    pooled = x.reshape(1, 8, 7, 2, 7, 3).mean(dim=(3, 5))  # 14 x 21 in 7 x 7 cells of 2 x 3
    scores = idconv.proj(pooled).reshape(1, 3, 8, 7, 7)  # group by group, all channels of each
    assert close(trace.find_one("gates").tensor, (scores.exp() / scores.exp().sum(dim=1, keepdim=True)))
    scores = idconv.proj(x.mean(dim=(2, 3), keepdim=True)).reshape(1, 3, 8)
    assert close(trace.find_one("bias_gates").tensor, scores.exp() / scores.exp().sum(dim=1, keepdim=True))


SIZES = [(32, 32), (24, 96), (8, 12), (4, 3), (1, 5), (28, 14), (7, 10), (63, 49)]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_adaptive_pooling_equals_torchs(size):
    """Values and gradients, to the rounding of float32; the channels are a view, as D-Mixer's halves are."""
    both = torch.randn(2, 6, *size, requires_grad=True)
    exact = both.detach().double().requires_grad_()
    pooled, expected = adaptive_avg_pool(both[:, 3:], 7), F.adaptive_avg_pool2d(exact[:, 3:], 7)
    weights = torch.randn(expected.shape)
    (gradient,) = torch.autograd.grad((pooled * weights).sum(), both)
    (expected_gradient,) = torch.autograd.grad((expected * weights).sum(), exact)
    assert torch.allclose(pooled.double(), expected, rtol=0, atol=1e-6)
    assert torch.allclose(gradient.double(), expected_gradient, rtol=0, atol=2e-6)
    assert torch.allclose(adaptive_avg_pool(exact[:, 3:], 7), expected, rtol=0, atol=1e-14)


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_adaptive_pooling_in_half_precision(dtype):
    """As exact as two roundings allow; autocast leaves float32 alone."""
    x = torch.randn(2, 3, 32, 20)
    expected, half = F.adaptive_avg_pool2d(x.to(dtype).double(), 7), adaptive_avg_pool(x.to(dtype), 7)
    assert half.dtype == dtype
    assert torch.allclose(half.double(), expected, rtol=0, atol=2 * torch.finfo(dtype).eps)
    with torch.autocast("cpu", dtype):
        under_autocast = adaptive_avg_pool(x, 7)
    assert torch.equal(under_autocast, adaptive_avg_pool(x, 7))


def test_adaptive_pooling_costs_no_multiplications():
    with FlopCounterMode(display=False) as counter:
        adaptive_avg_pool(torch.ones(1, 1, 10, 13), 7)
    assert counter.get_total_flops() == 0


@torch.no_grad()
@pytest.mark.filterwarnings("ignore:.*trace.*")
@pytest.mark.parametrize("how", ["trace", "export", "compile"])
def test_adaptive_pooling_can_be_captured(how):
    """As one graph; exported and compiled for any batch."""
    idconv, x = shaken(IDConv(channels=8, groups=3, kernel_size=7)), torch.randn(2, 8, 10, 13)
    other = torch.randn(2 if how == "trace" else 5, 8, 10, 13)
    if how == "trace":
        captured = torch.jit.trace(idconv, x)
    elif how == "export":
        captured = torch.export.export(idconv, (x,), dynamic_shapes=({0: torch.export.Dim("batch")},)).module()
    else:
        captured = torch.compile(idconv, backend="eager", fullgraph=True)
    for batch in (x, other):
        assert close(captured(batch), idconv(batch))


# --- OSRA ------------------------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize(("sr", "size"), [(1, (3, 4)), (2, (6, 5)), (8, (17, 16))])
def test_osra_is_attention_over_the_reduced_map(sr, size):
    """softmax(q k^T / sqrt(d) + bias) v, head by head, query by query, in float64."""
    heads, d = 2, 3
    osra = shaken(OSRA(channels=heads * d, heads=heads, sr_ratio=sr))
    x, (h, w) = torch.randn(1, heads * d, *size), size
    reduced = osra.sr(x) + osra.local_conv(osra.sr(x))
    assert reduced.shape[-2:] == (-(-h // sr), -(-w // sr))
    k, v = osra.kv(reduced)[0].flatten(1).double().numpy().reshape(2, heads, d, -1)  # k is the first half
    q = osra.q(x)[0].flatten(1).double().numpy().reshape(heads, d, -1)
    bias = torch.randn(1, heads, q.shape[-1], k.shape[-1])
    with Trace(RECOMPOSED) as trace:
        out = osra(x, bias)
    scores = np.einsum("hdq,hdk->hqk", q, k) / np.sqrt(d) + bias[0].numpy()
    weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    assert close(trace.find_one("attention").tensor[0], weights)
    assert close(out[0].flatten(1), np.einsum("hqk,hdk->hdq", weights, v).reshape(heads * d, -1))


def test_fitting_bias_is_returned_unchanged():
    bias = torch.randn(1, 2, 6, 4)
    assert fit_bias(bias, (6, 4)) is bias


def cubic(positions: np.ndarray, count: int) -> np.ndarray:
    """(positions, count): weights of Keys' cubic, a = -0.75, between `count` values whose edges repeat."""
    weights = np.zeros((len(positions), count))
    for i, x in enumerate(positions):
        for j in range(int(np.floor(x)) - 1, int(np.floor(x)) + 3):
            t = abs(x - j)
            inner, outer = 1.25 * t**3 - 2.25 * t**2 + 1, -0.75 * (t**3 - 5 * t**2 + 8 * t - 4)
            weights[i, min(max(j, 0), count - 1)] += inner if t <= 1 else outer
    return weights


def test_other_bias_is_resized_over_the_plane():
    """Bicubic, align_corners=False: value i of the new axis sits at (i + 1/2) * old / new - 1/2 of the old one."""
    bias = torch.randn(1, 2, 6, 4)
    rows, cols = cubic((np.arange(9) + 0.5) * 6 / 9 - 0.5, 6), cubic((np.arange(3) + 0.5) * 4 / 3 - 0.5, 4)
    assert close(fit_bias(bias, (9, 3))[0], rows @ bias[0].numpy() @ cols.T)


# --- D-Mixer and the whole --------------------------------------------------------------------------


@torch.no_grad()
def test_dmixer_sends_the_first_half_to_idconv():
    mixer = shaken(DMixer(channels=8, heads=2, sr_ratio=2, groups=2, kernel_size=7))
    x, bias = torch.randn(1, 8, 6, 6), torch.randn(1, 2, 36, 9)
    joined = torch.cat((mixer.local_unit(x[:, :4]), mixer.global_unit(x[:, 4:], bias)), dim=1)
    enhanced = joined
    for layer in mixer.proj:  # STE: the layers one after another, and the input again
        enhanced = layer(enhanced)
    assert torch.equal(mixer(x, bias), joined + enhanced)


@torch.no_grad()
def test_halves_are_recomposed_from_records():
    model = recipe_model()
    with Trace((*RECOMPOSED, "block")) as trace:
        model(model_input().tensor)
    x = trace.find_one("block", 3, 1).tensor  # what block 2 of stage 3 starts from
    block = model.network[4][1]
    local, wide = block.norm1(x + block.pos_embed(x)).chunk(2, dim=1)
    kernels, biases = (trace.find_one(kind, 3, 2).tensor[0].numpy() for kind in ("kernels", "biases"))
    assert close(trace.find_one("idconv", 3, 2).tensor[0], depthwise(local[0].numpy(), kernels, biases))

    osra, attention = block.token_mixer.global_unit, trace.find_one("attention", 3, 2).tensor[0]  # (heads, Nq, Nk)
    reduced = osra.sr(wide)
    v = osra.kv(reduced + osra.local_conv(reduced))[0, 12:].reshape(3, 4, -1)  # (heads, d, Nk)
    expected = torch.einsum("hqk,hdk->hdq", attention, v).reshape(12, 6, 6)
    assert close(trace.find_one("osra", 3, 2).tensor[0], expected)


# --- MS-FFN ----------------------------------------------------------------------------------------


@torch.no_grad()
def test_four_scales_split_the_channels():
    """All-ones kernels on an all-ones image count their taps: 1, 9, 25 and 49 in the middle."""
    scales = MultiScaleDWConv(19)
    for conv in scales.proj:
        nn.init.ones_(conv.weight)
        nn.init.zeros_(conv.bias)
    middle = scales(torch.ones(1, 19, 9, 9))[0, :, 4, 4]
    assert middle.tolist() == [1.0] * 7 + [9.0] * 4 + [25.0] * 4 + [49.0] * 4


@torch.no_grad()
def test_msffn_adds_its_scales_before_the_second_activation():
    ffn, x = shaken(MSFFN(channels=5, ratio=3)), torch.randn(1, 5, 8, 8)
    wide = ffn.fc1[2](nn.functional.gelu(ffn.fc1[0](x)))
    first = wide[:, :6] * ffn.dwconv.proj[0].weight[:, 0] + ffn.dwconv.proj[0].bias[:, None, None]  # 15 = 6 + 3 + 3 + 3
    rest = [ffn.dwconv.proj[i](wide[:, 3 + 3 * i : 6 + 3 * i]) for i in (1, 2, 3)]
    joined = nn.functional.gelu(wide + torch.cat((first, *rest), dim=1))
    assert close(ffn(x), ffn.fc2[1](ffn.fc2[0](ffn.norm(joined))))


# --- The small parts -------------------------------------------------------------------------------


@torch.no_grad()
def test_block_drops_only_the_last_two_residuals():
    def block(drop_path: float) -> Block:
        return shaken(Block(8, 2, 2, 2, 7, 3, layer_scale=1.0, drop_path=drop_path))

    x, bias, plain = torch.randn(2, 8, 6, 6), torch.randn(1, 2, 36, 9), block(0.0)
    placed = x + plain.pos_embed(x)
    mixed = placed + plain.layer_scale_1(plain.token_mixer(plain.norm1(placed), bias))
    expected = mixed + plain.layer_scale_2(plain.mlp(plain.norm2(mixed)))
    assert torch.equal(plain(x, bias), expected)
    assert torch.equal(block(0.5)(x, bias), expected)  # in eval mode nothing is dropped
    assert torch.equal(block(1.0).train()(x, bias), placed)  # in training, all that can be


@torch.no_grad()
def test_layer_scale_and_one_group_norm():
    scale, norm = shaken(LayerScale(3, start=1e-5)), shaken(GroupNorm1(3))
    x = torch.randn(2, 3, 4, 5)
    assert close(scale(x), x * scale.weight.reshape(3, 1, 1) + scale.bias.reshape(3, 1, 1))
    mean, var = x.mean(dim=(1, 2, 3), keepdim=True), x.var(dim=(1, 2, 3), keepdim=True, correction=0)
    expected = (x - mean) / (var + 1e-5).sqrt() * norm.weight.reshape(3, 1, 1) + norm.bias.reshape(3, 1, 1)
    assert close(norm(x), expected)


# --- D-Mixer without a part ------------------------------------------------------------------------


@torch.no_grad()
def test_static_convolution_uses_equal_kernels():
    static, x = shaken(StaticConv(channels=8, kernel_size=7)), torch.randn(2, 8, 10, 13)
    with Trace(RECOMPOSED) as trace:
        out = static(x)
    weight, bias = static.weight[0].numpy(), static.bias[0].numpy()
    for image in (0, 1):
        assert close(out[image], depthwise(x[image].numpy(), weight, bias))
        assert torch.equal(trace.find_one("kernels").tensor[image], static.weight[0])
    assert (trace.find_one("gates").tensor == 1).all()
    assert set(static.state_dict()) == {"weight", "bias"}  # nothing left that generates


@torch.no_grad()
def test_idconv_takes_all_channels_without_osra():
    mixer, x = shaken(DMixer(16, heads=2, sr_ratio=2, groups=2, kernel_size=7, osra=False)), torch.randn(1, 16, 8, 8)
    with Trace(RECOMPOSED) as trace:
        out = mixer(x, None)
    assert torch.equal(trace.find_one("idconv").tensor, mixer.local_unit(x))
    assert torch.equal(out, mixer.proj(mixer.local_unit(x)))
    assert not trace.find("osra")
    assert not trace.find("attention")
    assert not any("global_unit" in key for key in mixer.state_dict())


@torch.no_grad()
def test_halves_are_concatenated_without_ste():
    mixer = shaken(DMixer(16, heads=2, sr_ratio=2, groups=2, kernel_size=7, ste=False))
    x, bias = torch.randn(1, 16, 8, 8), torch.zeros(1, 2, 64, 16)
    expected = torch.cat((mixer.local_unit(x[:, :8]), mixer.global_unit(x[:, 8:], bias)), dim=1)
    assert torch.equal(mixer(x, bias), expected)
    assert not any(key.startswith("proj.") for key in mixer.state_dict())


def test_each_switch_removes_one_part():
    def parts(**switches: bool) -> tuple[type, ...]:
        mixer = DMixer(16, heads=2, sr_ratio=2, groups=2, kernel_size=7, **switches)
        return type(mixer.local_unit), type(mixer.global_unit), type(mixer.proj)

    assert parts() == (IDConv, OSRA, STE)
    assert parts(idconv=False) == (StaticConv, OSRA, STE)
    assert parts(osra=False) == (IDConv, type(None), STE)
    assert parts(ste=False) == (IDConv, OSRA, nn.Identity)
