"""The catalog of ablations, and their text form on the page, in URLs and in requests.

    uniform_gates      IDConv's gates at 1/G: the one kernel that IDConv would use if it ignored the image
    other_kernels      IDConv's kernels and biases as generated for another image, or for plain gray
    no_idconv          IDConv's half of D-Mixer's output at 0; all of it in a variant without OSRA
    uniform_attention  OSRA's weights at 1/Nk: every position gets the mean of all values
    one_head           one head muted: in each block in scope, the one that alone moves the target logit most there
    no_osra            OSRA's half of D-Mixer's output at 0
    no_ste             what STE adds at 0: nothing joins the two halves

The text form is "NAME[:HEAD][@STAGE.BLOCK]", as in "uniform_gates@3.0" and "head_off:2@3.2": stage and block from 1, 0
for all, everywhere if left out. Its names are SELECTABLE: ABLATIONS with `head_off`, one chosen head, for `one_head`.

This project's own. Limitations: see table.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from torch import nn

from ...backbones.module import Backbone
from ...errors import OutOfRange, PartMissing, check_name
from ...messages import Message
from ...model import TransXNet
from ...results.ablation import AppliedAblation
from ...results.ablation_table import Head
from ...trace import Trace
from ..observe import missing_osra
from .edits import (
    EVERYWHERE,
    Edits,
    Scope,
    combine,
    mute_head,
    replace_kernels,
    uniform_attention,
    uniform_gates,
    zero_half,
    zero_ste,
)


@dataclass(frozen=True)
class AblationInputs:
    """What edits need beyond their scope.

    Attributes:
        kernels: A trace of the same model that recorded another image's kernels and biases.
        heads: (stage, block) -> the head to mute there, all from 1.
    """

    kernels: Trace | None = None
    heads: Mapping[tuple[int, int], int] = field(default_factory=dict)

    def heads_in(self, scope: Scope) -> tuple[Head, ...]:
        """(stage, block, head) of each head to mute in a scope."""
        return tuple((stage, block, head) for (stage, block), head in self.heads.items() if scope.covers(stage, block))


@dataclass(frozen=True)
class AblationSpec:
    """One row of the catalog.

    Attributes:
        name: Its key in ABLATIONS.
        description: A template; "{other}" is the image whose kernels are borrowed, "{local}" what IDConv outputs.
        edits: Builds the edits for a scope.
        part: The part of the model that it changes: "gates", "osra", "ste", or "" where every TransXNet has it.
    """

    name: str
    description: str
    edits: Callable[[Scope, AblationInputs], Edits]
    part: str = ""


_ROWS = (
    AblationSpec("uniform_gates", "IDConv’s gates made uniform", lambda scope, inputs: uniform_gates(scope), "gates"),
    AblationSpec(
        "other_kernels", "IDConv’s kernels made for {other}",
        lambda scope, inputs: replace_kernels(inputs.kernels, scope), "gates",
    ),
    AblationSpec("no_idconv", "{local} zeroed", lambda scope, inputs: zero_half("idconv", scope)),
    AblationSpec("uniform_attention", "Attention made uniform", lambda scope, inputs: uniform_attention(scope), "osra"),
    AblationSpec(
        "one_head", "One head off in each block",
        lambda scope, inputs: combine(*(mute_head(h, Scope(s, b)) for s, b, h in inputs.heads_in(scope))), "osra",
    ),
    AblationSpec("no_osra", "OSRA’s half zeroed", lambda scope, inputs: zero_half("osra", scope), "osra"),
    AblationSpec("no_ste", "What STE adds zeroed", lambda scope, inputs: zero_ste(scope), "ste"),
)  # fmt: skip
ABLATIONS: Mapping[str, AblationSpec] = MappingProxyType({row.name: row for row in _ROWS})


def available_ablations(model: nn.Module, names: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Sort ablations by whether this model has the part that they change.

    Args:
        model: A TransXNet.
        names: Keys of ABLATIONS.

    Returns:
        The names that it supports, each once; and the others, with the reason.

    Raises:
        UnknownName: A name is not in ABLATIONS.
        PartMissing: The model is no TransXNet.
    """
    if not isinstance(model, TransXNet):
        raise PartMissing(
            "{name} is no TransXNet: {lacks}.", remedy="Choose a TransXNet variant, or another view.",
            name=model.spec.architecture if isinstance(model, Backbone) else Message("This model"),
            lacks=Message("it has no IDConv and no OSRA that could be changed"),
        )  # fmt: skip
    names = list(dict.fromkeys(names))
    for name in names:
        check_name(name, ABLATIONS, "There is no question {name}.", "Choose from: {names}.")
    missing = {name: reason for name in names if (reason := _missing_part(model, ABLATIONS[name].part))}
    return [name for name in names if name not in missing], missing


def describe_ablation(model: TransXNet, name: str, other: str = Message("another image")) -> Message:
    """An ablation in words that hold for this variant.

    Args:
        model: The model to change.
        name: A key of ABLATIONS.
        other: The image whose kernels are borrowed, in words.

    Returns:
        A phrase.
    """
    spec = model.spec
    unit = "IDConv’s" if spec.idconv else "The static convolution’s"
    local = Message(f"{unit} {'half' if spec.osra else 'output'}")
    return Message(ABLATIONS[name].description, other=other, local=local)


def _missing_part(model: TransXNet, part: str) -> str:
    """Why this model lacks the part; "" if it has it."""
    spec = model.spec
    if part == "osra" and not spec.osra:
        return missing_osra(spec)
    if part == "gates" and not spec.idconv:
        return Message(
            "{model}’s kernels are learned, not generated: the same for every image, and without gates.",
            model=spec.short,
        )
    if part == "ste" and not spec.ste:
        return Message("{model} has no STE.", model=spec.short)
    return ""


# ---- The text form --------------------------------------------------------------------------------------------------

HEAD_OFF = "head_off"
SELECTABLE = ("uniform_gates", "other_kernels", "uniform_attention", HEAD_OFF, "no_idconv", "no_osra", "no_ste")
MAX_ABLATIONS = 32  # at once
_KEY = re.compile(r"([a-z_]{1,40})(?::(\d{1,3}))?(?:@(\d{1,3})\.(\d{1,3}))?")


@dataclass(frozen=True)
class ScopedAblation:
    """One change and where it applies; str() is its text form.

    Attributes:
        name: One of SELECTABLE.
        scope: Where it applies.
        head: From 1, of `head_off`; 0 for the others.
    """

    name: str
    scope: Scope = EVERYWHERE
    head: int = 0

    def __str__(self) -> str:
        return f"{self.name}{f':{self.head}' if self.head else ''}@{self.scope.stage}.{self.scope.block}"

    @property
    def catalog_name(self) -> str:
        """Its key in ABLATIONS."""
        return "one_head" if self.name == HEAD_OFF else self.name

    def blocks(self, model: nn.Module) -> list[tuple[int, int]]:
        """(stage, block) in scope; of `head_off` those that have such a head."""
        blocks = self.scope.blocks(model.spec.depths)
        return [(stage, block) for stage, block in blocks if self.head <= model.spec.heads[stage - 1]]


def parse_ablation(key: str) -> ScopedAblation:
    """Parse the text form of one change.

    Args:
        key: "NAME[:HEAD][@STAGE.BLOCK]".

    Returns:
        The change.

    Raises:
        UnknownName: The name is none of SELECTABLE.
        OutOfRange: The key lacks a stage or a head, or names a head that the change does not have.
    """
    match = _KEY.fullmatch(key)
    name = match[1] if match and match[1] in SELECTABLE else key
    check_name(name, SELECTABLE, "There is no ablation called {name}.", "Choose some of: {names}.")
    head, scope = int(match[2] or 0), Scope(int(match[3] or 0), int(match[4] or 0))
    if scope.block and not scope.stage:
        raise OutOfRange(
            "{key} names a block of no stage.", remedy="Say {example}, for stage 3.", key=repr(key),
            example=f"{name}@3.{scope.block}",
        )  # fmt: skip
    if (name == HEAD_OFF) != bool(head):
        template = "{key} names no head." if name == HEAD_OFF else "{key} names a head, and {name} has none."
        raise OutOfRange(
            template, remedy="Heads count from 1: {example}.", key=repr(key), name=name, example=f"{HEAD_OFF}:1@3.2"
        )
    return ScopedAblation(name, scope, head)


def parse_ablations(keys: Iterable[str]) -> list[ScopedAblation]:
    """Parse several changes.

    Args:
        keys: As `parse_ablation` takes them.

    Returns:
        Each once, in their order.

    Raises:
        UnknownName: As `parse_ablation`.
        OutOfRange: As `parse_ablation`, or more than MAX_ABLATIONS.
    """
    ablations = list(dict.fromkeys(parse_ablation(key) for key in keys))
    if len(ablations) > MAX_ABLATIONS:
        raise OutOfRange(
            "{count} changes at once are too many.", remedy="Name at most {limit}.", count=len(ablations),
            limit=MAX_ABLATIONS,
        )  # fmt: skip
    return ablations


def split_applicable(
    model: nn.Module, ablations: Iterable[ScopedAblation]
) -> tuple[list[ScopedAblation], dict[str, str]]:
    """Sort changes by whether they apply to this model. None applies to backbones.

    Args:
        model: The model to change.
        ablations: The changes.

    Returns:
        Those that apply; and the keys of the others, with the reason.
    """
    reasons = {ablation: reason for ablation in ablations if (reason := _not_applicable(model, ablation))}
    return [a for a in ablations if a not in reasons], {str(ablation): reason for ablation, reason in reasons.items()}


def combined_edits(model: nn.Module, ablations: Iterable[ScopedAblation], kernels: Callable[[], Trace]) -> Edits:
    """The edits of all changes, in their order.

    Args:
        model: The model to change.
        ablations: Changes that apply to it.
        kernels: Traces the image whose kernels are borrowed; called only if needed.

    Returns:
        Edits for `observe`.
    """
    return combine(*(_edits(model, ablation, kernels) for ablation in ablations))


def describe_applied(model: nn.Module, ablation: ScopedAblation, other: str) -> AppliedAblation:
    """A change in words.

    Args:
        model: The model to change.
        ablation: The change.
        other: The image whose kernels are borrowed, in words.

    Returns:
        Its key, description and scope.
    """
    if ablation.head:
        description = Message("Head {head} off", head=ablation.head)
    else:
        description = describe_ablation(model, ablation.catalog_name, other)
    return AppliedAblation(str(ablation), description, ablation.scope.description)


def _edits(model: nn.Module, ablation: ScopedAblation, kernels: Callable[[], Trace]) -> Edits:
    trace = kernels() if ablation.name == "other_kernels" else None
    heads = dict.fromkeys(ablation.blocks(model), ablation.head) if ablation.head else {}
    return ABLATIONS[ablation.catalog_name].edits(ablation.scope, AblationInputs(trace, heads))


def _not_applicable(model: nn.Module, ablation: ScopedAblation) -> str:
    """Why the change does not apply to this model; "" if it does."""
    try:
        missing = available_ablations(model, (ablation.catalog_name,))[1]
    except PartMissing as error:
        return error.what
    if missing:
        return missing[ablation.catalog_name]
    scope = ablation.scope.description
    if not ablation.scope.blocks(model.spec.depths):
        return Message("{model} has no {scope}.", model=model.spec.name, scope=scope)
    if not ablation.blocks(model):
        template = "{model} has no head {head} there ({scope})."
        return Message(template, model=model.spec.name, head=ablation.head, scope=scope)
    return ""
