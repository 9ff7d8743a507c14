"""Find the stages of a timm model, and convert their outputs to maps (B, C, h, w) and back.

From timm's feature_info: the last four distinct reductions; of a model with one resolution (ViT), the blocks at 1/4,
1/2, 3/4 and the end. A model with fewer has fewer stages (LeViT: 3), and the last one is always stage 4. Three layouts
are supported: (B, C, h, w), (B, h, w, C) as in Swin, and tokens (B, N, C) after `prefix` others (class token,
registers), which are ignored. Tokens in another order than the image's, row by row, are sorted (Hiera's windows); of
several outputs the first map counts (PiT's map and class token, CrossViT's small-patch branch).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..trace import Tap, active_trace
from .spec import STAGES

Output = Tensor | tuple | list  # of a module
NCHW, NHWC, TOKENS = "NCHW", "NHWC", "tokens"
HRNET_FINAL = "final_layer"  # combines all branches
_ACTUAL_NAMES = (  # of the stages of Twins, MViTv2 and HRNet, whose feature_info names modules that do not exist
    ("blocks.0", "blocks.1", "blocks.2", "blocks.3"),
    ("stages.0", "stages.1", "stages.2", "stages.3"),
    ("incre_modules.0", "incre_modules.1", "incre_modules.2", HRNET_FINAL),
)


@dataclass(frozen=True)
class Entry:
    """One row of feature_info. tapped: a module with an output of the same layout, which is used instead; or ''."""

    module: str
    channels: int
    reduction: int
    tapped: str = ""

    @property
    def layer(self) -> str:
        """The module with the tap."""
        return self.tapped or self.module


def entries_of(net: nn.Module) -> list[Entry]:
    """timm's feature_info as rows, one per module; empty if there is none."""
    info = getattr(net, "feature_info", None) or []
    rows = [row for row in (info if isinstance(info, list) else info.info) if not row.get("hook_type")]
    names, modules = [row["module"] for row in rows], dict(net.named_modules())
    if not modules.keys() >= set(names):  # Twins, MViTv2, HRNet
        rows = rows[-STAGES:]
        names = next((actual for actual in _ACTUAL_NAMES if modules.keys() >= set(actual)), names)
    entries: dict[str, Entry] = {}
    for row, name in zip(rows, names, strict=False):
        while isinstance(modules.get(name), nn.ModuleList) and len(modules[name]):  # it is not called, its blocks are
            name = f"{name}.{len(modules[name]) - 1}"
        channels = net.num_features if name == HRNET_FINAL else row["num_chs"]
        entries.setdefault(name, Entry(name, channels, row["reduction"]))  # CrossViT: a row for each branch
    return list(entries.values())


def choose(net: nn.Module, but_last: bool = False) -> list[Entry]:
    """The rows of up to four stages. but_last: ignore the last block."""
    entries = entries_of(net)
    deepest = {entry.reduction: entry for entry in entries}
    if len(deepest) > 1:
        by_reduction = [deepest[reduction] for reduction in sorted(deepest)]
        stages = entries if len(entries) == STAGES else by_reduction[-STAGES:]
        return [*stages[:-1], _before_last_block(net, stages[-1])] if but_last else stages
    blocks = entries[:-1] if but_last else entries
    count = min(len(blocks), STAGES)
    return [blocks[-(-len(blocks) * part // count) - 1] for part in range(1, count + 1)]  # rounded up


def _before_last_block(net: nn.Module, stage: Entry) -> Entry:
    """The stage tapped one block earlier, if it has blocks (PiT)."""
    count = len(getattr(net.get_submodule(stage.module), "blocks", ()))
    prefix = f"{stage.module}.blocks"
    return replace(stage, module=f"{prefix}.{count - 1}", tapped=f"{prefix}.{count - 2}") if count > 1 else stage


@dataclass(frozen=True, eq=False)
class Layout:
    """The layout of a stage's output.

    Attributes:
        kind: NCHW, NHWC or TOKENS.
        prefix: Number of tokens before those of the image.
        index: Of the map among several outputs; None if there is one.
        order: The token of each unit of the map, (h * w,), and its inverse; None if they are in the map's order.
    """

    kind: str
    prefix: int = 0
    index: int | None = None
    order: tuple[Tensor, Tensor] | None = None

    def tensor_of(self, output: Output) -> Tensor:
        """The tensor of the map."""
        return output if self.index is None else output[self.index]

    def to_map(self, output: Output) -> Tensor:  # -> (B, C, h, w)
        tensor = self.tensor_of(output)
        if self.kind == NCHW:
            return tensor
        if self.kind == NHWC:
            return tensor.permute(0, 3, 1, 2)
        patches = tensor[:, self.prefix :]  # (B, h * w, C)
        patches = patches if self.order is None else patches[:, self.order[0]]
        side = round(patches.shape[1] ** 0.5)
        return patches.transpose(1, 2).unflatten(2, (side, side))

    def from_map(self, feature_map: Tensor, output: Output) -> Output:
        """Convert a map back to the layout of `output`, from which it was made."""
        tensor = feature_map
        if self.kind == NHWC:
            tensor = tensor.permute(0, 2, 3, 1)
        if self.kind == TOKENS:
            patches = tensor.flatten(2).transpose(1, 2)  # (B, h * w, C)
            patches = patches if self.order is None else patches[:, self.order[1]]
            tensor = torch.cat((self.tensor_of(output)[:, : self.prefix], patches), dim=1) if self.prefix else patches
        if self.index is None:
            return tensor
        return type(output)(tensor if i == self.index else other for i, other in enumerate(output))

    def ordered_as(self, tokens: Tensor, timm_map: Tensor) -> Layout | None:
        """This layout, with an order if the tokens need one to form timm's map; None if they cannot.

        Args:
            tokens: The map in this layout, (1, C, h, w).
            timm_map: The same units in the order of the image, (1, C, h, w).
        """
        # on the CPU: Apple's GPUs have no float64, and indices there apply to a tensor on any device
        rows, expected = (t[0].flatten(1).T.cpu() for t in (tokens, timm_map))  # (h * w, C)
        if torch.allclose(rows, expected, rtol=1e-3, atol=1e-4):
            return self
        weights = torch.linspace(1, 2, rows.shape[1])  # a plain sum has ties in half precision
        row_ranks, ranks = ((values * weights.double()).sum(dim=1).argsort() for values in (rows, expected))
        order = torch.empty_like(ranks)
        order[ranks] = row_ranks
        if torch.allclose(rows[order], expected, rtol=1e-3, atol=1e-4):
            return replace(self, order=(order, order.argsort()))
        return None


def layout_of(output: object, entry: Entry, side: int) -> Layout | None:
    """The layout of a stage's output for a square image of this side; None if it is not a map."""
    if isinstance(output, (tuple, list)):
        layouts = ((i, layout_of(tensor, entry, side)) for i, tensor in enumerate(output))
        return next((replace(layout, index=i) for i, layout in layouts if layout), None)
    if not isinstance(output, Tensor):
        return None
    if output.ndim == 3 and output.shape[2] == entry.channels:
        sides = (-(-side // entry.reduction), side // entry.reduction)  # rounded up, as LeViT's are, or down
        prefixes = (output.shape[1] - rows**2 for rows in sides if rows)
        return next((Layout(TOKENS, prefix) for prefix in prefixes if prefix >= 0), None)
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

    def __call__(self, module: nn.Module, args: tuple, output: Output) -> Output | None:
        if active_trace() is None:
            return None
        return self.layout.from_map(self.tap(self.layout.to_map(output)), output)
