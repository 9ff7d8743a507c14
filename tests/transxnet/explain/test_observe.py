"""Observations: layers, unit positions, and what is refused."""

from __future__ import annotations

import pytest
import torch

from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from transxnet.errors import LensError, OutOfRange
from transxnet.explain.observe import check_class_index, observe
from transxnet.trace import active_trace


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def observation(model):
    return observe(model, model_input())


def test_an_observation_has_the_models_logits(model, observation):
    with torch.no_grad():
        assert torch.equal(observation.logits, model(model_input().tensor))
    assert observation.model_name == "transxnet_tiny"
    assert not observation.x.requires_grad
    assert not observation.logits.requires_grad
    assert active_trace() is None


def test_the_input_is_not_changed(model):
    image = model_input()
    observation = observe(model, image, grad=True)
    assert observation.x.requires_grad
    assert not image.tensor.requires_grad
    assert observation.x.data_ptr() != image.tensor.data_ptr()
    assert leftover_state(model) == []


def test_stages_and_blocks_count_from_one(observation):
    assert [observation.locate(stage) for stage in (1, 2, 3, 4)] == [(1, 2), (2, 1), (3, 3), (4, 2)]
    assert observation.locate(3, 0) == (3, 3)
    assert observation.locate(3, 1) == (3, 1)


@pytest.mark.parametrize(("stage", "block", "message"), [(0, 1, "1 to 4"), (5, None, "1 to 4"), (3, 4, "1 to 3"),
                                                       (2, -1, "1 to 1"), ("3", 1, "1 to 4")])  # fmt: skip
def test_unknown_layers_are_refused(observation, stage, block, message):
    with pytest.raises(OutOfRange, match=message):
        observation.locate(stage, block)


@pytest.mark.parametrize("size", [(96, 96), (97, 70), (33, 130), (64, 65)])
def test_units_have_the_models_grid(model, size):
    observation = observe(model, model_input(*size), ("stage",))
    for stage, stride in enumerate(SPEC.strides, 1):
        units = observation.units(stage)
        assert units.grid == observation.trace.find_one("stage", stage).tensor.shape[-2:]
        assert (units.stride, units.origin, units.input_size) == (stride, 0, size)


def test_training_mode_is_refused(model):
    before = model.patch_embed.proj.bn.running_mean.clone()
    model.train()
    try:
        with pytest.raises(LensError, match=r"model\.eval"):
            observe(model, model_input())
    finally:
        model.eval()
    assert torch.equal(model.patch_embed.proj.bn.running_mean, before)


def test_unknown_classes_are_refused(model):
    assert check_class_index(model, 6) == 6
    for wrong in (-1, 7, 2.5):
        with pytest.raises(OutOfRange, match="0 to 6"):
            check_class_index(model, wrong)
