"""The training loop: AdamW, warm-up and cosine schedule, EMA, distillation; it resumes exactly where it stopped.

batches.py defines the data and random numbers of each step. Distillation follows Hinton, Vinyals and Dean (arXiv
1503.02531): loss = (1 - a) cross-entropy + a T^2 KL(teacher || student), both softened by the temperature T.
"""

from __future__ import annotations

import contextlib
import copy
import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..distributed import describe_hardware
from ..errors import SourceFailed, WeightsError, WeightsMismatch
from ..model import TransXNet
from ..output import replace_atomically
from ..variants import IMAGENET_MEAN, IMAGENET_STD
from ..weights.checkpoint import check_fit, state_digest
from .augment import normalize
from .batches import Batches
from .data import ImageSet
from .depthwise import FastDepthwise
from .held_out import first_half
from .log import Log, Row
from .recipes import Recipe, with_defaults
from .snapshot import write_snapshot
from .teacher import Teacher

CHECKPOINT, LOG = "checkpoint.pt", "log.csv"  # names inside a run's folder
_KEYS = ("recipe", "data", "step", "loss", "seconds", "model", "ema", "optimizer")

RESTART_WARMUP = 200  # steps in which the learning rate rises after a restart, while AdamW's averages form
TEACHER_IMAGES = 500  # on which the teacher is measured

Report = Callable[[int, int, float], None]  # steps taken, steps in all, smoothed loss


class TeacherAccuracy(NamedTuple):
    """Accuracies of teacher and student, in 0 to 1, on the same images at the same input size in pixels."""

    images: int
    image_size: int
    teacher: float
    student: float


class Run:
    """One training run.

    Args:
        recipe: Its settings.
        model: The model to train.
        data: Training images.
        folder: Where checkpoint.pt and log.csv are written. Only `resume` continues a checkpoint that is there.
        device: Where to train.
        teacher: Model to distill from, if the recipe names one; on `device`.
        validation: Images that are never trained on. The log's accuracy is measured on the first half of each class,
            on all of them for the user's own classes; without them on the images that the recipe holds out.
        rank: Number of this process; the first one writes.
        world_size: Number of processes.
        num_workers: Data loading processes, used if the recipe has RandAugment.

    Attributes:
        step: The next step to take.
        ema: The model with averaged weights, which is the result.
        restart_step: Step at which the optimizer started anew, see `restart`.
    """

    def __init__(
        self, recipe: Recipe, model: TransXNet, data: ImageSet, folder: Path, device: torch.device,
        *, teacher: Teacher | None = None, validation: ImageSet | None = None,
        rank: int = 0, world_size: int = 1, num_workers: int = 0,
    ):  # fmt: skip
        self.recipe, self.data, self.folder, self.device, self.teacher = recipe, data, folder, device, teacher
        self.is_main, self.world_size, self.num_workers = rank == 0, world_size, num_workers
        self.model = model.to(device, memory_format=torch.channels_last).train(not recipe.classifier_only)
        self.ema = copy.deepcopy(self.model).eval().requires_grad_(False)
        if recipe.classifier_only:
            self.model.requires_grad_(False)
            self.model.get_classifier().requires_grad_(True)
        self.optimizer = torch.optim.AdamW(parameter_groups(self.model, recipe), lr=recipe.lr)
        self.batches = Batches(recipe, data, model.spec, rank, world_size)
        self.steps, self.steps_per_epoch = self.batches.steps, self.batches.steps_per_epoch
        self.validation = validation
        self.step, self.loss, self.seconds = 0, math.nan, 0.0
        self.restart_step: int | None = None
        self._forward: nn.Module = self.model
        if world_size > 1:  # gradients are averaged over the processes
            device_ids = [device] if device.type == "cuda" else None
            self._forward = nn.parallel.DistributedDataParallel(self.model, device_ids=device_ids)
        folder.mkdir(parents=True, exist_ok=True)
        self.log = Log(folder / LOG)

    def train(self, report: Report, save_every: int = 50, stop_at: int | None = None) -> nn.Module:
        """Take the remaining steps and save.

        Args:
            report: Called after each step, at the main process.
            save_every: Steps between checkpoints.
            stop_at: Step to stop at before the last.

        Returns:
            The EMA model.

        Raises:
            WeightsError: Loss or gradient is not finite; the checkpoint is that of an earlier step.
        """
        last = self.steps if stop_at is None else min(stop_at, self.steps)
        stream = self.batches.stream(self.step, last, self.num_workers if self.recipe.randaugment else 0)
        for step in range(self.step, last):
            start = time.perf_counter()
            loss = self._step(step, *next(stream))
            self.loss = loss if math.isnan(self.loss) else 0.98 * self.loss + 0.02 * loss
            self.step, self.seconds = step + 1, self.seconds + time.perf_counter() - start
            if not self.is_main:
                continue
            report(self.step, self.steps, self.loss)
            epoch_ends = self.step % self.steps_per_epoch == 0 or self.step == self.steps
            if epoch_ends or self.step % save_every == 0 or self.step == last:
                self._write(accuracy=self.accuracy() if epoch_ends else None)
        return self.ema

    def accuracy(self) -> float | None:
        """Top-1 accuracy of the EMA model at the variant's input size; None without images to measure on."""
        spec = self.model.spec
        images = self._measurement_images
        return top1_accuracy(self.ema, *images, spec.image_size, self.device, spec.mean, spec.std)

    def teacher_accuracy(self) -> TeacherAccuracy | None:
        """Accuracies of teacher and EMA model before the next step, at its input size and by training's preprocessing.

        Returns:
            Accuracies on at most TEACHER_IMAGES images. None without a teacher, or without images to measure on.
        """
        images, labels = self._measurement_images
        if self.teacher is None or not len(labels):
            return None
        # images are sorted by class: some of every class
        chosen = np.unique(np.linspace(0, len(labels) - 1, TEACHER_IMAGES).astype(int))
        size = self.batches.input_size(min(self.step, self.steps - 1))
        accuracies = (
            top1_accuracy(model, images[chosen], labels[chosen], size, self.device)
            for model in (self.teacher, self.ema)
        )
        return TeacherAccuracy(len(chosen), size, *accuracies)

    @property
    def hardware(self) -> str:
        """In words."""
        return describe_hardware(self.device, self.world_size)

    @property
    def num_measurement_images(self) -> int:
        """Number of images on which `accuracy` is measured."""
        return len(self._measurement_images[1])

    @cached_property
    def _measurement_images(self) -> tuple[np.ndarray, np.ndarray]:  # (N, h, w, 3) uint8, (N,)
        data, chosen = self.data, self.batches.held_out
        if self.validation is not None:
            labels = self.validation.labels
            data, chosen = self.validation, np.arange(len(labels)) if self.recipe.own_classes else first_half(labels)
        return data.images[chosen], data.labels[chosen]

    def _step(self, step: int, images: Tensor, labels: Tensor) -> float:
        x, y = self.batches.prepare(step, images.to(self.device), labels.to(self.device))
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(step) * group.get("lr_scale", 1.0)
        fast_depthwise = FastDepthwise() if self.device.type == "cpu" else contextlib.nullcontext()
        with fast_depthwise, torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.bf16):
            logits = self._forward(x)
        loss = self._loss(logits.float(), x, y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.grad_clip)
        if not torch.isfinite(loss + norm):  # before the optimizer uses it
            raise WeightsError(
                f"The training diverged: loss {loss.item():g}, gradient norm {norm.item():g} at step {step}.",
                remedy="Resume it; if it diverges again, train with a lower learning rate.",
            )
        self.optimizer.step()
        update_ema(self.ema, self.model, min(self.recipe.ema, (1 + step) / (10 + step)))
        return loss.item()

    def _loss(self, logits: Tensor, x: Tensor, y: Tensor) -> Tensor:  # (b, classes), (b, 3, s, s), targets -> ()
        smoothing = 0.0 if y.is_floating_point() else self.recipe.label_smoothing  # timm's Mixup smooths by itself
        loss = F.cross_entropy(logits, y, label_smoothing=smoothing)
        if self.teacher is None:
            return loss
        weight = self.recipe.distillation
        return (1 - weight) * loss + weight * distillation(logits, self.teacher(x), self.recipe.temperature)

    def learning_rate(self, step: int) -> float:
        """The learning rate of a step."""
        rate = self.recipe.lr * lr_factor(step, self.steps, self.recipe.warmup)
        if self.restart_step is not None:
            rate *= min(1.0, (step - self.restart_step + 1) / RESTART_WARMUP)
        return rate

    def _write(self, accuracy: float | None) -> None:
        rate, epoch = self.learning_rate(self.step - 1), self.step / self.steps_per_epoch
        self.log.append(Row(self.step, epoch, rate, self.loss, self.seconds, accuracy))
        self.save()
        if accuracy is not None and not self.recipe.own_classes:
            write_snapshot(self, accuracy)

    def save(self) -> None:
        """Write checkpoint.pt completely or not at all."""
        state = {
            "recipe": self.recipe.name, "settings": self.recipe.as_json(), "data": self.data.digest,
            "step": self.step, "planned": self.steps, "loss": self.loss, "seconds": self.seconds,
            "hardware": self.hardware, "workers": self.world_size,
            "teacher": self.teacher_digest, "restart_step": self.restart_step,
            "model": self.model.state_dict(), "ema": self.ema.state_dict(), "optimizer": self.optimizer.state_dict(),
        }  # fmt: skip
        with replace_atomically(self.folder / CHECKPOINT) as temporary, temporary.open("wb") as file:
            torch.save(state, file)  # errors of files that torch opens do not say why writing failed

    def resume(self) -> bool:
        """Continue from checkpoint.pt.

        Returns:
            False if there is none.

        Raises:
            WeightsMismatch: It belongs to another run.
            SourceFailed: It is damaged.
        """
        if not (self.folder / CHECKPOINT).exists():
            return False
        state = read_run(self.folder, self.device)
        check_run(state, self.recipe, self.data.digest)
        self._check_processes_and_teacher(state)
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.loss, self.seconds = state["step"], state["loss"], state["seconds"]
        self.restart_step = state.get("restart_step")
        if self.is_main:
            self.log.truncate(self.step)
        return True

    def restart(self, state: Mapping[str, Tensor], step: int, seconds: float, name: str) -> None:
        """Continue at a step from EMA weights alone: the optimizer starts anew, its rate with a short warm-up.

        Args:
            state: The weights, for model and EMA model.
            step: The next step to take.
            seconds: Duration of the training so far.
            name: Of the file of the weights, for the error.

        Raises:
            WeightsMismatch: The tensors do not fit the model.
        """
        check_fit(self.model, state, name)
        for module in (self.model, self.ema):
            module.load_state_dict(state)
        self.step, self.restart_step, self.seconds = step, step, seconds

    @cached_property
    def teacher_digest(self) -> str | None:
        """Digest of the teacher's weights, which are constant."""
        return None if self.teacher is None else state_digest(self.teacher.state_dict())

    def _check_processes_and_teacher(self, state: Mapping[str, Any]) -> None:
        """Raises WeightsMismatch for another number of processes or another teacher: the steps would differ."""
        if state.get("workers", self.world_size) != self.world_size:
            raise WeightsMismatch(
                f"The run was started with {state['workers']} processes, not with {self.world_size}.",
                remedy="Use the same number: random numbers and batch statistics of every step depend on it.",
            )
        if state.get("teacher", self.teacher_digest) != self.teacher_digest:
            raise WeightsMismatch(
                "The run was started with another teacher.", remedy="Pass the same weights with --teacher."
            )


def read_run(folder: Path, device: torch.device) -> dict[str, Any]:
    """What `Run.save` wrote into a folder. Runs of the first version have no "settings" and no "hardware".

    Args:
        folder: The run's folder.
        device: Where tensors are loaded.

    Raises:
        SourceFailed: There is no checkpoint, or it is damaged.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        raise SourceFailed(
            f"The folder {folder.name} holds no training run: it has no {CHECKPOINT}.",
            remedy="Use the folder that `train --out` wrote to.",
            detail=str(path),
        )
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        return {key: state[key] for key in _KEYS} | state
    except Exception as error:  # a damaged file can fail anywhere inside the unpickler or the zip reader
        raise SourceFailed(
            f"The {CHECKPOINT} of {folder.name} is damaged or not that of a training run.",
            remedy="Train again into an empty folder.",
            detail=f"{path}: {error!r}",
        ) from error


def check_run(state: Mapping[str, Any], recipe: Recipe, digest: str) -> None:
    """Check a checkpoint against a recipe and a set of images.

    Args:
        state: Of the checkpoint.
        recipe: The recipe as it is now.
        digest: Of the images, see training.data.

    Raises:
        WeightsMismatch: The checkpoint was made with another recipe or other images.
    """
    settings = recipe.as_json()
    stored = with_defaults(state.get("settings", settings))
    if (state["recipe"], stored) != (recipe.name, settings):
        changed = [
            f"{key} {stored.get(key)}, not {value}" for key, value in settings.items() if stored.get(key) != value
        ]
        raise WeightsMismatch(
            f"The checkpoint was made by another recipe: {state['recipe']}, not the current {recipe.name}.",
            remedy="Use the recipe and the options it was started with, or an empty folder.",
            detail="; ".join(changed),
        )
    if state["data"] != digest:
        raise WeightsMismatch(
            f"The checkpoint was made from other images: their digest is {state['data'][:16]}…, not {digest[:16]}….",
            remedy="Use the images it was started with, or an empty folder.",
        )


@torch.no_grad()
def top1_accuracy(
    model: nn.Module, images: np.ndarray, labels: np.ndarray, size: int, device: torch.device,
    mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD,
) -> float | None:  # fmt: skip
    """Top-1 accuracy with the whole image resized to the model input, bicubic with antialiasing.

    Args:
        model: Takes (B, 3, size, size), normalized as for the student, on `device`.
        images: (N, h, w, 3) uint8.
        labels: (N,) class indices.
        size: Side of the model input in pixels.
        device: Of the model.
        mean: Of the normalization.
        std: Likewise.

    Returns:
        Accuracy in 0 to 1; None for N = 0.
    """
    if not len(labels):
        return None
    hits = 0
    for start in range(0, len(labels), 256):
        batch = torch.from_numpy(images[start : start + 256]).to(device)
        target = torch.from_numpy(labels[start : start + 256]).to(device)
        x = F.interpolate(batch.permute(0, 3, 1, 2).float() / 255, (size, size), mode="bicubic", antialias=True)
        x = normalize(x.clamp(0, 1), mean, std).contiguous(memory_format=torch.channels_last)
        hits += int((model(x).argmax(dim=1) == target).sum())
    return hits / len(labels)


def lr_factor(step: int, steps: int, warmup: float) -> float:
    """Factor of the learning rate: linear warm-up over a fraction `warmup` of the steps, then half a cosine to 0."""
    warmup_steps = max(1, round(steps * warmup))
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    return 0.5 * (1 + math.cos(math.pi * (step - warmup_steps) / max(1, steps - warmup_steps)))


def parameter_groups(model: TransXNet, recipe: Recipe) -> list[dict[str, object]]:
    """AdamW's groups: weight decay on matrices and kernels only, none on vectors, LayerScale and the bias tables.

    The classifier has separate groups where its learning rate differs; "lr_scale" is its factor, as in timm.
    """
    no_weight_decay, own = model.no_weight_decay(), set()
    if recipe.classifier_lr != 1:
        own = {id(parameter) for parameter in model.get_classifier().parameters()}
    groups: dict[tuple[bool, bool], list[Tensor]] = {(False, False): [], (False, True): []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            key = id(parameter) in own, parameter.ndim <= 1 or name in no_weight_decay
            groups.setdefault(key, []).append(parameter)
    return [
        {"params": parameters, "weight_decay": 0.0 if constant else recipe.weight_decay}
        | ({"lr_scale": recipe.classifier_lr} if classifier else {})
        for (classifier, constant), parameters in groups.items()
    ]


@torch.no_grad()
def update_ema(ema: nn.Module, model: nn.Module, decay: float) -> None:
    """Exponential moving average, in place: ema = decay * ema + (1 - decay) * model; counters are copied."""
    for average, value in zip(ema.state_dict().values(), model.state_dict().values(), strict=True):
        if average.is_floating_point():
            average.lerp_(value, 1 - decay)
        else:
            average.copy_(value)


def distillation(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T^2 KL(softmax(teacher/T) || softmax(student/T)), mean over the batch: (b, classes), (b, classes) -> ()."""
    log_p, log_q = (F.log_softmax(logits / temperature, dim=1) for logits in (teacher, student))
    return temperature**2 * F.kl_div(log_q, log_p, reduction="batchmean", log_target=True)
