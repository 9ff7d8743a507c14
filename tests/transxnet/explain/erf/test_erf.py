"""The receptive field of a model whose answer is known: all-ones convolutions, blocks that do nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import LensError, OutOfRange
from transxnet.explain.erf.erf import (
    CURVE,
    containment,
    erf_curves,
    pixel_gradient,
    published_r,
    r_curve,
    receptive_field,
    unit_score,
)
from transxnet.explain.observe import observe
from transxnet.model import TransXNet

R = ("r20", "r30", "r50", "r99")


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def seen(model):
    return observe(model, model_input(), grad=True)


@pytest.fixture(scope="module")
@torch.no_grad()
def ones() -> TransXNet:
    """The stem and the three steps between stages add up what they see; every block returns its input."""
    model = TransXNet(SPEC).eval()
    for step in (model.patch_embed, model.network[1], model.network[3], model.network[5]):
        nn.init.ones_(step.proj.conv.weight)
        step.proj.bn.eps = 0.0  # running mean 0 and variance 1: nothing at all
    for stage in (0, 2, 4, 6):
        for block in model.network[stage]:
            for parameter in (*block.pos_embed.parameters(), block.layer_scale_1.weight, block.layer_scale_2.weight):
                nn.init.zeros_(parameter)
    return model


def paths(stage: int, unit: int, size: int) -> np.ndarray:
    """Along one axis: how many ways lead from each pixel to a unit, through windows of 3, 3, 3 and 7 with padding."""
    counts = {unit: 1}
    grid = [math.ceil(size / stride) for stride in SPEC.strides]
    for step in range(stage - 1, 0, -1):  # down through the steps of kernel 3, stride 2, padding 1
        below: dict[int, int] = {}
        for i, ways in counts.items():
            for j in range(2 * i - 1, 2 * i + 2):
                if 0 <= j < grid[step - 1]:
                    below[j] = below.get(j, 0) + ways
        counts = below
    found = np.zeros(size)
    for i, ways in counts.items():  # the stem: kernel 7, stride 4, padding 3
        found[max(4 * i - 3, 0) : 4 * i + 4] += ways
    return found


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
def test_equals_the_count_of_paths(ones, stage, unit, size):
    image = model_input(*size)
    image.tensor.abs_()  # features stay above zero, where ReLU lets them pass
    found = receptive_field(observe(ones, image, grad=True), stage, unit=unit)
    channels = math.prod(SPEC.dims[:stage])  # each channel adds up all those below it
    analytic = 3 * channels * np.outer(paths(stage, unit[0], size[0]), paths(stage, unit[1], size[1]))
    np.testing.assert_allclose(found.heatmap, analytic, rtol=1e-5)
    assert found.numbers["total"] == pytest.approx(analytic.sum(), rel=1e-5)
    assert found.numbers["score"] > 0


@pytest.mark.parametrize(("stage", "unit"), [(1, (5, 7)), (2, (3, 6)), (3, (3, 2)), (4, (1, 1))])
def test_is_centerd_on_stride_times_unit(ones, stage, unit):
    """Away from the border the map's centroid is the unit's pixel s * i, not s * i + (s - 1) / 2."""
    image = model_input()
    image.tensor.abs_()
    found = receptive_field(observe(ones, image, grad=True), stage, unit=unit)
    y, x = (np.indices(found.heatmap.shape) * found.heatmap).sum(axis=(1, 2)) / found.heatmap.sum()
    stride = SPEC.strides[stage - 1]
    assert (y, x) == (pytest.approx(stride * unit[0]), pytest.approx(stride * unit[1]))
    assert (found.numbers["y"], found.numbers["x"]) == (stride * unit[0], stride * unit[1])


# --- The gradient -----------------------------------------------------------------------------------


def test_score_and_gradient_by_hand():
    """s = relu(2a - b) + relu(-a) + relu(3c) at a = b = c = 1: the second is off, ds = (2, -1, 3) by color."""
    x = torch.ones(1, 3, 2, 2, requires_grad=True)
    a, b, c = x.unbind(dim=1)
    features = torch.stack((2 * a - b, -a, 3 * c), dim=1)  # (1, 3, 2, 2)
    score = unit_score(features, 0, 1)
    assert float(score.detach()) == 4
    assert pixel_gradient(score, x).tolist() == [[0, 6], [0, 0]]
    assert pixel_gradient(score, x, rectify=True).tolist() == [[0, 5], [0, 0]]
    assert x.grad is None


def test_rectified_is_never_more_than_absolute(seen):
    absolute = receptive_field(seen, 3, unit=(2, 2)).heatmap
    rectified = receptive_field(seen, 3, unit=(2, 2), rectify=True).heatmap
    assert (rectified <= absolute).all()
    assert 0.1 < rectified.sum() / absolute.sum() < 0.9


def test_every_pixel_touches_every_unit(seen):
    """The gates and GroupNorm see the whole image: why a plain ERF mixes what is seen with what modulates."""
    found = receptive_field(seen, 1, unit=(0, 0))
    assert found.heatmap[64:, 64:].min() > 0
    assert found.heatmap[:8, :8].mean() > 50 * found.heatmap[64:, 64:].mean()


# --- Containment ------------------------------------------------------------------------------------


def test_containment_of_an_even_map():
    even = np.ones((5, 5), np.float32)
    # about the middle the squares hold 1, 9 and 25 of 25; about the corner, clipped, 1, 4, 9, 16 and 25
    assert containment(even, (2, 2)) == {"r20": 9 / 25, "r30": 9 / 25, "r50": 1.0, "r99": 1.0}
    assert containment(even, (0, 0)) == {"r20": 9 / 25, "r30": 9 / 25, "r50": 16 / 25, "r99": 1.0}
    assert containment(even, (0, 2), shares=(0.2, 0.5)) == {"r20": 6 / 25, "r50": 15 / 25}


def test_containment_of_one_pixel():
    heatmap = np.zeros((6, 9), np.float32)
    heatmap[2, 4] = 7
    assert containment(heatmap, (2, 4)) == dict.fromkeys(R, 1 / 54)
    assert containment(heatmap, (3, 6)) == dict.fromkeys(R, 25 / 54)  # two pixels off: a square of 5


def test_containment_of_a_gaussian():
    """Half of it lies within |x|, |y| < q sigma where erf(q / sqrt 2)^2 = 1/2: q = 1.0518."""
    size, sigma = 257, 20.0
    axis = np.exp(-(((np.arange(size) - 128) / sigma) ** 2) / 2)
    found = containment(np.outer(axis, axis).astype(np.float32), (128, 128), shares=(0.2, 0.5, 0.99))
    for share, name in ((0.2, "r20"), (0.5, "r50"), (0.99, "r99")):
        low, high = 0.0, 10.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if math.erf(middle / math.sqrt(2)) ** 2 < share else (low, middle)
        side = math.sqrt(found[name]) * size
        assert side - 2 <= 2 * low * sigma <= side  # the next odd side up


def test_containment_does_not_care_about_units():
    heatmap = np.random.default_rng(0).random((40, 60), np.float32) ** 4
    assert containment(1000 * heatmap, (8, 50)) == containment(heatmap, (8, 50))


def test_features_a_thousand_times_larger_are_seen_from_as_far(model, seen):
    edits = {"stage": lambda tap, x: 1000 * x if tap.stage == 3 else x}
    louder = receptive_field(observe(model, model_input(), grad=True, edits=edits), 3, unit=(2, 4))
    plain = receptive_field(seen, 3, unit=(2, 4))
    np.testing.assert_allclose(louder.heatmap, 1000 * plain.heatmap, rtol=1e-3)
    assert [louder.numbers[r] for r in R] == [plain.numbers[r] for r in R]


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_an_empty_or_broken_map_holds_nothing(value):
    found = containment(np.full((4, 4), value, np.float32), (1, 1))
    assert list(found) == list(R)
    assert all(math.isnan(r) for r in found.values())


def test_a_silent_unit_has_an_empty_map(model):
    seen = observe(model, model_input(32, 32), grad=True, edits={"stage": lambda tap, x: -x.abs()})
    found = receptive_field(seen, 2, unit=(1, 1))
    assert (found.numbers["score"], found.numbers["total"], found.heatmap.max()) == (0, 0, 0)
    assert math.isnan(found.numbers["r50"])


# --- The curves -------------------------------------------------------------------------------------


def gaussian(size: int, sigma: float, center: int) -> np.ndarray:
    axis = np.exp(-(((np.arange(size) - center) / sigma) ** 2) / 2)
    return np.outer(axis, axis)


def test_the_sound_curve_is_containment_at_every_share():
    heatmap = np.random.default_rng(1).random((40, 60), np.float32) ** 4
    curve = r_curve(heatmap, (8, 50))
    assert (curve.kind, curve.center) == ("sound", (50, 8))
    assert np.array_equal(curve.shares, CURVE)
    assert containment(heatmap, (8, 50)) == {f"r{100 * t:g}": curve.at(t) for t in (0.2, 0.3, 0.5, 0.99)}
    assert (np.diff(curve.areas) >= 0).all()
    with pytest.raises(KeyError):
        curve.at(0.123)


@pytest.mark.parametrize("factor", [1e-3, 1000.0])
def test_the_sound_curve_is_unchanged_under_a_factor_and_the_published_one_is_not(factor):
    heatmap = gaussian(256, 20.0, 128)
    assert np.array_equal(r_curve(factor * heatmap, (128, 128)).areas, r_curve(heatmap, (128, 128)).areas)
    assert not np.array_equal(published_r(factor * heatmap, CURVE).areas, published_r(heatmap, CURVE).areas)


@pytest.mark.parametrize(("peak", "r20"), [(1e-3, 0.51), (10.0, 0.86), (1e5, 2.85)])
def test_the_published_r_of_a_gaussian_depends_on_its_units(peak, r20):
    """definitions.md's own figures: sigma 0.06 h, h = 1024."""
    heatmap = gaussian(1024, 0.06 * 1024, 512)
    assert round(100 * published_r(peak * heatmap).at(0.2), 2) == r20
    if peak == 1e-3:  # so faint that the logarithm is straight: both agree, to the next odd side
        assert r_curve(heatmap, (512, 512), (0.2,)).at(0.2) == published_r(peak * heatmap).at(0.2)


def test_the_published_r_word_for_word():
    """analyze_erf.py's loop, written out, on a map without any symmetry."""
    heatmap = np.random.default_rng(2).random((50, 50)) ** 6 * 300
    data = np.log10(heatmap + 1)
    data = data / np.max(data)
    for share in (0.2, 0.3, 0.5, 0.99):
        found = float("nan")
        for i in range(1, 25):
            if data[25 - i : 26 + i, 25 - i : 26 + i].sum() / data.sum() > share:
                found = (2 * i + 1) ** 2 / 2500
                break
        assert published_r(heatmap).at(share) == pytest.approx(found, nan_ok=True)


def test_the_published_r_is_strict_and_can_find_nothing():
    heatmap = np.ones((10, 10))  # A is 1 everywhere: 9, 25, 49 and 81 of 100
    assert published_r(heatmap, (0.08, 0.09, 0.25, 0.80, 0.81)).areas.tolist()[:4] == [0.09, 0.25, 0.49, 0.81]
    found = published_r(heatmap, (0.5, 0.81, 0.99))
    assert found.at(0.5) == 0.81  # 49 of 100 is less, 81 the next
    assert found.none_found == (0.81, 0.99)  # the largest square leaves out row 0 and column 0
    assert math.isnan(found.numbers["r99"])
    sound = r_curve(heatmap, (5, 5), (0.81, 0.99))
    assert (sound.areas.tolist(), sound.none_found) == ([0.81, 1.0], ())  # at least, and up to the border


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_no_curve_of_an_empty_or_broken_map(value):
    heatmap = np.full((8, 8), value)
    assert published_r(heatmap, (0.1, 0.5)).none_found == r_curve(heatmap, (4, 4), (0.1, 0.5)).none_found == (0.1, 0.5)


def test_both_curves_of_one_image(seen):
    found = receptive_field(seen, 3, unit=(2, 4))
    both = erf_curves(found)
    assert both.model == "transxnet_tiny"
    assert both.what == "stage 3, block 3, unit at row 2, column 4, one image"
    assert (both.sound.center, both.published.center) == ((64, 32), (48, 48))
    assert [both.sound.at(t) for t in (0.2, 0.3, 0.5, 0.99)] == [found.numbers[r] for r in R]


def test_a_graph_can_be_given_back(model):
    once = observe(model, model_input(), grad=True)
    kept = receptive_field(once, 2, unit=(3, 3)).heatmap
    assert np.array_equal(receptive_field(once, 2, unit=(3, 3), keep_graph=False).heatmap, kept)
    with pytest.raises(RuntimeError, match="second time"):
        receptive_field(once, 2, unit=(3, 3))


# --- Which unit -------------------------------------------------------------------------------------


def test_a_position_is_its_nearest_unit(seen):
    units = seen.units(3)
    x, y = units.center_in_upload(4, 1)
    by_position, by_unit = receptive_field(seen, 3, (x + 3, y - 3)), receptive_field(seen, 3, unit=(4, 1))
    assert np.array_equal(by_position.heatmap, by_unit.heatmap)
    assert (by_position.numbers["row"], by_position.numbers["column"]) == (4, 1)
    assert (by_position.numbers["x"], by_position.numbers["y"]) == (16, 64)


def test_the_map_says_what_it_is(seen):
    found = receptive_field(seen)
    assert (found.method, found.model, found.layer) == ("erf", "transxnet_tiny", "stage 4, block 2")
    assert (found.target, found.signed) == ("unit at row 1, column 1", False)  # the middle of 3 x 3
    assert (found.geometry.stride, found.geometry.origin, found.geometry.grid) == (1, 0, (96, 96))
    assert found.heatmap.dtype == np.float32


def test_what_is_refused(model, seen):
    with pytest.raises(OutOfRange, match="0 to 5"):
        receptive_field(seen, 3, unit=(6, 0))
    with pytest.raises(OutOfRange, match="1 to 4"):
        receptive_field(seen, 0)
    with pytest.raises(OutOfRange, match="outside the image"):
        receptive_field(seen, 1, (0, 500))
    with pytest.raises(ValueError, match="not both"):
        receptive_field(seen, 1, (0, 0), unit=(0, 0))
    with pytest.raises(LensError, match="grad=True"):
        receptive_field(observe(model, model_input(32, 32)), 1)
    assert leftovers(model) == []
