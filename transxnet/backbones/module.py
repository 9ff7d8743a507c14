"""Backbone: a timm model with Taps where its stages end, so that whatever needs no TransXNet parts can look into it.

Logits are the timm model's own, bit for bit. How the stages are found is in stages.py, where their units sit in
grids.py; both are asked once, when the Backbone is made, by a few forward passes over an image of noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

from ..errors import LensError, WeightsMismatch
from ..trace import Tap, Trace
from ..weights.checkpoint import UNTRAINED_SEED
from .grids import Followed, Grid, grid_of
from .spec import STAGES, BackboneSpec, find_backbone, misfit
from .stages import TOKENS, Entry, Layout, StageHook, choose, entries_of, layout_of

_DRAWS = (
    torch.Tensor.uniform_, torch.Tensor.normal_, torch.Tensor.bernoulli_, torch.Tensor.exponential_,
    torch.rand, torch.randn, torch.randint, torch.randperm, torch.bernoulli,
)  # fmt: skip


class Backbone(nn.Module):
    """A timm classifier in eval mode, its parameters without gradients. (1, 3, S, S), normalized -> (1, classes).

    net: timm's model. spec: the BackboneSpec with strides, origins and layers filled in. taps: one a stage, kind
    "stage";
    there is no other kind, nor a "head". The hooks on the four stage modules belong to the model and stay.

    Raises LensError where the model has no four stages that end in maps of the image on the way to the logits.
    """

    def __init__(self, net: nn.Module, spec: BackboneSpec):
        super().__init__()
        self.net = net.eval().requires_grad_(False)
        self.num_classes = spec.num_classes
        self.taps = nn.ModuleList(Tap("stage") for _ in range(STAGES))
        self.spec = spec
        with torch.no_grad():
            self._place_stages()
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def _place_stages(self) -> None:
        """Choose the stages, hang the taps there, and see that the last one counts for the answer."""
        entries = entries_of(self.net)
        if not choose(entries):
            raise misfit(self.spec.name, "timm names no four stages of it")
        for but_last in (False, True):
            handles, plain = self._hang_taps(choose(entries, but_last))
            if not torch.equal(self._without_last(), plain):
                words = "patch tokens; the last block's do not reach the logits" if but_last else ""
                self.spec = replace(self.spec, remark=words)
                return
            for handle in handles:
                handle.remove()
        raise misfit(self.spec.name, "what its last stage gives does not reach its answer")

    def _hang_taps(self, chosen: list[Entry]) -> tuple[list[RemovableHandle], Tensor]:
        """Taps on these modules, the spec filled in, and what the classifier was given on the way."""
        x = self._noise()
        outputs, plain = self._outputs(x, chosen)
        layouts = [layout_of(output, entry, x.shape[-1]) for output, entry in zip(outputs, chosen, strict=True)]
        for entry, layout in zip(chosen, layouts, strict=True):
            if layout is None:
                raise misfit(self.spec.name, f"its layer {entry.module} gives no map of the image")
        maps = [layout.to_map(output) for layout, output in zip(layouts, outputs, strict=True)]
        if any(layout.kind == TOKENS for layout in layouts):
            self._check_order(x, maps)
        grids = [self._grid(output, found) for output, found in zip(outputs, maps, strict=True)]
        self.spec = replace(
            self.spec,
            layers=tuple(entry.module for entry in chosen),
            strides=tuple(int(grid.stride) for grid in grids),
            origins=tuple(grid.origin for grid in grids),
        )
        rows = zip(range(1, STAGES + 1), chosen, layouts, strict=True)
        return [self._hang(stage, entry, layout) for stage, entry, layout in rows], plain

    def _hang(self, stage: int, entry: Entry, layout: Layout) -> RemovableHandle:
        tap = self.taps[stage - 1]
        tap.path, tap.stage = entry.module, stage
        return self._module(entry.module).register_forward_hook(StageHook(tap, layout))

    def _module(self, name: str) -> nn.Module:
        try:
            return self.net.get_submodule(name)
        except AttributeError as error:
            raise misfit(self.spec.name, f"timm names a layer {name}, and it has none") from error

    def _outputs(self, x: Tensor, chosen: list[Entry]) -> tuple[list[object], Tensor]:
        """What the stages give for x, with the marks of grids.py, and what the classifier is given."""
        heard: dict[str, list[object]] = {entry.module: [] for entry in chosen}
        hooks = [
            self._module(name).register_forward_hook(lambda m, args, output, name=name: heard[name].append(output))
            for name in heard
        ]
        try:
            with Followed(x):
                features = self.net.forward_features(x)
            logits, plain = self.net.forward_head(features), self.net.forward_head(features, pre_logits=True)
        except (RuntimeError, AssertionError, ValueError) as error:  # windows and pyramids that a size does not fit
            raise LensError(
                f"{self.spec.name} cannot look at images of {self.spec.image_size} px.",
                remedy="Choose its own size, or a multiple of 32.",
                detail=str(error)[:200],
            ) from error
        finally:
            for hook in hooks:
                hook.remove()
        if not isinstance(logits, Tensor) or logits.shape != (1, self.num_classes):
            raise misfit(self.spec.name, "it does not answer with one number a class")
        for name, outputs in heard.items():
            if len(outputs) != 1:
                raise misfit(self.spec.name, f"its layer {name} runs {len(outputs)} times for one image")
        return [outputs[0] for outputs in heard.values()], plain

    def _grid(self, output: Tensor, found: Tensor) -> Grid:
        side, rows = self.spec.image_size, found.shape[-2]
        grid = grid_of(output)
        grid = None if grid is None else grid.of_rows(rows, side)
        if grid is None or not 0.6 < grid.stride * rows / side < 1.5:
            raise misfit(self.spec.name, "its units cannot be placed in the image")
        return grid

    def _check_order(self, x: Tensor, maps: list[Tensor]) -> None:
        """Tokens may be in any order: timm's own maps tell whether these are in the image's."""
        try:
            known = self.net.forward_intermediates(x, norm=False, output_fmt="NCHW", intermediates_only=True)
        except (AttributeError, TypeError, AssertionError) as error:
            raise misfit(self.spec.name, "timm does not tell the order of its tokens") from error
        for found in maps:
            if not any(k.shape == found.shape and torch.allclose(k, found, rtol=1e-3, atol=1e-4) for k in known):
                raise misfit(self.spec.name, "its tokens are not in the image's order")

    def _without_last(self) -> Tensor:
        """What the classifier is given when the last stage's map is zeroed.

        Not the logits: an untrained classifier may be all zeros, and answer alike whatever it is given.
        """
        with Trace(edits={"stage": lambda tap, t: torch.zeros_like(t) if tap.stage == STAGES else t}):
            return self.net.forward_head(self.net.forward_features(self._noise()), pre_logits=True)

    def _noise(self) -> Tensor:  # (1, 3, S, S)
        side = self.spec.image_size
        return torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))


def untrained_backbone(spec: BackboneSpec, seed: int = UNTRAINED_SEED) -> Backbone:
    """The backbone with timm's random weights, the same for a seed in every thread; nobody else's numbers are drawn."""
    return Backbone(_build(spec, seed), spec)


def backbone_from(spec: BackboneSpec, state: Mapping[str, Tensor], what: str) -> Backbone:
    """The backbone holding these tensors, which timm's own filter may adapt to the image's size.

    `what` names them in errors. Raises WeightsMismatch where they do not fit.
    """
    try:
        net = _build(spec, UNTRAINED_SEED, pretrained=True, pretrained_cfg_overlay={"state_dict": dict(state)})
    except LensError:
        raise
    except Exception as error:  # timm's filters fail as they please on tensors they do not know
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise WeightsMismatch(
            f"The tensors of {what} do not fit {spec.architecture}.",
            remedy="Choose the backbone these weights were trained for.",
            detail="; ".join(lines[:3])[:400],
        ) from error
    return Backbone(net, spec)


def _build(spec: BackboneSpec, seed: int, **options: object) -> nn.Module:
    import timm

    published = find_backbone(spec.name.partition(":")[2]).image_size
    if spec.fixed_size and spec.image_size != published:
        options["img_size"] = spec.image_size
    try:
        with _Seeded(torch.Generator().manual_seed(seed)):
            return timm.create_model(f"{spec.architecture}.{spec.tag}" if spec.tag else spec.architecture, **options)
    except (TypeError, AssertionError, ValueError) as error:
        if "img_size" not in options:
            raise
        raise LensError(
            f"{spec.name} cannot be built for images of {spec.image_size} px.",
            remedy=f"It was made for {published} px.",
            detail=str(error)[:200],
        ) from error


class _Seeded(TorchFunctionMode):
    """Random numbers drawn inside come from the generator given, not from the process's own."""

    def __init__(self, generator: torch.Generator):
        super().__init__()
        self.generator = generator

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in _DRAWS or "generator" in kwargs:
            kwargs["generator"] = self.generator
        return func(*args, **kwargs)
