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
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import WeightsMismatch
from ..model import TransXNet
from .augment import augment
from .data import PictureSet
from .recipes import Recipe

Report = Callable[[int, int, float], None]  # step, steps, smoothed loss


class Run:
    """One training run. `step` is the next step to take; `ema` holds the weights to keep.

    folder: where checkpoint.pt and log.csv are written; a checkpoint found there is continued.
    """

    def __init__(self, recipe: Recipe, model: TransXNet, data: PictureSet, folder: Path, device: torch.device):
        self.recipe, self.data, self.folder, self.device = recipe, data, folder, device
        self.model = model.to(device, memory_format=torch.channels_last).train()
        self.ema = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.optimizer = torch.optim.AdamW(parameter_groups(self.model, recipe.weight_decay), lr=recipe.lr)
        self.per_epoch = max(1, len(data.labels) // recipe.batch)
        self.steps = max(1, round(self.per_epoch * recipe.epochs))
        self.step, self.loss, self.seconds = 0, math.nan, 0.0
        folder.mkdir(parents=True, exist_ok=True)

    def train(self, report: Report, save_every: int = 50, stop_at: int | None = None) -> nn.Module:
        """Take the steps that are left (or up to stop_at) and return the EMA model."""
        for step in range(self.step, min(stop_at or self.steps, self.steps)):
            begun = time.perf_counter()
            loss = self._step(step)
            self.loss = loss if math.isnan(self.loss) else 0.98 * self.loss + 0.02 * loss
            self.step, self.seconds = step + 1, self.seconds + time.perf_counter() - begun
            report(self.step, self.steps, self.loss)
            if self.step % save_every == 0 or self.step == self.steps:
                self._log()
                self.save()
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
        nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.grad_clip)
        self.optimizer.step()
        self._average(step)
        return loss.item()

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        epoch, place = divmod(step, self.per_epoch)
        order = np.random.default_rng((self.recipe.seed, epoch)).permutation(len(self.data.labels))
        chosen = order[place * self.recipe.batch : (place + 1) * self.recipe.batch]
        random = torch.Generator().manual_seed(_seed(self.recipe, step))
        sides, shares = zip(*self.recipe.sizes, strict=True)
        side = sides[int(torch.multinomial(torch.tensor(shares), 1, generator=random))]
        images = torch.from_numpy(self.data.images[np.sort(chosen)]).to(self.device)
        labels = torch.from_numpy(self.data.labels[np.sort(chosen)]).to(self.device)
        return augment(images, side, self.recipe, random).contiguous(memory_format=torch.channels_last), labels

    @torch.no_grad()
    def _average(self, step: int) -> None:
        decay = min(self.recipe.ema, (1 + step) / (10 + step))
        for kept, now in zip(self.ema.state_dict().values(), self.model.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(now, 1 - decay)
            else:
                kept.copy_(now)

    def _log(self) -> None:
        path = self.folder / "log.csv"
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(("step", "epoch", "loss", "seconds"))
            writer.writerow((self.step, f"{self.step / self.per_epoch:.3f}", f"{self.loss:.4f}", f"{self.seconds:.0f}"))

    def save(self) -> None:
        """Write checkpoint.pt whole or not at all."""
        state = {
            "recipe": self.recipe.name, "data": self.data.digest, "step": self.step, "loss": self.loss,
            "seconds": self.seconds, "model": self.model.state_dict(), "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }  # fmt: skip
        temporary = self.folder / "checkpoint.tmp"
        torch.save(state, temporary)
        os.replace(temporary, self.folder / "checkpoint.pt")

    def resume(self) -> bool:
        """Continue from checkpoint.pt if there is one made by this recipe on these pictures."""
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location=self.device, weights_only=True)
        if (state["recipe"], state["data"]) != (self.recipe.name, self.data.digest):
            raise WeightsMismatch(
                "The checkpoint found was made by another recipe or from other pictures.",
                remedy="Train into an empty folder, or with the recipe and the data it was begun with.",
                detail=str(path),
            )
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.loss, self.seconds = state["step"], state["loss"], state["seconds"]
        return True


def rate_at(step: int, steps: int, warmup: float) -> float:
    """The learning rate at a step, as a factor: linear warm-up, then half a cosine down to 0."""
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


def _seed(recipe: Recipe, step: int) -> int:
    return int(np.random.SeedSequence((recipe.seed, step)).generate_state(1)[0])
