"""The training loop: AdamW, warm-up and cosine, label smoothing, EMA; resumes exactly where it stopped.

All chance of step n comes from generators seeded with (recipe.seed, n), so a resumed run takes the same
steps as one that was never interrupted.
"""

from __future__ import annotations

import copy
import csv
import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import SourceFailed, WeightsError, WeightsMismatch
from ..model import TransXNet
from .augment import augment
from .data import PictureSet
from .hardware import hardware
from .recipes import Recipe

CHECKPOINT, LOG = "checkpoint.pt", "log.csv"  # names inside a run's folder
_KEYS = ("recipe", "data", "step", "loss", "seconds", "model", "ema", "optimizer")

Report = Callable[[int, int, float], None]  # steps taken, steps in all, smoothed loss


class Run:
    """One training run. `step` is the next step to take; `ema` holds the weights to keep.

    folder: where checkpoint.pt and log.csv are written. A checkpoint found there is continued by `resume` only.
    """

    def __init__(self, recipe: Recipe, model: TransXNet, data: PictureSet, folder: Path, device: torch.device):
        self.recipe, self.data, self.folder, self.device = recipe, data, folder, device
        self.model = model.to(device, memory_format=torch.channels_last).train()
        self.ema = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.optimizer = torch.optim.AdamW(parameter_groups(self.model, recipe.weight_decay), lr=recipe.lr)
        self.per_epoch = max(1, len(data.labels) // recipe.batch)
        self.steps = planned_steps(recipe, len(data.labels))
        self.step, self.loss, self.seconds = 0, math.nan, 0.0
        folder.mkdir(parents=True, exist_ok=True)

    def train(self, report: Report, save_every: int = 50, stop_at: int | None = None) -> nn.Module:
        """Take the steps that are left (or up to stop_at), save, and return the EMA model.

        Raises WeightsError where loss or gradient is no longer finite; the checkpoint stays the last good one.
        """
        last = self.steps if stop_at is None else min(stop_at, self.steps)
        for step in range(self.step, last):
            begun = time.perf_counter()
            loss = self._step(step)
            self.loss = loss if math.isnan(self.loss) else 0.98 * self.loss + 0.02 * loss
            self.step, self.seconds = step + 1, self.seconds + time.perf_counter() - begun
            report(self.step, self.steps, self.loss)
            if self.step % save_every == 0 or self.step == last:
                self.save()
                self._log()
        return self.ema

    def _step(self, step: int) -> float:
        x, y = self._batch(step)
        rate = self.recipe.lr * rate_at(step, self.steps, self.recipe.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(_seed(self.recipe, step))  # drop path
        loss = F.cross_entropy(self.model(x), y, label_smoothing=self.recipe.label_smoothing)
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

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:  # -> (B, 3, side, side), (B,)
        epoch, place = divmod(step, self.per_epoch)
        order = np.random.default_rng((self.recipe.seed, epoch)).permutation(len(self.data.labels))
        chosen = np.sort(order[place * self.recipe.batch : (place + 1) * self.recipe.batch])
        random = torch.Generator().manual_seed(_seed(self.recipe, step))
        sides, shares = zip(*self.recipe.sizes, strict=True)
        side = sides[int(torch.multinomial(torch.tensor(shares), 1, generator=random))]
        images = torch.from_numpy(self.data.images[chosen]).to(self.device)
        labels = torch.from_numpy(self.data.labels[chosen]).to(self.device)
        return augment(images, side, self.recipe, random).contiguous(memory_format=torch.channels_last), labels

    def _log(self) -> None:
        path = self.folder / LOG
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(("step", "epoch", "loss", "seconds"))
            writer.writerow((self.step, f"{self.step / self.per_epoch:.3f}", f"{self.loss:.4f}", f"{self.seconds:.0f}"))

    def save(self) -> None:
        """Write checkpoint.pt whole or not at all."""
        state = {
            "recipe": self.recipe.name, "settings": self.recipe.as_json(), "data": self.data.digest,
            "step": self.step, "loss": self.loss, "seconds": self.seconds, "hardware": hardware(self.device),
            "model": self.model.state_dict(), "ema": self.ema.state_dict(), "optimizer": self.optimizer.state_dict(),
        }  # fmt: skip
        temporary = self.folder / f"{CHECKPOINT}.tmp"
        torch.save(state, temporary)
        os.replace(temporary, self.folder / CHECKPOINT)

    def resume(self) -> bool:
        """Continue from checkpoint.pt; False where there is none. WeightsMismatch if it belongs to another run."""
        if not (self.folder / CHECKPOINT).exists():
            return False
        state = read_run(self.folder, self.device)
        check_run(state, self.recipe, self.data.digest)
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.loss, self.seconds = state["step"], state["loss"], state["seconds"]
        return True


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
    """Raises WeightsMismatch unless a checkpoint was made by this recipe, as it is now, from these pictures."""
    settings = recipe.as_json()
    if (state["recipe"], state.get("settings", settings)) != (recipe.name, settings):
        raise WeightsMismatch(
            f"The checkpoint was made by another recipe: {state['recipe']}, not {recipe.name} as it stands.",
            remedy="Use the recipe it was begun with, or an empty folder.",
        )
    if state["data"] != digest:
        raise WeightsMismatch(
            f"The checkpoint was made from other pictures: their digest is {state['data'][:16]}…, not {digest[:16]}….",
            remedy="Give the pictures it was begun with, or an empty folder.",
        )


def planned_steps(recipe: Recipe, pictures: int) -> int:
    """How many steps a recipe takes on so many pictures. What does not fill a batch waits for the next epoch."""
    return max(1, round(max(1, pictures // recipe.batch) * recipe.epochs))


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


def _seed(recipe: Recipe, step: int) -> int:
    return int(np.random.SeedSequence((recipe.seed, step)).generate_state(1)[0])
