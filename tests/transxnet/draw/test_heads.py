"""All heads at one point, and rollout: one scale for what is compared, and the raw numbers."""

from __future__ import annotations

import numpy as np
import pytest

from transxnet.draw.colormaps import lut
from transxnet.draw.heads import FAINT, heads_figure, rollout_figure
from transxnet.results import AttentionFrom, Explanation, Geometry
from transxnet.results.attention import AttentionTo, PositionAttention

QUERIES = Geometry((4, 4), 8, (32, 32), (0, 0, 32, 32), (32, 32))
KEYS = QUERIES.with_grid((2, 2), 16)
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


def test_heads_of_all_variants_share_one_range_and_the_reverse_view_has_its_own():
    study_figure = heads_figure([position_attention(0.2, 0.6), position_attention(1.0)], ["a", "b"], [BLACK, BLACK])
    # mean 0.4, max 0.6, heads 0.2 and 0.6, alone 1.0; in reverse half of each over a range of half the length
    counts = {t: has(study_figure.image, painted(t)) for t in (0.2, 0.4, 0.6, 1.0)}
    assert counts[0.2] > 1000
    assert counts[0.6] == pytest.approx(2 * counts[0.2], rel=0.05)
    assert counts[0.4] == pytest.approx(counts[0.2], rel=0.05)
    assert counts[1.0] == pytest.approx(counts[0.2], rel=0.05)  # one head: neither mean nor max beside it


def test_heads_say_their_numbers():
    study_figure = heads_figure([position_attention(0.2, 0.6)], ["pico"], [BLACK])
    # a key gets 16 queries * weight/2; an even share is 16 / 4
    assert study_figure.table.rows == [
        ("pico, head 1", "1", "12", "0.2", "0.4"),
        ("pico, head 2", "1", "12", "0.6", "1.2"),
    ]
    assert study_figure.numbers == pytest.approx({"pico/entropy": 1, "pico/distance": 12, "pico/key_over_even": 0.8})
    assert study_figure.arrays["pico/query_to_keys"].shape == (2, 2, 2)
    assert study_figure.arrays["pico/key_to_queries"].max() == np.float32(0.3)
    assert (
        "largest weight any head of the query gives is 0.6, and the key gets 0.8 times an even share"
        in study_figure.caption
    )
    even = heads_figure([position_attention(0.5)], ["pico"], [BLACK])  # 16 queries of 0.25: an even share exactly
    assert "the key gets an even share." in even.caption


def rollout_of(heatmap: np.ndarray, moved: float, **numbers: float) -> Explanation:
    geometry = Geometry(heatmap.shape, 1, heatmap.shape, (0, 0, 32, 32), (32, 32))
    return Explanation(
        "rollout", "transxnet_tiny", "stage 2, block 3 and all before it (approximation)", "mean over all units",
        heatmap.astype(np.float32), False, "share of the map", geometry,
        {"blocks": 3.0, "residual": 0.125, "from_uniform": moved, **numbers},
    )  # fmt: skip


def test_rollout_is_drawn_in_multiples_of_an_even_map_on_one_scale():
    """An even map is 1 whatever its size; the upper half of another 1.8, the lower 0.2, too faint to be drawn."""
    even, other = np.full((32, 32), 1 / 1024), np.full((64, 64), 1.8 / 4096)
    other[32:] = 0.2 / 4096
    study_figure = rollout_figure([[rollout_of(even, 0.25)], [rollout_of(other, 1e-6)]], ["a", "b"], [BLACK, BLACK])
    t = -FAINT / (np.log10(1.8) - FAINT)
    assert has(study_figure.image, painted(t)) > 10000
    assert has(study_figure.image, painted(1.0)) == pytest.approx(has(study_figure.image, painted(t)) / 2, rel=0.1)
    assert study_figure.arrays["b/1"].sum() == pytest.approx(1)


def test_rollout_says_what_attention_moved_and_that_it_is_an_approximation():
    study_figure = rollout_figure([[rollout_of(np.full((32, 32), 1 / 1024), 0.25, distance=7.0)]], ["pico"], [BLACK])
    layer = "pico, stage 2, block 3 and all before it (approximation)"
    assert study_figure.table.rows == [(layer, "mean over all units", "25 %", "12.5 %", "7")]
    assert study_figure.numbers["pico/1/from_uniform"] == 0.25
    assert "approximation" in study_figure.title
    assert "approximation" in study_figure.limits
    assert "25 % of the map moved by attention" in study_figure.caption
