"""OSRA's attention: the keys that a query attends to, the queries that attend to a key, and how far apart they are.

The weights are the model's own, after the softmax and with relative_pos_enc (TransXNet, arXiv 2310.19380,
section 3.2): attention = softmax(q k^T / sqrt(d) + relative_pos_enc), one row per query, rows sum to 1. They are not
rescaled, rolled out over blocks or upsampled here.

Queries are the units of the stage, at model-input pixels stride * i. Keys come from a map that OSRA's convolution
reduced by sr_ratio, so they are centered on model-input pixels 32 * j in all four stages.

Limitations: attention weights show what was mixed into a position of one half of the channels, not why the model made
its prediction. A key is not a pixel: its window overlaps its neighbors', and features at that layer depend on far more
than that window. The other half of the channels (IDConv) and the residual path are not shown.
"""

from __future__ import annotations

import numpy as np

from ...results import AttentionFrom, AttentionTable, Geometry, query_key_distances
from ...results.attention import PositionAttention
from ..observe import Observation, require_part


def attention_from(
    observation: Observation, stage: int, block: int | None = None, position: tuple[float, float] = (0.0, 0.0)
) -> AttentionFrom:
    """Attention from the query nearest to a position: its weights over the keys, per head.

    Args:
        observation: Must have recorded the kind "attention".
        stage: From 1.
        block: From 1; None or 0 is the stage's last.
        position: (x, y) in pixels of the upright source image; outside the model input it takes the nearest unit.

    Returns:
        Maps (heads, key rows, key columns) of weights, each summing to 1.

    Raises:
        OutOfRange: For a stage, block or position that does not exist, or if attention was not recorded.
        PartMissing: For a model without OSRA.
    """
    table = attention_table(observation, stage, block)
    return table.attention_from(*table.queries.unit_at(*position))


def position_attention(
    observation: Observation, stage: int, block: int | None = None, position: tuple[float, float] = (0.0, 0.0)
) -> PositionAttention:
    """`attention_from` and `attention_to` of one position, from one table.

    Args:
        observation: Must have recorded the kind "attention".
        stage: From 1.
        block: From 1; None or 0 is the stage's last.
        position: (x, y) in pixels of the upright source image.

    Returns:
        Both directions.

    Raises:
        OutOfRange: For a stage, block or position that does not exist, or if attention was not recorded.
        PartMissing: For a model without OSRA.
    """
    return attention_table(observation, stage, block).position_attention(*position)


def attention_table(observation: Observation, stage: int, block: int | None = None) -> AttentionTable:
    """All attention weights of one block, with entropy and mean distance per query.

    entropy = -sum(a log a) / log Nk, 0 (one key) to 1 (uniform), 0 by definition where there is one key.
    distance = sum over keys of a * |query - key|, in model-input pixels between centers; compare it with
    `uniform_distance`.

    Args:
        observation: Must have recorded the kind "attention".
        stage: From 1.
        block: From 1; None or 0 is the stage's last.

    Returns:
        Weights (heads, Nq, Nk), whose rows sum to 1.

    Raises:
        OutOfRange: For a stage or block that does not exist, or if attention was not recorded.
        PartMissing: For a model without OSRA.
    """
    require_part(observation, "osra")
    stage, block = observation.locate(stage, block)
    weights = observation.trace.find_one("attention", stage, block).tensor[0].detach().float().cpu().numpy()
    queries, keys = observation.units(stage), key_geometry(observation, stage)
    distance = np.einsum("hqk,qk->hq", weights, query_key_distances(queries, keys)).astype(np.float32)
    return AttentionTable(
        observation.model_name, stage, block, weights, _entropy(weights), distance, keys, queries
    )  # fmt: skip


def attention_tables(observation: Observation) -> list[AttentionTable]:
    """The attention tables of all recorded blocks.

    Args:
        observation: Blocks without a record of the kind "attention" are left out.

    Returns:
        One table per block, in the model's order.

    Raises:
        PartMissing: For a model without OSRA.
    """
    require_part(observation, "osra")
    return [attention_table(observation, r.stage, r.block) for r in observation.trace.find("attention")]


def key_geometry(observation: Observation, stage: int) -> Geometry:
    """Positions of the keys of a stage: model-input pixels 32 * j.

    OSRA's reduction is a convolution of kernel sr + 3, stride sr and padding (sr + 3) // 2 over the stage's map, or
    none where sr is 1; its window j is centered on unit sr * j.

    Args:
        observation: Of a model with OSRA.
        stage: From 1.

    Returns:
        A grid of (key rows, key columns).
    """
    sr = observation.model.spec.sr_ratios[stage - 1]
    units = observation.units(stage)
    kernel = sr + 3
    rows, cols = units.grid if sr == 1 else ((n + 2 * (kernel // 2) - kernel) // sr + 1 for n in units.grid)
    return observation.geometry((rows, cols), units.stride * sr)


def _entropy(weights: np.ndarray) -> np.ndarray:
    """(heads, Nq, Nk) -> (heads, Nq), normalized by log Nk."""
    count = weights.shape[-1]
    if count == 1:
        return np.zeros(weights.shape[:-1], np.float32)
    weights = weights.astype(np.float64)
    nats = -(weights * np.log(np.where(weights > 0, weights, 1))).sum(axis=-1)  # 0 log 0 = 0
    return (nats / np.log(count)).astype(np.float32)
