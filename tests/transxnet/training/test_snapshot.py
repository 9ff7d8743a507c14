"""Snapshots: a run continues from its EMA weights alone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.fixtures import tiny_model
from transxnet.errors import SourceFailed, WeightsMismatch
from transxnet.model import TransXNet
from transxnet.training.data import ImageSet
from transxnet.training.log import read_log
from transxnet.training.loop import RESTART_WARMUP, Run, lr_factor
from transxnet.training.recipes import Recipe, find_recipe
from transxnet.training.snapshot import restart_from_snapshot
from transxnet.training.teacher import Teacher

RECIPE = dataclasses.replace(
    find_recipe("smoke"), name="distill", epochs=2.0, mixup=0.4, teacher="timm:x", sizes=((32, 1.0),)
)
CPU = torch.device("cpu")


def images(count: int, digest: str = "d") -> ImageSet:
    """Noise, the classes 0 and 1 in turn."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
    return ImageSet(pixels, np.arange(count) % 2, ("n01443537", "n01629819"), digest * 64)


def new_run(folder: Path, recipe: Recipe = RECIPE, data: ImageSet | None = None, seed: int = 0) -> Run:
    spec = dataclasses.replace(tiny_model.SPEC, num_classes=2, image_size=32)
    torch.manual_seed(seed)
    student = TransXNet(spec)
    teacher = Teacher(tiny_model.recipe_model(spec))
    return Run(recipe, student, data or images(32), folder, CPU, teacher=teacher, validation=images(10, "v"))


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of 8 steps, stopped at the end of its first epoch."""
    run = new_run(tmp_path_factory.mktemp("interrupted"))
    run.train(lambda *report: None, stop_at=4)
    return run


def test_snapshot_describes_the_run(interrupted):
    folder = interrupted.folder
    description = json.loads((folder / "distill.json").read_text(encoding="utf-8"))
    assert (description["step"], description["steps_planned"]) == (4, 8)
    assert description["recipe"] == json.loads(json.dumps(RECIPE.as_json()))
    assert description["held_out"] == {
        "top1": interrupted.accuracy(), "images": 5, "image_size": 32
    }  # fmt: skip
    assert [row.step for row in read_log(folder / "distill.csv")] == [4]
    weights = load_file(folder / "distill.safetensors")
    for key, value in interrupted.ema.state_dict().items():
        assert torch.equal(weights[key], value.half() if value.is_floating_point() else value), key


def test_run_continues_from_the_snapshot_alone(interrupted, tmp_path):
    run = new_run(tmp_path, seed=9)
    restart_from_snapshot(run, interrupted.folder / "distill.safetensors")
    assert (run.step, run.seconds >= 0) == (4, True)
    for module in (run.model, run.ema):
        for key, value in interrupted.ema.state_dict().items():
            assert torch.allclose(module.state_dict()[key].float(), value.float(), rtol=1e-3, atol=1e-4), key
    run.train(lambda *report: None)
    assert run.step == 8
    assert [row.step for row in read_log(run.log.path)] == [4, 8]


def test_rate_rises_again_after_a_restart(interrupted, tmp_path):
    run = new_run(tmp_path)
    restart_from_snapshot(run, interrupted.folder / "distill.safetensors")
    for step in range(4, 8):
        factor = (step - 4 + 1) / RESTART_WARMUP
        assert run.learning_rate(step) == pytest.approx(RECIPE.lr * lr_factor(step, 8, RECIPE.warmup) * factor)


def test_restarted_run_resumes_with_the_same_rate(interrupted, tmp_path):
    run = new_run(tmp_path)
    restart_from_snapshot(run, interrupted.folder / "distill.safetensors")
    run.train(lambda *report: None, stop_at=5)
    resumed = new_run(tmp_path)
    assert resumed.resume()
    assert [resumed.learning_rate(step) for step in range(5, 8)] == [run.learning_rate(step) for step in range(5, 8)]


@pytest.mark.parametrize(
    ("recipe", "data", "other"),
    [
        (dataclasses.replace(RECIPE, lr=1e-5), images(32), "recipe"),
        (RECIPE, images(32, "e"), "set of training images"),
    ],
)
def test_snapshot_of_another_run_is_refused(interrupted, tmp_path, recipe, data, other):
    run = new_run(tmp_path, recipe, data)
    with pytest.raises(WeightsMismatch, match=f"was made with another {other}"):
        restart_from_snapshot(run, interrupted.folder / "distill.safetensors")
    assert run.step == 0


def test_snapshot_with_another_teacher_is_refused(interrupted, tmp_path):
    run = new_run(tmp_path)
    torch.nn.init.ones_(run.teacher.model.classifier[2].weight)
    with pytest.raises(WeightsMismatch, match="was made with another teacher"):
        restart_from_snapshot(run, interrupted.folder / "distill.safetensors")


@pytest.mark.parametrize("text", [None, "", "{", "[1]", '{"step": "4"}'])
def test_damaged_description_is_refused(interrupted, tmp_path, text):
    path = tmp_path / "distill.safetensors"
    path.write_bytes((interrupted.folder / "distill.safetensors").read_bytes())
    if text is not None:
        path.with_suffix(".json").write_text(text, encoding="utf-8")
    with pytest.raises((SourceFailed, WeightsMismatch)):
        restart_from_snapshot(new_run(tmp_path / "run"), path)


def test_accuracy_uses_the_first_half_of_each_validation_class(tmp_path):
    run = new_run(tmp_path)
    assert run.num_measurement_images == 5  # of 5 images each: 2 of class 0, 3 of class 1
    torch.nn.init.zeros_(run.ema.classifier[2].weight)
    run.ema.classifier[2].bias.data = torch.tensor([0.0, 1.0])
    assert run.accuracy() == 3 / 5


def test_teacher_is_measured_through_the_training_path(tmp_path):
    run = new_run(tmp_path)
    torch.nn.init.zeros_(run.teacher.model.classifier[2].weight)
    run.teacher.model.classifier[2].bias.data = torch.tensor([1.0, 0.0])
    accuracy = run.teacher_accuracy()
    assert (accuracy.images, accuracy.image_size, accuracy.teacher) == (5, 32, 2 / 5)
    assert accuracy.student == run.accuracy()
