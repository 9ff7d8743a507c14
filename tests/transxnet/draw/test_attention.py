"""Figures of attention: marks at their values, one scale for models that are compared, raw arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from transxnet.draw.attention import (
    BAND,
    FAINTEST,
    attention_depth_figure,
    attention_heads_figure,
    pathway_energy_figure,
    rollout_figure,
    share_text,
)
from transxnet.draw.canvas import DPI, MARGIN
from transxnet.draw.colormaps import lut
from transxnet.draw.text import ACCENT
from transxnet.results import AttentionFrom, Explanation, Geometry
from transxnet.results.attention import (
    AttentionDepth,
    AttentionTo,
    BlockAttention,
    PathwayEnergies,
    PositionAttention,
)

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
    top = image.shape[0] - round(MARGIN * DPI) - (3 - row) * band  # three variants, the last ends with the image
    return np.argwhere((image[top : top + band, half:] == INK).all(axis=-1))


def test_line_of_means_shows_distances_on_one_scale():
    figure = attention_depth_figure([depth(0), depth(20), depth(40)], ["a", "b", "c"])
    zero, twenty, forty = (np.median(marks(figure.image, row)[:, 0]) for row in range(3))
    assert zero - twenty > 20
    assert zero - forty == pytest.approx(2 * (zero - twenty), abs=3)


def test_depth_table_and_arrays_hold_every_block():
    figure = attention_depth_figure([depth(10), depth(20, (0.25, 0.75))], ["pico", "t"])
    assert figure.table.rows[0] == ("pico, stage 1, block 1", "1", "0.2", "0.2 to 0.2", "10", "10 to 10", "30")
    assert figure.table.rows[5] == ("t, stage 2, block 2", "2", "0.5", "0.25 to 0.75", "20", "20 to 20", "30")
    assert figure.numbers["pico/mean_distance"] == 10
    assert figure.numbers["t/mean_entropy"] == pytest.approx((0.25 + 0.5 + 0.5) / 3)  # every block counts alike
    assert np.isnan(figure.arrays["t/entropy"][0, 1])
    assert figure.arrays["t/entropy"][1].tolist() == [0.25, 0.75]
    assert figure.arrays["t/places"].tolist() == [[1, 1], [2, 1], [2, 2]]
    assert "lowest 0.25 in stage 1, block 1, head 1" in figure.caption
    assert "input 96 × 64 px" in figure.caption


def test_bars_are_proportional_to_the_share():
    """Blocks of 10 % and 80 % of all energy: pixels of the left panel's two bars, 1 to 8."""
    image = pathway_energy_figure([halves([0.1, 0.8])], ["pico"]).image
    left = image[round(0.3 * DPI) :, : image.shape[1] // 2]  # without the legend, whose square has the same color
    inked = (left == INK).all(axis=-1).sum(axis=0)
    columns = np.flatnonzero(inked)
    first, second = inked[columns[5]], inked[columns[-5]]
    assert second + 1 == pytest.approx(8 * (first + 1), abs=3)  # the axis covers one pixel of each


def test_energy_table_shows_shares_and_missing_energy():
    figure = pathway_energy_figure([halves([0.1, 0.8])], ["pico"])
    assert figure.table.rows == [
        ("pico, stage 1, block 1", "0.9", "0.1", "10%", "0", "0", "no energy"),
        ("pico, stage 2, block 1", "0.2", "0.8", "80%", "0.75", "0.25", "25%"),
    ]
    assert figure.numbers["pico/mean_share"] == pytest.approx(0.45)
    assert figure.numbers["pico/mean_varying_share"] == 0.25
    assert figure.arrays["pico/osra"].tolist() == [0.1, 0.8]
    assert "STE" in figure.limits


def test_small_shares_are_not_rounded_to_zero():
    assert [share_text(v) for v in (0.0, 1e-9, 0.005, 0.5)] == ["0%", "< 0.01%", "0.5%", "50%"]


# --- Heads and rollout ---------------------------------------------------------------------------------

QUERIES = Geometry((4, 4), 8, (32, 32), (0, 0, 32, 32), (32, 32))
KEYS = replace(QUERIES, grid=(2, 2), stride=16)
BLACK = np.zeros((64, 64, 3), np.uint8)


def position_attention(*weights: float) -> PositionAttention:
    """As many heads as weights, each the same everywhere, forward and half of it in reverse."""
    heads = np.float32(weights)[:, None, None]
    maps = AttentionFrom(
        "transxnet_tiny", 3, 2, (1, 2), np.broadcast_to(heads, (len(weights), 2, 2)), np.ones(len(weights), np.float32),
        np.full(len(weights), 12, np.float32), KEYS, QUERIES,
    )  # fmt: skip
    users = np.broadcast_to(heads / 2, (len(weights), 4, 4))
    return PositionAttention(maps, AttentionTo("transxnet_tiny", 3, 2, (0, 1), users, KEYS, QUERIES))


def painted(t: float, opacity: float = 0.85) -> np.ndarray:
    """What a value at t of the range looks like over black."""
    return np.rint(opacity * t**0.75 * lut("magma")[round(255 * t)].astype(float))


def has(image: np.ndarray, color: np.ndarray) -> int:
    """Pixels of this color, to one step of rounding."""
    return int((np.abs(image.astype(float) - color) <= 1).all(axis=-1).sum())


def test_all_heads_of_a_direction_share_one_range():
    figure = attention_heads_figure([position_attention(0.2, 0.6), position_attention(1.0)], ["a", "b"], [BLACK, BLACK])
    # mean 0.4, max 0.6, heads 0.2 and 0.6, alone 1.0; in reverse half of each over a range of half the length
    counts = {t: has(figure.image, painted(t)) for t in (0.2, 0.4, 0.6, 1.0)}
    assert counts[0.2] > 1000
    assert counts[0.6] == pytest.approx(2 * counts[0.2], rel=0.05)
    assert counts[0.4] == pytest.approx(counts[0.2], rel=0.05)
    assert counts[1.0] == pytest.approx(counts[0.2], rel=0.05)  # one head: neither mean nor max beside it


def test_heads_table_and_caption_hold_the_numbers():
    figure = attention_heads_figure([position_attention(0.2, 0.6)], ["pico"], [BLACK])
    # a key gets 16 queries * weight/2; an even share is 16 / 4
    assert figure.table.rows == [
        ("pico, head 1", "1", "12", "0.2", "0.4"),
        ("pico, head 2", "1", "12", "0.6", "1.2"),
    ]
    assert figure.numbers == pytest.approx({"pico/entropy": 1, "pico/distance": 12, "pico/key_over_uniform": 0.8})
    assert figure.arrays["pico/query_to_keys"].shape == (2, 2, 2)
    assert figure.arrays["pico/key_to_queries"].max() == np.float32(0.3)
    assert "the largest weight of any head is 0.6, and the key receives 0.8 × the uniform weight" in figure.caption
    even = attention_heads_figure(
        [position_attention(0.5)], ["pico"], [BLACK]
    )  # 16 queries of 0.25: an even share exactly
    assert "the key receives the uniform weight." in even.caption


def rollout_of(heatmap: np.ndarray, moved: float, **numbers: float) -> Explanation:
    geometry = Geometry(heatmap.shape, 1, heatmap.shape, (0, 0, 32, 32), (32, 32))
    return Explanation(
        "rollout", "transxnet_tiny", "stage 2, block 3 and all before it (approximation)", "mean over all units",
        heatmap.astype(np.float32), False, "share of the map", geometry,
        {"blocks": 3.0, "residual": 0.125, "from_uniform": moved, **numbers},
    )  # fmt: skip


def test_rollouts_are_drawn_in_multiples_of_uniform():
    """An even map is 1 whatever its size; the upper half of another 1.8, the lower 0.2, too faint to be drawn."""
    even, other = np.full((32, 32), 1 / 1024), np.full((64, 64), 1.8 / 4096)
    other[32:] = 0.2 / 4096
    figure = rollout_figure([[rollout_of(even, 0.25)], [rollout_of(other, 1e-6)]], ["a", "b"], [BLACK, BLACK])
    t = -FAINTEST / (np.log10(1.8) - FAINTEST)
    assert has(figure.image, painted(t)) > 10000
    assert has(figure.image, painted(1.0)) == pytest.approx(has(figure.image, painted(t)) / 2, rel=0.1)
    assert figure.arrays["b/1"].sum() == pytest.approx(1)


def test_rollout_reports_attention_share_and_approximation():
    figure = rollout_figure([[rollout_of(np.full((32, 32), 1 / 1024), 0.25, distance=7.0)]], ["pico"], [BLACK])
    layer = "pico, stage 2, block 3 and all before it (approximation)"
    assert figure.table.rows == [(layer, "mean over all units", "25%", "12.5%", "7")]
    assert figure.numbers["pico/1/from_uniform"] == 0.25
    assert "approximation" in figure.title
    assert "approximation" in figure.limits
    assert "25% of the map moved by attention" in figure.caption
