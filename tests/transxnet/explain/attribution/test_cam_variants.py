"""Contrast and combined stages against what they are made of: raw Grad-CAM maps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import LensError, OutOfRange, UnknownName
from transxnet.explain.attribution.cam_variants import combined_stages, contrast
from transxnet.explain.attribution.grad_cam import HEAD, grad_cam
from transxnet.explain.observe import Observation, observe
from transxnet.trace import Trace

KEEP = ("stage", "block", "head")


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def seen(model):
    return observe(model, model_input(96, 128), KEEP, grad=True)


@pytest.fixture(scope="module")
def exact():
    """The same in float64, where nothing hides behind rounding."""
    model, image = recipe_model().double(), model_input(96, 96)
    x = image.tensor.double().requires_grad_()
    with Trace(KEEP) as trace:
        logits = model(x)
    return Observation(model, image, x, logits, trace)


# --- Contrast -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stage", "block"), [(1, None), (2, None), (3, 2), (4, 1), (4, None), (HEAD, None)])
def test_a_contrast_is_the_difference_of_the_two_raw_maps(exact, stage, block):
    one, other = (grad_cam(exact, index, stage, block=block).heatmap for index in (5, 2))
    found = contrast(exact, 5, 2, stage, block=block)
    assert np.abs(found.heatmap - (one - other)).max() < 1e-12 * np.abs(one).max()
    assert np.abs(one - other).max() > 0.01 * np.abs(one).max()  # there is something to tell them apart by


def test_turning_the_question_round_turns_the_sign(seen):
    assert np.array_equal(contrast(seen, 1, 6).heatmap, -contrast(seen, 6, 1).heatmap)


def test_the_other_class_is_the_best_that_is_not_the_first(seen):
    best, second = seen.logits.detach()[0].argsort(descending=True)[:2].tolist()
    assert contrast(seen, best).numbers["other_index"] == second
    assert contrast(seen, second).numbers["other_index"] == best
    assert np.array_equal(contrast(seen, best).heatmap, contrast(seen, best, second).heatmap)


def test_a_contrast_says_what_it_is(seen):
    found = contrast(seen, 0, 3, 3, "ladybug", "bee", block=1)
    assert (found.method, found.model, found.layer) == ("contrast", "transxnet_tiny", "stage 3, block 1")
    assert found.target == "ladybug (class 0) against bee (class 3)"
    assert (found.signed, found.units, found.geometry) == (True, "logit", seen.units(3))
    logits = seen.logits.detach()[0]
    assert (found.numbers["logit"], found.numbers["other_logit"]) == (float(logits[0]), float(logits[3]))
    assert found.numbers["margin"] == pytest.approx(float(logits[0] - logits[3]), abs=1e-6)
    assert found.numbers["sum"] == pytest.approx(found.heatmap.sum(), rel=1e-5)
    positive = found.heatmap[found.heatmap > 0].sum() / np.abs(found.heatmap).sum()
    assert found.numbers["positive_share"] == pytest.approx(positive, rel=1e-5)


def test_contrasts_that_are_refused(model, seen):
    with pytest.raises(OutOfRange, match="contrasted with itself"):
        contrast(seen, 2, 2)
    for pair in ((7, None), (0, 7)):
        with pytest.raises(OutOfRange, match="0 to 6"):
            contrast(seen, *pair)
    with pytest.raises(OutOfRange, match="no block 9"):
        contrast(seen, 0, 1, 3, block=9)
    with pytest.raises(LensError, match="grad=True"):
        contrast(observe(model, model_input(32, 32)), 0)
    only = recipe_model(dataclasses.replace(SPEC, num_classes=1))
    with pytest.raises(OutOfRange, match="one class only"):
        contrast(observe(only, model_input(32, 32), grad=True), 0)
    assert leftovers(model) == []


# --- Combined stages ------------------------------------------------------------------------------------


def at(heatmap: np.ndarray, stride: int, y: int, x: int) -> float:
    """A stage's value at a view pixel, units at stride * i, linear between them, the edge's outside: by hand."""
    row, column = min(y / stride, heatmap.shape[0] - 1), min(x / stride, heatmap.shape[1] - 1)
    top, left = int(row), int(column)
    down, along = row - top, column - left
    bottom, right = min(top + 1, heatmap.shape[0] - 1), min(left + 1, heatmap.shape[1] - 1)
    upper = heatmap[top, left] * (1 - along) + heatmap[top, right] * along
    lower = heatmap[bottom, left] * (1 - along) + heatmap[bottom, right] * along
    return float(upper * (1 - down) + lower * down)


@pytest.mark.parametrize(("fusion", "fuse"), [("mean", np.mean), ("max", np.max)])
@pytest.mark.parametrize("stages", [(1, 2, 3, 4), (4, 2), (3,)])
def test_stages_are_combined_by_hand(seen, stages, fusion, fuse):
    raw = [grad_cam(seen, 3, stage).heatmap for stage in stages]
    shares = [np.maximum(heatmap, 0) / heatmap.max() for heatmap in raw]
    strides = [4 * 2 ** (stage - 1) for stage in stages]
    finest = min(strides)

    def value(y: int, x: int) -> float:
        return fuse([at(heatmap, stride, y, x) for heatmap, stride in zip(shares, strides, strict=True)])

    expected = [[value(y, x) for x in range(0, 128, finest)] for y in range(0, 96, finest)]
    found = combined_stages(seen, 3, stages, fusion=fusion)
    np.testing.assert_allclose(found.heatmap, expected, atol=1e-5)
    assert found.geometry == seen.units(min(stages))
    assert found.heatmap.dtype == np.float32
    assert 0 <= found.heatmap.min() < found.heatmap.max() <= 1


def test_the_raw_maps_stay_beside_their_combination(seen):
    found = combined_stages(seen, 3, (2, 4), "bee")
    for part, stage in zip(found.parts, (2, 4), strict=True):
        alone = grad_cam(seen, 3, stage, "bee")
        assert np.abs(part.heatmap - alone.heatmap).max() < 1e-5 * np.abs(alone.heatmap).max()
        assert (part.layer, part.target, part.geometry) == (alone.layer, alone.target, alone.geometry)
        assert part.numbers == pytest.approx(alone.numbers, rel=1e-4)
        assert found.numbers[f"largest_{stage}"] == part.heatmap.max()
    assert (found.method, found.layer, found.target) == ("cam_stages", "stages 2 and 4, mean", "bee (class 3)")
    assert (found.signed, found.units) == (False, "share of each stage's largest value")
    assert combined_stages(seen, 3).layer == "stages 1, 2, 3 and 4, mean"
    assert found.numbers["peak"] == found.heatmap.max()
    assert found.numbers["logit"] == float(seen.logits.detach()[0, 3])


def test_a_stage_that_raised_nothing_counts_as_zeros(model):
    empty = {"stage": lambda tap, x: x * 0 if tap.stage == 2 else x}
    seen = observe(model, model_input(64, 64), ("stage",), grad=True, edits=empty)
    both, alone = combined_stages(seen, 3, (2, 4)), combined_stages(seen, 3, (4,))
    assert both.numbers["empty"] == 1
    assert both.numbers["largest_2"] == 0
    assert alone.heatmap.max() == 1
    assert np.array_equal(both.heatmap[::4, ::4], alone.heatmap / 2)  # units of stage 4 are every fourth of stage 2


def test_combinations_that_are_refused(model, seen):
    with pytest.raises(OutOfRange, match="0 to 6"):
        combined_stages(seen, 7)
    for stages in ((0,), (2, 5), (HEAD,)):
        with pytest.raises(OutOfRange, match="1 to 4"):
            combined_stages(seen, 0, stages)
    for stages in ((), (2, 2)):
        with pytest.raises(OutOfRange, match="at least one"):
            combined_stages(seen, 0, stages)
    with pytest.raises(UnknownName, match="'median'"):
        combined_stages(seen, 0, fusion="median")
    with pytest.raises(LensError, match="grad=True"):
        combined_stages(observe(model, model_input(32, 32)), 0)
    assert leftovers(model) == []
