"""OSRA's attention: what a position mixes in, and from how far.

The weights are the model's own, after the softmax and with relative_pos_enc (TransXNet, arXiv 2310.19380,
section 3.2): attention = softmax(q k^T / sqrt(d) + relative_pos_enc), one row a query, rows sum to 1. Nothing is
rescaled, rolled out over blocks or upsampled here.

Queries are the units of the stage, on view pixels stride * i. Keys come from a map that OSRA's own convolution made
sr_ratio times smaller, so they are centerd on view pixels 32 * j in all four stages.

What it must not be read as: attention weights say what was mixed into a position of one half of the channels, not
why the answer was given. A key is no pixel: its window overlaps its neighbors', and by that layer it has seen far
more than its window. The other half of the channels (IDConv) and the residual path do not show here.
"""

from __future__ import annotations

import numpy as np

from ...results import AttentionFrom, AttentionTable, Geometry, distances
from ...results.attention import AttentionTo, PositionAttention
from ..observe import Observation, need_part


def attention_from(
    observation: Observation, stage: int, block: int | None = None, position: tuple[float, float] = (0.0, 0.0)
) -> AttentionFrom:
    """The key maps of the query nearest to a point of the upload, per head.

    stage, block: from 1; block None or 0 is the stage's last. point: (x, y) in pixels of the upright upload; outside
    the view it takes the nearest unit. heads: (heads, key rows, key columns) weights, each map sums to 1.
    Raises OutOfRange for a stage, block or point that does not exist, or if attention was not kept; PartMissing for
    a model without OSRA.
    """
    table = attention_table(observation, stage, block)
    return table.at(*table.queries.unit_at(*position))


def attention_to(
    observation: Observation, stage: int, block: int | None = None, position: tuple[float, float] = (0.0, 0.0)
) -> AttentionTo:
    """The reverse view: the weight every query gives the key nearest to a point of the upload, per head.

    Arguments and errors as attention_from. heads: (heads, query rows, query columns) weights; they do not sum to 1.
    A key that many queries use is no place that matters for the answer: it may serve as a place to look at nothing.
    """
    table = attention_table(observation, stage, block)
    return table.attention_to(*table.keys.unit_at(*position))


def position_attention(
    observation: Observation, stage: int, block: int | None = None, position: tuple[float, float] = (0.0, 0.0)
) -> PositionAttention:
    """attention_from and attention_to of one point, from one table."""
    table = attention_table(observation, stage, block)
    return PositionAttention(
        table.at(*table.queries.unit_at(*position)), table.attention_to(*table.keys.unit_at(*position))
    )


def attention_table(observation: Observation, stage: int, block: int | None = None) -> AttentionTable:
    """All rows of one block's attention, (heads, Nq, Nk), with entropy and mean distance of each row.

    entropy = -sum(a log a) / log Nk, 0 (one key) to 1 (all alike), 0 by definition where there is one key.
    distance = sum over keys of a * |query - key|, view pixels between centres; compare with `uniform_distance`.
    Raises OutOfRange as attention_from does, PartMissing for a model without OSRA.
    """
    stage, block = observation.locate(stage, block)
    need_part(observation, "osra")
    weights = observation.trace.one("attention", stage, block).tensor[0].detach().float().cpu().numpy()
    queries, keys = observation.units(stage), key_geometry(observation, stage)
    return AttentionTable(
        observation.model_name,
        stage,
        block,
        weights,
        _entropy(weights),
        _distance(weights, queries, keys),
        keys,
        queries,
    )


def attention_tables(observation: Observation) -> list[AttentionTable]:
    """The table of every block whose attention was kept, in the order the model ran them: what to summarize.

    Raises PartMissing for a model without OSRA.
    """
    need_part(observation, "osra")
    return [attention_table(observation, r.stage, r.block) for r in observation.trace.find("attention")]


def key_geometry(observation: Observation, stage: int) -> Geometry:
    """Where OSRA's keys of a stage sit: view pixels 32 * j.

    The reduction is a convolution of kernel sr + 3, stride sr and padding (sr + 3) // 2 over the stage's map, none
    where sr is 1; its window j is centerd on unit sr * j.
    """
    sr = observation.model.spec.sr_ratios[stage - 1]
    units = observation.units(stage)
    kernel = sr + 3
    rows, cols = units.grid if sr == 1 else ((n + 2 * (kernel // 2) - kernel) // sr + 1 for n in units.grid)
    return observation.geometry((rows, cols), units.stride * sr)


def _entropy(weights: np.ndarray) -> np.ndarray:  # (heads, Nq, Nk) -> (heads, Nq)
    count = weights.shape[-1]
    if count == 1:
        return np.zeros(weights.shape[:-1], np.float32)
    a = weights.astype(np.float64)
    nats = -(a * np.log(np.where(a > 0, a, 1))).sum(axis=-1)  # 0 log 0 = 0
    return (nats / np.log(count)).astype(np.float32)


def _distance(weights: np.ndarray, queries: Geometry, keys: Geometry) -> np.ndarray:  # -> (heads, Nq)
    return np.einsum("hqk,qk->hq", weights, distances(queries, keys)).astype(np.float32)
