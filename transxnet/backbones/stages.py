"""Which of a timm model's modules are its four stages, and how their outputs become maps (B, C, h, w) and back.

From timm's own feature_info: the last four distinct reductions; of a model with one resolution throughout (ViT), the
blocks at 1/4, 1/2, 3/4 and the end. Three layouts are known: (B, C, h, w), (B, h, w, C) as Swin's, and tokens (B, N, C)
in the image's order, row by row, after `prefix` others (class token, registers), which are left aside.
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
    """feature_info as rows; none where timm tells none."""
    info = getattr(net, "feature_info", None) or []
    rows = info if isinstance(info, list) else info.info
    return [Entry(row["module"], row["num_chs"], row["reduction"]) for row in rows if not row.get("hook_type")]


def choose(entries: Sequence[Entry], but_last: bool = False) -> list[Entry]:
    """The rows of the four stages, empty where there are not four. but_last: the last block does not count."""
    deepest = {entry.reduction: entry for entry in entries}
    if len(deepest) >= STAGES:
        return [deepest[reduction] for reduction in sorted(deepest)[-STAGES:]]
    blocks = entries[:-1] if but_last else entries
    if len(deepest) != 1 or len(blocks) < STAGES:
        return []
    return [blocks[-(-len(blocks) * quarter // STAGES) - 1] for quarter in range(1, STAGES + 1)]  # rounded up


@dataclass(frozen=True)
class Layout:
    """How a stage's output is laid out. prefix: tokens before those of the image."""

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
        """The map back in the layout of `output`, from which it came."""
        if self.kind == NCHW:
            return tensor
        if self.kind == NHWC:
            return tensor.permute(0, 2, 3, 1)
        patches = tensor.flatten(2).transpose(1, 2)  # (B, h * w, C)
        return torch.cat((output[:, : self.prefix], patches), dim=1) if self.prefix else patches


def layout_of(output: object, entry: Entry, side: int) -> Layout | None:
    """The layout of a stage's output on a square view of this side; None for one that is no map."""
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
    """A forward hook, set once when the model is made, that hands a stage's output through its Tap.

    Safe for threads, unlike hooks that collect: it holds nothing but the Tap, and a Tap asks its own thread's trace.
    Without one the output goes on untouched. What a trace records lies on the way to the logits, so that Grad-CAM can
    differentiate by it.
    """

    def __init__(self, tap: Tap, layout: Layout):
        self.tap, self.layout = tap, layout

    def __call__(self, module: nn.Module, args: tuple, output: Tensor) -> Tensor | None:
        if active_trace() is None:
            return None
        return self.layout.from_map(self.tap(self.layout.to_map(output)), output)
