"""Looking once: places that exist, where units sit, and what is refused."""

from __future__ import annotations

import pytest
import torch

from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import LensError, OutOfRange
from transxnet.explain.observe import observe, pick_class
from transxnet.trace import active_trace


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def seen(model):
    return observe(model, model_input())


def test_an_observation_holds_the_models_answer(model, seen):
    with torch.no_grad():
        assert torch.equal(seen.logits, model(model_input().tensor))
    assert seen.model_name == "transxnet_tiny"
    assert not seen.x.requires_grad
    assert not seen.logits.requires_grad
    assert active_trace() is None


def test_the_image_is_not_touched(model):
    image = model_input()
    seen = observe(model, image, grad=True)
    assert seen.x.requires_grad
    assert not image.tensor.requires_grad
    assert seen.x.data_ptr() != image.tensor.data_ptr()
    assert leftovers(model) == []


def test_stage_and_block_count_from_one_and_none_is_the_last(seen):
    assert [seen.locate(stage) for stage in (1, 2, 3, 4)] == [(1, 2), (2, 1), (3, 3), (4, 2)]
    assert seen.locate(3, 0) == (3, 3)
    assert seen.locate(3, 1) == (3, 1)


@pytest.mark.parametrize(("stage", "block", "words"), [(0, 1, "1 to 4"), (5, None, "1 to 4"), (3, 4, "1 to 3"),
                                                       (2, -1, "1 to 1"), ("3", 1, "1 to 4")])  # fmt: skip
def test_places_that_do_not_exist(seen, stage, block, words):
    with pytest.raises(OutOfRange, match=words):
        seen.locate(stage, block)


@pytest.mark.parametrize("size", [(96, 96), (97, 70), (33, 130), (64, 65)])
def test_units_have_the_grid_that_the_model_made(model, size):
    seen = observe(model, model_input(*size), ("stage",))
    for stage, stride in enumerate(SPEC.strides, 1):
        units = seen.units(stage)
        assert units.grid == seen.trace.one("stage", stage).tensor.shape[-2:]
        assert (units.stride, units.origin, units.input_size) == (stride, 0, size)


def test_a_model_in_training_is_refused_and_keeps_its_statistics(model):
    before = model.patch_embed.proj.bn.running_mean.clone()
    model.train()
    try:
        with pytest.raises(LensError, match=r"model\.eval"):
            observe(model, model_input())
    finally:
        model.eval()
    assert torch.equal(model.patch_embed.proj.bn.running_mean, before)


def test_classes_that_do_not_exist(model):
    assert pick_class(model, 6) == 6
    for wrong in (-1, 7, 2.5):
        with pytest.raises(OutOfRange, match="0 to 6"):
            pick_class(model, wrong)
