"""What a run was made on, in words."""

from __future__ import annotations

import torch

from transxnet import hardware


def test_threads_and_model_of_the_cpu(monkeypatch, tmp_path):
    (tmp_path / "cpuinfo").write_text(
        "processor\t: 0\nmodel name\t: A Fine CPU: v2\nprocessor\t: 1\nmodel name\t: B\n", encoding="utf-8"
    )
    monkeypatch.setattr(hardware, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert hardware.hardware(torch.device("cpu")) == "2 CPU threads, A Fine CPU: v2"
    monkeypatch.setattr(hardware, "CPU_INFO", tmp_path / "absent")
    monkeypatch.setattr(hardware.platform, "processor", lambda: "another")
    assert hardware.hardware(torch.device("cpu")) == "2 CPU threads, another"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert hardware.hardware(torch.device("cpu"), workers=4) == "4 processes, each on 1 CPU thread, another"


def test_the_name_of_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {device.index}")
    assert hardware.hardware(torch.device("cuda:1")) == "GPU 1"
