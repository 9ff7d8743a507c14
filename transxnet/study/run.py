"""`study`: one traced forward pass of one image, and from it every part that was asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import torch

from ..errors import DeviceError, PartMissing, UnknownName, quote
from ..explain.observe import Observation, middle_of, observe
from ..explain.predict import predict, predict_batch
from ..images import ModelInput, SourceImage, prepare_for
from ..labels import LabelSet, label_set
from ..process_settings import without_tf32
from ..results import Predictions
from ..trace import Tap
from ..variants import VARIANTS
from ..weights.load import LoadedModel
from .analyses import ANALYSES, AnalysisContext
from .options import StudyOptions, Target
from .result import Study, View

Tell = Callable[[str, int, int], None]  # (part, steps done, steps in all)
SAME_IMAGE = "The second image is the same as the first."
HALF_NOTE = "The answers were computed in half precision."


@dataclass
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begun


@without_tf32()
def study(
    loaded: LoadedModel,
    image: SourceImage,
    options: StudyOptions | None = None,
    other: SourceImage | None = None,
    progress: Tell | None = None,
    other_words: str = "",
) -> Study:
    """AnalysisContext at one image once, and explain.

    other: a second image, for the parts that compare two; other_words: what to call it. progress: called with (part,
    steps done, steps in all) by the parts that take long.
    Safe to call from several threads with one model: nothing on it changes, captum's parts take its lock.
    Raises UnknownName for a part or a class that no label set has, OutOfRange for a stage, block, point or class
    index that does not exist, DeviceError when the device is out of memory.
    """
    options = options or StudyOptions()
    _known_parts(options.only)
    labels, clock = label_set(loaded.spec.label_set), _Clock()
    wanted = find_class(options.target, labels, options.follow)
    if other is not None and other.sha256 == image.sha256:
        other, other_words = None, SAME_IMAGE
    with clock.time("total"), _memory_said(loaded):
        model_input, second = view_of(image, loaded), view_of(other, loaded) if other else None
        position = middle_of(model_input) if options.position is None else options.position
        names = [name for name in ANALYSES if name in options.only]
        seen, prediction, half = _first_look(loaded, model_input, options, labels, clock)
        target = _target(options, wanted, prediction, labels, loaded.name)
        look = AnalysisContext(loaded, model_input, options, labels, position, target, prediction.logits, seen)
        look.other, look.other_words = second, other_words
        if seen is not None:
            seen.locate(options.stage, options.block)
        parts, missing = _make([name for name in names if not ANALYSES[name].alone], look, clock, progress)
        look.seen = seen = None  # the graph is most of a pass's memory, and what follows needs room
        more, also_missing = _make([name for name in names if ANALYSES[name].alone], look, clock, progress)
    contrast_target = "" if look.contrast_target is None else labels.wnids[look.contrast_target]
    notes = [*filter(None, (target.note, _outside(model_input, position), *image.notes, HALF_NOTE if half else ""))]
    return Study(
        loaded.name, loaded.spec, loaded.provenance, image.sha256,
        View(model_input.crop, model_input.crop_box, model_input.source_size),
        options, position, target, prediction, clock.seconds, contrast_target, tuple(notes), missing | also_missing,
        other_view=second.crop if second else None, **parts, **more,
    )  # fmt: skip


def _first_look(
    loaded: LoadedModel, model_input: ModelInput, options: StudyOptions, labels: LabelSet, clock: _Clock
) -> tuple[Observation | None, Predictions, bool]:
    """The pass that is explained, its answers, and whether those came in half precision, from a pass of their own."""
    half = options.autocast and loaded.device.type == "cuda"
    with clock.time("forward"):
        grad = any(ANALYSES[name].grad for name in options.only)
        seen = observe(loaded.model, model_input, _keep(options), grad=grad) if options.only or not half else None
    if half:
        (prediction,) = predict_batch(loaded.model, [model_input.tensor], labels, options.top, autocast=True)
    else:
        prediction = predict(seen, labels, options.top)
    return seen, prediction, half


def view_of(image: SourceImage, loaded: LoadedModel) -> ModelInput:
    """The image as this model is given it."""
    return prepare_for(image, loaded.spec)


def _make(
    names: Sequence[str], look: AnalysisContext, clock: _Clock, progress: Tell | None
) -> tuple[dict[str, object], dict[str, str]]:
    """The parts of these names; and why this model cannot give others."""
    made: dict[str, object] = {}
    missing: dict[str, str] = {}
    for name in names:
        look.progress = partial(progress, name) if progress else None
        try:
            with clock.time(name):
                made[name] = look.made[name] = ANALYSES[name].make(look)
        except PartMissing as error:
            missing[name] = error.what
    return made, missing


def _keep(options: StudyOptions) -> Callable[[Tap], bool]:
    """What the trace must record for the parts asked for."""
    keeps = [ANALYSES[name].keep for name in options.only if not ANALYSES[name].alone]
    return lambda tap: any(keep(options, tap) for keep in keeps)


def find_class(target: str | int | None, labels: LabelSet, follow: bool = False) -> int | None:
    """AnalysisContext a target class up before anything is computed.

    Args:
        target: StudyOptions.target.
        labels: The label set of the model that explains it.
        follow: StudyOptions.follow.

    Returns:
        Its index. None where no class is named, or one that only other label sets have.

    Raises:
        UnknownName: No label set has this class, and it is not another model's answer.
        OutOfRange: The index is not one of this label set.
    """
    if target is None or not str(target).strip():
        return None
    try:
        return labels.find(target)
    except UnknownName:
        if not (follow or _words_elsewhere(target)):
            raise
        return None


def _target(
    options: StudyOptions, index: int | None, prediction: Predictions, labels: LabelSet, variant: str
) -> Target:
    """The class to explain. index: as `find_class` returns it.

    A class of another known label set, or another model's answer (`options.follow`), which this variant does not have,
    gives way to its own top answer, said in `note`.
    """
    if index is not None:
        return Target(index, labels.wnids[index], labels.names[index])
    top, note = prediction.top[0], ""
    if options.target is not None and str(options.target).strip():
        words = _words_elsewhere(options.target) or str(options.target)
        note = f"{variant} has no class “{words}”, so its own top answer, {top.label}, is explained."
    return Target(top.index, top.wnid, top.label, note)


def _words_elsewhere(wanted: str | int) -> str:
    """What the first other variant's label set that has this class calls it; '' where none has."""
    for name in dict.fromkeys(spec.label_set for spec in VARIANTS.values()):
        with suppress(UnknownName):
            labels = label_set(name)
            return labels.names[labels.find(wanted)]
    return ""


def _outside(model_input: ModelInput, position: tuple[float, float]) -> str:
    x0, y0, x1, y1 = model_input.crop_box
    if x0 - 0.5 <= position[0] <= x1 - 0.5 and y0 - 0.5 <= position[1] <= y1 - 0.5:
        return ""
    return "The point lies outside what this model saw; the nearest unit is shown."


def _known_parts(only: Collection[str]) -> None:
    unknown = [name for name in only if name not in ANALYSES]
    if unknown:
        raise UnknownName(
            f"There is no part called {quote(unknown[0])}.", remedy=f"Choose some of: {', '.join(ANALYSES)}."
        )


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
