"""Plates of the trust tests: the numbers they carry, and what is where in the images."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes

from transxnet.draw.colormaps import lut
from transxnet.draw.sanity_checks import (
    LABELS,
    PAIR_WIDTH,
    PAIRS,
    ROW_HEIGHT,
    _correlation,
    agreement_figure,
    axis_end,
    faithfulness_figure,
    highest_probability,
    map_title,
    pairs_in_a_row,
    randomization_figure,
    sanity_check_table,
    spread,
    steps_drawn,
)
from transxnet.draw.text import width
from transxnet.results import Explanation, Geometry
from transxnet.results.sanity_checks import Agreement, Faithfulness, Randomization, SanityCheck, SanityChecks

STEPS = ("head", "stage 1", "stem")
SHARES = np.array([0.0, 0.5, 1.0])
# areas 0.4 and 0.3: t = 6.314, s = 0.1 / sqrt(2), t s sqrt(1.5); of insertion half of it
CHANCE, HALF = "0.350 ± 0.547", "0.175 ± 0.273"


def explanation(method: str) -> Explanation:
    geometry = Geometry((2, 2), 8, (16, 16), (0, 0, 16, 16), (16, 16))
    return Explanation(method, "tiny", "stage 4", "class 3", np.float32([[0, 1], [2, 4]]), False, "logit", geometry)


def faithful(deletion: float) -> Faithfulness:
    falling, chance = np.array([0.8, deletion, 0]), np.array([[0.8, 0.4, 0], [0.8, 0.2, 0]])
    return Faithfulness("tiny", 3, "gray", SHARES, falling, falling[::-1], chance, chance[:, ::-1] / 2)


def randomized(*signed: float) -> Randomization:
    r = np.array(signed)
    steps = STEPS if len(signed) > 1 else ("everything",)
    complete = np.array([r[-1], 0.05])  # a second copy
    chance = np.full(2, 0.1)
    return Randomization("tiny", steps, r, r, np.ones((len(r), 2, 2), np.float32), complete, complete, chance, chance)


def report(**change: object) -> SanityChecks:
    maps = {"grad_cam": explanation("grad_cam"), "occlusion": explanation("occlusion")}
    values = {
        "model": "tiny", "class_index": 3, "target": "bee (class 3)", "maps": maps,
        "faithfulness": {"grad_cam": faithful(0.1), "occlusion": faithful(0.5)},
        "randomization": {"grad_cam": randomized(0.9, 0.5, -0.25), "occlusion": randomized(0.75)},
        "agreement": Agreement(
            ("grad_cam", "occlusion"), np.array([[1, -1.0], [-1.0, 1]]), np.array([[1, 0.5], [0.5, 1]]), 0.1,
            np.zeros((2, 16, 16)), (0, 0, 16, 16),
        ),
        "checks": {
            "grad_cam": SanityCheck("passes", "passes", ("Follows.", "Removes.", "Shows."), (), 0.0123),
            "occlusion": SanityCheck(
                "inconclusive", "inconclusive", ("It asks about one unit.", "In part."), ("It asks about one unit.",)
            ),
        },
        "missing": {"attention": "This variant has no OSRA."},
    }  # fmt: skip
    return SanityChecks(**(values | change))


@pytest.mark.parametrize("figure", [faithfulness_figure, randomization_figure, agreement_figure])
def test_figures_are_1200_pixels_wide(figure):
    single_report, two = figure([report()], ["tiny"]), figure([report()] * 3, ["a", "b", "c"])
    assert single_report.image.shape[1] == two.image.shape[1] == 1200
    assert single_report.image.dtype == np.uint8
    assert two.image.shape[0] > single_report.image.shape[0]
    assert (single_report.image[:, :4] == 255).all()  # nothing runs over the edges
    assert (two.image[:, -4:] == 255).all()
    assert single_report.caption
    assert single_report.alt
    assert single_report.limits


def test_areas_are_raw_in_numbers_and_alt():
    figure = faithfulness_figure([report()], ["tiny"])
    # trapezium: (0.8 + 0.1) / 4 + 0.1 / 4, and with 0.5 in the middle; chance with 0.4 and 0.2
    assert figure.numbers["tiny/grad_cam/deletion_auc"] == pytest.approx(0.25)
    assert figure.numbers["tiny/occlusion/deletion_auc"] == pytest.approx(0.45)
    assert figure.numbers["tiny/grad_cam/chance_auc"] == pytest.approx((0.4 + 0.3) / 2)
    assert figure.arrays["tiny/grad_cam/deletion"].tolist() == [0.8, 0.1, 0]
    assert "Grad-CAM deletion 0.250, insertion 0.250" in figure.alt
    assert "turn gray" in figure.caption
    assert "mean of 2 copies of the map shifted elsewhere" in figure.caption
    assert figure.numbers["tiny/grad_cam/chance_insertion_auc"] == pytest.approx((0.4 + 0.3) / 2 / 2)


def test_each_model_has_its_own_probability_axis():
    high, low = report(), report(faithfulness={name: replace_curves(0.04) for name in report().maps})
    two, swapped = faithfulness_figure([high, low], ["a", "b"]), faithfulness_figure([low, high], ["b", "a"])
    assert "of one model share one scale" in two.caption
    assert (highest_probability(high), highest_probability(low)) == (0.8, 0.05)
    assert two.image.shape == swapped.image.shape


def replace_curves(top: float) -> Faithfulness:
    curve, chance = np.array([top, 0, 0]), np.full((2, 3), top)
    return Faithfulness("tiny", 3, "gray", SHARES, curve, curve[::-1], chance, chance)


def test_correlations_are_raw_in_numbers_and_alt():
    figure = randomization_figure([report()], ["tiny"])
    assert figure.numbers == pytest.approx(
        {"tiny/grad_cam/correlation": -0.1, "tiny/occlusion/correlation": 0.4}
    )  # means of two
    assert figure.arrays["tiny/grad_cam/signed"].tolist() == [0.9, 0.5, -0.25]
    assert figure.arrays["tiny/occlusion/heatmaps"].shape == (1, 2, 2)
    assert "Grad-CAM -0.10; Occlusion 0.40" in figure.alt
    assert "-0.10" in sanity_check_table([report()], ["tiny"]).table.rows[0]


def test_plot_alt_and_table_show_the_same_number(monkeypatch):
    """Of absolute values, where more is left of them: the plot's dot, its words, the alt text and the table."""
    texts, dots = [], []
    monkeypatch.setattr(Axes, "text", lambda self, x, y, text, **how: texts.append(text))
    plot = Axes.plot
    monkeypatch.setattr(Axes, "plot", lambda self, *at, **how: dots.append(at) or plot(self, *at, **how))
    both = np.array([0.63, -0.6]), np.array([0.4, 0.24])
    chance = np.full(2, 0.1)
    maps = np.ones((3, 2, 2), np.float32)
    randomization = Randomization("tiny", STEPS, np.zeros(3), np.full(3, 0.1), maps, *both, chance, chance)
    single_report = report(randomization={"grad_cam": randomization, "occlusion": randomized(0.75)})
    figure = randomization_figure([single_report], ["tiny"])
    assert "Grad-CAM 0.32 abs" in texts
    assert (4, pytest.approx(0.32), "o") in dots
    assert ((4, 4), (pytest.approx(0.24), pytest.approx(0.4))) in dots
    assert figure.numbers["tiny/grad_cam/correlation"] == pytest.approx(0.32)
    assert "Grad-CAM 0.32;" in figure.alt
    assert sanity_check_table([single_report], ["tiny"]).table.rows[0][3] == "0.32"


def test_strips_show_the_maps():
    image = randomization_figure([report()], ["tiny"]).image
    small, large = (0.44 * 160) ** 2, (0.6 * 160) ** 2  # along the cascade, and of one random copy
    # a quarter of each original is its highest value; an even map, all of it, is of the middle color and not the top's
    top, middle = ((image == lut("inferno")[i]).all(axis=2).sum() for i in (255, 128))
    assert top == pytest.approx((small + large) / 4, rel=0.05)
    # so is an even map: three steps of one method, one of the other, and again a quarter of each original
    assert middle == pytest.approx(3 * small + large + (small + large) / 4, rel=0.05)


def test_missing_maps_leave_their_place_empty():
    """Two variants stand side by side, a map in a row; the second has no Grad-CAM, and the first has no other."""
    without = report()
    occlusion_only = {"occlusion": without.maps["occlusion"]}
    other = report(maps=occlusion_only, randomization={"occlusion": without.randomization["occlusion"]})
    image = randomization_figure([report(), other], ["a", "b"]).image
    both = randomization_figure([report(), report()], ["a", "b"]).image
    assert image.shape == both.shape
    y = slice(round(160 * 4.9), round(160 * 5.4))  # the row of Grad-CAM
    assert (image[y, 600:] == 255).all()
    assert (both[y, 600:] != 255).any()


def test_matrix_has_correlation_above_and_overlap_below():
    figure = agreement_figure([report()], ["tiny"])
    assert figure.numbers == {
        "tiny/grad_cam/occlusion/correlation": -1.0, "tiny/grad_cam/occlusion/overlap": 0.5
    }  # fmt: skip
    top, wide, tall = figure.image.shape[0] - round(160 * (2 * ROW_HEIGHT + 0.1)), 0.6 * 160, ROW_HEIGHT * 160
    at = [(round(top + row * tall + 5), round(160 * LABELS + column * wide + 8)) for row, column in ((0, 1), (1, 0))]
    blue, red = (figure.image[y, x].astype(int) for y, x in at)
    assert blue[2] > blue[0] + 40  # -1 is cold
    assert red[0] > red[2] + 40  # 0.5 is warm
    assert "10% of pixels" in figure.caption
    assert "0.05" in figure.caption


def test_table_lists_outcomes_and_missing_maps():
    figure = sanity_check_table([report()], ["tiny"])
    assert figure.image is None
    assert figure.table.rows == [
        ("Grad-CAM", "passes", "passes", "-0.10", "0.250", CHANCE, "0.250", HALF, "0.012", ""),
        (
            "Occlusion",
            "inconclusive",
            "inconclusive",
            "0.40",
            "0.450",
            CHANCE,
            "0.450",
            HALF,
            "–",
            "It asks about one unit.",
        ),
        ("Attention", *["–"] * 8, "This variant has no OSRA."),
    ]
    assert "bee (class 3)" in figure.caption
    assert figure.table.head[1:3] == ("Model", "Prediction")
    blank = report(checks={name: SanityCheck("uniform", "uniform", ("Even: nothing.",)) for name in report().maps})
    rows = sanity_check_table([report(), blank], ["a", "b"]).table.rows
    assert ("b · Grad-CAM", "uniform", "uniform", *["–"] * 6, "Even: nothing.") in rows
    assert rows[0][:3] == ("a · Grad-CAM", "passes", "passes")


def test_axes_ticks_and_labels_are_placed():
    assert [axis_end(v) for v in (0.05, 0.051, 0.11, 0.21, 0.5, 0.51, 0.81)] == [0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 1]
    assert [_correlation(v) for v in (-0.001, 0.456, float("nan"))] == ["0.00", "0.46", "uniform"]
    assert steps_drawn(3) == [0, 1, 2, 3]
    assert steps_drawn(14) == [0, 2, 5, 7, 9, 12, 14]
    assert spread([0.5, 0.5, -1], 0.2) == pytest.approx([-1, 0.5, 0.7])
    assert spread([1.0, 1.0], 0.2)[-1] <= 1.05 + 1e-9


def test_titles_of_single_copies_have_room():
    single_report = report()
    names = ["pico@untrained", "timm:swin_tiny_patch4_window7_224@untrained"]
    assert pairs_in_a_row([("pico", "occlusion", single_report)], ["pico"]) == pairs_in_a_row([], ["pico"]) == PAIRS
    few = [(name, "integrated_gradients", single_report) for name in names]
    columns = pairs_in_a_row(few, names)
    assert columns < PAIRS
    room = PAIRS * PAIR_WIDTH / columns * 72
    assert all(width(map_title(method, name, names), 8, bold=True) < room for name, method, _ in few)
