"""Convert a model of the user's own to model.safetensors, in the precision of its source.

weights/load.py reads and describes the source, so that what can be loaded can be published.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from ..errors import WeightsMismatch
from ..messages import Message
from ..model import TransXNet, stored_bias_size
from ..variants import VARIANTS, VariantSpec
from ..weights.architecture import architecture_of, same_architecture
from ..weights.checkpoint import model_from
from ..weights.load import ClassNames, read_own_model


@dataclass(frozen=True)
class Source:
    """A checkpoint that can be published.

    Attributes:
        spec: Its architecture, classes and preprocessing.
        path: The file.
        sha256: Of the file.
        state: Name -> tensor, float32, on the CPU.
        dtype: The smallest type that represents each value exactly.
        averaged: Whether these are the moving average that the file contains besides its weights.
        note: What was read from where.
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


def read_source(
    name: str, source: str | Path, class_names: ClassNames = None, activation: str = "", ema: bool = False
) -> Source:
    """Read a checkpoint; arguments as of weights.load.load.

    Returns:
        The checked weights.

    Raises:
        NoWeights: The source cannot be read, or is not of the named variant, or contains no moving average.
        WeightsMismatch: It is another variant of the same shapes.
    """
    own = read_own_model(name, source, class_names, activation, ema)
    _check_image_side(own.spec, own.state, own.path.name)
    dtype = _smallest_dtype(own.state)
    return Source(own.spec, own.path, own.provenance.sha256, own.state, dtype, own.averaged, own.provenance.note)


def write_weights(source: Source, path: Path) -> None:
    """Write model.safetensors: floating-point tensors in the source's precision, BatchNorm's counters as they are."""
    stored = {
        key: value.to(source.dtype) if value.is_floating_point() else value for key, value in source.state.items()
    }
    path.write_bytes(save(stored, metadata={"format": "pt"}))  # save_file makes it readable by its owner only


def _smallest_dtype(state: dict[str, Tensor]) -> torch.dtype:
    """float16 or bfloat16 if it represents every value exactly, as for a source stored in that type; else float32."""
    values = [value for value in state.values() if value.is_floating_point()]
    for dtype in (torch.float16, torch.bfloat16):
        if all(torch.equal(value.to(dtype).to(torch.float32), value) for value in values):
            return dtype
    return torch.float32


def _check_image_side(spec: VariantSpec, state: dict[str, Tensor], file_name: str) -> None:
    """Refuse B published as B-384 or the reverse: they differ only in the size of their bias tables."""
    published, stored = VARIANTS.get(spec.name), stored_bias_size(state)
    if published is None or stored in (None, published.bias_size):
        return
    for other in VARIANTS.values():
        if other.bias_size == stored and same_architecture(other, architecture_of(published)):
            raise WeightsMismatch(
                Message(
                    "{name} contains {other}: its bias tables are for {stored} px, those of {spec} for {size} px.",
                    name=file_name, other=other.name, stored=stored, spec=spec.name, size=published.bias_size,
                ),
                remedy=Message("Publish it with --model {name}={file}.", name=other.short, file=file_name),
            )  # fmt: skip
