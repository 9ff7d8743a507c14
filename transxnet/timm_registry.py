"""Register the variants with timm: `timm.create_model("transxnet_t", pretrained=True)` after `import transxnet`.

`pretrained=True` uses this project's sources (weights/load.py), and timm adapts the weights to another `num_classes` or
`in_chans`. If a source is passed to timm, "hf-hub:NAMESPACE/NAME" or "local-dir:FOLDER" or a file in
`pretrained_cfg_overlay`, timm reads it. Conventions of timm 1.0 (timm/models/_builder.py): build_model_with_cfg, and
the feature getter, which calls TransXNet.forward_intermediates.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import torch
from timm.models import build_model_with_cfg, generate_default_cfgs, register_model, resolve_pretrained_cfg
from torch import Tensor, nn

from .model import TransXNet, stored_bias_size
from .variants import VARIANTS, VariantSpec
from .weights.architecture import SHAPES
from .weights.load import load

_SOURCE_KEYS = ("source", "file", "url", "hf_hub_id", "state_dict")  # of a pretrained_cfg with a source


GENERIC = "transxnet"  # timm's name for an architecture given by its arguments


def pretrained_config(spec: VariantSpec) -> dict[str, Any]:
    """timm's pretrained_cfg of a variant: preprocessing, and the layers that adapt to new tasks."""
    cells = spec.image_size // spec.strides[-1]
    return {
        "num_classes": spec.num_classes,
        "input_size": (3, spec.image_size, spec.image_size),
        "pool_size": (cells, cells),
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


default_cfgs = generate_default_cfgs(
    {spec.name: pretrained_config(spec) for spec in VARIANTS.values()}
    | {GENERIC: pretrained_config(VARIANTS["transxnet_t"])}
)


def _create(spec: VariantSpec, pretrained: bool, **kwargs: Any) -> nn.Module:
    """Build a variant through timm's builder, which handles num_classes, in_chans and features_only."""
    overlay = dict(kwargs.pop("pretrained_cfg_overlay", None) or {})
    resolved = resolve_pretrained_cfg(spec.name, kwargs.get("pretrained_cfg"), overlay).to_dict()
    if pretrained and not any(resolved.get(key) for key in _SOURCE_KEYS):
        state = load(spec.name, device="cpu").model.state_dict()
        overlay["state_dict"] = dict(state)  # a copy, because timm removes entries
    return build_model_with_cfg(
        partial(_build, spec),
        spec.name,
        pretrained,
        pretrained_cfg_overlay=overlay,
        pretrained_filter_fn=_fit_bias_tables,
        feature_cfg={"out_indices": (0, 1, 2, 3), "feature_cls": "getter"},
        **kwargs,
    )


def _build(
    spec: VariantSpec,
    num_classes: int | None = None,
    drop_path_rate: float = 0.0,
    in_chans: int = 3,
    bias_size: int | None = None,
    global_pool: str = "avg",
) -> TransXNet:
    if global_pool != "avg":
        raise ValueError(f"global_pool {global_pool!r}: TransXNet pools by the average")
    return TransXNet(spec, num_classes, drop_path_rate, in_chans, bias_size)


def _fit_bias_tables(state: dict[str, Tensor], model: TransXNet) -> dict[str, Tensor]:
    """Resize the model's relative_pos_enc to the image side for which the file stores it."""
    if stored_bias_size(state):
        for i, table in enumerate(model.relative_pos_enc):
            stored_table = state.get(f"relative_pos_enc.{i}")
            if stored_table is not None and stored_table.shape != table.shape:
                model.relative_pos_enc[i] = nn.Parameter(torch.zeros_like(stored_table, device=table.device))
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
