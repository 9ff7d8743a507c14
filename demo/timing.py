"""What models cost here and now: milliseconds of a pass, and memory. Measured once for each set of models, together.

A time alone means nothing on a machine that others use as well. So the models take turns, pass by pass, in one run, and
whoever is busy meanwhile slows all of them down alike: their ratios hold where the milliseconds do not.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from statistics import median

import torch

from transxnet.cost import activation_memory
from transxnet.errors import LensError
from transxnet.weights.load import LoadedModel

from .jobs import LOOK_AGAIN, Job, Jobs

ROUNDS = 5  # passes of each model that are timed, at most
SECONDS = 2.0  # after which no further round begins
KEPT = 64  # runs
PATIENCE = 60.0  # seconds that a run waits for other long work
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Timing:
    """Of one model at batch 1. seconds: median of `passes` forward passes. activations: bytes, counted."""

    seconds: float
    passes: int
    activations: int


Run = Mapping[str, Timing]


@contextmanager
def _unheld(*names: str) -> Iterator[None]:
    yield


def measure(models: Mapping[str, LoadedModel]) -> Run:
    """All models in one run, by the names they have here. Each is warmed up by the pass that counts its memory."""
    views, memory = {}, {}
    for name, loaded in models.items():
        size = loaded.spec.image_size
        views[name] = torch.zeros(1, 3, size, size, device=loaded.device)
        memory[name] = activation_memory(loaded.model, size)
    seconds: dict[str, list[float]] = {name: [] for name in models}
    begun = time.perf_counter()
    with torch.inference_mode():
        for _ in range(ROUNDS):
            for name, loaded in models.items():
                seconds[name].append(_pass(loaded, views[name]))
            if time.perf_counter() - begun > SECONDS:
                break
    return {name: Timing(median(found), len(found), memory[name]) for name, found in seconds.items()}


def _pass(loaded: LoadedModel, view: torch.Tensor) -> float:
    begun = time.perf_counter()
    loaded.model(view).cpu()  # on a GPU: wait for it
    return time.perf_counter() - begun


class Timer:
    """Runs that were made, and the one that is being made.

    Args:
        jobs: the studio's computations.
        model: gives a model that is held.
        on_gpu: wraps what computes.
        held: a context manager that holds the models of these names.
    """

    def __init__(
        self,
        jobs: Jobs,
        model: Callable[[str], LoadedModel],
        on_gpu: Callable[[Callable], Callable],
        held: Callable[..., AbstractContextManager] = _unheld,
    ):
        self._jobs, self._model, self._held = jobs, model, held
        self._measure = on_gpu(self._measured)
        self._runs: deque[Run] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def found(self, names: Iterable[str]) -> Run | None:
        """The last run that had all these models in it; None where there is none yet."""
        with self._lock:
            return next((run for run in reversed(self._runs) if set(names) <= set(run)), None)

    def begin(self, names: Iterable[str]) -> Job | None:
        """Measure these models, as one of the studio's computations, which whoever asks must leave.

        None while something long runs here: it would be measured as well.
        """
        if self._jobs.busy:
            return None
        names = tuple(names)
        return self._jobs.join(("timing", names), lambda: self._made(names))

    def leave(self, job: Job) -> None:
        self._jobs.leave(job)

    def run(self, names: Iterable[str], wanted: Callable[[], bool] = lambda: True, patience: float = PATIENCE) -> Run:
        """What was found of these models, else measured as soon as nothing long runs here.

        Empty where nobody wants it any more, where it could not begin within `patience` seconds, and where it fails,
        which the log tells.
        """
        names, until = list(names), time.monotonic() + patience
        if (kept := self.found(names)) is not None:
            return kept
        if not names:
            return {}
        try:
            with self._held(*names):
                return self._run(names, wanted, until)
        except LensError:  # whose column says so
            return {}

    def _run(self, names: list[str], wanted: Callable[[], bool], until: float) -> Run:
        job = self.begin(names)
        while job is None and wanted() and time.monotonic() < until:
            time.sleep(LOOK_AGAIN)
            job = self.begin(names)
        if job is None:
            return {}
        try:
            while wanted() and not job.wait(LOOK_AGAIN):
                pass
            if not job.future.done():
                return {}
            if (error := job.future.exception()) is not None:
                log.error("measuring %s", ", ".join(names), exc_info=error)
                return {}
            return job.future.result()
        finally:
            self.leave(job)

    def _made(self, names: tuple[str, ...]) -> Run:
        run = self._measure(names)
        with self._lock:
            self._runs.append(run)
        return run

    def _measured(self, names: tuple[str, ...]) -> Run:
        return measure({name: self._model(name) for name in names})
