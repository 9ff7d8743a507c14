"""Cost of a forward pass: every variant's, and the counting convention by hand."""

from __future__ import annotations

import weakref

import pytest
from torch import nn

from tests.fixtures import tiny_model
from transxnet.backbones.module import untrained_backbone
from transxnet.backbones.spec import find_backbone
from transxnet.cli import list as listing
from transxnet.cost import Cost, activation_memory, cost, weight_memory
from transxnet.model import TransXNet
from transxnet.variants import VARIANTS, VariantSpec

MEASURED = {  # parameters, 10^9 MACs at the variant's own size; for T, S and B the paper's table 1 by this count
    "transxnet_t": (12_834_808, 1.807),
    "transxnet_s": (26_864_068, 4.607),
    "transxnet_b": (48_009_002, 8.353),
    "transxnet_b_384": (52_409_402, 25.24),
    "transxnet_pico": (2_214_983, 0.1115),
    "transxnet_nano": (4_383_032, 0.2136),
    "transxnet_pico_matched": (2_214_983, 0.06289),
    "transxnet_pico_static": (2_151_719, 0.06124),
    "transxnet_pico_noosra": (1_932_624, 0.06668),
    "transxnet_pico_noste": (2_149_535, 0.05961),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_have_the_measured_cost(name, monkeypatch):
    """On the meta device: shapes are all that counting needs. `list` prints the same."""
    for start in ("trunc_normal_", "kaiming_uniform_"):  # takes seconds for B
        monkeypatch.setattr(f"torch.nn.init.{start}", lambda tensor, **_: tensor)
    result = cost(TransXNet(VARIANTS[name]).eval().to("meta"))
    parameters, gmacs = MEASURED[name]
    assert (result.parameters, result.image_size) == (parameters, VARIANTS[name].image_size)
    assert result.macs / 1e9 == pytest.approx(gmacs, rel=5e-4)
    assert listing.COSTS[name] == (parameters, pytest.approx(result.macs / 1e9, rel=2e-3))
    assert f"{listing.COSTS[name][1]:.3g}" == f"{result.macs / 1e9:.3g}"  # as everywhere else


@pytest.mark.parametrize("side", [64, 96])
def test_cost_by_hand(side):
    model = tiny_model.recipe_model()
    parameters = sum(p.numel() for p in model.parameters())
    assert cost(model, side) == Cost(parameters, by_hand(tiny_model.SPEC, side), side, weight_memory(model))


def test_the_default_size_is_the_variants():
    model = tiny_model.recipe_model()
    assert cost(model) == cost(model, tiny_model.SPEC.image_size)


def test_backbone_cost_by_hand():
    """A ViT's: patches, four linear layers and two attention products a block, the classifier."""
    model = untrained_backbone(find_backbone("test_vit"))
    side, n, c, depth, hidden = 160, 101, 64, 6, model.net.blocks[0].mlp.fc1.out_features
    block = 4 * n * c * c + 2 * n * n * c + 2 * n * c * hidden
    macs = (n - 1) * 3 * 16 * 16 * c + depth * block + 1000 * c
    parameters = sum(p.numel() for p in model.parameters())
    assert cost(model) == Cost(parameters, macs, side, weight_memory(model))


def by_hand(spec: VariantSpec, side: int) -> int:
    """Multiply-accumulates of every convolution and of both attention products, from the paper's figures 2 to 5."""
    total, in_channels = 0, 3
    for i, c in enumerate(spec.dims):
        n = (side // spec.strides[i]) ** 2  # positions
        total += c * n * in_channels * (7 * 7 if i == 0 else 3 * 3)  # stem, or the step into this stage
        total += spec.depths[i] * _block(spec, i, c, n)
        in_channels = c
    return total + in_channels * spec.num_classes


def _block(spec: VariantSpec, i: int, c: int, n: int) -> int:
    half, sr = c // 2, spec.sr_ratios[i]
    keys = n // sr**2
    reduction = half * keys * ((sr + 3) ** 2 + 1) if sr > 1 else 0
    osra = half * half * n + reduction + half * keys * 9 + 2 * half * half * keys + 2 * n * keys * half
    gates = (half // 4) * half + (half // 4) * spec.kernel_groups[i] * half  # at 7 x 7 positions, and for the bias
    idconv = gates * (49 + 1) + half * n * 49
    squeezed = max(16, c // 8)
    ste = c * n * 9 + 2 * c * squeezed * n
    hidden = c * spec.mlp_ratios[i]
    part = hidden // 4
    msffn = 2 * c * hidden * n + ((hidden - 3 * part) * 1 + part * (9 + 25 + 49)) * n
    position, layer_scales = c * n * 49, 2 * c * n
    return position + osra + idconv + ste + msffn + layer_scales


def test_activation_memory_by_hand():
    """8 x 8 images, float32. The first convolution makes 4 x 8 x 8 values, 1024 bytes; ReLU as many while it reads
    them: 2048; the second reads ReLU's and makes 2 x 8 x 8, 512 bytes: 1536. Weights and the image do not count."""
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1))
    assert activation_memory(net, 8) == 2048
    assert activation_memory(net[:1], 8) == 1024
    in_place = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(4, 2, 1))
    assert activation_memory(in_place, 8) == 1536
    flat = nn.Sequential(nn.Flatten(), nn.Linear(192, 5))  # a view of the image, and of the weights: nothing allocated
    assert activation_memory(flat, 8) == 20
    assert weight_memory(net) == 4 * (3 * 4 * 9 + 4 + 4 * 2 + 2)
    assert weight_memory(nn.BatchNorm2d(3)) == 4 * 4 * 3 + 8  # weight, bias, mean, variance; a count of batches


def test_counting_memory_leaves_no_finalizers():
    """Finalizers end with the count; weights and an output that is referenced stay alive."""
    outputs = []
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())
    net.register_forward_hook(lambda module, inputs, out: outputs.append(out))
    finalizers = len(weakref.finalize._registry)
    assert activation_memory(net, 8) == 2048
    assert len(outputs) == 1
    assert len(weakref.finalize._registry) == finalizers
