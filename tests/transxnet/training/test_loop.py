"""The training loop: formulas, learning, checkpoints, distillation, accuracies."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.fixtures import tiny_model
from transxnet.errors import SourceFailed, WeightsError, WeightsMismatch
from transxnet.labels import label_set
from transxnet.model import TransXNet
from transxnet.training.data import ImageSet
from transxnet.training.log import Row, read_log
from transxnet.training.loop import Run, distillation, lr_factor, parameter_groups, read_run, update_ema
from transxnet.training.recipes import Recipe, find_recipe
from transxnet.training.teacher import Teacher

SMOKE = find_recipe("smoke")
CPU = torch.device("cpu")
SPEC = dataclasses.replace(tiny_model.SPEC, depths=(1, 1, 1, 1), num_classes=40)


def silent(step: int, steps: int, loss: float) -> None:
    pass


def random_images(n: int, digest: str = "d" * 64) -> ImageSet:
    """Noise; image i has class i."""
    images = np.random.default_rng(0).integers(0, 256, (n, 64, 64, 3), dtype=np.uint8)
    return ImageSet(images, np.arange(n), label_set(f"numbered-{n}"), digest)


def colored_images(n: int) -> ImageSet:
    """Class 0 is red, class 1 blue, both speckled."""
    images = np.random.default_rng(0).integers(0, 100, (n, 64, 64, 3), dtype=np.uint8)
    images[: n // 2, :, :, 0] += 150
    images[n // 2 :, :, :, 2] += 150
    return ImageSet(images, (np.arange(n) >= n // 2).astype(np.int64), label_set("numbered-2"), "c" * 64)


def tiny_run(folder: Path, data: ImageSet, recipe: Recipe = SMOKE) -> Run:
    torch.manual_seed(0)
    return Run(recipe, TransXNet(SPEC), data, folder, CPU)


# --- Formulas ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "factor"),
    [
        (0, 1 / 10), (4, 5 / 10), (9, 1.0),  # linear over the first tenth
        (10, 1.0), (40, 0.75), (55, 0.5), (70, 0.25),  # half a cosine over the rest: 1/3, 1/2 and 2/3 of it
        (99, 0.5 * (1 + math.cos(math.pi * 89 / 90))), (100, 0.0),
    ],
)  # fmt: skip
def test_learning_rate(step, factor):
    assert lr_factor(step, 100, 0.1) == pytest.approx(factor, abs=1e-12)


def test_learning_rate_of_short_runs():
    assert [lr_factor(step, 2, 0.05) for step in range(2)] == [1.0, 1.0]
    assert lr_factor(0, 1, 0.05) == 1.0


def test_parameters_without_weight_decay():
    model = TransXNet(tiny_model.SPEC)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    decayed, excluded = parameter_groups(model, SMOKE)
    assert (decayed["weight_decay"], excluded["weight_decay"]) == (0.05, 0.0)
    decayed, excluded = ({names[id(p)] for p in group["params"]} for group in (decayed, excluded))
    assert decayed | excluded == set(names.values())
    assert not decayed & excluded
    for name in (
        "relative_pos_enc.0", "network.0.1.layer_scale_1.weight", "network.0.1.layer_scale_2.bias",
        "network.2.0.norm1.weight", "patch_embed.proj.bn.weight", "classifier.2.bias", "network.4.2.pos_embed.bias",
    ):  # fmt: skip
        assert name in excluded
    for name in (
        "patch_embed.proj.conv.weight", "classifier.2.weight", "network.4.2.pos_embed.weight",
        "network.0.0.token_mixer.local_unit.weight", "network.6.1.token_mixer.global_unit.kv.weight",
    ):  # fmt: skip
        assert name in decayed


def test_ema_of_a_known_case():
    ema, model = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    for module, weight, count in ((ema, 2.0, 3), (model, 7.0, 9)):
        nn.init.constant_(module.weight, weight)
        module.num_batches_tracked.fill_(count)
    model.running_mean.fill_(10.0)
    update_ema(ema, model, 0.9)
    assert ema.weight.item() == pytest.approx(0.9 * 2 + 0.1 * 7)
    assert ema.running_mean.item() == pytest.approx(0.1 * 10)  # BatchNorm's statistics too
    assert ema.num_batches_tracked.item() == 9


def test_ema_decays_faster_at_first(tmp_path):
    """decay = min(recipe.ema, (1 + step) / (10 + step)): 0.1 in step 0."""
    run = tiny_run(tmp_path, random_images(32))
    start = {key: value.clone() for key, value in run.model.state_dict().items()}
    ema = run.train(silent, stop_at=1).state_dict()
    for key, value in run.model.state_dict().items():
        expected = 0.1 * start[key] + 0.9 * value if value.is_floating_point() else value
        assert torch.allclose(ema[key], expected, rtol=1e-5, atol=1e-7), key


def test_distillation_of_a_known_case():
    """T^2 sum p log(p/q), p and q softened by T: two classes, teacher undecided, student 3 : 1."""
    student, teacher = torch.tensor([[2 * math.log(3.0), 0.0]]), torch.zeros(1, 2)
    expected = 4 * (0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25))
    assert distillation(student, teacher, temperature=2.0).item() == pytest.approx(expected, rel=1e-6)
    assert distillation(student, student + 5, temperature=2.0).item() == pytest.approx(0, abs=1e-6)  # logits may shift


# --- Runs -------------------------------------------------------------------------------------------------------------


def test_loss_falls_and_classes_are_learned(tmp_path):
    recipe = dataclasses.replace(SMOKE, epochs=6, lr=3e-3, label_smoothing=0.0)
    data = colored_images(32)
    run = tiny_run(tmp_path, data, recipe)
    first = run._step(0, *run.batches[0])
    model = run.train(silent)
    assert first > math.log(40) - 0.5  # near random among 40 classes
    x = torch.from_numpy(data.images).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(v)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.no_grad():
        predictions = model((x - mean) / std).argmax(dim=1)
    assert (predictions.numpy() == data.labels).all()
    assert run.loss < first - 0.5  # smoothed over about 50 steps


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    """A run of four steps of recipe `smoke`, and the folder of one stopped after two."""
    runs = []
    for stop_at in (None, 2):
        torch.manual_seed(0)
        model = TransXNet(SPEC, drop_path_rate=0.1)  # it draws random numbers too
        runs.append(Run(SMOKE, model, random_images(32), tmp_path_factory.mktemp("run"), CPU))
        runs[-1].train(silent, stop_at=stop_at)
    complete, stopped = runs
    assert (complete.step, complete.steps, stopped.step) == (4, 4, 2)
    return complete, stopped.folder


def test_resumed_run_equals_uninterrupted_run(smoke):
    complete, folder = smoke
    torch.manual_seed(99)  # other weights and random numbers than before
    model = TransXNet(SPEC, drop_path_rate=0.1)
    run = Run(SMOKE, model, random_images(32), folder, CPU)
    assert run.resume()
    seconds = run.seconds
    assert (run.step, seconds > 0) == (2, True)
    reports = []
    run.train(lambda *report: reports.append(report))
    assert reports[-1] == (4, 4, complete.loss)
    assert [step for step, _, _ in reports] == [3, 4]
    assert run.seconds > seconds
    for ours, other in ((run.model, complete.model), (run.ema, complete.ema)):
        expected = other.state_dict()
        assert all(torch.equal(value, expected[key]) for key, value in ours.state_dict().items())
    with (folder / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert [row[:2] for row in rows] == [["step", "epoch"], ["2", "0.500"], ["4", "1.000"]]
    assert rows[-1][3] == f"{complete.loss:.4f}"


def test_checkpoint_describes_the_run(smoke):
    complete, _ = smoke
    state = read_run(complete.folder, CPU)
    assert (state["recipe"], state["settings"]) == ("smoke", SMOKE.as_json())
    assert (state["data"], state["step"], state["loss"]) == ("d" * 64, 4, complete.loss)
    assert "CPU thread" in state["hardware"]


def test_resume_of_an_empty_folder(tmp_path):
    run = tiny_run(tmp_path / "new", random_images(8))
    assert run.resume() is False
    assert run.step == 0


@pytest.mark.parametrize(
    ("recipe", "digest", "message"),
    [
        (dataclasses.replace(SMOKE, name="other"), "d" * 64, "by another recipe: smoke, not the current other"),
        (dataclasses.replace(SMOKE, lr=2e-3), "d" * 64, "by another recipe: smoke, not the current smoke"),
        (SMOKE, "e" * 64, "from other images: their digest is dddddddddddddddd…, not eeeeeeeeeeeeeeee…"),
    ],
)
def test_checkpoint_of_another_run_is_refused(tmp_path, recipe, digest, message):
    tiny_run(tmp_path, random_images(8)).save()
    with pytest.raises(WeightsMismatch, match=message):
        tiny_run(tmp_path, random_images(8, digest), recipe).resume()


def test_checkpoint_without_settings_is_continued(tmp_path):
    tiny_run(tmp_path, random_images(8)).save()
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    del state["settings"], state["hardware"]
    torch.save(state, tmp_path / "checkpoint.pt")
    assert tiny_run(tmp_path, random_images(8)).resume()


def test_checkpoint_without_newer_fields_is_continued(tmp_path):
    """A field that was added later had its default before."""
    tiny_run(tmp_path, random_images(8)).save()
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    del state["settings"]["mixup"], state["settings"]["teacher"]
    torch.save(state, tmp_path / "checkpoint.pt")
    assert tiny_run(tmp_path, random_images(8)).resume()
    with pytest.raises(WeightsMismatch, match="by another recipe"):
        tiny_run(tmp_path, random_images(8), dataclasses.replace(SMOKE, mixup=0.2)).resume()


@pytest.mark.parametrize("content", [b"", b"half a file", {"model": {}}, [1, 2]])
def test_damaged_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "checkpoint.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(SourceFailed, match=r"The checkpoint.pt of .* is damaged or not that of a training run"):
        read_run(tmp_path, CPU)


def test_diverged_run_keeps_its_checkpoint(tmp_path):
    run = tiny_run(tmp_path, random_images(32))
    run.train(silent, stop_at=1)
    nn.init.constant_(run.model.classifier[2].bias, math.nan)
    with pytest.raises(WeightsError, match="The training diverged: loss nan, gradient norm nan at step 1"):
        run.train(silent, save_every=1)
    state = read_run(tmp_path, CPU)
    assert state["step"] == 1
    assert all(value.isfinite().all() for value in state["model"].values())


# --- A recipe with all features ---------------------------------------------------------------------------------------

ALL = dataclasses.replace(
    SMOKE, epochs=1.0, sizes=((32, 0.5), (64, 0.5)), progressive=True, blur=0.5, randaugment="rand-m7-mstd0.5-inc1",
    erasing=0.5, mixup=0.2, cutmix=1.0, drop_path=0.1, held_out=0.25, teacher="nano", bf16=True,
)  # fmt: skip


def full_run(folder: Path, **options: object) -> Run:
    spec = dataclasses.replace(SPEC, num_classes=2, image_size=64)
    torch.manual_seed(0)
    model = TransXNet(spec, drop_path_rate=0.1)
    return Run(ALL, model, colored_images(32), folder, CPU, teacher=Teacher(tiny_model.recipe_model(spec)), **options)


def test_resumed_run_with_all_features(tmp_path):
    complete = full_run(tmp_path / "complete")
    complete.train(silent)
    full_run(tmp_path / "half").train(silent, stop_at=2)
    rest = full_run(tmp_path / "half")
    assert rest.resume()
    rest.train(silent)
    expected = complete.model.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in rest.model.state_dict().items())
    assert rest.loss == complete.loss


def test_data_loading_processes_change_nothing(tmp_path):
    single, parallel = full_run(tmp_path / "0"), full_run(tmp_path / "2", num_workers=2)
    for run in (single, parallel):
        run.train(silent)
    expected = single.model.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in parallel.model.state_dict().items())


def test_loss_with_distillation(tmp_path):
    """loss = (1 - a) cross-entropy + a distillation, from the same logits."""
    run = full_run(tmp_path)
    x, y = torch.randn(4, 3, 64, 64), torch.tensor([0, 1, 1, 0])
    logits = torch.tensor([[1.0, -1.0], [0.5, 0.0], [0.0, 2.0], [0.0, 0.0]])
    run.recipe = dataclasses.replace(ALL, bf16=False, distillation=0.3, label_smoothing=0.0)
    with torch.no_grad():
        teacher_loss = distillation(logits, run.teacher(x), 2.0)
    expected = 0.7 * nn.functional.cross_entropy(logits, y) + 0.3 * teacher_loss
    assert run._loss(logits, x, y).item() == pytest.approx(expected.item(), rel=1e-6)


def test_accuracy_is_on_held_out_images(tmp_path):
    run = full_run(tmp_path)
    assert len(run.batches.held_out) == 8  # a quarter of 32
    nn.init.zeros_(run.ema.classifier[2].weight)
    run.ema.classifier[2].bias.data = torch.tensor([0.0, 1.0])  # always class 1: half of the images
    assert run.accuracy() == 0.5
    run = full_run(tmp_path / "one class")
    run.batches.held_out = np.flatnonzero(run.data.labels == 1)
    run.ema.classifier[2].bias.data = torch.tensor([-1e6, 1e6])
    assert run.accuracy() == 1.0


def test_log_has_the_accuracy_of_every_epoch(tmp_path):
    run = full_run(tmp_path)  # 24 images, 8 per step: an epoch of 3 steps
    run.train(silent, save_every=1)
    rows = read_log(tmp_path / "log.csv")
    assert [row.step for row in rows] == [1, 2, 3]
    assert [row.held_out_top1 for row in rows] == [None, None, run.accuracy()]
    assert [row.rate for row in rows] == pytest.approx([run.learning_rate(step) for step in range(3)], rel=1e-3)


def test_log_is_truncated_to_the_checkpoint(tmp_path):
    run = full_run(tmp_path)
    run.train(silent, stop_at=2, save_every=1)
    run.log.append(Row(3, 1.0, 0.1, 9.9, 1.0))  # written, but killed before the checkpoint was
    again = full_run(tmp_path)
    again.resume()
    assert [row.step for row in read_log(tmp_path / "log.csv")] == [1, 2]


def test_resume_needs_same_processes_and_teacher(tmp_path):
    full_run(tmp_path).train(silent, stop_at=1)
    with pytest.raises(WeightsMismatch, match="The run was started with 1 processes, not with 2"):
        _as_one_of_two(full_run(tmp_path)).resume()
    other = full_run(tmp_path)
    nn.init.ones_(other.teacher.model.classifier[2].weight)
    with pytest.raises(WeightsMismatch, match="The run was started with another teacher"):
        other.resume()


def _as_one_of_two(run: Run) -> Run:
    run.world_size = 2
    return run
