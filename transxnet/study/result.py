"""Everything one look gave, as numpy arrays and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..results import AttentionFrom, AttentionTable, Explanation, KernelSet, Predictions
from ..results.ablation import Ablation
from ..results.ablation_table import AblationTable
from ..results.attention import AttentionDepth, PathwayEnergies, PositionAttention
from ..results.combined import CombinedMaps
from ..results.erf import ErfPathways
from ..results.kernel_arithmetic import KernelArithmetic
from ..results.kernels import KernelChange, KernelClusters, KernelDepth, KernelSpectrum
from ..results.out_of_distribution import OutOfDistribution
from ..results.quantized import QuantizedTable
from ..results.sanity_checks import SanityChecks
from ..variants import VariantSpec
from ..weights.load import Provenance
from .options import StudyOptions, Target


@dataclass(frozen=True)
class View:
    """What the model saw. rgb: uint8 (H, W, 3). crop_box: x0, y0, x1, y1, its edges in pixels of the upload."""

    rgb: np.ndarray
    crop_box: tuple[float, float, float, float]
    source_size: tuple[int, int]  # width, height


@dataclass(frozen=True)
class Study:
    """Everything one look gave. A part that was not asked for is None, and one that this variant cannot give:
    `missing` says why, by the part's name. `seconds`: wall time a part, and "total".
    """

    model: str  # as people type it: "pico", "pico@untrained"
    spec: VariantSpec
    provenance: Provenance
    image: str  # SHA-256 of the image's pixels
    crop: View
    options: StudyOptions
    position: tuple[float, float]  # the one looked from, upload pixels
    target: Target
    predictions: Predictions
    seconds: Mapping[str, float]
    contrast_target: str = ""  # WNID of the class that `contrast` compares with
    notes: tuple[str, ...] = ()  # what the reader should know before reading the maps
    missing: Mapping[str, str] = field(default_factory=dict)
    attention: AttentionFrom | None = None
    attention_table: AttentionTable | None = None
    block_table: QuantizedTable | None = None  # of the block looked at, every query
    stage_tables: tuple[QuantizedTable, ...] | None = None  # the last block of every stage
    position_attention: PositionAttention | None = None
    attention_depth: AttentionDepth | None = None
    rollout: Explanation | None = None
    rollouts: tuple[Explanation, ...] | None = None
    pathway_energies: PathwayEnergies | None = None
    kernels: KernelSet | None = None
    kernel_arithmetic: KernelArithmetic | None = None
    kernel_depth: KernelDepth | None = None
    clusters: KernelClusters | None = None
    spectra: tuple[KernelSpectrum, KernelSpectrum] | None = None  # of the generated kernels, of the static ones
    kernel_change: KernelChange | None = None
    other_view: np.ndarray | None = None  # uint8 (H, W, 3): what the model saw of the second image
    grad_cam: Explanation | None = None
    contrast: Explanation | None = None
    cam_stages: CombinedMaps | None = None
    receptive_field: Explanation | None = None
    erf_pathways: ErfPathways | None = None
    integrated_gradients: Explanation | None = None
    smooth_grad: Explanation | None = None
    occlusion: Explanation | None = None
    ablation_table: AblationTable | None = None
    ablation: Ablation | None = None
    sanity_checks: SanityChecks | None = None
    out_of_distribution: OutOfDistribution | None = None

    @property
    def untrained(self) -> bool:
        return self.provenance.kind == "untrained"
