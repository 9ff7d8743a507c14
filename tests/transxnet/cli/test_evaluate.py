"""`python -m transxnet evaluate`: output, files, exit codes, --resume, several processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.fixtures.labeled_images import BULLFROG, FISH, SALAMANDER, TENCH, write_images
from tests.fixtures.own_checkpoint import own_checkpoint
from tests.torchrun import ranks
from transxnet.__main__ import main
from transxnet.labels import label_set
from transxnet.training.data import combine_hashes, image_hashes, load_images
from transxnet.training.held_out import sort_samples, split
from transxnet.training.samples import list_images

TINY = label_set("tiny-imagenet-200")
OPTIONS = ["--models", "pico@untrained", "--device", "cpu", "--image-size", "32", "--batch-size", "3"]


def evaluate(capsys: pytest.CaptureFixture, *arguments: str, code: int = 0) -> tuple[str, str]:
    """Run the command; returns (stdout, stderr)."""
    assert main(["evaluate", *OPTIONS, *map(str, arguments)]) == code
    return capsys.readouterr()


def numbers(text: str) -> dict:
    return {key: value for key, value in json.loads(text).items() if key != "speed"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_images(tmp_path, "data.zip", {FISH: 5, SALAMANDER: 4, BULLFROG: 2, TENCH: 1}, size=(40, 36))


def test_two_processes_equal_one(data, tmp_path, capsys):
    single = numbers(evaluate(capsys, "--data", data, "--json").out)
    out = tmp_path / "out"
    process = ranks("-m", "transxnet", "evaluate", *OPTIONS, "--data", str(data), "--json", "--out", str(out))
    assert process.returncode == 0, process.stderr
    (line,) = process.stdout.splitlines()  # printed once
    assert numbers(line) == single
    assert json.loads(line)["speed"]["processes"] == 2
    assert (single["images"], single["left_out"], len(single["classes"])) == (11, 1, 3)
    assert sorted(path.name for path in out.iterdir()) == [
        "evaluation.json", "outcomes-0.jsonl", "outcomes-1.jsonl", "report.json", "report.txt",
    ]  # fmt: skip
    assert [len((out / f"outcomes-{rank}.jsonl").read_text(encoding="utf-8").splitlines()) for rank in (0, 1)] == [2, 2]

    (out / "outcomes-1.jsonl").unlink()  # as if that process had been killed; one process continues
    assert numbers(evaluate(capsys, "--data", data, "--json", "--out", out, "--resume").out) == single
    assert (
        json.loads((out / "report.json").read_text(encoding="utf-8"))["speed"]["images"] == 3 + 2
    )  # batches 1 and 3 of 3, 3, 3, 2
    assert numbers((out / "report.json").read_text(encoding="utf-8")) == single


def test_text_output(data, capsys):
    lines = evaluate(capsys, "--data", data).out.splitlines()
    result = json.loads(evaluate(capsys, "--data", data, "--json").out)
    assert lines[0].startswith("pico@untrained: Random weights (SHA-256 ")
    assert lines[1].startswith(f"pico@untrained top-1: {result['top1']:.1%} (95% interval ")
    assert lines[2].startswith(f"pico@untrained top-5: {result['top5']:.1%} (95% interval ")
    assert lines[3:6] == [
        "11 images at 32 px; 1 images of other classes excluded (n01440764)",
        "short side to 32 px, bicubic; center crop; float32; predictions over all 200 classes of the model",
        "labels: WNIDs in folder and file names",
    ]
    assert "worst 3 of 3 classes" in lines
    assert any(line.endswith("goldfish") for line in lines)
    assert lines[-1] == "(not meaningful on a shared machine)"


def test_restricted_classes_and_another_crop(data, capsys):
    result = json.loads(evaluate(capsys, "--data", data, "--restrict-classes", "--crop-pct", "0.8", "--json").out)
    assert result["protocol"]["classes"] == "restricted to the 3 classes of the images"
    assert (result["crop_pct"], result["protocol"]["resize"]) == (0.8, "short side to 40 px, bicubic; center crop")
    assert result["top5"] == 1  # there are only three classes


def test_flat_files_with_labels(tmp_path, capsys):
    folder = write_images(tmp_path, "flat", {FISH: 2}, flat=True)
    for number, path in enumerate(sorted(folder.iterdir()), start=1):
        path.rename(folder / f"ILSVRC2012_val_0000000{number}.png")
    assert "flat holds no labeled images" in evaluate(capsys, "--data", folder, code=2).err
    labels = tmp_path / "LOC_val_solution.csv"
    labels.write_text(f"ImageId,PredictionString\nILSVRC2012_val_00000002,{SALAMANDER} 1 2 3 4 \n", encoding="utf-8")
    result = json.loads(evaluate(capsys, "--data", folder, "--labels", labels, "--json").out)
    assert [(score["wnid"], score["images"]) for score in result["classes"]] == [(SALAMANDER, 1)]
    assert result["data"]["labels"] == ["LOC_val_solution.csv: WNIDs by name"]
    assert result["data"]["unlabeled"] == 1
    assert str(tmp_path) not in json.dumps(result)


def test_unreadable_image_is_listed(data, tmp_path, capsys):
    damaged = tmp_path / "data" / "train" / FISH / "1.png"  # the folder that was zipped to data.zip
    damaged.write_bytes(b"no image")
    out, err = evaluate(capsys, "--data", tmp_path / "data", "--json", code=1)
    result = json.loads(out)
    assert (result["images"], [entry["image"] for entry in result["unreadable"]]) == (10, [f"train/{FISH}/1.png"])
    assert err == "transxnet: 1 images could not be read.\n"


def test_resume_and_existing_folders(data, tmp_path, capsys):
    assert (
        "--resume needs the folder to continue from. Add --out DIR."
        in evaluate(capsys, "--data", data, "--resume", code=2).err
    )
    evaluate(capsys, "--data", data, "--out", tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert (
        "already holds an evaluation. Add --resume"
        in evaluate(capsys, "--data", data, "--out", tmp_path / "out", code=2).err
    )
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_several_models_are_compared(data, tmp_path, capsys):
    evaluate(capsys, "--models", "pico@untrained,nano@untrained", "--data", data, "--out", tmp_path)
    out = evaluate(capsys, "--models", "pico@untrained,nano@untrained", "--data", data).out
    rows = [line.split(" | ") for line in out.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows] == ["| model", "| pico@untrained", "| nano@untrained"]
    for name, row in zip(("pico@untrained", "nano@untrained"), rows[1:], strict=True):
        report = json.loads((tmp_path / name / "report.json").read_text(encoding="utf-8"))
        low, high = report["top1_interval"]
        assert row[2:4] == [f"{report['top1']:.1%}", f"{low:.1%} to {high:.1%}"]
    accuracies = [
        json.loads((tmp_path / name / "report.json").read_text(encoding="utf-8"))["top1"]
        for name in ("pico@untrained", "nano@untrained")
    ]
    assert rows[1][-1] == " |"
    assert rows[2][-1].startswith(f"{100 * (accuracies[1] - accuracies[0]):+.1f} (")


def test_held_out_images_only(tmp_path, capsys):
    """Every second image of each class, by name, from the first: what held_out=0.5 excludes from training."""
    folder = write_images(tmp_path, "many", {FISH: 4, SALAMANDER: 3})
    evaluate(capsys, "--data", folder, "--held-out-fraction", "0.5", "--out", tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert [(score["wnid"], score["images"]) for score in report["classes"]] == [(FISH, 2), (SALAMANDER, 2)]
    data = load_images(list_images([folder], TINY), TINY)
    _, held_out = split(data.labels, 0.5)
    hashes = image_hashes(sort_samples(list_images([folder], label_set("imagenet-1k")).samples))
    assert report["data"]["digest"] == combine_hashes(hashes[i] for i in held_out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--held-out-fraction", "1"), "The held-out fraction is 1."),
        (("--models", ", "), "--models names no model."),
        (("--models", "pico,pico=x"), "'pico' is given twice."),
    ],
)
def test_conflicting_arguments(data, arguments, message, capsys):
    assert message in evaluate(capsys, "--data", data, *arguments, code=2).err


def test_own_model_on_class_folders_by_any_name(tmp_path, capsys):
    """As torchvision's ImageFolder and timm take them; files of any name, and a folder of another class."""
    path = own_checkpoint(tmp_path)
    for folder in ("bird_species_03", "직박구리", "robin"):
        (tmp_path / "val" / folder).mkdir(parents=True)
        Image.new("RGB", (40, 36), (9, 99, 9)).save(tmp_path / "val" / folder / f"{FISH}_1.png")
    model = ("--models", f"birds={path}")
    assert main(["evaluate", *OPTIONS[2:], *model, "--data", str(tmp_path / "val"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [(score["index"], score["wnid"], score["label"]) for score in result["classes"]] == [
        (3, None, "bird species 03"), (36, None, "직박구리"),
    ]  # fmt: skip
    assert (result["left_out"], result["data"]["other_classes"]) == (1, ["robin"])
    assert result["data"]["labels"] == ["class folders"]


def test_labels_may_be_class_names(tmp_path, capsys):
    """Class folders that the model does not have, with the classes of their files in a list."""
    for folder in ("cat", "dog"):
        (tmp_path / "val" / folder).mkdir(parents=True)
        Image.new("RGB", (40, 36)).save(tmp_path / "val" / folder / "2.png")
    (tmp_path / "labels.txt").write_text("cat/2.png tabby\ndog/2.png Labrador retriever\n", encoding="utf-8")
    evaluated = evaluate(capsys, "--data", tmp_path / "val", "--labels", tmp_path / "labels.txt", "--json")
    names = [score["label"] for score in json.loads(evaluated.out)["classes"]]
    assert names == ["Labrador retriever", "tabby"]
    error = evaluate(capsys, "--data", tmp_path / "val", code=2).err
    assert "The images are labeled cat, dog." in error
