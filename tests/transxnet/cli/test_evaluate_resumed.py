"""An evaluation that was killed, and one shared by several processes: the numbers of one in one go, to the bit."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from tests.scripted import WNIDS, A, scripted
from transxnet.distributed import Worker
from transxnet.errors import WeightsError, WeightsMismatch
from transxnet.training.evaluate import assess
from transxnet.training.protocol import Protocol
from transxnet.training.report import Report
from transxnet.weights.load import Provenance

PROTOCOL = Protocol(image_size=32, crop_pct=1.0, batch=2)


@pytest.fixture
def images(make_images):
    """Nine, in this order: four of A, three of B, two of C."""
    return make_images("nine", {WNIDS[3]: 4, WNIDS[10]: 3, WNIDS[150]: 2})


def without_speed(report: Report) -> dict:
    return {key: value for key, value in report.as_json().items() if key != "speed"}


def stop_after(images_done: int):
    def progress(done: int, total: int) -> None:
        if done >= images_done:
            raise KeyboardInterrupt

    return progress


def test_a_killed_evaluation_goes_on_where_it_was(images, tmp_path):
    whole = assess(scripted(), [images], PROTOCOL)
    killed, resumed, out = scripted(), scripted(), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        assess(killed, [images], PROTOCOL, out=out, progress=stop_after(4))
    with pytest.raises(WeightsError, match="holds an evaluation already"):
        assess(scripted(), [images], PROTOCOL, out=out)
    told = []
    report = assess(resumed, [images], PROTOCOL, out=out, resume=True, progress=lambda *call: told.append(call))
    assert without_speed(report) == without_speed(whole)
    assert killed.model.seen + resumed.model.seen == [
        [(0, 0), (0, 1)], [(0, 2), (0, 3)], [(1, 0), (1, 1)], [(1, 2), (2, 0)], [(2, 1)],
    ]  # fmt: skip
    assert (told, report.speed.images) == ([(6, 9), (8, 9), (9, 9)], 5)
    again = assess(scripted(), [images], PROTOCOL, out=out, resume=True)  # nothing is left to do
    assert (without_speed(again), again.speed.images, again.speed.rate) == (without_speed(whole), 0, 0)


def test_a_image_that_was_lost_is_tried_again(images, tmp_path):
    path = images / "train" / WNIDS[A] / "3.png"
    good = path.read_bytes()
    path.write_bytes(b"x" * len(good))
    assert len(assess(scripted(), [images], PROTOCOL, out=tmp_path / "out").unreadable) == 1
    path.write_bytes(good)
    report = assess(scripted(), [images], PROTOCOL, out=tmp_path / "out", resume=True)
    assert without_speed(report) == without_speed(assess(scripted(), [images], PROTOCOL))


def test_only_the_same_evaluation_is_resumed(images, make_images, tmp_path):
    out = tmp_path / "out"
    assess(scripted(), [images], PROTOCOL, out=out)

    def refused(message: str, loaded=None, path=images, **changes: object) -> None:
        with pytest.raises(WeightsMismatch, match=message):
            assess(loaded or scripted(), [path], dataclasses.replace(PROTOCOL, **changes), out=out, resume=True)

    refused("image size 32, not 64", image_size=64)
    refused("answers all classes, not the images' classes", restrict=True)
    refused("batch 2, not 3", batch=3)
    refused(
        "weights abab.*, not cdcd",
        dataclasses.replace(scripted(), provenance=Provenance("file", "x.pth", "cd" * 32)),
    )
    refused("number of images 9, not 1", path=make_images("one", {WNIDS[A]: 1}))
    (images / "train" / WNIDS[A] / "0.png").write_bytes(b"another image of that name")
    refused("images [0-9a-f]{16}…, not [0-9a-f]{16}…")


class Recorded(Worker):
    """A process among several; what the others would have told is known beforehand."""

    others: list

    def gather(self, thing):
        self.told.append(thing)
        return [thing, *self.others.pop(0)] if self.chief else None

    def barrier(self):
        pass


def worker(rank: int, size: int, *others: list) -> Recorded:
    made = Recorded(rank, size, torch.device("cpu"))
    object.__setattr__(made, "others", list(others))
    object.__setattr__(made, "told", [])
    return made


def test_processes_share_the_batches_and_the_chief_tells(images):
    whole = scripted()
    expected = without_speed(assess(whole, [images], PROTOCOL))
    second, first = worker(1, 2), scripted()
    other = scripted()
    assert assess(other, [images], PROTOCOL, worker=second) is None
    report = assess(first, [images], PROTOCOL, worker=worker(0, 2, *([thing] for thing in second.told)))
    assert without_speed(report) == expected
    assert (first.model.seen, other.model.seen) == (whole.model.seen[::2], whole.model.seen[1::2])
    assert (report.speed.processes, report.speed.images) == (2, 9)


def test_processes_that_see_different_images_stop(images, make_images):
    second = worker(1, 2)
    assess(scripted(), [make_images("other", {WNIDS[A]: 3})], PROTOCOL, worker=second)
    with pytest.raises(WeightsMismatch, match="The processes were given different images"):
        assess(scripted(), [images], PROTOCOL, worker=worker(0, 2, [second.told[0]]))
