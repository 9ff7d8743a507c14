"""Register the variants with timm: `timm.create_model("transxnet_t", pretrained=True)` after `import transxnet`.

`pretrained=True` uses this project's sources (weights/load.py), and timm adapts the weights to another `num_classes` or
`in_chans`. If a source is passed to timm, "hf-hub:NAMESPACE/NAME" or "local-dir:FOLDER" or a file in
`pretrained_cfg_overlay`, timm reads it. Conventions of timm 1.0 (timm/models/_builder.py): build_model_with_cfg, and
the feature getter, which calls TransXNet.forward_intermediates.

Arguments of create_model besides timm's own:

    num_classes, in_chans, global_pool, drop_rate, drop_path_rate, img_size    see TransXNet
    bias_size               image side for which relative_pos_enc is stored, unless loaded weights bring another
    output_stride           32, the only one
    grad_checkpoint, checkpoint_stage   of the official code: gradient checkpointing of the stages whose entry is true
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from timm.models import build_model_with_cfg, generate_default_cfgs, register_model, resolve_pretrained_cfg
from timm.models._features import FeatureGetterNet  # timm exports it nowhere else
from torch import Tensor, nn

from .model import STAGES, TransXNet, square_side
from .variants import VARIANTS, VariantSpec
from .weights.architecture import SHAPES
from .weights.layouts import find_state_dict, transxnet_state
from .weights.load import load

_SOURCE_KEYS = ("source", "file", "url", "hf_hub_id", "state_dict")  # of a pretrained_cfg with a source


GENERIC = "transxnet"  # timm's name for an architecture given by its arguments


def pretrained_config(spec: VariantSpec) -> dict[str, Any]:
    """timm's pretrained_cfg of a variant: preprocessing, and the layers that adapt to new tasks."""
    return {
        "num_classes": spec.num_classes,
        **_input_size(3, spec.image_size),
        "min_input_size": (3, 32, 32),
        "crop_pct": spec.crop_pct,
        "crop_mode": spec.crop_mode,
        "interpolation": spec.interpolation,
        "mean": spec.mean,
        "std": spec.std,
        "first_conv": "patch_embed.proj.conv",
        "classifier": "classifier.2",
        "license": "apache-2.0",
        "paper_ids": "arXiv:2310.19380",
    }


def _input_size(channels: int, side: int) -> dict[str, Any]:
    cells = -(-side // 32)
    return {"input_size": (channels, side, side), "pool_size": (cells, cells)}


default_cfgs = generate_default_cfgs(
    {spec.name: pretrained_config(spec) for spec in VARIANTS.values()}
    | {GENERIC: pretrained_config(VARIANTS["transxnet_t"])}
)


class TransXNetFeatures(FeatureGetterNet):
    """timm's module for features_only=True, with gradient checkpointing."""

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Compute a block's activations again in the backward pass, see TransXNet.set_grad_checkpointing."""
        self.model.set_grad_checkpointing(enable)


def _create(spec: VariantSpec, pretrained: bool, **kwargs: Any) -> nn.Module:
    """Build a variant through timm's builder, which handles num_classes, in_chans and features_only."""
    overlay = dict(kwargs.pop("pretrained_cfg_overlay", None) or {})
    resolved = resolve_pretrained_cfg(spec.name, kwargs.get("pretrained_cfg"), overlay).to_dict()
    if pretrained and not any(resolved.get(key) for key in _SOURCE_KEYS):
        state = load(spec.name, device="cpu").model.state_dict()
        overlay["state_dict"] = dict(state)  # a copy, because timm removes entries
    if "img_size" in kwargs:
        size = _input_size(resolved["input_size"][0], square_side(kwargs["img_size"]))
        overlay = size | overlay
    return build_model_with_cfg(
        partial(_build, spec),
        spec.name,
        pretrained,
        pretrained_cfg_overlay=overlay,
        pretrained_filter_fn=checkpoint_filter_fn,
        feature_cfg={"out_indices": (0, 1, 2, 3), "feature_cls": TransXNetFeatures},
        **kwargs,
    )


def _build(
    spec: VariantSpec,
    num_classes: int | None = None,
    drop_path_rate: float = 0.0,
    in_chans: int = 3,
    bias_size: int | None = None,
    global_pool: str = "avg",
    drop_rate: float = 0.0,
    img_size: int | Sequence[int] | None = None,
    output_stride: int = 32,
    grad_checkpoint: bool = False,
    checkpoint_stage: Sequence[int] = (0, 0, 0, 0),
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> TransXNet:
    if output_stride != 32:
        raise ValueError(f"output_stride {output_stride!r}: the last stage of TransXNet has stride 32 only")
    if len(checkpoint_stage) != len(STAGES):
        raise ValueError(f"checkpoint_stage {checkpoint_stage!r}: give one entry for each of the four stages")
    model = TransXNet(
        spec, num_classes, drop_path_rate, in_chans, bias_size, global_pool=global_pool, drop_rate=drop_rate,
        img_size=img_size,
    )  # fmt: skip
    if grad_checkpoint:
        model.set_grad_checkpointing(stages=[stage for stage, on in enumerate(checkpoint_stage) if on])
    return model.to(device=device, dtype=dtype)


def checkpoint_filter_fn(state_dict: Mapping[str, Any], model: TransXNet) -> dict[str, Tensor]:
    """Fit a checkpoint to a model, as timm calls it before load_state_dict.

    Names of the official classification, detection and segmentation code, of timm's other models and of mmpretrain
    become those of TransXNet (weights/layouts.py). relative_pos_enc is resized to the model's `img_size`; if the model
    has none, its tables take over the sizes of the checkpoint (TransXNet.fit_bias_tables).

    Args:
        state_dict: Name -> tensor, or a checkpoint that contains such a state dict.
        model: The model to load it into.

    Returns:
        A state dict for `model.load_state_dict`.

    Raises:
        WeightsMismatch: The tensors are those of another model.
    """
    name = "the checkpoint"
    state = transxnet_state(find_state_dict(state_dict, name).values, name)
    model.fit_bias_tables(state)
    return state


def _register(name: str) -> None:
    def create(pretrained: bool = False, **kwargs: Any) -> nn.Module:
        return _create(VARIANTS[name], pretrained, **kwargs)

    create.__name__, create.__doc__ = name, f"{name}: {VARIANTS[name].about}."  # timm names a model by its function
    register_model(create)


def transxnet(pretrained: bool = False, **kwargs: Any) -> nn.Module:
    """Create a TransXNet of any size; a published config.json names it for architectures that are no variant.

    Args:
        pretrained: Load the weights of the source in `pretrained_cfg`.
        **kwargs: The fields of VariantSpec that weights/architecture.py reads (depths, dims, heads, …), and timm's.

    Returns:
        The model.
    """
    fields = {name: kwargs.pop(name) for name in (*SHAPES, "bias_size") if name in kwargs}
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    spec = replace(VARIANTS["transxnet_t"], name=GENERIC, official_file="", paper=None, **fields)
    return _create(spec, pretrained, **kwargs)


for _name in VARIANTS:
    _register(_name)
register_model(transxnet)
