"""Attention and the two halves of D-Mixer over the depth of the model: one number per block, or per head.

Entropy and mean attention distance are those of attention.py, averaged over queries. Mean attention distance has
described Vision Transformers since Dosovitskiy et al. (arXiv 2010.11929, appendix D.7) and Raghu et al.
(arXiv 2108.08810); here distances go from units to OSRA's keys, in model-input pixels, and `uniform_distance` is
reported with them because the image border alone makes some distances larger than others.

The energies are this project's own: the share of D-Mixer's output that each half contributes.

Limitations: a low entropy does not mean a better head, nor a large distance a more important one. Energies are
measured before STE joins the halves, before LayerScale shrinks both and long before the classifier, so a share is the
size of a signal and not its importance: the next convolution may cancel a large half and amplify a small one. To
measure what the prediction loses without a half, use the ablation `zero_half`.
"""

from __future__ import annotations

import numpy as np

from ...errors import OutOfRange
from ...results.attention import AttentionDepth, AttentionTable, BlockAttention, PathwayEnergies
from ...trace import Record
from ..observe import Observation, require_part
from .attention import attention_tables

HALVES = ("idconv", "osra")  # the kinds that pathway_energies needs


def attention_depth(observation: Observation) -> AttentionDepth:
    """Mean entropy and mean distance of every head of every recorded block.

    Args:
        observation: Must have recorded the kind "attention", at least in one block.

    Returns:
        Entropy over log Nk, 0 to 1, and distance in model-input pixels.

    Raises:
        OutOfRange: If no attention was recorded.
        PartMissing: For a model without OSRA.
    """
    tables = attention_tables(observation)
    if not tables:
        raise OutOfRange("The trace holds no attention.", remedy="Keep that kind when tracing.")
    return AttentionDepth(observation.model_name, tuple(observation.x.shape[-2:]), tuple(map(_average, tables)))


def pathway_energies(observation: Observation) -> PathwayEnergies:
    """Mean squared value of IDConv's and OSRA's output in every block, in total and after removing channel means.

    energy = mean over channels and positions of y^2; varying energy = the same of y minus its channel's mean over
    positions. A constant offset has energy but distinguishes no positions; the second number leaves it out.

    Args:
        observation: Must have recorded the kinds "idconv" and "osra".

    Returns:
        Energies in the squared unit of the block's normalized features; only shares are comparable between blocks.

    Raises:
        OutOfRange: If either kind was not recorded.
        PartMissing: For a model without OSRA.
    """
    require_part(observation, "osra")
    records = {half: observation.trace.find(half) for half in HALVES}
    if not records["osra"] or len(records["osra"]) != len(records["idconv"]):
        raise OutOfRange("The trace does not hold both halves.", remedy='Keep the kinds "idconv" and "osra".')
    energies = {half: np.array([_energies(r) for r in records[half]]).T for half in HALVES}  # (2, blocks) each
    stages, blocks = np.array([(r.stage, r.block) for r in records["osra"]]).T
    (idconv, idconv_varying), (osra, osra_varying) = (energies[half] for half in HALVES)
    return PathwayEnergies(observation.model_name, stages, blocks, idconv, osra, idconv_varying, osra_varying)


def _average(table: AttentionTable) -> BlockAttention:
    entropy, distance = table.entropy.mean(axis=1), table.distance.mean(axis=1)  # (heads,)
    return BlockAttention(table.stage, table.block, entropy, distance, table.uniform_distance)


def _energies(record: Record) -> tuple[float, float]:
    """Energy and varying energy."""
    features = record.tensor[0].detach().cpu().numpy().astype(np.float64)  # (C, H, W)
    varying = features - features.mean(axis=(1, 2), keepdims=True)
    return float(np.square(features).mean()), float(np.square(varying).mean())
