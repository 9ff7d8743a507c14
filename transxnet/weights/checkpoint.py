"""Read a checkpoint file into a verified state dict, and build a model of it; any problem is a WeightsError.

Reads safetensors, and PyTorch files with an explicit `weights_only=True`, because an environment variable can change
the default. Layouts in use, official releases included: a plain state dict, one under `state_dict` or `model`, keys
that start with `module.`, with or without an argparse.Namespace. If the file also contains an EMA copy
(`state_dict_ema`, `model_ema`), the weights are used, as timm's validate.py does by default; if it contains only an EMA
copy, that is used. Both cases are noted. The digest is that of the parsed bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import pickle
import threading
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..errors import SourceFailed, WeightsMismatch
from ..messages import Message
from ..model import TransXNet, stored_bias_size
from ..variants import VariantSpec

UNTRAINED_SEED = 0
_AVERAGES = ("state_dict_ema", "model_ema")
_STATE_KEYS = ("state_dict", "model", *_AVERAGES)  # by priority
_MAX_KEYS = 3  # in an error message
_RANDOM_FUNCTIONS = (
    torch.Tensor.uniform_, torch.Tensor.normal_, torch.Tensor.bernoulli_, torch.Tensor.exponential_,
    torch.rand, torch.randn, torch.randint, torch.randperm, torch.bernoulli,
)  # fmt: skip
_safe_globals = threading.Lock()  # torch.serialization.safe_globals is process-wide


@dataclass(frozen=True)
class Checkpoint:
    """The contents of a file.

    Attributes:
        state: Name -> tensor on the CPU, float32 if floating-point.
        sha256: Of the file, 64 hex digits.
        note: Which of several copies was used, a sentence; '' if there was no choice.
    """

    state: dict[str, Tensor]
    sha256: str
    note: str = ""


def open_checkpoint(path: Path, prefer: Sequence[str] = ()) -> Checkpoint:
    """Read the tensors of a file.

    Args:
        path: A .safetensors file, or one that torch.save wrote.
        prefer: Keys under which to look for the state dict before the usual ones, such as "state_dict_ema".

    Returns:
        The tensors, their digest, and a note if the file contains several copies.

    Raises:
        SourceFailed: The file is missing, damaged or contains code.
        WeightsMismatch: It contains no state dict, or values that are not finite.
    """
    data = _read_bytes(path)
    parsed = _parse_safetensors(data, path) if path.suffix == ".safetensors" else _parse_torch(data, path)
    values, note = _unwrap(parsed, path, prefer)
    state = {key: _plain_tensor(key, value, path) for key, value in values.items()}
    return Checkpoint(state, hashlib.sha256(data).hexdigest(), note)


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
    with torch.device("meta"):  # skips the random initialization: 4 s for B, and draws from the user's generator
        model = TransXNet(spec, bias_size=stored_bias_size(dict(state)))
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


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SourceFailed(
            "There is no file {name}.", remedy="Check the path.", detail=str(path), name=path.name
        ) from error
    except OSError as error:
        raise SourceFailed(
            "The file {name} cannot be read ({reason}).", remedy="Grant permission to read it.", detail=str(path),
            name=path.name, reason=error.strerror,
        ) from error  # fmt: skip


def _parse_safetensors(data: bytes, path: Path) -> Mapping[str, object]:
    import safetensors
    import safetensors.torch

    try:
        return safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise _damaged(path, error) from error


def _parse_torch(data: bytes, path: Path) -> object:
    with _safe_globals, torch.serialization.safe_globals([argparse.Namespace]):
        try:
            _check_sums(data)
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            if "nsupported global" not in str(error):
                raise _damaged(path, error) from error
            raise SourceFailed(
                "The file {name} contains more than tensors; code from a file is never run.",
                remedy="Use a safetensors file or a plain state dict.", detail=f"{path}: {error}", name=path.name,
            ) from error  # fmt: skip
        except Exception as error:  # a damaged file can fail anywhere inside the unpickler or the zip reader
            raise _damaged(path, error) from error


def _check_sums(data: bytes) -> None:
    """Raise BadZipFile if a CRC-32 is wrong: torch.load does not verify it, and loads a flipped bit."""
    if data.startswith(b"PK\x03\x04"):  # not so before torch 1.6
        with zipfile.ZipFile(io.BytesIO(data)) as entries:
            if wrong := entries.testzip():
                raise zipfile.BadZipFile(f"check sum of {wrong}")


def _damaged(path: Path, error: Exception) -> SourceFailed:
    return SourceFailed(
        "The file {name} is damaged or not a checkpoint.", remedy="Download it again.",
        detail=f"{path}: {type(error).__name__}: {error}", name=path.name,
    )  # fmt: skip


def _unwrap(parsed: object, path: Path, prefer: Sequence[str] = ()) -> tuple[Mapping[str, object], str]:
    """The state dict in a parsed file, without the prefix `module.`, and a note if there was a choice."""
    note = ""
    if isinstance(parsed, Mapping) and not any(isinstance(value, Tensor) for value in parsed.values()):
        copies = [key for key in dict.fromkeys((*prefer, *_STATE_KEYS)) if isinstance(parsed.get(key), Mapping)]
        note = _copies_note(copies)
        parsed = parsed[copies[0]] if copies else None
    if not isinstance(parsed, Mapping) or not parsed:
        raise WeightsMismatch(
            "The file {name} contains no state dict, neither at the top level nor under {keys}.",
            remedy="Pass a checkpoint of a complete model.", name=path.name, keys=" or ".join(_STATE_KEYS[:2]),
        )  # fmt: skip
    keys = [str(key) for key in parsed]
    cut = len("module.") if all(key.startswith("module.") for key in keys) else 0
    return {key[cut:]: value for key, value in zip(keys, parsed.values(), strict=True)}, note


def _copies_note(copies: list[str]) -> str:
    """Which copy in a file is used, if one of them is a moving average (EMA)."""
    averages = [key for key in copies if key in _AVERAGES]
    if not averages:
        return ""
    if averages == copies:
        return Message("The file contains only a moving average of the weights ({key}), which is used.", key=copies[0])
    return Message(
        "The file contains weights and their moving average ({average}); {key} is used.",
        average=averages[0], key=copies[0],
    )  # fmt: skip


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
