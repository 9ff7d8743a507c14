"""What a Study can hold: one row of ANALYSES a part, with what the trace must keep for it and how it is made.

Parts of one pass are made from one Observation; those that are not (`alone`) run the model again themselves, once that
Observation and its graph are gone. A part that a model cannot give raises PartMissing, and the Study says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np

from ..errors import PartMissing
from ..explain.ablation.ablation import ablation
from ..explain.ablation.table import ablation_table
from ..explain.attention.attention import attention_table
from ..explain.attention.depth import attention_depth, pathway_energies
from ..explain.attention.rollout import rollout
from ..explain.attribution.grad_cam import HEAD
from ..explain.attribution.methods import METHODS, AttributionTarget
from ..explain.erf.pathways import erf_pathways
from ..explain.kernels.arithmetic import kernel_arithmetic
from ..explain.kernels.change import kernel_change, kernel_depth
from ..explain.kernels.clusters import kernel_clusters
from ..explain.kernels.kernels import kernels, representatives
from ..explain.kernels.spectra import kernel_spectrum
from ..explain.observe import Observation, observe
from ..explain.sanity.out_of_distribution import out_of_distribution
from ..explain.sanity.sanity_checks import sanity_checks
from ..images import ModelInput
from ..labels import LabelSet
from ..results import AttentionTable, Explanation, KernelSet
from ..results.ablation import Ablation
from ..results.ablation_table import AblationTable
from ..results.attention import PositionAttention
from ..results.erf import ErfPathways
from ..results.kernels import KernelChange
from ..results.out_of_distribution import OutOfDistribution
from ..results.quantized import QuantizedTable, quantize
from ..results.sanity_checks import SanityChecks
from ..trace import Tap
from ..weights.load import LoadedModel
from .options import StudyOptions, Target

Progress = Callable[[int, int], None]  # (steps done, steps in all)
KERNEL_KINDS = ("kernels", "gates", "biases", "bias_gates")


@dataclass
class AnalysisContext:
    """One image in front of one model, and what is asked. `seen` is gone for parts that are made alone."""

    loaded: LoadedModel
    model_input: ModelInput
    options: StudyOptions
    labels: LabelSet
    position: tuple[float, float]
    target: Target
    logits: np.ndarray  # (classes,)
    seen: Observation | None
    made: dict[str, object] = field(default_factory=dict)  # by the parts before
    other: ModelInput | None = None  # a second image, whose kernels are lent and compared
    other_words: str = ""  # its name, or why there is none
    progress: Progress | None = None  # of the part that is being made

    @cached_property
    def place(self) -> tuple[int, int]:
        """Stage and block looked at."""
        return self.seen.locate(self.options.stage, self.options.block)

    @cached_property
    def table(self) -> AttentionTable:
        return attention_table(self.seen, *self.place)

    @cached_property
    def small_tables(self) -> tuple[QuantizedTable, ...]:
        """Of the last block of every stage."""
        depths = self.loaded.spec.depths
        return tuple(quantize(attention_table(self.seen, stage)) for stage in range(1, len(depths) + 1))

    @cached_property
    def kernel_set(self) -> KernelSet:
        return kernels(self.seen, *self.place)

    @cached_property
    def question(self) -> AttributionTarget:
        """The same, as explain's methods take it."""
        o, target = self.options, self.target
        contrast_target = self.contrast_target
        words = "" if contrast_target is None else self.labels.names[contrast_target]
        return AttributionTarget(
            target.index, target.label, o.stage, o.block or 0, self.position, o.cam_layer, contrast_target, words
        )

    @cached_property
    def contrast_target(self) -> int | None:
        """The class asked for, where this model has it, else the best answer that is not the explained one."""
        if (
            self.options.contrast_target in self.labels.wnids
            and self.labels.wnids.index(self.options.contrast_target) != self.target.index
        ):
            return self.labels.wnids.index(self.options.contrast_target)
        best = (int(i) for i in np.argsort(-self.logits, kind="stable"))
        return next((i for i in best if i != self.target.index), None)

    def say(self, explanation: Explanation) -> Explanation:
        """The note on the explained class, where there is one, travels with the map."""
        note = self.target.note
        return replace(explanation, target=f"{explanation.target}. {note}") if note else explanation


Keep = Callable[[StudyOptions, Tap], bool]
Make = Callable[[AnalysisContext], object]


@dataclass(frozen=True)
class Analysis:
    """name: of the Study's field. words: what it is, for who chooses parts.

    keep: whether the trace must keep a tap's tensor; None where the part is made alone.
    """

    name: str
    words: str
    make: Make
    keep: Keep | None = None
    grad: bool = False

    @property
    def alone(self) -> bool:
        return self.keep is None


def _at_stage(*kinds: str) -> Keep:
    """These kinds at the stage looked at: of the other stages all would be dropped."""
    return lambda options, tap: tap.kind in kinds and tap.stage == options.stage


def _everywhere(*kinds: str) -> Keep:
    return lambda options, tap: tap.kind in kinds


def _cam_layer(options: StudyOptions, tap: Tap) -> bool:
    if options.cam_layer == HEAD:
        return tap.kind == "head"
    return tap.kind == "stage" and tap.stage == options.cam_layer


def _attention(look: AnalysisContext) -> object:
    return look.table.attention_from(*look.table.queries.unit_at(*look.position))


def _block_table(look: AnalysisContext) -> QuantizedTable:
    """The block looked at: one of `stage_tables` where it is, so that a study holds it once."""
    asked = "stage_tables" in look.options.only
    same = [t for t in look.small_tables if (t.stage, t.block) == look.place] if asked else []
    return same[0] if same else quantize(look.table)


def _out_of_distribution(look: AnalysisContext) -> OutOfDistribution:
    shares = np.exp(look.logits - look.logits.max())
    return out_of_distribution(look.seen, float(shares.max() / shares.sum()), look.loaded.provenance.sha256)


def _map(name: str) -> Make:
    """One of explain's METHODS, asked about this point and class."""
    method = METHODS[name]

    def make(look: AnalysisContext) -> Explanation:
        if method.single_pass:
            found = method.single_pass(look.seen, look.question)
        else:
            found = method.multi_pass(look.loaded.model, look.loaded.lock, look.model_input, look.question)
        return look.say(found) if method.about_class else found

    return make


def _position_attention(look: AnalysisContext) -> PositionAttention:
    table = look.table
    return PositionAttention(
        table.attention_from(*table.queries.unit_at(*look.position)),
        table.attention_to(*table.keys.unit_at(*look.position)),
    )


def _rollouts(look: AnalysisContext) -> tuple[Explanation, ...]:
    return tuple(rollout(look.seen, stage, look.position) for stage in range(1, len(look.loaded.spec.depths) + 1))


def _kernel_change(look: AnalysisContext) -> KernelChange:
    if look.other is None:
        raise PartMissing(look.other_words or "There is no second image to compare kernels with.", remedy="Give one.")
    second = observe(look.loaded.model, look.other, _at_place(KERNEL_KINDS, look.place))
    return kernel_change(look.kernel_set, kernels(second, *look.place))


def _at_place(kinds: tuple[str, ...], place: tuple[int, int]) -> Callable[[Tap], bool]:
    return lambda tap: tap.kind in kinds and (tap.stage, tap.block) == place


def _erf_pathways(look: AnalysisContext) -> ErfPathways:
    return erf_pathways(
        look.loaded.model, look.model_input, look.options.stage, look.position, progress=look.progress
    )  # fmt: skip


def _ablation_table(look: AnalysisContext) -> AblationTable:
    return ablation_table(
        look.loaded.model, look.model_input, look.labels, look.target.index, look.other, other_words=_lender(look),
        progress=look.progress,
    )  # fmt: skip


def _ablation(look: AnalysisContext) -> Ablation:
    o = look.options
    return ablation(
        look.loaded.model, look.model_input, look.labels, look.target.index, o.edits, o.mask, o.fill, look.other,
        _lender(look), look.logits,
    )  # fmt: skip


def _lender(look: AnalysisContext) -> str:
    """The image whose kernels are lent, in words."""
    return look.other_words if look.other is not None and look.other_words else "another image"


def _sanity_checks(look: AnalysisContext) -> SanityChecks:
    """Of the maps that this study shows; of all, where it shows none."""
    shown = {name: method for name, method in METHODS.items() if name in look.options.only}
    maps = {name: look.made[name] for name in METHODS if isinstance(look.made.get(name), Explanation)}
    return sanity_checks(
        look.loaded, look.model_input, look.question, shown or METHODS, look.options.thorough, look.progress, maps
    )  # fmt: skip


_ROWS = (
    Analysis("attention", "what OSRA's query mixes in", _attention, _at_stage("attention")),
    Analysis("attention_table", "all of one block's attention", lambda look: look.table, _at_stage("attention")),
    Analysis(
        "block_table", "the same in bytes, a quarter of the size", _block_table, _at_stage("attention"),
    ),
    Analysis(
        "stage_tables", "the same of every stage's last block", lambda look: look.small_tables,
        _everywhere("attention"),
    ),
    Analysis("position_attention", "all heads: what a query mixes in, who uses a key", _position_attention,
    _at_stage("attention")),
    Analysis(
        "attention_depth", "entropy and distance of every head and block", lambda look: attention_depth(look.seen),
        _everywhere("attention"),
    ),
    Analysis("rollout", "attention rolled out to pixels, an approximation", _map("rollout"), _everywhere("attention")),
    Analysis("rollouts", "the same from every stage", _rollouts, _everywhere("attention")),
    Analysis(
        "pathway_energies", "how much OSRA and IDConv put in", lambda look: pathway_energies(look.seen),
        _everywhere("idconv", "osra"),
    ),
    Analysis("kernels", "the kernels IDConv made", lambda look: look.kernel_set, _at_stage(*KERNEL_KINDS)),
    Analysis(
        "kernel_arithmetic", "a dozen channels: what IDConv was given, and what it made of it",
        lambda look: kernel_arithmetic(look.seen, *look.place, representatives(look.kernel_set)),
        _at_stage(*KERNEL_KINDS, "idconv_input", "idconv"),
    ),
    Analysis(
        "kernel_depth", "how far kernels are from static, block by block", lambda look: kernel_depth(look.seen),
        _everywhere(*KERNEL_KINDS),
    ),
    Analysis(
        "clusters", "a dozen kernels that stand for all", lambda look: kernel_clusters(look.kernel_set),
        _at_stage(*KERNEL_KINDS),
    ),
    Analysis(
        "spectra", "frequencies that generated and static kernels pass",
        lambda look: (kernel_spectrum(look.kernel_set), kernel_spectrum(look.kernel_set, "static")),
        _at_stage(*KERNEL_KINDS),
    ),
    Analysis("kernel_change", "kernels of a second image", _kernel_change, _at_stage(*KERNEL_KINDS)),
    Analysis("grad_cam", "what raised the answer", _map("grad_cam"), _cam_layer, grad=True),
    Analysis("contrast", "what spoke for it against the next answer", _map("contrast"), _cam_layer, grad=True),
    Analysis("cam_stages", "Grad-CAM of all stages in one", _map("cam_stages"), _everywhere("stage"), grad=True),
    Analysis("receptive_field", "the pixels a unit depends on", _map("receptive_field"), _at_stage("stage"), grad=True),
    Analysis("erf_pathways", "what of them is seen, what modulates", _erf_pathways),
    Analysis("integrated_gradients", "what each pixel adds, from gray", _map("integrated_gradients")),
    Analysis("smooth_grad", "the answer's gradient, averaged over noise", _map("smooth_grad")),
    Analysis("occlusion", "what the answer loses without a patch", _map("occlusion")),
    Analysis("ablation_table", "the answer with each part changed", _ablation_table),
    Analysis("ablation", "the answer with these parts changed and this region painted out", _ablation),
    Analysis("sanity_checks", "whether to believe the maps", _sanity_checks),
    Analysis("out_of_distribution", "whether the image is like those it learned from", _out_of_distribution,
    _everywhere("stage")),
)  # fmt: skip
ANALYSES: Mapping[str, Analysis] = MappingProxyType({row.name: row for row in _ROWS})
ASKED_FOR = (  # numbers for who looks closer: no figure is made of them
    "attention_table", "block_table", "stage_tables", "kernel_arithmetic", "ablation", "out_of_distribution",
)  # fmt: skip
DRAWN = tuple(name for name in ANALYSES if name not in ASKED_FOR)  # all that figures are made of
DEFAULT = tuple(name for name in DRAWN if name != "occlusion")  # of the command: without the slowest
