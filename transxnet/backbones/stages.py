"""Find the four stages of a timm model, and convert their outputs to maps (B, C, h, w) and back.

From timm's feature_info: the last four distinct reductions; of a model with one resolution (ViT), the blocks at 1/4,
1/2, 3/4 and the end. Three layouts are supported: (B, C, h, w), (B, h, w, C) as in Swin, and tokens (B, N, C) in the
order of the image, row by row, after `prefix` others (class token, registers), which are ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..trace import Tap, active_trace
from .spec import STAGES

NCHW, NHWC, TOKENS = "NCHW", "NHWC", "tokens"


@dataclass(frozen=True)
class Entry:
    """One row of feature_info."""

    module: str
    channels: int
    reduction: int


def entries_of(net: nn.Module) -> list[Entry]:
    """timm's feature_info as rows; empty if there is none."""
    info = getattr(net, "feature_info", None) or []
    rows = info if isinstance(info, list) else info.info
    return [Entry(row["module"], row["num_chs"], row["reduction"]) for row in rows if not row.get("hook_type")]


def choose(entries: Sequence[Entry], but_last: bool = False) -> list[Entry]:
    """The rows of the four stages, empty if there are fewer. but_last: ignore the last block."""
    deepest = {entry.reduction: entry for entry in entries}
    if len(deepest) >= STAGES:
        return [deepest[reduction] for reduction in sorted(deepest)[-STAGES:]]
    blocks = entries[:-1] if but_last else entries
    if len(deepest) != 1 or len(blocks) < STAGES:
        return []
    return [blocks[-(-len(blocks) * quarter // STAGES) - 1] for quarter in range(1, STAGES + 1)]  # rounded up


@dataclass(frozen=True)
class Layout:
    """The layout of a stage's output. prefix: number of tokens before those of the image."""

    kind: str
    prefix: int = 0

    def to_map(self, output: Tensor) -> Tensor:  # -> (B, C, h, w)
        if self.kind == NCHW:
            return output
        if self.kind == NHWC:
            return output.permute(0, 3, 1, 2)
        patches = output[:, self.prefix :]  # (B, h * w, C)
        side = round(patches.shape[1] ** 0.5)
        return patches.transpose(1, 2).unflatten(2, (side, side))

    def from_map(self, tensor: Tensor, output: Tensor) -> Tensor:
        """Convert a map back to the layout of `output`, from which it was made."""
        if self.kind == NCHW:
            return tensor
        if self.kind == NHWC:
            return tensor.permute(0, 2, 3, 1)
        patches = tensor.flatten(2).transpose(1, 2)  # (B, h * w, C)
        return torch.cat((output[:, : self.prefix], patches), dim=1) if self.prefix else patches


def layout_of(output: object, entry: Entry, side: int) -> Layout | None:
    """The layout of a stage's output for a square image of this side; None if it is not a map."""
    if not isinstance(output, Tensor):
        return None
    if output.ndim == 3 and output.shape[2] == entry.channels:
        prefix = output.shape[1] - (side // entry.reduction) ** 2
        return Layout(TOKENS, prefix) if prefix >= 0 and side // entry.reduction > 0 else None
    if output.ndim == 4 and output.shape[1] == entry.channels and output.shape[2] == output.shape[3]:
        return Layout(NCHW)
    if output.ndim == 4 and output.shape[3] == entry.channels and output.shape[1] == output.shape[2]:
        return Layout(NHWC)
    return None


class StageHook:
    """A permanent forward hook that passes a stage's output through its Tap.

    Thread-safe, unlike hooks that store outputs: it refers to the Tap only, and a Tap uses the trace of its thread.
    Without a trace the output is unchanged. The tensors that a trace records are on the way to the logits, so that
    Grad-CAM can differentiate with respect to them.
    """

    def __init__(self, tap: Tap, layout: Layout):
        self.tap, self.layout = tap, layout

    def __call__(self, module: nn.Module, args: tuple, output: Tensor) -> Tensor | None:
        if active_trace() is None:
            return None
        return self.layout.from_map(self.tap(self.layout.to_map(output)), output)
