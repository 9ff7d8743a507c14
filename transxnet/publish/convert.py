"""Convert a checkpoint of any layout to model.safetensors, in the precision of the source.

weights/checkpoint.py reads it. Of this project's training runs the moving average (EMA) is used, as `bundle` does; of
other files the weights that `load` uses, or their EMA copy on request.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from ..errors import WeightsMismatch
from ..messages import Message
from ..model import TransXNet, stored_bias_size
from ..variants import VARIANTS, VariantSpec
from ..weights.checkpoint import model_from, open_checkpoint

PROJECT_EMA = ("ema",)  # the key in training.loop's checkpoint.pt
EMA = (*PROJECT_EMA, "state_dict_ema", "model_ema")
_NOT_SHAPES = {"name", "bias_size", "image_size", "crop_pct", "label_set", "official_file", "about", "paper"}


@dataclass(frozen=True)
class Source:
    """A checkpoint that fits its variant.

    Attributes:
        spec: The variant.
        path: The file.
        sha256: Of the file.
        state: Name -> tensor, float32, on the CPU.
        dtype: The smallest type that represents each value exactly.
        averaged: Whether these are the moving average that the file contains besides its weights.
        note: Which of several copies they are; '' if there was no choice.
    """

    spec: VariantSpec
    path: Path
    sha256: str
    state: dict[str, Tensor]
    dtype: torch.dtype
    averaged: bool
    note: str = ""

    def model(self) -> TransXNet:
        """A model with these weights, in eval mode."""
        return model_from(self.spec, self.state, self.path.name).eval().requires_grad_(False)

    @property
    def stored(self) -> str:
        """The precision of model.safetensors, as a phrase."""
        name = str(self.dtype).removeprefix("torch.")
        return name if self.dtype == torch.float32 else f"{name}, which represents each value of the source exactly"


def read_source(spec: VariantSpec, path: Path, ema: bool = False) -> Source:
    """Read a checkpoint of this variant.

    Args:
        spec: The variant.
        path: A checkpoint in any layout.
        ema: Use the moving average instead of the weights.

    Returns:
        The checked weights.

    Raises:
        SourceFailed: The file is missing, damaged or contains code.
        WeightsMismatch: It is of another model, or contains no moving average.
    """
    checkpoint = open_checkpoint(path, EMA if ema else PROJECT_EMA)
    averaged = _differs(path, checkpoint.state)
    if ema and not (averaged or checkpoint.note):
        raise WeightsMismatch(
            "The file {name} contains no moving average (EMA) of its weights.",
            remedy="Leave out --ema to publish the weights themselves.", name=path.name,
        )  # fmt: skip
    dtype = _smallest_dtype(checkpoint.state)
    source = Source(spec, path, checkpoint.sha256, checkpoint.state, dtype, averaged, checkpoint.note)
    source.model()
    _check_image_side(source)
    return source


def write_weights(source: Source, path: Path) -> None:
    """Write model.safetensors: floating-point tensors in the source's precision, BatchNorm's counters as they are."""
    stored = {
        key: value.to(source.dtype) if value.is_floating_point() else value for key, value in source.state.items()
    }
    path.write_bytes(save(stored, metadata={"format": "pt"}))  # save_file makes it readable by its owner only


def _differs(path: Path, state: dict[str, Tensor]) -> bool:
    """Whether `load` would use other weights of the file than these."""
    if path.suffix == ".safetensors":
        return False
    try:
        loaded = open_checkpoint(path).state
    except WeightsMismatch:  # nothing under the keys that `load` knows
        return True
    return loaded.keys() != state.keys() or any(not torch.equal(loaded[key], value) for key, value in state.items())


def _smallest_dtype(state: dict[str, Tensor]) -> torch.dtype:
    """float16 or bfloat16 if it represents every value exactly, as for a source stored in that type; else float32."""
    values = [value for value in state.values() if value.is_floating_point()]
    for dtype in (torch.float16, torch.bfloat16):
        if all(torch.equal(value.to(dtype).to(torch.float32), value) for value in values):
            return dtype
    return torch.float32


def _check_image_side(source: Source) -> None:
    """Refuse B published as B-384 or the reverse: they differ only in the size of their bias tables."""
    stored, spec = stored_bias_size(source.state), source.spec
    if stored in (None, spec.bias_size):
        return
    for other in VARIANTS.values():
        if other.bias_size == stored and _shape(other) == _shape(spec):
            raise WeightsMismatch(
                Message(
                    "{name} contains {other}: its bias tables are for {stored} px, those of {spec} for {size} px.",
                    name=source.path.name,
                    other=other.name,
                    stored=stored,
                    spec=spec.name,
                    size=spec.bias_size,
                ),
                remedy=Message("Publish it with --model {name}.", name=other.short),
            )


def _shape(spec: VariantSpec) -> tuple[object, ...]:
    """The fields of a variant that determine the shapes of its tensors, without the bias tables."""
    return tuple(getattr(spec, field.name) for field in fields(spec) if field.name not in _NOT_SHAPES)
