"""Contrast and combined stages against the raw Grad-CAM maps that they are computed from."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from transxnet.errors import LensError, OutOfRange, PartMissing, UnknownName
from transxnet.explain.attribution.cam_variants import combined_layers, contrast
from transxnet.explain.attribution.grad_cam import HEAD, grad_cam
from transxnet.explain.observe import Observation, observe
from transxnet.trace import Trace

KEEP = ("stage", "block", "head")


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def observation(model):
    return observe(model, model_input(96, 128), KEEP, grad=True)


@pytest.fixture(scope="module")
def float64_observation():
    """The same in float64, to compare beyond float32 rounding."""
    model, image = recipe_model().double(), model_input(96, 96)
    x = image.tensor.double().requires_grad_()
    with Trace(KEEP) as trace:
        logits = model(x)
    return Observation(model, image, x, logits, trace)


# --- Contrast -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stage", "block"), [(1, None), (2, None), (3, 2), (4, 1), (4, None), (HEAD, None)])
def test_contrast_is_the_difference_of_raw_maps(float64_observation, stage, block):
    first, second = (grad_cam(float64_observation, index, stage, block=block).heatmap for index in (5, 2))
    contrast_map = contrast(float64_observation, 5, 2, stage, block=block)
    assert np.abs(contrast_map.heatmap - (first - second)).max() < 1e-12 * np.abs(first).max()
    assert np.abs(first - second).max() > 0.01 * np.abs(first).max()  # the two maps differ


def test_swapping_classes_flips_the_sign(observation):
    assert np.array_equal(contrast(observation, 1, 6).heatmap, -contrast(observation, 6, 1).heatmap)


def test_default_contrast_is_the_best_other_class(observation):
    best, second = observation.logits.detach()[0].argsort(descending=True)[:2].tolist()
    assert contrast(observation, best).numbers["contrast_index"] == second
    assert contrast(observation, second).numbers["contrast_index"] == best
    assert np.array_equal(contrast(observation, best).heatmap, contrast(observation, best, second).heatmap)


def test_contrast_metadata(observation):
    contrast_map = contrast(observation, 0, 3, 3, "ladybug", "bee", block=1)
    assert (contrast_map.method, contrast_map.model, contrast_map.layer) == (
        "contrast",
        "transxnet_tiny",
        "stage 3, block 1",
    )
    assert contrast_map.target == "ladybug (class 0) against bee (class 3)"
    assert (contrast_map.signed, contrast_map.units, contrast_map.geometry) == (True, "logit", observation.units(3))
    logits = observation.logits.detach()[0]
    assert (contrast_map.numbers["logit"], contrast_map.numbers["contrast_logit"]) == (
        float(logits[0]),
        float(logits[3]),
    )
    assert contrast_map.numbers["margin"] == pytest.approx(float(logits[0] - logits[3]), abs=1e-6)
    assert contrast_map.numbers["sum"] == pytest.approx(contrast_map.heatmap.sum(), rel=1e-5)
    positive = contrast_map.heatmap[contrast_map.heatmap > 0].sum() / np.abs(contrast_map.heatmap).sum()
    assert contrast_map.numbers["positive_share"] == pytest.approx(positive, rel=1e-5)


def test_contrast_refuses_invalid_arguments(model, observation):
    with pytest.raises(OutOfRange, match="contrasted with itself"):
        contrast(observation, 2, 2)
    for pair in ((7, None), (0, 7)):
        with pytest.raises(OutOfRange, match="0 to 6"):
            contrast(observation, *pair)
    with pytest.raises(OutOfRange, match="no block 9"):
        contrast(observation, 0, 1, 3, block=9)
    with pytest.raises(LensError, match="grad=True"):
        contrast(observe(model, model_input(32, 32)), 0)
    single_class_model = recipe_model(dataclasses.replace(SPEC, num_classes=1))
    with pytest.raises(PartMissing, match="one class only"):
        contrast(observe(single_class_model, model_input(32, 32), grad=True), 0)
    assert leftover_state(model) == []


# --- Combined stages ------------------------------------------------------------------------------------


def interpolate_by_hand(heatmap: np.ndarray, stride: int, y: int, x: int) -> float:
    """A stage's value at a model-input pixel: units at stride * i, linear between them, constant outside."""
    row, column = min(y / stride, heatmap.shape[0] - 1), min(x / stride, heatmap.shape[1] - 1)
    top, left = int(row), int(column)
    row_fraction, col_fraction = row - top, column - left
    bottom, right = min(top + 1, heatmap.shape[0] - 1), min(left + 1, heatmap.shape[1] - 1)
    upper = heatmap[top, left] * (1 - col_fraction) + heatmap[top, right] * col_fraction
    lower = heatmap[bottom, left] * (1 - col_fraction) + heatmap[bottom, right] * col_fraction
    return float(upper * (1 - row_fraction) + lower * row_fraction)


@pytest.mark.parametrize(("fusion", "reduce"), [("mean", np.mean), ("max", np.max)])
@pytest.mark.parametrize("stages", [(1, 2, 3, 4), (4, 2), (3,)])
def test_combination_by_hand(observation, stages, fusion, reduce):
    raw = [grad_cam(observation, 3, stage).heatmap for stage in stages]
    shares = [np.maximum(heatmap, 0) / heatmap.max() for heatmap in raw]
    strides = [4 * 2 ** (stage - 1) for stage in stages]
    finest = min(strides)

    def value(y: int, x: int) -> float:
        return reduce(
            [interpolate_by_hand(heatmap, stride, y, x) for heatmap, stride in zip(shares, strides, strict=True)]
        )

    expected = [[value(y, x) for x in range(0, 128, finest)] for y in range(0, 96, finest)]
    combined = combined_layers(observation, 3, stages, fusion=fusion)
    np.testing.assert_allclose(combined.heatmap, expected, atol=1e-5)
    assert combined.geometry == observation.units(min(stages))
    assert combined.heatmap.dtype == np.float32
    assert 0 <= combined.heatmap.min() < combined.heatmap.max() <= 1


def test_combination_contains_the_raw_maps(observation):
    combined = combined_layers(observation, 3, (2, 4), "bee")
    for stage_map, stage in zip(combined.stage_maps, (2, 4), strict=True):
        single = grad_cam(observation, 3, stage, "bee")
        assert np.abs(stage_map.heatmap - single.heatmap).max() < 1e-5 * np.abs(single.heatmap).max()
        assert (stage_map.layer, stage_map.target, stage_map.geometry) == (single.layer, single.target, single.geometry)
        assert stage_map.numbers == pytest.approx(single.numbers, rel=1e-4)
        assert combined.numbers[f"largest_{stage}"] == stage_map.heatmap.max()
    assert (combined.method, combined.layer, combined.target) == ("cam_stages", "stages 2 and 4, mean", "bee (class 3)")
    assert (combined.signed, combined.units) == (False, "share of each stage's largest value")
    assert combined_layers(observation, 3).layer == "stages 1, 2, 3 and 4, mean"
    assert combined.numbers["peak"] == combined.heatmap.max()
    assert combined.numbers["logit"] == float(observation.logits.detach()[0, 3])


def test_nonpositive_stage_counts_as_zeros(model):
    empty = {"stage": lambda tap, x: x * 0 if tap.stage == 2 else x}
    observation = observe(model, model_input(64, 64), ("stage",), grad=True, edits=empty)
    combined, single = combined_layers(observation, 3, (2, 4)), combined_layers(observation, 3, (4,))
    assert combined.numbers["empty"] == 1
    assert combined.numbers["largest_2"] == 0
    assert single.heatmap.max() == 1
    assert np.array_equal(
        combined.heatmap[::4, ::4], single.heatmap / 2
    )  # units of stage 4 are every fourth of stage 2


def test_combination_refuses_invalid_arguments(model, observation):
    with pytest.raises(OutOfRange, match="0 to 6"):
        combined_layers(observation, 7)
    for stages in ((0,), (2, 5)):
        with pytest.raises(OutOfRange, match="1 to 4"):
            combined_layers(observation, 0, stages)
    for stages in ((), (2, 2)):
        with pytest.raises(OutOfRange, match="at least one"):
            combined_layers(observation, 0, stages)
    with pytest.raises(UnknownName, match="'median'"):
        combined_layers(observation, 0, fusion="median")
    with pytest.raises(LensError, match="grad=True"):
        combined_layers(observe(model, model_input(32, 32)), 0)
    assert leftover_state(model) == []
