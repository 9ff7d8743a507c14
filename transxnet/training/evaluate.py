"""Accuracy of a model on labeled images, by the protocol of its variant.

The protocol is the official one (validate.py of https://github.com/LMMMEng/TransXNet, with timm 0.6.12): the short side
is resized to floor(image_size / crop_pct), bicubic, the center is cropped and normalized, all in float32; see inputs.py
and images.prepare. Labels are matched by WNID or name, so that only images of the model's classes are used; predictions
are over all classes of the model, or (`restrict_classes`) over those of the images.

Batches do not depend on the number of processes, nor on interruptions: process r of n takes batches r, r + n, ….
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..distributed import Worker, describe_hardware
from ..errors import DeviceError, ImageUnreadable, WeightsError, WeightsMismatch
from ..images import FILE_LIMITS, Limits
from ..process_settings import without_tf32
from ..weights.devices import is_out_of_memory
from ..weights.load import LoadedModel
from .held_out import select_held_out
from .inputs import EvaluationInput, read_inputs
from .labeling import Labeling
from .outcomes import OutcomeFolder
from .protocol import HALF_DTYPES, Protocol, Task
from .report import Report, Speed, make_report
from .samples import list_images
from .scores import Accuracy, Outcome

Progress = Callable[[int, int], None]  # finished images, all images: of this process


def evaluate(
    loaded: LoadedModel, paths: Sequence[str | Path], *, image_size: int | None = None, batch_size: int = 64,
    progress: Progress = lambda finished, total: None,
) -> Accuracy:  # fmt: skip
    """Top-1 and top-5 accuracy.

    Args:
        loaded: The model.
        paths: Labeled images, see training.samples.
        image_size: Input size in pixels; None for the variant's.
        batch_size: Images per forward pass.
        progress: Called with the numbers of finished images and of all images.

    Raises:
        UnknownName: No image belongs to a class of the model.
        ImageUnreadable: An image cannot be read.
    """
    report = assess(loaded, paths, Protocol.of(loaded.spec, image_size, batch_size=batch_size), progress=progress)
    if report.unreadable:
        name, error = report.unreadable[0]
        raise ImageUnreadable(error, detail=f"{name}: one of {len(report.unreadable)} unreadable images")
    return report.accuracy


def assess(
    loaded: LoadedModel, paths: Sequence[str | Path], protocol: Protocol | None = None, *,
    labeling: Labeling | None = None, held_out_fraction: float = 0.0, out: Path | None = None, resume: bool = False,
    worker: Worker | None = None, progress: Progress = lambda finished, total: None, limits: Limits = FILE_LIMITS,
) -> Report | None:  # fmt: skip
    """Accuracy, scores of classes, and confusions. Unreadable images are reported and not counted.

    Args:
        loaded: The model.
        paths: Labeled images, see training.samples.
        protocol: Preprocessing and precision; None for the variant's.
        labeling: Classes of the images; None for those in their names.
        held_out_fraction: If not 0, only the images that a recipe with this fraction is not trained on.
        out: Folder of the outcomes so far, from which `resume` continues, see outcomes.py.
        resume: Continue the evaluation in `out`.
        worker: This process, if several call this together.
        progress: Called with the numbers of finished images and of all images of this process.
        limits: Which images are accepted; others are unreadable.

    Returns:
        The report, at the main process; None at the others.

    Raises:
        UnknownName: There are no images, or none of the model's classes.
        ImageUnreadable: No image can be read.
        OutOfRange, DeviceError: The protocol is invalid, or not available on this device.
        WeightsError: Logits are not finite, or `out` holds an evaluation and `resume` is False.
        WeightsMismatch: `out` holds another evaluation, or other processes have other settings.
    """
    worker = worker or Worker(0, 1, loaded.device)
    listing = list_images(paths, loaded.spec.labels, labeling)
    if held_out_fraction:
        listing = select_held_out(listing, held_out_fraction)
    task = Task.of(loaded, protocol or Protocol.of(loaded.spec), listing)
    folder = _open_folder(task, out, resume, worker)
    start = time.perf_counter()
    outcomes, num_measured = _evaluate_share(task, folder, worker, progress, limits)
    speed = Speed(num_measured, time.perf_counter() - start, 1, describe_hardware(loaded.device))
    shares = worker.gather((outcomes, speed))
    if shares is None:
        return None
    by_batch = {batch: outcomes for share, _ in shares for batch, outcomes in share.items()}
    ordered = [outcome for batch in sorted(by_batch) for outcome in by_batch[batch]]
    return make_report(task, paths, ordered, Speed.combine([speed for _, speed in shares]))


def _open_folder(task: Task, out: Path | None, resume: bool, worker: Worker) -> OutcomeFolder | None:
    """The folder of outcomes, once all processes have checked it. Raises WeightsMismatch for different settings."""
    settings = task.settings()
    folder = None if out is None else OutcomeFolder(out, worker.rank)
    if folder is not None:
        folder.check(settings, resume)
    if any(other != settings for other in worker.gather(settings) or ()):
        raise WeightsMismatch(
            "The processes were given different images, weights or settings.",
            remedy="Give all machines the same files and the same arguments.",
        )
    worker.barrier()
    if folder is not None:
        folder.start(settings)
    return folder


def _evaluate_share(
    task: Task, folder: OutcomeFolder | None, worker: Worker, progress: Progress, limits: Limits
) -> tuple[dict[int, list[Outcome]], int]:
    """(this process's batches -> outcomes, number of images that were not taken from an earlier run)."""
    batches = task.batches
    share = range(worker.rank, len(batches), worker.world_size)
    stored = folder.finished_batches([len(batch) for batch in batches]) if folder else {}
    outcomes = {batch: stored[batch] for batch in share if batch in stored}
    total, num_stored = sum(len(batches[batch]) for batch in share), sum(map(len, outcomes.values()))
    num_measured = 0
    remaining = [batch for batch in share if batch not in outcomes]
    for batch, inputs in read_inputs(task, remaining, limits):
        outcomes[batch] = _outcomes(task, batches[batch], inputs)
        if folder is not None:
            folder.append(batch, outcomes[batch])
        num_measured += len(inputs)
        progress(num_stored + num_measured, total)
    return outcomes, num_measured


# --- One batch --------------------------------------------------------------------------------------------------------


def _outcomes(task: Task, batch: range, inputs: Sequence[EvaluationInput]) -> list[Outcome]:
    """The outcome of every image of a batch, unreadable ones included."""
    readable = {i: model_input.tensor for i, model_input in zip(batch, inputs, strict=True) if not model_input.error}
    scores: dict[int, tuple[int, int]] = {}
    if readable:
        labels = torch.tensor([task.labels[i] for i in readable])
        logits = _logits(task, torch.cat(list(readable.values())))
        scores = dict(zip(readable, zip(*_ranks_and_predictions(logits, labels), strict=True), strict=True))
    return [
        Outcome(*scores.get(i, (-1, -1)), model_input.sha256, model_input.error)
        for i, model_input in zip(batch, inputs, strict=True)
    ]


@without_tf32()
@torch.no_grad()
def _logits(task: Task, x: Tensor) -> Tensor:  # (B, 3, S, S) -> (B, classes) float32 on the CPU
    loaded, dtype = task.loaded, HALF_DTYPES.get(task.protocol.autocast)
    try:
        with torch.autocast("cuda", dtype) if dtype else contextlib.nullcontext():
            logits = loaded.model(x.to(loaded.device)).float().cpu()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceError(
            f"The memory of {loaded.device} does not suffice for {len(x)} images at a time.",
            remedy="Use a smaller --batch-size.",
        ) from error
    if not torch.isfinite(logits).all():
        raise WeightsError(
            f"{loaded.name} predicts logits that are not finite.",
            remedy="Its weights are damaged, or overflow in half precision: try without --autocast.",
        )
    if task.protocol.restrict_classes:
        classes = sorted(set(task.labels))
        restricted = torch.full_like(logits, -torch.inf)
        restricted[:, classes] = logits[:, classes]
        return restricted
    return logits


def _ranks_and_predictions(logits: Tensor, labels: Tensor) -> tuple[list[int], list[int]]:
    """Rank of each label among the predictions, from 0, and the top prediction. Of equal logits the lower index wins.

    Args:
        logits: (B, classes).
        labels: (B,) class indices.
    """
    order = logits.argsort(dim=1, descending=True, stable=True)  # (B, classes)
    return (order == labels[:, None]).int().argmax(dim=1).tolist(), order[:, 0].tolist()
