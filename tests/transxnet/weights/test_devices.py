"""Devices by name, and their errors of too little memory."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tests.torchrun import Forked
from transxnet.errors import DeviceError
from transxnet.weights.devices import empty_cache, is_out_of_memory, resolve_device

WITH_NPU = """
import types, torch
torch.utils.rename_privateuse1_backend("npu")  # as the package torch_npu does
torch.npu = types.SimpleNamespace(is_available=lambda: True, device_count=lambda: 2)
from transxnet.weights.devices import resolve_device
print(resolve_device("NPU"), resolve_device("npu:1"))
try:
    resolve_device("npu:2")
except Exception as error:
    print(error)
"""


def report_devices(monkeypatch: pytest.MonkeyPatch, cuda: int = 0, mps: bool = False, xpu: int = 0) -> None:
    """Let torch report these devices."""
    for module, count in ((torch.cuda, cuda), (torch.xpu, xpu)):
        monkeypatch.setattr(module, "is_available", lambda count=count: count > 0)
        monkeypatch.setattr(module, "device_count", lambda count=count: count)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps", "mps:0", "xpu", "xpu:1", "cpu"])
def test_devices_have_torchs_names(monkeypatch: pytest.MonkeyPatch, name: str):
    report_devices(monkeypatch, cuda=2, mps=True, xpu=2)
    for given in (name, f" {name.upper()} ", torch.device(name)):
        assert resolve_device(given) == torch.device(name)


@pytest.mark.parametrize("given", [None, "", "auto", "AUTO"])
@pytest.mark.parametrize(
    ("devices", "chosen"),
    [({"cuda": 1, "mps": True, "xpu": 1}, "cuda"), ({"mps": True, "xpu": 1}, "mps"), ({"xpu": 1}, "cpu"), ({}, "cpu")],
)
def test_default_device(monkeypatch: pytest.MonkeyPatch, given: str | None, devices: dict, chosen: str):
    report_devices(monkeypatch, **devices)
    assert resolve_device(given) == torch.device(chosen)


@pytest.mark.parametrize("name", ["cuda:2", "mps:1", "xpu:1", "cpu:1", "npu", "npu:0", "meta"])
def test_absent_device_is_refused(monkeypatch: pytest.MonkeyPatch, name: str):
    report_devices(monkeypatch, cuda=2, mps=True, xpu=1)
    with pytest.raises(DeviceError, match=f"This machine has no device '{name}'. Choose one of: cuda, mps, xpu, cpu."):
        resolve_device(name)


@pytest.mark.parametrize("name", ["gpu", "0", "cuda:", "cuda:x", "cuda:-1", "npu:x", "cuda cpu", "大"])
def test_other_names_are_no_devices(monkeypatch: pytest.MonkeyPatch, name: str):
    report_devices(monkeypatch, cuda=1)
    with pytest.raises(DeviceError, match=f"{name}.? is not a device. Choose one of: cuda, cpu."):
        resolve_device(name)


@pytest.mark.process
def test_npu_of_a_plugin(tmp_path: Path):
    (tmp_path / "script.py").write_text(WITH_NPU, encoding="utf-8")
    output, errors = Forked(tmp_path / "script.py", module=False).communicate()
    assert errors == ""
    assert output.splitlines() == ["npu npu:1", "This machine has no device 'npu:2'. Choose one of: npu, cpu."]


OUT_OF_MEMORY = {
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    "mps": RuntimeError("MPS backend out of memory (MPS allocated: 17.99 GB, max allowed: 18.13 GB)."),
    "npu": RuntimeError("NPU out of memory. Tried to allocate 20.00 MiB."),
}


@pytest.mark.parametrize("device", OUT_OF_MEMORY)
def test_out_of_memory_is_recognized(device: str):
    assert is_out_of_memory(OUT_OF_MEMORY[device])


@pytest.mark.parametrize("error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("x")])
def test_other_errors_are_not_out_of_memory(error: Exception):
    assert not is_out_of_memory(error)


def test_cache_of_the_device_is_emptied(monkeypatch: pytest.MonkeyPatch):
    emptied = []
    for name in ("cuda", "mps", "xpu"):
        monkeypatch.setattr(torch, name, SimpleNamespace(empty_cache=lambda name=name: emptied.append(name)))
        empty_cache(torch.device(name, 0))
    empty_cache(torch.device("cpu"))
    assert emptied == ["cuda", "mps", "xpu"]
