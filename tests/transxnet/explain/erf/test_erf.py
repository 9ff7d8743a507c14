"""The ERF of a model with a known solution: all-ones convolutions, identity blocks; containment curves."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from tests.positions import center_in_source
from transxnet.errors import LensError, OutOfRange
from transxnet.explain.erf.erf import (
    CURVE_SHARES,
    containment_curve,
    erf_curves,
    pixel_gradient,
    published_curve,
    receptive_field,
    unit_score,
)
from transxnet.explain.observe import observe
from transxnet.model import TransXNet
from transxnet.results.erf import SHARES

RADII = ("r20", "r30", "r50", "r99")


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def observation(model):
    return observe(model, model_input(), grad=True)


@pytest.fixture(scope="module")
@torch.no_grad()
def summing_model() -> TransXNet:
    """The stem and the three steps between stages sum their windows; every block returns its input."""
    model = TransXNet(SPEC).eval()
    for step in (model.patch_embed, model.network[1], model.network[3], model.network[5]):
        nn.init.ones_(step.proj.conv.weight)
        step.proj.bn.eps = 0.0  # running mean 0 and variance 1: the identity
    for stage in (0, 2, 4, 6):
        for block in model.network[stage]:
            for parameter in (*block.pos_embed.parameters(), block.layer_scale_1.weight, block.layer_scale_2.weight):
                nn.init.zeros_(parameter)
    return model


def count_paths(stage: int, unit: int, size: int) -> np.ndarray:
    """Along one axis: how many paths lead from each pixel to a unit, through windows of 3, 3, 3 and 7 with padding."""
    counts = {unit: 1}
    grid = [math.ceil(size / stride) for stride in SPEC.strides]
    for step in range(stage - 1, 0, -1):  # down through the steps of kernel 3, stride 2, padding 1
        lower_counts: dict[int, int] = {}
        for i, path_count in counts.items():
            for j in range(2 * i - 1, 2 * i + 2):
                if 0 <= j < grid[step - 1]:
                    lower_counts[j] = lower_counts.get(j, 0) + path_count
        counts = lower_counts
    totals = np.zeros(size)
    for i, path_count in counts.items():  # the stem: kernel 7, stride 4, padding 3
        totals[max(4 * i - 3, 0) : 4 * i + 4] += path_count
    return totals


@pytest.mark.parametrize(
    ("stage", "unit", "size"),
    [
        (1, (5, 7), (96, 96)),
        (2, (3, 6), (96, 96)),
        (3, (3, 2), (96, 96)),
        (4, (1, 1), (96, 96)),
        (2, (0, 12), (70, 97)),
    ],
)
def test_erf_equals_the_count_of_paths(summing_model, stage, unit, size):
    image = model_input(*size)
    image.tensor.abs_()  # features stay above zero, where ReLU lets them pass
    erf = receptive_field(observe(summing_model, image, grad=True), stage, unit=unit)
    channels = math.prod(SPEC.dims[:stage])  # each channel sums all those before it
    expected = 3 * channels * np.outer(count_paths(stage, unit[0], size[0]), count_paths(stage, unit[1], size[1]))
    np.testing.assert_allclose(erf.heatmap, expected, rtol=1e-5)
    assert erf.numbers["total"] == pytest.approx(expected.sum(), rel=1e-5)
    assert erf.numbers["score"] > 0


@pytest.mark.parametrize(("stage", "unit"), [(1, (5, 7)), (2, (3, 6)), (3, (3, 2)), (4, (1, 1))])
def test_erf_is_centered_on_the_units_pixel(summing_model, stage, unit):
    """Away from the border the map's centroid is the unit's pixel s * i, not s * i + (s - 1) / 2."""
    image = model_input()
    image.tensor.abs_()
    erf = receptive_field(observe(summing_model, image, grad=True), stage, unit=unit)
    y, x = (np.indices(erf.heatmap.shape) * erf.heatmap).sum(axis=(1, 2)) / erf.heatmap.sum()
    stride = SPEC.strides[stage - 1]
    assert (y, x) == (pytest.approx(stride * unit[0]), pytest.approx(stride * unit[1]))
    assert (erf.numbers["y"], erf.numbers["x"]) == (stride * unit[0], stride * unit[1])


# --- The gradient -----------------------------------------------------------------------------------


def test_score_and_gradient_by_hand():
    """s = relu(2a - b) + relu(-a) + relu(3c) at a = b = c = 1: the second is zero, ds = (2, -1, 3) by color."""
    x = torch.ones(1, 3, 2, 2, requires_grad=True)
    a, b, c = x.unbind(dim=1)
    features = torch.stack((2 * a - b, -a, 3 * c), dim=1)  # (1, 3, 2, 2)
    score = unit_score(features, 0, 1)
    assert float(score.detach()) == 4
    assert pixel_gradient(score, x).tolist() == [[0, 6], [0, 0]]
    assert pixel_gradient(score, x, rectify=True).tolist() == [[0, 5], [0, 0]]
    assert x.grad is None


def test_rectified_never_exceeds_absolute(observation):
    absolute = receptive_field(observation, 3, unit=(2, 2)).heatmap
    rectified = receptive_field(observation, 3, unit=(2, 2), rectify=True).heatmap
    assert (rectified <= absolute).all()
    assert 0.1 < rectified.sum() / absolute.sum() < 0.9


def test_every_pixel_reaches_every_unit(observation):
    """The gates and GroupNorm depend on the whole image, so a plain ERF mixes content with modulation."""
    erf = receptive_field(observation, 1, unit=(0, 0))
    assert erf.heatmap[64:, 64:].min() > 0
    assert erf.heatmap[:8, :8].mean() > 50 * erf.heatmap[64:, 64:].mean()


# --- Containment ------------------------------------------------------------------------------------


def areas_by_share(heatmap: np.ndarray, center: tuple[float, float], shares=SHARES) -> dict[str, float]:
    return containment_curve(heatmap, center, shares).numbers


def test_containment_of_a_uniform_map():
    uniform = np.ones((5, 5), np.float32)
    # around the middle the squares contain 1, 9 and 25 of 25; around the corner, clipped, 1, 4, 9, 16 and 25
    assert areas_by_share(uniform, (2, 2)) == {"r20": 9 / 25, "r30": 9 / 25, "r50": 1.0, "r99": 1.0}
    assert areas_by_share(uniform, (0, 0)) == {"r20": 9 / 25, "r30": 9 / 25, "r50": 16 / 25, "r99": 1.0}
    assert areas_by_share(uniform, (0, 2), shares=(0.2, 0.5)) == {"r20": 6 / 25, "r50": 15 / 25}


def test_containment_of_one_pixel():
    heatmap = np.zeros((6, 9), np.float32)
    heatmap[2, 4] = 7
    assert areas_by_share(heatmap, (2, 4)) == dict.fromkeys(RADII, 1 / 54)
    assert areas_by_share(heatmap, (3, 6)) == dict.fromkeys(RADII, 25 / 54)  # two pixels off: a square of 5


def test_containment_of_a_gaussian():
    """Half of it lies within |x|, |y| < q sigma where erf(q / sqrt 2)^2 = 1/2: q = 1.0518."""
    size, sigma = 257, 20.0
    axis = np.exp(-(((np.arange(size) - 128) / sigma) ** 2) / 2)
    areas = areas_by_share(np.outer(axis, axis).astype(np.float32), (128, 128), shares=(0.2, 0.5, 0.99))
    for share, name in ((0.2, "r20"), (0.5, "r50"), (0.99, "r99")):
        low, high = 0.0, 10.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if math.erf(middle / math.sqrt(2)) ** 2 < share else (low, middle)
        side = math.sqrt(areas[name]) * size
        assert side - 2 <= 2 * low * sigma <= side  # the next odd side up


def test_containment_is_scale_invariant():
    heatmap = np.random.default_rng(0).random((40, 60), np.float32) ** 4
    assert areas_by_share(1000 * heatmap, (8, 50)) == areas_by_share(heatmap, (8, 50))


def test_scaled_features_have_the_same_containment(model, observation):
    edits = {"stage": lambda tap, x: 1000 * x if tap.stage == 3 else x}
    scaled = receptive_field(observe(model, model_input(), grad=True, edits=edits), 3, unit=(2, 4))
    unscaled = receptive_field(observation, 3, unit=(2, 4))
    np.testing.assert_allclose(scaled.heatmap, 1000 * unscaled.heatmap, rtol=1e-3)
    assert [scaled.numbers[r] for r in RADII] == [unscaled.numbers[r] for r in RADII]


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_empty_or_nonfinite_map_has_no_containment(value):
    areas = areas_by_share(np.full((4, 4), value, np.float32), (1, 1))
    assert list(areas) == list(RADII)
    assert all(math.isnan(r) for r in areas.values())


def test_inactive_unit_has_an_empty_map(model):
    observation = observe(model, model_input(32, 32), grad=True, edits={"stage": lambda tap, x: -x.abs()})
    erf = receptive_field(observation, 2, unit=(1, 1))
    assert (erf.numbers["score"], erf.numbers["total"], erf.heatmap.max()) == (0, 0, 0)
    assert math.isnan(erf.numbers["r50"])


# --- The curves -------------------------------------------------------------------------------------


def gaussian(size: int, sigma: float, center: int) -> np.ndarray:
    axis = np.exp(-(((np.arange(size) - center) / sigma) ** 2) / 2)
    return np.outer(axis, axis)


def test_raw_curve_is_containment_at_every_share():
    heatmap = np.random.default_rng(1).random((40, 60), np.float32) ** 4
    curve = containment_curve(heatmap, (8, 50))
    assert (curve.kind, curve.center) == ("raw", (50, 8))
    assert np.array_equal(curve.shares, CURVE_SHARES)
    assert areas_by_share(heatmap, (8, 50)) == {f"r{100 * t:g}": curve.area_at(t) for t in (0.2, 0.3, 0.5, 0.99)}
    assert (np.diff(curve.areas) >= 0).all()
    with pytest.raises(KeyError):
        curve.area_at(0.123)


@pytest.mark.parametrize("factor", [1e-3, 1000.0])
def test_only_the_raw_curve_is_scale_invariant(factor):
    heatmap = gaussian(256, 20.0, 128)
    assert np.array_equal(
        containment_curve(factor * heatmap, (128, 128)).areas, containment_curve(heatmap, (128, 128)).areas
    )
    assert not np.array_equal(
        published_curve(factor * heatmap, CURVE_SHARES).areas, published_curve(heatmap, CURVE_SHARES).areas
    )


@pytest.mark.parametrize(("peak", "r20"), [(1e-3, 0.51), (10.0, 0.86), (1e5, 2.85)])
def test_published_curve_depends_on_scale(peak, r20):
    """Known values for sigma 0.06 h, h = 1024."""
    heatmap = gaussian(1024, 0.06 * 1024, 512)
    assert round(100 * published_curve(peak * heatmap).area_at(0.2), 2) == r20
    if peak == 1e-3:  # so small that the logarithm is linear: both agree, to the next odd side
        assert containment_curve(heatmap, (512, 512), (0.2,)).area_at(0.2) == published_curve(peak * heatmap).area_at(
            0.2
        )


def test_published_curve_equals_replknets_loop():
    """The loop of RepLKNet's analyze_erf.py on a map without symmetry."""
    heatmap = np.random.default_rng(2).random((50, 50)) ** 6 * 300
    data = np.log10(heatmap + 1)
    data = data / np.max(data)
    for share in (0.2, 0.3, 0.5, 0.99):
        expected = float("nan")
        for i in range(1, 25):
            if data[25 - i : 26 + i, 25 - i : 26 + i].sum() / data.sum() > share:
                expected = (2 * i + 1) ** 2 / 2500
                break
        assert published_curve(heatmap).area_at(share) == pytest.approx(expected, nan_ok=True)


def test_published_curve_is_strict_and_may_be_nan():
    heatmap = np.ones((10, 10))  # A is 1 everywhere: 9, 25, 49 and 81 of 100
    assert published_curve(heatmap, (0.08, 0.09, 0.25, 0.80, 0.81)).areas.tolist()[:4] == [0.09, 0.25, 0.49, 0.81]
    curve = published_curve(heatmap, (0.5, 0.81, 0.99))
    assert curve.area_at(0.5) == 0.81  # 49 of 100 is less, 81 the next
    assert curve.unreached_shares == (0.81, 0.99)  # the largest square leaves out row 0 and column 0
    assert math.isnan(curve.numbers["r99"])
    raw_curve = containment_curve(heatmap, (5, 5), (0.81, 0.99))
    assert (raw_curve.areas.tolist(), raw_curve.unreached_shares) == ([0.81, 1.0], ())  # at least, and up to the border


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_empty_or_nonfinite_map_has_no_curve(value):
    heatmap = np.full((8, 8), value)
    assert (
        published_curve(heatmap, (0.1, 0.5)).unreached_shares
        == containment_curve(heatmap, (4, 4), (0.1, 0.5)).unreached_shares
        == (0.1, 0.5)
    )


def test_erf_curves_of_one_image(observation):
    erf = receptive_field(observation, 3, unit=(2, 4))
    curves = erf_curves(erf)
    assert curves.model == "transxnet_tiny"
    assert curves.caption == "stage 3, block 3, unit at row 2, column 4, one image"
    assert (curves.raw_curve.center, curves.published_curve.center) == ((64, 32), (48, 48))
    assert [curves.raw_curve.area_at(t) for t in (0.2, 0.3, 0.5, 0.99)] == [erf.numbers[r] for r in RADII]


def test_graph_can_be_freed(model):
    observation = observe(model, model_input(), grad=True)
    heatmap = receptive_field(observation, 2, unit=(3, 3)).heatmap
    assert np.array_equal(receptive_field(observation, 2, unit=(3, 3), keep_graph=False).heatmap, heatmap)
    with pytest.raises(RuntimeError, match="second time"):
        receptive_field(observation, 2, unit=(3, 3))


# --- Which unit -------------------------------------------------------------------------------------


def test_position_takes_the_nearest_unit(observation):
    units = observation.units(3)
    x, y = center_in_source(units, 4, 1)
    by_position, by_unit = receptive_field(observation, 3, (x + 3, y - 3)), receptive_field(observation, 3, unit=(4, 1))
    assert np.array_equal(by_position.heatmap, by_unit.heatmap)
    assert (by_position.numbers["row"], by_position.numbers["column"]) == (4, 1)
    assert (by_position.numbers["x"], by_position.numbers["y"]) == (16, 64)


def test_metadata(observation):
    erf = receptive_field(observation)
    assert (erf.method, erf.model, erf.layer) == ("erf", "transxnet_tiny", "stage 4, block 2")
    assert (erf.target, erf.signed) == ("unit at row 1, column 1", False)  # the middle of 3 x 3
    assert (erf.geometry.stride, erf.geometry.origin, erf.geometry.grid) == (1, 0, (96, 96))
    assert erf.heatmap.dtype == np.float32


def test_invalid_arguments_are_refused(model, observation):
    with pytest.raises(OutOfRange, match="0 to 5"):
        receptive_field(observation, 3, unit=(6, 0))
    with pytest.raises(OutOfRange, match="1 to 4"):
        receptive_field(observation, 0)
    with pytest.raises(OutOfRange, match="outside the image"):
        receptive_field(observation, 1, (0, 500))
    with pytest.raises(ValueError, match="not both"):
        receptive_field(observation, 1, (0, 0), unit=(0, 0))
    with pytest.raises(LensError, match="grad=True"):
        receptive_field(observe(model, model_input(32, 32)), 1)
    assert leftover_state(model) == []
