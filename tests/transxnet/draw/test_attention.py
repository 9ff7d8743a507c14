"""Attention over depth: marks where their values are, tables that say them, nothing rounded in the arrays."""

from __future__ import annotations

import numpy as np
import pytest

from transxnet.draw.attention import BAND, depth_figure, halves_figure, percent
from transxnet.draw.panels import DPI
from transxnet.draw.text import ACCENT
from transxnet.results.attention import AttentionDepth, BlockAttention, PathwayEnergies

INK = [int(ACCENT[i : i + 2], 16) for i in (1, 3, 5)]


def depth(distance: float, heads=(0.2, 0.4)) -> AttentionDepth:
    """Stage 1 with one head, stage 2 with two blocks of two; every head of this distance."""
    blocks = [
        BlockAttention(stage, block, np.float32(entropy), np.full(len(entropy), distance, np.float32), 30.0)
        for stage, block, entropy in ((1, 1, heads[:1]), (2, 1, heads), (2, 2, heads))
    ]
    return AttentionDepth("transxnet_tiny", (64, 96), tuple(blocks))


def halves(osra) -> PathwayEnergies:
    osra = np.float64(osra)
    return PathwayEnergies(
        "transxnet_tiny",
        np.array([1, 2]),
        np.array([1, 1]),
        1 - osra,
        osra,
        np.float64([0, 0.75]),
        np.float64([0, 0.25]),
    )


def marks(image: np.ndarray, row: int) -> np.ndarray:
    """Where the accent is in one variant's right panel, rows counted from that variant's top."""
    half, band = image.shape[1] // 2, round(BAND * DPI)
    top = image.shape[0] - (3 - row) * band  # three variants, the last ends with the image
    return np.argwhere((image[top : top + band, half:] == INK).all(axis=-1))


def test_the_line_of_means_stands_at_its_distance_on_one_scale_for_all():
    study_figure = depth_figure([depth(0), depth(20), depth(40)], ["a", "b", "c"])
    zero, twenty, forty = (np.median(marks(study_figure.image, row)[:, 0]) for row in range(3))
    assert zero - twenty > 20
    assert zero - forty == pytest.approx(2 * (zero - twenty), abs=3)


def test_depth_says_every_block_in_its_table_and_keeps_raw_values():
    study_figure = depth_figure([depth(10), depth(20, (0.25, 0.75))], ["pico", "t"])
    assert study_figure.table.rows[0] == ("pico, stage 1, block 1", "1", "0.2", "0.2 to 0.2", "10", "10 to 10", "30")
    assert study_figure.table.rows[5] == ("t, stage 2, block 2", "2", "0.5", "0.25 to 0.75", "20", "20 to 20", "30")
    assert study_figure.numbers["pico/mean_distance"] == 10
    assert study_figure.numbers["t/mean_entropy"] == pytest.approx((0.25 + 0.5 + 0.5) / 3)  # every block counts alike
    assert np.isnan(study_figure.arrays["t/entropy"][0, 1])
    assert study_figure.arrays["t/entropy"][1].tolist() == [0.25, 0.75]
    assert study_figure.arrays["t/places"].tolist() == [[1, 1], [2, 1], [2, 2]]
    assert "lowest 0.25 in stage 1, block 1, head 1" in study_figure.caption
    assert "view 96 × 64 px" in study_figure.caption


def test_bars_are_as_long_as_the_share():
    """Blocks of 10 % and 80 % of all energy: pixels of the left panel's two bars, 1 to 8."""
    image = halves_figure([halves([0.1, 0.8])], ["pico"]).image
    left = image[round(0.3 * DPI) :, : image.shape[1] // 2]  # without the legend, whose square has the same color
    inked = (left == INK).all(axis=-1).sum(axis=0)
    columns = np.flatnonzero(inked)
    first, second = inked[columns[5]], inked[columns[-5]]
    assert second + 1 == pytest.approx(8 * (first + 1), abs=3)  # the axis covers one pixel of each


def test_halves_say_both_shares_and_what_is_silent():
    study_figure = halves_figure([halves([0.1, 0.8])], ["pico"])
    assert study_figure.table.rows == [
        ("pico, stage 1, block 1", "0.9", "0.1", "10 %", "0", "0", "silent"),
        ("pico, stage 2, block 1", "0.2", "0.8", "80 %", "0.75", "0.25", "25 %"),
    ]
    assert study_figure.numbers["pico/mean_share"] == pytest.approx(0.45)
    assert study_figure.numbers["pico/mean_varying_share"] == 0.25
    assert study_figure.arrays["pico/osra"].tolist() == [0.1, 0.8]
    assert "STE" in study_figure.limits


def test_small_shares_are_not_called_nothing():
    assert [percent(v) for v in (0.0, 1e-9, 0.005, 0.5)] == ["0 %", "under 0.01 %", "0.5 %", "50 %"]
