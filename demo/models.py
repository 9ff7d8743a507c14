"""Loaded models, shared by all requests and bounded in bytes. No gradio here.

    entry = models.hold(name)      # starts loading the model if needed
    try:
        entry.finished.wait()      # then entry.loaded or entry.error
    finally:
        models.release(entry)

A held model is never evicted, so a caller that holds several must release each as soon as it is used, and must not wait
for one while it holds others. An idle model stays until its memory is needed; the least recently used is evicted first.
A load that is no longer held is dropped from the queue, and its download ends. Memory is reserved before a model is
loaded, so loading models count as well. Pinned models are neither counted nor evicted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from time import monotonic

from cachetools import Cache, LRUCache

from transxnet.cost import Cost
from transxnet.errors import LensError
from transxnet.weights.download import DownloadStopped
from transxnet.weights.load import LoadedModel

from .i18n.translate import message

MAX_BYTES = 2 * 10**9  # parameters and buffers of all models but the pinned ones
LOADED_AT_ONCE = {True: 1, False: 2}  # by whether a download is needed
PATIENCE = 5.0  # seconds that a download continues without a holder: the visitor's next request may need it
FAILURES = 64  # remembered


@dataclass(frozen=True)
class Arrival:
    """Progress of a download.

    Attributes:
        what: The file.
        received: Bytes.
        total: Bytes; 0 if the server does not say.
        silent: Seconds without any data.
    """

    what: str = ""
    received: int = 0
    total: int = 0
    silent: float = 0.0

    @property
    def share(self) -> float | None:
        """0 to 1; None if the total is unknown."""
        return self.received / self.total if self.total else None

    @property
    def complete(self) -> bool:
        return bool(self.total) and self.received >= self.total


@dataclass(eq=False)
class Loading:
    """A model that is loading, loaded or failed; shared by all requests for it."""

    name: str
    remote: bool = True  # whether it needs a download
    loaded: LoadedModel | None = None
    cost: Cost | None = None
    error: LensError | None = None
    finished: threading.Event = field(default_factory=threading.Event)
    size: int = 0  # bytes reserved for it
    holders: int = 0
    started: bool = False  # whether it has left the queue
    left: float = 0.0  # when its last holder released it, by time.monotonic
    _progress: tuple[str, int, int] = ("", 0, 0)
    _changed: float = field(default_factory=lambda: monotonic())

    def begin(self) -> None:
        """Leave the queue; the time without data counts from now on."""
        self.started, self._changed = True, monotonic()

    def wait(self) -> None:
        """Wait until the model is loaded. Raises its error if that failed."""
        self.finished.wait()
        if self.error is not None:
            raise self.error

    def progress(self, received: int, total: int, what: str = "") -> None:
        """The progress callback of transxnet.load."""
        if (what, received, total) != self._progress:
            self._progress, self._changed = (what, received, total), monotonic()

    @property
    def arrival(self) -> Arrival:
        """Progress at this moment."""
        return Arrival(*self._progress, silent=monotonic() - self._changed if self.remote and self.started else 0.0)


class Models:
    """Models by their canonical names.

    Args:
        load: Sets `loaded` and `cost` of a Loading and calls `keep_going` repeatedly. Raises LensError.
        size: Bytes of a model, by name. At most a third of max_bytes, so that three fit. May raise LensError.
        is_remote: Whether a model needs a download, by name.
        max_bytes: Limit for all models but the pinned ones.
        pinned: Names of models that are never evicted.
    """

    def __init__(
        self,
        load: Callable[[Loading], None],
        size: Callable[[str], int],
        is_remote: Callable[[str], bool],
        max_bytes: int = MAX_BYTES,
        pinned: Collection[str] = (),
    ):
        self._load, self._size, self._is_remote = load, size, is_remote
        self.max_bytes, self._pinned = max_bytes, frozenset(pinned)
        self._changed = threading.Condition()
        self._in_use: dict[str, Loading] = {}  # held or loading
        self._idle: LRUCache[str, Loading] = LRUCache(max_bytes, getsizeof=attrgetter("size"))
        self._failed: LRUCache[str, Loading] = LRUCache(FAILURES)
        self._several = threading.Lock()  # two callers of hold_all could wait for each other forever
        self._queues = {
            remote: ThreadPoolExecutor(count, thread_name_prefix="load") for remote, count in LOADED_AT_ONCE.items()
        }

    def hold(self, name: str) -> Loading:
        """The model; starts loading it if needed. The caller must `release` it."""
        with self._changed:
            entry = self._find(name)
            begin = entry is None
            if entry is None:
                entry = self._in_use[name] = Loading(name, remote=self._is_remote(name))
            entry.holders += 1
        if begin:
            self._queues[entry.remote].submit(self._run, entry)
        return entry

    def release(self, entry: Loading) -> None:
        """End one use of a model."""
        with self._changed:
            entry.holders -= 1
            entry.left = monotonic()
            self._retire(entry)

    @contextmanager
    def hold_all(self, *names: str) -> Iterator[None]:
        """Hold several models and wait for them. Raises LensError if one cannot be loaded."""
        with self._several:
            entries = [self.hold(name) for name in names]
            for entry in entries:
                entry.finished.wait()
        try:
            if error := next((entry.error for entry in entries if entry.error is not None), None):
                raise error
            yield
        finally:
            for entry in entries:
                self.release(entry)

    def preload(self, name: str) -> Loading:
        """The model; starts loading it at once if needed, whether or not a caller waits."""
        with self._changed:
            entry = self._find(name)
            if entry is not None:
                self._retire(entry)
                return entry
            entry = self._in_use[name] = Loading(name, remote=self._is_remote(name), holders=1)
        threading.Thread(target=self._run_and_release, args=(entry,), name=f"load {name}", daemon=True).start()
        return entry

    def peek(self, name: str) -> Loading | None:
        """The model if it is loading, loaded or failed; starts nothing and does not count as a use."""
        with self._changed:
            if name in self._idle:
                return Cache.__getitem__(self._idle, name)  # LRUCache's own makes it the most recently used
            return self._in_use.get(name) or self._failed.get(name)

    def forget_failure(self, name: str) -> None:
        """Let the next request load a model again that failed before."""
        with self._changed:
            self._failed.pop(name, None)

    def keep_going(self, entry: Loading) -> None:
        """Called during a download. Raises DownloadStopped if no caller holds the model."""
        with self._changed:
            if entry.holders == 0 and monotonic() - entry.left > PATIENCE:
                self._give_up(entry)

    def _find(self, name: str) -> Loading | None:
        """The entry of a model that will be held. Needs the lock."""
        entry = self._in_use.get(name) or self._failed.get(name)
        if entry is None and (entry := self._idle.pop(name, None)) is not None:
            self._in_use[name] = entry
        return entry

    def _retire(self, entry: Loading) -> None:
        """Make a loaded model that no caller holds evictable. Needs the lock."""
        unused = entry.holders == 0 and entry.loaded is not None and entry.name not in self._pinned
        if unused and self._in_use.get(entry.name) is entry:
            del self._in_use[entry.name]
            self._idle[entry.name] = entry
            self._changed.notify_all()

    def _run_and_release(self, entry: Loading) -> None:
        self._run(entry)
        self.release(entry)

    def _run(self, entry: Loading) -> None:
        try:
            self._reserve(entry)
            entry.begin()
            self._load(entry)
        except DownloadStopped:
            entry.error = LensError(message("models.cancelled"), remedy=message("models.cancelled_remedy"))
        except LensError as error:
            entry.error = error
        except Exception as error:
            sentence = message("models.unexpected", name=entry.name)
            entry.error = LensError(sentence, remedy=message("models.unexpected_remedy"), detail=repr(error))
        with self._changed:
            if self._in_use.get(entry.name) is entry and entry.error is not None:
                del self._in_use[entry.name]
                self._failed[entry.name] = entry
            self._retire(entry)
            self._changed.notify_all()
        entry.finished.set()

    def _reserve(self, entry: Loading) -> None:
        """Wait until the model's bytes fit, evicting idle models."""
        if entry.name in self._pinned:
            return
        size = self._size(entry.name)
        with self._changed:
            while not self._fits(size):
                if entry.holders == 0:
                    self._give_up(entry)
                self._changed.wait(1)
            if entry.holders == 0:
                self._give_up(entry)
            entry.size = size

    def _fits(self, size: int) -> bool:
        """Evict idle models until `size` more bytes fit; return whether they do. Needs the lock."""
        free = self.max_bytes - size - sum(entry.size for entry in self._in_use.values())
        while 0 <= free < self._idle.currsize:
            _, evicted = self._idle.popitem()
            evicted.loaded = None  # a caller may still have the entry
        return free >= 0

    def _give_up(self, entry: Loading) -> None:
        """Stop loading; the next request starts again. Needs the lock."""
        if self._in_use.get(entry.name) is entry:
            del self._in_use[entry.name]
        raise DownloadStopped
