"""Loaded models with their locks, pictures, and one request -> one Study. No gradio here.

State kept: a bounded set of models, a bounded set of decoded pictures by their hash, a bounded cache of
studies by pictures, variant and options. A visitor holds ids and numbers only; pictures are reached by a
hash that stands in that visitor's own session.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from transxnet import load
from transxnet.cost import Cost, cost
from transxnet.errors import LensError, OutOfRange, PictureError
from transxnet.images import Picture, decode
from transxnet.namespace import configured_namespace
from transxnet.peers.cost import peer_parameters
from transxnet.peers.spec import is_peer, spec_of
from transxnet.study import Options, Study, study
from transxnet.variants import UNTRAINED, VARIANTS
from transxnet.weights import Availability, LoadedModel, available, resolve_device

from .captions import PICTURE_GONE
from .jobs import AT_ONCE, Job, Jobs
from .shelf import Shelf
from .timing import Timer
from .turns import Turn, Turns
from .visitors import Visitors
from .wanted import LONG

__all__ = ["AT_ONCE", "Arrival", "Loading", "Studio"]

MODELS, PICTURES, STUDIES = 8, 64, 96  # how many of each are kept
SENT = 16  # pictures that programs sent, who ask once: they push out no visitor's
LOADED_AT_ONCE = {True: 4, False: 2}  # by whether the network has to answer; the others wait
MOST_PARAMETERS = 150_000_000  # of a timm backbone: eight models are kept
STUDIES_BYTES = 256 * 2**20  # and no more than this of studies: one with large tables takes megabytes
TRIALS = 16  # studies of a painted or altered model: every stroke is one, and nobody else asks for it again


@dataclass(frozen=True)
class Arrival:
    """How far a download is. total: 0 where the server does not say. silent: seconds without a byte or an answer."""

    what: str = ""
    done: int = 0
    total: int = 0
    silent: float = 0.0

    @property
    def share(self) -> float | None:
        """0 to 1, None where that cannot be known."""
        return self.done / self.total if self.total else None

    @property
    def complete(self) -> bool:
        return bool(self.total) and self.done >= self.total


@dataclass
class Loading:
    """A model on its way: started once, watched by everybody who waits for it."""

    name: str
    remote: bool = True  # whether the network has to answer
    loaded: LoadedModel | None = None
    cost: Cost | None = None
    error: LensError | None = None
    done: threading.Event = field(default_factory=threading.Event)
    _arrived: tuple[str, int, int] = ("", 0, 0)
    _changed: float = field(default_factory=lambda: monotonic())

    def progress(self, done: int, total: int, what: str = "") -> None:
        """What transxnet.load reports while bytes arrive."""
        if (what, done, total) != self._arrived:
            self._arrived, self._changed = (what, done, total), monotonic()

    @property
    def arrival(self) -> Arrival:
        """How far it is at this moment."""
        return Arrival(*self._arrived, silent=monotonic() - self._changed if self.remote else 0.0)


class Studio:
    """Everything the page asks for. device, weights_dir, hub_namespace: as transxnet.load takes them.

    namespace: the Hub namespace in use, with the revisions pinned in it.
    """

    def __init__(
        self,
        *,
        device: str | None = None,
        weights_dir: str | None = None,
        hub_namespace: str | None = None,
        on_gpu: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda function: function,
    ):
        self.device = resolve_device(device)
        self.namespace = configured_namespace(hub_namespace)
        self._where = {"weights_dir": weights_dir, "hub_namespace": hub_namespace}
        self._lock = threading.Lock()
        self._models: Shelf[Loading] = Shelf(MODELS)
        self._coming: dict[str, Loading] = {}  # none is forgotten before it is there, or it would be begun again
        self._gates = {remote: threading.BoundedSemaphore(count) for remote, count in LOADED_AT_ONCE.items()}
        self._pictures: Shelf[Picture] = Shelf(PICTURES)
        self._sent: Shelf[Picture] = Shelf(SENT)
        self._examples: dict[tuple[Path, str], str] = {}  # of a file and its name: the picture's key
        self._studies: Shelf[Study] = Shelf(STUDIES, STUDIES_BYTES)
        self._trials: Shelf[Study] = Shelf(TRIALS, STUDIES_BYTES)
        self.turns = Turns()
        self.visitors = Visitors()
        self._jobs = Jobs()
        self._study = on_gpu(self._look)
        self.timer = Timer(self._jobs, self._model, on_gpu)

    def names(self) -> list[str]:
        """What can be asked for, short: the variants that some source has, bundled ones first, and two untrained."""
        known = [spec.short for spec in VARIANTS.values() if self.availability(spec.short) != Availability.NOWHERE]
        bundled = [name for name in known if self.availability(name).ready]
        return [*bundled, *(n for n in known if n not in bundled), f"pico@{UNTRAINED}", f"t@{UNTRAINED}"]

    def add(self, picture: Picture, visitor: bool = True) -> str:
        """Keep a picture; returns the key under which `picture` gives it back. visitor: False of a program's."""
        with self._lock:
            (self._pictures if visitor else self._sent).put(picture.sha256, picture)
        return picture.sha256

    def add_example(self, path: Path, label: str) -> str:
        """`add` of a picture in a file that does not change: it is read where it is not kept any more."""
        with self._lock:
            key = self._examples.get((path, label), "")
            if self._pictures.get(key) is not None:
                return key
        key = self.add(decode(path, name=label))
        with self._lock:
            self._examples[path, label] = key
        return key

    def keeps(self, key: str) -> bool:
        """Whether a visitor's picture is still kept under this key."""
        with self._lock:
            return self._pictures.get(key) is not None

    def picture(self, key: str) -> Picture:
        with self._lock:
            found = self._pictures.get(key, self._sent.get(key))
        if found is None:
            raise PictureError(PICTURE_GONE)
        return found

    def begin(self, visitor: str) -> Turn:
        """A visitor's new request. Returns a question: is it still the newest? Old ones stop when it is not."""
        return self.turns.begin(visitor)

    def loading(self, name: str, retry: bool = False) -> Loading:
        """The model on its way or there; starts loading on the first call. retry: forget an earlier failure."""
        spec, untrained = spec_of(name)
        name = spec.short + (f"@{UNTRAINED}" if untrained else "")
        with self._lock:
            entry = self._coming.get(name) or self._models.get(name)
            if entry is None or (retry and entry.error is not None):
                entry = self._coming[name] = Loading(name, remote=not self.availability(name).ready)
                threading.Thread(target=self._load, args=(entry,), name=f"load {name}", daemon=True).start()
        return entry

    def study(self, key: str, name: str, options: Options, other: str = "") -> Study:
        """What `transxnet.study` makes of a kept picture; cached. Waits for the model. Raises LensError."""
        job = self.explain(key, name, options, other)
        try:
            return job.future.result()
        finally:
            self.leave(job)

    def explain(self, key: str, name: str, options: Options, other: str = "") -> Job:
        """`study`, without waiting for it: its Job, which whoever asks must `leave`. Waits for the model.

        other: the key of a second picture, for the parts that compare two.
        """
        place = (key, name, options, other)
        with self._lock:
            found = self._shelf(options).get(place)
        if found is not None:
            job = Job(watchers=1)
            job.future.set_result(found)
            return job
        pictures = self.picture(key), self.picture(other) if other else None
        self._model(name)
        return self._jobs.join(place, lambda: self._made(place, *pictures), not LONG.isdisjoint(options.only))

    def leave(self, job: Job) -> None:
        """Nobody here waits for this Job any more; when nobody does anywhere it stops."""
        self._jobs.leave(job)

    def _made(self, place: tuple[str, str, Options, str], picture: Picture, other: Picture | None) -> Study:
        found = self._study(place, picture, other)
        with self._lock:
            self._shelf(place[2]).put(place, found)
        return found

    def _shelf(self, options: Options) -> Shelf[Study]:
        return self._trials if "trial" in options.only else self._studies

    def _look(self, place: tuple[str, str, Options, str], picture: Picture, other: Picture | None) -> Study:
        """Where this runs in a process of its own (spaces.GPU) nobody hears how far it is."""
        _, name, options, _ = place
        return study(self._model(name), picture, options, other, self._jobs.teller(place))

    def availability(self, name: str) -> Availability:
        """Where the weights of a variant would come from, without asking the network."""
        return available(name, **self._where)

    def ready(self, name: str) -> bool:
        """Whether a variant needs no download: it is loaded, or on this disk."""
        with self._lock:
            entry = self._models.get(name)
        return (entry is not None and entry.loaded is not None) or self.availability(name).ready

    def _model(self, name: str) -> LoadedModel:
        entry = self.loading(name)
        entry.done.wait()
        if entry.error is not None:
            raise entry.error
        return entry.loaded

    def _load(self, entry: Loading) -> None:
        try:
            _fits(entry.name)
            with self._gates[entry.remote]:
                loaded = load(entry.name, device=self.device, progress=entry.progress, **self._where)
            entry.cost = cost(loaded.model)
            entry.loaded = loaded
        except LensError as error:
            entry.error = error
        except Exception as error:
            entry.error = LensError(
                f"Loading {entry.name} failed unexpectedly.", remedy="Pick another variant.", detail=repr(error)
            )
        finally:
            with self._lock:
                self._models.put(entry.name, self._coming.pop(entry.name))
            entry.done.set()


def _fits(name: str) -> None:
    """Raises OutOfRange for a backbone that is too large for a page with many visitors; nothing of it is made."""
    if is_peer(name) and (parameters := peer_parameters(spec_of(name)[0])) > MOST_PARAMETERS:
        raise OutOfRange(
            f"{name.partition('@')[0]} has {parameters / 1e6:.0f} million parameters, too many for this page.",
            remedy=f"Choose a backbone of up to {MOST_PARAMETERS // 10**6} million.",
        )
