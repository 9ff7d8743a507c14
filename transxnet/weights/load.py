"""Load a model with its weights, and a Provenance that says which weights are in use.

    loaded = transxnet.load("t")                          # the sources in order, the first that delivers
    loaded = transxnet.load("t", "hf-hub:namespace/name") # this source or an error, never other weights instead
    loaded = transxnet.load("birds", "birds.pth.tar")     # a TransXNet of your own, described by its file
    loaded = transxnet.load("t@untrained")                # random weights, only by this name
    loaded = transxnet.load("timm:resnet50")              # a timm backbone with timm's weights

Sources in order: a folder (`weights_dir` or TRANSXNET_WEIGHTS), a Hub namespace (`hub_namespace` or
TRANSXNET_HUB_NAMESPACE), the bundled weights, the authors' releases. If all fail, or one delivers a file that is not
the published one, NoWeights lists every attempt with its cause and remedy. sources.py contains the sources,
checkpoint.py reads files, own_models.py describes a model of the user's own, download.py uses the network. A timm
backbone (backbones/) comes from the folder or from timm's repository on the Hub.

    transxnet.register("birds", "birds.pth.tar", class_names="birds.txt")   # then "birds" can be named anywhere
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import torch

from ..backbones.cost import backbone_gradient_memory, backbone_memory
from ..backbones.module import Backbone, backbone_from, untrained_backbone
from ..backbones.spec import BackboneSpec, is_backbone, spec_of
from ..cost import weight_memory
from ..errors import DeviceError, DigestMismatch, LensError, NoWeights, WeightsError, check_index
from ..messages import Message
from ..model import TransXNet
from ..registry import RegisteredModel, add_model, check_model_name, find_model
from ..variants import UNTRAINED, VariantSpec
from . import backbone_sources, sources
from .checkpoint import UNTRAINED_SEED, model_from, open_checkpoint, state_digest, untrained_model
from .description import MAX_SIZE, MIN_SIZE
from .devices import is_out_of_memory, resolve_device
from .download import Report, cached_repository
from .namespace import HUB_PREFIX, Namespace, configured_namespace
from .own_models import WITHOUT_CLASSIFIER, OwnModel, OwnName, builtin_variant, own_model
from .revisions import newest_commit
from .sources import Provenance, RefreshFailed, SourceOptions, SourceUnavailable, WeightsFile

Model = TransXNet | Backbone
Spec = VariantSpec | BackboneSpec
ClassNames = str | os.PathLike[str] | Sequence[str] | None
_IMAGES_AT_ONCE = 2  # of study_memory
_OF_CHANNEL, _OF_HIDDEN, _OF_ATTENTION = 17, 5.4, 1.1  # values of a unit, of _stage_values

__all__ = [
    "Availability", "LoadedModel", "Provenance", "available", "load", "model_memory", "register", "resolve_device",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model in eval mode, float32, parameters without gradients, on `device`.

    Attributes:
        model: The module, shared by all threads.
        spec: Its variant or backbone.
        provenance: Which weights are in use.
        device: Where the parameters are.
        lock: Held by methods that change the shared module temporarily, such as captum's hooks. A Trace needs none.
    """

    model: Model
    spec: Spec
    provenance: Provenance
    device: torch.device
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def untrained(self) -> bool:
        """Whether the weights are random."""
        return self.provenance.kind == UNTRAINED

    def at_size(self, image_size: int | None) -> LoadedModel:
        """The same model for images of another size; its weights are shared.

        Args:
            image_size: Side of the model input in pixels; None is the model's own.

        Returns:
            A model whose spec has this size and whose provenance mentions it; this one if it is its own size.

        Raises:
            OutOfRange: The size is out of range.
            LensError: A backbone that is built for images of one size.
        """
        if image_size in (None, self.spec.image_size):
            return self
        spec = replace(self.spec, image_size=_check_image_size(image_size))
        if isinstance(spec, BackboneSpec) and spec.fixed_size:
            raise LensError(
                "{name} takes images of {size} px only.", remedy="Load it for another size: --image-size.",
                name=spec.name, size=self.spec.image_size,
            )  # fmt: skip
        note = _size_note(spec, self.spec.image_size)
        return replace(self, spec=spec, provenance=self.provenance.with_note(note))

    @property
    def name(self) -> str:
        """The name as users type it: "pico", "t@untrained"."""
        return f"{self.spec.short}@{UNTRAINED}" if self.untrained else self.spec.short


class Availability(StrEnum):
    """Where `load` would find weights, as far as this disk can tell. The text may be shown."""

    UNTRAINED = "random weights"
    OWN = "your own"
    FOLDER = "in the weights folder"
    HUB_CACHE = "downloaded from the Hub"
    BUNDLED = "bundled"
    RELEASE_CACHE = "downloaded from the authors' release"
    HUB = "needs a download from the Hub"
    RELEASE = "needs a download from the authors' release"
    NOWHERE = "unavailable"

    @property
    def ready(self) -> bool:
        """Whether loading needs no network."""
        return self not in (Availability.HUB, Availability.RELEASE, Availability.NOWHERE)


def load(
    name: str,
    source: str | os.PathLike[str] | None = None,
    device: str | torch.device | None = None,
    *,
    weights_dir: str | os.PathLike[str] | None = None,
    hub_namespace: str | None = None,
    image_size: int | None = None,
    progress: Report | None = None,
    allow_download: bool = True,
    hub_cache: str | os.PathLike[str] | None = None,
    refresh: bool = False,
    class_names: ClassNames = None,
    activation: str = "",
    ema: bool = False,
) -> LoadedModel:
    """Load a variant or backbone with its weights, or a model of the user's own. Every call creates another model.

    Args:
        name: "t", "transxnet_b_384", "pico@untrained", "timm:resnet50", … (backbones.spec.spec_of), a registered name,
            or with a source any name: a variant's name means that the source must have its architecture.
        source: A checkpoint file, a folder, "local-dir:FOLDER", or "hf-hub:NAMESPACE/NAME[@REVISION]"; no other source
            is tried. Architecture, classes, input size and preprocessing of a TransXNet are read from it
            (own_models.py).
        device: "cuda", "cuda:1", "mps", "xpu", "npu" or "cpu". None uses the first available of CUDA, MPS and CPU.
        weights_dir: Folder of weights; None uses TRANSXNET_WEIGHTS.
        hub_namespace: NAMESPACE with pinned revisions as in namespace.py ("ns@v1", "ns@t=COMMIT,s=COMMIT"); None uses
            TRANSXNET_HUB_NAMESPACE.
        image_size: Side of the model input in pixels; None uses the spec's. TransXNets and convolutional backbones
            accept any; timm builds Swin, ViT and similar backbones for this size and resizes their positions.
        progress: Called with (bytes done, bytes in total or 0, what) while downloading; None draws a bar on a terminal.
            It may raise DownloadStopped or a LensError to stop the download, which `load` then raises.
        allow_download: False uses only what is on this disk.
        hub_cache: Folder for downloads from the Hub in place of its client's cache, which is still read first.
        refresh: Look for a newer revision of a Hub repository that no revision is pinned for, and download it. Without,
            a downloaded revision stays in use, and no request is sent.
        class_names: Names of the classes of `source`, a file of them (.txt, .json, .csv), or the name of a label set;
            None takes those that the source mentions.
        activation: Of `source`: "softmax" or "sigmoid"; '' for sigmoid with one logit, else softmax.
        ema: Of `source`: use the moving average of the weights.

    Returns:
        The model in eval mode, float32, without gradients, on the device.

    Raises:
        UnknownName: No such variant or backbone.
        DeviceError: No such device, or too little memory.
        NoWeights: No source delivered the weights.
        SourceFailed: `hub_namespace` has another form, or the weights folder holds no weights.
        InvalidValue: Unusable class names.
        LensError: A backbone that cannot be explained, or not at this size.

    Example:
        >>> loaded = load("pico", device="cpu")
        >>> loaded.provenance.kind
        'bundled'
    """
    target = resolve_device(device)
    registered = None if source is not None else find_model(name)
    if registered is not None:
        name, source, class_names = registered.name, registered.source, registered.class_names
        activation, ema = registered.activation, registered.ema
    size = None if image_size is None else _check_image_size(image_size)
    report = progress or _terminal_bar()
    options = _source_options(weights_dir, hub_namespace, report, allow_download, hub_cache, refresh)
    if source is not None and not is_backbone(name):
        own = read_own_model(name, source, class_names, activation, ema, options)
        return LoadedModel(_on_device(own.model, target), own.spec, own.provenance, target).at_size(size)
    spec, untrained = spec_of(name)
    own_size = spec.image_size
    spec = spec if size is None else replace(spec, image_size=size)
    if untrained:
        if source is not None:
            builtin_variant(name)  # raises
        model, provenance = _untrained(spec)
    else:
        if options.weights_dir is not None:
            sources.check_weights_dir(options.weights_dir)
        with _locks.setdefault(spec.name, threading.RLock()):  # a second caller finds the first one's download
            model, provenance = _load_first_available(spec, source, options)
    if isinstance(spec, BackboneSpec) and not spec.num_classes:
        provenance = provenance.with_note(WITHOUT_CLASSIFIER)
    loaded = LoadedModel(_on_device(model, target), model.spec, provenance, target)
    return loaded if size is None else replace(loaded, provenance=provenance.with_note(_size_note(spec, own_size)))


def register(
    name: str,
    source: str | os.PathLike[str],
    *,
    class_names: ClassNames = None,
    activation: str = "",
    ema: bool = False,
    refresh: bool = False,
    progress: Report | None = None,
) -> VariantSpec | BackboneSpec:
    """Give a model of the user's own a name that `load`, the command line and the page know in this process.

    The source is read, and downloaded if it is on the Hub. Arguments are those of `load`. A model that was registered
    under the same name is replaced.

    Returns:
        What was read: architecture, classes, input size and preprocessing.

    Raises:
        UnknownName: The text cannot be a name.
        LensError: As `load` does.

    Example:
        >>> register("birds", "birds.pth.tar", class_names="birds.txt")  # doctest: +SKIP
    """
    source = os.fspath(source)
    if is_backbone(name):
        spec = spec_of(name)[0]
    else:
        name = check_model_name(name)
        options = _source_options("", "", progress or _terminal_bar(), True, None, refresh)
        spec = read_own_model(name, source, class_names, activation, ema, options).spec
    names = tuple(class_names) if isinstance(class_names, (list, tuple)) else class_names and os.fspath(class_names)
    add_model(RegisteredModel(name, source, spec, names, activation, ema))
    return spec


def read_own_model(
    name: str, source: str | os.PathLike[str], class_names: ClassNames = None, activation: str = "", ema: bool = False,
    options: SourceOptions | None = None,
) -> OwnModel:  # fmt: skip
    """Read and describe a TransXNet from a source that the user named; arguments as of `load`.

    Raises:
        NoWeights: The source cannot be read, or has no TransXNet.
        InvalidValue: Unusable class names or preprocessing.
    """
    spec = builtin_variant(name) or OwnName(name)
    options = options or _source_options("", "", _terminal_bar(), True, None)
    with _locks.setdefault(spec.name, threading.RLock()):
        try:
            file = sources.from_user_source(spec, source, options)
            checkpoint = open_checkpoint(file.path, ema)
            file = replace(file, provenance=sources.check_digest(file, checkpoint.sha256))
            return own_model(name, file, checkpoint, class_names, activation)
        except WeightsError as error:
            raise _no_weights(spec, [(sources.source_label(source), error)], named=True) from error


def available(
    name: str,
    *,
    weights_dir: str | os.PathLike[str] | None = None,
    hub_namespace: str | None = None,
    hub_cache: str | os.PathLike[str] | None = None,
) -> Availability:
    """Where `load` would find this variant or backbone first; uses no network and reads no weights.

    Args:
        name: As `load` takes it.
        weights_dir: As `load` takes it.
        hub_namespace: As `load` takes it.
        hub_cache: As `load` takes it.

    Returns:
        The source. An existing file may still be damaged.

    Raises:
        UnknownName: No such variant or backbone.
    """
    spec, untrained = spec_of(name)
    if untrained:
        return Availability.UNTRAINED
    if find_model(name) is not None:
        return Availability.OWN
    options = _source_options(weights_dir, hub_namespace, _no_report, allow_download=False, hub_cache=hub_cache)
    if isinstance(spec, BackboneSpec):
        return _backbone_available(spec, options)
    if _delivers(sources.from_weights_dir, spec, options):
        return Availability.FOLDER
    if options.hub and _in_hub_cache(spec, options.hub):
        return Availability.HUB_CACHE
    if _delivers(sources.from_bundle, spec, options):
        return Availability.BUNDLED
    if _delivers(sources.from_release, spec, options):
        return Availability.RELEASE_CACHE
    if options.hub:
        return Availability.HUB
    return Availability.RELEASE if spec.official_file else Availability.NOWHERE


def newer_revision(
    name: str, *, weights_dir: str | os.PathLike[str] | None = None, hub_namespace: str | None = None
) -> str:
    """Ask the Hub for a newer revision of a model than the downloaded one; downloads nothing.

    Args:
        name: As `load` takes it.
        weights_dir: As `load` takes it.
        hub_namespace: As `load` takes it.

    Returns:
        The newest commit; '' if it is on this disk, or if the model is not from the Hub or has a pinned revision.

    Raises:
        UnknownName: No such variant or backbone.
        SourceFailed: The Hub did not answer.
    """
    spec, registered = spec_of(name)[0], find_model(name)
    source, hub = "", configured_namespace(hub_namespace)
    if registered is not None:
        source = registered.source if registered.source.startswith(HUB_PREFIX) else ""
    elif available(name, weights_dir=weights_dir, hub_namespace=hub_namespace) == Availability.HUB_CACHE:
        source = spec.hub_id if isinstance(spec, BackboneSpec) else hub.source(spec)
    repository, _, revision = source.removeprefix(HUB_PREFIX).partition("@")
    cached = cached_repository(repository, None) if repository and not revision else None
    newest = newest_commit(repository) if cached else ""
    return newest if cached and newest != cached.commit else ""


def model_memory(name: str) -> int:
    """Bytes of the parameters and buffers of a variant or backbone, from shapes alone."""
    spec, _ = spec_of(name)
    return backbone_memory(spec) if isinstance(spec, BackboneSpec) else _variant_memory(spec)


@lru_cache(maxsize=256)
def study_memory(name: str, image_size: int) -> int:
    """Estimate the memory of explaining one image at a size, from shapes alone.

    Multi-pass methods differentiate at least two images at once, whose graphs hold most of the memory.

    Args:
        name: Of a variant, a registered model or a backbone.
        image_size: Side of the model input in pixels.

    Returns:
        Bytes, without the weights.

    Raises:
        UnknownName: No such variant or backbone.
    """
    spec, _ = spec_of(name)
    if isinstance(spec, BackboneSpec):
        return _IMAGES_AT_ONCE * backbone_gradient_memory(spec, image_size)
    return _IMAGES_AT_ONCE * sum(_stage_values(spec, stage, image_size) for stage in range(len(spec.depths))) * 4


def _stage_values(spec: VariantSpec, stage: int, image_size: int) -> int:
    """About how many values the graph of a stage holds; fitted to cost.gradient_memory, within 15% for all variants."""
    units, keys = (
        (-(-image_size // stride)) ** 2 for stride in (spec.strides[stage], spec.strides[stage] * spec.sr_ratios[stage])
    )
    per_unit = spec.dims[stage] * (_OF_CHANNEL + _OF_HIDDEN * spec.mlp_ratios[stage])
    per_unit += _OF_ATTENTION * spec.heads[stage] * keys if spec.osra else 0
    return round(spec.depths[stage] * units * per_unit)


@lru_cache(maxsize=32)
def _variant_memory(spec: VariantSpec) -> int:
    with torch.device("meta"):
        return weight_memory(TransXNet(spec))


def _load_first_available(
    spec: Spec, source: str | os.PathLike[str] | None, options: SourceOptions
) -> tuple[Model, Provenance]:
    """The model from the first source that delivers; failures of others are noted in the provenance."""
    module = backbone_sources if isinstance(spec, BackboneSpec) else sources
    chain = module.SOURCES
    if source is not None:  # weights from another source would be misleading
        chain = ((sources.source_label(source), lambda spec, options: module.from_user_source(spec, source, options)),)
    failures: list[tuple[str, WeightsError]] = []
    for label, get_file in chain:
        try:
            model, provenance = _read_model(spec, get_file(spec, options))
        except WeightsError as error:
            failures.append((label, error))
            if isinstance(error, (DigestMismatch, RefreshFailed)):  # the user has to look at it
                break
            continue
        skipped = [f"{label}: {error.what}" for label, error in failures if not isinstance(error, SourceUnavailable)]
        note = Message("Used because of failures of other sources: {failures}", failures="; ".join(skipped))
        return model, provenance.with_note(note if skipped else "")
    raise _no_weights(spec, failures, named=source is not None)


def _read_model(spec: Spec, file: WeightsFile) -> tuple[Model, Provenance]:
    is_backbone_spec = isinstance(spec, BackboneSpec)
    build = backbone_from if is_backbone_spec else model_from
    try:
        sources.check_config(backbone_sources.with_timm_name(spec) if is_backbone_spec else spec, file)
        checkpoint = open_checkpoint(file.path)
        provenance = sources.check_digest(file, checkpoint.sha256).with_note(checkpoint.note)
        return build(spec, checkpoint.state, provenance.location), provenance
    except WeightsError:
        if file.provenance.kind == "release":  # our own download: otherwise it would be used again
            file.path.unlink(missing_ok=True)
        raise


def _no_weights(spec: Spec | OwnName, failures: list[tuple[str, WeightsError]], named: bool) -> NoWeights:
    why = Message("only the given source was tried." if named else "every source failed.")
    if not named and isinstance(failures[-1][1], DigestMismatch):
        why = Message("a file is not the published one, and no other source was tried.")
    if not named and isinstance(failures[-1][1], RefreshFailed):
        why = Message("the newest revision could not be looked up, and no other source was tried.")
    error = NoWeights(
        Message("No weights for {name}: {why}", name=spec.name, why=why),
        tuple((label, error.what, error.remedy) for label, error in failures),
        remedy=""
        if isinstance(spec, OwnName)
        else Message("Use {name} for random weights.", name=f"{spec.short}@{UNTRAINED}"),
        detail="; ".join(error.detail for _, error in failures if error.detail),
    )
    error.__cause__ = next((e for _, e in reversed(failures) if not isinstance(e, SourceUnavailable)), failures[-1][1])
    return error


def _untrained(spec: Spec) -> tuple[Model, Provenance]:
    is_backbone = isinstance(spec, BackboneSpec)
    model = untrained_backbone(spec) if is_backbone else untrained_model(spec)
    template = "Random weights, not trained (seed {seed})."
    if is_backbone:
        template += " timm's initialization may set residual branches to zero: then the shortcuts dominate all maps."
    note = Message(template, seed=UNTRAINED_SEED)
    return model, Provenance(UNTRAINED, "random weights", state_digest(model.state_dict()), note=note)


def _check_image_size(image_size: int) -> int:
    return check_index(image_size, MIN_SIZE, MAX_SIZE, "The image size {size} px is out of range.", size=image_size)


def _size_note(spec: Spec, own_size: int) -> str:
    """A note about another image size than the model's own."""
    if own_size == spec.image_size:
        return ""
    template = "Images of {size} px instead of the model's own {original} px."
    if isinstance(spec, BackboneSpec) and spec.fixed_size:
        template = "Built for images of {size} px instead of {original} px."
    return Message(template, size=spec.image_size, original=own_size)


def _on_device(model: Model, device: torch.device) -> Model:
    model.eval().requires_grad_(False)
    try:
        return model.to(device)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceError(
            "The weights of {name} do not fit into the memory of {device}.",
            remedy="Close other programs that use it, or pass --device cpu.", name=model.spec.name, device=device,
        ) from error  # fmt: skip


def _source_options(
    weights_dir: str | os.PathLike[str] | None, hub_namespace: str | None, report: Report, allow_download: bool,
    hub_cache: str | os.PathLike[str] | None, refresh: bool = False,
) -> SourceOptions:  # fmt: skip
    """The arguments of `load`, with the environment's values for None."""
    cache = None if hub_cache is None else Path(hub_cache).expanduser()
    namespace = configured_namespace(hub_namespace)
    return SourceOptions(_weights_dir(weights_dir), namespace, report, allow_download, cache, refresh)


def check_weights_dir(weights_dir: str | os.PathLike[str] | None = None) -> None:
    """Refuse a weights folder, that of `load`'s argument or of TRANSXNET_WEIGHTS, without anything usable.

    Raises:
        SourceFailed: It does not exist, or holds no weights under a known name.
    """
    path = _weights_dir(weights_dir)
    if path is not None:
        sources.check_weights_dir(path)


def _weights_dir(weights_dir: str | os.PathLike[str] | None) -> Path | None:
    folder = os.environ.get("TRANSXNET_WEIGHTS", "") if weights_dir is None else os.fspath(weights_dir)
    return Path(folder).expanduser() if folder.strip() else None


def _delivers(get_file: sources.Source, spec: Spec, options: SourceOptions) -> bool:
    try:
        return bool(get_file(spec, options))
    except WeightsError:
        return False


def _backbone_available(spec: BackboneSpec, options: SourceOptions) -> Availability:
    if _delivers(backbone_sources.from_weights_dir, spec, options):
        return Availability.FOLDER
    if backbone_sources.is_cached(spec, options):
        return Availability.HUB_CACHE
    return Availability.HUB if spec.hub_id else Availability.NOWHERE


def _in_hub_cache(spec: VariantSpec, hub: Namespace) -> bool:
    try:
        return cached_repository(hub.repository(spec), hub.revision_of(spec)) is not None
    except WeightsError:
        return False


def _no_report(received: int, total: int, what: str) -> None:
    pass


def _terminal_bar() -> Report:
    """Draw a tqdm bar per file if standard error is a terminal."""
    if not sys.stderr.isatty():
        return _no_report
    from tqdm import tqdm

    bars: dict[str, tqdm] = {}

    def report(received: int, total: int, what: str) -> None:
        bar = bars.get(what) or bars.setdefault(what, tqdm(total=total, desc=what, unit="B", unit_scale=True))
        bar.update(received - bar.n)
        if total and received >= total:
            bar.close()

    return report


_locks: dict[str, threading.RLock] = {}  # by the spec's name
