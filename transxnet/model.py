"""TransXNet (arXiv 2310.19380, figure 2): stem, four stages of blocks with downsampling between, head.

State-dict keys and shapes equal those of the official implementation, so its checkpoints load with strict=True.
In addition this class has: any input size, timm's conventions (features, forward_intermediates, reset_classifier,
pooling, gradient checkpointing), and Taps, so that a Trace can record and edit activations.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence

import torch
from torch import Tensor, nn

from .layers import Block, Downsample, GroupNorm1, Stage, fit_bias
from .trace import Tap, set_tap_locations
from .variants import VariantSpec

STAGES = (0, 2, 4, 6)  # indices of the stages in `network`; 1, 3 and 5 are the downsampling layers
POOLS: dict[str, Callable[[], nn.Module]] = {  # timm's names of pooling layers; '' keeps the map
    "avg": lambda: nn.AdaptiveAvgPool2d(1),
    "max": lambda: nn.AdaptiveMaxPool2d(1),
    "": nn.Identity,
}


class TransXNet(nn.Module):
    """A TransXNet, as one row of VARIANTS describes it.

    forward: (B, in_chans, H, W), normalized -> (B, num_classes) logits, or (B, C) features; without pooling
    (B, num_classes, H/32, W/32) or (B, C, H/32, W/32). H and W should be at least 32; they need not be equal, nor
    multiples of 32.

    load_state_dict accepts relative_pos_enc stored for any image side: the model takes over the size of the loaded
    tables, or if `img_size` is given, resizes them to that size.

    Args:
        spec: The row.
        num_classes: Width of the classifier; None uses the row's; 0 returns pooled features.
        drop_path_rate: Stochastic depth of the last block; the rates increase linearly from 0 over the blocks.
        in_chans: Channels of the image.
        bias_size: Image side in pixels for which relative_pos_enc is stored; None uses the row's.
        global_pool: "avg", "max" or "" for no pooling.
        drop_rate: Dropout before the classifier.
        img_size: As `bias_size`, also for loaded weights; an int, or two equal ones. The model still accepts images of
            any size.

    Raises:
        ValueError: An unknown `global_pool`, or an `img_size` that is not a square.
    """

    def __init__(
        self,
        spec: VariantSpec,
        num_classes: int | None = None,
        drop_path_rate: float = 0.0,
        in_chans: int = 3,
        bias_size: int | None = None,
        global_pool: str = "avg",
        drop_rate: float = 0.0,
        img_size: int | Sequence[int] | None = None,
    ):
        super().__init__()
        self.spec = spec
        self.num_classes = spec.num_classes if num_classes is None else num_classes
        self.in_chans = in_chans
        self.global_pool = global_pool
        self.img_size = None if img_size is None else square_side(img_size)
        self.num_features = self.head_hidden_size = spec.dims[-1]
        self.feature_info = [
            {"num_chs": dim, "reduction": stride, "module": f"network.{n}"}
            for dim, stride, n in zip(spec.dims, spec.strides, STAGES, strict=True)
        ]
        self.patch_embed = Downsample(in_chans, spec.dims[0], kernel=7, stride=4)
        self.relative_pos_enc = _bias_tables(spec, self.img_size or bias_size or spec.bias_size)
        self.network = nn.ModuleList(_network(spec, drop_path_rate))
        self.classifier = nn.Sequential(
            GroupNorm1(spec.dims[-1]), _pool(global_pool), _classifier(spec.dims[-1], self.num_classes)
        )
        self.head_drop = nn.Dropout(drop_rate)
        self.stage_taps = nn.ModuleList(Tap("stage") for _ in STAGES)
        self.head_tap = Tap("head")
        self.apply(_init_weights)
        set_tap_locations(self, self._locate_tap)

    def forward(self, x: Tensor) -> Tensor:  # (B, 3, H, W) -> (B, num_classes)
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: Tensor) -> Tensor:  # (B, 3, H, W) -> (B, C4, H/32, W/32), before the head's norm
        return self._stages(x)[-1]

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:  # (B, C4, h, w) -> (B, classes or C4)
        norm, pool, linear = self.classifier
        x = self.head_drop(pool(self.head_tap(norm(x))))  # (B, C4, 1, 1), without pooling (B, C4, h, w)
        x = x if pre_logits else linear(x)
        return x.flatten(1) if self.global_pool else x

    def forward_intermediates(
        self,
        x: Tensor,
        indices: int | Sequence[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
        output_dict: bool = False,
        return_prefix_tokens: bool = False,
    ) -> list[Tensor] | tuple[Tensor, list[Tensor]] | dict[str, Tensor | list[Tensor]]:
        """Outputs of stages, as timm's models return them.

        Args:
            x: (B, 3, H, W), normalized.
            indices: Stages from 0 to 3, or the number of last stages; None for all.
            norm: Apply the head's norm to the last stage's output.
            stop_early: Skip the stages after the last one in `indices`.
            output_fmt: "NCHW" or "NHWC", of the outputs in the list. The final features are always NCHW.
            intermediates_only: Return only the list.
            output_dict: Return {"image_features": final features, "image_intermediates": list}.
            return_prefix_tokens: Without effect: TransXNet has no prefix tokens.

        Returns:
            The final features and the list of outputs, or only the list.

        Raises:
            ValueError: An unknown format, or a stage that the model does not have.
        """
        if output_fmt not in ("NCHW", "NHWC"):
            raise ValueError(f"output_fmt {str(output_fmt)!r}: choose NCHW or NHWC")
        chosen, last = _stage_indices(indices)
        outputs = self._stages(x, upto=last if stop_early else 3)
        final = outputs[-1]
        if norm and len(outputs) == 4:
            outputs[-1] = self.classifier[0](outputs[-1])
        intermediates = [outputs[i] for i in chosen]
        if output_fmt == "NHWC":
            intermediates = [output.permute(0, 2, 3, 1) for output in intermediates]
        if output_dict:
            features = {} if intermediates_only else {"image_features": final}
            return {"image_intermediates": intermediates} | features
        return intermediates if intermediates_only else (final, intermediates)

    def prune_intermediate_layers(
        self, indices: int | Sequence[int] = 1, prune_norm: bool = False, prune_head: bool = True
    ) -> list[int]:
        """Remove the layers that these stages do not need; part of timm's features_only.

        Args:
            indices: As in `forward_intermediates`.
            prune_norm: Remove the head's norm; always if the last stage is removed, because it has its width.
            prune_head: Remove pooling and classifier; always if the last stage is removed.

        Returns:
            The stages, from 0.
        """
        chosen, last = _stage_indices(indices)
        is_shortened = last < 3
        self.network = self.network[: STAGES[last] + 1]
        self.relative_pos_enc = self.relative_pos_enc[: last + 1]  # empty without OSRA
        if prune_norm or is_shortened:
            self.classifier[0] = nn.Identity()
        if is_shortened:
            self.num_features = self.head_hidden_size = self.spec.dims[last]
        if prune_head or is_shortened:
            self.reset_classifier(0, "")
        return chosen

    def get_classifier(self) -> nn.Module:
        return self.classifier[2]

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Replace the classifier by a new one.

        Args:
            num_classes: Its width; 0 for no classifier.
            global_pool: "avg", "max", "" for no pooling, or None to keep the present pooling.

        Raises:
            ValueError: An unknown `global_pool`.
        """
        if global_pool is not None:
            self.classifier[1] = _pool(global_pool)
            self.global_pool = global_pool
        self.num_classes = num_classes
        weight = self.patch_embed.proj.conv.weight
        self.classifier[2] = _classifier(self.num_features, num_classes).to(weight.device, weight.dtype)
        self.classifier[2].apply(_init_weights)
        self.classifier.train(self.training)

    @torch.jit.ignore
    def no_weight_decay(self) -> set[str]:
        """Names of parameters without weight decay: the bias tables and LayerScale's factors."""
        names = (name for name, _ in self.named_parameters())
        return {n for n in names if n.startswith("relative_pos_enc") or "layer_scale" in n}

    @torch.jit.ignore
    def group_matcher(self, coarse: bool = False) -> dict[str, object]:
        """timm's layer groups, for layer-wise learning rates."""
        return {
            "stem": r"^patch_embed|^relative_pos_enc",
            "blocks": r"^network\.(\d+)" if coarse else r"^network\.(\d+)\.(\d+)",
        }

    @torch.jit.ignore
    def set_grad_checkpointing(self, enable: bool = True, stages: Sequence[int] | None = None) -> None:
        """Save memory in training: compute a block's activations again in the backward pass.

        Gradients are equal. BatchNorm's running statistics are updated twice a step, as in timm's models.

        Args:
            enable: False keeps the activations.
            stages: From 0; None for all. The others keep their activations.
        """
        for stage, index in enumerate(STAGES[: len(self.network) // 2 + 1]):
            self.network[index].grad_checkpointing = enable and (stages is None or stage in stages)

    @torch.jit.ignore
    def fit_bias_tables(self, state: MutableMapping[str, Tensor], prefix: str = "") -> None:
        """Make relative_pos_enc of a state dict and of this model equal in size.

        Args:
            state: A state dict. With `img_size`, its tables are replaced by resized ones; without, those of the model
                take over its sizes.
            prefix: Of this model's keys.
        """
        for i, table in enumerate(self.relative_pos_enc):
            key = f"{prefix}relative_pos_enc.{i}"
            stored = state.get(key)
            if stored is None or stored.shape == table.shape or stored.shape[:-2] != table.shape[:-2]:
                continue  # other heads are an error of load_state_dict
            if self.img_size is None:
                table.data, table.grad = (
                    table.new_zeros(stored.shape),
                    None,
                )  # the same Parameter, as optimizers know it
            else:
                state[key] = fit_bias(stored.float(), table.shape[-2:]).to(stored.dtype)

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: object) -> None:
        self.fit_bias_tables(state_dict, prefix)  # load_state_dict passes a copy of its argument
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _stages(self, x: Tensor, upto: int = 3) -> list[Tensor]:  # -> outputs of stages 0..upto, as far as there are
        x = self.patch_embed(x)  # (B, C1, H/4, W/4)
        outputs = []
        for stage, index in enumerate(STAGES[: min(upto, len(self.network) // 2) + 1]):
            if stage:
                x = self.network[index - 1](x)  # half the side, wider
            x = self.network[index](x, self.relative_pos_enc[stage] if self.spec.osra else None)
            x = self.stage_taps[stage](x)
            outputs.append(x)
        return outputs

    def _locate_tap(self, path: str) -> tuple[int, int]:
        """Stage and block of a tap, counted from 1, from its path; 0 for none."""
        parts = path.split(".")
        if parts[0] == "network":
            return int(parts[1]) // 2 + 1, int(parts[2]) + 1
        if parts[0] == "stage_taps":
            return int(parts[1]) + 1, 0
        return 0, 0


def _network(spec: VariantSpec, drop_path_rate: float) -> list[nn.Module]:
    """Four stages with a downsampling layer between each two."""
    rates = iter(torch.linspace(0, drop_path_rate, sum(spec.depths), device="cpu").tolist())
    parts: list[nn.Module] = []
    for i, (depth, dim) in enumerate(zip(spec.depths, spec.dims, strict=True)):
        if i:
            parts.append(Downsample(spec.dims[i - 1], dim, kernel=3, stride=2))
        blocks = (
            Block(
                dim, spec.heads[i], spec.sr_ratios[i], spec.kernel_groups[i], spec.kernel_size, spec.mlp_ratios[i],
                spec.layer_scale, next(rates), idconv=spec.idconv, osra=spec.osra, ste=spec.ste,
            )
            for _ in range(depth)
        )  # fmt: skip
        parts.append(Stage(blocks))
    return parts


def _bias_tables(spec: VariantSpec, size: int) -> nn.ParameterList:
    """relative_pos_enc: one (1, heads, Nq, Nk) per stage, shared by its blocks, initially zero; none without OSRA."""
    tables: list[Tensor] = []
    if not spec.osra:
        return nn.ParameterList(tables)
    for heads, stride, sr in zip(spec.heads, spec.strides, spec.sr_ratios, strict=True):
        side = -(-size // stride)
        tables.append(nn.Parameter(torch.zeros(1, heads, side**2, (-(-side // sr)) ** 2)))
    return nn.ParameterList(tables)


def stored_bias_size(state_dict: dict[str, Tensor]) -> int | None:
    """The image side for which a checkpoint's relative_pos_enc is stored; None if it has none."""
    table = state_dict.get("relative_pos_enc.0")
    return None if table is None else round(table.shape[-2] ** 0.5) * 4


def square_side(size: int | Sequence[int]) -> int:
    """The side of an image size: an int, or height and width.

    Raises:
        ValueError: Height and width differ, or are not positive.
    """
    height, width = (size, size) if isinstance(size, int) else size
    if height != width or height < 1:
        raise ValueError(
            f"img_size {size!r}: relative_pos_enc is stored for a square image; give one side, or leave img_size out: "
            "the model accepts images of any size"
        )
    return height


def _pool(global_pool: str) -> nn.Module:
    if global_pool not in POOLS:
        raise ValueError(f"global_pool {global_pool!r}: choose one of {', '.join(map(repr, POOLS))}")
    return POOLS[global_pool]()


def _classifier(features: int, num_classes: int) -> nn.Module:
    return nn.Conv2d(features, num_classes, 1) if num_classes > 0 else nn.Identity()


def _init_weights(module: nn.Module) -> None:
    """Truncated normal 0.02 for convolution weights, 0 for their biases; norms keep 1 and 0."""
    if isinstance(module, nn.Conv2d):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _stage_indices(indices: int | Sequence[int] | None) -> tuple[list[int], int]:
    """timm's indices: None for all four stages, an int for the last n, a sequence for these (negative allowed)."""
    if indices is None:
        chosen = [0, 1, 2, 3]
    elif isinstance(indices, int):
        chosen = list(range(4 - indices, 4))
    else:
        chosen = [i + 4 if i < 0 else i for i in indices]
    if not chosen or min(chosen) < 0 or max(chosen) > 3:
        raise ValueError(f"indices {indices!r}: the stages are 0 to 3")
    return chosen, max(chosen)
