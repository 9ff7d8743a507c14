"""What a checkpoint says about itself besides its tensors: classes, input size, preprocessing, architecture.

Read from timm's config.json (`label_names`, `label_descriptions`, `pretrained_cfg`), from safetensors metadata, and
from what training programs store next to the weights: `arch`, `args` of timm's train.py and the authors' script,
Lightning's `hyper_parameters`, `class_to_idx` of torchvision's ImageFolder. Values are validated: unusable ones of
config.json are errors, and so are class names; others are as if they were absent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..class_names import class_names
from ..errors import InvalidValue, quote
from ..variants import ACTIVATIONS, CROP_MODES, INTERPOLATIONS

MIN_SIZE, MAX_SIZE = 32, 2048  # pixels of the model input's side
_NESTED = ("pretrained_cfg", "config", "args", "hyper_parameters", "hparams")  # mappings that hold the same keys
_NAMES = ("label_names", "class_names", "classes", "idx_to_class", "class_to_idx", "id2label", "label2id", "labels")
_REQUIRED_NAMES = ("label_names", "class_names")  # mean class names wherever they occur
_ARCHITECTURES = ("architecture", "arch", "model", "model_name")
_SIZES = ("input_size", "img_size", "image_size")
_IMPOSSIBLE = object()


@dataclass(frozen=True)
class Description:
    """What one source says. Fields that it does not mention are None.

    Attributes:
        where: The source in words, such as "config.json".
        names: Of the classes, in the order of the outputs.
        label_descriptions: Synonyms of a class, by its entry in `names`.
        image_size: Side of the model input in pixels.
        architecture: A name, perhaps unknown.
        preprocessing: Some of mean, std, crop_pct, crop_mode and interpolation, as VariantSpec has them.
        activation: One of ACTIVATIONS.
    """

    where: str
    names: tuple[str, ...] | None = None
    label_descriptions: Mapping[str, str] = field(default_factory=dict)
    image_size: int | None = None
    architecture: str | None = None
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    activation: str | None = None


def describe(content: Mapping[str, object], where: str, strict: bool = False) -> Description:
    """Read a description.

    Args:
        content: The parsed config.json, the metadata of a safetensors file, or what else lies in a PyTorch file.
        where: Its source in words.
        strict: Whether an unusable value of the preprocessing is an error.

    Raises:
        InvalidValue: Unusable class names; with `strict` any unusable value.
    """
    levels = list(_levels(content))
    description = Description(where, _names(levels, where))
    for level in levels:
        described = level.get("label_descriptions")
        if isinstance(described, Mapping):
            texts = {str(key): value for key, value in described.items() if isinstance(value, str) and value.strip()}
            description = replace(description, label_descriptions=texts)
    read = {name: _first(levels, keys, parse, where, strict) for name, (keys, parse) in _FIELDS.items()}
    preprocessing = {name: value for name in _PREPROCESSING if (value := read.pop(name)) is not None}
    return replace(description, preprocessing=preprocessing, **read)


def _levels(content: Mapping[str, object]) -> Iterable[Mapping[str, object]]:
    """The mapping and those nested in it, which come first. Text values of JSON are parsed."""
    decoded = {str(key): _decode(value) for key, value in content.items()}
    for key in _NESTED:
        inner = decoded.get(key)
        inner = inner if isinstance(inner, Mapping) else getattr(inner, "__dict__", None)  # argparse.Namespace
        if isinstance(inner, Mapping):
            yield {str(name): _decode(value) for name, value in inner.items()}
    yield decoded


def _decode(value: object) -> object:
    if isinstance(value, str) and value[:1] in ("[", "{") and len(value) < 10**7:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _names(levels: Sequence[Mapping[str, object]], where: str) -> tuple[str, ...] | None:
    for key in _NAMES:
        for level in levels:
            value = level.get(key)
            if not isinstance(value, (Mapping, list, tuple)) or not value:
                continue
            try:
                return class_names(value, f"{key} of {where}")
            except InvalidValue:
                if key in _REQUIRED_NAMES:
                    raise
    return None


def _first(
    levels: Sequence[Mapping[str, object]], keys: Sequence[str], parse: Any, where: str, strict: bool
) -> Any:  # fmt: skip
    """The first usable value under one of these keys; None if there is none."""
    for level in levels:
        for key in keys:
            value = level.get(key)
            if value is None or value == "" or value == []:
                continue
            parsed = parse(value)
            if parsed is not _IMPOSSIBLE:
                return parsed
            if strict:
                raise InvalidValue(
                    "{key} in {where} is not usable: {value}.", remedy="Correct it.", key=key, where=where,
                    value=quote(value),
                )  # fmt: skip
    return None


def _size(value: object) -> object:
    sides = list(value) if isinstance(value, (list, tuple)) else [value]
    sides = sides[-2:]  # of (channels, height, width)
    valid = all(isinstance(side, int) and not isinstance(side, bool) and MIN_SIZE <= side <= MAX_SIZE for side in sides)
    return sides[0] if sides and valid and len(set(sides)) == 1 else _IMPOSSIBLE


def _triple(value: object) -> object:
    """Three finite numbers; one stands for all colors."""
    numbers = list(value) if isinstance(value, (list, tuple)) else [value]
    valid = all(isinstance(n, (int, float)) and not isinstance(n, bool) and math.isfinite(n) for n in numbers)
    if not valid or len(numbers) not in (1, 3):
        return _IMPOSSIBLE
    return tuple(float(n) for n in numbers) * (3 // len(numbers))


def _deviations(value: object) -> object:
    triple = _triple(value)
    return triple if triple is _IMPOSSIBLE or min(triple) > 0 else _IMPOSSIBLE


def _share(value: object) -> object:
    valid = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1
    return float(value) if valid else _IMPOSSIBLE


def _one_of(*names: str) -> Any:
    return lambda value: value if value in names else _IMPOSSIBLE


def _text(value: object) -> object:
    return value[:200] if isinstance(value, str) else _IMPOSSIBLE


_PREPROCESSING = {
    "mean": (("mean",), _triple),
    "std": (("std",), _deviations),
    "crop_pct": (("crop_pct",), _share),
    "crop_mode": (("crop_mode",), _one_of(*CROP_MODES)),
    "interpolation": (("interpolation",), _one_of(*INTERPOLATIONS)),
}
_FIELDS = _PREPROCESSING | {
    "image_size": (_SIZES, _size),
    "architecture": (_ARCHITECTURES, _text),
    "activation": (("activation",), _one_of(*ACTIVATIONS)),
}
