"""One picture, one model, every question at once: `study` runs one traced forward pass and explains from it.

    loaded = weights.load("pico")
    result = study(loaded, images.decode("cat.jpg"), Options(stage=3, target="tabby"))
    result.attention, result.kernels, result.grad_cam, result.receptive_field

A Study holds numpy arrays and words only: no tensor, no graph, nothing of the model. Drawing it is somebody else's
work. Integrated gradients and occlusion run the model many times more, so they come only where they are asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from .errors import DeviceError, PartMissing, UnknownName
from .explain.attention import attention_table
from .explain.captum_maps import integrated_gradients, occlusion
from .explain.erf import receptive_field
from .explain.grad_cam import HEAD, grad_cam
from .explain.kernels import kernels
from .explain.observe import Observation, observe
from .explain.predict import predict, predict_batch
from .images import Picture, Prepared, prepare
from .labels import LabelSet, label_set
from .results import AttentionMaps, AttentionTable, Explanation, KernelSet, Prediction
from .trace import Tap
from .variants import VARIANTS, VariantSpec
from .weights import LoadedModel, Provenance

OVERVIEW = ("attention", "kernels", "grad_cam", "receptive_field")  # what one pass gives
EXTRAS = ("integrated_gradients", "occlusion")  # many passes more
PARTS = (*OVERVIEW, "attention_table", *EXTRAS)
HALF_NOTE = "The answers were computed in half precision."
NEED_GRAD = {"grad_cam", "receptive_field"}


@dataclass(frozen=True)
class Options:
    """What to look at. Hashable, so that it can be part of a cache's key."""

    stage: int = 3  # of attention, kernels and receptive field, from 1
    block: int | None = None  # of attention and kernels, from 1; None or 0 is the stage's last
    point: tuple[float, float] | None = None  # (x, y) in pixels of the upright upload; None is the view's middle
    target: str | int | None = None  # the explained class: words, WNID or index; None or '' is the top answer
    cam_stage: int | str = 4  # Grad-CAM's own stage, or "head"
    only: tuple[str, ...] = OVERVIEW  # some of PARTS; the prediction always comes
    top: int = 5  # answers to name
    autocast: bool = False  # answers in half precision, on CUDA only; explanations stay in float32


@dataclass(frozen=True)
class View:
    """What the model saw. rgb: uint8 (H, W, 3). crop_box: x0, y0, x1, y1, its edges in pixels of the upload."""

    rgb: np.ndarray
    crop_box: tuple[float, float, float, float]
    upload_size: tuple[int, int]  # width, height


@dataclass(frozen=True)
class Target:
    """The explained class of this model. note: why it is not the one asked for; '' if it is."""

    index: int
    wnid: str
    label: str
    note: str = ""


@dataclass(frozen=True)
class Study:
    """Everything one look gave. A part that was not asked for is None, and one that this variant cannot give:
    `missing` says why, by the part's name. `seconds`: wall time a part, and "total".
    """

    variant: str  # as people type it: "pico", "pico@untrained"
    spec: VariantSpec
    provenance: Provenance
    picture: str  # SHA-256 of the picture's pixels
    view: View
    options: Options
    point: tuple[float, float]  # the one looked from, upload pixels
    target: Target
    prediction: Prediction
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()  # what the reader should know before reading the maps
    missing: Mapping[str, str] = field(default_factory=dict)
    attention: AttentionMaps | None = None
    attention_table: AttentionTable | None = None
    kernels: KernelSet | None = None
    grad_cam: Explanation | None = None
    receptive_field: Explanation | None = None
    integrated_gradients: Explanation | None = None
    occlusion: Explanation | None = None

    @property
    def untrained(self) -> bool:
        return self.provenance.kind == "untrained"


@dataclass
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begun


def study(loaded: LoadedModel, picture: Picture, options: Options | None = None) -> Study:
    """Look at one picture once, and explain.

    Safe to call from several threads with one model: nothing on it changes, captum's parts take its lock.
    Raises UnknownName for a part or a class that no label set has, OutOfRange for a stage, block, point or class
    index that does not exist, DeviceError when the device is out of memory.
    """
    options = options or Options()
    _known_parts(options.only)
    labels, clock = label_set(loaded.spec.label_set), _Clock()
    with clock.time("total"), _memory_said(loaded):
        prepared = prepare(picture, image_size=loaded.spec.image_size, crop_pct=loaded.spec.crop_pct)
        point = _middle(prepared) if options.point is None else options.point
        half = options.autocast and loaded.device.type == "cuda"
        with clock.time("forward"):
            grad = bool(NEED_GRAD & set(options.only))
            seen = observe(loaded.model, prepared, _keep(options), grad=grad) if options.only or not half else None
        if half:
            (prediction,) = predict_batch(loaded.model, [prepared.tensor], labels, options.top, autocast=True)
        else:
            prediction = predict(seen, labels, options.top)
        target = _target(options.target, prediction, labels, loaded.name)
        parts, missing = _explain(seen, options, point, target, clock) if seen is not None else ({}, {})
        del seen  # the graph is most of a pass's memory, and captum needs room
        parts |= _explain_by_captum(loaded, prepared, options, target, clock)
    notes = [n for n in (target.note, _outside(prepared, point), picture.note, HALF_NOTE if half else "") if n]
    return Study(
        loaded.name, loaded.spec, loaded.provenance, picture.sha256,
        View(prepared.view, prepared.crop_box, prepared.upload_size),
        options, point, target, prediction, clock.seconds, tuple(notes), missing, **parts,
    )  # fmt: skip


def _explain(
    seen: Observation, options: Options, point: tuple[float, float], target: Target, clock: _Clock
) -> tuple[dict[str, object], dict[str, str]]:
    """The parts that one pass gives; and why it cannot give others."""
    stage, block = seen.locate(options.stage, options.block)
    parts: dict[str, object] = {}
    missing: dict[str, str] = {}
    wanted = [part for part in ("attention", "attention_table") if part in options.only]
    if wanted:
        try:
            with clock.time("attention"):
                table = attention_table(seen, stage, block)
                found = {"attention": table.at(*table.queries.unit_at(*point)), "attention_table": table}
            parts |= {part: found[part] for part in wanted}
        except PartMissing as error:
            missing |= dict.fromkeys(wanted, error.what)
    makers: dict[str, Callable[[], object]] = {
        "kernels": lambda: kernels(seen, stage, block),
        "grad_cam": lambda: _say(grad_cam(seen, target.index, options.cam_stage, target.label), target),
        "receptive_field": lambda: receptive_field(seen, stage, point),
    }
    return parts | _make(makers, options.only, clock), missing


def _explain_by_captum(
    loaded: LoadedModel, prepared: Prepared, options: Options, target: Target, clock: _Clock
) -> dict[str, object]:
    given = (loaded.model, loaded.lock, prepared, target.index)
    makers: dict[str, Callable[[], object]] = {
        "integrated_gradients": lambda: _say(integrated_gradients(*given, target_words=target.label), target),
        "occlusion": lambda: _say(occlusion(*given, target_words=target.label), target),
    }
    return _make(makers, options.only, clock)


def _make(makers: Mapping[str, Callable[[], object]], only: Collection[str], clock: _Clock) -> dict[str, object]:
    made = {}
    for name, maker in makers.items():
        if name in only:
            with clock.time(name):
                made[name] = maker()
    return made


def _keep(options: Options) -> Callable[[Tap], bool]:
    """What the trace must record: of attention and kernels only the stage looked at, all the rest would be dropped."""
    kinds = {"attention", "attention_table"} & set(options.only) and {"attention"}
    kinds = set(kinds) | ({"kernels", "gates", "biases", "bias_gates"} if "kernels" in options.only else set())
    stages = {options.stage} if "receptive_field" in options.only else set()
    stages |= {options.cam_stage} if "grad_cam" in options.only else set()

    def keep(tap: Tap) -> bool:
        if tap.kind in kinds:
            return tap.stage == options.stage
        return (tap.kind == "stage" and tap.stage in stages) or (tap.kind == "head" and HEAD in stages)

    return keep


def _target(wanted: str | int | None, prediction: Prediction, labels: LabelSet, variant: str) -> Target:
    """The class to explain: each variant looks the words up in its own label set.

    A class of another known label set, which this variant does not have, gives way to its own top answer, said in
    `note`; a class that nobody knows is a typing error and raises UnknownName.
    """
    top = prediction.top[0]
    if wanted is None or not str(wanted).strip():
        return Target(top.index, top.wnid, top.label)
    try:
        index = labels.find(wanted)
    except UnknownName:
        words = _words_elsewhere(wanted)
        if not words:
            raise
        note = f"{variant} has no class “{words}”, so its own top answer, {top.label}, is explained."
        return Target(top.index, top.wnid, top.label, note)
    return Target(index, labels.wnids[index], labels.words[index])


def _words_elsewhere(wanted: str | int) -> str:
    """What the first other variant's label set that has this class calls it; '' where none has."""
    for name in dict.fromkeys(spec.label_set for spec in VARIANTS.values()):
        with suppress(UnknownName):
            labels = label_set(name)
            return labels.words[labels.find(wanted)]
    return ""


def _say(explanation: Explanation, target: Target) -> Explanation:
    """The note, where there is one, travels with the map."""
    return replace(explanation, target=f"{explanation.target}. {target.note}") if target.note else explanation


def _middle(prepared: Prepared) -> tuple[float, float]:
    x0, y0, x1, y1 = prepared.crop_box
    return (x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2  # a pixel's number is the place of its centre


def _outside(prepared: Prepared, point: tuple[float, float]) -> str:
    x0, y0, x1, y1 = prepared.crop_box
    if x0 - 0.5 <= point[0] <= x1 - 0.5 and y0 - 0.5 <= point[1] <= y1 - 0.5:
        return ""
    return "The point lies outside what this model saw; the nearest unit is shown."


def _known_parts(only: Collection[str]) -> None:
    unknown = [name for name in only if name not in PARTS]
    if unknown:
        raise UnknownName(f"There is no part called {unknown[0]!r}.", remedy=f"Choose some of: {', '.join(PARTS)}.")


@contextmanager
def _memory_said(loaded: LoadedModel) -> Iterator[None]:
    try:
        yield
        return
    except torch.OutOfMemoryError as error:
        detail = str(error)
    torch.cuda.empty_cache()  # outside the except block: the error's traceback would hold the tensors
    raise DeviceError(
        f"The memory of {loaded.device} is too small to explain {loaded.name}.",
        remedy="Close what else uses it, choose a smaller variant, or --device cpu.",
        detail=detail,
    )
