"""Positions of values, by hand, and the methods of results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.positions import center_in_source
from transxnet.errors import OutOfRange
from transxnet.results import AttentionTable, Explanation, Geometry, query_key_distances

# 224 px from the middle square of a 640 x 480 source image: 480 px wide, from x = 80. 7 x 7 units of stride 32.
SQUARE = Geometry((7, 7), 32, (224, 224), (80.0, 0.0, 560.0, 480.0), (640, 480))
# A model input of 96 x 192 px from a box of 192 x 576 px: two source pixels per input pixel down, three across.
OBLONG = Geometry((12, 24), 8, (96, 192), (30.0, 10.0, 606.0, 202.0), (700, 300))


def test_units_sit_on_multiples_of_the_stride():
    assert [SQUARE.center(i, i) for i in (0, 1, 6)] == [(0, 0), (32, 32), (192, 192)]
    assert OBLONG.center(2, 5) == (40, 16)  # (x, y): x from the column
    assert replace(SQUARE, grid=(4, 4), stride=64, origin=16).center(1, 0) == (16, 80)


def test_units_in_source_pixels():
    # input pixel 0 covers 480/224 = 15/7 source pixels from x = 80, so its center is 80 + 15/14 - 1/2
    assert center_in_source(SQUARE, 0, 0) == pytest.approx((80 + 15 / 14 - 0.5, 15 / 14 - 0.5))
    assert center_in_source(SQUARE, 3, 1) == pytest.approx((80 + 32.5 * 15 / 7 - 0.5, 96.5 * 15 / 7 - 0.5))
    # pixel (x 40, y 16) of the oblong input covers source x 30 + 120 … 30 + 123, y 10 + 32 … 10 + 34
    assert center_in_source(OBLONG, 2, 5) == (151, 42.5)


@pytest.mark.parametrize("geometry", [SQUARE, OBLONG])
def test_to_source_and_back(geometry):
    for position in ((0.0, 0.0), (17.25, 80.5), (-0.5, 95.5)):
        assert geometry.to_input(*geometry.to_source(*position)) == pytest.approx(position)
    x0, y0, x1, y1 = geometry.crop_box
    height, width = geometry.input_size
    assert geometry.to_source(-0.5, -0.5) == pytest.approx((x0 - 0.5, y0 - 0.5))  # edges map to edges
    assert geometry.to_source(width - 0.5, height - 0.5) == pytest.approx((x1 - 0.5, y1 - 0.5))


def test_uncropped_input_keeps_positions():
    identity = Geometry((4, 4), 32, (128, 128), (0.0, 0.0, 128.0, 128.0), (128, 128))
    assert identity.to_source(5, 9) == (5, 9)
    assert identity.to_input(5, 9) == (5, 9)


def test_unit_at_takes_the_nearest_unit():
    assert OBLONG.unit_at(151, 42.5) == (2, 5)
    # half-way to the next column is 12 source pixels to the right (4 input pixels x 3), to the next row 8 below
    assert OBLONG.unit_at(151 + 11.9, 42.5) == (2, 5)
    assert OBLONG.unit_at(151 + 12.1, 42.5) == (2, 6)
    assert OBLONG.unit_at(151, 42.5 + 7.9) == (2, 5)
    assert OBLONG.unit_at(151, 42.5 + 8.1) == (3, 5)
    for row in range(7):
        for col in range(7):
            assert SQUARE.unit_at(*center_in_source(SQUARE, row, col)) == (row, col)


def test_position_outside_the_input_takes_the_edge():
    assert SQUARE.unit_at(0, 200) == (3, 0)  # left of the crop
    assert SQUARE.unit_at(639, 479) == (6, 6)  # right of it; the last unit is 31 px inside
    assert OBLONG.unit_at(699, 0) == (0, 23)


@pytest.mark.parametrize("position", [(-0.6, 10), (639.6, 10), (10, -1), (10, 480), (float("nan"), 10)])
def test_position_outside_the_source_is_refused(position):
    with pytest.raises(OutOfRange, match=r"outside the image\..*0 to 639"):
        SQUARE.unit_at(*position)


def test_distances_are_between_centers():
    queries = Geometry((1, 3), 4, (4, 12), (0, 0, 12, 4), (12, 4))
    keys = replace(queries, grid=(2, 1), stride=3)
    assert query_key_distances(queries, keys).tolist() == [[0, 3], [4, 5], [8, pytest.approx(73**0.5)]]


# --- AttentionTable: 2 x 2 queries, 1 x 2 keys, two heads ---------------------------------------------

QUERIES = Geometry((2, 2), 16, (32, 32), (0, 0, 32, 32), (32, 32))
WEIGHTS = np.array([[[1, 0], [0.5, 0.5], [0.25, 0.75], [0, 1]], [[0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]]])
TABLE = AttentionTable(
    "transxnet_tiny", 3, 2, WEIGHTS, np.arange(8).reshape(2, 4) / 10, np.arange(8).reshape(2, 4),
    replace(QUERIES, grid=(1, 2), stride=32), QUERIES,
)  # fmt: skip


def test_attention_from_is_one_row():
    attention = TABLE.attention_from(1, 0)  # the third query
    assert (attention.model, attention.stage, attention.block, attention.query) == ("transxnet_tiny", 3, 2, (1, 0))
    assert attention.heads.tolist() == [[[0.25, 0.75]], [[0.3, 0.7]]]
    assert attention.entropy.tolist() == [0.2, 0.6]
    assert attention.distance.tolist() == [2, 6]
    assert (attention.keys, attention.queries) == (TABLE.keys, TABLE.queries)


def test_head_counts_from_one():
    attention = TABLE.attention_from(1, 0)
    assert attention.head(1).tolist() == [[0.25, 0.75]]
    assert attention.head(2).tolist() == [[0.3, 0.7]]
    assert attention.head(0).tolist() == attention.mean.tolist() == [[0.275, 0.725]]
    for head in (-1, 3):
        with pytest.raises(OutOfRange, match="1 to 2"):
            attention.head(head)


def test_attention_to_is_one_column():
    assert TABLE.attention_to(0, 1).heads.tolist() == [[[0, 0.5], [0.75, 1]], [[0.9, 0.8], [0.7, 0.6]]]


@pytest.mark.parametrize("position", [(2, 0), (0, 2), (-1, 0)])
def test_cells_outside_are_refused(position):
    with pytest.raises(OutOfRange, match="queries of stage 3"):
        TABLE.attention_from(*position)
    with pytest.raises(OutOfRange, match="keys of stage 3"):
        TABLE.attention_to(*position)


def test_uniform_distance():
    # keys at x = 0 and 32, y = 0; queries at (0, 0), (16, 0), (0, 16), (16, 16)
    diagonal, longest = 512**0.5, 1280**0.5
    expected = (0 + 32 + 16 + 16 + 16 + longest + diagonal + diagonal) / 8
    assert TABLE.uniform_distance == pytest.approx(expected)


def test_value_range_is_raw():
    heatmap = np.array([[-3.5, 0.25], [2.0, 1.0]], np.float32)
    explanation = Explanation("grad_cam", "transxnet_tiny", "stage 4", "class 1", heatmap, True, "logit", QUERIES)
    assert explanation.value_range == (-3.5, 2.0)
