"""A checkpoint in any layout -> model.safetensors, holding the same numbers in as few bytes as the source did.

checkpoint.py reads it. Of a training run of ours the moving average (EMA) is taken, as `bundle` does; of other files
what `load` takes, or their EMA copy where that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from ..errors import WeightsMismatch
from ..model import TransXNet, stored_bias_size
from ..variants import VARIANTS, VariantSpec
from ..weights.checkpoint import model_from, open_checkpoint, read_checkpoint

OWN_EMA = ("ema",)  # training.loop's checkpoint.pt holds it under this name
EMA = (*OWN_EMA, "state_dict_ema", "model_ema")
_WORDS = {"name", "bias_size", "image_size", "crop_pct", "label_set", "official_file", "about", "paper"}


@dataclass(frozen=True)
class Source:
    """A checkpoint that fits its variant. state: float32, on the CPU; dtype: what holds each value exactly.

    sha256: of the file. averaged: whether these are the moving average that the file holds beside its weights.
    note: which of its copies they are, where checkpoint.py had a choice.
    """

    spec: VariantSpec
    path: Path
    sha256: str
    state: dict[str, Tensor]
    dtype: torch.dtype
    averaged: bool
    note: str = ""

    def model(self) -> TransXNet:
        """A model of these weights, in eval mode."""
        return model_from(self.spec, self.state, self.path.name).eval().requires_grad_(False)

    @property
    def stored(self) -> str:
        """How model.safetensors holds them, in words."""
        name = str(self.dtype).removeprefix("torch.")
        return name if self.dtype == torch.float32 else f"{name}, which holds each of the source's values exactly"


def read_source(spec: VariantSpec, path: Path, ema: bool = False) -> Source:
    """Read a checkpoint of this variant. ema: take the moving average beside the weights, whoever wrote the file.

    Raises SourceFailed (missing, damaged, holds code) and WeightsMismatch (another model's, or no such average).
    """
    found = open_checkpoint(path, EMA if ema else OWN_EMA)
    averaged = _differs(path, found.state)
    if ema and not (averaged or found.note):
        raise WeightsMismatch(
            f"The file {path.name} holds no moving average (EMA) beside its weights.",
            remedy="Leave out --ema to publish the weights themselves.",
        )
    source = Source(spec, path, found.sha256, found.state, _smallest_dtype(found.state), averaged, found.note)
    source.model()
    _check_image_side(source)
    return source


def write_weights(source: Source, path: Path) -> None:
    """Write model.safetensors: floating-point tensors in the source's precision, BatchNorm's counters as they are."""
    stored = {
        key: value.to(source.dtype) if value.is_floating_point() else value for key, value in source.state.items()
    }
    path.write_bytes(save(stored, metadata={"format": "pt"}))  # save_file's would be readable to nobody else


def _differs(path: Path, state: dict[str, Tensor]) -> bool:
    """Whether `load` would take other weights out of the file than these."""
    if path.suffix == ".safetensors":
        return False
    try:
        usual, _ = read_checkpoint(path)
    except WeightsMismatch:  # nothing under the usual names
        return True
    return usual.keys() != state.keys() or any(not torch.equal(usual[key], value) for key, value in state.items())


def _smallest_dtype(state: dict[str, Tensor]) -> torch.dtype:
    """float16 or bfloat16 if it holds every value exactly, as it does where the source was stored so; else float32."""
    values = [value for value in state.values() if value.is_floating_point()]
    for dtype in (torch.float16, torch.bfloat16):
        if all(torch.equal(value.to(dtype).to(torch.float32), value) for value in values):
            return dtype
    return torch.float32


def _check_image_side(source: Source) -> None:
    """B and B-384 differ in nothing but their bias tables' size: one is not published as the other."""
    stored, spec = stored_bias_size(source.state), source.spec
    if stored in (None, spec.bias_size):
        return
    for other in VARIANTS.values():
        if other.bias_size == stored and _shape(other) == _shape(spec):
            raise WeightsMismatch(
                f"The tensors of {source.path.name} are {other.name}'s: its bias tables are for {stored} px, those of "
                f"{spec.name} for {spec.bias_size} px.",
                remedy=f"Publish it with --model {other.short}.",
            )


def _shape(spec: VariantSpec) -> tuple[object, ...]:
    """What of a variant decides its tensors' shapes, bias tables aside."""
    return tuple(getattr(spec, field.name) for field in fields(spec) if field.name not in _WORDS)
