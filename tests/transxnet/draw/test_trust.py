"""Plates of the trust tests: the numbers they carry, and what is where in the pictures."""

from __future__ import annotations

import numpy as np
import pytest

from transxnet.draw.colormaps import lut
from transxnet.draw.trust import agreement_plate, faithfulness_plate, randomisation_plate, verdict_table
from transxnet.draw.trust_parts import _apart, _shown, _two, ceiling
from transxnet.results import Explanation, Geometry
from transxnet.results.trust import Agreement, Faithfulness, Randomisation, TrustReport, Verdict

STEPS = ("head", "stage 1", "stem")
SHARES = np.array([0.0, 0.5, 1.0])


def explanation(method: str) -> Explanation:
    geometry = Geometry((2, 2), 8, (16, 16), (0, 0, 16, 16), (16, 16))
    return Explanation(method, "tiny", "stage 4", "class 3", np.float32([[0, 1], [2, 4]]), False, "logit", geometry)


def faithful(deletion: float) -> Faithfulness:
    falling, chance = np.array([0.8, deletion, 0]), np.array([[0.8, 0.4, 0], [0.8, 0.2, 0]])
    return Faithfulness("tiny", 3, "grey", SHARES, falling, falling[::-1], chance)


def randomised(*signed: float) -> Randomisation:
    r = np.array(signed)
    steps = STEPS if len(signed) > 1 else ("everything",)
    return Randomisation("tiny", steps, r, abs(r), np.ones((len(r), 2, 2), np.float32), r[-1:], abs(r[-1:]))


def report(**change: object) -> TrustReport:
    maps = {"grad_cam": explanation("grad_cam"), "occlusion": explanation("occlusion")}
    values = {
        "variant": "tiny", "class_index": 3, "target": "bee (class 3)", "maps": maps,
        "faithfulness": {"grad_cam": faithful(0.1), "occlusion": faithful(0.5)},
        "randomisation": {"grad_cam": randomised(0.9, 0.5, -0.25), "occlusion": randomised(0.75)},
        "agreement": Agreement(
            ("grad_cam", "occlusion"), np.array([[1, -1.0], [-1.0, 1]]), np.array([[1, 0.5], [0.5, 1]]), 0.1,
            np.zeros((2, 16, 16)), (0, 0, 16, 16),
        ),
        "verdicts": {
            "grad_cam": Verdict("follows", "better", ("Follows.", "Removes.", "Shows.")),
            "occlusion": Verdict("partly", "chance", ("It asks about one unit.", "In part.", "Removes.", "Shows.")),
        },
        "missing": {"attention": "This variant has no OSRA."},
    }  # fmt: skip
    return TrustReport(**(values | change))


@pytest.mark.parametrize("plate", [faithfulness_plate, randomisation_plate, agreement_plate])
def test_pictures_are_1200_pixels_wide_and_grow_with_what_they_hold(plate):
    one, two = plate([report()], ["tiny"]), plate([report()] * 3, ["a", "b", "c"])
    assert one.picture.shape[1] == two.picture.shape[1] == 1200
    assert one.picture.dtype == np.uint8
    assert two.picture.shape[0] > one.picture.shape[0]
    assert (one.picture[:, :4] == 255).all()  # nothing runs over the edges
    assert (two.picture[:, -4:] == 255).all()
    assert one.caption
    assert one.alt
    assert one.limits


def test_areas_are_carried_raw_and_said():
    plate = faithfulness_plate([report()], ["tiny"])
    # trapezium: (0.8 + 0.1) / 4 + 0.1 / 4, and with 0.5 in the middle; chance with 0.4 and 0.2
    assert plate.numbers["tiny/grad_cam/deletion_auc"] == pytest.approx(0.25)
    assert plate.numbers["tiny/occlusion/deletion_auc"] == pytest.approx(0.45)
    assert plate.numbers["tiny/grad_cam/chance_auc"] == pytest.approx((0.4 + 0.3) / 2)
    assert plate.arrays["tiny/grad_cam/deletion"].tolist() == [0.8, 0.1, 0]
    assert "Grad-CAM deletion 0.250, insertion 0.250" in plate.alt
    assert "turn grey" in plate.caption
    assert "mean of 2 random maps" in plate.caption


def test_what_is_left_is_carried_and_said():
    plate = randomisation_plate([report()], ["tiny"])
    assert plate.numbers == {"tiny/grad_cam/left": 0.25, "tiny/occlusion/left": 0.75}
    assert plate.arrays["tiny/grad_cam/signed"].tolist() == [0.9, 0.5, -0.25]
    assert plate.arrays["tiny/occlusion/heats"].shape == (1, 2, 2)
    assert "Grad-CAM 0.25; Occlusion 0.75" in plate.alt


def test_the_maps_themselves_are_in_the_strip():
    picture = randomisation_plate([report()], ["tiny"]).picture
    side = 0.62 * 160
    # a quarter of each original is its highest value; an even map, all of it, is of the middle colour and not the top's
    top, middle = ((picture == lut("inferno")[i]).all(axis=2).sum() for i in (255, 128))
    assert top == pytest.approx(2 / 4 * side**2, rel=0.05)
    # so is an even map: three steps of one method, one of the other, and again a quarter of each original
    assert middle == pytest.approx((4 + 2 / 4) * side**2, rel=0.05)


def test_agreement_above_and_overlap_below_the_diagonal():
    plate = agreement_plate([report()], ["tiny"])
    assert plate.numbers == {
        "tiny/grad_cam/occlusion/correlation": -1.0, "tiny/grad_cam/occlusion/overlap": 0.5
    }  # fmt: skip
    cell = round(0.6 * 160)
    at = [
        (round(160 * 0.4) + row * cell + 10, round(160 * 2.2) + column * cell + 10) for row, column in ((0, 1), (1, 0))
    ]
    blue, red = (plate.picture[y, x].astype(int) for y, x in at)
    assert blue[2] > blue[0] + 40  # -1 is cold
    assert red[0] > red[2] + 40  # 0.5 is warm
    assert "10 % of pixels" in plate.caption
    assert "0.05" in plate.caption


def test_verdicts_stand_in_a_table_with_what_is_missing():
    plate = verdict_table([report()], ["tiny"])
    assert plate.picture is None
    assert plate.table.rows == [
        ("Grad-CAM", "Follows.", "Removes. Shows."),
        ("Occlusion", "It asks about one unit. In part.", "Removes. Shows."),
        ("Attention", "This variant has no OSRA.", "–"),
    ]
    assert "bee (class 3)" in plate.caption
    blank = report(verdicts={name: Verdict("blank", "blank", ("Blank: nothing.",)) for name in report().maps})
    rows = verdict_table([report(), blank], ["a", "b"]).table.rows
    assert ("b · Grad-CAM", "Blank: nothing.", "–") in rows
    assert ("a · Grad-CAM", "Follows.", "Removes. Shows.") in rows


def test_small_parts():
    assert [ceiling(v) for v in (0.05, 0.1, 0.11, 0.5, 0.51, 1)] == [0.1, 0.1, 0.2, 0.5, 1, 1]
    assert [_two(v) for v in (-0.001, 0.456, float("nan"))] == ["0.00", "0.46", "blank"]
    assert _shown(3) == [0, 1, 2, 3]
    assert _shown(14) == [0, 2, 5, 7, 9, 12, 14]
    assert _apart([0.5, 0.5, -1], 0.2) == pytest.approx([-1, 0.5, 0.7])
    assert _apart([1.0, 1.0], 0.2)[-1] <= 1.05 + 1e-9
