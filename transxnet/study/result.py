"""The result of a study, as numpy arrays and text."""

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
class InputCrop:
    """What the model received.

    Attributes:
        rgb: uint8 (H, W, 3).
        crop_box: x0, y0, x1, y1, its edges in pixels of the upright upload.
        source_size: (width, height) of the upload.
    """

    rgb: np.ndarray
    crop_box: tuple[float, float, float, float]
    source_size: tuple[int, int]


@dataclass(frozen=True)
class Study:
    """Everything computed for one image by one model.

    An analysis that was not requested is None, and so is one that this model does not support: `missing` has the
    reason.

    Attributes:
        model: The model's name as users type it: "pico", "pico@untrained".
        spec: Its architecture.
        provenance: Where its weights come from.
        image: SHA-256 of the image's pixels.
        crop: What the model received.
        options: What was requested.
        position: (x, y) of the query, in pixels of the upload.
        target: The target class.
        predictions: The model's predictions.
        seconds: Wall time of each analysis, and "total".
        contrast_target: WNID of the class that `contrast` compares with.
        notes: What a reader should know before reading the maps.
        missing: Name of an analysis that this model does not support -> reason.
        block_table: Attention of every query of the chosen block, quantized.
        stage_tables: The same of the last block of every stage.
        spectra: Of the generated kernels, and of the static ones.
        reference_crop: What the model received of the reference image: uint8 (H, W, 3).
    """

    model: str
    spec: VariantSpec
    provenance: Provenance
    image: str
    crop: InputCrop
    options: StudyOptions
    position: tuple[float, float]
    target: Target
    predictions: Predictions
    seconds: Mapping[str, float]
    contrast_target: str = ""
    notes: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    attention: AttentionFrom | None = None
    attention_table: AttentionTable | None = None
    block_table: QuantizedTable | None = None
    stage_tables: tuple[QuantizedTable, ...] | None = None
    position_attention: PositionAttention | None = None
    attention_depth: AttentionDepth | None = None
    rollout: Explanation | None = None
    rollouts: tuple[Explanation, ...] | None = None
    pathway_energies: PathwayEnergies | None = None
    kernels: KernelSet | None = None
    kernel_arithmetic: KernelArithmetic | None = None
    kernel_depth: KernelDepth | None = None
    clusters: KernelClusters | None = None
    spectra: tuple[KernelSpectrum, KernelSpectrum] | None = None
    kernel_change: KernelChange | None = None
    reference_crop: np.ndarray | None = None
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
    def target_probability(self) -> float | None:
        """Of the target class; None for a model without a classifier."""
        probabilities = self.predictions.probabilities
        return float(probabilities[self.target.index]) if len(probabilities) else None

    @property
    def untrained(self) -> bool:
        """Whether the model's weights are random."""
        return self.provenance.kind == "untrained"
