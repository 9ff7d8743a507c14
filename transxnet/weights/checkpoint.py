"""Read a checkpoint file into a verified state dict, and build a model of it; any problem is a WeightsError.

file_formats.py reads the bytes, layouts.py finds the tensors in them. The digest is that of the parsed bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..errors import WeightsMismatch
from ..messages import Message
from ..model import TransXNet, stored_bias_size
from ..variants import VariantSpec
from .file_formats import read_file
from .layouts import find_state_dict

UNTRAINED_SEED = 0
_MAX_KEYS = 3  # in an error message
_RANDOM_FUNCTIONS = (
    torch.Tensor.uniform_, torch.Tensor.normal_, torch.Tensor.bernoulli_, torch.Tensor.exponential_,
    torch.rand, torch.randn, torch.randint, torch.randperm, torch.bernoulli,
)  # fmt: skip


@dataclass(frozen=True)
class Checkpoint:
    """The contents of a file.

    Attributes:
        state: Name -> tensor on the CPU, float32 if floating-point.
        sha256: Of the file, 64 hex digits.
        note: Which of several copies was used, a sentence; '' if there was no choice.
        averaged: Whether the tensors are a moving average (EMA) of the weights.
        extras: What else the file holds, by key: metadata, arguments of the training program, class names.
    """

    state: dict[str, Tensor]
    sha256: str
    note: str = ""
    averaged: bool = False
    extras: Mapping[str, object] = field(default_factory=dict)


def open_checkpoint(path: Path, ema: bool = False) -> Checkpoint:
    """Read the tensors of a file.

    Args:
        path: A safetensors file, or one that torch.save wrote.
        ema: Use the moving average of the weights, see layouts.find_state_dict.

    Returns:
        The tensors without the prefixes `module.` and `_orig_mod.` of wrappers around the whole model, their digest,
        and a note if the file contains several copies.

    Raises:
        SourceFailed: The file is missing, damaged or contains code.
        WeightsMismatch: It contains no state dict or no moving average, or values that are not finite.
    """
    file = read_file(path)
    found = find_state_dict(file.content, path.name, ema)
    values = _without_wrappers(found.values)
    state = {key: _plain_tensor(key, value, path) for key, value in values.items()}
    return Checkpoint(state, file.sha256, found.note, found.averaged, {**file.metadata, **found.extras})


def model_from(spec: VariantSpec, state: Mapping[str, Tensor], what: str) -> TransXNet:
    """Build a TransXNet of this variant that uses exactly these tensors, without copying them.

    Args:
        spec: The variant. relative_pos_enc may be stored for any image size: the model is built for that of the file.
        state: Name -> tensor.
        what: The weights, as an error message names them.

    Returns:
        The model, in training mode.

    Raises:
        WeightsMismatch: Keys and shapes do not correspond one to one; the message contains the first few keys.
    """
    try:
        with torch.device("meta"):  # skips the random initialization: 4 s for B, and draws from the user's generator
            model = TransXNet(spec, bias_size=stored_bias_size(dict(state)))
    except (ZeroDivisionError, RuntimeError, ValueError) as error:  # an impossible number of heads or channels
        raise WeightsMismatch(
            Message("The tensors of {what} have impossible shapes.", what=what),
            remedy="Pass a checkpoint of a TransXNet.",
            detail=str(error)[:200],
        ) from error
    check_fit(model, state, what)
    model.load_state_dict(state, strict=True, assign=True)
    return model


def check_fit(model: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Raise WeightsMismatch unless the keys and shapes of a state dict equal those of the model."""
    expected = model.state_dict()
    misshapen = [
        f"{key} is {tuple(state[key].shape)}, not {tuple(value.shape)}"
        for key, value in expected.items()
        if key in state and state[key].shape != value.shape
    ]
    faults = {
        "missing": [key for key in expected if key not in state],
        "unexpected": [key for key in state if key not in expected],
        "of another shape": misshapen,
    }
    if any(faults.values()):
        counts = "; ".join(f"{len(keys)} {kind}: {_first(keys)}" for kind, keys in faults.items() if keys)
        raise WeightsMismatch(
            Message("The tensors of {what} do not fit the model: {counts}.", what=what, counts=counts),
            remedy="Choose the model that these weights were trained for.",
        )


def untrained_model(spec: VariantSpec, seed: int = UNTRAINED_SEED) -> TransXNet:
    """Build a variant with the random weights that training starts from.

    model.py's initialization with a separate generator: the result depends on the seed only, and the process's
    generator is not advanced.
    """
    with SeededRandomness(seed):
        return TransXNet(spec)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def state_digest(state: Mapping[str, Tensor]) -> str:
    """SHA-256 over keys, types, shapes and bytes of a state dict, for weights without a file."""
    digest = hashlib.sha256()
    for key, value in state.items():
        digest.update(f"{key} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


class SeededRandomness(TorchFunctionMode):
    """Random functions called inside use a generator of this seed instead of the process's."""

    def __init__(self, seed: int):
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in _RANDOM_FUNCTIONS or "generator" in kwargs:  # torch.nn.init passes one, None by default
            kwargs["generator"] = self.generator
        return func(*args, **kwargs)


def _without_wrappers(values: Mapping[str, object]) -> Mapping[str, object]:
    """The tensors without the prefixes that DataParallel and torch.compile give to all of them."""
    while prefix := next((p for p in ("module.", "_orig_mod.") if all(key.startswith(p) for key in values)), ""):
        values = {key.removeprefix(prefix): value for key, value in values.items()}
    return values


def _plain_tensor(key: str, value: object, path: Path) -> Tensor:
    if not isinstance(value, Tensor):
        raise WeightsMismatch(
            "In {name}, {key} is not a tensor.", remedy="Pass a checkpoint that contains a state dict.", name=path.name,
            key=key,
        )  # fmt: skip
    if not value.is_floating_point():
        return value
    value = value.detach().to(torch.float32)
    if not torch.isfinite(value).all():
        raise WeightsMismatch(
            "In {name}, {key} contains values that are not finite.",
            remedy="The training diverged, or the file is damaged. Use another checkpoint.", name=path.name, key=key,
        )  # fmt: skip
    return value.contiguous()


def _first(keys: list[str]) -> str:
    rest = f", and {len(keys) - _MAX_KEYS} more" if len(keys) > _MAX_KEYS else ""
    return ", ".join(keys[:_MAX_KEYS]) + rest
