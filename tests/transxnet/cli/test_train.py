"""`train`, `evaluate` and `bundle` as typed, in this process."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from tests.tiny import one_thread  # noqa: F401  small tensors
from tests.torchrun import ranks
from transxnet.__main__ import main
from transxnet.cli import train as train_cli
from transxnet.training.batches import Batches
from transxnet.training.data import ImageSet
from transxnet.training.log import read_log
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
    source = ["--source", str(run / "transxnet_pico.safetensors")]
    assert main(["evaluate", "--data", val, *source, "--image-size", "32", "--device", "cpu", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["images"], result["left_out"], result["image_size"]) == (2, 1, 32)
    assert result["provenance"]["location"] == "transxnet_pico.safetensors"

    assert main(["evaluate", "--data", val, *source, "--image-size", "32", "--device", "cpu"]) == 0
    provenance, top1, top5, counts, *_ = capsys.readouterr().out.splitlines()
    assert provenance.startswith("pico: transxnet_pico.safetensors, sha256 ")
    assert top1.startswith(f"pico top-1: {result['top1']:.1%} (")
    assert top5.startswith(f"pico top-5: {result['top5']:.1%} (")
    assert counts == "2 images at 32 px, 1 of unknown classes left out"

    places = ["--run", str(run), "--data", data, "--val", val, "--photos", val, "--out", str(out)]
    assert main(["bundle", *places, "--device", "cpu", "--hardware", "an abacus"]) == 0
    captured = capsys.readouterr()
    card = json.loads(captured.out)
    assert card == json.loads((out / "transxnet_pico.json").read_text(encoding="utf-8"))
    assert card["data"]["digest"] == trained["data"]
    assert card["hardware"] == "an abacus"  # as typed; the run would say it too
    assert card["command"] == (
        "python -m transxnet bundle --run smoke --data data.zip --val val.zip --photos val.zip --out weights"
    )
    assert "measuring at 128 px on val.zip" in captured.err
    assert str(tmp_path) not in captured.out


def test_an_earlier_run_is_continued_or_kept_never_overwritten(data, tmp_path, capsys):
    assert train(data, tmp_path / "run") == 0
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    weights = (tmp_path / "run" / "transxnet_pico.safetensors").read_bytes()
    assert train(data, tmp_path / "run") == 2
    assert "The folder run holds a training run already. Add --resume" in capsys.readouterr().err
    assert train(data, tmp_path / "run", "--resume") == 0  # finished: no step is left
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before
    assert (tmp_path / "run" / "transxnet_pico.safetensors").read_bytes() == weights


def test_a_run_can_be_repeated(data, tmp_path):
    for name in ("one", "two"):
        torch.manual_seed(len(name) + ord(name[0]))  # whatever was drawn before
        assert train(data, tmp_path / name) == 0
    one, two = (load_file(tmp_path / name / "transxnet_pico.safetensors") for name in ("one", "two"))
    assert all(torch.equal(value, two[key]) for key, value in one.items())


def test_a_recipe_starts_where_it_says(data, tmp_path, capsys):
    assert train(data, tmp_path / "run", recipe="pico-first-light") == 2
    assert "Give the weights it continues by --from." in capsys.readouterr().err
    assert train(data, tmp_path / "run", "--from", "x.safetensors") == 2
    assert "smoke starts at random weights." in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.fixture
def continuing(monkeypatch) -> None:
    """`smoke` at a rate of 0, as a recipe that continues other weights."""
    monkeypatch.setattr(
        train_cli, "find_recipe", lambda name: dataclasses.replace(SMOKE, lr=0.0, start="other weights")
    )


@pytest.mark.usefixtures("continuing")
def test_a_run_begins_at_the_weights_given(data, tmp_path):
    start = untrained_model(PICO, seed=5).state_dict()
    save_file({key: value.contiguous() for key, value in start.items()}, tmp_path / "start.safetensors")
    assert train(data, tmp_path / "run", "--from", str(tmp_path / "start.safetensors")) == 0
    end = load_file(tmp_path / "run" / "transxnet_pico.safetensors")
    assert torch.allclose(end["classifier.2.weight"], start["classifier.2.weight"], atol=1e-7)
    assert end["patch_embed.proj.bn.num_batches_tracked"] == 2


@pytest.mark.usefixtures("continuing")
def test_weights_of_another_shape_are_refused(data, tmp_path, capsys):
    save_file({"x": torch.zeros(1)}, tmp_path / "start.safetensors")
    assert train(data, tmp_path / "run", "--from", str(tmp_path / "start.safetensors")) == 2
    assert "The tensors of start.safetensors do not fit the model" in capsys.readouterr().err


@pytest.mark.usefixtures("continuing")
def test_a_teacher_is_for_recipes_that_have_one(data, tmp_path, capsys, monkeypatch):
    assert train(data, tmp_path / "run", "--from", "x", "--teacher", "x") == 2
    monkeypatch.setattr(train_cli, "find_recipe", lambda name: dataclasses.replace(SMOKE, teacher="nano"))
    assert train(data, tmp_path / "run") == 2
    assert "No weights for transxnet_nano: every source failed" in capsys.readouterr().err


@pytest.fixture
def distilling(monkeypatch, tmp_path) -> list[str]:
    """`smoke` with a teacher of random weights; the options that give its weights."""
    monkeypatch.setattr(
        train_cli, "find_recipe", lambda name: dataclasses.replace(SMOKE, teacher="timm:tf_efficientnet_lite0")
    )
    torch.manual_seed(0)
    teacher = timm.create_model("tf_efficientnet_lite0", num_classes=200)
    save_file(teacher.state_dict(), tmp_path / "teacher.safetensors", metadata={"input": "64"})
    return ["--teacher", str(tmp_path / "teacher.safetensors")]


def test_distillation_reports_the_teacher_and_continues_from_a_snapshot(
    data, make_images, tmp_path, capsys, distilling
):
    val = str(make_images("val.zip", {FISH: 4, SALAMANDER: 4}, size=(70, 66)))
    options = [*distilling, "--val", val]
    assert train(data, tmp_path / "run", *options) == 0
    said = capsys.readouterr().err
    assert re.search(
        r"teacher: timm:tf_efficientnet_lite0 is right on [\d.]+% of 4 images at 32 px, the student on", said
    )
    snapshot = tmp_path / "run" / "smoke.safetensors"
    assert train(data, tmp_path / "again", *options, "--continue-from", str(snapshot)) == 0
    trained = json.loads(capsys.readouterr().out)
    assert trained["steps"] == 2
    end = load_file(tmp_path / "again" / "transxnet_pico.safetensors")
    for key, value in load_file(snapshot).items():  # no step was left
        assert torch.allclose(end[key].float(), value.float()), key


def test_teacher_worse_than_the_student_is_warned_about(capsys):
    class Measured:
        recipe, step, steps = dataclasses.replace(SMOKE, teacher="timm:x"), 0, 1
        batches = Batches(SMOKE, ImageSet(np.zeros((8, 2, 2, 3), np.uint8), np.zeros(8, np.int64), (FISH,), ""), 1)

        def teacher_accuracy(self):
            return 500, 0.02, 0.46

    train_cli._report_teacher(Measured())
    assert "teacher: timm:x is right on 2.0% of 500 images at 32 px, the student on 46.0%" in (
        said := capsys.readouterr().err
    )
    assert "warning: the teacher is less accurate than the student" in said


def test_two_workers_take_one_run_together(data, tmp_path, capsys):
    """Half of every batch each, gradients averaged: one checkpoint, that a third start continues."""
    arguments = ("-m", "transxnet", "train", "--recipe", "smoke", "--data", data, "--out", str(tmp_path))
    done = ranks(*arguments, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("{")]  # the chief's alone
    assert json.loads(line)["steps"] == 2
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert state["step"] == 2
    assert [row.step for row in read_log(tmp_path / "log.csv")] == [2]
    again = ranks(*arguments, "--device", "cpu", "--resume")  # nothing is left to do, and both know
    assert again.returncode == 0, again.stderr
    assert train(data, tmp_path, "--resume") == 2  # one alone would take other steps
    assert "The run was begun by 2 processes, not by 1." in capsys.readouterr().err


def test_wrong_names_are_answered_with_a_sentence(data, tmp_path, capsys):
    assert train(data, tmp_path / "run", recipe="pico") == 2
    assert "There is no recipe called 'pico'. Choose one of" in capsys.readouterr().err
    assert train(str(tmp_path / "absent.zip"), tmp_path / "run") == 2
    assert "There is no folder or zip 'absent.zip'" in capsys.readouterr().err
