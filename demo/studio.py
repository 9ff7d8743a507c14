"""Models, images, and one request -> one Study. No gradio here.

State kept: models within a bound of bytes (models.py), a bounded set of decoded images by their hash, a bounded cache
of studies by images, variant and options. A visitor holds ids and numbers only; images are reached by a hash that
stands in that visitor's own session.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cachetools import LRUCache

from transxnet import load
from transxnet.backbones.cost import backbone_parameters
from transxnet.backbones.spec import is_backbone, spec_of
from transxnet.cost import Cost, cost
from transxnet.errors import Busy, ImageError, OutOfRange
from transxnet.images import SourceImage, decode
from transxnet.study import Study, StudyOptions, study
from transxnet.variants import UNTRAINED, VARIANTS
from transxnet.weights.load import Availability, LoadedModel, available, model_memory, resolve_device
from transxnet.weights.namespace import configured_namespace
from transxnet.weights.sources import cache_folder

from . import download_folder, models
from .backbones import ANY_BACKBONE, Backbones
from .download_folder import DownloadFolder
from .i18n.translate import message
from .jobs import AT_ONCE, Job, Jobs
from .links import MOST_VARIANTS, canonical
from .models import Arrival, Loading, Models
from .shelf import Shelf
from .timing import Timer
from .turns import Turn, Turns
from .visitors import Visitors
from .wanted import LONG

__all__ = ["AT_ONCE", "Arrival", "Loading", "Studio"]

IMAGES, STUDIES = 64, 96  # how many of each are kept
SENT = 16  # images that programs sent, who ask once: they push out no visitor's
MOST_PARAMETERS = 150_000_000  # of a timm backbone: three of them stand side by side
STUDIES_BYTES = 256 * 2**20  # and no more than this of studies: one with large tables takes megabytes
TRIALS = 16  # studies of a painted or altered model: every stroke is one, and nobody else asks for it again
COSTS = 256  # of models, which are wanted as long as their studies are
WAITING = 2  # requests of programs that wait for a download at the same moment; others ask for what is there


class Studio:
    """Everything the page asks for.

    Args:
        device: as transxnet.load takes it.
        weights_dir: likewise.
        hub_namespace: likewise.
        on_gpu: wraps what computes, as spaces.GPU does.
        default: the variant that the page opens on. It and pico are never evicted.
        backbones: which timm backbones visitors may name.
        model_bytes: memory of all other models' parameters and buffers.
        download_bytes: disk space for backbones that visitors had downloaded.

    Attributes:
        namespace: the Hub namespace in use, with the revisions pinned in it.
    """

    def __init__(
        self,
        *,
        device: str | None = None,
        weights_dir: str | None = None,
        hub_namespace: str | None = None,
        on_gpu: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda function: function,
        default: str = "pico",
        backbones: Backbones = ANY_BACKBONE,
        model_bytes: int = models.MAX_BYTES,
        download_bytes: int = download_folder.MAX_BYTES,
    ):
        self.device = resolve_device(device)
        self.namespace = configured_namespace(hub_namespace)
        self.backbones = backbones
        self._sources = {"weights_dir": weights_dir, "hub_namespace": hub_namespace}
        self._downloads = DownloadFolder(cache_folder() / "visitors", download_bytes)
        self._lock = threading.Lock()
        self._models = Models(self._load, self._size, self._is_remote, model_bytes, {canonical(default), "pico"})
        self._costs: LRUCache[str, Cost] = LRUCache(COSTS)
        self._waiting = threading.BoundedSemaphore(WAITING)
        self._images: Shelf[SourceImage] = Shelf(IMAGES)
        self._sent: Shelf[SourceImage] = Shelf(SENT)
        self._examples: dict[tuple[Path, str], str] = {}  # of a file and its name: the image's key
        self._studies: Shelf[Study] = Shelf(STUDIES, STUDIES_BYTES)
        self._ablations: Shelf[Study] = Shelf(TRIALS, STUDIES_BYTES)
        self.turns = Turns()
        self.visitors = Visitors()
        self._jobs = Jobs()
        self._study = on_gpu(self._look)
        self.timer = Timer(self._jobs, self._loaded, on_gpu, self._models.held)

    def names(self) -> list[str]:
        """What can be asked for, short: the variants that some source has, bundled ones first, and two untrained."""
        known = [spec.short for spec in VARIANTS.values() if self.availability(spec.short) != Availability.NOWHERE]
        bundled = [name for name in known if self.availability(name).ready]
        return [*bundled, *(n for n in known if n not in bundled), f"pico@{UNTRAINED}", f"t@{UNTRAINED}"]

    def add(self, image: SourceImage, visitor: bool = True) -> str:
        """Keep an image; returns the key under which `image` gives it back. visitor: False of a program's."""
        with self._lock:
            (self._images if visitor else self._sent).put(image.sha256, image)
        return image.sha256

    def add_example(self, path: Path, label: str) -> str:
        """`add` of an image in a file that does not change: it is read where it is not kept any more."""
        with self._lock:
            key = self._examples.get((path, label), "")
            if self._images.get(key) is not None:
                return key
        key = self.add(decode(path, name=label))
        with self._lock:
            self._examples[path, label] = key
        return key

    def keeps(self, key: str) -> bool:
        """Whether a visitor's image is still kept under this key."""
        with self._lock:
            return self._images.get(key) is not None

    def image(self, key: str) -> SourceImage:
        with self._lock:
            found = self._images.get(key, self._sent.get(key))
        if found is None:
            raise ImageError(message("errors.image_gone"))
        return found

    def begin(self, visitor: str) -> Turn:
        """A visitor's new request. Returns a question: is it still the newest? Old ones stop when it is not."""
        return self.turns.begin(visitor)

    def check_names(self, names: Iterable[str]) -> list[str]:
        """What one request names: canonical, each once. Nothing is loaded before all of them are checked.

        Raises:
            OutOfRange: more than MOST_VARIANTS, or a backbone too large for this page.
            UnknownName: a name that there is not, or that visitors may not use.
        """
        found: dict[str, None] = {}
        for name in names:
            found[self._checked(name)] = None
            if len(found) > MOST_VARIANTS:
                raise OutOfRange(
                    message("models.too_many", most=MOST_VARIANTS), remedy=message("models.too_many_remedy")
                )
        for name in found:
            self._size(name)
        return list(found)

    def hold(self, name: str) -> Loading:
        """The model on its way or there; begins to load it on the first call. Whoever holds it must `release` it."""
        return self._models.hold(self._checked(name))

    def release(self, entry: Loading) -> None:
        """The model is needed here no longer; where nobody needs it, its loading ends."""
        self._models.release(entry)

    def preload(self, name: str) -> Loading:
        """The model, loaded for the program itself, whether anybody waits for it or not."""
        return self._models.preload(canonical(name))

    def peek(self, name: str) -> Loading | None:
        """The model if it is on its way, there, or failed."""
        return self._models.peek(canonical(name))

    def forget_failure(self, name: str) -> None:
        """Whoever asks for the model next has it loaded again, if it failed."""
        self._models.forget_failure(canonical(name))

    def cost(self, name: str) -> Cost | None:
        """What a pass of a model costs; None before it was loaded."""
        with self._lock:
            return self._costs.get(canonical(name))

    def study(self, key: str, name: str, options: StudyOptions, other: str = "") -> Study:
        """What `transxnet.study` makes of a kept image; cached. Waits for the model. Raises LensError."""
        job = self.explain(key, name, options, other)
        try:
            return job.future.result()
        finally:
            self.leave(job)

    def explain(self, key: str, name: str, options: StudyOptions, other: str = "") -> Job:
        """`study`, without waiting for it: its Job, which whoever asks must `leave`. Waits for the model.

        other: the key of a second image, for the parts that compare two.
        """
        place = (key, name, options, other)
        with self._lock:
            found = self._shelf(options).get(place)
        if found is not None:
            job = Job(watchers=1)
            job.future.set_result(found)
            return job
        images = self.image(key), self.image(other) if other else None
        entry = self.hold(name)
        try:
            self._wait(entry)
            job = self._jobs.join(place, lambda: self._made(place, *images), not LONG.isdisjoint(options.analyses))
        except BaseException:
            self.release(entry)
            raise
        job.future.add_done_callback(lambda _: self.release(entry))  # held until it is computed
        return job

    def leave(self, job: Job) -> None:
        """Nobody here waits for this Job any more; when nobody does anywhere it stops."""
        self._jobs.leave(job)

    def _made(self, place: tuple[str, str, StudyOptions, str], image: SourceImage, other: SourceImage | None) -> Study:
        found = self._study(place, image, other)
        with self._lock:
            self._shelf(place[2]).put(place, found)
        return found

    def _shelf(self, options: StudyOptions) -> Shelf[Study]:
        return self._ablations if "ablation" in options.analyses else self._studies

    def _look(self, place: tuple[str, str, StudyOptions, str], image: SourceImage, other: SourceImage | None) -> Study:
        """Where this runs in a process of its own (spaces.GPU) nobody hears how far it is."""
        _, name, options, _ = place
        return study(self._loaded(name), image, options, other, self._jobs.teller(place))

    def availability(self, name: str) -> Availability:
        """Where the weights of a variant would come from, without asking the network."""
        return available(name, **self._where(name))

    def ready(self, name: str) -> bool:
        """Whether a variant needs no download: it is loaded, or on this disk."""
        entry = self.peek(name)
        return (entry is not None and entry.loaded is not None) or self.availability(name).ready

    def _checked(self, name: str) -> str:
        """The canonical name. Raises UnknownName where there is none, or visitors may not use it."""
        if is_backbone(name):
            self.backbones.check(name)
        return canonical(name)

    def _wait(self, entry: Loading) -> None:
        """Until a model is there. Raises its error; Busy where too many wait for downloads already."""
        if entry.remote and not entry.done.is_set():
            if not self._waiting.acquire(blocking=False):
                raise Busy(message("models.busy", name=entry.name), remedy=message("models.busy_remedy"))
            try:
                entry.done.wait()
            finally:
                self._waiting.release()
        entry.done.wait()
        if entry.error is not None:
            raise entry.error

    def _loaded(self, name: str) -> LoadedModel:
        """A model that is held by whoever asked for what is computed.

        In a process of its own, forked before the model was there, it is loaded once more.
        """
        entry = self.preload(name)
        entry.done.wait()
        if entry.error is not None:
            raise entry.error
        return entry.loaded

    def _where(self, name: str) -> dict[str, Any]:
        """The sources of a model. What a visitor named and the operator did not goes into a folder of its own."""
        own = is_backbone(name) and not self.backbones.lists(name)
        return self._sources | ({"hub_cache": self._downloads.path} if own else {})

    def _is_remote(self, name: str) -> bool:
        return not self.availability(name).ready

    def _size(self, name: str) -> int:
        """Bytes of a model. Raises OutOfRange where it is too large for a page with many visitors; nothing is made."""
        if is_backbone(name) and (parameters := backbone_parameters(spec_of(name)[0])) > MOST_PARAMETERS:
            raise OutOfRange(
                message("models.too_large", name=name.partition("@")[0], millions=f"{parameters / 1e6:.0f}"),
                remedy=message("models.too_large_remedy", millions=MOST_PARAMETERS // 10**6),
            )
        if (size := model_memory(name)) > self._models.max_bytes // MOST_VARIANTS:
            raise OutOfRange(message("models.no_memory", name=name.partition("@")[0]), remedy=message("models.smaller"))
        return size

    def _load(self, entry: Loading) -> None:
        where, repository = self._where(entry.name), getattr(spec_of(entry.name)[0], "hub_id", "")
        admit = self._downloads.watch(repository) if "hub_cache" in where else None

        def progress(done: int, total: int, what: str = "") -> None:
            entry.progress(done, total, what)
            self._models.keep_going(entry)
            if admit is not None:
                admit(done, total)

        loaded = load(entry.name, device=self.device, progress=progress, **where)
        if admit is not None:
            self._downloads.mark_used(repository)
        entry.cost = cost(loaded.model)
        with self._lock:
            self._costs[entry.name] = entry.cost
        entry.loaded = loaded
