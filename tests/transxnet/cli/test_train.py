"""`python -m transxnet train`, `evaluate` and `bundle`, from training to a bundle."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from tests.torchrun import ranks
from transxnet.__main__ import main
from transxnet.cli import train as train_command
from transxnet.training.log import read_log
from transxnet.training.loop import TeacherAccuracy
from transxnet.training.recipes import find_recipe
from transxnet.variants import find_variant
from transxnet.weights.checkpoint import untrained_model

FISH, SALAMANDER, TENCH = "n01443537", "n01629819", "n01440764"
SMOKE = find_recipe("smoke")
PICO = find_variant("pico")


@pytest.fixture
def data(make_images) -> str:
    return str(make_images("data.zip", {FISH: 9, SALAMANDER: 8}))  # two batches of `smoke`


def train(data: str, out, *more: str, recipe: str = "smoke") -> int:
    return main(["train", "--recipe", recipe, "--data", data, "--out", str(out), "--device", "cpu", *more])


def test_from_training_to_a_bundle(data, make_images, tmp_path, capsys):
    run, out = tmp_path / "runs" / "smoke", tmp_path / "weights"
    assert train(data, run) == 0
    trained = json.loads(capsys.readouterr().out)
    assert (trained["recipe"]["name"], trained["steps"], trained["loss"] > 0) == ("smoke", 2, True)
    assert {path.name for path in run.iterdir()} == {"checkpoint.pt", "log.csv", "transxnet_pico.safetensors"}

    val = str(make_images("val.zip", {FISH: 2, TENCH: 1}, size=(70, 66)))  # other images than those trained on
    source = ["--models", f"pico={run / 'transxnet_pico.safetensors'}"]
    assert main(["evaluate", "--data", val, *source, "--image-size", "32", "--device", "cpu", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["images"], result["left_out"], result["image_size"]) == (2, 1, 32)
    assert result["provenance"]["location"] == "transxnet_pico.safetensors"

    assert main(["evaluate", "--data", val, *source, "--image-size", "32", "--device", "cpu"]) == 0
    provenance, top1, top5, counts, *_ = capsys.readouterr().out.splitlines()
    assert provenance.startswith("pico: Weights from transxnet_pico.safetensors (SHA-256 ")
    assert top1.startswith(f"pico top-1: {result['top1']:.1%} (")
    assert top5.startswith(f"pico top-5: {result['top5']:.1%} (")
    assert counts == f"2 images at 32 px; 1 images of other classes excluded ({TENCH})"

    paths = ["--run", str(run), "--data", data, "--val", val, "--photos", val, "--out", str(out)]
    assert main(["bundle", *paths, "--device", "cpu", "--hardware", "an abacus"]) == 0
    captured = capsys.readouterr()
    card = json.loads(captured.out)
    assert card == json.loads((out / "transxnet_pico.json").read_text(encoding="utf-8"))
    assert card["data"]["digest"] == trained["data"]
    assert card["hardware"] == "an abacus"  # as given, although the run recorded it
    assert card["command"] == (
        "python -m transxnet bundle --run smoke --data data.zip --val val.zip --photos val.zip --out weights"
    )
    assert "measuring accuracy at 128 px on val.zip" in captured.err
    assert str(tmp_path) not in captured.out


def test_earlier_run_is_never_overwritten(data, tmp_path, capsys):
    assert train(data, tmp_path / "run") == 0
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    weights = (tmp_path / "run" / "transxnet_pico.safetensors").read_bytes()
    assert train(data, tmp_path / "run") == 2
    assert "The folder run already holds a training run. Add --resume" in capsys.readouterr().err
    assert train(data, tmp_path / "run", "--resume") == 0  # finished: no step remains
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before
    assert (tmp_path / "run" / "transxnet_pico.safetensors").read_bytes() == weights


def test_runs_are_reproducible(data, tmp_path):
    for seed, name in enumerate(("first", "second")):
        torch.manual_seed(seed)  # must not matter
        assert train(data, tmp_path / name) == 0
    first, second = (load_file(tmp_path / name / "transxnet_pico.safetensors") for name in ("first", "second"))
    assert all(torch.equal(value, second[key]) for key, value in first.items())


def test_initial_checkpoint_must_match_the_recipe(data, tmp_path, capsys):
    assert train(data, tmp_path / "run", recipe="pico-first-light") == 2
    assert "Pass the weights it continues with --initial-checkpoint." in capsys.readouterr().err
    assert train(data, tmp_path / "run", "--initial-checkpoint", "x.safetensors") == 2
    assert "smoke starts from random weights." in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.fixture
def continuing(monkeypatch) -> None:
    """`smoke` with a learning rate of 0, as a recipe that continues other weights."""
    monkeypatch.setattr(
        train_command, "find_recipe", lambda name: dataclasses.replace(SMOKE, lr=0.0, start="other weights")
    )


@pytest.mark.usefixtures("continuing")
def test_run_starts_from_the_checkpoint(data, tmp_path):
    start = untrained_model(PICO, seed=5).state_dict()
    save_file({key: value.contiguous() for key, value in start.items()}, tmp_path / "start.safetensors")
    assert train(data, tmp_path / "run", "--initial-checkpoint", str(tmp_path / "start.safetensors")) == 0
    end = load_file(tmp_path / "run" / "transxnet_pico.safetensors")
    assert torch.allclose(end["classifier.2.weight"], start["classifier.2.weight"], atol=1e-7)
    assert end["patch_embed.proj.bn.num_batches_tracked"] == 2


@pytest.mark.usefixtures("continuing")
def test_checkpoint_of_another_shape_is_refused(data, tmp_path, capsys):
    save_file({"x": torch.zeros(1)}, tmp_path / "start.safetensors")
    assert train(data, tmp_path / "run", "--initial-checkpoint", str(tmp_path / "start.safetensors")) == 2
    assert "The tensors of start.safetensors do not fit the model" in capsys.readouterr().err


@pytest.mark.usefixtures("continuing")
def test_teacher_must_match_the_recipe(data, tmp_path, capsys, monkeypatch):
    assert train(data, tmp_path / "run", "--initial-checkpoint", "x", "--teacher", "x") == 2
    monkeypatch.setattr(train_command, "find_recipe", lambda name: dataclasses.replace(SMOKE, teacher="nano"))
    assert train(data, tmp_path / "run") == 2
    assert "No weights for transxnet_nano: every source failed" in capsys.readouterr().err


@pytest.fixture
def distilling(monkeypatch, tmp_path) -> list[str]:
    """`smoke` with a teacher of random weights; returns the options for its weights."""
    monkeypatch.setattr(
        train_command, "find_recipe", lambda name: dataclasses.replace(SMOKE, teacher="timm:tf_efficientnet_lite0")
    )
    torch.manual_seed(0)
    teacher = timm.create_model("tf_efficientnet_lite0", num_classes=200)
    save_file(teacher.state_dict(), tmp_path / "teacher.safetensors", metadata={"input": "64"})
    return ["--teacher", str(tmp_path / "teacher.safetensors")]


def test_distilled_run_continues_from_a_snapshot(data, make_images, tmp_path, capsys, distilling):
    val = str(make_images("val.zip", {FISH: 4, SALAMANDER: 4}, size=(70, 66)))
    options = [*distilling, "--val", val]
    assert train(data, tmp_path / "run", *options) == 0
    pattern = r"accuracy on 4 images at 32 px: teacher timm:tf_efficientnet_lite0 [\d.]+%, student [\d.]+%"
    assert re.search(pattern, capsys.readouterr().err)
    snapshot = tmp_path / "run" / "smoke.safetensors"
    assert train(data, tmp_path / "again", *options, "--continue-from", str(snapshot)) == 0
    trained = json.loads(capsys.readouterr().out)
    assert trained["steps"] == 2
    end = load_file(tmp_path / "again" / "transxnet_pico.safetensors")
    for key, value in load_file(snapshot).items():  # no step remained
        assert torch.allclose(end[key].float(), value.float()), key


def test_weak_teacher_is_warned_about(capsys):
    class FakeRun:
        recipe = dataclasses.replace(SMOKE, teacher="timm:x")

        def teacher_accuracy(self):
            return TeacherAccuracy(500, 32, 0.02, 0.46)

    train_command._report_teacher(FakeRun())
    text = capsys.readouterr().err
    assert "accuracy on 500 images at 32 px: teacher timm:x 2.0%, student 46.0%" in text
    assert "warning: the teacher is less accurate than the student" in text


def test_two_processes_train_one_run(data, tmp_path, capsys):
    """Each takes half of every batch, gradients are averaged, and --resume continues the checkpoint."""
    arguments = ("-m", "transxnet", "train", "--recipe", "smoke", "--data", data, "--out", str(tmp_path))
    process = ranks(*arguments, "--device", "cpu")
    assert process.returncode == 0, process.stderr
    (line,) = [line for line in process.stdout.splitlines() if line.startswith("{")]  # of the main process only
    assert json.loads(line)["steps"] == 2
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert state["step"] == 2
    assert [row.step for row in read_log(tmp_path / "log.csv")] == [2]
    again = ranks(*arguments, "--device", "cpu", "--resume")  # nothing remains
    assert again.returncode == 0, again.stderr
    assert train(data, tmp_path, "--resume") == 2  # a single process would take other steps
    assert "The run was started with 2 processes, not with 1." in capsys.readouterr().err


def test_unknown_recipe_and_data_are_explained(data, tmp_path, capsys):
    assert train(data, tmp_path / "run", recipe="pico") == 2
    assert "There is no recipe called 'pico'. Choose one of" in capsys.readouterr().err
    assert train(str(tmp_path / "absent.zip"), tmp_path / "run") == 2
    assert "There is no file or folder 'absent.zip'" in capsys.readouterr().err
