"""Shared computations: concurrent requests for one result share a Job, which reports progress and can be abandoned.

At most AT_ONCE computations run concurrently. Long ones (seconds) run one after another, so that the other worker
stays free for requests that take milliseconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

AT_ONCE = 2  # concurrent computations; with more, each takes longer
LOOK_AGAIN = 0.3  # seconds between two polls of a job, or of a model that is loading


class Abandoned(Exception):
    """Raised inside a computation, at its next step, when no request waits for it any more."""


@dataclass(eq=False)
class Job:
    """One computation.

    Attributes:
        long: Whether it takes seconds.
        steps: (analysis, steps done, steps in total); None until progress is reported.
        began: When this analysis began, as time.monotonic() has it.
        future: Of the result.
        watchers: Number of requests that wait for it.
        abandoned: Whether the last of them has left.
    """

    long: bool = False
    steps: tuple[str, int, int] | None = None
    began: float = 0.0
    future: Future = field(default_factory=Future)
    watchers: int = 0
    abandoned: bool = False

    @property
    def shows_progress(self) -> bool:
        """Whether progress is worth displaying."""
        return self.long or self.steps is not None

    @property
    def seconds_left(self) -> float | None:
        """At the mean time of the steps so far; None before the first of them is done."""
        if self.steps is None or not self.steps[1]:
            return None
        _, done, total = self.steps
        return (time.monotonic() - self.began) / done * (total - done)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the result, at most so long; return whether it is available."""
        return bool(wait([self.future], seconds).done)


class Jobs:
    """Running computations by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Hashable, Job] = {}
        # a pool keeps torch's thread pool of each thread alive; a server's short-lived threads would start it again
        self._workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="study")
        self._queue = ThreadPoolExecutor(1, thread_name_prefix="long studies")  # one after another

    @property
    def busy(self) -> bool:
        """Whether a long computation is running or queued."""
        with self._lock:
            return any(job.long for job in self._running.values())

    def join(self, key: Hashable, work: Callable[[], Any], long: bool = False) -> Job:
        """The running computation of a key, started if there is none. Every caller must `leave` it."""
        with self._lock:
            job = self._running.get(key)
            if job is None:
                job = self._running[key] = Job(long)
                job.future = self._begin(key, job, work)
            job.watchers += 1
        return job

    def leave(self, job: Job) -> None:
        """Stop waiting. When the last caller leaves, a queued job is canceled and a running one abandoned."""
        with self._lock:
            job.watchers -= 1
            if job.watchers > 0 or job.future.done():
                return
            job.abandoned = True
            self._running = {key: running for key, running in self._running.items() if running is not job}
        job.future.cancel()

    def progress_of(self, key: Hashable) -> Callable[[str, int, int], None]:
        """The progress callback of a running computation, called with (analysis, steps done, steps in total)."""
        with self._lock:
            job = self._running.get(key, Job())

        def report(analysis: str, step: int, total: int) -> None:
            if job.steps is None or job.steps[0] != analysis:
                job.began = time.monotonic()
            job.steps = (analysis, step, total)
            if job.abandoned:
                raise Abandoned

        return report

    def _begin(self, key: Hashable, job: Job, work: Callable[[], Any]) -> Future:
        def run() -> Any:
            try:
                if job.abandoned:
                    raise Abandoned
                return work()
            finally:
                with self._lock:
                    if self._running.get(key) is job:
                        del self._running[key]

        if not job.long:
            return self._workers.submit(run)
        return self._queue.submit(lambda: self._workers.submit(run).result())
