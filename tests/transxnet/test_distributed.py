"""What torchrun's environment says: alone without it; with it each process has its place, and they hear each other."""

from __future__ import annotations

import json

import pytest
import torch
import torch.distributed as dist

from tests.torchrun import ranks
from transxnet import distributed
from transxnet.distributed import VARIABLES, Worker, workers
from transxnet.errors import DeviceError

PROGRAM = """
import json, os, sys
import torch.distributed as dist
from transxnet.training.distributed import workers
with workers("cpu") as worker:
    heard = worker.gather({"rank": worker.rank, "size": worker.size, "pid": os.getpid()})
    worker.barrier()
    if worker.chief:
        print(json.dumps(heard))
    else:
        assert heard is None
assert not dist.is_initialized()
"""


@pytest.fixture
def alone(monkeypatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("alone")
def test_without_torchrun_there_is_one_process_and_no_group():
    with workers("cpu") as worker:
        assert worker == Worker(0, 1, torch.device("cpu"))
        assert worker.chief
        assert worker.gather("mine") == ["mine"]
        worker.barrier()
        assert not dist.is_initialized()


@pytest.mark.usefixtures("alone")
def test_some_of_the_variables_are_not_torchrun_s(monkeypatch):
    monkeypatch.setenv("RANK", "3")  # other launchers set it too
    with workers("cpu") as worker:
        assert (worker.rank, worker.size) == (0, 1)


def test_two_processes_hear_each_other(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = ranks(str(tmp_path / "program.py"))
    assert done.returncode == 0, done.stderr
    heard = json.loads(done.stdout)  # printed once
    assert [(place["rank"], place["size"]) for place in heard] == [(0, 2), (1, 2)]
    assert heard[0]["pid"] != heard[1]["pid"]


@pytest.fixture
def four_gpus(monkeypatch) -> None:
    """A machine with four GPUs, as far as torch says."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)


@pytest.mark.usefixtures("four_gpus")
def test_each_process_has_a_gpu_of_its_own():
    own = [str(distributed._own_device(device, 3, 8)) for device in (None, "cuda", "cpu")]
    assert own == ["cuda:3", "cuda:3", "cpu"]
    with pytest.raises(DeviceError, match=r"8 processes cannot share cuda:1\. Say --device cuda"):
        distributed._own_device("cuda:1", 0, 8)
    with pytest.raises(DeviceError, match=r"no device 'cuda:4'"):
        distributed._own_device("cuda", 4, 8)


def fail() -> None:
    with workers("cpu"):
        assert dist.is_initialized()
        raise ZeroDivisionError


def test_the_group_ends_when_the_work_fails(monkeypatch):
    for name, value in zip(VARIABLES, ("0", "1", "0", "127.0.0.1", "0"), strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(ZeroDivisionError):
        fail()
    assert not dist.is_initialized()
