from __future__ import annotations

import numpy as np
import pytest

from transxnet.draw.colormaps import lut
from transxnet.draw.scale import (
    HIDDEN,
    MASKED,
    MISSING,
    NORMALIZED,
    Tone,
    above,
    alpha,
    color_position,
    colorbar,
    colorize,
    shared_range,
    strength,
)

NAN, INF = float("nan"), float("inf")


def test_shared_ranges_cover_every_map_and_zero():
    assert shared_range([np.array([0.1, 0.3]), np.array([0.2, 0.9])]) == (0.0, 0.9)
    assert shared_range([np.array([-0.2, 0.3])]) == (-0.2, 0.3)
    assert shared_range([np.array([-2.0, -1.0])]) == (-2.0, 0.0)


def test_signed_ranges_are_symmetric_about_zero():
    assert shared_range([np.array([-3.0, 1.0]), np.array([2.0])], signed=True) == (-3.0, 3.0)


def test_ranges_ignore_values_that_are_not_finite():
    assert shared_range([np.array([NAN, INF, 0.5]), np.array([NAN])]) == (0.0, 0.5)
    assert shared_range([np.array([NAN])]) == (0.0, 0.0)
    assert shared_range([]) == (0.0, 0.0)


def test_sequential_values_are_linear_and_clipped():
    values = np.array([-1.0, 2.0, 3.0, 4.0, 9.0])
    assert color_position(values, (2.0, 4.0)).tolist() == [0, 0, 0.5, 1, 1]
    assert strength(values, (2.0, 4.0)).tolist() == [0, 0, 0.5, 1, 1]


def test_signed_values_are_strong_at_both_ends():
    values = np.array([-4.0, -1.0, 0.0, 2.0, 5.0])
    assert color_position(values, (-4.0, 2.0), signed=True).tolist() == [0, 0.375, 0.5, 0.75, 1]
    assert strength(values, (-4.0, 2.0), signed=True).tolist() == [1, 0.25, 0, 0.5, 1]


def test_root_scales_spread_small_values():
    values = np.array([0.0, 1.0, 4.0, NAN])
    assert color_position(values, (0.0, 4.0), root=True)[:3].tolist() == [0, 0.5, 1]
    assert strength(values, (0.0, 4.0), root=True).tolist() == [0, 0.5, 1, 0]
    assert color_position(np.array([-1.0, 4.0]), (-4.0, 4.0), signed=True, root=True).tolist() == [0.25, 1]
    assert (colorize(values, (0.0, 4.0), root=True)[1] == lut("magma")[128]).all()


def test_opacity_is_a_power_of_strength():
    values = np.array([0.0, 1 / 16, 1.0, NAN])
    assert alpha(values, (0.0, 1.0), opacity=0.8).tolist() == pytest.approx([0, 0.8 / 8, 0.8, 0])  # (1/16)**0.75 = 1/8


def test_range_ends_have_the_colormap_ends():
    low, middle, high = colorize(np.array([0.0, 0.5, 1.0]), (0.0, 1.0), "viridis")
    assert (low == lut("viridis")[0]).all()
    assert (middle == lut("viridis")[128]).all()
    assert (high == lut("viridis")[255]).all()
    blue, red = colorize(np.array([-2.0, 2.0]), (-1.0, 2.0), "RdBu_r", signed=True)
    assert (blue == lut("RdBu_r")[0]).all()
    assert (red == lut("RdBu_r")[255]).all()


def test_values_that_are_not_finite_have_a_color():
    assert colorize(np.array([[NAN, INF], [-INF, 0]]), (0.0, 1.0))[..., 0].tolist()[0] == [MISSING[0], MISSING[0]]
    assert strength(np.array([NAN, INF, -INF]), (0.0, 1.0)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("signed", [False, True])
def test_all_zero_maps_draw_nothing(signed):
    zero = np.zeros((3, 3))
    assert strength(zero, shared_range([zero], signed), signed).max() == 0


def test_constant_maps_are_drawn_at_full_strength():
    constant = np.full(4, 0.02)
    assert strength(constant, shared_range([constant])).tolist() == [1, 1, 1, 1]


# ---- gamma, threshold, modes ------------------------------------------------------------------------------------


def test_gamma_keeps_ends_and_signs():
    values, signed = np.array([0.0, 1.0, 2.0, 4.0]), np.array([-4.0, -2.0, 0.0, 1.0])
    square, root = Tone(gamma=2), Tone(gamma=0.5)
    assert color_position(values, (0.0, 4.0), tone=square).tolist() == [0, 1 / 16, 1 / 4, 1]
    assert strength(values, (0.0, 4.0), tone=root).tolist() == pytest.approx([0, 0.5, 0.5**0.5, 1])
    assert color_position(signed, (-4.0, 4.0), signed=True, tone=square).tolist() == [0, 0.375, 0.5, 0.53125]
    assert color_position(values, (0.0, 4.0), root=True, tone=square).tolist() == pytest.approx([0, 0.25, 0.5, 1])


def test_gamma_of_one_half_is_the_root_scale():
    values = np.random.default_rng(5).normal(size=50)
    for signed in (False, True):
        half = colorize(values, (-2.0, 2.0), "RdBu_r", signed, tone=Tone(gamma=0.5))
        assert (half == colorize(values, (-2.0, 2.0), "RdBu_r", signed, root=True)).all()


def test_threshold_applies_before_root_and_gamma():
    values = np.array([0.0, 0.99, 1.0, 2.0, NAN])  # of 4: a quarter is 1.0
    for root, gamma in ((False, 1), (True, 1), (True, 3), (False, 0.3)):
        tone = Tone(gamma=gamma, threshold=0.25)
        assert above(values, (0.0, 4.0), tone=tone).tolist() == [False, False, True, True, False]
        visible = strength(values, (0.0, 4.0), root=root, tone=tone) > 0
        assert visible.tolist() == [False, False, True, True, False]
    colors = colorize(values, (0.0, 4.0), "viridis", tone=Tone(threshold=0.25))
    assert colors.tolist() == [[*HIDDEN], [*HIDDEN], [*lut("viridis")[64]], [*lut("viridis")[128]], [*MISSING]]
    assert alpha(values, (0.0, 4.0), 0.8, tone=Tone(threshold=0.25)).tolist()[:2] == [0, 0]


def test_signed_threshold_hides_both_sides_of_zero():
    values = np.array([-2.0, -0.9, 0.0, 0.9, 1.1])
    assert above(values, (-1.0, 2.0), signed=True, tone=Tone(threshold=0.5)).tolist() == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_default_tone_changes_nothing():
    values = np.random.default_rng(6).normal(size=100)
    for tone in (Tone(), Tone(mode=NORMALIZED), Tone(mode=MASKED)):  # modes are for ranges and overlays
        assert (colorize(values, (-1, 2), root=True, tone=tone) == colorize(values, (-1, 2), root=True)).all()
    assert Tone().description == ""
    description = Tone(0.5, 0.2, NORMALIZED).description
    assert description == (
        "Gamma 0.5. Values below 20% of the scale's maximum are hidden. Each map has its own scale: do not compare "
        "brightness."
    )


@pytest.mark.parametrize("wrong", [{"gamma": 0}, {"gamma": -1}, {"threshold": 1}, {"threshold": -0.1}, {"mode": "x"}])
def test_invalid_tones_are_refused(wrong):
    with pytest.raises(ValueError, match="are required"):
        Tone(**wrong)


def test_color_bars_cover_the_whole_color_map():
    bar = colorbar((0.0, 0.3), "magma", size=(4, 256))
    assert bar.shape == (4, 256, 3)
    assert (bar == lut("magma")[None]).all()


def test_signed_color_bars_show_their_range():
    bar = colorbar((-1.0, 3.0), "RdBu_r", signed=True, size=(1, 5))[0, ::2]  # -1, 1 and 3 of -3 to 3
    assert (bar == lut("RdBu_r")[[85, 170, 255]]).all()


def test_color_bars_are_linear_in_the_values():
    bar = colorbar((0.0, 4.0), "viridis", size=(1, 5), root=True)[0]  # values 0 1 2 3 4
    assert (bar[[0, 1, 4]] == lut("viridis")[[0, 128, 255]]).all()


def test_a_single_value_still_has_a_color_bar():
    assert (colorbar((0.0, 0.0), "magma", size=(1, 256)) == lut("magma")[None]).all()
