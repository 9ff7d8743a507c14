"""The analyses of a study: for each row of ANALYSES what the trace must record and how the result is computed.

Analyses of one pass share one Observation; those that run separately run the model again themselves, after that
Observation and its graph have been released. An analysis that a model does not support raises PartMissing, and
Study.missing holds the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
import torch

from ..errors import PartMissing
from ..explain.ablation.ablation import ablation
from ..explain.ablation.table import ablation_table
from ..explain.attention.attention import attention_table
from ..explain.attention.depth import attention_depth, pathway_energies
from ..explain.attention.rollout import rollout
from ..explain.attribution.cam_layers import parse_cam_layers
from ..explain.attribution.methods import METHODS, AttributionTarget
from ..explain.erf.pathways import erf_pathways
from ..explain.kernels.arithmetic import kernel_arithmetic
from ..explain.kernels.change import kernel_change, kernel_depth
from ..explain.kernels.clusters import kernel_clusters
from ..explain.kernels.kernels import kernels, representatives
from ..explain.kernels.spectra import kernel_spectrum
from ..explain.observe import Observation, observe, require_classes
from ..explain.predict import predictions_of
from ..explain.sanity.out_of_distribution import out_of_distribution
from ..explain.sanity.sanity_checks import sanity_checks
from ..images import ModelInput
from ..labels import LabelSet
from ..messages import Message
from ..results import AttentionTable, Explanation, KernelSet
from ..results.ablation import Ablation
from ..results.ablation_table import AblationTable
from ..results.erf import ErfPathways
from ..results.kernels import KernelChange
from ..results.out_of_distribution import OutOfDistribution
from ..results.quantized import QuantizedTable, quantize
from ..results.sanity_checks import SanityChecks
from ..trace import Tap
from ..weights.load import LoadedModel
from .options import StudyOptions, Target

Progress = Callable[[int, int], None]  # (steps done, steps in total)
KERNEL_KINDS = ("kernels", "gates", "biases", "bias_gates")


@dataclass
class AnalysisContext:
    """One image, one model, and what the analyses of a study share.

    Attributes:
        loaded: The model.
        model_input: The prepared image.
        options: What was requested.
        labels: Names of the model's classes.
        position: (x, y) of the query, in pixels of the upload.
        target: The target class.
        logits: (classes,) float32.
        observation: The shared pass; None for analyses that run separately.
        results: Results so far, by analysis.
        reference_input: The reference image, whose kernels are borrowed and compared.
        reference_name: Its name, or why there is none.
        progress: Of the analysis that is running.
    """

    loaded: LoadedModel
    model_input: ModelInput
    options: StudyOptions
    labels: LabelSet
    position: tuple[float, float]
    target: Target
    logits: np.ndarray
    observation: Observation | None
    results: dict[str, object] = field(default_factory=dict)
    reference_input: ModelInput | None = None
    reference_name: str = ""
    progress: Progress | None = None

    @cached_property
    def layer(self) -> tuple[int, int]:
        """The chosen stage and block, from 1; of a backbone that lacks the stage, for which no analysis needs them."""
        with suppress(PartMissing):
            return self.observation.locate(self.options.stage, self.options.block)
        return self.options.stage, self.options.block or 1

    @cached_property
    def layer_attention(self) -> AttentionTable:
        """All attention of the chosen block."""
        return attention_table(self.observation, *self.layer)

    @cached_property
    def stage_tables(self) -> tuple[QuantizedTable, ...]:
        """Quantized attention of the last block of every stage."""
        depths = self.loaded.spec.depths
        return tuple(quantize(attention_table(self.observation, stage)) for stage in range(1, len(depths) + 1))

    @cached_property
    def layer_kernels(self) -> KernelSet:
        """Kernels of the chosen block."""
        return kernels(self.observation, *self.layer)

    @cached_property
    def attribution_target(self) -> AttributionTarget:
        """The target as the methods of `explain` take it."""
        o, target, contrast = self.options, self.target, self.contrast_target
        name = "" if contrast is None else self.labels.names[contrast]
        return AttributionTarget(
            target.index, target.label, o.stage, o.block or 0, self.position, o.cam_layer, contrast, name
        )

    @cached_property
    def contrast_target(self) -> int | None:
        """Index of the requested contrast class if this model has it, else of the best class but the target."""
        wnids, requested = self.labels.wnids, self.options.contrast_target
        if requested in wnids and wnids.index(requested) != self.target.index:
            return wnids.index(requested)
        best = (int(i) for i in np.argsort(-self.logits, kind="stable"))
        return next((i for i in best if i != self.target.index), None)

    def annotate(self, explanation: Explanation) -> Explanation:
        """Add the note on the target class, if there is one, to a map."""
        note = self.target.note
        if not note:
            return explanation
        return replace(explanation, target=Message("{target}. {note}", target=explanation.target, note=note))


Keep = Callable[[StudyOptions, Tap], bool]
Compute = Callable[[AnalysisContext], object]


@dataclass(frozen=True)
class Analysis:
    """One row.

    Attributes:
        name: Of the Study's field.
        compute: Computes the result.
        keep: Whether the trace must record a tap's tensor; None if the analysis runs separately.
        grad: Whether the shared pass needs gradients.
    """

    name: str
    compute: Compute
    keep: Keep | None = None
    grad: bool = False

    @property
    def runs_separately(self) -> bool:
        """Whether it runs the model itself."""
        return self.keep is None


def _at_stage(*kinds: str) -> Keep:
    """Record these kinds at the chosen stage only."""
    return lambda options, tap: tap.kind in kinds and tap.stage == options.stage


def _everywhere(*kinds: str) -> Keep:
    return lambda options, tap: tap.kind in kinds


def _cam_layer(options: StudyOptions, tap: Tap) -> bool:
    return any(layer.is_kept(tap) for layer in parse_cam_layers(options.cam_layer))


def _attention(context: AnalysisContext) -> object:
    table = context.layer_attention
    return table.attention_from(*table.queries.unit_at(*context.position))


def _block_table(context: AnalysisContext) -> QuantizedTable:
    """The chosen block; the object of `stage_tables` if it is among them, so that a study holds it once."""
    if "stage_tables" in context.options.analyses:
        for table in context.stage_tables:
            if (table.stage, table.block) == context.layer:
                return table
    return quantize(context.layer_attention)


def _out_of_distribution(context: AnalysisContext) -> OutOfDistribution:
    require_classes(context.loaded.model)
    if context.loaded.untrained:
        raise PartMissing("{model} has random weights: it learned from no images.", model=context.loaded.name)
    confidence = float(predictions_of(torch.from_numpy(context.logits), context.labels, 1).probabilities.max())
    return out_of_distribution(context.observation, confidence, context.loaded.provenance.sha256)


def _map(name: str) -> Compute:
    """One of explain's METHODS, for the context's position and target."""
    method = METHODS[name]

    def compute(context: AnalysisContext) -> Explanation:
        target = context.attribution_target
        if method.single_pass:
            explanation = method.single_pass(context.observation, target)
        else:
            loaded = context.loaded
            explanation = method.multi_pass(loaded.model, loaded.lock, context.model_input, target)
        return context.annotate(explanation) if method.about_class else explanation

    return compute


def _rollouts(context: AnalysisContext) -> tuple[Explanation, ...]:
    stages = range(1, len(context.loaded.spec.depths) + 1)
    return tuple(rollout(context.observation, stage, context.position) for stage in stages)


def _kernel_change(context: AnalysisContext) -> KernelChange:
    if context.reference_input is None:
        reason = context.reference_name or Message("There is no second image to compare kernels with.")
        raise PartMissing(reason, remedy="Give one.")
    reference = observe(
        context.loaded.model, context.reference_input,
        lambda tap: tap.kind in KERNEL_KINDS and (tap.stage, tap.block) == context.layer,
    )  # fmt: skip
    return kernel_change(context.layer_kernels, kernels(reference, *context.layer))


def _erf_pathways(context: AnalysisContext) -> ErfPathways:
    return erf_pathways(
        context.loaded.model, context.model_input, context.options.stage, context.position, progress=context.progress
    )


def _ablation_table(context: AnalysisContext) -> AblationTable:
    return ablation_table(
        context.loaded.model, context.model_input, context.labels, context.target.index, context.reference_input,
        reference_name=_reference_name(context), progress=context.progress,
    )  # fmt: skip


def _ablation(context: AnalysisContext) -> Ablation:
    o = context.options
    return ablation(
        context.loaded.model, context.model_input, context.labels, context.target.index, o.ablations, o.mask, o.fill,
        context.reference_input, _reference_name(context), context.logits,
    )  # fmt: skip


def _reference_name(context: AnalysisContext) -> str:
    """The image whose kernels are borrowed, in words."""
    return (context.reference_input and context.reference_name) or Message("another image")


def _sanity_checks(context: AnalysisContext) -> SanityChecks:
    """Of the maps that this study has; of all, if it has none."""
    require_classes(context.loaded.model)
    requested = {name: method for name, method in METHODS.items() if name in context.options.analyses}
    maps = {name: context.results[name] for name in METHODS if isinstance(context.results.get(name), Explanation)}
    return sanity_checks(
        context.loaded, context.model_input, context.attribution_target, requested or METHODS,
        context.options.full_cascade, context.progress, maps,
    )  # fmt: skip


_ROWS = (
    Analysis("attention", _attention, _at_stage("attention")),  # of one query
    Analysis("attention_table", lambda context: context.layer_attention, _at_stage("attention")),  # of one block
    Analysis("block_table", _block_table, _at_stage("attention")),  # the same, quantized to a quarter of the size
    Analysis("stage_tables", lambda context: context.stage_tables, _everywhere("attention")),
    Analysis(
        "position_attention", lambda context: context.layer_attention.position_attention(*context.position),
        _at_stage("attention"),
    ),
    Analysis("attention_depth", lambda context: attention_depth(context.observation), _everywhere("attention")),
    Analysis("rollout", _map("rollout"), _everywhere("attention")),
    Analysis("rollouts", _rollouts, _everywhere("attention")),  # from every stage
    Analysis(
        "pathway_energies", lambda context: pathway_energies(context.observation), _everywhere("idconv", "osra"),
    ),
    Analysis("kernels", lambda context: context.layer_kernels, _at_stage(*KERNEL_KINDS)),
    Analysis(
        "kernel_arithmetic",
        lambda context: kernel_arithmetic(
            context.observation, *context.layer, representatives(context.layer_kernels)
        ),
        _at_stage(*KERNEL_KINDS, "idconv_input", "idconv"),
    ),
    Analysis("kernel_depth", lambda context: kernel_depth(context.observation), _everywhere(*KERNEL_KINDS)),
    Analysis("clusters", lambda context: kernel_clusters(context.layer_kernels), _at_stage(*KERNEL_KINDS)),
    Analysis(
        "spectra",
        lambda context: (kernel_spectrum(context.layer_kernels), kernel_spectrum(context.layer_kernels, "static")),
        _at_stage(*KERNEL_KINDS),
    ),
    Analysis("kernel_change", _kernel_change, _at_stage(*KERNEL_KINDS)),  # against the reference image
    Analysis("grad_cam", _map("grad_cam"), _cam_layer, grad=True),
    Analysis("contrast", _map("contrast"), _cam_layer, grad=True),
    Analysis("cam_stages", _map("cam_stages"), _everywhere("stage"), grad=True),
    Analysis("receptive_field", _map("receptive_field"), _at_stage("stage"), grad=True),
    Analysis("erf_pathways", _erf_pathways),
    Analysis("integrated_gradients", _map("integrated_gradients")),
    Analysis("smooth_grad", _map("smooth_grad")),
    Analysis("occlusion", _map("occlusion")),
    Analysis("ablation_table", _ablation_table),
    Analysis("ablation", _ablation),
    Analysis("sanity_checks", _sanity_checks),
    Analysis("out_of_distribution", _out_of_distribution, _everywhere("stage")),
)  # fmt: skip
ANALYSES: Mapping[str, Analysis] = MappingProxyType({row.name: row for row in _ROWS})
WITHOUT_FIGURE = (
    "attention_table", "block_table", "stage_tables", "kernel_arithmetic", "ablation", "out_of_distribution",
)  # fmt: skip
FIGURE_ANALYSES = tuple(name for name in ANALYSES if name not in WITHOUT_FIGURE)
DEFAULT_ANALYSES = tuple(name for name in FIGURE_ANALYSES if name != "occlusion")  # of the command: without the slowest
