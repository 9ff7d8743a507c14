"""Edits of tensors inside the model during a forward pass, for a Trace.

Each function returns {kind: edit} for `Trace(edits=…)` or `observe(..., edits=…)`; `combine` joins several. An edit
changes one pass in one thread and leaves the model as it is. `detach` keeps every value and stops the gradient; the
others replace values:

    uniform_gates      IDConv's gates and bias gates at 1/G: the kernel is the same for every image (KernelSet.static)
    replace_kernels    IDConv's kernels and biases as they were recorded for another image
    uniform_attention  OSRA's weights at 1/Nk: the mean of all values
    mute_head          one head's weights at 0, so that its part of OSRA's output is 0
    zero_half          one half of D-Mixer's output at 0, before STE joins the two
    zero_ste           what STE adds at 0: the two halves are not joined

`edits_by_image` gives every image of a batch its own edits, so that many ablations of one image cost few passes.

This project's own. Limitations: the model was not trained with these changes, so later layers receive inputs unlike
those of training. A large change shows that the part is used, not that a model trained without it would be worse by as
much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch

from ...errors import check_index, check_name
from ...messages import Message
from ...trace import Edit, Tap, Trace

Edits = Mapping[str, Edit]
HALVES = ("idconv", "osra")


@dataclass(frozen=True)
class Scope:
    """Where an edit applies: Scope() is everywhere, Scope(3) all of stage 3.

    Attributes:
        stage: From 1; 0 is all stages.
        block: From 1; 0 is all blocks.
    """

    stage: int = 0
    block: int = 0

    def covers(self, stage: int, block: int) -> bool:
        """Whether this block, from 1, is in the scope."""
        return self.stage in (0, stage) and self.block in (0, block)

    def blocks(self, depths: Sequence[int]) -> list[tuple[int, int]]:
        """(stage, block) of each block that the scope covers, of a model with these blocks a stage."""
        every = ((stage, block) for stage, depth in enumerate(depths, 1) for block in range(1, depth + 1))
        return [layer for layer in every if self.covers(*layer)]

    @property
    def description(self) -> Message:
        """The scope in words."""
        if not self.stage:
            return Message("everywhere")
        if not self.block:
            return Message("stage {stage}", stage=self.stage)
        return Message("stage {stage}, block {block}", stage=self.stage, block=self.block)


EVERYWHERE = Scope()


def combine(*edits: Edits) -> dict[str, Edit]:
    """Join edits; those of the same kind apply in the order given.

    Returns:
        kind -> edit.
    """
    combined: dict[str, Edit] = {}
    for edits_by_kind in edits:
        for kind, edit in edits_by_kind.items():
            combined[kind] = _compose(combined[kind], edit) if kind in combined else edit
    return combined


def edits_by_image(edits: Sequence[Edits]) -> dict[str, Edit]:
    """Apply edits[i] to image i of a batch, as if it were the only one. During the pass, ValueError for another size.

    Args:
        edits: One for each image of the batch.

    Returns:
        kind -> edit.
    """
    kinds = dict.fromkeys(kind for image_edits in edits for kind in image_edits)
    return {kind: _edit_each_image([image_edits.get(kind) for image_edits in edits]) for kind in kinds}


def detach(kinds: Iterable[str], scope: Scope = EVERYWHERE) -> dict[str, Edit]:
    """Keep the values of these kinds and stop their gradient.

    Args:
        kinds: Some of trace.KINDS.
        scope: Where.

    Returns:
        kind -> edit.
    """
    return {kind: _within(scope, lambda tap, x: x.detach()) for kind in kinds}


def uniform_gates(scope: Scope = EVERYWHERE) -> dict[str, Edit]:
    """Set gates (B, G, C, K, K) and bias_gates (B, G, C) to 1/G. Changes nothing where G is 1.

    Args:
        scope: Where.

    Returns:
        kind -> edit.
    """
    edit = _within(scope, lambda tap, x: torch.full_like(x, 1 / x.shape[1]))
    return {"gates": edit, "bias_gates": edit}


def uniform_attention(scope: Scope = EVERYWHERE) -> dict[str, Edit]:
    """Set attention (B, heads, Nq, Nk) to 1/Nk.

    Args:
        scope: Where.

    Returns:
        kind -> edit.
    """
    return {"attention": _within(scope, lambda tap, x: torch.full_like(x, 1 / x.shape[-1]))}


def mute_head(head: int, scope: Scope = EVERYWHERE) -> dict[str, Edit]:
    """Set the attention weights of one head to 0.

    Args:
        head: From 1.
        scope: Where.

    Returns:
        kind -> edit. During the pass it raises OutOfRange if a block in scope has no such head.
    """

    def edit(tap: Tap, x: torch.Tensor) -> torch.Tensor:  # (B, heads, Nq, Nk)
        check_index(head, 1, x.shape[1], "Stage {stage} has no head {index}.", stage=tap.stage)
        factors = torch.ones(x.shape[1], 1, 1, dtype=x.dtype, device=x.device)
        factors[head - 1] = 0
        return x * factors

    return {"attention": _within(scope, edit)}


def zero_half(half: str, scope: Scope = EVERYWHERE) -> dict[str, Edit]:
    """Set one half of D-Mixer's output to 0.

    Args:
        half: "idconv" or "osra".
        scope: Where.

    Returns:
        kind -> edit.

    Raises:
        UnknownName: There is no such half.
    """
    check_name(half, HALVES, "D-Mixer has no half {name}.")
    return {half: _within(scope, lambda tap, x: torch.zeros_like(x))}


def zero_ste(scope: Scope = EVERYWHERE) -> dict[str, Edit]:
    """Set ste (B, C_stage, H, W) to 0. Changes nothing in a variant without STE.

    Args:
        scope: Where.

    Returns:
        kind -> edit.
    """
    return {"ste": _within(scope, lambda tap, x: torch.zeros_like(x))}


def replace_kernels(reference: Trace, scope: Scope = EVERYWHERE) -> dict[str, Edit]:
    """Replace kernels (B, C, K, K) and biases (B, C) by those of another image.

    Args:
        reference: A trace of the same model that recorded both for that image.
        scope: Where.

    Returns:
        kind -> edit. During the pass it raises OutOfRange if the trace lacks a block in scope.
    """

    def edit(tap: Tap, x: torch.Tensor) -> torch.Tensor:
        return reference.find_one(tap.kind, tap.stage, tap.block).tensor.detach().expand_as(x)

    return {kind: _within(scope, edit) for kind in ("kernels", "biases")}


def _within(scope: Scope, edit: Edit) -> Edit:
    return lambda tap, x: edit(tap, x) if scope.covers(tap.stage, tap.block) else x


def _edit_each_image(edits: Sequence[Edit | None]) -> Edit:
    def edit(tap: Tap, x: torch.Tensor) -> torch.Tensor:  # (B, ...)
        if len(x) != len(edits):
            raise ValueError(f"{len(edits)} rows of edits for a batch of {len(x)} images")
        before = x.split(1)
        after = [row if change is None else change(tap, row) for change, row in zip(edits, before, strict=True)]
        if all(new is old for new, old in zip(after, before, strict=True)):
            return x  # outside every scope: nothing to copy
        return torch.cat(after)

    return edit


def _compose(first: Edit, second: Edit) -> Edit:
    return lambda tap, x: second(tap, first(tap, x))
