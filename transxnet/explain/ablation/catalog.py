"""The questions of ablation_table: a part of the model changed while it looks, as data.

    uniform_gates      IDConv's gates at 1/G: the one kernel that it would use if it did not look at the image
    other_kernels      IDConv's kernels and biases as they were made for another image, or for plain gray
    no_idconv          IDConv's half of D-Mixer's output at 0; all of it in a variant without OSRA
    uniform_attention  OSRA's weights at 1/Nk: every position gets the mean of all values
    one_head           one head off: in each block in scope, the one that alone moves the explained logit most there
    no_osra            OSRA's half of D-Mixer's output at 0
    no_ste             what STE adds at 0: nothing joins the two halves

A row names its part, so that a variant that does without is told why the question cannot be asked. What the changes
must not be read as: see ablation_table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from torch import nn

from ...backbones.module import Backbone
from ...errors import PartMissing, UnknownName, quote
from ...model import TransXNet
from ...results.ablation_table import Head
from ...trace import Trace
from ..observe import no_osra
from .edits import (
    Edits,
    Scope,
    half_off,
    head_off,
    kernels_of,
    ste_off,
    together,
    uniform_attention,
    uniform_gates,
)


@dataclass(frozen=True)
class Given:
    """What questions are answered with.

    kernels: a trace of the same model that kept another image's kernels and biases. heads: (stage, block) -> the
    head to switch off there, all from 1.
    """

    kernels: Trace | None = None
    heads: Mapping[tuple[int, int], int] = field(default_factory=dict)

    def heads_in(self, scope: Scope) -> tuple[Head, ...]:
        return tuple((stage, block, head) for (stage, block), head in self.heads.items() if scope.covers(stage, block))


@dataclass(frozen=True)
class AblationSpec:
    """One question: its words, the edits that ask it in a scope, and the part it is about ("" where all have it)."""

    name: str
    words: str  # "{other}" is the image whose kernels are lent, "{local}" what IDConv gives
    edits: Callable[[Scope, Given], Edits]
    part: str = ""


_ROWS = (
    AblationSpec("uniform_gates", "IDConv’s gates made uniform", lambda scope, given: uniform_gates(scope), "gates"),
    AblationSpec(
        "other_kernels", "IDConv’s kernels made for {other}",
        lambda scope, given: kernels_of(given.kernels, scope), "gates",
    ),
    AblationSpec("no_idconv", "{local} zeroed", lambda scope, given: half_off("idconv", scope)),
    AblationSpec("uniform_attention", "Attention made uniform", lambda scope, given: uniform_attention(scope), "osra"),
    AblationSpec(
        "one_head", "One head off in each block",
        lambda scope, given: together(*(head_off(h, Scope(s, b)) for s, b, h in given.heads_in(scope))), "osra",
    ),
    AblationSpec("no_osra", "OSRA’s half zeroed", lambda scope, given: half_off("osra", scope), "osra"),
    AblationSpec("no_ste", "What STE adds zeroed", lambda scope, given: ste_off(scope), "ste"),
)  # fmt: skip
QUESTIONS: Mapping[str, AblationSpec] = MappingProxyType({row.name: row for row in _ROWS})


def answerable(model: nn.Module, questions: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Those of the questions that this model has the part for, and the others with the reason.

    Raises UnknownName for a question that is not in QUESTIONS, PartMissing for a model that is no TransXNet.
    """
    if not isinstance(model, TransXNet):
        raise PartMissing(
            f"{_called(model)} is no TransXNet: it has no IDConv and no OSRA that could be changed.",
            remedy="Choose a TransXNet variant, or another view.",
        )
    names = list(dict.fromkeys(questions))
    for name in names:
        if name not in QUESTIONS:
            raise UnknownName(f"There is no question {quote(name)}.", remedy=f"Choose from: {', '.join(QUESTIONS)}.")
    missing = {name: why for name in names if (why := _lacks(model, QUESTIONS[name].part))}
    return [name for name in names if name not in missing], missing


def words_of(model: TransXNet, question: str, other: str = "another image") -> str:
    """A question in words that are true of this variant."""
    spec = model.spec
    local = "IDConv’s" if spec.idconv else "The static convolution’s"
    return QUESTIONS[question].words.format(other=other, local=f"{local} {'half' if spec.osra else 'output'}")


def _called(model: nn.Module) -> str:
    return model.spec.architecture if isinstance(model, Backbone) else "This model"


def _lacks(model: TransXNet, part: str) -> str:
    """Why nothing can be asked about this part; "" if it can."""
    spec = model.spec
    if part == "osra" and not spec.osra:
        return no_osra(spec)
    if part == "gates" and not spec.idconv:
        return f"{spec.short}’s kernels are learned, not generated: the same for every image, and without gates."
    if part == "ste" and not spec.ste:
        return f"{spec.short} has no STE."
    return ""
