"""What a Study can hold: one row of PARTS a part, with what the trace must keep for it and how it is made.

Parts of one pass are made from one Observation; those that are not (`alone`) run the model again themselves, once that
Observation and its graph are gone. A part that a model cannot give raises PartMissing, and the Study says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

from ..explain.attention import attention_table
from ..explain.grad_cam import HEAD
from ..explain.kernels import kernels
from ..explain.methods import METHODS, Question
from ..explain.observe import Observation
from ..images import Prepared
from ..labels import LabelSet
from ..results import AttentionTable, Explanation, KernelSet
from ..trace import Tap
from ..weights import LoadedModel
from .asked import Options, Target

Progress = Callable[[int, int], None]  # (steps done, steps in all)
KERNEL_KINDS = ("kernels", "gates", "biases", "bias_gates")


@dataclass
class Look:
    """One picture in front of one model, and what is asked. `seen` is gone for parts that are made alone."""

    loaded: LoadedModel
    prepared: Prepared
    options: Options
    labels: LabelSet
    point: tuple[float, float]
    target: Target
    seen: Observation | None
    other: Prepared | None = None  # a second picture, whose kernels are lent and compared
    progress: Progress | None = None  # of the part that is being made

    @cached_property
    def place(self) -> tuple[int, int]:
        """Stage and block looked at."""
        return self.seen.locate(self.options.stage, self.options.block)

    @cached_property
    def table(self) -> AttentionTable:
        return attention_table(self.seen, *self.place)

    @cached_property
    def kernel_set(self) -> KernelSet:
        return kernels(self.seen, *self.place)

    @cached_property
    def question(self) -> Question:
        """The same, as explain's methods take it."""
        o, target = self.options, self.target
        return Question(target.index, target.label, o.stage, o.block or 0, self.point, o.cam_stage)

    def say(self, explanation: Explanation) -> Explanation:
        """The note on the explained class, where there is one, travels with the map."""
        note = self.target.note
        return replace(explanation, target=f"{explanation.target}. {note}") if note else explanation


Keep = Callable[[Options, Tap], bool]
Make = Callable[[Look], object]


@dataclass(frozen=True)
class Part:
    """name: of the Study's field. words: what it is, for who chooses parts. dear: many passes more than the others.

    keep: whether the trace must keep a tap's tensor; None where the part is made alone.
    """

    name: str
    words: str
    make: Make
    keep: Keep | None = None
    grad: bool = False
    dear: bool = False

    @property
    def alone(self) -> bool:
        return self.keep is None


def _at_stage(*kinds: str) -> Keep:
    """These kinds at the stage looked at: of the other stages all would be dropped."""
    return lambda options, tap: tap.kind in kinds and tap.stage == options.stage


def _everywhere(*kinds: str) -> Keep:
    return lambda options, tap: tap.kind in kinds


def _cam_layer(options: Options, tap: Tap) -> bool:
    if options.cam_stage == HEAD:
        return tap.kind == "head"
    return tap.kind == "stage" and tap.stage == options.cam_stage


def _attention(look: Look) -> object:
    return look.table.at(*look.table.queries.unit_at(*look.point))


def _map(name: str) -> Make:
    """One of explain's METHODS, asked about this point and class."""
    method = METHODS[name]

    def make(look: Look) -> Explanation:
        if method.one_pass:
            found = method.one_pass(look.seen, look.question)
        else:
            found = method.many_passes(look.loaded.model, look.loaded.lock, look.prepared, look.question)
        return look.say(found) if method.about_class else found

    return make


_ROWS = (
    Part("attention", "what OSRA's query mixes in", _attention, _at_stage("attention")),
    Part("attention_table", "all of one block's attention", lambda look: look.table, _at_stage("attention")),
    Part("kernels", "the kernels IDConv made", lambda look: look.kernel_set, _at_stage(*KERNEL_KINDS)),
    Part("grad_cam", "what raised the answer", _map("grad_cam"), _cam_layer, grad=True),
    Part("receptive_field", "the pixels a unit depends on", _map("receptive_field"), _at_stage("stage"), grad=True),
    Part("integrated_gradients", "what each pixel adds, from grey", _map("integrated_gradients"), dear=True),
    Part("occlusion", "what the answer loses without a patch", _map("occlusion"), dear=True),
)
PARTS: Mapping[str, Part] = MappingProxyType({row.name: row for row in _ROWS})
DEFAULT = tuple(name for name in PARTS if name != "attention_table")  # of the command: all that is drawn
