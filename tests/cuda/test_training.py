"""Training on a CUDA device: a recipe with all features, resumed, and losses close to the CPU's."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.fixtures import tiny_model
from transxnet.model import TransXNet
from transxnet.training.data import ImageSet
from transxnet.training.loop import Run
from transxnet.training.recipes import Recipe, find_recipe

pytestmark = pytest.mark.cuda
SMOKE = find_recipe("smoke")
ALL = dataclasses.replace(
    SMOKE, epochs=2.0, sizes=((32, 0.5), (64, 0.5)), progressive=True, blur=0.5, randaugment="rand-m7-mstd0.5-inc1",
    erasing=0.5, mixup=0.2, cutmix=1.0, drop_path=0.1, held_out=0.25, teacher="nano", bf16=True,
)  # fmt: skip


def run(folder: Path, recipe: Recipe, device: str, **options: object) -> Run:
    images = np.random.default_rng(0).integers(0, 256, (64, 64, 64, 3), dtype=np.uint8)
    data = ImageSet(images, np.arange(64) % 7, ("n01443537",) * 7, "d" * 64)
    teacher = tiny_model.recipe_model().to(device) if recipe.teacher else None
    torch.manual_seed(0)
    model = TransXNet(tiny_model.SPEC, drop_path_rate=recipe.drop_path)
    return Run(recipe, model, data, folder, torch.device(device), teacher=teacher, **options)


def test_losses_equal_those_on_the_cpu(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    losses = {}
    for device in ("cpu", "cuda"):
        values = losses[device] = []
        run(tmp_path / device, SMOKE, device).train(lambda step, steps, loss, v=values: v.append(loss), stop_at=4)
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=1e-3)


def test_all_features_run_and_resume(tmp_path):
    run(tmp_path, ALL, "cuda", num_workers=2).train(lambda *report: None, stop_at=3)
    rest = run(tmp_path, ALL, "cuda", num_workers=2)
    assert rest.resume()
    ema = rest.train(lambda *report: None)
    assert rest.step == rest.steps == 10
    assert all(value.isfinite().all() for value in ema.state_dict().values())
    assert 0 <= rest.accuracy() <= 1
