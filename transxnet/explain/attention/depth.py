"""Attention and D-Mixer's two halves over the depth of the model: one figure a block, or a head.

Entropy and mean attention distance are those of attention.py, averaged over queries. Mean attention distance is how
Vision Transformers have been described since Dosovitskiy et al. (arXiv 2010.11929, appendix D.7) and Raghu et al.
(arXiv 2108.08810); here distances go from units to OSRA's keys, in pixels of the view, and `uniform_distance` stands
beside them, because an image's border alone already makes some distances larger than others.

Energies are ours: definitions.md asks for the share of D-Mixer's output that each half brings.

What they must not be read as: a low entropy is no sign of a good head, and a large distance none of a head that
matters. Energies are taken before STE joins the halves, before LayerScale shrinks both and long before the classifier,
so a share is the size of a signal and not its importance: the next convolution may cancel a large half and amplify a
small one. For what the answer loses without a half, see the what-if of `half_off`.
"""

from __future__ import annotations

import numpy as np

from ...errors import OutOfRange
from ...results.attention import AttentionDepth, AttentionTable, BlockAttention, PathwayEnergies
from ...trace import Record
from ..observe import Observation, need_part
from .attention import attention_tables

HALVES = ("idconv", "osra")  # the kinds pathway_energies needs


def attention_depth(observation: Observation) -> AttentionDepth:
    """Mean entropy (over log Nk, 0 to 1) and mean distance (view pixels) of every head of every kept block.

    Needs the kind "attention". Raises PartMissing for a model without OSRA, OutOfRange if no attention was kept.
    """
    tables = attention_tables(observation)
    if not tables:
        raise OutOfRange("The trace holds no attention.", remedy="Keep that kind when tracing.")
    return AttentionDepth(observation.model_name, tuple(observation.x.shape[-2:]), tuple(map(_summary, tables)))


def pathway_energies(observation: Observation) -> PathwayEnergies:
    """Mean squared value of IDConv's and OSRA's output in every block, all of it and what varies over positions.

    energy = mean over channels and positions of y^2; varying = the same of y minus its channel's mean over positions.
    A constant offset is energy too, but says nothing of places; the second figure leaves it out. Units: the squared
    units of the block's normalized features; only the shares compare between blocks.
    Needs the kinds "idconv" and "osra". Raises PartMissing for a model without OSRA, OutOfRange if either is missing.
    """
    need_part(observation, "osra")
    found = {half: observation.trace.find(half) for half in HALVES}
    if not found["osra"] or len(found["osra"]) != len(found["idconv"]):
        raise OutOfRange("The trace does not hold both halves.", remedy='Keep the kinds "idconv" and "osra".')
    energies = {half: np.array([_energies(r) for r in records]).T for half, records in found.items()}  # (2, blocks)
    stages, blocks = np.array([(r.stage, r.block) for r in found["osra"]]).T
    (idconv, idconv_varying), (osra, osra_varying) = (energies[half] for half in HALVES)
    return PathwayEnergies(observation.model_name, stages, blocks, idconv, osra, idconv_varying, osra_varying)


def _summary(table: AttentionTable) -> BlockAttention:
    entropy, distance = table.entropy.mean(axis=1), table.distance.mean(axis=1)  # (heads,)
    return BlockAttention(table.stage, table.block, entropy, distance, table.uniform_distance)


def _energies(record: Record) -> tuple[float, float]:
    """Energy, and energy of what varies over positions."""
    y = record.tensor[0].detach().double()  # (C, H, W)
    varying = y - y.mean(dim=(1, 2), keepdim=True)
    return float(y.square().mean()), float(varying.square().mean())
