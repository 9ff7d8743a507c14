"""A Backbone is the timm model it wraps: the same logits, and maps that others compute alike."""

from __future__ import annotations

import copy
import threading
from dataclasses import replace
from functools import cache

import pytest
import timm
import torch
from captum._utils.gradient import compute_layer_gradients_and_eval
from captum.attr import LayerGradCam

from tests.fixtures import tiny_model
from tests.fixtures.plain_net import plain_net
from transxnet.backbones.module import Backbone, backbone_from, untrained_backbone
from transxnet.backbones.spec import find_backbone, parse_backbone
from transxnet.backbones.stages import TOKENS, StageHook
from transxnet.errors import LensError, PartMissing
from transxnet.explain.attribution.grad_cam import grad_cam
from transxnet.explain.erf.erf import receptive_field
from transxnet.explain.observe import observe, require_part
from transxnet.trace import Trace

KINDS = ("test_resnet", "test_convnext", "swin", "test_vit")  # NCHW, NCHW, NHWC and tokens
SWIN = {"embed_dim": 8, "depths": (1, 1, 1, 1), "num_heads": (1, 1, 2, 2), "img_size": 64, "window_size": 2}


@cache
def backbone(kind: str) -> Backbone:
    """A miniature of each kind; shared by the tests, as models are by the page."""
    if kind != "swin":
        return untrained_backbone(parse_backbone(f"timm:{kind}")[0])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = timm.create_model("swin_tiny_patch4_window7_224", **SWIN)
    spec = find_backbone("swin_tiny_patch4_window7_224")
    return Backbone(net, replace(spec, image_size=64))


def observed(model: Backbone, seed: int = 0, **options):
    side = model.spec.image_size
    return observe(model, tiny_model.model_input(side, side, seed), **({"grad": True} | options))


@pytest.mark.parametrize("kind", KINDS)
def test_logits_equal_those_of_timm_exactly(kind):
    """Also while a trace listens: the maps are views, there and back."""
    model = backbone(kind)
    plain = plain_net(model)
    x = tiny_model.model_input(model.spec.image_size, model.spec.image_size).tensor
    with torch.no_grad():
        expected = plain(x)
        assert torch.equal(model(x), expected)
        with Trace(("stage",)) as trace:
            assert torch.equal(model(x), expected)
    assert [r.stage for r in trace.records] == [1, 2, 3, 4]
    assert expected.std() > 0


@pytest.mark.parametrize(
    ("kind", "layers", "strides", "origins"),
    [
        ("test_resnet", ("layer1", "layer2", "layer3", "layer4"), (4, 8, 16, 32), (0, 0, 0, 0)),
        ("test_convnext", ("stages.0", "stages.1", "stages.2", "stages.3"), (4, 8, 16, 32), (1.5, 3.5, 7.5, 15.5)),
        ("swin", ("layers.0", "layers.1", "layers.2", "layers.3"), (4, 8, 16, 32), (1.5, 3.5, 7.5, 15.5)),
        ("test_vit", ("blocks.1", "blocks.2", "blocks.3", "blocks.4"), (16,) * 4, (7.5,) * 4),
        ("test_vit2", ("blocks.1", "blocks.3", "blocks.5", "blocks.7"), (16,) * 4, (7.5,) * 4),  # pools all tokens
    ],
)
def test_stages_have_the_expected_layers(kind, layers, strides, origins):
    spec = backbone(kind).spec
    assert (spec.layers, spec.strides, spec.origins) == (layers, strides, origins)


@pytest.mark.parametrize("kind", ["test_resnet", "test_convnext"])
@pytest.mark.parametrize("stage", [2, 4])
def test_grad_cam_equals_captum(kind, stage):
    model = backbone(kind)
    explanation = grad_cam(observed(model), 5, stage)
    plain = copy.deepcopy(model.net)
    x = tiny_model.model_input(model.spec.image_size, model.spec.image_size).tensor
    expected = LayerGradCam(plain, plain.get_submodule(model.spec.layers[stage - 1])).attribute(x, target=5)
    torch.testing.assert_close(torch.from_numpy(explanation.heatmap), expected[0, 0].detach(), rtol=1e-4, atol=1e-7)
    assert abs(explanation.heatmap).max() > 0


@pytest.mark.parametrize("kind", ["swin", "test_vit"])
def test_grad_cam_of_other_layouts_uses_captums_gradients(kind):
    """captum takes dimension 1 for the channels; here they are last, and a ViT's first token is no place."""
    model = backbone(kind)
    explanation = grad_cam(observed(model), 5, 4)
    plain = copy.deepcopy(model.net)
    x = tiny_model.model_input(model.spec.image_size, model.spec.image_size).tensor
    layer = plain.get_submodule(model.spec.layers[3])
    (slope,), (features,) = compute_layer_gradients_and_eval(plain, layer, x, 5)
    if features.ndim == 3:
        rows = model.spec.image_size // 16
        slope, features = (t[:, 1:].unflatten(1, (rows, rows)) for t in (slope, features))
    expected = (slope.mean(dim=(1, 2), keepdim=True) * features).sum(dim=3)[0].detach()
    torch.testing.assert_close(torch.from_numpy(explanation.heatmap), expected, rtol=1e-4, atol=1e-7)
    assert abs(explanation.heatmap).max() > 0


def test_unused_patch_tokens_are_not_a_stage():
    """A ViT that answers from its class token: the last block's patches change nothing, those before it do."""
    model = backbone("test_vit")
    x = tiny_model.model_input(160, 160).tensor
    last, last_used = model.net.blocks[5], model.net.blocks[4]
    with torch.no_grad():
        logits = model(x)
        for block, reaches in ((last, False), (last_used, True)):
            hook = block.register_forward_hook(lambda m, a, out: torch.cat((out[:, :1], 0 * out[:, 1:]), dim=1))
            assert torch.equal(model(x), logits) is not reaches
            hook.remove()
    assert model.spec.layer_name(4) == "stage 4 (blocks.4; patch tokens; the last block's do not reach the logits)"


@pytest.mark.parametrize("kind", KINDS)
def test_erf_is_centered_on_its_unit(kind):
    """Units sit on the recorded grid; the field's heaviest column and row are within a stride of the unit's pixel."""
    model = backbone(kind)
    observation = observed(model)
    units = observation.units(1)
    assert units.grid == tuple(observation.trace.find_one("stage", 1).tensor.shape[-2:])
    row, col = units.grid[0] // 2, units.grid[1] // 4
    explanation = receptive_field(observation, 1, unit=(row, col))
    x, y = units.center(row, col)
    heatmap = torch.from_numpy(explanation.heatmap)
    assert abs(int(heatmap.sum(dim=0).argmax()) - x) <= units.stride
    assert abs(int(heatmap.sum(dim=1).argmax()) - y) <= units.stride


@pytest.mark.parametrize("kind", ["swin", "test_vit"])
def test_eight_threads_record_their_own_images(kind):
    """The hooks stay on the shared model, and hand each thread's tensor to that thread's trace only."""
    model = backbone(kind)
    expected_maps = [grad_cam(observed(model, seed), seed).heatmap for seed in range(8)]
    together: dict[int, tuple] = {}
    start = threading.Barrier(8)

    def explain(seed: int) -> None:
        start.wait()
        observation = observed(model, seed)
        together[seed] = (grad_cam(observation, seed).heatmap, len(observation.trace.records))

    threads = [threading.Thread(target=explain, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(8):
        values, records = together[seed]
        assert records == 4
        assert (values == expected_maps[seed]).all()
    assert (expected_maps[0] != expected_maps[1]).any()


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_four_stage_hooks_remain(kind):
    """tests.fixtures.tiny_model.leftover_state names them: one a stage module, for as long as the Backbone lives."""
    model = backbone(kind)
    hook_names = [f"net.{layer}._forward_hooks" for layer in model.spec.layers]
    grad_cam(observed(model), 1)
    with pytest.raises(RuntimeError), Trace(edits={"stage": failing}):
        model(tiny_model.model_input(model.spec.image_size, model.spec.image_size).tensor)
    assert tiny_model.leftover_state(model) == hook_names
    for layer in model.spec.layers:
        (hook,) = model.net.get_submodule(layer)._forward_hooks.values()
        assert isinstance(hook, StageHook)


def failing(tap, tensor):
    raise RuntimeError("in the middle of a pass")


def test_copy_has_separate_taps():
    """Randomization works on a deep copy: its hooks must hand on to its own taps."""
    twin = copy.deepcopy(backbone("test_vit"))
    hooks = [h for layer in twin.spec.layers for h in twin.net.get_submodule(layer)._forward_hooks.values()]
    assert [hook.tap for hook in hooks] == list(twin.taps)
    assert {hook.layout.kind for hook in hooks} == {TOKENS}
    assert len(observed(twin).trace.records) == 4


def test_random_weights_depend_on_the_seed_only():
    spec = find_backbone("test_convnext")
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, again, other = (untrained_backbone(spec, seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["net.stem.0.weight"], other["net.stem.0.weight"])


def test_weights_are_loaded_into_their_layers():
    source = backbone("test_resnet")
    state = {key: value + 0.25 for key, value in source.net.state_dict().items()}
    assert torch.equal(
        backbone_from(source.spec, state, "a file").net.layer4[0].conv1.weight, state["layer4.0.conv1.weight"]
    )


def test_a_vit_built_for_larger_images():
    """Its position table is resized by timm; grids and logits follow."""
    spec = replace(find_backbone("test_vit"), image_size=224)
    model = backbone_from(spec, backbone("test_vit").net.state_dict(), "a file")
    units = observed(model).units(4)
    assert (units.grid, units.stride, units.origin) == ((14, 14), 16, 7.5)
    assert torch.equal(model.net.blocks[0].attn.qkv.weight, backbone("test_vit").net.blocks[0].attn.qkv.weight)


def test_unsupported_backbones_are_refused_with_a_reason():
    """CoaT combines the tokens of its stages, and timm's maps are others."""
    with pytest.raises(LensError, match="timm:coat_tiny cannot be explained: the order of its tokens is unknown"):
        untrained_backbone(find_backbone("coat_tiny"))


def test_a_stage_without_effect_is_refused():
    class Blind(type(backbone("test_resnet").net)):
        def forward_features(self, x):
            return 0 * super().forward_features(x)

    net = copy.deepcopy(backbone("test_resnet").net)
    for layer in backbone("test_resnet").spec.layers:
        net.get_submodule(layer)._forward_hooks.clear()
    net.__class__ = Blind
    with pytest.raises(LensError, match="the output of its last stage does not affect the logits"):
        Backbone(net, find_backbone("test_resnet"))
    assert not [name for name in tiny_model.leftover_state(net) if "hooks" in name]


@pytest.mark.parametrize(
    ("part", "message"),
    [("idconv", "generates no kernels"), ("osra", "no OSRA to attend with"), ("head", "no map of its own")],
)
def test_methods_for_transxnet_parts_explain_their_absence(part, message):
    with pytest.raises(PartMissing, match=f"test_resnet is no TransXNet: it(s head has)? .*{message}"):
        require_part(observed(backbone("test_resnet")), part)


def test_transxnets_have_their_parts():
    observation = observe(tiny_model.recipe_model(), tiny_model.model_input(), grad=True)
    for part in ("idconv", "osra", "head"):
        require_part(observation, part)
    assert observation.layer_name(3, 2) == "stage 3, block 2"
    assert observation.layer_name(3) == "stage 3, block 3"
