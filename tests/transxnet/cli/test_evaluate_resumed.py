"""Interrupted and distributed evaluations equal an uninterrupted one of one process, to the bit."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from tests.fixtures.scripted_model import WNIDS, A, scripted_model
from transxnet.distributed import Worker
from transxnet.errors import WeightsError, WeightsMismatch
from transxnet.training.evaluate import assess
from transxnet.training.protocol import Protocol
from transxnet.training.report import Report
from transxnet.weights.load import Provenance

PROTOCOL = Protocol(image_size=32, crop_pct=1.0, batch_size=2)


@pytest.fixture
def images(make_images):
    """Nine images: four of A, three of B, two of C."""
    return make_images("nine", {WNIDS[3]: 4, WNIDS[10]: 3, WNIDS[150]: 2})


def without_speed(report: Report) -> dict:
    return {key: value for key, value in report.as_json().items() if key != "speed"}


def stop_after(images: int):
    def progress(finished: int, total: int) -> None:
        if finished >= images:
            raise KeyboardInterrupt

    return progress


def test_interrupted_evaluation_resumes(images, tmp_path):
    expected = assess(scripted_model(), [images], PROTOCOL)
    interrupted, resumed, out = scripted_model(), scripted_model(), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        assess(interrupted, [images], PROTOCOL, out=out, progress=stop_after(4))
    with pytest.raises(WeightsError, match="already holds an evaluation"):
        assess(scripted_model(), [images], PROTOCOL, out=out)
    progress = []
    report = assess(resumed, [images], PROTOCOL, out=out, resume=True, progress=lambda *call: progress.append(call))
    assert without_speed(report) == without_speed(expected)
    assert interrupted.model.calls + resumed.model.calls == [
        [(0, 0), (0, 1)], [(0, 2), (0, 3)], [(1, 0), (1, 1)], [(1, 2), (2, 0)], [(2, 1)],
    ]  # fmt: skip
    assert (progress, report.speed.images) == ([(6, 9), (8, 9), (9, 9)], 5)
    again = assess(scripted_model(), [images], PROTOCOL, out=out, resume=True)  # nothing remains
    assert (without_speed(again), again.speed.images, again.speed.rate) == (without_speed(expected), 0, 0)


def test_unreadable_image_is_retried(images, tmp_path):
    path = images / "train" / WNIDS[A] / "3.png"
    good = path.read_bytes()
    path.write_bytes(b"x" * len(good))
    assert len(assess(scripted_model(), [images], PROTOCOL, out=tmp_path / "out").unreadable) == 1
    path.write_bytes(good)
    report = assess(scripted_model(), [images], PROTOCOL, out=tmp_path / "out", resume=True)
    assert without_speed(report) == without_speed(assess(scripted_model(), [images], PROTOCOL))


def test_only_the_same_evaluation_resumes(images, make_images, tmp_path):
    out = tmp_path / "out"
    assess(scripted_model(), [images], PROTOCOL, out=out)

    def refused(message: str, loaded=None, path=images, **changes: object) -> None:
        with pytest.raises(WeightsMismatch, match=message):
            assess(loaded or scripted_model(), [path], dataclasses.replace(PROTOCOL, **changes), out=out, resume=True)

    refused("image size 32, not 64", image_size=64)
    refused("classes all, not those of the images", restrict_classes=True)
    refused("batch size 2, not 3", batch_size=3)
    refused(
        "weights abab.*, not cdcd",
        dataclasses.replace(scripted_model(), provenance=Provenance("file", "x.pth", "cd" * 32)),
    )
    refused("number of images 9, not 1", path=make_images("one", {WNIDS[A]: 1}))
    (images / "train" / WNIDS[A] / "0.png").write_bytes(b"another image of that name")
    refused("images [0-9a-f]{16}…, not [0-9a-f]{16}…")


class RecordedWorker(Worker):
    """One of several processes; the values of the other ones are given beforehand."""

    def gather(self, value):
        self.values.append(value)
        return [value, *self.other_values.pop(0)] if self.is_main else None

    def barrier(self):
        pass


def recorded_worker(rank: int, world_size: int, *other_values: list) -> RecordedWorker:
    worker = RecordedWorker(rank, world_size, torch.device("cpu"))
    object.__setattr__(worker, "other_values", list(other_values))
    object.__setattr__(worker, "values", [])
    return worker


def test_processes_divide_the_batches(images):
    single, first, second = scripted_model(), scripted_model(), scripted_model()
    expected = without_speed(assess(single, [images], PROTOCOL))
    second_worker = recorded_worker(1, 2)
    assert assess(second, [images], PROTOCOL, worker=second_worker) is None
    first_worker = recorded_worker(0, 2, *([value] for value in second_worker.values))
    report = assess(first, [images], PROTOCOL, worker=first_worker)
    assert without_speed(report) == expected
    assert (first.model.calls, second.model.calls) == (single.model.calls[::2], single.model.calls[1::2])
    assert (report.speed.processes, report.speed.images) == (2, 9)


def test_processes_with_different_images_stop(images, make_images):
    second = recorded_worker(1, 2)
    assess(scripted_model(), [make_images("other", {WNIDS[A]: 3})], PROTOCOL, worker=second)
    with pytest.raises(WeightsMismatch, match="The processes were given different images"):
        assess(scripted_model(), [images], PROTOCOL, worker=recorded_worker(0, 2, [second.values[0]]))
