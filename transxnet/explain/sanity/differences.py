"""Where do variants' maps differ, and by how much? Every pair, second minus first, on what all variants saw.

    difference   D = B - A on the common pixels (agreement.py), in the maps' own unit
    correlation  Spearman's of A and B over those pixels (ranks.py)
    in common    |top(A) and top(B)| / |top(A)|, top: the tenth of the pixels with the highest values. As both choices
                 are of one size it is 2 J / (1 + J), J their intersection over union (Jaccard); two random choices
                 have the tenth itself in common.

This project's own. What they must not be read as: a sanity_check on either variant. Features of two models have no
common
unit, so that a difference of gradients or logits mixes where they look with how strongly each answers at all; attention
weights sum to 1 over each variant's own keys, so fewer keys are larger weights. The rank correlation knows no unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from ...results import AttentionFrom, Explanation, Geometry
from ...results.differences import Comparison, Difference
from .agreement import SHARE, agreement_between_variants

EVEN = 1.01  # largest over smallest value of a map below which it is called even


def compare(maps: Mapping[str, Explanation], share: float = SHARE) -> Comparison:
    """Maps of one upload by variants whose views may differ, and the differences of every pair.

    Raises LensError for no maps, maps of different uploads, or views that have nothing in common.
    """
    found = agreement_between_variants(maps, share)
    source_size = next(iter(maps.values())).geometry.source_size
    size = found.values.shape[1:]
    return Comparison(
        found, Geometry(size, 1, size, found.box, source_size),
        tuple(
            Difference(
                found.names[a], found.names[b], found.values[b] - found.values[a], float(found.correlation[a, b]),
                in_common(float(found.overlap[a, b])), share,
                float(np.abs(found.values[[a, b]]).max()),
            )
            for a, b in combinations(range(len(found.names)), 2)
        ),
    )  # fmt: skip


def in_common(overlap: float) -> float:
    """What two choices of one size share of either, from their intersection over union: 2 J / (1 + J)."""
    return 2 * overlap / (1 + overlap)


def is_even(values: np.ndarray) -> bool:
    """Whether a map of weights is the same everywhere, but for one part in a hundred: largest over smallest < 1.01."""
    low, high = float(values.min()), float(values.max())
    return low > 0 and high < EVEN * low


def as_map(attention: AttentionFrom) -> Explanation:
    """One query's weights, mean over heads, (key rows, key columns), as a map like any other: what can be compared."""
    return Explanation(
        "attention", attention.model, f"stage {attention.stage}, block {attention.block}",
        f"query at row {attention.query[0]}, column {attention.query[1]}",
        np.asarray(attention.mean, np.float32), False, "weight", attention.keys,
    )  # fmt: skip
