"""What can be changed inside the model while it looks at an image: edits for a Trace, and where they hold.

Each function returns {kind: edit} for `Trace(edits=…)` or `observe(..., edits=…)`; `together` joins several. An edit
changes one pass in one thread and leaves the model as it is. Detaching keeps every value and cuts the gradient; the
others replace values:

    uniform_gates      IDConv's gates and bias gates at 1/G: the kernel every image would get (KernelSet.static)
    kernels_of         IDConv's kernels and biases as they were recorded for another image
    uniform_attention  OSRA's weights at 1/Nk: the mean of all values
    head_off           one head's weights at 0, so that its part of OSRA's output is 0
    half_off           one half of D-Mixer's output at 0, before STE joins the two
    ste_off            what STE adds at 0: the two halves stay side by side

`rows` gives every image of a batch its own edits, so that many questions about one image cost few passes.

What they must not be read as: the model was never trained with these changes, so the rest answers to something it has
not met. A large change says that the part is used, not that a model trained without it would be worse by as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch

from ...errors import OutOfRange, quote
from ...trace import Edit, Tap, Trace

Edits = Mapping[str, Edit]
HALVES = ("idconv", "osra")


@dataclass(frozen=True)
class Scope:
    """Where an edit holds. stage, block: from 1; 0 is any, so Scope() is everywhere and Scope(3) all of stage 3."""

    stage: int = 0
    block: int = 0

    def holds(self, tap: Tap) -> bool:
        return self.covers(tap.stage, tap.block)

    def covers(self, stage: int, block: int) -> bool:
        return self.stage in (0, stage) and self.block in (0, block)

    def __str__(self) -> str:
        if not self.stage:
            return "everywhere"
        return f"stage {self.stage}, block {self.block}" if self.block else f"stage {self.stage}"


EVERYWHERE = Scope()


def together(*edits: Edits) -> dict[str, Edit]:
    """All of them; of the same kind the earlier ones first."""
    joined: dict[str, Edit] = {}
    for some in edits:
        for kind, edit in some.items():
            joined[kind] = _then(joined[kind], edit) if kind in joined else edit
    return joined


def rows(edits: Sequence[Edits]) -> dict[str, Edit]:
    """SourceImage i of a batch under edits[i] alone, as if it were the only one. The batch holds len(edits) images."""
    return {kind: _by_row([some.get(kind) for some in edits]) for some in edits for kind in some}


def detached(kinds: Iterable[str], scope: Scope = EVERYWHERE) -> dict[str, Edit]:
    """These kinds keep their values and pass no gradient."""
    return {kind: _where(scope, lambda tap, x: x.detach()) for kind in kinds}


def uniform_gates(scope: Scope = EVERYWHERE) -> dict[str, Edit]:
    """gates (B, G, C, K, K) and bias_gates (B, G, C) at 1/G. Changes nothing where G is 1."""
    edit = _where(scope, lambda tap, x: torch.full_like(x, 1 / x.shape[1]))
    return {"gates": edit, "bias_gates": edit}


def uniform_attention(scope: Scope = EVERYWHERE) -> dict[str, Edit]:
    """attention (B, heads, Nq, Nk) at 1/Nk."""
    return {"attention": _where(scope, lambda tap, x: torch.full_like(x, 1 / x.shape[-1]))}


def head_off(head: int, scope: Scope = EVERYWHERE) -> dict[str, Edit]:
    """One head, from 1, gives nothing. Raises OutOfRange, during the pass, for a head that a block in scope lacks."""

    def edit(tap: Tap, x: torch.Tensor) -> torch.Tensor:  # (B, heads, Nq, Nk)
        if not 1 <= head <= x.shape[1]:
            raise OutOfRange(f"Stage {tap.stage} has no head {head}.", remedy=f"Choose 1 to {x.shape[1]}.")
        on = torch.ones(x.shape[1], 1, 1, dtype=x.dtype, device=x.device)
        on[head - 1] = 0
        return x * on

    return {"attention": _where(scope, edit)}


def half_off(half: str, scope: Scope = EVERYWHERE) -> dict[str, Edit]:
    """ "idconv" or "osra": that half of D-Mixer's output is 0."""
    if half not in HALVES:
        raise OutOfRange(f"D-Mixer has no half {quote(half)}.", remedy=f"Choose one of: {', '.join(HALVES)}.")
    return {half: _where(scope, lambda tap, x: torch.zeros_like(x))}


def ste_off(scope: Scope = EVERYWHERE) -> dict[str, Edit]:
    """ste (B, C_stage, H, W) at 0. Changes nothing in a variant without STE."""
    return {"ste": _where(scope, lambda tap, x: torch.zeros_like(x))}


def kernels_of(other: Trace, scope: Scope = EVERYWHERE) -> dict[str, Edit]:
    """kernels and biases as `other`, a trace of the same model that kept both, recorded them for its image.

    Raises OutOfRange, during the pass, for a block in scope that `other` did not keep.
    """

    def edit(tap: Tap, x: torch.Tensor) -> torch.Tensor:
        return other.one(tap.kind, tap.stage, tap.block).tensor.detach().expand_as(x)

    return {kind: _where(scope, edit) for kind in ("kernels", "biases")}


def _where(scope: Scope, edit: Edit) -> Edit:
    return lambda tap, x: edit(tap, x) if scope.holds(tap) else x


def _by_row(edits: Sequence[Edit | None]) -> Edit:
    def edit(tap: Tap, x: torch.Tensor) -> torch.Tensor:  # (B, ...)
        if len(x) != len(edits):
            raise ValueError(f"{len(edits)} rows of edits for a batch of {len(x)} images")
        before = x.split(1)
        after = [row if change is None else change(tap, row) for change, row in zip(edits, before, strict=True)]
        if all(new is old for new, old in zip(after, before, strict=True)):
            return x  # outside every scope: nothing to copy
        return torch.cat(after)

    return edit


def _then(first: Edit, second: Edit) -> Edit:
    return lambda tap, x: second(tap, first(tap, x))
