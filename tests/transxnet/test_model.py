"""The model against the official implementation's outputs, its own table of costs, and timm's conventions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from tests import reference
from transxnet.layers import ConvBNAct, IDConv, LayerScale
from transxnet.model import TransXNet, stored_bias_size
from transxnet.trace import Trace
from transxnet.variants import VARIANTS

KINDS = ("stage", "attention", "kernels", "idconv", "osra")


def shapes_only(name: str) -> TransXNet:
    """Its random start takes seconds for B, and matters to nobody who counts or brings weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.nn.init.trunc_normal_", lambda tensor, **_: tensor)
        patch.setattr("torch.nn.init.kaiming_uniform_", lambda tensor, **_: tensor)
        return TransXNet(VARIANTS[name]).eval()


@pytest.fixture(scope="module")
def build():
    """variant letter -> the model with the reference weights, made once."""
    models: dict[str, TransXNet] = {}

    def model(variant: str) -> TransXNet:
        if variant not in models:
            models[variant] = shapes_only(f"transxnet_{variant}")
            models[variant].load_state_dict(reference.reference_state(variant), strict=True)
        return models[variant]

    return model


@pytest.fixture(scope="module")
def pico() -> TransXNet:
    torch.manual_seed(0)
    return TransXNet(VARIANTS["transxnet_pico"]).eval()


@pytest.mark.parametrize("variant", ["t", "s", "b"])
def test_state_dict_equals_the_official_one(variant, build):
    ours = [(key, list(value.shape)) for key, value in build(variant).state_dict().items()]
    assert ours == list(reference.spec()[variant].items())


@pytest.mark.parametrize(("variant", "height", "width"), reference.CASES)
def test_outputs_equal_the_official_ones(variant, height, width, build):
    prefix = f"{variant}.{height}x{width}."
    expected = {name: array for name, array in reference.arrays().items() if name.startswith(prefix)}
    ours = {prefix + name: value for name, value in _outputs(build(variant), height, width).items()}
    if prefix + "logits_seed1" in expected:
        with torch.no_grad():
            ours[prefix + "logits_seed1"] = build(variant)(reference.reference_input(height, width, seed=1))[0]
    assert ours.keys() == expected.keys()
    errors = {name: reference.relative_error(variant, ours[name], array) for name, array in expected.items()}
    assert {name: error for name, error in errors.items() if not error < 1e-4} == {}


def _outputs(model: TransXNet, height: int, width: int) -> dict[str, Tensor]:
    """Everything the reference holds for one image, under its names (stages and blocks from 0)."""
    with torch.no_grad(), Trace(keep=KINDS) as trace:
        outputs = {"logits": model(reference.reference_input(height, width))[0]}
    for n in range(4):
        stage = trace.find_one("stage", n + 1).tensor[0]  # (C, H, W)
        attention = trace.find_one("attention", n + 1, 1).tensor[0]  # (heads, Nq, Nk)
        kernels = trace.find_one("kernels", n + 1, 1).tensor[0]  # (C/2, 7, 7)
        row, col, query = stage.shape[1] // 2, stage.shape[2] // 2, attention.shape[1] // 2
        outputs |= {
            f"stage{n}.mean": stage.mean((1, 2)),
            f"stage{n}.center": stage[:, row, col],
            f"stage{n}.block0.attention_query{query}": attention[:, query],
            f"stage{n}.block0.kernels_channel0": kernels[0],
            f"stage{n}.block0.kernels_mean": kernels.mean(0),
            f"stage{n}.block0.idconv_center": trace.find_one("idconv", n + 1, 1).tensor[0, :, row, col],
            f"stage{n}.block0.osra_center": trace.find_one("osra", n + 1, 1).tensor[0, :, row, col],
        }
    return outputs


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("transxnet_t", 12_834_808), ("transxnet_s", 26_864_068), ("transxnet_b", 48_009_002)],
)
def test_parameter_counts(name, parameters):
    assert sum(p.numel() for p in shapes_only(name).parameters()) == parameters


def test_nano_is_under_its_limit():
    assert sum(p.numel() for p in TransXNet(VARIANTS["transxnet_nano"]).parameters()) < 4_800_000


@pytest.mark.parametrize(
    ("name", "side", "gmacs"),
    [
        ("transxnet_t", 224, 1.807),
        ("transxnet_s", 224, 4.607),
        ("transxnet_b", 224, 8.353),
        ("transxnet_b_384", 384, 25.24),
    ],
)
def test_multiply_accumulates(name, side, gmacs):
    """Half of FlopCounterMode's total. Shapes are enough for counting, so nothing is computed."""
    model = shapes_only(name).to("meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.empty(1, 3, side, side, device="meta"))
    assert counter.get_total_flops() / 2e9 == pytest.approx(gmacs, rel=1e-3)


def test_zero_classes_return_pooled_features(pico):
    features = TransXNet(VARIANTS["transxnet_pico"], num_classes=0).eval()
    features.load_state_dict({k: v for k, v in pico.state_dict().items() if not k.startswith("classifier.2")})
    x = reference.reference_input(96, 96)
    with torch.no_grad():
        pooled, last = features(x), features.forward_features(x)[0]
        logits = pico(x)
    mean, variance = last.mean(), last.var(correction=0)  # one group: over all channels and positions
    norm = features.classifier[0]
    by_hand = ((last - mean) / (variance + 1e-5).sqrt()).mean((1, 2)) * norm.weight + norm.bias
    torch.testing.assert_close(pooled[0], by_hand, rtol=1e-5, atol=1e-6)
    weight, bias = pico.classifier[2].weight[:, :, 0, 0], pico.classifier[2].bias
    torch.testing.assert_close(logits[0], weight @ by_hand + bias, rtol=1e-4, atol=1e-6)


def test_reset_classifier(pico):
    torch.manual_seed(1)
    model = TransXNet(VARIANTS["transxnet_pico"]).eval()
    x = reference.reference_input(64, 64)
    with torch.no_grad():
        pooled = model.forward_head(model.forward_features(x), pre_logits=True)
        model.reset_classifier(7)
        assert model.get_classifier().weight.shape == (7, 224, 1, 1)
        assert model.num_classes == 7
        expected = model.get_classifier().weight[:, :, 0, 0] @ pooled[0]  # a fresh bias is 0
        torch.testing.assert_close(model(x)[0], expected, rtol=1e-4, atol=1e-6)
        model.reset_classifier(0)
        assert torch.equal(model(x), pooled)
        model.reset_classifier(5, global_pool="max")
        maximum = model.classifier[0](model.forward_features(x)).amax((2, 3))
        assert torch.equal(model.forward_head(model.forward_features(x), pre_logits=True), maximum)
    with pytest.raises(ValueError, match="choose one of 'avg', 'max', ''"):
        model.reset_classifier(5, global_pool="median")


def test_forward_intermediates_are_the_stage_outputs(pico):
    x = reference.reference_input(96, 160)
    with torch.no_grad(), Trace(keep=("stage", "head")) as trace:
        pico(x)
    stages = [trace.find_one("stage", n).tensor for n in (1, 2, 3, 4)]
    with torch.no_grad():
        final, every = pico.forward_intermediates(x)
        last_two = pico.forward_intermediates(x, indices=2, intermediates_only=True)
        early = pico.forward_intermediates(x, indices=(0, 1), stop_early=True, intermediates_only=True)
        normed = pico.forward_intermediates(x, indices=(-1,), norm=True, intermediates_only=True)
        outputs = pico.forward_intermediates(x, output_fmt="NHWC", output_dict=True, return_prefix_tokens=True)
    assert all(torch.equal(a, b) for a, b in zip(every, stages, strict=True))
    assert torch.equal(final, stages[3])
    assert all(torch.equal(a, b) for a, b in zip(last_two, stages[2:], strict=True))
    assert all(torch.equal(a, b) for a, b in zip(early, stages[:2], strict=True))
    assert torch.equal(normed[0], trace.find_one("head").tensor)
    assert torch.equal(outputs["image_features"], stages[3])
    pairs = zip(outputs["image_intermediates"], stages, strict=True)
    assert all(torch.equal(a, b.permute(0, 2, 3, 1)) for a, b in pairs)
    with pytest.raises(ValueError, match="choose NCHW or NHWC"):
        pico.forward_intermediates(x, output_fmt="NLC")
    with pytest.raises(ValueError, match="stages are 0 to 3"):
        pico.forward_intermediates(x, indices=(4,))


@pytest.mark.parametrize(("height", "width"), [(64, 96), (100, 75), (33, 47), (32, 32)])
def test_any_size(height, width, pico):
    """Each step rounds up, and an image gives the same alone as in a batch."""
    x = torch.cat([reference.reference_input(height, width, seed) for seed in (0, 1)])
    with torch.no_grad():
        stages = pico.forward_intermediates(x, intermediates_only=True)
        together, single = pico(x), pico(x[1:])
    assert [s.shape[-2:] for s in stages] == [(-(-height // n), -(-width // n)) for n in (4, 8, 16, 32)]
    assert torch.isfinite(together).all()
    torch.testing.assert_close(together[1:], single, rtol=1e-4, atol=1e-6)


def test_drop_path_increases_linearly():
    model = TransXNet(VARIANTS["transxnet_pico"], drop_path_rate=0.18)
    rates = [block.drop_path.drop_prob for stage in (0, 2, 4, 6) for block in model.network[stage]]
    assert rates == pytest.approx([0.02 * i for i in range(10)])


@pytest.mark.parametrize(("name", "start"), [("transxnet_t", 1e-5), ("transxnet_pico", 1e-2)])
def test_initialization(name, start):
    torch.manual_seed(0)
    model = TransXNet(VARIANTS[name])
    initialized = []
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            initialized.append(module.weight)
            assert module.bias is None or not module.bias.any()
        elif isinstance(module, IDConv):
            initialized += [module.weight, module.bias]
        elif isinstance(module, torch.nn.BatchNorm2d | torch.nn.GroupNorm):
            assert (module.weight == 1).all()
            assert not module.bias.any()
            assert module.eps == 1e-5
        elif isinstance(module, LayerScale):
            assert (module.weight == np.float32(start)).all()
            assert not module.bias.any()
    assert not any(table.any() for table in model.relative_pos_enc)
    values = torch.cat([t.detach().flatten() for t in initialized])
    assert values.std().item() == pytest.approx(0.02, rel=0.01)
    assert values.mean().item() == pytest.approx(0, abs=1e-4)
    assert all(t.std() > 0.01 for t in initialized)  # none was left at zero, or as PyTorch starts it


def test_bias_tables_are_resized_as_a_plane(pico):
    """At another size the bias is resized over the flattened Nq x Nk plane; at the stored size it is used as it is."""
    model = TransXNet(VARIANTS["transxnet_pico"], bias_size=64).eval()
    assert [tuple(t.shape) for t in model.relative_pos_enc] == [
        (1, 1, 256, 4),
        (1, 2, 64, 4),
        (1, 4, 16, 4),
        (1, 7, 4, 4),
    ]
    assert stored_bias_size(model.state_dict()) == 64
    assert stored_bias_size(pico.state_dict()) == 224
    table = torch.arange(16.0).reshape(1, 1, 4, 4).expand(1, 7, 4, 4)
    model.relative_pos_enc[3] = torch.nn.Parameter(table.clone())
    attention = {}
    for side, bias in ((64, table), (96, torch.nn.functional.interpolate(table, (9, 9), mode="bicubic"))):
        x = reference.reference_input(side, side)
        zeroed = _stage4_attention(model, x, torch.zeros_like(table))
        attention[side] = _stage4_attention(model, x, table)
        expected = (zeroed.log() + bias).softmax(-1)
        torch.testing.assert_close(attention[side], expected, rtol=1e-4, atol=1e-6)


def _stage4_attention(model: TransXNet, x: Tensor, table: Tensor) -> Tensor:
    model.relative_pos_enc[3].data.copy_(table)
    with torch.no_grad(), Trace(keep=("attention",)) as trace:
        model(x)
    return trace.find_one("attention", 4, 1).tensor


def test_other_number_of_input_channels():
    model = TransXNet(VARIANTS["transxnet_pico"], in_chans=1).eval()
    assert isinstance(model.patch_embed.proj, ConvBNAct)
    assert model.patch_embed.proj.conv.weight.shape == (32, 1, 7, 7)
    with torch.no_grad():
        assert model(torch.zeros(2, 1, 64, 64)).shape == (2, 200)


def test_logits_of_every_position_without_pooling(pico):
    """The 1x1 classifier on the map; their average is the pooled model's logits."""
    model = TransXNet(VARIANTS["transxnet_pico"], global_pool="").eval()
    model.load_state_dict(pico.state_dict())
    x = reference.reference_input(96, 64)
    with torch.no_grad():
        assert model(x).shape == (1, 200, 3, 2)
        torch.testing.assert_close(model(x).mean((2, 3)), pico(x), rtol=1e-4, atol=1e-6)


def test_dropout_before_the_classifier(pico):
    model = TransXNet(VARIANTS["transxnet_pico"], drop_rate=0.5).eval()
    model.load_state_dict(pico.state_dict())
    x = reference.reference_input(64, 64)
    with torch.no_grad():
        assert torch.equal(model(x), pico(x))
        pooled = model.forward_head(model.forward_features(x), pre_logits=True)
        model.head_drop.train()
        dropped = model.forward_head(model.forward_features(x), pre_logits=True)
    kept = dropped != 0
    assert 0.3 < kept.float().mean() < 0.7
    torch.testing.assert_close(dropped[kept], 2 * pooled[kept])


def training_gradients(model: TransXNet, x: Tensor) -> tuple[Tensor, int]:
    """Gradients of all parameters after one training step, and the bytes kept for the backward pass."""
    torch.manual_seed(0)
    kept: dict[int, int] = {}
    model.train().zero_grad()

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = model(x).square().sum()
    loss.backward()
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters()]), sum(kept.values())


@pytest.mark.parametrize("name", ["transxnet_pico", "transxnet_pico_noosra"])
def test_gradient_checkpointing(name):
    """Equal gradients, also with random depth, from less memory."""
    model = TransXNet(VARIANTS[name], drop_path_rate=0.3)
    x = torch.cat([reference.reference_input(64, 64, seed) for seed in (0, 1)])
    expected, all_bytes = training_gradients(model, x)
    model.set_grad_checkpointing()
    gradients, fewer_bytes = training_gradients(model, x)
    assert torch.equal(gradients, expected)
    assert fewer_bytes < 0.5 * all_bytes
    model.set_grad_checkpointing(stages=[2, 3])
    assert [model.network[index].grad_checkpointing for index in (0, 2, 4, 6)] == [False, False, True, True]
    model.set_grad_checkpointing(False)
    assert training_gradients(model, x)[1] == all_bytes


def test_trace_with_gradient_checkpointing(pico):
    """A trace records each tensor once, and gradients reach what it recorded."""
    model = TransXNet(VARIANTS["transxnet_pico"]).eval()
    model.load_state_dict(pico.state_dict())
    model.set_grad_checkpointing()
    with Trace(keep=("block", "attention")) as trace:
        logits = model(reference.reference_input(64, 64))
        logits.sum().backward(retain_graph=True)
        (gradient,) = torch.autograd.grad(logits.sum(), trace.find_one("attention", 3, 2).tensor)
    assert len(trace.records) == 20
    assert gradient.any()


@pytest.mark.parametrize("path", ["network.6", "network.6.1", "network.4.3", "classifier.0"])
def test_hooks_see_activations_and_gradients(path, pico):
    """What pytorch-grad-cam registers: a forward hook and a hook on the gradient of the module's output."""
    layer, seen = pico.get_submodule(path), {}
    handles = [
        layer.register_forward_hook(lambda _, inputs, output: seen.update(output=output)),
        layer.register_full_backward_hook(lambda _, inputs, outputs: seen.update(gradient=outputs[0])),
    ]
    kind, stage, block = {
        "network.6": ("stage", 4, 0), "network.6.1": ("block", 4, 2), "network.4.3": ("block", 3, 4),
        "classifier.0": ("head", 0, 0),
    }[path]  # fmt: skip
    try:
        with Trace(keep=(kind,)) as trace:
            logit = pico(reference.reference_input(96, 64))[0, 3]
        recorded = trace.find_one(kind, stage, block).tensor
        (expected,) = torch.autograd.grad(logit, recorded, retain_graph=True)
        logit.backward()
    finally:
        for handle in handles:
            handle.remove()
    assert torch.equal(seen["output"], recorded)
    torch.testing.assert_close(seen["gradient"], expected)
    pico.zero_grad()


def test_captum_layer_grad_cam(pico):
    x = reference.reference_input(96, 64)
    cam = LayerGradCam(pico, pico.network[6][-1]).attribute(x, target=3)
    with Trace(keep=("block",)) as trace:
        logit = pico(x)[0, 3]
    activations = trace.find_one("block", 4, 2).tensor
    (gradients,) = torch.autograd.grad(logit, activations)
    expected = (gradients.mean((2, 3), keepdim=True) * activations).sum(1, keepdim=True)
    torch.testing.assert_close(cam, expected)


def test_loaded_tables_keep_their_size(pico):
    """load_state_dict takes over the tables' size, in the same Parameters, as optimizers know them."""
    model = TransXNet(VARIANTS["transxnet_pico"], bias_size=64).eval()
    tables = list(model.relative_pos_enc)
    state = dict(pico.state_dict())
    assert model.load_state_dict(state).missing_keys == []
    assert all(a is b for a, b in zip(tables, model.relative_pos_enc, strict=True))
    x = reference.reference_input(96, 96)
    with torch.no_grad():
        assert torch.equal(model(x), pico(x))
    with pytest.raises(RuntimeError, match=r"size mismatch for relative_pos_enc\.1"):
        model.load_state_dict(state | {"relative_pos_enc.1": torch.zeros(1, 3, 784, 49)})


def test_loaded_tables_are_resized_to_the_image_size():
    """At that size, resizing them once is what the model does in each forward pass without `img_size`."""
    torch.manual_seed(0)
    stored = TransXNet(VARIANTS["transxnet_pico"]).eval()
    for table in stored.relative_pos_enc:
        torch.nn.init.normal_(table)
    state = stored.state_dict()
    before = {key: value.clone() for key, value in state.items()}
    model = TransXNet(VARIANTS["transxnet_pico"], img_size=(96, 96)).eval()
    model.load_state_dict(state)
    assert stored_bias_size(model.state_dict()) == 96
    assert all(torch.equal(value, before[key]) for key, value in state.items())  # the caller's are unchanged
    x = reference.reference_input(96, 96)
    with torch.no_grad():
        assert torch.equal(model(x), stored(x))
    with pytest.raises(ValueError, match="is stored for a square image"):
        TransXNet(VARIANTS["transxnet_pico"], img_size=(96, 64))
