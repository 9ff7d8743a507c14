"""Shared computations: run once for all requests, report progress, and stop when the last request has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from demo import jobs as jobs_module
from demo.jobs import AT_ONCE, Abandoned, Jobs

PATIENCE = 60


class Work:
    """A computation of many steps that goes on when it is let, and remembers how it ended."""

    def __init__(self, jobs: Jobs, place: object):
        self.jobs, self.place = jobs, place
        self.begun, self.go, self.ended = threading.Event(), threading.Semaphore(0), threading.Event()
        self.calls, self.stopped = 0, False

    def __call__(self) -> str:
        self.calls += 1
        tell = self.jobs.progress_of(self.place)
        self.begun.set()
        try:
            for done in range(1, 4):
                assert self.go.acquire(timeout=PATIENCE)
                tell("sanity_checks", done, 3)
        except Abandoned:
            self.stopped = True
            raise
        finally:
            self.ended.set()
        return "made"


def finish(work: Work) -> None:
    work.go.release(3)
    assert work.ended.wait(PATIENCE)


def test_two_who_ask_share_one_computation_and_one_may_leave():
    jobs = Jobs()
    work = Work(jobs, "a")
    first, second = jobs.join("a", work), jobs.join("a", work)
    assert first is second
    assert not first.shows_progress
    assert work.begun.wait(PATIENCE)
    jobs.leave(first)
    finish(work)
    assert second.future.result(PATIENCE) == "made"
    assert (second.steps, second.shows_progress, work.calls, work.stopped) == (("sanity_checks", 3, 3), True, 1, False)
    again = Work(jobs, "a")
    third = jobs.join("a", again)  # it is not running any more
    finish(again)
    assert third.future.result(PATIENCE) == "made"
    assert again.calls == 1


def test_time_left_is_that_of_the_steps_done(monkeypatch):
    now = 100.0
    monkeypatch.setattr(jobs_module.time, "monotonic", lambda: now)
    jobs, go = Jobs(), threading.Event()
    job = jobs.join("a", lambda: go.wait(PATIENCE))
    tell = jobs.progress_of("a")
    assert job.seconds_left is None
    tell("ablation_table", 0, 4)
    now = 101.0
    assert job.seconds_left is None  # no step is done
    tell("ablation_table", 1, 4)
    assert job.seconds_left == 3.0
    now = 109.0
    tell("sanity_checks", 0, 40)  # another analysis, another pace
    now = 110.0
    tell("sanity_checks", 10, 40)
    assert job.seconds_left == pytest.approx(3.0)
    go.set()
    jobs.leave(job)


def test_what_nobody_waits_for_stops_at_its_next_step():
    jobs = Jobs()
    work = Work(jobs, "a")
    job = jobs.join("a", work)
    assert work.begun.wait(PATIENCE)
    jobs.leave(job)
    finish(work)
    assert work.stopped
    with pytest.raises(Abandoned):
        job.future.result(PATIENCE)


def test_what_waits_for_its_turn_is_never_begun_when_nobody_waits_for_it():
    jobs = Jobs()
    long, queued = Work(jobs, "long"), Work(jobs, "queued")
    first = jobs.join("long", long, long=True)
    assert long.begun.wait(PATIENCE)
    jobs.leave(jobs.join("queued", queued, long=True))
    finish(long)
    assert first.future.result(PATIENCE) == "made"
    assert jobs.join("last", lambda: "last", long=True).future.result(PATIENCE) == "last"  # its turn has passed
    assert queued.calls == 0


def test_long_ones_leave_a_place_to_short_ones():
    assert AT_ONCE == 2
    jobs = Jobs()
    works = [Work(jobs, i) for i in range(2)]
    long = [jobs.join(i, work, long=True) for i, work in enumerate(works)]
    assert long[0].shows_progress  # from the start: it will take long
    assert works[0].begun.wait(PATIENCE)
    assert jobs.join("short", lambda: "short").future.result(PATIENCE) == "short"
    assert not works[1].begun.is_set()
    for work in works:
        finish(work)
    assert [job.future.result(PATIENCE) for job in long] == ["made"] * 2


def test_an_error_is_everybodys_and_is_not_kept():
    jobs = Jobs()

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        jobs.join("a", fail).future.result(PATIENCE)
    works: Callable[[], str] = lambda: "made"  # noqa: E731
    assert jobs.join("a", works).future.result(PATIENCE) == "made"
