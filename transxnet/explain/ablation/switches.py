"""Changes inside the model by name, as a page or an address says them: "uniform_gates@3.0", "head_off:2@3.2".

    NAME[:HEAD][@STAGE.BLOCK]      stage and block from 1; 0 is any, so @3.0 is all of stage 3, and nothing everywhere

The names are SWITCHES: ablations.QUESTIONS with `head_off`, a head of a person's choosing, in the place of `one_head`.
What they must not be read as: see ablation_table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch import nn

from ...errors import OutOfRange, PartMissing, UnknownName, quote
from ...results.ablation import Changed
from ...trace import Trace
from .catalog import QUESTIONS as ASKED
from .catalog import Given, answerable, words_of
from .edits import EVERYWHERE, Edits, Scope, together

HEAD_OFF = "head_off"
QUESTIONS: Mapping[str, str] = MappingProxyType(
    {
        "uniform_gates": "uniform_gates",
        "other_kernels": "other_kernels",
        "uniform_attention": "uniform_attention",
        HEAD_OFF: "one_head",
        "no_idconv": "no_idconv",
        "no_osra": "no_osra",
        "no_ste": "no_ste",
    }
)  # fmt: skip - switch -> the question of ablations.QUESTIONS that it asks
SWITCHES = tuple(QUESTIONS)
MOST = 32  # switches at once
_KEY = re.compile(r"([a-z_]{1,40})(?::(\d{1,3}))?(?:@(\d{1,3})\.(\d{1,3}))?")


@dataclass(frozen=True)
class Switch:
    """One change, and where it holds. head: from 1, of head_off; 0 elsewhere."""

    name: str
    scope: Scope = EVERYWHERE
    head: int = 0

    def __str__(self) -> str:
        return f"{self.name}{f':{self.head}' if self.head else ''}@{self.scope.stage}.{self.scope.block}"


def read_switch(key: str) -> Switch:
    """Raises UnknownName for a name that is none of SWITCHES, OutOfRange for a key that does not say where or which."""
    found = _KEY.fullmatch(key)
    if found is None or found[1] not in SWITCHES:
        raise UnknownName(f"There is no change called {quote(key)}.", remedy=f"Choose some of: {', '.join(SWITCHES)}.")
    name, head, scope = found[1], int(found[2] or 0), Scope(int(found[3] or 0), int(found[4] or 0))
    if scope.block and not scope.stage:
        raise OutOfRange(f"{key!r} names a block of no stage.", remedy=f"Say {name}@3.{scope.block}, for stage 3.")
    if (name == HEAD_OFF) != bool(head):
        wrong = "names no head" if name == HEAD_OFF else f"names a head, and {name} has none"
        raise OutOfRange(f"{key!r} {wrong}.", remedy=f"Heads count from 1: {HEAD_OFF}:1@3.2.")
    return Switch(name, scope, head)


def read_switches(keys: Iterable[str]) -> list[Switch]:
    """Each once, in their order. Raises as read_switch, and OutOfRange for more than MOST."""
    found = list(dict.fromkeys(read_switch(key) for key in keys))
    if len(found) > MOST:
        raise OutOfRange(f"{len(found)} changes at once are too many.", remedy=f"Name at most {MOST}.")
    return found


def possible(model: nn.Module, switches: Iterable[Switch]) -> tuple[list[Switch], dict[str, str]]:
    """Those that can be made in this model, and the others' keys with the reason. Of backbones none can."""
    missing = {switch: why for switch in switches if (why := _cannot(model, switch))}
    return [s for s in switches if s not in missing], {str(switch): why for switch, why in missing.items()}


def edits_of(model: nn.Module, switches: Iterable[Switch], kernels: Callable[[], Trace]) -> Edits:
    """All of them together, in their order. kernels: gives the trace of the image that lends its kernels."""
    return together(*(_edits(model, switch, kernels) for switch in switches))


def words_for(model: nn.Module, switch: Switch, other: str) -> Changed:
    """What it changes in this model, in words. other: the image that lends its kernels."""
    words = f"Head {switch.head} off" if switch.head else words_of(model, QUESTIONS[switch.name], other)
    return Changed(str(switch), words, str(switch.scope))


def _edits(model: nn.Module, switch: Switch, kernels: Callable[[], Trace]) -> Edits:
    lent = kernels() if switch.name == "other_kernels" else None
    heads = dict.fromkeys(_places(model, switch), switch.head) if switch.head else {}
    return ASKED[QUESTIONS[switch.name]].edits(switch.scope, Given(lent, heads))


def _places(model: nn.Module, switch: Switch) -> list[tuple[int, int]]:
    """(stage, block) in scope; of head_off those that have such a head."""
    depths, heads = model.spec.depths, model.spec.heads
    return [
        (stage, block)
        for stage in range(1, len(depths) + 1)
        for block in range(1, depths[stage - 1] + 1)
        if switch.scope.covers(stage, block) and switch.head <= heads[stage - 1]
    ]


def _cannot(model: nn.Module, switch: Switch) -> str:
    """Why nothing can be changed so; "" if it can."""
    question = QUESTIONS[switch.name]
    try:
        missing = answerable(model, (question,))[1]
    except PartMissing as error:
        return error.what
    if question in missing:
        return missing[question]
    if not _places(model, Switch(switch.name, switch.scope)):
        return f"{model.spec.name} has no {switch.scope}."
    return "" if _places(model, switch) else f"{model.spec.name} has no head {switch.head} there ({switch.scope})."
