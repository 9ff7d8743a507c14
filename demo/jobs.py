"""Computations that several visitors may wait for: each is made once, tells how far it is, and stops when nobody waits.

No more than AT_ONCE run at the same moment. Of those a long one takes one place at most, so that a visitor who tests
maps for minutes leaves the other place to everybody who only moves a crosshair.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

AT_ONCE = 2  # computations at the same moment; more only wait for each other
LOOK_AGAIN = 0.3  # seconds between two looks at one, or at a model that is being loaded


class Abandoned(Exception):
    """Nobody waits for this any more: raised inside the computation, at its next step."""


@dataclass(eq=False)
class Job:
    """One computation. steps: (part, done, in all), None until it tells. long: whether it will take seconds."""

    long: bool = False
    steps: tuple[str, int, int] | None = None
    future: Future = field(default_factory=Future)
    watchers: int = 0
    abandoned: bool = False

    @property
    def telling(self) -> bool:
        """Whether its waiting is worth showing."""
        return self.long or self.steps is not None

    def wait(self, seconds: float | None = None) -> bool:
        """Until it is there, or so long; whether it is."""
        return bool(wait([self.future], seconds).done)


class Jobs:
    """What is being computed at this moment, by its place in a cache."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Hashable, Job] = {}
        # threads of its own: each keeps torch's worker threads warm, which a server's changing threads would start anew
        self._workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="study")
        self._queue = ThreadPoolExecutor(1, thread_name_prefix="long studies")  # one after the other

    @property
    def busy(self) -> bool:
        """Whether a long computation runs or waits."""
        with self._lock:
            return any(job.long for job in self._running.values())

    def join(self, place: Hashable, work: Callable[[], Any], long: bool = False) -> Job:
        """The computation of this place, begun if it is not running. Whoever joins must `leave`."""
        with self._lock:
            job = self._running.get(place)
            if job is None:
                job = self._running[place] = Job(long)
                job.future = self._begin(place, job, work)
            job.watchers += 1
        return job

    def leave(self, job: Job) -> None:
        """One who waited waits no more. The last one takes it out of the queue, or stops it at its next step."""
        with self._lock:
            job.watchers -= 1
            if job.watchers > 0 or job.future.done():
                return
            job.abandoned = True
            self._running = {place: one for place, one in self._running.items() if one is not job}
        job.future.cancel()

    def teller(self, place: Hashable) -> Callable[[str, int, int], None]:
        """What the computation of this place calls with (part, steps done, steps in all)."""
        with self._lock:
            job = self._running.get(place, Job())

        def tell(part: str, done: int, total: int) -> None:
            job.steps = (part, done, total)
            if job.abandoned:
                raise Abandoned

        return tell

    def _begin(self, place: Hashable, job: Job, work: Callable[[], Any]) -> Future:
        def run() -> Any:
            try:
                if job.abandoned:
                    raise Abandoned
                return work()
            finally:
                with self._lock:
                    if self._running.get(place) is job:
                        del self._running[place]

        if not job.long:
            return self._workers.submit(run)
        return self._queue.submit(lambda: self._workers.submit(run).result())
