"""Timing of passes: models take turns, are measured once, and only while no long computation runs."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from demo import timing
from demo.jobs import Jobs
from demo.timing import ROUNDS, Timer, measure
from tests.fixtures.small_model import small_model
from transxnet.cost import activation_memory


class Clock:
    """Replaces time.perf_counter; only models advance it."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    stand_in = Clock()
    monkeypatch.setattr(timing, "time", stand_in)
    return stand_in


class Slow(nn.Module):
    """Takes these seconds, pass after pass, and records its calls."""

    def __init__(self, name: str, seconds: list[float], clock: Clock, calls: list[str]):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 100))
        self.name, self.seconds, self.clock, self.calls = name, iter(seconds), clock, calls

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls.append(self.name)
        self.clock.now += next(self.seconds)
        return x.mean(dim=(2, 3)) @ self.weight


def load(model: nn.Module) -> SimpleNamespace:
    return SimpleNamespace(model=model, spec=SimpleNamespace(image_size=8), device=torch.device("cpu"))


def test_models_take_turns_and_have_their_median(clock):
    calls: list[str] = []
    a = Slow("a", [9, 0.1, 0.2, 0.1, 0.3, 0.1], clock, calls)  # the first pass counts memory and warms up
    b = Slow("b", [9, 0.2, 0.2, 0.2, 0.1, 0.1], clock, calls)
    timings = measure({"a": load(a), "b": load(b)})
    assert calls == ["a", "b"] * (1 + ROUNDS)
    assert [(timings[name].seconds, timings[name].passes) for name in "ab"] == [
        (pytest.approx(0.1), 5), (pytest.approx(0.2), 5),
    ]  # fmt: skip
    assert timings["a"].activations == 4 * (3 + 100)


def test_long_passes_end_the_rounds(clock):
    timings = measure({"a": load(Slow("a", [0, 1.5, 1.4, 1.0, 1.0, 1.0], clock, []))})
    assert (timings["a"].seconds, timings["a"].passes) == (pytest.approx(1.45), 2)


def test_memory_is_that_of_the_library():
    model = small_model().model
    measured = measure({"pico": small_model()})["pico"]
    assert measured.activations == activation_memory(model)
    assert measured.seconds > 0


def test_models_are_measured_once_for_all_subsets():
    names = []

    def model(name: str):
        names.append(name)
        return small_model()

    timer = Timer(Jobs(), model, lambda function: function)
    assert timer.cached(["a"]) is None
    job = timer.begin(["a", "b"])
    run = job.future.result()
    timer.leave(job)
    assert list(run) == names == ["a", "b"]
    assert timer.cached(["b", "a"]) is timer.cached(["b"]) is run
    assert timer.cached(["a", "c"]) is None


def test_nothing_is_measured_during_a_long_job():
    jobs, go = Jobs(), threading.Event()
    long = jobs.join("sanity_checks", go.wait, long=True)
    timer = Timer(jobs, lambda name: small_model(), lambda function: function)
    assert jobs.busy
    assert timer.begin(["a"]) is None
    go.set()
    assert long.wait(10)
    jobs.leave(long)
    assert not jobs.busy
    job = timer.begin(["a"])
    assert set(job.future.result()) == {"a"}
    timer.leave(job)


# ---- patience -------------------------------------------------------------------------------------------------------


@pytest.fixture
def jobs(monkeypatch) -> Jobs:
    monkeypatch.setattr(timing, "LOOK_AGAIN", 0.01)
    monkeypatch.setattr(timing, "measure", lambda models: dict.fromkeys(models, "measured"))
    return Jobs()


def run_timer(jobs: Jobs, is_current, patience: float = 60) -> dict:
    return Timer(jobs, lambda name: name, lambda function: function).run(["pico"], is_current, patience)


def test_timing_waits_for_a_long_job(jobs):
    go, busy = threading.Event(), []
    long = jobs.join("sanity_checks", lambda: go.wait(60), long=True)

    def is_current() -> bool:
        busy.append(jobs.busy)
        if len(busy) == 3:
            go.set()
        return True

    assert run_timer(jobs, is_current) == {"pico": "measured"}
    assert busy[:3] == [True] * 3
    jobs.leave(long)


def test_timing_ends_with_its_request(jobs):
    go, answers = threading.Event(), iter([True, True])
    long = jobs.join("sanity_checks", lambda: go.wait(60), long=True)
    assert run_timer(jobs, lambda: next(answers, False)) == {}
    assert jobs.busy
    go.set()
    assert long.wait(60)
    jobs.leave(long)


def test_timing_gives_up_after_its_patience(jobs):
    go = threading.Event()
    long = jobs.join("sanity_checks", lambda: go.wait(60), long=True)
    assert run_timer(jobs, lambda: True, patience=0.05) == {}
    assert jobs.busy
    go.set()
    assert long.wait(60)
    jobs.leave(long)


def test_failed_timing_is_logged(jobs, monkeypatch, caplog):
    def broken(models):
        raise RuntimeError("no memory left")

    monkeypatch.setattr(timing, "measure", broken)
    assert run_timer(jobs, lambda: True) == {}
    [record] = caplog.records
    assert record.getMessage() == "measuring pico"
    assert str(record.exc_info[1]) == "no memory left"
    assert record.exc_info[2] is not None
