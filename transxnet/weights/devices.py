"""Devices: by name, and what to do where their memory does not suffice."""

from __future__ import annotations

import torch

from ..errors import DeviceError, quote
from ..messages import Message

KINDS = ("cuda", "mps", "xpu", "npu", "cpu")  # npu where the package torch_npu is installed
DEFAULTS = ("cuda", "mps", "cpu")  # best first


def resolve_device(device: str | torch.device | None = None) -> torch.device:
    """Check that a device exists.

    Args:
        device: "cuda", "cuda:1", "mps", "xpu", "npu" or "cpu"; None, "" or "auto" for the first available of CUDA, MPS
            and CPU.

    Returns:
        The device.

    Raises:
        DeviceError: This machine does not have it.
    """
    counts = {kind: count for kind in KINDS if (count := _device_count(kind))}
    name = "" if device is None else str(device).strip().lower()
    if name in ("", "auto"):
        return torch.device(next(kind for kind in DEFAULTS if kind in counts))
    remedy = Message("Choose one of: {names}.", names=", ".join(counts))
    kind, _, index = name.partition(":")
    if kind in KINDS and kind not in counts and (index.isdecimal() or name == kind):  # torch may not know its name
        raise DeviceError("This machine has no device {name}.", remedy=remedy, name=repr(name))
    try:
        resolved = torch.device(name)
    except RuntimeError as error:
        raise DeviceError("{name} is not a device.", remedy=remedy, name=quote(str(device))) from error
    if (resolved.index or 0) >= counts.get(resolved.type, 0):
        raise DeviceError("This machine has no device {name}.", remedy=remedy, name=repr(str(resolved)))
    return resolved


def _device_count(kind: str) -> int:
    if kind == "cpu":
        return 1
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    module = getattr(torch, kind, None)
    return module.device_count() if module is not None and module.is_available() else 0


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that a GPU's memory does not suffice. MPS and NPU raise a RuntimeError that says so."""
    return isinstance(error, RuntimeError) and (
        isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error)
    )


def empty_cache(device: torch.device) -> None:
    """Give the device's memory that torch holds for later use back. Does nothing on a CPU."""
    module = getattr(torch, device.type, None)
    if hasattr(module, "empty_cache"):
        module.empty_cache()
