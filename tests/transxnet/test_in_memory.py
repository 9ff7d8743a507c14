"""Models in memory: explained as they are, and left as they were."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import timm
import torch

import transxnet
from demo.examples import examples
from tests.fixtures.tiny_model import SPEC, recipe_model
from transxnet.errors import InvalidValue, LensError, OutOfRange
from transxnet.images import decode
from transxnet.study import ANALYSES, StudyOptions, study

NAMES = [f"bird {i}" for i in range(7)]
QUICK = tuple(name for name in ANALYSES if name not in ("sanity_checks", "occlusion", "ablation_table"))


@pytest.fixture(scope="module")
def photo():
    return decode(examples()[0].path)


def snapshot(model: torch.nn.Module) -> object:
    """What must not change: modes, gradients, hooks, values."""
    hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks)) for m in model.modules()]
    parameters = [(id(p), p.requires_grad, p.grad is None, p._version) for p in model.parameters()]
    return [m.training for m in model.modules()], hooks, parameters, sorted(vars(model))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_model_in_training_is_left_as_it_was(dtype, photo):
    model = recipe_model(SPEC).to(dtype).train().requires_grad_(True)
    model.network[0][0].pos_embed.weight.requires_grad_(False)
    before, spec = snapshot(model), model.spec
    loaded = transxnet.wrap(model, class_names=NAMES, image_size=64, mean=[0.5] * 3, std=[0.25] * 3, name="birds")
    result = study(loaded, photo, StudyOptions(stage=2, block=1, analyses=QUICK), photo)
    assert snapshot(model) == before
    assert model.spec is spec
    assert (loaded.name, result.model) == ("birds", "birds")
    assert (result.spec.image_size, result.spec.mean, result.spec.std) == (64, (0.5,) * 3, (0.25,) * 3)
    assert result.target.label in NAMES
    assert result.grad_cam.heatmap.dtype == np.float32
    reference = transxnet.wrap(copy.deepcopy(model).float().eval(), NAMES, 64, [0.5] * 3, [0.25] * 3)
    expected = study(reference, photo, StudyOptions(stage=2, block=1, analyses=("attention", "kernels")))
    tolerance = 0 if dtype == torch.float32 else 0.05
    for actual, wanted in (
        (result.predictions.logits, expected.predictions.logits),
        (result.attention.heads, expected.attention.heads), (result.kernels.kernels, expected.kernels.kernels),
    ):  # fmt: skip
        assert np.abs(actual - wanted).max() <= tolerance * np.abs(wanted).max()


def test_parameters_are_shared_and_followed():
    model = recipe_model(SPEC)
    loaded = transxnet.wrap(model)
    assert {p.data_ptr() for p in loaded.model.parameters()} == {p.data_ptr() for p in model.parameters()}
    x = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
    with torch.no_grad():
        before = loaded.model(x)
        model.classifier[2].bias += 1
        assert torch.allclose(loaded.model(x), before + 1, atol=1e-5)


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "levit_128s", "hiera_tiny_224"])
def test_backbone_of_half_precision(name, photo):
    shallow = {"stages": (1, 1, 1, 1)} if name.startswith("hiera") else {}
    model = timm.create_model(name, **shallow).bfloat16()
    loaded = transxnet.wrap(model)
    result = study(loaded, photo, StudyOptions(analyses=("grad_cam", "receptive_field")))
    assert (result.missing, result.predictions.logits.dtype) == ({}, np.float32)
    assert np.ptp(result.receptive_field.heatmap) > 0


def test_attention_biases_of_levit_are_followed():
    """timm caches them in eval mode, and clears the caches of the module that is trained only."""
    model = timm.create_model("levit_128s").eval()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.ones_(module.weight)  # zero at first: the attention would have no effect
    x = torch.linspace(-1, 1, 3 * 224 * 224).reshape(1, 3, 224, 224)
    with torch.no_grad():
        model(x)
        loaded = transxnet.wrap(model)
        before = loaded.model(x)
        model.train()
        for name, parameter in model.named_parameters():
            if name.endswith("attention_biases"):
                parameter += torch.linspace(0, 9, parameter.numel()).reshape(parameter.shape)
        assert not torch.equal(loaded.model(x), before)
        assert torch.equal(loaded.model(x), model.eval()(x))


def test_equals_a_loaded_model(photo):
    loaded = transxnet.load("pico", device="cpu")
    model = timm.create_model("transxnet_pico", pretrained=True)
    options = StudyOptions(analyses=("attention", "grad_cam", "kernels"))
    expected, actual = study(loaded, photo, options), study(transxnet.wrap(model), photo, options)
    assert actual.spec.labels == expected.spec.labels
    assert actual.target == expected.target
    np.testing.assert_array_equal(actual.grad_cam.heatmap, expected.grad_cam.heatmap)
    np.testing.assert_array_equal(actual.kernels.kernels, expected.kernels.kernels)


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext"])
def test_timm_models(name, photo):
    model = timm.create_model(name, num_classes=3).train()
    before = snapshot(model)
    loaded = transxnet.wrap(model, class_names={"a": 0, "b": 1, "c": 2})
    result = study(loaded, photo, StudyOptions(block=None, analyses=("grad_cam", "receptive_field", "kernels")))
    assert snapshot(model) == before
    assert result.target.label in "abc"
    assert "kernels" in result.missing
    assert result.grad_cam.heatmap.any()


def test_unusable_arguments():
    model = recipe_model(SPEC)
    with pytest.raises(OutOfRange, match="2 class names were given for 7 classes"):
        transxnet.wrap(model, class_names=["a", "b"])
    with pytest.raises(InvalidValue, match="mean in the arguments is not usable"):
        transxnet.wrap(model, mean=[0.5, 0.5])
    with pytest.raises(OutOfRange, match="The image size 16 px is out of range"):
        transxnet.wrap(model, image_size=16)
    with pytest.raises(LensError, match="neither a TransXNet nor a timm model"):
        transxnet.wrap(torch.nn.Linear(2, 2))


def test_one_logit_is_a_sigmoid(photo):
    model = timm.create_model("transxnet_pico", num_classes=1)
    result = study(transxnet.wrap(model, ["healthy"]), photo, StudyOptions(analyses=("grad_cam", "contrast")))
    (top,) = result.predictions.top
    assert top.probability == pytest.approx(1 / (1 + np.exp(-top.logit)))
    assert "one class only" in result.missing["contrast"]
