"""The training loop: AdamW, warm-up and cosine, EMA, distillation; resumes exactly where it stopped.

What a step is trained on, and all its chance, is in batches.py. Distillation after Hinton, Vinyals and Dean (arXiv
1503.02531): loss = (1 - share) cross-entropy + share T^2 KL(teacher || student), both softened by the temperature T.
"""

from __future__ import annotations

import contextlib
import copy
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import SourceFailed, WeightsError, WeightsMismatch
from ..hardware import hardware
from ..model import TransXNet
from ..weights.checkpoint import check_fit, state_digest
from .augment import normalize
from .batches import Batches
from .data import ImageSet
from .depthwise import FastDepthwise
from .held_out import first_half
from .log import Log, Row
from .recipes import Recipe
from .snapshot import write_snapshot
from .teacher import Teacher

CHECKPOINT, LOG = "checkpoint.pt", "log.csv"  # names inside a run's folder
_KEYS = ("recipe", "data", "step", "loss", "seconds", "model", "ema", "optimizer")

RESTART_WARMUP = 200  # steps in which the rate rises again after a restart, while AdamW's averages form
TEACHER_IMAGES = 500  # validation images on which the teacher is measured

Report = Callable[[int, int, float], None]  # steps taken, steps in all, smoothed loss


class Run:
    """One training run. `step` is the next step to take; `ema` holds the weights to keep.

    folder: where checkpoint.pt and log.csv are written. A checkpoint found there is continued by `resume` only.
    teacher: what is distilled from, where the recipe names a teacher; on `device`.
    validation: images never trained on. The first half of each class, and no other, is what the log's accuracy is
    measured on; without them it is measured on the images that the recipe holds out.
    rank, size: this worker and how many there are, under torchrun; the first one writes. processes: that prepare
    images ahead, where the recipe has work for them.
    """

    def __init__(
        self, recipe: Recipe, model: TransXNet, data: ImageSet, folder: Path, device: torch.device,
        *, teacher: Teacher | None = None, validation: ImageSet | None = None,
        rank: int = 0, size: int = 1, processes: int = 0,
    ):  # fmt: skip
        self.recipe, self.data, self.folder, self.device, self.teacher = recipe, data, folder, device, teacher
        self.chief, self.size, self.processes = rank == 0, size, processes
        self.model = model.to(device, memory_format=torch.channels_last).train()
        self.ema = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.optimizer = torch.optim.AdamW(parameter_groups(self.model, recipe.weight_decay), lr=recipe.lr)
        self.batches = Batches(recipe, data, model.num_classes, rank, size)
        self.steps, self.per_epoch = self.batches.steps, self.batches.per_epoch
        self.validation = validation
        self.step, self.loss, self.seconds = 0, math.nan, 0.0
        self.restart_step: int | None = None  # where the optimizer began anew, see `restart`
        self._forward = _parallel(self.model, device) if size > 1 else self.model
        folder.mkdir(parents=True, exist_ok=True)
        self.log = Log(folder / LOG)

    def train(self, report: Report, save_every: int = 50, stop_at: int | None = None) -> nn.Module:
        """Take the steps that are left (or up to stop_at), save, and return the EMA model.

        Raises WeightsError where loss or gradient is no longer finite; the checkpoint stays the last good one.
        """
        last = self.steps if stop_at is None else min(stop_at, self.steps)
        stream = self.batches.stream(self.step, last, self.processes if self.recipe.randaugment else 0)
        for step in range(self.step, last):
            begun = time.perf_counter()
            loss = self._step(step, *next(stream))
            self.loss = loss if math.isnan(self.loss) else 0.98 * self.loss + 0.02 * loss
            self.step, self.seconds = step + 1, self.seconds + time.perf_counter() - begun
            if not self.chief:
                continue
            report(self.step, self.steps, self.loss)
            ends = self.step % self.per_epoch == 0 or self.step == self.steps
            if ends or self.step % save_every == 0 or self.step == last:
                self._write(accuracy=self.accuracy() if ends else None)
        return self.ema

    def accuracy(self) -> float | None:
        """The EMA model's share of right answers at the variant's input size; None without images to measure on."""
        return share_correct(self.ema, *self._measured, self.model.spec.image_size, self.device)

    def teacher_accuracy(self) -> tuple[int, float, float] | None:
        """How good the teacher is before anything is learned from it, through the path that training uses.

        Returns:
            (number of images, at most TEACHER_IMAGES; the teacher's share of right answers on them; the EMA model's),
            at the input size of the next step. None without a teacher, or without images to measure on.
        """
        images, labels = self._measured
        if self.teacher is None or not len(labels):
            return None
        chosen = np.unique(
            np.linspace(0, len(labels) - 1, TEACHER_IMAGES).astype(int)
        )  # sorted by class: of every class
        side = self.batches.side(min(self.step, self.steps - 1))
        shares = (share_correct(m, images[chosen], labels[chosen], side, self.device) for m in (self.teacher, self.ema))
        return (len(chosen), *shares)

    @property
    def measured_images(self) -> int:
        """How many images `accuracy` is measured on."""
        return len(self._measured[1])

    @cached_property
    def _measured(self) -> tuple[np.ndarray, np.ndarray]:  # (N, h, w, 3) uint8, (N,)
        data, chosen = self.data, self.batches.held_out
        if self.validation is not None:
            data, chosen = self.validation, first_half(self.validation.labels)
        return data.images[chosen], data.labels[chosen]

    def _step(self, step: int, images: Tensor, labels: Tensor) -> float:
        x, y = self.batches.prepare(step, images.to(self.device), labels.to(self.device))
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(step)
        with _fast(self.device), torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.bf16):
            logits = self._forward(x)
        loss = self._loss(logits.float(), x, y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.grad_clip)
        if not torch.isfinite(loss + norm):  # before a step is taken with it
            raise WeightsError(
                f"The training diverged: loss {loss.item():g}, gradient norm {norm.item():g} at step {step}.",
                remedy="Resume it, and if that does not help train with a lower rate.",
            )
        self.optimizer.step()
        average(self.ema, self.model, min(self.recipe.ema, (1 + step) / (10 + step)))
        return loss.item()

    def _loss(self, logits: Tensor, x: Tensor, y: Tensor) -> Tensor:  # (b, classes), (b, 3, s, s), targets -> ()
        smoothing = 0.0 if y.is_floating_point() else self.recipe.label_smoothing  # timm's Mixup has smoothed already
        loss = F.cross_entropy(logits, y, label_smoothing=smoothing)
        if self.teacher is None:
            return loss
        share = self.recipe.distillation
        return (1 - share) * loss + share * distillation(logits, self.teacher(x), self.recipe.temperature)

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        rate = self.recipe.lr * rate_at(step, self.steps, self.recipe.warmup)
        if self.restart_step is not None:
            rate *= min(1.0, (step - self.restart_step + 1) / RESTART_WARMUP)
        return rate

    def _write(self, accuracy: float | None) -> None:
        rate = self.rate(self.step - 1)
        self.log.add(Row(self.step, self.step / self.per_epoch, rate, self.loss, self.seconds, accuracy))
        self.save()
        if accuracy is not None:
            write_snapshot(self, accuracy)

    def save(self) -> None:
        """Write checkpoint.pt whole or not at all."""
        state = {
            "recipe": self.recipe.name, "settings": self.recipe.as_json(), "data": self.data.digest,
            "step": self.step, "planned": self.steps, "loss": self.loss,
            "seconds": self.seconds, "hardware": hardware(self.device, self.size), "workers": self.size,
            "teacher": self.teacher_digest, "restart_step": self.restart_step,
            "model": self.model.state_dict(), "ema": self.ema.state_dict(), "optimizer": self.optimizer.state_dict(),
        }  # fmt: skip
        temporary = self.folder / f"{CHECKPOINT}.tmp"
        try:
            with temporary.open("wb") as file:  # torch's own files hide why they could not be written
                torch.save(state, file)
            os.replace(temporary, self.folder / CHECKPOINT)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def resume(self) -> bool:
        """Continue from checkpoint.pt; False where there is none. WeightsMismatch if it belongs to another run."""
        if not (self.folder / CHECKPOINT).exists():
            return False
        state = read_run(self.folder, self.device)
        check_run(state, self.recipe, self.data.digest)
        self._same_company(state)
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.loss, self.seconds = state["step"], state["loss"], state["seconds"]
        self.restart_step = state.get("restart_step")
        if self.chief:
            self.log.cut(self.step)
        return True

    def restart(self, state: Mapping[str, Tensor], step: int, seconds: float, name: str) -> None:
        """Go on at a step from EMA weights alone: the optimizer begins anew, its rate with a short warm-up.

        Args:
            state: the weights, for model and EMA model.
            step: the next step to take.
            seconds: of training so far.
            name: of the file they come from, for the error.

        Raises:
            WeightsMismatch: tensors that do not fit the model.
        """
        check_fit(self.model, state, name)
        for module in (self.model, self.ema):
            module.load_state_dict(state)
        self.step, self.restart_step, self.seconds = step, step, seconds

    @cached_property
    def teacher_digest(self) -> str | None:
        """Digest of the teacher's weights, which stay as they are."""
        return None if self.teacher is None else state_digest(self.teacher.state_dict())

    def _same_company(self, state: Mapping[str, Any]) -> None:
        """Raises WeightsMismatch where other steps would follow: with more or fewer workers, or another teacher."""
        if state.get("workers", self.size) != self.size:
            raise WeightsMismatch(
                f"The run was begun by {state['workers']} processes, not by {self.size}.",
                remedy="Start as many: every step's chance and statistics depend on it.",
            )
        if state.get("teacher", self.teacher_digest) != self.teacher_digest:
            raise WeightsMismatch(
                "The run was begun with another teacher.", remedy="Give the same weights to --teacher."
            )


def read_run(folder: Path, device: torch.device) -> dict[str, Any]:
    """What `Run.save` wrote into a folder. SourceFailed where there is nothing, or nothing that can be read.

    Runs saved by the first version of this file have no "settings" and no "hardware".
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        raise SourceFailed(
            f"The folder {folder.name} holds no training run: it has no {CHECKPOINT}.",
            remedy="Give the folder that `train --out` wrote to.",
            detail=str(path),
        )
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        return {key: state[key] for key in _KEYS} | state
    except Exception as error:  # a damaged file can fail anywhere inside the unpickler or the zip reader
        raise SourceFailed(
            f"The {CHECKPOINT} of {folder.name} is damaged, or no training run's.",
            remedy="Train again into an empty folder.",
            detail=f"{path}: {error!r}",
        ) from error


def check_run(state: Mapping[str, Any], recipe: Recipe, digest: str) -> None:
    """Raises WeightsMismatch unless a checkpoint was made by this recipe, as it is now, from these images."""
    settings = recipe.as_json()
    # a field that came later had no effect before it: its default
    stored = {f.name: f.default for f in fields(Recipe) if f.name in settings} | state.get("settings", settings)
    if (state["recipe"], stored) != (recipe.name, settings):
        raise WeightsMismatch(
            f"The checkpoint was made by another recipe: {state['recipe']}, not {recipe.name} as it stands.",
            remedy="Use the recipe it was begun with, or an empty folder.",
        )
    if state["data"] != digest:
        raise WeightsMismatch(
            f"The checkpoint was made from other images: their digest is {state['data'][:16]}…, not {digest[:16]}….",
            remedy="Give the images it was begun with, or an empty folder.",
        )


@torch.no_grad()
def share_correct(
    model: nn.Module, images: np.ndarray, labels: np.ndarray, side: int, device: torch.device
) -> float | None:
    """The share of images whose largest logit is their label's.

    Args:
        model: takes (B, 3, side, side) normalized as for the student, on `device`.
        images: (N, h, w, 3) uint8.
        labels: (N,) class indices.
        side: of the model input in pixels.
        device: where the model is.

    Returns:
        A share in 0 to 1; None for N = 0.
    """
    if not len(labels):
        return None
    hits = 0
    for start in range(0, len(labels), 256):
        batch = torch.from_numpy(images[start : start + 256]).to(device)
        target = torch.from_numpy(labels[start : start + 256]).to(device)
        hits += int((model(_view(batch, side)).argmax(dim=1) == target).sum())
    return hits / len(labels)


def rate_at(step: int, steps: int, warmup: float) -> float:
    """The learning rate at a step, as a factor: linear warm-up, then half a cosine down to 0 at `steps`."""
    rise = max(1, round(steps * warmup))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def parameter_groups(model: TransXNet, weight_decay: float) -> list[dict[str, object]]:
    """Weight decay on matrices and kernels only: none on vectors, LayerScale and the bias tables."""
    spared = model.no_weight_decay()
    groups: tuple[list[Tensor], list[Tensor]] = ([], [])
    for name, parameter in model.named_parameters():
        groups[parameter.ndim <= 1 or name in spared].append(parameter)
    return [{"params": groups[0], "weight_decay": weight_decay}, {"params": groups[1], "weight_decay": 0.0}]


@torch.no_grad()
def average(kept: nn.Module, now: nn.Module, decay: float) -> None:
    """Exponential moving average, in place: kept = decay * kept + (1 - decay) * now; counters are copied."""
    for old, new in zip(kept.state_dict().values(), now.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - decay)
        else:
            old.copy_(new)


def distillation(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T^2 KL(softmax(teacher/T) || softmax(student/T)), the batch's mean: (b, classes), (b, classes) -> ()."""
    log_p, log_q = (F.log_softmax(logits / temperature, dim=1) for logits in (teacher, student))
    return temperature**2 * F.kl_div(log_q, log_p, reduction="batchmean", log_target=True)


@torch.no_grad()
def _view(images: Tensor, side: int) -> Tensor:  # (B, h, w, 3) uint8 -> (B, 3, side, side), channels last
    x = images.permute(0, 3, 1, 2).float() / 255
    x = F.interpolate(x, (side, side), mode="bicubic", antialias=True).clamp(0, 1)
    return normalize(x).contiguous(memory_format=torch.channels_last)


def _parallel(model: nn.Module, device: torch.device) -> nn.Module:
    """The model with its gradients averaged over torchrun's workers."""
    from torch.nn.parallel import DistributedDataParallel

    return DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)


def _fast(device: torch.device) -> contextlib.AbstractContextManager[object]:
    return FastDepthwise() if device.type == "cpu" else contextlib.nullcontext()
