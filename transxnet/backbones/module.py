"""Backbone: a timm model with a Tap after each stage, for all methods that need no part of TransXNet.

The logits equal the timm model's exactly. stages.py finds the stages, grids.py the positions of their units; both run
once, when the Backbone is created, with a few forward passes of a noise image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from ..errors import LensError, WeightsMismatch
from ..messages import Message
from ..trace import Tap, Trace
from ..weights.checkpoint import UNTRAINED_SEED, SeededRandomness
from .grids import Grid, GridTracker, grid_of
from .spec import STAGES, BackboneSpec, find_backbone, misfit
from .stages import TOKENS, Entry, Layout, Output, StageHook, choose, layout_of


class Backbone(nn.Module):
    """A timm model in eval mode. (1, 3, S, S), normalized -> (1, classes), or features if it has no classifier.

    The hooks on the stage modules are permanent.

    Args:
        net: timm's model.
        spec: Its spec.

    Attributes:
        net: timm's model.
        spec: The spec with strides, origins and layers.
        taps: One per stage, of kind "stage"; there is no other kind.

    Raises:
        LensError: The model has no stages that end in maps on the way to the logits.
    """

    def __init__(self, net: nn.Module, spec: BackboneSpec):
        super().__init__()
        self.net = net.eval()
        self.num_classes = spec.num_classes
        self.spec = spec
        with torch.no_grad():
            self._place_stages()
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def _place_stages(self) -> None:
        """Choose the stages, attach the taps, and check that the last one affects the logits."""
        for but_last in (False, True):
            chosen = choose(self.net, but_last)
            if not chosen:
                raise misfit(self.spec.name, "timm defines no stages")
            handles, features = self._attach_taps(chosen)
            if not torch.equal(self._features_without_last_stage(), features):
                if but_last:
                    output = "logits" if self.num_classes else "features"
                    remarks = (self.spec.remark, f"patch tokens; the last block's do not reach the {output}")
                    self.spec = replace(self.spec, remark="; ".join(filter(None, remarks)))
                return
            for handle in handles:
                handle.remove()
        raise misfit(self.spec.name, "the output of its last stage does not affect the logits")

    def _attach_taps(self, chosen: list[Entry]) -> tuple[list[RemovableHandle], Tensor]:
        """Attach taps to these modules and complete the spec; also returns the input of the classifier."""
        x = self._noise()
        outputs, features = self._outputs(x, chosen)
        layouts = [layout_of(output, entry, x.shape[-1]) for output, entry in zip(outputs, chosen, strict=True)]
        for entry, layout in zip(chosen, layouts, strict=True):
            if layout is None:
                raise misfit(self.spec.name, f"the output of its layer {entry.module} is not a map")
        if any(layout.kind == TOKENS for layout in layouts):
            layouts = self._ordered(x, layouts, outputs)
        grids = [self._grid(layout, output) for layout, output in zip(layouts, outputs, strict=True)]
        self.spec = replace(
            self.spec,
            layers=tuple(entry.layer for entry in chosen),
            strides=tuple(int(grid.stride) for grid in grids),
            origins=tuple(grid.origin for grid in grids),
            remark=f"the first of {len(outputs[-1])} branches" if isinstance(outputs[-1], list) else "",
        )
        self.taps = nn.ModuleList(Tap("stage") for _ in chosen)
        rows = zip(range(STAGES + 1 - len(chosen), STAGES + 1), chosen, layouts, strict=True)
        return [self._attach(stage, entry, layout) for stage, entry, layout in rows], features

    def _attach(self, stage: int, entry: Entry, layout: Layout) -> RemovableHandle:
        tap = self.taps[stage - 1 - STAGES]  # the last is always stage 4
        tap.path, tap.stage = entry.layer, stage
        return self._module(entry.layer).register_forward_hook(StageHook(tap, layout))

    def _module(self, name: str) -> nn.Module:
        try:
            return self.net.get_submodule(name)
        except AttributeError as error:
            raise misfit(self.spec.name, f"it has no layer {name}, which timm defines") from error

    def _outputs(self, x: Tensor, chosen: list[Entry]) -> tuple[list[object], Tensor]:
        """The outputs of the stages for x, with the marks of grids.py, and the input of the classifier."""
        recorded: dict[str, list[object]] = {entry.module: [] for entry in chosen}
        hooks = [
            self._module(name).register_forward_hook(lambda m, args, output, name=name: recorded[name].append(output))
            for name in recorded
        ]
        try:
            with GridTracker(x):
                tokens = self.net.forward_features(x)
            logits, features = self.net.forward_head(tokens), self.net.forward_head(tokens, pre_logits=True)
        except (RuntimeError, AssertionError, ValueError) as error:  # windows or pyramids do not fit the size
            raise LensError(
                "{name} does not accept images of {size} px.", remedy="Choose its original size, or a multiple of 32.",
                detail=str(error)[:200], name=self.spec.name, size=self.spec.image_size,
            ) from error  # fmt: skip
        finally:
            for hook in hooks:
                hook.remove()
        if not isinstance(logits, Tensor) or (self.num_classes and logits.shape != (1, self.num_classes)):
            raise misfit(self.spec.name, "it does not return one logit per class")
        for name, outputs in recorded.items():
            if len(outputs) != 1:
                raise misfit(self.spec.name, f"its layer {name} runs {len(outputs)} times for one image")
        return [outputs[0] for outputs in recorded.values()], features

    def _grid(self, layout: Layout, output: Output) -> Grid:
        side, rows = self.spec.image_size, layout.to_map(output).shape[-2]
        grid = grid_of(layout.tensor_of(output))
        grid = None if grid is None else grid.of_rows(rows, side)
        if grid is None or not 0.6 < grid.stride * rows / side < 1.5:
            raise misfit(self.spec.name, "the positions of its units are unknown")
        return grid

    def _ordered(self, x: Tensor, layouts: list[Layout], outputs: list[Output]) -> list[Layout]:
        """The layouts with the order of their tokens, found by timm's feature maps."""
        try:
            timm_maps = self.net.forward_intermediates(x, norm=False, output_fmt="NCHW", intermediates_only=True)
        except (AttributeError, TypeError, AssertionError) as error:
            raise misfit(self.spec.name, "timm does not define the order of its tokens") from error
        ordered = []
        for layout, stage_map in zip(layouts, map(Layout.to_map, layouts, outputs), strict=True):
            candidates = [timm_map for timm_map in timm_maps if timm_map.shape == stage_map.shape]
            layouts_found = filter(None, (layout.ordered_as(stage_map, timm_map) for timm_map in candidates))
            ordered.append(next(layouts_found, None))
            if ordered[-1] is None:
                raise misfit(self.spec.name, "the order of its tokens is unknown")
        return ordered

    def _features_without_last_stage(self) -> Tensor:
        """The input of the classifier if the last stage's map is zero.

        Not the logits: an untrained classifier may be all zeros, and then returns the same for any input.
        """
        with Trace(edits={"stage": lambda tap, t: torch.zeros_like(t) if tap.stage == STAGES else t}):
            return self.net.forward_head(self.net.forward_features(self._noise()), pre_logits=True)

    def _noise(self) -> Tensor:  # (1, 3, S, S)
        side = self.spec.image_size
        image = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))
        return image.to(next(self.net.parameters()))  # a model in memory may be of half precision, or on a GPU


def untrained_backbone(spec: BackboneSpec, seed: int = UNTRAINED_SEED) -> Backbone:
    """Build a backbone with timm's random weights; the result depends on the seed only, as in untrained_model."""
    return Backbone(_build(spec, seed), spec)


def backbone_from(spec: BackboneSpec, state: Mapping[str, Tensor], what: str) -> Backbone:
    """Build a backbone with these tensors, which timm's filter may adapt to the image size.

    Args:
        spec: The backbone.
        state: Name -> tensor.
        what: The weights, as an error message names them.

    Returns:
        The backbone in eval mode.

    Raises:
        WeightsMismatch: The tensors do not fit.
        LensError: The backbone cannot be explained, or not at this size.
    """
    try:
        net = _build(spec, UNTRAINED_SEED, pretrained=True, pretrained_cfg_overlay={"state_dict": dict(state)})
    except LensError:
        raise
    except Exception as error:  # timm's filters raise any exception for unknown tensors
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise WeightsMismatch(
            Message("The tensors of {what} do not fit {architecture}.", what=what, architecture=spec.architecture),
            remedy="Choose the backbone that these weights were trained for.",
            detail="; ".join(lines[:3])[:400],
        ) from error
    return Backbone(net, spec)


def _build(spec: BackboneSpec, seed: int, **options: object) -> nn.Module:
    import timm

    published = find_backbone(spec.name.partition(":")[2]).image_size
    if spec.fixed_size and spec.image_size != published:
        options["img_size"] = spec.image_size
    try:
        with SeededRandomness(seed):
            return timm.create_model(f"{spec.architecture}.{spec.tag}" if spec.tag else spec.architecture, **options)
    except (TypeError, AssertionError, ValueError) as error:
        if "img_size" not in options:
            raise
        raise LensError(
            Message("{name} cannot be built for images of {size} px.", name=spec.name, size=spec.image_size),
            remedy=Message("It is defined for {size} px.", size=published),
            detail=str(error)[:200],
        ) from error
