"""What the page and the endpoints compute with: models, images and cached studies. No gradio here.

Models are bounded in bytes (models.py); uploaded images have random keys, known to their visitors only; studies are
cached by image, model and options. Nothing else about a visitor is stored.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from cachetools import LRUCache

from transxnet import load
from transxnet.backbones.cost import backbone_parameters
from transxnet.backbones.spec import BackboneSpec, is_backbone, spec_of
from transxnet.cost import Cost, cost
from transxnet.errors import Busy, ImageError, OutOfRange
from transxnet.explain.attribution.methods import MULTI_PASS_METHODS
from transxnet.images import InputSpec, SourceImage, decode
from transxnet.study import Study, StudyOptions, study
from transxnet.variants import UNTRAINED, VARIANTS
from transxnet.weights.download import cache_folder
from transxnet.weights.load import (
    Availability,
    LoadedModel,
    available,
    model_memory,
    resolve_device,
    study_memory,
)
from transxnet.weights.namespace import configured_namespace

from . import download_folder, models
from .backbones import ANY_BACKBONE, Backbones
from .download_folder import DownloadFolder
from .i18n.translate import message
from .jobs import AT_ONCE, Job, Jobs
from .models import Arrival, Loading, Models
from .revisions import Revisions
from .state import MAX_MODELS, canonical_name
from .timing import Timer

__all__ = ["AT_ONCE", "Arrival", "Loading", "StudyService"]

IMAGES, STUDIES = 64, 96  # cached
STUDY_BYTES = 256 * 2**20  # of all studies in a cache; one with large attention tables takes megabytes
PROGRAM_IMAGES = 16  # images of endpoint calls: a separate cache, so that they never evict a visitor's image
MOST_PARAMETERS = 150_000_000  # of a timm backbone: a request may name three
ABLATIONS = 16  # studies of tab Ablation: every brush stroke makes one, which is rarely requested again
LONG_ANALYSES = frozenset({*MULTI_PASS_METHODS, "ablation_table", "sanity_checks"})  # take seconds: they show progress
COSTS = 256  # of models, needed as long as their studies
REQUEST_BYTES = 2 * 10**9  # of one study, estimated
WAITING = 2  # endpoint calls that may wait for downloads concurrently

StudyKey = tuple[str, str, StudyOptions, str]  # image, model, options, reference image


class StudyService:
    """Models, images and studies of one server.

    Args:
        device: As transxnet.load takes it.
        weights_dir: Likewise.
        hub_namespace: Likewise.
        on_gpu: Wraps functions that compute, as spaces.GPU does.
        models: Models that the operator named; the page opens on the first. It and pico are never evicted.
        backbones: Which timm backbones visitors may name.
        model_bytes: Limit for parameters and buffers of all other models.
        download_bytes: Disk space for backbones that visitors request.
        request_bytes: Limit for the memory of a study at another input size than the model's own.
        refresh: Look for newer revisions on the Hub, once for each model that the operator named or configured.

    Attributes:
        revisions: Whether the Hub has newer revisions than the loaded ones.
        namespace: The Hub namespace in use, with its pinned revisions.
        timer: Measures forward passes.
    """

    def __init__(
        self,
        *,
        device: str | None = None,
        weights_dir: str | None = None,
        hub_namespace: str | None = None,
        on_gpu: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda function: function,
        models: Sequence[str] = ("pico",),
        backbones: Backbones = ANY_BACKBONE,
        model_bytes: int = models.MAX_BYTES,
        download_bytes: int = download_folder.MAX_BYTES,
        request_bytes: int = REQUEST_BYTES,
        refresh: bool = False,
    ):
        self.device = resolve_device(device)
        self.namespace = configured_namespace(hub_namespace)
        self.backbones = backbones
        self._sources = {"weights_dir": weights_dir, "hub_namespace": hub_namespace}
        self._downloads = DownloadFolder(cache_folder() / "visitors", download_bytes)
        self.request_bytes = request_bytes
        self.revisions = Revisions()
        self._refresh = refresh
        self._refreshed: set[str] = set()  # names of models: while the page runs, their weights do not change again
        self._lock = threading.Lock()
        self._models = Models(self._load, self._size, self._is_remote, model_bytes, {canonical_name(models[0]), "pico"})
        self._named = tuple(models)
        self._costs: LRUCache[str, Cost] = LRUCache(COSTS)
        self._waiting = threading.BoundedSemaphore(WAITING)
        self._images: LRUCache[str, SourceImage] = LRUCache(IMAGES)
        self._program_images: LRUCache[str, SourceImage] = LRUCache(PROGRAM_IMAGES)
        self._examples: dict[tuple[Path, str], str] = {}  # path and label -> key of the image
        self._studies = study_cache(STUDIES)
        self._ablations = study_cache(ABLATIONS)
        self._uploads: LRUCache[str, SourceImage] = LRUCache(IMAGES)  # by random keys, known to their visitors only
        self._jobs = Jobs()
        self._study = on_gpu(self._study_with_progress)
        self.borrows_gpu = self._study != self._study_with_progress  # for one call at a time
        self.timer = Timer(self._jobs, self._loaded, on_gpu, self._models.hold_all)

    def names(self) -> list[str]:
        """Short names of models: the operator's own, those with available weights, two with random weights."""
        available = [spec.short for spec in VARIANTS.values() if self.availability(spec.short) != Availability.NOWHERE]
        bundled = [name for name in available if self.availability(name).ready]
        rest = [*bundled, *(n for n in available if n not in bundled), f"pico@{UNTRAINED}", f"t@{UNTRAINED}"]
        return [*(name for name in self._named if name not in rest), *rest]

    def add(self, image: SourceImage, visitor: bool = True) -> str:
        """Cache an image and return its key for `image`. visitor: False for an image of an endpoint call."""
        with self._lock:
            (self._images if visitor else self._program_images)[image.sha256] = image
        return image.sha256

    def add_example(self, path: Path, label: str) -> str:
        """`add` for an image file that does not change; it is decoded again only if it was evicted."""
        with self._lock:
            key = self._examples.get((path, label), "")
            if self._images.get(key) is not None:
                return key
        key = self.add(decode(path, name=label))
        with self._lock:
            self._examples[path, label] = key
        return key

    def add_upload(self, image: SourceImage) -> str:
        """Cache a visitor's image and return its random key."""
        key = secrets.token_hex(16)
        with self._lock:
            self._uploads[key] = image
        return key

    def keeps(self, key: str) -> bool:
        """Whether the image of a key is still cached."""
        with self._lock:
            return self._cached_image(key) is not None

    def image(self, key: str) -> SourceImage:
        """The image of a key. Raises ImageError if it was evicted."""
        with self._lock:
            image = self._cached_image(key)
        if image is None:
            raise ImageError(message("errors.image_gone"))
        return image

    def _cached_image(self, key: str) -> SourceImage | None:
        """Needs the lock."""
        return self._uploads.get(key) or self._images.get(key, self._program_images.get(key))

    def check_names(self, names: Iterable[str]) -> list[str]:
        """Canonical names of a request's models without duplicates; loads nothing.

        Raises:
            OutOfRange: More than MAX_MODELS, or a backbone too large for this page.
            UnknownName: There is no such model, or visitors may not use it.
        """
        checked: dict[str, None] = {}
        for name in names:
            checked[self._checked(name)] = None
            if len(checked) > MAX_MODELS:
                raise OutOfRange(message("models.too_many", most=MAX_MODELS), remedy=message("models.too_many_remedy"))
        for name in checked:
            self._size(name)
        return list(checked)

    def _sized(self, name: str, options: StudyOptions) -> StudyOptions:
        """The options at an input size that this model can have. Raises OutOfRange for one that needs too much memory.

        A backbone that is built for one size keeps it, and no size stands for the model's own.
        """
        spec, size = spec_of(name)[0], options.image_size
        if size is None:
            return options
        if size == spec.image_size or (isinstance(spec, BackboneSpec) and spec.fixed_size):
            return replace(options, image_size=None)
        self.check_size(name, size)
        return options

    def check_size(self, name: str, image_size: int) -> None:
        """Refuse an input size that needs more memory than a request may use.

        Raises:
            OutOfRange: It does.
        """
        needed = study_memory(canonical_name(name), image_size)
        if needed > self.request_bytes:
            raise OutOfRange(
                message("image_size.too_large", name=canonical_name(name), side=image_size, needed=_gigabytes(needed)),
                remedy=message("image_size.too_large_remedy", most=_gigabytes(self.request_bytes)),
            )

    def hold(self, name: str) -> Loading:
        """The model; starts loading it if needed. The caller must `release` it."""
        return self._models.hold(self._checked(name))

    def release(self, entry: Loading) -> None:
        """End the use of a model; loading ends if no other caller holds it."""
        self._models.release(entry)

    def preload(self, name: str) -> Loading:
        """The model; starts loading it if needed, whether or not a caller waits."""
        return self._models.preload(canonical_name(name))

    def peek(self, name: str) -> Loading | None:
        """The model if it is loading, loaded or failed; starts nothing."""
        return self._models.peek(canonical_name(name))

    def forget_failure(self, name: str) -> None:
        """Let the next request load a model again that failed before."""
        self._models.forget_failure(canonical_name(name))

    def cost(self, name: str) -> Cost | None:
        """Parameters and MACs of a model; None before it was loaded."""
        with self._lock:
            return self._costs.get(canonical_name(name))

    def study(self, key: str, name: str, options: StudyOptions, reference: str = "") -> Study:
        """`transxnet.study` of a cached image; the result is cached. Waits for the model. Raises LensError."""
        job = self.explain(key, name, options, reference)
        try:
            return job.future.result()
        finally:
            self.leave(job)

    def study_frame(self, image: SourceImage, name: str, options: StudyOptions) -> Study:
        """`study` of an image that is not cached, such as a frame of a sequence; nor is the study."""
        options = self._sized(name, options)
        key = (image.sha256, name, options, "")
        entry = self.hold(name)
        try:
            self._wait(entry)
            job = self._jobs.join(key, lambda: self._study(key, image, None))
            try:
                return job.future.result()
            finally:
                self.leave(job)
        finally:
            self.release(entry)

    def spec_at(self, name: str, options: StudyOptions) -> InputSpec:
        """What a model's input is prepared by, at the input size of the options."""
        spec, size = spec_of(name)[0], self._sized(name, options).image_size
        return replace(spec, image_size=size) if size else spec

    def explain(self, key: str, name: str, options: StudyOptions, reference: str = "") -> Job:
        """Start a study; waits for the model, not for the study.

        Args:
            key: Of the image.
            name: Of the model.
            options: Of the study.
            reference: Key of the reference image, for analyses that compare two.

        Returns:
            The Job, which the caller must `leave`.
        """
        options = self._sized(name, options)
        study_key = (key, name, options, reference)
        with self._lock:
            cached_study = self._cache(options).get(study_key)
        if cached_study is not None:
            job = Job(watchers=1)
            job.future.set_result(cached_study)
            return job
        images = self.image(key), self.image(reference) if reference else None
        entry = self.hold(name)
        try:
            self._wait(entry)
            long = not LONG_ANALYSES.isdisjoint(options.analyses)
            job = self._jobs.join(study_key, lambda: self._compute(study_key, *images), long)
        except BaseException:
            self.release(entry)
            raise
        job.future.add_done_callback(lambda _: self.release(entry))  # the model is held until then
        return job

    def is_cached(self, key: str, name: str, options: StudyOptions, reference: str = "") -> bool:
        """Whether `study` returns at once."""
        options = self._sized(name, options)
        with self._lock:
            return (key, name, options, reference) in self._cache(options)

    def leave(self, job: Job) -> None:
        """Stop waiting for a Job; it is abandoned when no caller is left."""
        self._jobs.leave(job)

    def _compute(self, key: StudyKey, image: SourceImage, reference: SourceImage | None) -> Study:
        computed = self._study(key, image, reference)
        with self._lock, suppress(ValueError):  # larger than the whole cache
            self._cache(key[2])[key] = computed
        return computed

    def _cache(self, options: StudyOptions) -> LRUCache[Hashable, Study]:
        return self._ablations if "ablation" in options.analyses else self._studies

    def _study_with_progress(self, key: StudyKey, image: SourceImage, reference: SourceImage | None) -> Study:
        """Under spaces.GPU this runs in another process, whose progress is not reported."""
        _, name, options, _ = key
        return study(self._loaded(name), image, options, reference, self._jobs.progress_of(key))

    def availability(self, name: str) -> Availability:
        """Where the weights of a model would come from; sends no request."""
        return available(name, **self._where(name))

    def ready(self, name: str) -> bool:
        """Whether a model needs no download: it is loaded, or its weights are on this disk."""
        entry = self.peek(name)
        return (entry is not None and entry.loaded is not None) or self.availability(name).ready

    def _checked(self, name: str) -> str:
        """The canonical name. Raises UnknownName if there is no such model, or visitors may not use it."""
        if is_backbone(name):
            self.backbones.check(name)
        return canonical_name(name)

    def _wait(self, entry: Loading) -> None:
        """Wait for a model. Raises its error, or Busy if too many requests wait for downloads."""
        if entry.remote and not entry.finished.is_set():
            if not self._waiting.acquire(blocking=False):
                raise Busy(message("models.busy", name=entry.name), remedy=message("models.busy_remedy"))
            try:
                entry.finished.wait()
            finally:
                self._waiting.release()
        entry.wait()

    def _loaded(self, name: str) -> LoadedModel:
        """The model, which the request holds.

        In a process forked before the model was loaded (spaces.GPU), it is loaded again.
        """
        entry = self.preload(name)
        entry.wait()
        return entry.loaded

    def _where(self, name: str) -> dict[str, Any]:
        """Sources of a model. Backbones that the operator did not list are downloaded to a separate folder."""
        return self._sources | ({"hub_cache": self._downloads.path} if self._is_unlisted(name) else {})

    def _is_remote(self, name: str) -> bool:
        availability = self.availability(name)
        return not availability.ready or (availability is Availability.HUB_CACHE and self._refreshes(name))

    def _refreshes(self, name: str) -> bool:
        """Whether loading looks for a newer revision; not for backbones that only visitors name."""
        return self._refresh and name not in self._refreshed and not self._is_unlisted(name)

    def _is_unlisted(self, name: str) -> bool:
        """Whether it is a backbone that only visitors name."""
        return is_backbone(name) and not self.backbones.lists(name)

    def _size(self, name: str) -> int:
        """Bytes of a model, computed without building it. Raises OutOfRange if it is too large for this page."""
        if is_backbone(name) and (parameters := backbone_parameters(spec_of(name)[0])) > MOST_PARAMETERS:
            raise OutOfRange(
                message("models.too_large", name=name.partition("@")[0], millions=f"{parameters / 1e6:.0f}"),
                remedy=message("models.too_large_remedy", millions=MOST_PARAMETERS // 10**6),
            )
        if (size := model_memory(name)) > self._models.max_bytes // MAX_MODELS:
            raise OutOfRange(message("models.no_memory", name=name.partition("@")[0]), remedy=message("models.smaller"))
        return size

    def _load(self, entry: Loading) -> None:
        where, repository = self._where(entry.name), getattr(spec_of(entry.name)[0], "hub_id", "")
        admit = self._downloads.watch(repository) if "hub_cache" in where else None

        def progress(received: int, total: int, what: str = "") -> None:
            entry.progress(received, total, what)
            self._models.keep_going(entry)
            if admit is not None:
                admit(received, total)

        refresh = self._refreshes(entry.name)
        loaded = load(entry.name, device=self.device, progress=progress, refresh=refresh, **where)
        self._refreshed.add(entry.name)
        self.revisions.has_newer(loaded.provenance)  # so that it is known early
        if admit is not None:
            self._downloads.mark_used(repository)
        entry.cost = cost(loaded.model)
        with self._lock:
            self._costs[entry.name] = entry.cost
        entry.loaded = loaded


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f}"


# ---- cache of studies ---------------------------------------------------------------------------------------------


def study_cache(max_studies: int) -> LRUCache[Hashable, Study]:
    """An empty cache of at most `max_studies` studies, fewer where they are large."""
    smallest = STUDY_BYTES / max_studies
    return LRUCache(STUDY_BYTES, getsizeof=lambda study: max(smallest, array_bytes(study)))


def array_bytes(value: object) -> int:
    """Bytes of the arrays in dataclasses, mappings, tuples and lists; an array that occurs twice counts once.

    A view of an array counts as the whole array, which it keeps in memory.
    """
    return sum(array.nbytes for array in _arrays(value, {}).values())


def _arrays(value: object, arrays: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """arrays: By id; added to. An id stays that of its array, because the array is kept here."""
    if isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):
            value = value.base
        arrays[id(value)] = value
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            _arrays(getattr(value, field.name), arrays)
    elif isinstance(value, Mapping):
        for item in value.values():
            _arrays(item, arrays)
    elif isinstance(value, (tuple, list)):
        for item in value:
            _arrays(item, arrays)
    return arrays
