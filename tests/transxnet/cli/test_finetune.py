"""`train --recipe finetune`: classes, start, files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import timm
import torch

from tests.fixtures.drawn_classes import CLASSES, draw_classes
from transxnet.__main__ import main
from transxnet.training.log import read_log
from transxnet.weights.load import load

SHORT = ["--epochs", "1", "--batch-size", "6", "--image-size", "32", "--device", "cpu"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw_classes(tmp_path / "train", 2)
    draw_classes(tmp_path / "val", 1, seed=1)
    return tmp_path


def finetune(folder: Path, *more: str, recipe: str = "finetune", start: str = "pico", code: int = 0) -> None:
    paths = ["--data", str(folder / "train"), "--out", str(folder / "shapes"), "--from", start]
    assert main(["train", "--recipe", recipe, *paths, *SHORT, *more]) == code


def test_result_is_a_model_of_its_own(folder, capsys):
    finetune(folder, "--val", str(folder / "val"))
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert (result["steps"], result["classes"], result["accuracy"]["images"]) == (1, list(CLASSES), 3)
    assert f"open it: python app.py --model shapes={folder / 'shapes'}" in captured.err
    assert {path.name for path in (folder / "shapes").iterdir()} == {
        "checkpoint.pt", "class_names.txt", "config.json", "log.csv", "model.json", "model.safetensors", "README.md",
    }  # fmt: skip

    loaded = load("shapes", folder / "shapes", "cpu")
    assert (loaded.spec.labels.names, loaded.spec.image_size) == (CLASSES, 32)
    assert loaded.spec.architecture == "transxnet_pico"
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    same = timm.create_model(f"local-dir:{folder / 'shapes'}", pretrained=True).eval()
    assert torch.equal(same(x), loaded.model(x))
    (row,) = read_log(folder / "shapes" / "log.csv")
    assert row.held_out_top1 == pytest.approx(result["held_out_top1"], abs=1e-4)

    card = (folder / "shapes" / "README.md").read_text(encoding="utf-8")
    assert "| classes | 3 (shapes) |" in card
    assert "| initialization | pico: Bundled weights (SHA-256 d9c924d8…)" in card
    assert 'transxnet.load("shapes", "shapes")' in card
    assert "| 3 validation images (val) | 32 px |" in card


def test_checkpoint_of_the_run_opens_with_its_class_names(folder):
    finetune(folder)
    assert load("shapes", folder / "shapes" / "checkpoint.pt", "cpu").spec.labels.names == CLASSES


def test_published_folder_has_the_card_and_the_names(folder, tmp_path, capsys):
    finetune(folder)
    source, out = f"shapes={folder / 'shapes'}", tmp_path / "published"
    assert main(["publish", "--model", source, "--to", "lens-tests", "--dry-run", "--out", str(out)]) == 0
    assert load("other", out, "cpu").spec.labels.names == CLASSES
    assert "| run | trains a model for other classes" in (out / "README.md").read_text(encoding="utf-8")
    assert (out / "log.csv").is_file()


def test_linear_probe_changes_the_classifier_only(folder):
    finetune(folder, recipe="linear-probe")
    before, after = (
        load("pico", device="cpu").model.state_dict(),
        load("shapes", folder / "shapes", "cpu").model.state_dict(),
    )
    changed = {
        key for key in after if before[key].shape != after[key].shape or not torch.equal(before[key], after[key])
    }
    assert changed == {"classifier.2.weight", "classifier.2.bias"}


def test_finetuned_file_is_continued_with_its_classifier(folder):
    """The classes are the same: the classifier is kept, and a step at rate 0 changes no weight."""
    finetune(folder)
    first = folder / "shapes" / "model.safetensors"
    second = folder / "again"
    paths = ["--data", str(folder / "train"), "--out", str(second), "--from", str(folder / "shapes")]
    assert main(["train", "--recipe", "linear-probe", *paths, *SHORT, "--lr", "1e-12"]) == 0
    before, after = (load("m", path, "cpu").model.state_dict() for path in (first, second))
    assert torch.allclose(before["classifier.2.weight"], after["classifier.2.weight"], atol=1e-6)


def test_other_classes_in_the_same_folder_are_refused(folder, capsys):
    finetune(folder)
    (folder / "train" / "circle").rename(folder / "train" / "disk")
    finetune(folder, "--resume", code=2)
    assert "names other classes than the training images have" in capsys.readouterr().err


def test_other_settings_are_not_resumed(folder, capsys):
    finetune(folder)
    finetune(folder, "--resume", "--lr", "0.01", code=2)
    error = capsys.readouterr().err
    assert "made by another recipe" in error
    assert "lr 0.0003, not 0.01" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "finetune"], "finetune continues a model. Name it: --from pico"),
        (["--recipe", "smoke", "--epochs", "3"], "--epochs is not an option of smoke"),
        (["--recipe", "smoke", "--from", "pico"], "--from is not an option of smoke"),
        (["--recipe", "finetune", "--from", "pico", "--initial-checkpoint", "x.pth"], "takes its weights from --from"),
        (["--recipe", "finetune", "--from", "timm:resnet18@untrained"], "is not a TransXNet"),
        (["--recipe", "finetune", "--from", "picasso"], "There is no model called 'picasso'"),
        (["--recipe", "finetune", "--from", "pico", "--lr", "-1"], "The value of lr is -1"),
        (["--recipe", "finetune", "--from", "pico", "--teacher", "x.pth"], "finetune has no teacher"),
    ],
)
def test_options_that_do_not_fit_are_refused(folder, capsys, arguments, message):
    paths = ["--data", str(folder / "train"), "--out", str(folder / "out"), "--device", "cpu"]
    assert main(["train", *paths, *arguments]) in (1, 2)
    assert message in capsys.readouterr().err


def test_one_class_is_refused(tmp_path, capsys):
    draw_classes(tmp_path / "train", 1)
    for name in CLASSES[1:]:
        for path in (tmp_path / "train" / name).iterdir():
            path.unlink()
    finetune(tmp_path, code=2)
    assert "belong to one class, circle" in capsys.readouterr().err
