from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from transxnet.draw.colormaps import lut
from transxnet.draw.overlay import interpolate, mark, overlay
from transxnet.draw.styles import (
    MAP_STYLES,
    display_range,
    displayed_values,
    draw_result,
    key_numbers,
    layer_and_target,
    map_style,
    marked_position,
)
from transxnet.errors import OutOfRange
from transxnet.results import AttentionFrom, Explanation, Geometry, KernelSet

VIEW = Geometry((2, 2), 16, (32, 32), (0, 0, 32, 32), (32, 32))
PHOTO = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
HEADS = np.float32([[[0.7, 0.1], [0.1, 0.1]], [[0.1, 0.1], [0.3, 0.5]]])


def attention() -> AttentionFrom:
    entropy, distance = np.float32([0.5, 0.7]), np.float32([4, 8])
    return AttentionFrom("transxnet_pico", 3, 4, (1, 0), HEADS, entropy, distance, VIEW, VIEW)


def explanation(method: str, heatmap, signed: bool = False, **numbers: float) -> Explanation:
    heatmap = np.float32(heatmap)
    return Explanation(
        method, "transxnet_pico", "stage 4, block 2", "ladybug (class 36)", heatmap, signed, "logit", VIEW, numbers
    )


def kernel_set(values=(1.0, -4.0)) -> KernelSet:
    kernels = np.ones((2, 7, 7), np.float32) * np.float32(values)[:, None, None]
    gates, distance = np.full((2, 2, 7, 7), 0.5, np.float32), np.float32([0.2, 0.4])
    return KernelSet("transxnet_pico", 2, 1, kernels, kernels, gates, distance, gates[..., 0, 0], distance, distance)


def test_attention_shows_one_head_or_the_mean():
    assert (displayed_values(attention(), 2) == HEADS[1]).all()
    assert displayed_values(attention()) == pytest.approx(np.float32([[0.4, 0.1], [0.2, 0.3]]))
    with pytest.raises(OutOfRange, match="no head 3"):
        displayed_values(attention(), 3)


def test_grad_cam_is_rectified_and_erf_normalized():
    assert displayed_values(explanation("grad_cam", [[-1, 2], [0, 3]], True)).tolist() == [[0, 2], [0, 3]]
    assert displayed_values(explanation("erf", [[1, 0], [0, 3]])).tolist() == [[1, 0], [0, 3]]  # the mean is 1
    assert displayed_values(explanation("erf", [[2, 0], [0, 6]])).tolist() == [
        [1, 0],
        [0, 3],
    ]  # whatever the features' scale
    assert displayed_values(explanation("erf", np.zeros((2, 2)))).tolist() == [[0, 0], [0, 0]]


def test_compared_models_share_one_range():
    assert display_range([explanation("grad_cam", [[-9, 2]], True), explanation("grad_cam", [[1, 5]], True)]) == (0, 5)
    assert display_range([explanation("occlusion", [[-9, 2]], True), explanation("occlusion", [[1, 5]], True)]) == (
        -9,
        9,
    )
    assert display_range([attention()], head=1) == pytest.approx((0, 0.7))
    assert display_range([kernel_set()], channels=[[0]]) == (-1, 1)
    assert display_range([kernel_set(), kernel_set((2, 3))], channels=[[0], [1]]) == (-3, 3)


def test_maps_mark_their_unit():
    pixels = draw_result(attention(), PHOTO, (0, 0.7), head=1)
    expected = overlay(PHOTO, interpolate(HEADS[0], VIEW), (0, 0.7), "magma", 0.85)
    assert (pixels == mark(expected, (0, 16), (32, 32))).all()


def test_maps_of_the_image_have_no_mark():
    cam = explanation("grad_cam", [[0, 1], [2, 4]], True)
    pixels = draw_result(cam, PHOTO, (0, 4), opacity=1, colormap="viridis")
    assert pixels[16, 16].tolist() == lut("viridis")[255].tolist()
    assert pixels[0, 0].tolist() == [cv2.cvtColor(PHOTO, cv2.COLOR_RGB2GRAY)[0, 0]] * 3


def test_kernels_fill_the_image():
    pixels = draw_result(kernel_set(), np.zeros((384, 384, 3), np.uint8), (-4, 4), channels=[1, 0, 1, 0])
    assert pixels.shape == (384, 384, 3)
    assert (pixels[:100, :100] == lut("RdBu_r")[0]).all()  # -4 of 4
    assert (pixels[:100, -100:] == lut("RdBu_r")[159]).all()  # 1 of 4


def test_outliers_do_not_set_the_erf_range():
    heatmap = np.ones((20, 20))
    heatmap[0, 0] = 1000.0  # one pixel of 400 is less than 0.5 %
    result = explanation("erf", heatmap)
    assert display_range([result]) == pytest.approx((0, 1 / heatmap.mean()), rel=1e-6)
    assert displayed_values(result).max() == pytest.approx(1000 / heatmap.mean())  # the values themselves stay


def test_erf_colors_follow_the_square_root():
    field = explanation("erf", [[0, 1], [1, 4]], x=0.0, y=0.0)
    pixels = draw_result(field, PHOTO, (0, 6), opacity=1)
    values = displayed_values(field) / 6
    color = lut("viridis")[round(float(np.sqrt(values[0, 1])) * 255)].astype(float)
    strength = float(np.sqrt(values[0, 1])) ** 0.75
    gray = cv2.cvtColor(PHOTO, cv2.COLOR_RGB2GRAY)[0, 16]
    assert pixels[0, 16] == pytest.approx(np.rint(gray * (1 - strength) + color * strength), abs=1)


def test_captions_name_layer_target_and_key_numbers():
    assert layer_and_target(attention(), 2) == "stage 3, block 4, head 2 of 2"
    assert layer_and_target(attention()) == "stage 3, block 4, mean of 2 heads"
    assert key_numbers(attention(), 2) == "Peak weight 0.5 · normalized entropy 0.7 · mean distance 8 px"
    assert key_numbers(attention()) == "Peak weight 0.4 · normalized entropy 0.6 · mean distance 6 px"
    assert layer_and_target(kernel_set()) == "stage 2, block 1"
    assert key_numbers(kernel_set()) == "Relative distance to the static kernel: 0.3 (median over channels)"
    learned = dataclasses.replace(kernel_set(), gates=np.ones((1, 2, 7, 7), np.float32))  # of a variant without IDConv
    assert key_numbers(learned) == "Learned kernels, the same for every image"
    cam = explanation("grad_cam", [[1]], True, logit=3.14159, positive_share=0.5)
    assert layer_and_target(cam) == "stage 4, block 2, ladybug (class 36)"
    assert key_numbers(cam) == "Logit 3.14; positive values hold 50% of the absolute sum"
    assert (
        key_numbers(explanation("erf", [[1]], r50=0.291))
        == "50% of the gradient lies in 29.1% of the model input (r50)"
    )
    gradients = explanation("integrated_gradients", [[1]], True, sum=2.0, completeness_error=0.01)
    assert key_numbers(gradients) == "Sum 2; completeness error 1%"
    patches = explanation("occlusion", [[1]], True, logit=2.0, largest_drop=0.25)
    assert key_numbers(patches) == "Logit 2; largest drop 0.25"


def test_key_numbers_of_the_other_methods():
    against = explanation("contrast", [[1]], True, logit=6.0, contrast_logit=4.5, positive_share=0.91)
    assert key_numbers(against) == "Logits 6 and 4.5; 91% of the absolute sum favors the first class"
    stages = explanation("cam_stages", [[1]], logit=6.0, peak=0.65)
    assert key_numbers(stages) == "Logit 6; maximum 0.65 (1 = all stages peak at the same position)"
    smooth = explanation("smooth_grad", [[1]], True, noise=0.15, halves_correlation=0.86)
    assert key_numbers(smooth) == "Noise 15% of the range; correlation between halves of the samples 0.86"
    rollout = explanation("rollout", [[1]], from_uniform=0.042)
    assert key_numbers(rollout) == "4.2% of the map differs from a rollout with uniform attention"


def test_rollouts_of_one_unit_are_marked():
    assert marked_position(explanation("rollout", [[1]], x=16.0, y=0.0)) == (16, 0)
    assert marked_position(explanation("rollout", [[1]])) is None  # the mean over all units
    assert marked_position(explanation("contrast", [[1]], True)) is None


@pytest.mark.parametrize("name", sorted(set(MAP_STYLES) - {"attention", "kernels"}))
def test_drawing_does_not_change_raw_values(name):
    heatmap = np.float32([[-3, 0.5], [2, 7]])
    signed = MAP_STYLES[name].signed or name == "grad_cam"
    method = "erf" if name == "receptive_field" else name
    result = explanation(method, heatmap if signed else np.abs(heatmap), signed, x=0.0, y=0.0)
    before = result.heatmap.copy()
    pixels = draw_result(result, PHOTO, display_range([result]))
    assert np.array_equal(result.heatmap, before)
    assert (pixels != cv2.cvtColor(PHOTO, cv2.COLOR_RGB2GRAY)[..., None]).any()


@pytest.mark.parametrize(("name", "low"), [("contrast", -4), ("smooth_grad", -4), ("cam_stages", 0), ("rollout", 0)])
def test_only_signed_maps_diverge_about_zero(name, low):
    values = np.float32([[1, 2], [3, 4]]) * (-1 if low else 1)
    result = explanation(name, values, bool(low))
    scale = {"rollout": 4, "smooth_grad": 4 / 1000}.get(name, 1)  # four pixels: multiples of an even map, a density
    assert display_range([result]) == pytest.approx((low * scale, 4 * scale))
    assert displayed_values(result) == pytest.approx(values * scale)  # no ReLU


@pytest.mark.parametrize("side", [96, 128])
def test_maps_of_different_input_sizes_compare(side):
    """The same even map: as much a pixel as there are pixels fewer, and shown alike."""
    even = np.full((side, side), 1 / side**2)
    assert displayed_values(explanation("rollout", even)) == pytest.approx(np.ones((side, side)))  # times an even map
    for name in ("integrated_gradients", "smooth_grad"):  # 1 logit over the whole view
        assert displayed_values(explanation(name, even, True)) == pytest.approx(np.full((side, side), 0.001))
        assert "0.1% of the input" in MAP_STYLES[name].units
    assert MAP_STYLES["rollout"].units == "× uniform"


def test_every_result_has_a_style():
    assert map_style(attention()) is MAP_STYLES["attention"]
    assert map_style(kernel_set()) is MAP_STYLES["kernels"]
    assert map_style(explanation("erf", [[1]])) is MAP_STYLES["receptive_field"]
    assert map_style(explanation("occlusion", [[1]])) is MAP_STYLES["occlusion"]
