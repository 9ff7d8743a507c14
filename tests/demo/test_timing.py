"""Costs measured here: who is timed beside whom, once, and not while something long runs."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from demo import timing as module
from demo.jobs import Jobs
from demo.timing import ROUNDS, Timer, measure
from tests.fixtures.small_model import small_model
from transxnet.cost import activation_memory


class Clock:
    """Stands for time.perf_counter: only models move it."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


class Slow(nn.Module):
    """Takes these seconds, pass after pass; what it is called for is written down."""

    def __init__(self, name: str, seconds: list[float], clock: Clock, calls: list[str]):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 100))
        self.name, self.seconds, self.clock, self.calls = name, iter(seconds), clock, calls

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls.append(self.name)
        self.clock.now += next(self.seconds)
        return x.mean(dim=(2, 3)) @ self.weight


def loaded(model: nn.Module) -> SimpleNamespace:
    return SimpleNamespace(model=model, spec=SimpleNamespace(image_size=8), device=torch.device("cpu"))


def test_models_take_turns_and_the_median_is_told(clock):
    calls: list[str] = []
    a = Slow("a", [9, 0.1, 0.2, 0.1, 0.3, 0.1], clock, calls)  # the first pass counts memory and warms up
    b = Slow("b", [9, 0.2, 0.2, 0.2, 0.1, 0.1], clock, calls)
    found = measure({"a": loaded(a), "b": loaded(b)})
    assert calls == ["a", "b"] * (1 + ROUNDS)
    assert [(found[name].seconds, found[name].passes) for name in "ab"] == [
        (pytest.approx(0.1), 5), (pytest.approx(0.2), 5),
    ]  # fmt: skip
    assert found["a"].activations == 4 * (3 + 100)


def test_no_further_round_where_passes_are_long(clock):
    found = measure({"a": loaded(Slow("a", [0, 1.5, 1.4, 1.0, 1.0, 1.0], clock, []))})
    assert (found["a"].seconds, found["a"].passes) == (pytest.approx(1.45), 2)


def test_memory_is_the_librarys():
    model = small_model().model
    found = measure({"pico": small_model()})["pico"]
    assert found.activations == activation_memory(model)
    assert found.seconds > 0


def test_a_set_is_measured_once_and_serves_its_parts():
    asked = []

    def model(name: str):
        asked.append(name)
        return small_model()

    timer = Timer(Jobs(), model, lambda function: function)
    assert timer.found(["a"]) is None
    job = timer.begin(["a", "b"])
    run = job.future.result()
    timer.leave(job)
    assert list(run) == asked == ["a", "b"]
    assert timer.found(["b", "a"]) is timer.found(["b"]) is run
    assert timer.found(["a", "c"]) is None


def test_nothing_is_measured_while_something_long_runs():
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
