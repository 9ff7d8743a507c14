"""Plates of receptive fields: one scale, the words and numbers beside it, and what is raw behind them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from transxnet.draw.colormaps import lut
from transxnet.draw.erf import DECADES, curves_figure, parts_figure, protocol_figure
from transxnet.draw.panels import MARGIN, Panels, fit
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
    shares = {"full": 1.0, "kernels": 0.5, "all": 0.25}
    numbers = {f"{name}/{key}": value for name, share in shares.items() for key, value in
               (("share", share), ("r50", 0.2), ("r99", 0.5), ("rank", 0.9), ("overlap", 0.8))}  # fmt: skip
    if missing:
        del maps["kernels"]
        return ErfPathways("pico", maps, TITLES, {"kernels": "Nothing to hold: no kernels."}, numbers)
    return ErfPathways("pico", maps, TITLES, {}, numbers)


def curve(kind: str, areas=(0.1, 0.2, 0.3, 0.9)) -> ContainmentCurve:
    return ContainmentCurve(kind, np.array(SHARES), np.array(areas), (32.0, 32.0))


def protocol(heatmap: np.ndarray, **changes) -> ErfProtocol:
    found = ErfProtocol(
        "transxnet_pico", "stage 4, block 2", (1, 1), (32.0, 32.0), heatmap, ("n1/a.jpg", "n1/b.jpg"), (),
        curve("published"), curve("raw", (0.05, 0.1, 0.2, 0.8)), "Not the published setting: 2 images.",
    )  # fmt: skip
    return replace(found, **changes)


def has(image: np.ndarray, color: np.ndarray) -> np.ndarray:
    return (image == color).all(axis=-1)


# --- Parts ------------------------------------------------------------------------------------------


def test_parts_are_on_one_scale():
    """The full map's upper half is the highest value, and only there is the brightest color."""
    study_figure = parts_figure([parts()], ["pico"], [PHOTO])
    bright = has(study_figure.image, BRIGHT)
    cell = Panels(3).pixels
    assert 0.4 * cell**2 < bright.sum() < 0.6 * cell**2  # half of one panel; the others are fainter
    assert 1.3 * cell**2 < has(study_figure.image, DARK).sum() < 1.7 * cell**2  # the lower half of all three


def test_variants_compare_by_their_own_mean():
    """A thousand times the features: the same image, row for row; raw values stay raw."""
    alone = parts_figure([parts(), parts()], ["a", "b"], [PHOTO] * 2)
    louder = parts_figure([parts(), parts(1000.0)], ["a", "b"], [PHOTO] * 2)
    assert np.abs(alone.image.astype(int) - louder.image).max() <= 2  # float32 at the 256 colors' borders
    assert louder.arrays["b/full"].max() == 1000
    assert (louder.numbers["a/all/share"], louder.numbers["b/kernels/share"]) == (0.25, 0.5)


def test_a_part_that_is_missing_says_so():
    study_figure = parts_figure([parts(missing=True)], ["pico"], [PHOTO])
    (row,) = [row for row in study_figure.table.rows if row[1] == "Kernels held"]
    assert row[2] == "Nothing to hold: no kernels."
    assert "pico/kernels" not in study_figure.arrays
    assert "kernels held" not in study_figure.alt
    assert "25 % of the full map's total" in study_figure.caption
    assert f"{DECADES} powers of ten" in study_figure.caption


@pytest.mark.parametrize(("rank", "layer", "said"), [(0.979, 3, ""), (0.981, 3, "; try stage 1."), (0.99, 1, "all.")])
def test_maps_that_are_all_alike_are_said_to_be(rank, layer, said):
    found = parts()
    numbers = {key: rank if key.endswith("/rank") else value for key, value in found.numbers.items()}
    maps = found.maps | {"full": replace(found.full, layer=f"stage {layer}, block 2")}
    caption = parts_figure([replace(found, maps=maps, numbers=numbers)], ["pico"], [PHOTO]).caption
    assert ("hardly anything modulates" in caption) == bool(said)
    assert caption.endswith(said)


def test_an_empty_field_draws_nothing():
    empty = replace(field(0.0), numbers=field(0.0).numbers | {"total": 0.0})
    found = ErfPathways("pico", {"full": empty}, {"full": "Full"}, {}, {"full/share": np.nan, "full/r50": np.nan})
    assert parts_figure([found], ["pico"], [PHOTO]).image.shape[1] == 1248


# --- Curves -----------------------------------------------------------------------------------------


def test_curves_say_both_r():
    one = ErfCurves("pico", "stage 4, block 2, one image", curve("published"), curve("raw", (0.05, 0.1, 0.2, np.nan)))
    study_figure = curves_figure([one, one], ["pico", "t@untrained"])
    assert study_figure.table.rows[1][0] == "t@untrained"
    assert study_figure.table.rows[0][1:3] == ("10 %", "5 %")
    assert study_figure.table.rows[0][-1] == "none found"
    assert study_figure.numbers["t@untrained/published/r50"] == 0.3
    assert study_figure.arrays["pico/raw"].tolist()[0] == list(SHARES)
    assert "pico: 20 % (published formula 30 %)" in study_figure.caption
    assert "at the model's own size; the published protocol averages" in study_figure.caption  # not what papers report
    assert study_figure.table.head[1:3] == ("published formula r(20 %)", "raw map r(20 %)")


def test_what_is_smaller_than_a_pixel_or_two_is_not_told_to_three_digits():
    tiny = ErfCurves("pico", "w", curve("published", (9.54e-5, 0, 0.3, 0.9)), curve("raw", (6e-4, 0.1, 0.2, 0.9)))
    assert curves_figure([tiny], ["pico"]).table.rows[0][1:4] == ("< 0.05 %", "0.06 %", "0 %")


# --- Protocol ---------------------------------------------------------------------------------------


def test_protocol_shows_a_and_the_raw_average():
    heatmap = np.zeros((64, 64))
    heatmap[:32] = 1e6  # A is 1 above and 0 below; so is the logarithm of the raw average
    one = protocol_figure([protocol(heatmap)], ["pico"])
    cell = Panels(2).pixels
    assert 0.9 * cell**2 < has(one.image, BRIGHT).sum() < 1.1 * cell**2  # half of each of two panels
    assert one.numbers["pico/published/r20"] == 0.1
    assert np.array_equal(one.arrays["pico/heat"], heatmap)
    assert one.table.rows[0] == ("pico", "10 %", "5 %", "20 %", "10 %", "30 %", "20 %", "90 %", "80 %")


def test_protocol_says_which_images_and_that_it_is_not_done():
    found = protocol(np.ones((64, 64)), published_curve=curve("published", (0.1, 0.2, 0.3, np.nan)))
    study_figure = protocol_figure([found, found, found], ["a", "b", "c"], "2 of 50 images so far")
    assert study_figure.caption.startswith("2 of 50 images so far. 2 images from n1, each warped to 64 x 64 px. Not")
    assert study_figure.caption.count("Not the published setting") == 1  # said once for all
    assert study_figure.caption.count("Seen from stage 4, unit at row 1, column 1.") == 1
    other = replace(found, layer="stage 4 (layer4)", unit=(2, 2))
    mixed = protocol_figure([found, other, found], ["a", "timm:b", "c"]).caption
    assert "a, c: Seen from stage 4, unit at row 1, column 1. timm:b: Seen from stage 4, unit at row 2, col" in mixed
    assert "a: no square of the protocol holds more than 99 % of A." in study_figure.caption
    done = protocol_figure([found, found, found], ["a", "b", "c"])
    assert done.image.shape[0] < study_figure.image.shape[0]  # the state is a line of the image


@pytest.mark.parametrize("count", [1, 2, 4, 5])
def test_protocol_of_several_models_has_one_width(count):
    study_figure = protocol_figure([protocol(np.ones((64, 64)))] * count, list("abcde")[:count])
    assert study_figure.image.shape[1] == 1248
    assert (study_figure.image[:MARGIN] == 255).all()
    assert (study_figure.image[:, -MARGIN:] == 255).all()


# --- Panels -----------------------------------------------------------------------------------------


def test_fit_averages_what_it_shrinks_and_repeats_what_it_enlarges():
    values = np.arange(16, dtype=float).reshape(4, 4)
    assert fit(values, 2).tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert fit(values, 8).tolist() == values.repeat(2, axis=0).repeat(2, axis=1).tolist()
    assert fit(PHOTO, 10).dtype == np.uint8


def test_long_names_stand_on_two_lines_and_are_not_cut():
    sheet = Panels(5)
    sheet.panel("timm:swin_tiny_patch4_window7_224", PHOTO, (64, 64))
    said = [text.get_text() for text in sheet._figure.texts]
    assert "".join(said) == "timm:swin_tiny_patch4_window7_224"
    assert len(said) == 2


def test_panels_grow_by_rows():
    def height(panels: int) -> int:
        sheet = Panels(3)
        for _ in range(panels):
            sheet.panel("a", PHOTO, (64, 64))
        return sheet.image().shape[0]

    assert height(1) == height(3)
    assert height(4) - height(3) == pytest.approx(height(7) - height(4), abs=1)
    assert height(4) - height(3) > Panels(3).pixels
