"""Explain a model that is already in memory: `wrap` gives what `load` gives, without copying or changing the model.

    loaded = transxnet.wrap(model, class_names=["robin", "wren"])
    study(loaded, decode("photo.jpg"))

The result holds a view: other module objects around the same parameters and buffers, in eval mode and with hooks of
their own. Training mode, requires_grad and hooks of the model itself stay as they are, and the view follows every later
training step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from .backbones.module import Backbone
from .backbones.spec import backbone_spec
from .class_names import class_names as read_names
from .errors import LensError, check_index
from .labels import NUMBERED, own_labels
from .messages import Message
from .model import TransXNet
from .module_view import view_of
from .registry import check_model_name
from .weights.checkpoint import state_digest
from .weights.description import MAX_SIZE, MIN_SIZE, Description, describe
from .weights.load import LoadedModel
from .weights.own_models import choose_activation, merge_preprocessing
from .weights.sources import Provenance


def wrap(
    model: nn.Module,
    class_names: Sequence[str] | Mapping[object, object] | None = None,
    image_size: int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    *,
    crop_pct: float | None = None,
    interpolation: str | None = None,
    activation: str | None = None,
    name: str = "model",
) -> LoadedModel:
    """Explain a model in memory.

    Args:
        model: A TransXNet of this project, such as timm.create_model("transxnet_t"), or another timm model; in any
            mode, dtype and on any device.
        class_names: In the order of its outputs, or a dictionary of indices and names; None takes those that its
            `pretrained_cfg` mentions, then the variant's if it has as many classes.
        image_size: Side of the model input in pixels; None takes what its `pretrained_cfg` says, then the variant's.
        mean: Of red, green and blue; None likewise.
        std: Of red, green and blue; None likewise.
        crop_pct: In (0, 1]; None likewise.
        interpolation: One of variants.INTERPOLATIONS; None likewise.
        activation: "softmax" or "sigmoid"; None is sigmoid for one logit, else softmax.
        name: Under which results are shown.

    Returns:
        A model that shares all parameters and buffers with this one. Inputs and outputs are float32 whatever its dtype.

    Raises:
        InvalidValue: Unusable class names or preprocessing.
        OutOfRange: The image size is out of range, or the number of names is not that of the classes.
        LensError: The model is neither a TransXNet nor a timm model that can be explained.

    Example:
        >>> loaded = wrap(timm.create_model("transxnet_pico", num_classes=3), ["a", "b", "c"])  # doctest: +SKIP
    """
    given = {"mean": mean, "std": std, "crop_pct": crop_pct, "interpolation": interpolation}
    arguments = {key: value for key, value in given.items() if value is not None}
    descriptions = [
        describe(arguments, "the arguments", strict=True),
        describe({"pretrained_cfg": dict(getattr(model, "pretrained_cfg", None) or {})}, "pretrained_cfg"),
    ]
    if image_size is not None:
        check_index(image_size, MIN_SIZE, MAX_SIZE, "The image size {index} px is out of range.")
    fields = _fields(model, descriptions, class_names, image_size, activation, check_model_name(name))
    view = view_of(model)
    if isinstance(model, TransXNet):
        view.spec = replace(model.spec, **fields)
    else:
        view = _backbone(view, model, fields)
    _compute_in(view, next(model.parameters()).dtype)
    digest = state_digest({key: value.float() for key, value in model.state_dict().items()})
    provenance = Provenance("memory", name, digest, note=Message("A model in memory."))
    return LoadedModel(view, view.spec, provenance, next(model.parameters()).device)


def _fields(
    model: nn.Module, descriptions: Sequence[Description], names: object, image_size: int | None,
    activation: str | None, name: str,
) -> dict[str, Any]:  # fmt: skip
    """Fields of the spec."""
    classes = int(getattr(model, "num_classes", 0))
    fields: dict[str, Any] = {"name": name, "num_classes": classes}
    fields["activation"] = choose_activation(activation or "", descriptions, classes)
    sizes = (image_size, *(description.image_size for description in descriptions))
    if size := next((size for size in sizes if size), None):
        fields["image_size"] = size
    fields |= merge_preprocessing(descriptions)
    described = next((d for d in descriptions if d.names and len(d.names) == classes), None)
    listed = described.names if names is None and described else names and read_names(names, "class_names")
    if listed:
        check_index(len(listed), classes, classes, "{index} class names were given for {count} classes.",
                    "Pass one for each output.", count=classes)  # fmt: skip
        synonyms = described.label_descriptions if described and names is None else None
        fields |= {"label_set": name, "own_labels": own_labels(name, listed, synonyms)}
    elif classes != getattr(getattr(model, "spec", None), "num_classes", None):
        fields |= {"label_set": f"{NUMBERED}{classes}"}
    return fields


def _backbone(view: nn.Module, model: nn.Module, fields: dict[str, Any]) -> Backbone:
    """A Backbone around the view of a timm model."""
    config = dict(getattr(model, "pretrained_cfg", None) or {})
    architecture = config.get("architecture")
    if not architecture:
        raise LensError(
            "The model is neither a TransXNet nor a timm model: it has no pretrained_cfg.",
            remedy="Create it with timm.create_model.",
        )
    spec = backbone_spec(architecture, architecture, "", config | {"num_classes": fields["num_classes"]})
    fixed = bool(config.get("fixed_input_size")) and fields.get("image_size", spec.image_size) != spec.image_size
    if fixed:
        raise LensError(
            "The model takes images of {size} px only.", remedy="Leave out image_size.", size=spec.image_size
        )
    backbone = Backbone(view, replace(spec, **fields))
    for module in backbone.modules():
        if hasattr(module, "attention_bias_cache"):  # of timm's LeViT and TinyViT; training clears only the model's own
            module.attention_bias_cache = _Uncached()
    return backbone


class _Uncached(dict):
    """A cache that is written anew on every use."""

    def __contains__(self, key: object) -> bool:
        return False

    def copy(self) -> _Uncached:
        return _Uncached()


def _compute_in(view: nn.Module, dtype: torch.dtype) -> None:
    """Let a view of half precision take and return float32."""
    if dtype == torch.float32:
        return
    view.register_forward_pre_hook(lambda module, args: tuple(_cast(value, dtype) for value in args))
    view.register_forward_hook(lambda module, args, output: _cast(output, torch.float32))


def _cast(value: object, dtype: torch.dtype) -> object:
    return value.to(dtype) if isinstance(value, Tensor) and value.is_floating_point() else value
