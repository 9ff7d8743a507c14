"""Where weights come from: `load` gives a model, and with it a Provenance that says what is in use.

    loaded = transxnet.load("t")                          # the sources in order, the first that delivers
    loaded = transxnet.load("t", "hf-hub:namespace/name") # this source or an error: never other weights instead
    loaded = transxnet.load("t@untrained")                # random weights, only when asked for by this name
    loaded = transxnet.load("timm:resnet50")              # a backbone: timm's weights for one of its backbones

Sources in order: a folder (`weights_dir` or TRANSXNET_WEIGHTS), a Hub namespace (`hub_namespace` or
TRANSXNET_HUB_NAMESPACE), the bundled ones, the author's releases. If all fail, or one delivers a file that is
not what was published, NoWeights lists every attempt, its cause and its remedy. The places themselves are in
sources.py, reading in checkpoint.py, the network in download.py. A backbone (backbones/) comes from the folder or
from timm's
own repository on the Hub.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import torch

from ..backbones.cost import backbone_memory
from ..backbones.module import Backbone, backbone_from, untrained_backbone
from ..backbones.spec import PREFIX, BackboneSpec, find_backbone, is_backbone, parse_backbone
from ..cost import weight_memory
from ..errors import DeviceError, DigestMismatch, NoWeights, OutOfRange, UnknownName, WeightsError, quote
from ..model import TransXNet
from ..variants import UNTRAINED, VariantSpec, parse_variant
from . import backbone_sources as backbone_sources
from . import sources
from .checkpoint import UNTRAINED_SEED, model_from, open_checkpoint, state_digest, untrained_model
from .download import Report, cached_repository
from .namespace import Namespace, configured_namespace
from .sources import Provenance, SourceOptions, SourceUnavailable, WeightsFile

Model = TransXNet | Backbone
Spec = VariantSpec | BackboneSpec
MAX_SIDE = 2048  # images are not larger than that (images.py)

__all__ = ["Availability", "LoadedModel", "Provenance", "available", "load", "model_memory", "resolve_device"]


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model ready to look at images: eval mode, float32, parameters without gradients, on `device`.

    lock: for work that changes the shared module for a while, such as captum's hooks. A Trace needs none.
    """

    model: Model
    spec: Spec
    provenance: Provenance
    device: torch.device
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def untrained(self) -> bool:
        return self.provenance.kind == UNTRAINED

    @property
    def name(self) -> str:
        """The name people type: "pico", "t@untrained"."""
        return f"{self.spec.short}@{UNTRAINED}" if self.untrained else self.spec.short


class Availability(StrEnum):
    """Where a variant's weights would come from, as far as this disk can tell. The text may be shown."""

    UNTRAINED = "random weights, made on the spot"
    FOLDER = "in the weights folder"
    HUB_CACHE = "downloaded from the Hub before"
    BUNDLED = "bundled"
    RELEASE_CACHE = "downloaded from the author's release before"
    HUB = "to be downloaded from the Hub"
    RELEASE = "to be downloaded from the author's release"
    NOWHERE = "no source has it"

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
) -> LoadedModel:
    """A variant or backbone with its weights. Every call makes a model of its own; keep it, or ask Studio for a
    shared one.

    name: "t", "transxnet_b_384", "pico@untrained", "timm:resnet50", … (backbones.spec.spec_of).
    source: a checkpoint file, a folder, or "hf-hub:NAMESPACE/NAME[@REVISION]". It is tried alone.
    device: "cuda", "cuda:1", "mps", "cpu"; None takes the first of CUDA, MPS and CPU that is there.
    hub_namespace: NAMESPACE, with revisions pinned as namespace.py describes: "ns@v1", "ns@t=COMMIT,s=COMMIT".
    image_size: side in pixels of the images to be looked at, where it is not to be the spec's own. TransXNets and
        convolutional backbones take any; of Swin, ViT and their like timm builds one of that size, with positions
        resized.
    progress: called with (bytes done, bytes in all or 0, what) while downloading; None draws a bar on a terminal. It
        may raise DownloadStopped or a LensError to end the download, which `load` then raises.
    allow_download: False uses only what is on this disk.
    hub_cache: folder that downloads from the Hub go to, in place of its client's own cache, which is still read first.

    Raises UnknownName, DeviceError, NoWeights; SourceFailed where `hub_namespace` cannot be read; LensError for a
    backbone that cannot be looked at, or not at this size.
    """
    spec, untrained = _parse(name)
    spec = spec if image_size is None else replace(spec, image_size=_checked(image_size))
    target = resolve_device(device)
    if untrained:
        if source is not None:
            raise UnknownName(f"{name} takes no source: its weights are random.", remedy=f"Name {spec.short} alone.")
        model, provenance = _untrained(spec)
    else:
        settings = _settings(weights_dir, hub_namespace, progress or _terminal_bar(), allow_download, hub_cache)
        with _locks.setdefault(
            spec.name, threading.RLock()
        ):  # a second caller finds the first one's download in the cache
            model, provenance = _first_that_delivers(spec, source, settings)
    return LoadedModel(_on_device(model, target), model.spec, provenance.noting(_resized(spec)), target)


def available(
    name: str,
    *,
    weights_dir: str | os.PathLike[str] | None = None,
    hub_namespace: str | None = None,
    hub_cache: str | os.PathLike[str] | None = None,
) -> Availability:
    """Where `load` would find this variant or backbone first, without network and without reading the weights.

    A promise about presence only: a file that is there may still turn out damaged.
    """
    spec, untrained = _parse(name)
    if untrained:
        return Availability.UNTRAINED
    settings = _settings(weights_dir, hub_namespace, _silent, allow_download=False, hub_cache=hub_cache)
    if isinstance(spec, BackboneSpec):
        return _backbone_available(spec, settings)
    if _delivers(sources.folder, spec, settings):
        return Availability.FOLDER
    if settings.hub and _in_hub_cache(spec, settings.hub):
        return Availability.HUB_CACHE
    if _delivers(sources.bundled, spec, settings):
        return Availability.BUNDLED
    if _delivers(sources.release, spec, settings):
        return Availability.RELEASE_CACHE
    if settings.hub:
        return Availability.HUB
    return Availability.RELEASE if spec.official_file else Availability.NOWHERE


def model_memory(name: str) -> int:
    """Bytes of the parameters and buffers of a variant or backbone, from shapes alone: no weight is read or drawn."""
    spec, _ = _parse(name)
    return backbone_memory(spec) if isinstance(spec, BackboneSpec) else _variant_memory(spec)


@lru_cache(maxsize=32)
def _variant_memory(spec: VariantSpec) -> int:
    with torch.device("meta"):
        return weight_memory(TransXNet(spec))


def resolve_device(device: str | torch.device | None = None) -> torch.device:
    """The device of that name, or the best there is: CUDA, then MPS, then CPU. Raises DeviceError."""
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device is None or str(device).strip().lower() in ("", "auto"):
        return torch.device(next(kind for kind, there in here.items() if there))
    try:
        found = torch.device(str(device).strip().lower())
    except RuntimeError as error:
        raise DeviceError(f"{quote(str(device))} is no device.", remedy=_devices(here)) from error
    if not here.get(found.type) or (found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count()):
        raise DeviceError(f"This machine has no device {str(found)!r}.", remedy=_devices(here))
    return found


def _parse(name: str) -> tuple[Spec, bool]:
    return parse_backbone(name) if is_backbone(name) else parse_variant(name)


def _first_that_delivers(
    spec: Spec, source: str | os.PathLike[str] | None, settings: SourceOptions
) -> tuple[Model, Provenance]:
    """The first source's model; a source that fails is remembered, and the next one tried."""
    places = backbone_sources if isinstance(spec, BackboneSpec) else sources
    chain = places.CHAIN
    if source is not None:  # other weights than those asked for would be a lie
        chain = ((sources.label(source), lambda spec, settings: places.named(spec, source, settings)),)
    failures: list[tuple[str, WeightsError]] = []
    for label, ask in chain:
        try:
            model, provenance = _deliver(spec, ask(spec, settings))
        except WeightsError as error:
            failures.append((label, error))
            if isinstance(error, DigestMismatch):  # damaged or exchanged: a thing to look at, not to pass over
                break
            continue
        passed_over = [
            f"{label}: {error.what}" for label, error in failures if not isinstance(error, SourceUnavailable)
        ]
        return model, provenance.noting(f"Used because {'; '.join(passed_over)}" if passed_over else "")
    raise _no_weights(spec, failures, alone=source is not None)


def _deliver(spec: Spec, found: WeightsFile) -> tuple[Model, Provenance]:
    make = backbone_from if isinstance(spec, BackboneSpec) else model_from
    try:
        checkpoint = open_checkpoint(found.path)
        provenance = sources.check_digest(found, checkpoint.sha256).noting(checkpoint.note)
        return make(spec, checkpoint.state, provenance.location), provenance
    except WeightsError:
        if found.provenance.kind == "release":  # ours to throw away, else it would be in the way for ever
            found.path.unlink(missing_ok=True)
        raise


def _no_weights(spec: Spec, failures: list[tuple[str, WeightsError]], alone: bool) -> NoWeights:
    told = "the source named was tried, and no other." if alone else "every source failed."
    if not alone and isinstance(failures[-1][1], DigestMismatch):
        told = "a file is not what was published, and no other is taken in its place."
    error = NoWeights(
        f"No weights for {spec.name}: {told}",
        tuple((label, error.what, error.remedy) for label, error in failures),
        remedy=f"{spec.short}@{UNTRAINED} shows the architecture with random weights.",
        detail="; ".join(error.detail for _, error in failures if error.detail),
    )
    error.__cause__ = next((e for _, e in reversed(failures) if not isinstance(e, SourceUnavailable)), failures[-1][1])
    return error


def _untrained(spec: Spec) -> tuple[Model, Provenance]:
    model = untrained_backbone(spec) if isinstance(spec, BackboneSpec) else untrained_model(spec)
    digest = state_digest(model.state_dict())
    note = f"Never trained: weights drawn at random with seed {UNTRAINED_SEED}."
    if isinstance(spec, BackboneSpec):
        note += (
            " As timm starts it, which may be with residual branches at zero: it then sees little but its shortcuts."
        )
    return model, Provenance(UNTRAINED, "random weights", digest, note=note)


def _checked(image_size: int) -> int:
    if not 32 <= image_size <= MAX_SIDE:
        raise OutOfRange(f"No model looks at images of {image_size} px.", remedy=f"Choose 32 to {MAX_SIDE}.")
    return int(image_size)


def _resized(spec: Spec) -> str:
    """What to know of a backbone built for images of another size than its weights were made for."""
    if not isinstance(spec, BackboneSpec) or not spec.fixed_size:
        return ""
    own = find_backbone(spec.name.removeprefix(PREFIX)).image_size
    return "" if own == spec.image_size else f"Built for images of {spec.image_size} px in place of {own} px."


def _on_device(model: Model, device: torch.device) -> Model:
    model.eval().requires_grad_(False)
    try:
        return model.to(device)
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            f"The weights of {model.spec.name} do not fit into the memory of {device}.",
            remedy="Close what else uses it, or choose --device cpu.",
        ) from error


def _settings(
    weights_dir: str | os.PathLike[str] | None, hub_namespace: str | None, report: Report, allow_download: bool,
    hub_cache: str | os.PathLike[str] | None,
) -> SourceOptions:  # fmt: skip
    """Arguments, with the environment where they are None."""
    folder = os.environ.get("TRANSXNET_WEIGHTS", "") if weights_dir is None else os.fspath(weights_dir)
    path = Path(folder).expanduser() if folder.strip() else None
    cache = None if hub_cache is None else Path(hub_cache).expanduser()
    return SourceOptions(path, configured_namespace(hub_namespace), report, allow_download, cache)


def _delivers(ask: sources.Source, spec: Spec, settings: SourceOptions) -> bool:
    try:
        return bool(ask(spec, settings))
    except WeightsError:
        return False


def _backbone_available(spec: BackboneSpec, settings: SourceOptions) -> Availability:
    if _delivers(backbone_sources.folder, spec, settings):
        return Availability.FOLDER
    if backbone_sources.cached(spec, settings):
        return Availability.HUB_CACHE
    return Availability.HUB if spec.hub_id else Availability.NOWHERE


def _in_hub_cache(spec: VariantSpec, hub: Namespace) -> bool:
    try:
        return cached_repository(hub.repository(spec), hub.revision_of(spec)) is not None
    except WeightsError:
        return False


def _devices(here: dict[str, bool]) -> str:
    return f"Choose one of: {', '.join(kind for kind, there in here.items() if there)}."


def _silent(done: int, total: int, what: str) -> None:
    pass


def _terminal_bar() -> Report:
    """A tqdm bar where somebody watches a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        return _silent
    from huggingface_hub.utils import tqdm

    bars: dict[str, tqdm] = {}

    def report(done: int, total: int, what: str) -> None:
        bar = bars.get(what) or bars.setdefault(what, tqdm(total=total, desc=what, unit="B", unit_scale=True))
        bar.update(done - bar.n)
        if total and done >= total:
            bar.close()

    return report


_locks: dict[str, threading.RLock] = {}  # by the spec's name
