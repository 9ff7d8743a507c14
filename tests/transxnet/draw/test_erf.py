"""Plates of receptive fields: one scale, the words and numbers beside it, and what is raw behind them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from transxnet.draw.canvas import DPI, MARGIN, Canvas
from transxnet.draw.colormaps import lut
from transxnet.draw.erf import DECADES, _pathway_caption, erf_curves_figure, erf_pathways_figure, erf_protocol_figure
from transxnet.results import Explanation, Geometry
from transxnet.results.erf import SHARES, ContainmentCurve, ErfCurves, ErfPathways, ErfProtocol

VIEW = Geometry((64, 64), 1, (64, 64), (0, 0, 64, 64), (64, 64))
TITLES = {"full": "Full", "kernels": "Kernels held", "all": "All held"}
PHOTO = np.full((64, 64, 3), 200, np.uint8)
DARK, BRIGHT = lut("viridis")[0], lut("viridis")[255]


def field(value: float) -> Explanation:
    """A map of this value in its upper half and a hundred-millionth of it below."""
    heatmap = np.full((64, 64), value, np.float32)
    heatmap[32:] *= 1e-8
    numbers = {"x": 32.0, "y": 16.0, "row": 4.0, "column": 8.0, "total": float(heatmap.sum())}
    return Explanation("erf", "pico", "stage 1, block 2", "unit at row 4, column 8", heatmap, False, "u", VIEW, numbers)


def parts(scale: float = 1.0, missing: bool = False) -> ErfPathways:
    maps = {"full": field(scale), "kernels": field(0.5 * scale), "all": field(0.25 * scale)}
    ratios = {"full": 1.0, "kernels": 0.5, "all": 0.25}
    numbers = {f"{name}/{key}": value for name, ratio in ratios.items() for key, value in
               (("ratio", ratio), ("r50", 0.2), ("r99", 0.5), ("rank", 0.9), ("overlap", 0.8))}  # fmt: skip
    if missing:
        del maps["kernels"]
        return ErfPathways("pico", maps, TITLES, {"kernels": "Nothing to hold: no kernels."}, numbers)
    return ErfPathways("pico", maps, TITLES, {}, numbers)


def curve(kind: str, areas=(0.1, 0.2, 0.3, 0.9)) -> ContainmentCurve:
    return ContainmentCurve(kind, np.array(SHARES), np.array(areas), (32.0, 32.0))


def protocol(heatmap: np.ndarray, **changes) -> ErfProtocol:
    result = ErfProtocol(
        "transxnet_pico", "stage 4, block 2", (1, 1), (32.0, 32.0), heatmap, ("n1/a.jpg", "n1/b.jpg"), (),
        curve("published"), curve("raw", (0.05, 0.1, 0.2, 0.8)), "Not the published setting: 2 images.",
    )  # fmt: skip
    return replace(result, **changes)


def has(image: np.ndarray, color: np.ndarray) -> np.ndarray:
    return (image == color).all(axis=-1)


# --- Parts ------------------------------------------------------------------------------------------


def test_pathways_share_one_scale():
    """The full map's upper half is the highest value, and only there is the brightest color."""
    figure = erf_pathways_figure([parts()], ["pico"], [PHOTO])
    bright = has(figure.image, BRIGHT)
    cell = Canvas().panel_pixels(3)
    assert 0.4 * cell**2 < bright.sum() < 0.6 * cell**2  # half of one panel; the others are fainter
    assert 1.3 * cell**2 < has(figure.image, DARK).sum() < 1.7 * cell**2  # the lower half of all three


def test_models_are_drawn_in_multiples_of_their_mean():
    """A thousand times the features: the same image, row for row; raw values stay raw."""
    equal = erf_pathways_figure([parts(), parts()], ["a", "b"], [PHOTO] * 2)
    scaled = erf_pathways_figure([parts(), parts(1000.0)], ["a", "b"], [PHOTO] * 2)
    assert np.abs(equal.image.astype(int) - scaled.image).max() <= 2  # float32 at the 256 colors' borders
    assert scaled.arrays["b/full"].max() == 1000
    assert (scaled.numbers["a/all/ratio"], scaled.numbers["b/kernels/ratio"]) == (0.25, 0.5)


def test_ratios_above_one_are_ratios():
    """Detaching a part can enlarge the map: no share of the total; areas are of the model input."""
    result = parts()
    result = replace(result, numbers=result.numbers | {"kernels/ratio": 1.34, "all/ratio": 1.5})
    figure = erf_pathways_figure([result], ["pico"], [PHOTO])
    (row,) = [row for row in figure.table.rows if row[1] == "Kernels held"]
    assert row[2] == "1.34"
    assert figure.table.head[2:5] == ("Total ÷ full total", "50% within, of the input", "99% within, of the input")
    assert "the total is 1.5 × that of the full map" in figure.caption
    lines = _pathway_caption(result, "kernels")
    assert lines[0] == "total 1.34 × that of the full map"
    assert lines[1].endswith("of the input")
    assert "%" not in lines[0]


def test_missing_pathways_give_a_reason():
    figure = erf_pathways_figure([parts(missing=True)], ["pico"], [PHOTO])
    (row,) = [row for row in figure.table.rows if row[1] == "Kernels held"]
    assert row[2] == "Nothing to hold: no kernels."
    assert "pico/kernels" not in figure.arrays
    assert "kernels held" not in figure.alt
    assert "the total is 0.25 × that of the full map" in figure.caption
    assert f"{DECADES} powers of ten" in figure.caption


@pytest.mark.parametrize(
    ("rank", "layer", "ending"), [(0.979, 3, ""), (0.981, 3, "; try stage 1."), (0.99, 1, "here.")]
)
def test_caption_reports_maps_that_rank_alike(rank, layer, ending):
    result = parts()
    numbers = {key: rank if key.endswith("/rank") else value for key, value in result.numbers.items()}
    maps = result.maps | {"full": replace(result.full, layer=f"stage {layer}, block 2")}
    caption = erf_pathways_figure([replace(result, maps=maps, numbers=numbers)], ["pico"], [PHOTO]).caption
    assert ("modulation has little effect" in caption) == bool(ending)
    assert caption.endswith(ending)


def test_empty_fields_are_drawn():
    empty = replace(field(0.0), numbers=field(0.0).numbers | {"total": 0.0})
    result = ErfPathways("pico", {"full": empty}, {"full": "Full"}, {}, {"full/ratio": np.nan, "full/r50": np.nan})
    assert erf_pathways_figure([result], ["pico"], [PHOTO]).image.shape[1] == 1248


# --- Curves -----------------------------------------------------------------------------------------


def test_curves_report_both_r():
    figure_of_one = ErfCurves(
        "pico", "stage 4, block 2, one image", curve("published"), curve("raw", (0.05, 0.1, 0.2, np.nan))
    )
    figure = erf_curves_figure([figure_of_one, figure_of_one], ["pico", "t@untrained"])
    assert figure.table.rows[1][0] == "t@untrained"
    assert figure.table.rows[0][1:3] == ("10%", "5%")
    assert figure.table.rows[0][-1] == "none"
    assert figure.numbers["t@untrained/published/r50"] == 0.3
    assert figure.arrays["pico/raw"].tolist()[0] == list(SHARES)
    assert "pico: 20% (published formula 30%)" in figure.caption
    assert "at the model's own input size; the published protocol averages" in figure.caption  # not what papers report
    assert figure.table.head[1:3] == ("published formula r(20%)", "raw map r(20%)")


def test_tiny_areas_are_not_given_three_digits():
    tiny = ErfCurves("pico", "w", curve("published", (9.54e-5, 0, 0.3, 0.9)), curve("raw", (6e-4, 0.1, 0.2, 0.9)))
    assert erf_curves_figure([tiny], ["pico"]).table.rows[0][1:4] == ("< 0.05%", "0.06%", "0%")


# --- Protocol ---------------------------------------------------------------------------------------


def test_protocol_shows_a_and_raw_average():
    heatmap = np.zeros((64, 64))
    heatmap[:32] = 1e6  # A is 1 above and 0 below; so is the logarithm of the raw average
    figure_of_one = erf_protocol_figure([protocol(heatmap)], ["pico"])
    cell = Canvas().panel_pixels(2)
    assert 0.9 * cell**2 < has(figure_of_one.image, BRIGHT).sum() < 1.1 * cell**2  # half of each of two panels
    assert figure_of_one.numbers["pico/published/r20"] == 0.1
    assert np.array_equal(figure_of_one.arrays["pico/heatmap"], heatmap)
    assert figure_of_one.table.rows[0] == ("pico", "10%", "5%", "20%", "10%", "30%", "20%", "90%", "80%")


def test_protocol_reports_images_units_and_progress():
    result = protocol(np.ones((64, 64)), published_curve=curve("published", (0.1, 0.2, 0.3, np.nan)))
    figure = erf_protocol_figure([result, result, result], ["a", "b", "c"], "2 of 50 images so far")
    assert figure.caption.startswith("2 of 50 images so far. 2 images from n1, each resized to 64 × 64 px. Not")
    assert figure.caption.count("Not the published setting") == 1  # said once for all
    assert figure.caption.count("Unit: stage 4, row 1, column 1.") == 1
    other = replace(result, layer="stage 4 (layer4)", unit=(2, 2))
    mixed = erf_protocol_figure([result, other, result], ["a", "timm:b", "c"]).caption
    assert "a, c: Unit: stage 4, row 1, column 1. timm:b: Unit: stage 4, row 2, col" in mixed
    assert "a: no square of the protocol holds more than 99% of A." in figure.caption
    finished = erf_protocol_figure([result, result, result], ["a", "b", "c"])
    assert finished.image.shape[0] < figure.image.shape[0]  # the state is a line of the image


@pytest.mark.parametrize("count", [1, 2, 4, 5])
def test_protocol_figures_have_one_width(count):
    figure = erf_protocol_figure([protocol(np.ones((64, 64)))] * count, list("abcde")[:count])
    assert figure.image.shape[1] == 1248
    assert (figure.image[: round(MARGIN * DPI)] == 255).all()
    assert (figure.image[:, -round(MARGIN * DPI) :] == 255).all()
