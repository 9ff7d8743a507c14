"""TransXNet (arXiv 2310.19380, figure 2): stem, four stages of blocks with downsampling between, head.

State-dict keys and shapes equal those of the official implementation, so its checkpoints load with strict=True.
In addition this class has: any input size, timm's conventions (features, forward_intermediates, reset_classifier; no
gradient checkpointing), and Taps, so that a Trace can record and edit activations.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .layers import Block, Downsample, GroupNorm1
from .trace import Tap, set_tap_locations
from .variants import VariantSpec

STAGES = (0, 2, 4, 6)  # indices of the stages in `network`; 1, 3 and 5 are the downsampling layers


class TransXNet(nn.Module):
    """A TransXNet, as one row of VARIANTS describes it.

    forward: (B, in_chans, H, W), normalized -> (B, num_classes) logits, or (B, C) features. H and W should be at least
    32; they need not be equal, nor multiples of 32.

    Args:
        spec: The row.
        num_classes: Width of the classifier; None uses the row's; 0 returns pooled features.
        drop_path_rate: Stochastic depth of the last block; the rates increase linearly from 0 over the blocks.
        in_chans: Channels of the image.
        bias_size: Image side in pixels for which relative_pos_enc is stored; None uses the row's.
    """

    def __init__(
        self,
        spec: VariantSpec,
        num_classes: int | None = None,
        drop_path_rate: float = 0.0,
        in_chans: int = 3,
        bias_size: int | None = None,
    ):
        super().__init__()
        self.spec = spec
        self.num_classes = spec.num_classes if num_classes is None else num_classes
        self.num_features = self.head_hidden_size = spec.dims[-1]
        self.feature_info = [
            {"num_chs": dim, "reduction": stride, "module": f"network.{n}"}
            for dim, stride, n in zip(spec.dims, spec.strides, STAGES, strict=True)
        ]
        self.patch_embed = Downsample(in_chans, spec.dims[0], kernel=7, stride=4)
        self.relative_pos_enc = _bias_tables(spec, bias_size or spec.bias_size)
        self.network = nn.ModuleList(_network(spec, drop_path_rate))
        self.classifier = nn.Sequential(
            GroupNorm1(spec.dims[-1]), nn.AdaptiveAvgPool2d(1), _classifier(spec.dims[-1], self.num_classes)
        )
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
        x = pool(self.head_tap(norm(x)))  # (B, C4, 1, 1)
        return (x if pre_logits else linear(x)).flatten(1)

    def forward_intermediates(
        self,
        x: Tensor,
        indices: int | Sequence[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
    ) -> list[Tensor] | tuple[Tensor, list[Tensor]]:
        """Outputs of stages, as timm's models return them.

        Args:
            x: (B, 3, H, W), normalized.
            indices: Stages from 0 to 3, or the number of last stages; None for all.
            norm: Apply the head's norm to the last stage's output.
            stop_early: Skip the stages after the last one in `indices`.
            output_fmt: "NCHW", the only format.
            intermediates_only: Return only the list.

        Returns:
            The final features and the list of outputs, or only the list.
        """
        if output_fmt != "NCHW":
            raise ValueError(f"output_fmt {output_fmt!r}: TransXNet has NCHW maps only")
        chosen, last = _stage_indices(indices)
        last_stage = len(self.network) // 2  # fewer after prune_intermediate_layers
        outputs = self._stages(x, upto=last if stop_early else last_stage)
        final = outputs[-1]
        if norm and len(outputs) == 4:
            outputs[-1] = self.classifier[0](outputs[-1])
        intermediates = [outputs[i] for i in chosen]
        return intermediates if intermediates_only else (final, intermediates)

    def prune_intermediate_layers(
        self, indices: int | Sequence[int] = 1, prune_norm: bool = False, prune_head: bool = True
    ) -> list[int]:
        """Remove the layers that these stages do not need; part of timm's features_only."""
        chosen, last = _stage_indices(indices)
        self.network = self.network[: STAGES[last] + 1]
        if prune_norm:
            self.classifier[0] = nn.Identity()
        if prune_head:
            self.reset_classifier(0)
        return chosen

    def get_classifier(self) -> nn.Module:
        return self.classifier[2]

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Replace the classifier by a new one; 0 returns pooled features. Pooling is always the average."""
        if global_pool not in (None, "avg"):
            raise ValueError(f"global_pool {global_pool!r}: TransXNet pools by the average")
        self.num_classes = num_classes
        weight = self.patch_embed.proj.conv.weight
        self.classifier[2] = _classifier(self.num_features, num_classes).to(weight.device, weight.dtype)
        self.classifier[2].apply(_init_weights)

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
    def set_grad_checkpointing(self, enable: bool = True) -> None:
        if enable:
            raise NotImplementedError("TransXNet here has no gradient checkpointing")

    def _stages(self, x: Tensor, upto: int = 3) -> list[Tensor]:  # -> outputs of stages 0..upto
        x = self.patch_embed(x)  # (B, C1, H/4, W/4)
        outputs = []
        for stage in range(upto + 1):
            if stage:
                x = self.network[2 * stage - 1](x)  # half the side, wider
            for block in self.network[2 * stage]:
                x = block(x, self.relative_pos_enc[stage] if self.spec.osra else None)
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
        parts.append(nn.ModuleList(blocks))
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
