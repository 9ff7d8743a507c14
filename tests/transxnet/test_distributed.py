"""transxnet/distributed.py: processes and devices from torchrun's environment, exchange of objects, hardware."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from tests.torchrun import ranks
from transxnet import distributed
from transxnet.distributed import VARIABLES, Worker, describe_hardware, process_group
from transxnet.errors import DeviceError

PROGRAM = """
import json, os, sys
import torch.distributed as dist
from transxnet.distributed import process_group
with process_group("cpu") as worker:
    gathered = worker.gather({"rank": worker.rank, "size": worker.world_size, "pid": os.getpid()})
    worker.barrier()
    if worker.is_main:
        print(json.dumps(gathered))
    else:
        assert gathered is None
assert not dist.is_initialized()
"""


@pytest.fixture
def no_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_torchrun")
def test_one_process_without_torchrun():
    with process_group("cpu") as worker:
        assert worker == Worker(0, 1, torch.device("cpu"))
        assert worker.is_main
        assert worker.gather("value") == ["value"]
        worker.barrier()
        assert not dist.is_initialized()


@pytest.mark.usefixtures("no_torchrun")
def test_incomplete_variables_are_ignored(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RANK", "3")  # other launchers set it too
    with process_group("cpu") as worker:
        assert (worker.rank, worker.world_size) == (0, 1)


def test_two_processes_exchange_objects(tmp_path: Path):
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    process = ranks(str(tmp_path / "program.py"))
    assert process.returncode == 0, process.stderr
    workers = json.loads(process.stdout)  # printed once
    assert [(worker["rank"], worker["size"]) for worker in workers] == [(0, 2), (1, 2)]
    assert workers[0]["pid"] != workers[1]["pid"]


@pytest.fixture
def four_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torch report four GPUs."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)


@pytest.mark.usefixtures("four_gpus")
def test_each_process_has_one_gpu():
    devices = [str(distributed._local_device(device, 3, 8)) for device in (None, "cuda", "cpu")]
    assert devices == ["cuda:3", "cuda:3", "cpu"]
    with pytest.raises(DeviceError, match=r"8 processes cannot share cuda:1\. Use --device cuda"):
        distributed._local_device("cuda:1", 0, 8)
    with pytest.raises(DeviceError, match=r"no device 'cuda:4'"):
        distributed._local_device("cuda", 4, 8)


def fail() -> None:
    with process_group("cpu"):
        assert dist.is_initialized()
        raise ZeroDivisionError


def test_group_ends_after_an_exception(monkeypatch: pytest.MonkeyPatch):
    for name, value in zip(VARIABLES, ("0", "1", "0", "127.0.0.1", "0"), strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(ZeroDivisionError):
        fail()
    assert not dist.is_initialized()


# --- Hardware ---------------------------------------------------------------------------------------------------------


def test_hardware_names_threads_and_cpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "cpuinfo").write_text(
        "processor\t: 0\nmodel name\t: A Fine CPU: v2\nprocessor\t: 1\nmodel name\t: B\n", encoding="utf-8"
    )
    monkeypatch.setattr(distributed, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert describe_hardware(torch.device("cpu")) == "2 CPU threads, A Fine CPU: v2"
    monkeypatch.setattr(distributed, "CPU_INFO", tmp_path / "absent")
    monkeypatch.setattr(distributed.platform, "processor", lambda: "another")
    assert describe_hardware(torch.device("cpu")) == "2 CPU threads, another"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert describe_hardware(torch.device("cpu"), processes=4) == "4 processes, each on 1 CPU thread, another"


def test_hardware_names_the_gpu(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {device.index}")
    assert describe_hardware(torch.device("cuda:1")) == "GPU 1"
