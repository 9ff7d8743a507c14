"""`study`: one traced forward pass of one image, and all requested analyses from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from ..errors import DeviceError, PartMissing, UnknownName, check_name
from ..explain.attribution.methods import cam_modules
from ..explain.observe import Observation, crop_center, observe
from ..explain.predict import predict, predict_batch
from ..images import ModelInput, SourceImage, prepare_for
from ..labels import LABEL_SETS, LabelSet, label_set
from ..messages import Message
from ..process_settings import without_tf32
from ..results import Predictions
from ..trace import Tap
from ..weights.devices import empty_cache, is_out_of_memory
from ..weights.load import LoadedModel
from .analyses import ANALYSES, AnalysisContext
from .options import NO_CLASS, StudyOptions, Target
from .result import InputCrop, Study

StudyProgress = Callable[[str, int, int], None]  # (analysis, steps done, steps in total)
SAME_IMAGE = Message("The second image is the same as the first.")
HALF_NOTE = Message("Predictions were computed in half precision (autocast).")


@without_tf32()
def study(
    loaded: LoadedModel,
    image: SourceImage,
    options: StudyOptions | None = None,
    reference_image: SourceImage | None = None,
    progress: StudyProgress | None = None,
    reference_name: str = "",
    on_analysis: StudyProgress | None = None,
) -> Study:
    """Analyze one image with one model.

    Safe to call from several threads with one model: nothing on it changes, and captum's methods take its lock.

    Args:
        loaded: The model.
        image: The image.
        options: What to compute; None is StudyOptions().
        reference_image: A second image, for the analyses that compare two or borrow its kernels.
        progress: Called with (analysis, steps done, steps in total) by long analyses.
        reference_name: The reference image in words.
        on_analysis: Called with (analysis, analyses done, analyses in total) after each analysis.

    Returns:
        The results. Analyses that this model does not support are in `missing`.

    Raises:
        UnknownName: There is no such analysis, or no label set has the class.
        OutOfRange: There is no such stage, block, position or class index.
        DeviceError: The device is out of memory.
    """
    options = options or StudyOptions()
    for name in options.analyses:
        check_name(name, ANALYSES, "There is no analysis called {name}.", "Choose some of: {names}.")
    loaded = loaded.at_size(options.image_size)
    labels, seconds = loaded.spec.labels, {}
    target_index = find_class(options.target, labels, options.allow_missing_target)
    if reference_image is not None and reference_image.sha256 == image.sha256:
        reference_image, reference_name = None, SAME_IMAGE
    with _timed(seconds, "total"), _memory_errors(loaded):
        model_input = prepare_for(image, loaded.spec)
        reference_input = prepare_for(reference_image, loaded.spec) if reference_image else None
        position = crop_center(model_input) if options.position is None else options.position
        names = [name for name in ANALYSES if name in options.analyses]
        observation, predictions, half = _observe_and_predict(loaded, model_input, options, labels, seconds)
        target = _target(options, target_index, predictions, labels, loaded.name)
        context = AnalysisContext(
            loaded, model_input, options, labels, position, target, predictions.logits, observation,
            reference_input=reference_input, reference_name=reference_name,
        )  # fmt: skip
        if observation is not None:
            with suppress(PartMissing):  # a reason of the analyses that use the stage
                observation.locate(options.stage, options.block)
        order = sorted(names, key=lambda name: ANALYSES[name].runs_separately)
        missing: dict[str, str] = {}
        for number, name in enumerate(order, 1):
            if ANALYSES[name].runs_separately:
                context.observation = observation = None  # the graph is most of a pass's memory, which these need
            missing |= _compute(name, context, seconds, progress)
            if on_analysis:
                on_analysis(name, number, len(order))
    contrast_target = "" if context.contrast_target is None else labels.wnids[context.contrast_target]
    notes = (target.note, _position_note(model_input, position), *image.notes, HALF_NOTE if half else "")
    return Study(
        loaded.name, loaded.spec, loaded.provenance, image.sha256,
        InputCrop(model_input.crop, model_input.crop_box, model_input.source_size),
        options, position, target, predictions, seconds, contrast_target, tuple(filter(None, notes)), missing,
        reference_crop=reference_input.crop if reference_input else None, **context.results,
    )  # fmt: skip


def _observe_and_predict(
    loaded: LoadedModel, model_input: ModelInput, options: StudyOptions, labels: LabelSet, seconds: dict[str, float]
) -> tuple[Observation | None, Predictions, bool]:
    """The pass to explain, the predictions, and whether those are in half precision, from a pass of their own."""
    half = options.autocast and loaded.device.type == "cuda"
    with _timed(seconds, "forward"):
        grad = any(ANALYSES[name].grad for name in options.analyses)
        needed = options.analyses or not half
        observation = None
        if needed:
            modules = cam_modules(options.cam_layer) if {"grad_cam", "contrast"} & set(options.analyses) else ()
            observation = observe(loaded.model, model_input, _keep(options), grad=grad, modules=modules)
    if half:
        (predictions,) = predict_batch(loaded.model, [model_input.tensor], labels, options.top, autocast=True)
    else:
        predictions = predict(observation, labels, options.top)
    return observation, predictions, half


def _compute(
    name: str, context: AnalysisContext, seconds: dict[str, float], progress: StudyProgress | None
) -> dict[str, str]:
    """Add an analysis to context.results. Returns its name and the reason if this model does not support it."""
    context.progress = partial(progress, name) if progress else None
    try:
        with _timed(seconds, name):
            context.results[name] = ANALYSES[name].compute(context)
    except PartMissing as error:
        return {name: error.what}
    return {}


def _keep(options: StudyOptions) -> Callable[[Tap], bool]:
    """What the trace must record for the requested analyses."""
    predicates = [ANALYSES[name].keep for name in options.analyses if not ANALYSES[name].runs_separately]
    return lambda tap: any(keep(options, tap) for keep in predicates)


def find_class(target: str | int | None, labels: LabelSet, allow_missing: bool = False) -> int | None:
    """Look up a target class before anything is computed.

    Args:
        target: StudyOptions.target.
        labels: The label set of the model that explains it.
        allow_missing: StudyOptions.allow_missing_target.

    Returns:
        Its index; None if no class is named, or one that only other label sets have, or the label set is empty.

    Raises:
        UnknownName: No label set has this class, and `allow_missing` is False.
        OutOfRange: The index is not one of this label set.
    """
    if target is None or not str(target).strip() or not len(labels):
        return None
    try:
        return labels.find(target)
    except UnknownName:
        if not (allow_missing or _name_in_other_label_sets(target)):
            raise
        return None


def _target(options: StudyOptions, index: int | None, predictions: Predictions, labels: LabelSet, model: str) -> Target:
    """The class to explain. index: as `find_class` returns it.

    Where the model lacks the requested class, its own top prediction is explained, and `note` says so.
    """
    if index is not None:
        return Target(index, labels.wnids[index], labels.names[index])
    if not predictions.top:
        return Target(NO_CLASS, "", Message("no class"))
    top, note = predictions.top[0], ""
    if options.target is not None and str(options.target).strip():
        requested = _name_in_other_label_sets(options.target) or str(options.target)
        template = "{variant} has no class “{words}”, so its own top answer, {top}, is explained."
        note = Message(template, variant=model, words=requested, top=top.label)
    return Target(top.index, top.wnid, top.label, note)


def _name_in_other_label_sets(target: str | int) -> str:
    """The class's name in the first variant's label set that has it; "" if none has."""
    for name in LABEL_SETS:
        with suppress(UnknownName):
            labels = label_set(name)
            return labels.names[labels.find(target)]
    return ""


def _position_note(model_input: ModelInput, position: tuple[float, float]) -> str:
    x0, y0, x1, y1 = model_input.crop_box
    if x0 - 0.5 <= position[0] <= x1 - 0.5 and y0 - 0.5 <= position[1] <= y1 - 0.5:
        return ""
    return Message("The point lies outside what this model saw; the nearest unit is shown.")


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Add the wall time of the block, if it ends without an error."""
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start


@contextmanager
def _memory_errors(loaded: LoadedModel) -> Iterator[None]:
    """Raise DeviceError for an error of too little memory."""
    try:
        yield
        return
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        detail = str(error)
    empty_cache(loaded.device)  # outside the except block: the error's traceback would hold the tensors
    raise DeviceError(
        "The memory of {device} is too small to explain {model}.",
        remedy="Close what else uses it, choose a smaller variant, or --device cpu.", detail=detail,
        device=loaded.device, model=loaded.name,
    )  # fmt: skip
