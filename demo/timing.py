"""Time and activation memory of a forward pass, measured once for each set of models.

Absolute times vary with other load on the machine. The models' passes are therefore interleaved in one run, so that
other load slows all of them alike and their ratios stay comparable.
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
SECONDS = 2.0  # after which no further round starts
MAX_RUNS = 64  # runs
PATIENCE = 60.0  # seconds that a run waits for long computations
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Timing:
    """Of one model at batch size 1.

    Attributes:
        seconds: Median of `passes` forward passes.
        passes: Number of timed passes.
        activations: Peak activation memory in bytes, computed.
    """

    seconds: float
    passes: int
    activations: int


Run = Mapping[str, Timing]


@contextmanager
def _hold_nothing(*names: str) -> Iterator[None]:
    yield


def measure(models: Mapping[str, LoadedModel]) -> Run:
    """Time all models in one run. The pass that computes a model's memory also warms it up."""
    inputs, memory = {}, {}
    for name, loaded in models.items():
        size = loaded.spec.image_size
        inputs[name] = torch.zeros(1, 3, size, size, device=loaded.device)
        memory[name] = activation_memory(loaded.model, size)
    seconds: dict[str, list[float]] = {name: [] for name in models}
    start = time.perf_counter()
    with torch.inference_mode():
        for _ in range(ROUNDS):
            for name, loaded in models.items():
                seconds[name].append(_pass(loaded, inputs[name]))
            if time.perf_counter() - start > SECONDS:
                break
    return {name: Timing(median(times), len(times), memory[name]) for name, times in seconds.items()}


def _pass(loaded: LoadedModel, images: torch.Tensor) -> float:
    start = time.perf_counter()
    loaded.model(images).cpu()  # on a GPU: wait for it
    return time.perf_counter() - start


class Timer:
    """Finished runs and the current one.

    Args:
        jobs: Computations of the service.
        model: Returns a model that the caller holds.
        on_gpu: Wraps functions that compute.
        hold_all: Context manager that holds the models of these names.
    """

    def __init__(
        self,
        jobs: Jobs,
        model: Callable[[str], LoadedModel],
        on_gpu: Callable[[Callable], Callable],
        hold_all: Callable[..., AbstractContextManager] = _hold_nothing,
    ):
        self._jobs, self._model, self._hold_all = jobs, model, hold_all
        self._measure = on_gpu(self._measure_models)
        self._runs: deque[Run] = deque(maxlen=MAX_RUNS)
        self._lock = threading.Lock()

    def cached(self, names: Iterable[str]) -> Run | None:
        """The last run that included all these models, if any."""
        with self._lock:
            return next((run for run in reversed(self._runs) if set(names) <= set(run)), None)

    def begin(self, names: Iterable[str]) -> Job | None:
        """Start a measurement, which the caller must `leave`.

        Returns:
            None while a long computation runs, which would slow the measurement.
        """
        if self._jobs.busy:
            return None
        names = tuple(names)
        return self._jobs.join(("timing", names), lambda: self._measure_and_cache(names))

    def leave(self, job: Job) -> None:
        self._jobs.leave(job)

    def run(
        self, names: Iterable[str], is_current: Callable[[], bool] = lambda: True, patience: float = PATIENCE
    ) -> Run:
        """The cached run of these models, or a new one.

        Returns:
            Empty if the request is superseded, if long computations ran for `patience` seconds, or if it fails (which
            is logged).
        """
        names, until = list(names), time.monotonic() + patience
        if (cached_run := self.cached(names)) is not None:
            return cached_run
        if not names:
            return {}
        try:
            with self._hold_all(*names):
                return self._run(names, is_current, until)
        except LensError:  # reported in the model's column
            return {}

    def _run(self, names: list[str], is_current: Callable[[], bool], until: float) -> Run:
        job = self.begin(names)
        while job is None and is_current() and time.monotonic() < until:
            time.sleep(LOOK_AGAIN)
            job = self.begin(names)
        if job is None:
            return {}
        try:
            while is_current() and not job.wait(LOOK_AGAIN):
                pass
            if not job.future.done():
                return {}
            if (error := job.future.exception()) is not None:
                log.error("measuring %s", ", ".join(names), exc_info=error)
                return {}
            return job.future.result()
        finally:
            self.leave(job)

    def _measure_and_cache(self, names: tuple[str, ...]) -> Run:
        run = self._measure(names)
        with self._lock:
            self._runs.append(run)
        return run

    def _measure_models(self, names: tuple[str, ...]) -> Run:
        return measure({name: self._model(name) for name in names})
