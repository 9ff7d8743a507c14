"""Accuracy of a model on labeled images, by the protocol its variant states.

The protocol is the official one (validate.py of https://github.com/LMMMEng/TransXNet, with timm 0.6.12): the short side
becomes floor(image_size / crop_pct), bicubic, the center is cut out and normalized, all in float32; see views.py and
images.prepare. Labels are matched by WNID, so a model is asked only about classes it knows; its answers compete with
all its classes, or (`restrict`) with those that the images have.

Batches are the same whatever the number of processes and however often the work was interrupted: process r of n takes
every n-th batch, from the r-th.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..distributed import Worker
from ..errors import DeviceError, ImageUnreadable, WeightsError, WeightsMismatch
from ..hardware import hardware
from ..process_settings import without_tf32
from ..weights.load import LoadedModel
from .held_out import only_held_out
from .inputs import View, views_of
from .labeling import Labeling
from .outcomes import OutcomeFolder
from .protocol import HALVES, Protocol, Task
from .report import Report, Speed, make_report
from .samples import list_images
from .scores import Accuracy, Outcome

Progress = Callable[[int, int], None]  # images done, images in all: of this process


def evaluate(
    loaded: LoadedModel,
    paths: Sequence[str | Path],
    *,
    image_size: int | None = None,
    batch: int = 64,
    progress: Progress = lambda done, total: None,
) -> Accuracy:
    """Top-1 and top-5 on folders or zips (see training.samples). image_size None takes the variant's own.

    Raises UnknownName where no image is of a class the model knows, ImageUnreadable where one cannot be read.
    """
    report = assess(loaded, paths, Protocol.of(loaded.spec, image_size, batch=batch), progress=progress)
    if report.unreadable:
        name, problem = report.unreadable[0]
        raise ImageUnreadable(problem, detail=f"{name}: one of {len(report.unreadable)} that cannot be read")
    return report.accuracy


def assess(
    loaded: LoadedModel,
    paths: Sequence[str | Path],
    protocol: Protocol | None = None,
    *,
    labeling: Labeling | None = None,
    held_out: float = 0.0,
    out: Path | None = None,
    resume: bool = False,
    worker: Worker | None = None,
    progress: Progress = lambda done, total: None,
) -> Report | None:
    """Accuracy, classes and confusions on folders or zips. Images that cannot be read are reported, in no share.

    labeling: what tells the classes, None for the paths' own names. held_out: only the images that a recipe with
    that share does not train on. out: folder for what is done so far, from which
    `resume` goes on (see outcomes.py). worker: this process among several, which all call this; the chief gets the
    report, the others None.

    Raises UnknownName (no image, or none of a class the model knows), ImageUnreadable (none can be read),
    OutOfRange and DeviceError (the protocol cannot be followed), WeightsError (answers that are no numbers, an
    evaluation in `out` without `resume`), WeightsMismatch (another evaluation in `out`, or in another process).
    """
    worker = worker or Worker(0, 1, loaded.device)
    listing = list_images(paths, labeling)
    if held_out:
        listing = only_held_out(listing, held_out)
    task = Task.of(loaded, protocol or Protocol.of(loaded.spec), listing)
    folder = _folder(task, out, resume, worker)
    begun = time.perf_counter()
    outcomes, measured = _share(task, folder, worker, progress)
    speed = Speed(measured, time.perf_counter() - begun, 1, hardware(loaded.device))
    parts = worker.gather((outcomes, speed))
    if parts is None:
        return None
    done = {batch: outcome for part, _ in parts for batch, outcome in part.items()}
    everything = [outcome for batch in sorted(done) for outcome in done[batch]]
    return make_report(task, paths, everything, Speed.together([speed for _, speed in parts]))


def _folder(task: Task, out: Path | None, resume: bool, worker: Worker) -> OutcomeFolder | None:
    """Where outcomes are kept, once all processes have looked at what it holds; their settings have to be the same."""
    settings = task.settings()
    folder = None if out is None else OutcomeFolder(out, worker.rank)
    if folder is not None:
        folder.check(settings, resume)
    everybodys = worker.gather(settings) or [settings]
    if any(other != settings for other in everybodys):
        raise WeightsMismatch(
            "The processes were given different images, weights or settings.",
            remedy="Give all machines the same files and the same arguments.",
        )
    worker.barrier()
    if folder is not None:
        folder.begin(settings)
    return folder


def _share(
    task: Task, folder: OutcomeFolder | None, worker: Worker, progress: Progress
) -> tuple[dict[int, list[Outcome]], int]:
    """(this process's batches -> their outcomes, how many images of them were measured now)."""
    batches = task.batches
    mine = range(worker.rank, len(batches), worker.size)
    kept = folder.done([len(batch) for batch in batches]) if folder else {}
    outcomes = {number: kept[number] for number in mine if number in kept}
    total, done = sum(len(batches[number]) for number in mine), sum(map(len, outcomes.values()))
    measured = 0
    left = [number for number in mine if number not in outcomes]
    for number, views in views_of(task, left):
        outcomes[number] = _judge(task, batches[number], views)
        if folder is not None:
            folder.add(number, outcomes[number])
        measured += len(views)
        progress(done + measured, total)
    return outcomes, measured


# --- answers ----------------------------------------------------------------------------------------------------------


def _judge(task: Task, batch: range, views: Sequence[View]) -> list[Outcome]:
    """The outcome of every image of a batch, those that cannot be read included."""
    shown = [(i, view) for i, view in zip(batch, views, strict=True) if view.tensor is not None]
    judged: dict[int, tuple[int, int]] = {}
    if shown:
        labels = torch.tensor([task.labels[i] for i, _ in shown])
        places, answers = _places(_logits(task, torch.cat([view.tensor for _, view in shown])), labels)
        judged = {i: (place, answer) for (i, _), place, answer in zip(shown, places, answers, strict=True)}
    return [Outcome(*judged.get(i, (-1, -1)), view.sha256, view.problem) for i, view in zip(batch, views, strict=True)]


@without_tf32()
@torch.no_grad()
def _logits(task: Task, x: Tensor) -> Tensor:  # (B, 3, S, S) -> (B, classes) float32 on the CPU
    loaded, half = task.loaded, HALVES.get(task.protocol.autocast)
    try:
        with torch.autocast("cuda", half) if half else contextlib.nullcontext():
            logits = loaded.model(x.to(loaded.device)).float().cpu()
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            f"{len(x)} images at a time are too much for the memory of {loaded.device}.",
            remedy="Give a smaller --batch-size.",
        ) from error
    if not torch.isfinite(logits).all():
        raise WeightsError(
            f"{loaded.name} answers with values that are not numbers.",
            remedy="Its weights are damaged, or too large for half precision: try without --autocast.",
        )
    if task.protocol.restrict:
        there = sorted(set(task.labels))
        only = torch.full_like(logits, -torch.inf)
        only[:, there] = logits[:, there]
        return only
    return logits


def _places(logits: Tensor, labels: Tensor) -> tuple[list[int], list[int]]:  # (B, classes), (B,) -> B places, B answers
    """The place of each label among the answers, 0 the best, and the first answer. Ties: lower index, as in predict."""
    order = logits.argsort(dim=1, descending=True, stable=True)  # (B, classes)
    return (order == labels[:, None]).int().argmax(dim=1).tolist(), order[:, 0].tolist()
