"""When Compare's passes are measured: as soon as nothing long runs, for as long as somebody asks."""

from __future__ import annotations

import threading

import pytest

from demo import timing
from demo.jobs import Jobs
from demo.timing import Timer


@pytest.fixture
def jobs(monkeypatch) -> Jobs:
    monkeypatch.setattr(timing, "LOOK_AGAIN", 0.01)
    monkeypatch.setattr(timing, "measure", lambda models: dict.fromkeys(models, "measured"))
    return Jobs()


def timed(jobs: Jobs, newest, patience: float = 60) -> dict:
    return Timer(jobs, lambda name: name, lambda function: function).run(["pico"], newest, patience)


def test_it_waits_until_nothing_long_runs(jobs):
    go, looks = threading.Event(), []
    long = jobs.join("sanity_checks", lambda: go.wait(60), long=True)

    def newest() -> bool:
        looks.append(jobs.busy)
        if len(looks) == 3:
            go.set()
        return True

    assert timed(jobs, newest) == {"pico": "measured"}
    assert looks[:3] == [True] * 3
    jobs.leave(long)


def test_it_waits_no_longer_than_somebody_asks(jobs):
    go, answers = threading.Event(), iter([True, True])
    long = jobs.join("sanity_checks", lambda: go.wait(60), long=True)
    assert timed(jobs, lambda: next(answers, False)) == {}
    assert jobs.busy
    go.set()
    assert long.wait(60)
    jobs.leave(long)


def test_it_does_not_wait_for_ever(jobs):
    go = threading.Event()
    long = jobs.join("sanity_checks", lambda: go.wait(60), long=True)
    assert timed(jobs, lambda: True, patience=0.05) == {}
    assert jobs.busy
    go.set()
    assert long.wait(60)
    jobs.leave(long)


def test_a_measuring_that_fails_is_told_in_the_log(jobs, monkeypatch, caplog):
    def broken(models):
        raise RuntimeError("no memory left")

    monkeypatch.setattr(timing, "measure", broken)
    assert timed(jobs, lambda: True) == {}
    [record] = caplog.records
    assert record.getMessage() == "measuring pico"
    assert str(record.exc_info[1]) == "no memory left"
    assert record.exc_info[2] is not None
