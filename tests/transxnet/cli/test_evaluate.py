"""`evaluate` as typed: what it prints and writes, exit codes, resuming, and the same numbers from two processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures.labeled_images import BULLFROG, FISH, SALAMANDER, TENCH, write_images
from tests.tiny import one_thread  # noqa: F401  small tensors, and numbers as from one process of torchrun
from tests.torchrun import ranks
from transxnet.__main__ import main
from transxnet.labels import label_set
from transxnet.training.data import combined, image_hashes, load_images
from transxnet.training.held_out import ordered, split
from transxnet.training.samples import find_samples

OPTIONS = ["--model", "pico@untrained", "--device", "cpu", "--image-size", "32", "--batch-size", "3"]


def typed(capsys: pytest.CaptureFixture, *arguments: str, code: int = 0) -> tuple[str, str]:
    """Run the command; -> what it printed, and what it complained of."""
    assert main(["evaluate", *OPTIONS, *map(str, arguments)]) == code
    return capsys.readouterr()


def numbers(text: str) -> dict:
    return {key: value for key, value in json.loads(text).items() if key != "speed"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_images(tmp_path, "data.zip", {FISH: 5, SALAMANDER: 4, BULLFROG: 2, TENCH: 1}, size=(40, 36))


def test_two_processes_give_the_numbers_of_one(data, tmp_path, capsys):
    one = numbers(typed(capsys, "--data", data, "--json").out)
    out = tmp_path / "out"
    done = ranks("-m", "transxnet", "evaluate", *OPTIONS, "--data", str(data), "--json", "--out", str(out))
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()  # the chief's, once
    assert numbers(line) == one
    assert json.loads(line)["speed"]["processes"] == 2
    assert (one["images"], one["left_out"], len(one["classes"])) == (11, 1, 3)
    assert sorted(path.name for path in out.iterdir()) == [
        "evaluation.json", "outcomes-0.jsonl", "outcomes-1.jsonl", "report.json", "report.txt",
    ]  # fmt: skip
    assert [len((out / f"outcomes-{rank}.jsonl").read_text(encoding="utf-8").splitlines()) for rank in (0, 1)] == [2, 2]

    (out / "outcomes-1.jsonl").unlink()  # as if that process had been killed at once; one process does the rest
    assert numbers(typed(capsys, "--data", data, "--json", "--out", out, "--resume").out) == one
    assert (
        json.loads((out / "report.json").read_text(encoding="utf-8"))["speed"]["images"] == 3 + 2
    )  # batches 1 and 3 of 3, 3, 3, 2
    assert numbers((out / "report.json").read_text(encoding="utf-8")) == one


def test_what_is_printed(data, capsys):
    lines = typed(capsys, "--data", data).out.splitlines()
    result = json.loads(typed(capsys, "--data", data, "--json").out)
    assert lines[0].startswith("pico@untrained: untrained, sha256 ")
    assert lines[1].startswith(f"pico@untrained top-1: {result['top1']:.1%} (")
    assert lines[2].startswith(f"pico@untrained top-5: {result['top5']:.1%} (")
    assert lines[3:6] == [
        "11 images at 32 px, 1 of unknown classes left out",
        "short side to 32 px, bicubic; center crop; float32; answers among all 200 classes of the model",
        "labels: the WNIDs in folder and file names",
    ]
    assert "worst 3 of 3 classes" in lines
    assert any(line.endswith("goldfish") for line in lines)
    assert lines[-1] == "(it means nothing on a shared machine)"


def test_restricted_answers_and_another_crop(data, capsys):
    result = json.loads(typed(capsys, "--data", data, "--restrict", "--crop-pct", "0.8", "--json").out)
    assert result["protocol"]["answers"] == "among the 3 classes of the images"
    assert (result["crop_pct"], result["protocol"]["resize"]) == (0.8, "short side to 40 px, bicubic; center crop")
    assert result["top5"] == 1  # three classes are never more than five answers


def test_flat_files_with_a_list(tmp_path, capsys):
    folder = write_images(tmp_path, "flat", {FISH: 2}, flat=True)
    for number, path in enumerate(sorted(folder.iterdir()), start=1):
        path.rename(folder / f"ILSVRC2012_val_0000000{number}.png")
    assert "flat holds no labeled images" in typed(capsys, "--data", folder, code=2).err
    listed = tmp_path / "LOC_val_solution.csv"
    listed.write_text(f"ImageId,PredictionString\nILSVRC2012_val_00000002,{SALAMANDER} 1 2 3 4 \n", encoding="utf-8")
    result = json.loads(typed(capsys, "--data", folder, "--labels", listed, "--json").out)
    assert [(score["wnid"], score["images"]) for score in result["classes"]] == [(SALAMANDER, 1)]
    assert result["data"]["labels"] == ["LOC_val_solution.csv: WNIDs by name"]
    assert result["data"]["unlabeled"] == 1
    assert str(tmp_path) not in json.dumps(result)


def test_an_unreadable_image_is_told_and_the_exit_code_is_1(data, tmp_path, capsys):
    damaged = tmp_path / "data" / "train" / FISH / "1.png"  # the folder that data.zip was made of
    damaged.write_bytes(b"no image")
    out, err = typed(capsys, "--data", tmp_path / "data", "--json", code=1)
    result = json.loads(out)
    assert (result["images"], [lost["name"] for lost in result["unreadable"]]) == (10, [f"train/{FISH}/1.png"])
    assert err == "transxnet: 1 images could not be read.\n"


def test_resume_needs_a_folder_and_a_folder_needs_resume(data, tmp_path, capsys):
    assert (
        "--resume needs the folder to go on from. Add --out DIR."
        in typed(capsys, "--data", data, "--resume", code=2).err
    )
    typed(capsys, "--data", data, "--out", tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert (
        "holds an evaluation already. Add --resume"
        in typed(capsys, "--data", data, "--out", tmp_path / "out", code=2).err
    )
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_several_models_end_in_a_table(data, tmp_path, capsys):
    typed(capsys, "--model", "pico@untrained,nano@untrained", "--data", data, "--out", tmp_path)
    out = typed(capsys, "--model", "pico@untrained,nano@untrained", "--data", data).out
    rows = [line.split(" | ") for line in out.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows] == ["| model", "| pico@untrained", "| nano@untrained"]
    for name, row in zip(("pico@untrained", "nano@untrained"), rows[1:], strict=True):
        report = json.loads((tmp_path / name / "report.json").read_text(encoding="utf-8"))
        low, high = report["top1_interval"]
        assert row[2:4] == [f"{report['top1']:.1%}", f"{low:.1%} to {high:.1%}"]
    shares = [
        json.loads((tmp_path / name / "report.json").read_text(encoding="utf-8"))["top1"]
        for name in ("pico@untrained", "nano@untrained")
    ]
    assert rows[1][-1] == " |"
    assert rows[2][-1].startswith(f"{100 * (shares[1] - shares[0]):+.1f} (")


def test_only_what_was_held_out(tmp_path, capsys):
    """Every second image of a class, by name, from the first: what a recipe with held_out=0.5 leaves alone."""
    folder = write_images(tmp_path, "many", {FISH: 4, SALAMANDER: 3})
    typed(capsys, "--data", folder, "--held-out", "0.5", "--out", tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert [(score["wnid"], score["images"]) for score in report["classes"]] == [(FISH, 2), (SALAMANDER, 2)]
    kept = load_images([folder], label_set("tiny-imagenet-200").wnids)
    _, held_out = split(kept.labels, 0.5)
    hashes = image_hashes(ordered(find_samples([folder])))
    assert report["data"]["digest"] == combined(hashes[i] for i in held_out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--held-out", "1"), "A share of 1 cannot be held out."),
        (("--model", ", "), "--model names no model."),
        (("--model", "pico,nano", "--source", "x"), "--source is one model's, and several are named."),
    ],
)
def test_arguments_that_do_not_go_together(data, arguments, message, capsys):
    assert message in typed(capsys, "--data", data, *arguments, code=2).err
