"""timm's conventions: the registry, preprocessing, new tasks, features, and weights from this project's own chain."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from tests.reference import recipe_state, reference_input
from transxnet.errors import NoWeights
from transxnet.model import TransXNet
from transxnet.timm_registry import checkpoint_filter_fn
from transxnet.variants import VARIANTS
from transxnet.weights import sources
from transxnet.weights.load import load

PICO = VARIANTS["transxnet_pico"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pico with the recipe's weights, in a folder of its own."""
    state = TransXNet(PICO).to("meta").state_dict()
    path = tmp_path_factory.mktemp("weights") / "transxnet_pico.safetensors"
    save_file(recipe_state({key: list(value.shape) for key, value in state.items()}), path)
    return path


@pytest.fixture
def chain(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """TRANSXNET_WEIGHTS names that folder; the state dict in it."""
    monkeypatch.setenv("TRANSXNET_WEIGHTS", str(checkpoint.parent))
    return load_file(checkpoint)


def test_every_variant_is_registered():
    assert timm.list_models("transxnet_*") == sorted(VARIANTS)
    for name in ("transxnet_t", "transxnet_pico"):
        model = timm.create_model(name)
        assert (model.spec, model.num_classes) == (VARIANTS[name], VARIANTS[name].num_classes)


def test_preprocessing_is_that_of_the_variant():
    for name, size, crop in (
        ("transxnet_t", 224, 0.9),
        ("transxnet_s", 224, 0.9),
        ("transxnet_b", 224, 0.95),
        ("transxnet_b_384", 384, 0.95),
        ("transxnet_pico", 128, 1.0),
    ):
        config = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
        assert config == {
            "input_size": (3, size, size),
            "interpolation": "bicubic",
            "mean": (0.485, 0.456, 0.406),
            "std": (0.229, 0.224, 0.225),
            "crop_pct": crop,
            "crop_mode": "center",
        }


def test_pretrained_uses_the_sources_in_order(chain):
    model = timm.create_model("transxnet_pico", pretrained=True).eval()
    state = model.state_dict()
    assert state.keys() == chain.keys()
    assert all(torch.equal(state[key], value) for key, value in chain.items())
    assert all(parameter.requires_grad for parameter in model.parameters())  # timm's users train it
    x = reference_input(96, 96)
    with torch.no_grad():
        assert torch.equal(model(x), load("pico", device="cpu").model(x))


def test_pretrained_without_a_source_lists_the_attempts(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "BUNDLED", tmp_path)
    with pytest.raises(NoWeights, match="No weights for transxnet_nano: every source failed"):
        timm.create_model("transxnet_nano", pretrained=True)


def test_source_given_to_timm_is_used(chain, checkpoint, tmp_path):
    other = {key: value + 1 if value.is_floating_point() else value for key, value in chain.items()}
    save_file(other, tmp_path / "other.safetensors")
    for overlay in ({"file": str(tmp_path / "other.safetensors")}, {"state_dict": dict(other)}):
        model = timm.create_model("transxnet_pico", pretrained=True, pretrained_cfg_overlay=overlay)
        assert torch.equal(model.patch_embed.proj.conv.weight, other["patch_embed.proj.conv.weight"])


def test_new_classifier_keeps_other_weights(chain):
    model = timm.create_model("transxnet_pico", pretrained=True, num_classes=10, drop_path_rate=0.1)
    assert model.classifier[2].weight.shape == (10, 224, 1, 1)
    assert not model.classifier[2].bias.any()
    trunk = {key: value for key, value in model.state_dict().items() if not key.startswith("classifier.2")}
    assert all(torch.equal(value, chain[key]) for key, value in trunk.items())
    assert model.network[6][1].drop_path.drop_prob == pytest.approx(0.1)


def test_zero_classes_return_features(chain):
    model = timm.create_model("transxnet_pico", pretrained=True, num_classes=0).eval()
    full = timm.create_model("transxnet_pico", pretrained=True).eval()
    x = reference_input(64, 64)
    with torch.no_grad():
        features = model(x)
        assert torch.equal(features, full.forward_head(full.forward_features(x), pre_logits=True))
        assert features.shape == (1, model.num_features) == (1, 224)


def test_other_color_channels(chain):
    """timm adapts the stem: for one channel the sum over the three, so a gray image answers alike."""
    gray = timm.create_model("transxnet_pico", pretrained=True, in_chans=1).eval()
    summed = chain["patch_embed.proj.conv.weight"].sum(1, keepdim=True)
    torch.testing.assert_close(gray.patch_embed.proj.conv.weight.detach(), summed)
    color = timm.create_model("transxnet_pico", pretrained=True).eval()
    x = reference_input(64, 64)[:, :1]
    with torch.no_grad():
        torch.testing.assert_close(gray(x), color(x.expand(-1, 3, -1, -1)), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("indices", [(0, 1, 2, 3), (1,), (0, 1), (1, 3), (-1,)])
def test_features_only(indices, chain):
    features = timm.create_model("transxnet_pico", pretrained=True, features_only=True, out_indices=indices).eval()
    chosen = [i % 4 for i in indices]
    assert features.feature_info.reduction() == [(4, 8, 16, 32)[i] for i in chosen]
    assert features.feature_info.channels() == [(32, 64, 128, 224)[i] for i in chosen]
    x = reference_input(96, 64)
    with torch.no_grad():
        maps = features(x)
        stages = load("pico", device="cpu").model.forward_intermediates(x, intermediates_only=True)
    assert all(torch.equal(a, stages[i]) for a, i in zip(maps, chosen, strict=True))


def test_features_come_from_all_four_stages_by_default():
    features = timm.create_model("transxnet_t", features_only=True)
    assert features.feature_info.reduction() == [4, 8, 16, 32]
    assert features.feature_info.channels() == [48, 96, 224, 448]


def test_bias_tables_for_another_image_size(chain, tmp_path):
    """Built for 128 px, filled from a checkpoint stored for 224: the model takes the checkpoint's tables."""
    model = timm.create_model("transxnet_pico", pretrained=True, bias_size=128)
    assert model.relative_pos_enc[0].shape == chain["relative_pos_enc.0"].shape == (1, 1, 3136, 49)
    assert timm.create_model("transxnet_pico", bias_size=128).relative_pos_enc[0].shape == (1, 1, 1024, 16)


@pytest.fixture(params=["transxnet_pico", "transxnet"])
def create(request):
    """timm's create_model of pico, by its name and through the entry for any architecture."""
    shapes = ("depths", "dims", "heads", "kernel_groups", "mlp_ratios") if request.param == "transxnet" else ()
    architecture = {name: list(getattr(PICO, name)) for name in shapes}
    return lambda **arguments: timm.create_model(request.param, **(architecture | {"num_classes": 200} | arguments))


def test_dropout_and_stochastic_depth(create):
    model = create(drop_rate=0.2, drop_path_rate=0.1)
    assert model.head_drop.p == 0.2
    assert model.network[6][1].drop_path.drop_prob == pytest.approx(0.1)


def test_unpooled_features(chain, create):
    model = create(num_classes=0, global_pool="").eval()
    other = create(global_pool="max").eval()
    model.load_state_dict({key: value for key, value in chain.items() if not key.startswith("classifier.2")})
    other.load_state_dict(chain)
    x = reference_input(96, 64)
    with torch.no_grad():
        features = model(x)
        assert features.shape == (1, 224, 3, 2)
        assert torch.equal(other.get_classifier()(features.amax((2, 3), keepdim=True)).flatten(1), other(x))
        other.reset_classifier(0, "")
        assert torch.equal(other(x), features)
    with pytest.raises(ValueError, match="choose one of 'avg', 'max', ''"):
        create(global_pool="catavgmax")


@pytest.mark.parametrize("grad_checkpoint", [False, True])
def test_checkpointing_arguments_of_the_official_code(grad_checkpoint, create):
    model = create(grad_checkpoint=grad_checkpoint, checkpoint_stage=[0, 0, 1, 1])
    stages = [model.network[index].grad_checkpointing for index in (0, 2, 4, 6)]
    assert stages == [False, False, grad_checkpoint, grad_checkpoint]
    with pytest.raises(ValueError, match="one entry for each of the four stages"):
        create(checkpoint_stage=[1])


def test_features_with_gradient_checkpointing(create):
    features = create(features_only=True, out_indices=(0, 1))
    features.set_grad_checkpointing(True)
    assert [stage.grad_checkpointing for stage in features.model.network[::2]] == [True, True]
    features(torch.cat([reference_input(64, 64)] * 2))[1].sum().backward()
    assert [name for name, parameter in features.named_parameters() if parameter.grad is None] == []
    assert features.eval().model(reference_input(64, 64)).shape == (1, 64, 8, 8)
    assert features.model.num_features == 64


def test_only_output_stride_32(create):
    create(features_only=True, output_stride=32)
    with pytest.raises(ValueError, match="has stride 32 only"):
        create(features_only=True, output_stride=16)


def test_device_and_type(create):
    model = create(device="meta", dtype=torch.bfloat16)
    assert {(p.device.type, p.dtype) for p in model.parameters()} == {("meta", torch.bfloat16)}


def test_image_size_resizes_pretrained_tables(chain):
    model = timm.create_model("transxnet_pico", pretrained=True, img_size=96).eval()
    assert model.relative_pos_enc[0].shape == (1, 1, 576, 9)
    assert model.pretrained_cfg["input_size"] == (3, 96, 96)
    x = reference_input(96, 96)
    with torch.no_grad():
        assert torch.equal(model(x), load("pico", device="cpu").model(x))


def test_image_size_of_the_generic_entry(create):
    model = create(img_size=160)
    assert model.relative_pos_enc[0].shape == (1, 1, 1600, 25)
    assert model.default_cfg["input_size"] == (3, 160, 160)


@pytest.mark.parametrize("img_size", [None, 128])
def test_checkpoint_of_another_image_size(img_size, create, tmp_path):
    """checkpoint_path= and a file in the overlay: exactly its outputs, or resized where a size is requested."""
    source = create(bias_size=160).eval()
    for table in source.relative_pos_enc:
        torch.nn.init.normal_(table)
    path = tmp_path / "checkpoint.pth"
    torch.save({"state_dict": source.state_dict()}, path)
    x = reference_input(128, 128)
    overlay = {"file": str(path), "num_classes": 200}
    for arguments in ({"checkpoint_path": str(path)}, {"pretrained": True, "pretrained_cfg_overlay": overlay}):
        model = create(img_size=img_size, **arguments).eval()
        assert model.relative_pos_enc[0].shape == ((1, 1, 1600, 25) if img_size is None else (1, 1, 1024, 16))
        with torch.no_grad():
            assert torch.equal(model(x), source(x))


def test_checkpoint_filter_renames_official_keys(chain, create):
    """The official detection code's: backbone., norm6, no classifier; and a head that is a linear layer."""
    backbone = {key: value for key, value in chain.items() if not key.startswith("classifier")}
    detection = {f"backbone.{key}": value for key, value in backbone.items()}
    detection |= {f"backbone.norm6.{part}": chain[f"classifier.0.{part}"] for part in ("weight", "bias")}
    model = create(img_size=128, num_classes=0)
    fitted = checkpoint_filter_fn({"state_dict": detection}, model)
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    assert {key: tuple(value.shape) for key, value in fitted.items()} == expected
    assert torch.equal(fitted["classifier.0.weight"], chain["classifier.0.weight"])
    linear = dict(chain)
    linear["head.weight"], linear["head.bias"] = (
        linear.pop("classifier.2.weight")[:, :, 0, 0],
        linear.pop("classifier.2.bias"),
    )
    model = create()
    model.load_state_dict(checkpoint_filter_fn(linear, model))
    assert all(torch.equal(value, chain[key]) for key, value in model.state_dict().items())


def test_whole_model_is_saved_and_loaded(chain, create):
    model = create(img_size=128, drop_rate=0.1).eval()
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    x = reference_input(64, 64)
    with torch.no_grad():
        assert torch.equal(torch.load(file, weights_only=False)(x), model(x))
