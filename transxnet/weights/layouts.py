"""Find the tensors of a model in what a checkpoint file holds, under the names of model.py.

Training programs store the state dict under a key of their own (CONTAINERS), next to a moving average of the weights
(AVERAGES), with a prefix of the wrappers around the model (WRAPPERS), and with a head named in their own way:

    official code, timm.create_model("transxnet_t")   classifier.0 (norm), classifier.2 (1x1 convolution)
    timm's other models                               norm or head.norm, head.fc or head or fc (linear)
    mmpretrain, mmsegmentation, mmdetection           backbone.norm or backbone.norm6 (norm), head.fc (linear)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import WeightsMismatch
from ..messages import Message

CONTAINERS = ("state_dict", "model", "model_state_dict", "net", "weights")  # by priority
AVERAGES = ("state_dict_ema", "model_ema", "ema")
WRAPPERS = ("module.", "_orig_mod.", "model.", "net.", "backbone.", "timm_model.")
NORMS = (
    "norm",
    "norm6",
    "head.norm",
    "head_norm",
    "norm_head",
    "head.0",
)  # the official dense backbones' last is norm6
CLASSIFIERS = ("head.fc", "head", "fc", "classifier.fc", "classifier", "head.2", "head.1", "cls_head.fc")
_STEM = "patch_embed.proj.conv.weight"  # every TransXNet has it
_WRAPPED = re.compile(f"({'|'.join(map(re.escape, WRAPPERS))})*")
_UNUSED_NORM = re.compile(r"norm[0246]\.(weight|bias)")  # of the dense backbones' outputs
_DEPTH = 3  # containers in containers


@dataclass(frozen=True)
class StateDict:
    """The tensors found in a file.

    Attributes:
        values: Name -> tensor, as in the file.
        averaged: Whether they are a moving average (EMA) of the weights.
        note: Which of several copies they are, a sentence; '' if there was no choice.
        extras: What else lies in the file, by its key.
    """

    values: Mapping[str, object]
    averaged: bool
    note: str
    extras: Mapping[str, object]


def find_state_dict(content: object, name: str, ema: bool = False) -> StateDict:
    """Find the state dict in the content of a file.

    Args:
        content: As file_formats.read_file returns it.
        name: Of the file, for messages.
        ema: Use the moving average. Without it the weights are used, except where a file holds only an average, and
            of this project's training runs, whose result is the average.

    Raises:
        WeightsMismatch: There is no state dict, or no moving average.
    """
    if not isinstance(content, Mapping):
        raise _nothing(name)
    copies = {key: state for key in (*CONTAINERS, *AVERAGES) if (state := _contained(content.get(key))) is not None}
    averages = [key for key in copies if key in AVERAGES]
    if not copies and not _holds_tensors(content):
        raise _nothing(name)
    if ema and not averages:
        raise _no_average(name)
    if not copies:
        return StateDict({str(key): value for key, value in content.items()}, False, "", {})
    ours = "ema" in averages and "recipe" in content  # training.loop's checkpoint.pt
    chosen = averages[0] if averages and (ema or ours) else next(iter(copies))
    extras = {str(key): value for key, value in content.items() if key not in copies}
    values = {str(key): value for key, value in copies[chosen].items()}
    return StateDict(values, chosen in averages, _copies_note(list(copies), averages, chosen), extras)


def transxnet_state(state: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """Rename the tensors of a TransXNet as model.py names them.

    Args:
        state: Name -> tensor.
        name: Of the file, for messages.

    Returns:
        The tensors of the backbone and of its classifier. Without a classifier there is no classifier.2. Tensors of
        other parts, such as a segmentation head, are left out.

    Raises:
        WeightsMismatch: The tensors are those of another model, or of several.
    """
    prefixes = [key.removesuffix(_STEM) for key in state if key.endswith(_STEM)]
    prefixes = [prefix for prefix in prefixes if _WRAPPED.fullmatch(prefix)]
    if not prefixes:
        raise WeightsMismatch(
            "The tensors of {name} are not those of a TransXNet: there is no {stem}.",
            remedy="The weights of a timm model are named timm:ARCHITECTURE=FILE.", name=name, stem=_STEM,
            detail=f"its first tensors: {', '.join(list(state)[:3])}",
        )  # fmt: skip
    if len(prefixes) > 1:
        raise WeightsMismatch(
            "{name} contains several models, under {prefixes}.", remedy="Save the one to explain alone.", name=name,
            prefixes=" and ".join(prefix or "no prefix" for prefix in prefixes),
        )  # fmt: skip
    prefix = prefixes[0]
    inner = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    outer = {_WRAPPED.sub("", key, count=1): value for key, value in state.items() if not key.startswith(prefix)}
    renamed = _with_head(inner, outer)
    for key in [key for key in renamed if key.endswith(".running_mean")]:  # a counter that some programs drop
        renamed.setdefault(key.replace("running_mean", "num_batches_tracked"), torch.tensor(0))
    return renamed


def _with_head(inner: dict[str, Tensor], outer: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with norm and classifier under their names here, from either mapping; without one, as features."""
    final_norm = inner.get("network.6.0.norm2.weight")
    width = 0 if final_norm is None else len(final_norm)  # channels of the last stage, C4
    parts = {**outer, **inner}
    classifier = next((key for key in ("classifier.2", *CLASSIFIERS) if _is_classifier(parts, key, width)), None)
    norm = next((key for key in ("classifier.0", *NORMS) if _is_norm(parts, key, width)), None)
    head: dict[str, Tensor] = {}
    if classifier is not None:
        weight, bias = parts[f"{classifier}.weight"], parts.get(f"{classifier}.bias")
        head["classifier.2.weight"] = weight.reshape(*weight.shape[:2], 1, 1)  # (classes, C4, 1, 1)
        head["classifier.2.bias"] = weight.new_zeros(len(weight)) if bias is None else bias
    if norm is not None:
        head |= {f"classifier.0.{part}": parts[f"{norm}.{part}"] for part in ("weight", "bias")}
    elif classifier is None:  # features: the norm's factors and offsets are part of the missing head
        head |= {"classifier.0.weight": torch.ones(width), "classifier.0.bias": torch.zeros(width)}
    used = {f"{key}.{part}" for key in (classifier, norm) for part in ("weight", "bias")}
    return {key: value for key, value in inner.items() if key not in used and not _UNUSED_NORM.fullmatch(key)} | head


def _is_classifier(state: Mapping[str, Tensor], key: str, width: int) -> bool:
    """Whether `key` is a linear layer or a 1x1 convolution of the last stage's features."""
    shape = () if (weight := state.get(f"{key}.weight")) is None else tuple(weight.shape)
    return len(shape) in (2, 4) and shape[1:] in ((width,), (width, 1, 1)) and shape[0] > 0


def _is_norm(state: Mapping[str, Tensor], key: str, width: int) -> bool:
    weight, bias = state.get(f"{key}.weight"), state.get(f"{key}.bias")
    return weight is not None and bias is not None and weight.shape == bias.shape == (width,)


def _contained(value: object, depth: int = 0) -> Mapping[object, object] | None:
    """The mapping of tensors that a value is or holds under one of CONTAINERS; None if there is none."""
    if not isinstance(value, Mapping):
        return None
    if _holds_tensors(value):
        return value
    inner = (_contained(value.get(key), depth + 1) for key in CONTAINERS if depth < _DEPTH)
    return next((state for state in inner if state is not None), None)


def _holds_tensors(content: Mapping[object, object]) -> bool:
    return any(isinstance(value, Tensor) for value in content.values())


def _copies_note(copies: list[str], averages: list[str], chosen: str) -> str:
    """Which copy in a file is used, if one of them is a moving average (EMA)."""
    if not averages:
        return ""
    if averages == copies:
        return Message("The file contains only a moving average of the weights ({key}), which is used.", key=chosen)
    return Message(
        "The file contains weights and their moving average ({average}); {key} is used.", average=averages[0],
        key=chosen,
    )  # fmt: skip


def _nothing(name: str) -> WeightsMismatch:
    return WeightsMismatch(
        "The file {name} contains no state dict, neither at the top level nor under {keys}.",
        remedy="Pass a checkpoint of a complete model.", name=name, keys=" or ".join(CONTAINERS),
    )  # fmt: skip


def _no_average(name: str) -> WeightsMismatch:
    return WeightsMismatch(
        "The file {name} contains no moving average (EMA) of its weights.",
        remedy="Leave out --ema to use the weights themselves.", name=name,
    )  # fmt: skip
