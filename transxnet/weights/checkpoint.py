"""A file -> a verified state dict -> a model. Whatever the file holds, the answer is a model or a WeightsError.

Reads safetensors, and PyTorch's own files with `weights_only=True` written out every time, because an
environment variable can flip the default. Layouts seen in the wild, official releases included: a bare state
dict, one under `state_dict` or `model`, keys that start with `module.`, an argparse.Namespace beside it. Where an
EMA copy (`state_dict_ema`, `model_ema`) stands beside the weights, the weights are taken, as timm's validate.py does
unless told otherwise; where it stands alone, it is. Either is noted. The digest is of the very bytes that were parsed.
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
from ..model import TransXNet, stored_bias_size
from ..variants import VariantSpec

UNTRAINED_SEED = 0
_AVERAGES = ("state_dict_ema", "model_ema")
_HOLDERS = ("state_dict", "model", *_AVERAGES)  # the first that is there is taken
_SHOWN = 3  # so many keys are named in an error
_safe_globals = threading.Lock()  # torch.serialization.safe_globals is process-wide


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds. state: float32 on the CPU where floating-point. sha256: of the file. note: what to know."""

    state: dict[str, Tensor]
    sha256: str
    note: str = ""


def read_checkpoint(path: Path, prefer: Sequence[str] = ()) -> tuple[dict[str, Tensor], str]:
    """(state dict, SHA-256 of the file as 64 hex digits) of `open_checkpoint`."""
    found = open_checkpoint(path, prefer)
    return found.state, found.sha256


def open_checkpoint(path: Path, prefer: Sequence[str] = ()) -> Checkpoint:
    """The tensors of a file, which of its copies they are, and its digest.

    prefer: names under which the state dict is looked for before the usual ones, such as "state_dict_ema".
    Raises SourceFailed for a file that is missing, damaged or holds code; WeightsMismatch for one that is
    readable but holds no state dict, or values that are not finite.
    """
    data = _read_bytes(path)
    parsed = _parse_safetensors(data, path) if path.suffix == ".safetensors" else _parse_torch(data, path)
    found, note = _unwrap(parsed, path, prefer)
    state = {key: _plain_tensor(key, value, path) for key, value in found.items()}
    return Checkpoint(state, hashlib.sha256(data).hexdigest(), note)


def model_from(spec: VariantSpec, state: Mapping[str, Tensor], what: str) -> TransXNet:
    """A TransXNet of this variant holding exactly these tensors (they are not copied). `what` names them in errors.

    Raises WeightsMismatch, naming the first few keys, unless keys and shapes fit one to one. relative_pos_enc
    may be stored for any image side: the model is built for the one in the file.
    """
    with _ShapesOnly():  # the random start would be thrown away: 4 s for B, and numbers drawn from the user's generator
        model = TransXNet(spec, bias_size=stored_bias_size(dict(state)))
    check_fit(model, state, what)
    model.load_state_dict(state, strict=True, assign=True)
    return model


def check_fit(model: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Raises WeightsMismatch unless the keys and shapes of a state dict are the model's own."""
    own = model.state_dict()
    misshapen = [
        f"{key} is {tuple(state[key].shape)}, not {tuple(value.shape)}"
        for key, value in own.items()
        if key in state and state[key].shape != value.shape
    ]
    faults = {
        "missing": [key for key in own if key not in state],
        "unexpected": [key for key in state if key not in own],
        "of another shape": misshapen,
    }
    if any(faults.values()):
        counts = "; ".join(f"{len(keys)} {kind}: {_first(keys)}" for kind, keys in faults.items() if keys)
        raise WeightsMismatch(
            f"The tensors of {what} do not fit the model: {counts}.",
            remedy="Choose the variant these weights were trained for.",
        )


def untrained_model(spec: VariantSpec, seed: int = UNTRAINED_SEED) -> TransXNet:
    """The variant with random weights as training starts from: the same every time, in every thread.

    model.py's own initialization, with numbers from a generator of this call, so nobody else's are drawn.
    """
    with _NumbersFrom(torch.Generator().manual_seed(seed)):
        return TransXNet(spec)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def state_digest(state: Mapping[str, Tensor]) -> str:
    """SHA-256 over keys, types, shapes and bytes of a state dict, for weights that never were a file."""
    digest = hashlib.sha256()
    for key, value in state.items():
        digest.update(f"{key} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


class _ShapesOnly(TorchFunctionMode):
    """Tensors made inside have shapes and no storage; `with torch.device("meta")` would also take the numbers away."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in (torch.empty, torch.zeros, torch.ones, torch.full, torch.tensor):
            kwargs["device"] = "meta"
        return func(*args, **kwargs)


class _NumbersFrom(TorchFunctionMode):
    """Random initialization inside draws from the generator given, not from the process's own."""

    def __init__(self, generator: torch.Generator):
        super().__init__()
        self.generator = generator

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if "generator" in kwargs:  # torch.nn.init passes one, None by default, to everything that draws
            kwargs["generator"] = self.generator
        return func(*args, **kwargs)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SourceFailed(
            f"There is no file {path.name}.", remedy="Check the path for a typing error.", detail=str(path)
        ) from error
    except OSError as error:
        raise SourceFailed(
            f"The file {path.name} cannot be read ({error.strerror}).",
            remedy="Give the program the right to read it.",
            detail=str(path),
        ) from error


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
                f"The file {path.name} holds more than tensors, and code from a file is never run.",
                remedy="Ask whoever made it for safetensors, or for a plain state dict.",
                detail=f"{path}: {error}",
            ) from error
        except Exception as error:  # a damaged file can fail anywhere inside the unpickler or the zip reader
            raise _damaged(path, error) from error


def _check_sums(data: bytes) -> None:
    """Raises BadZipFile where a CRC-32 does not fit: torch.load does not look, and takes a flipped bit as it is."""
    if data.startswith(b"PK\x03\x04"):  # not so before torch 1.6
        with zipfile.ZipFile(io.BytesIO(data)) as entries:
            if wrong := entries.testzip():
                raise zipfile.BadZipFile(f"check sum of {wrong}")


def _damaged(path: Path, error: Exception) -> SourceFailed:
    return SourceFailed(
        f"The file {path.name} is damaged, or is no checkpoint.",
        remedy="Get it again from where it came from.",
        detail=f"{path}: {type(error).__name__}: {error}",
    )


def _unwrap(parsed: object, path: Path, prefer: Sequence[str] = ()) -> tuple[Mapping[str, object], str]:
    """The state dict inside what was parsed, without `module.` before its keys, and a note if there was a choice."""
    note = ""
    if isinstance(parsed, Mapping) and not any(isinstance(value, Tensor) for value in parsed.values()):
        there = [key for key in dict.fromkeys((*prefer, *_HOLDERS)) if isinstance(parsed.get(key), Mapping)]
        note = _which(there)
        parsed = parsed[there[0]] if there else None
    if not isinstance(parsed, Mapping) or not parsed:
        raise WeightsMismatch(
            f"The file {path.name} holds no state dict, neither bare nor under {' or '.join(_HOLDERS[:2])}.",
            remedy="Give a checkpoint of a whole model.",
        )
    keys = [str(key) for key in parsed]
    cut = len("module.") if all(key.startswith("module.") for key in keys) else 0
    return {key[cut:]: value for key, value in zip(keys, parsed.values(), strict=True)}, note


def _which(there: list[str]) -> str:
    """Which of the copies in a file is used, where one of them is an average over training (EMA)."""
    averages = [key for key in there if key in _AVERAGES]
    if not averages:
        return ""
    if averages == there:
        return f"The file's only weights are an average over training ({there[0]}): they are used."
    return f"The file holds weights and an average of them over training ({averages[0]}): used is {there[0]}."


def _plain_tensor(key: str, value: object, path: Path) -> Tensor:
    if not isinstance(value, Tensor):
        raise WeightsMismatch(
            f"In {path.name}, {key} is not a tensor.", remedy="Give a checkpoint that holds a state dict."
        )
    if not value.is_floating_point():
        return value
    value = value.detach().to(torch.float32)
    if not torch.isfinite(value).all():
        raise WeightsMismatch(
            f"In {path.name}, {key} holds values that are not finite.",
            remedy="The training that made it diverged, or the file is damaged: use another checkpoint.",
        )
    return value.contiguous()


def _first(keys: list[str]) -> str:
    more = f", and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return ", ".join(keys[:_SHOWN]) + more
