"""Read the bytes of a checkpoint file without executing anything that it contains.

safetensors by its own parser, recognized by content; PyTorch files by `torch.load` with an explicit
`weights_only=True`, because an environment variable can change the default. Beside tensors and plain
values, that unpickler constructs only what ALLOWED lists: harmless types that training programs store next to the
weights. Anything else is refused, and named with its key in the file.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import hashlib
import io
import json
import pathlib
import pickle
import re
import struct
import threading
import types
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import SourceFailed
from ..messages import Message


def _empty_dict(*factory: object) -> dict[object, object]:
    """Stands for defaultdict, to which torch's unpickler adds no items."""
    return {}


def _numpy_types() -> list[tuple[Any, str]]:
    """NumPy's scalars and arrays, under the module names of versions 1 and 2."""
    scalar, reconstruct = np.float64(0).__reduce__()[0], np.zeros(0).__reduce__()[0]
    functions = [
        (function, f"numpy.{core}.multiarray.{name}")
        for core in ("core", "_core")
        for function, name in ((scalar, "scalar"), (reconstruct, "_reconstruct"))
    ]
    dtypes = {type(np.dtype(code)) for code in "?bhilqBHILQefdFDSU"}
    return [*functions, (np.ndarray, "numpy.ndarray"), (np.dtype, "numpy.dtype"),
            *((dtype, f"numpy.dtypes.{dtype.__name__}") for dtype in dtypes)]  # fmt: skip


_PATHS = ("PurePath", "PurePosixPath", "PureWindowsPath", "PosixPath", "WindowsPath", "Path")
ALLOWED: list[tuple[Any, str]] = [
    (argparse.Namespace, "argparse.Namespace"),
    (types.SimpleNamespace, "types.SimpleNamespace"),
    (_empty_dict, "collections.defaultdict"),
    (collections.OrderedDict, "collections.OrderedDict"),
    (collections.Counter, "collections.Counter"),
    *((getattr(datetime, name), f"datetime.{name}") for name in ("date", "time", "datetime", "timedelta", "timezone")),
    # a path of another system cannot be made here, and none is used: all become pure ones
    *((pathlib.PureWindowsPath if "Windows" in name else pathlib.PurePosixPath, f"{module}.{name}")
      for module in ("pathlib", "pathlib._local") for name in _PATHS),
    *((kind, f"{module}.{kind.__name__}") for kind in (list, dict, set, frozenset, tuple, int, float, str, bool, bytes)
      for module in ("builtins", "__builtin__")),
    *((dict, f"{module}.AttributeDict") for module in (
        "lightning_fabric.utilities.data", "lightning.fabric.utilities.data",
        "pytorch_lightning.utilities.parsing", "lightning.pytorch.utilities.parsing")),
    *_numpy_types(),
]  # fmt: skip
_safe_globals = threading.Lock()  # torch.serialization.safe_globals is process-wide
_REFUSED = re.compile(  # in torch's messages
    "unsupported global|can only (build|setitem|append)|trying to (instantiate|call)", re.IGNORECASE
)
MAX_HEADER = 100 * 2**20  # bytes of a safetensors header, as its own parser allows


@dataclass(frozen=True)
class FileContent:
    """What a checkpoint file holds.

    Attributes:
        content: Of a safetensors file name -> tensor; of a PyTorch file any object.
        sha256: Of the file, 64 hex digits.
        metadata: Of a safetensors file, name -> text.
    """

    content: object
    sha256: str
    metadata: Mapping[str, str] = field(default_factory=dict)


def read_file(path: Path) -> FileContent:
    """Read a safetensors file, or one that torch.save wrote.

    Raises:
        SourceFailed: The file is missing, damaged, or holds an object of another type than those allowed.
    """
    data = _read_bytes(path)
    digest = hashlib.sha256(data).hexdigest()
    if path.suffix == ".safetensors" or _is_safetensors(data):
        return FileContent(_parse_safetensors(data, path), digest, _safetensors_metadata(data))
    return FileContent(_parse_torch(data, path), digest)


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


def _is_safetensors(data: bytes) -> bool:
    """Whether the bytes begin as a safetensors file does: the length of a JSON object, then that object."""
    return len(data) > 9 and data[8:9] == b"{" and struct.unpack("<Q", data[:8])[0] <= min(MAX_HEADER, len(data) - 8)


def _parse_safetensors(data: bytes, path: Path) -> Mapping[str, object]:
    import safetensors
    import safetensors.torch

    try:
        return safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise _damaged(path, error) from error


def _safetensors_metadata(data: bytes) -> dict[str, str]:
    """The metadata of a file that was parsed before."""
    header = json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])
    metadata = header.get("__metadata__") or {}
    return {str(key): value for key, value in metadata.items() if isinstance(value, str)}


def _parse_torch(data: bytes, path: Path) -> object:
    with _safe_globals, torch.serialization.safe_globals(ALLOWED):
        try:
            _check_sums(data)
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            refused = _refused_object(data)
            if refused is None and not _REFUSED.search(str(error)):
                raise _damaged(path, error) from error
            what = Message("more than tensors and plain values")
            if refused is not None:
                key, kind = refused
                what = Message("an object of {type} under {key}" if key else "an object of {type}", type=kind, key=key)
            raise SourceFailed(
                Message("The file {name} contains {what}; code from a file is never run.", name=path.name, what=what),
                remedy="Save the tensors alone, as torch.save(model.state_dict(), FILE) or in a safetensors file.",
                detail=str(path),  # torch's message recommends to run the code
            ) from error
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


# --- What was refused ------------------------------------------------------------------------------------------------


class _Inert:
    """Stands for any object of a file. Nothing of the file runs, whatever is called or set."""

    type_name = ""

    def __new__(cls, *args: object, **kwargs: object) -> _Inert:
        return object.__new__(cls)

    def __init__(self, *args: object, **kwargs: object):
        pass

    def __setstate__(self, state: object) -> None:
        pass

    def __call__(self, *args: object, **kwargs: object) -> _Inert:
        return type(self)()

    def append(self, item: object) -> None:
        """What the unpickler calls for the items of a list type."""

    def extend(self, items: object) -> None:
        """Likewise."""

    def add(self, item: object) -> None:
        """What the unpickler calls for the items of a set type."""

    def __setitem__(self, key: object, value: object) -> None:
        pass


_OF_TENSORS = ("torch", "torch._utils", "torch.storage", "torch._tensor", "torch.nn.parameter", "torch.serialization")
_LEGACY_PICKLES = 4  # before torch 1.6: magic number, protocol, system, content
_ALLOWED_NAMES = frozenset(name for _, name in ALLOWED)
_PLAIN = {name: kind for kind, name in ALLOWED if kind in (dict, list, collections.OrderedDict, _empty_dict)}


class _InertUnpickler(pickle.Unpickler):
    """Rebuilds the structure of a file with an _Inert in place of every object that is not a plain container."""

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full in _PLAIN:
            return _PLAIN[full]
        harmless = full in _ALLOWED_NAMES or module in _OF_TENSORS
        return type("Inert", (_Inert,), {"type_name": "" if harmless else full})

    def persistent_load(self, pid: object) -> object:
        return _Inert()  # a tensor's storage


def _refused_object(data: bytes) -> tuple[str, str] | None:
    """Where a PyTorch file holds an object that is not allowed: (key such as "args.path", '' for the top level; type).

    None if unknown.
    """
    try:
        return _find_refused(_inert_content(data), (), set())
    except Exception:  # damaged: the first error says so
        return None


def _inert_content(data: bytes) -> object:
    """The structure of a file: of a zip its data.pkl, of an older file the last of its pickles that can be read."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as entries:
            pickled = next(name for name in entries.namelist() if name.endswith("data.pkl"))
            return _InertUnpickler(io.BytesIO(entries.read(pickled)), encoding="utf-8").load()
    stream, content = io.BytesIO(data), None
    for _ in range(_LEGACY_PICKLES):
        try:
            content = _InertUnpickler(stream, encoding="utf-8").load()
        except Exception:
            break
    return content


def _find_refused(value: object, keys: tuple[str, ...], visited: set[int]) -> tuple[str, str] | None:
    if isinstance(value, _Inert) or (isinstance(value, type) and issubclass(value, _Inert)):
        return (".".join(keys), value.type_name) if value.type_name else None
    if id(value) in visited or len(keys) > 20:
        return None
    visited.add(id(value))
    items = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    )
    found = (_find_refused(item, (*keys, str(key)[:60]), visited) for key, item in items)
    return next((hit for hit in found if hit is not None), None)
