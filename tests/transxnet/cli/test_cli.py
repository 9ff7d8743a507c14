from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from timm.data import create_transform, resolve_data_config

import transxnet
from tests.small import image
from tests.torchrun import Forked
from transxnet.__main__ import main
from transxnet.cli import common
from transxnet.cli import list as listing
from transxnet.draw.png import to_png
from transxnet.explain import predict as predict_module
from transxnet.images import decode
from transxnet.labels import label_set
from transxnet.study import OVERVIEW, StudyOptions, study
from transxnet.variants import VARIANTS
from transxnet.weights.checkpoint import untrained_model
from transxnet.weights.load import load

NAMES = [
    "t", "s", "b", "b_384", "pico", "nano", "pico_matched", "pico_static", "pico_noosra", "pico_noste",
]  # fmt: skip

LABELS = label_set("tiny-imagenet-200")
UNTRAINED = ["--model", "pico@untrained"]


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> list[Path]:
    """Five small images and one file that is none, as a.png … f.png."""
    folder = tmp_path_factory.mktemp("images")
    for i, name in enumerate("abcde"):
        (folder / f"{name}.png").write_bytes(to_png(image(i).rgb))
    (folder / "f.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    return [folder / f"{name}.png" for name in "abcdef"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A folder that holds a pico of its own."""
    folder = tmp_path_factory.mktemp("weights")
    save_file(untrained_model(VARIANTS["transxnet_pico"], seed=7).state_dict(), folder / "transxnet_pico.safetensors")
    return folder


def run(capsys, *argv: object) -> tuple[int, str, str]:
    code = main([str(arg) for arg in argv])
    out, err = capsys.readouterr()
    return code, out, err


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


# --- list -------------------------------------------------------------------------------------------------------------


def test_list_has_a_row_for_every_variant(capsys, weights):
    code, out, _ = run(capsys, "list", "--json", "--weights-dir", weights)
    rows = {row["name"]: row for row in lines(out)}
    assert code == 0
    assert list(rows) == NAMES
    assert (rows["t"]["top1_paper"], rows["t"]["top1_here"], rows["t"]["classes"]) == (0.816, None, 1000)
    assert rows["pico"]["top1_paper"] is None
    assert (rows["pico"]["weights"], rows["pico"]["ready"]) == ("in the weights folder", True)
    assert (rows["s"]["weights"], rows["s"]["ready"]) == ("to be downloaded from the author's release", False)
    _, table, _ = run(capsys, "list", "--weights-dir", weights)
    assert "b_384" in table
    assert "85.5 %" in table
    assert "in the weights folder" in table


def test_list_shows_what_the_card_of_bundled_weights_measured(capsys, tmp_path, monkeypatch):
    (tmp_path / "transxnet_nano.json").write_text('{"sha256": "ab", "accuracy": {"top1": 0.4321}}', encoding="utf-8")
    monkeypatch.setattr("transxnet.weights.sources.BUNDLED", tmp_path)
    _, out, _ = run(capsys, "list", "--json")
    assert {row["name"]: row["top1_here"] for row in lines(out)}["nano"] == 0.4321


def test_list_names_models_of_either_kind(capsys):
    """A backbone's cost is its own, as timm publishes it: 4.1 GMACs and 25.6 M parameters for ResNet-50."""
    code, out, _ = run(capsys, "list", "pico@untrained", "timm:resnet50", "timm:test_vit@untrained", "--json")
    pico, resnet, vit = lines(out)
    assert code == 0
    assert (pico["name"], pico["weights"]) == ("pico@untrained", "random weights, made on the spot")
    assert (pico["top1_here"], pico["parameters"]) == (None, listing.COSTS["transxnet_pico"][0])
    assert (resnet["name"], resnet["weights"], resnet["ready"]) == (
        "timm:resnet50", "to be downloaded from the Hub", False,
    )  # fmt: skip
    assert (resnet["parameters"], resnet["gmacs"], resnet["image_size"]) == (25_557_032, 4.0892, 224)
    assert (vit["name"], vit["image_size"], vit["ready"]) == ("timm:test_vit@untrained", 160, True)
    code, _, err = run(capsys, "list", "timm:resnet5O")
    assert code == 2
    assert "Near it: timm:resnet50" in err
    assert "timm:NAME" in run(capsys, "list", "pico")[1]


@pytest.mark.parametrize("name", ["pico", "tiny-imagenet-200"])
def test_list_classes_of_a_variant_or_a_label_set(capsys, name):
    code, out, _ = run(capsys, "list", "--classes", name, "--json")
    found = lines(out)
    assert code == 0
    assert len(found) == 200
    assert found[36]["wnid"] == "n02165456"
    assert found[36]["label"] == "ladybug"
    assert "ladybird" in found[36]["words"]
    _, table, _ = run(capsys, "list", "--classes", name)
    assert table.splitlines()[36].split()[:2] == ["36", "n02165456"]


# --- predict ----------------------------------------------------------------------------------------------------------


def test_predict_prints_one_json_object_a_image(capsys, images, weights):
    code, out, err = run(capsys, "predict", images[0], images[1], "--weights-dir", weights, "--json", "--top", 3)
    found = lines(out)
    loaded = load("pico", weights_dir=weights)
    alone = study(loaded, decode(images[1]), StudyOptions(only=(), top=3)).predictions
    assert (code, err) == (0, "")
    assert [list(one) for one in found] == [["image", "model", "provenance", "top"]] * 2
    assert [one["image"] for one in found] == [str(images[0]), str(images[1])]
    assert found[1]["model"] == "pico"
    assert found[1]["provenance"] == loaded.provenance.as_json()
    assert [list(answer) for answer in found[1]["top"]] == [["index", "wnid", "label", "probability"]] * 3
    assert [answer["index"] for answer in found[1]["top"]] == [answer.index for answer in alone.top]
    for answer, expected in zip(found[1]["top"], alone.top, strict=True):
        assert (answer["wnid"], answer["label"]) == (LABELS.wnids[answer["index"]], LABELS.names[answer["index"]])
        assert answer["probability"] == pytest.approx(expected.probability, rel=1e-4)


def test_predict_shows_a_backbone_what_it_was_made_for(capsys, images):
    """Its own size, crop, interpolation and colors: what timm's own transform gives."""
    name = "timm:test_resnet@untrained"
    code, out, _ = run(capsys, "predict", images[0], "--model", name, "--json", "--top", 1, "--device", "cpu")
    (found,) = lines(out)
    loaded = load(name, device="cpu")
    transform = create_transform(**resolve_data_config(model=loaded.model.net))
    with torch.no_grad():
        logits = loaded.model(transform(Image.fromarray(decode(images[0]).rgb))[None])[0]
    best = int(logits.argmax())
    assert (code, found["model"], found["top"][0]["index"]) == (0, name, best)
    assert found["top"][0]["probability"] == pytest.approx(float(logits.softmax(0)[best]), rel=1e-5)


def test_predict_goes_in_batches_and_keeps_the_order(capsys, images, monkeypatch):
    sizes = []
    batch = predict_module.predict_batch

    def counting(model, tensors, *more):
        sizes.append(len(tensors))
        return batch(model, tensors, *more)

    monkeypatch.setattr(predict_module, "predict_batch", counting)
    _, out, _ = run(capsys, "predict", *images[:5], "--json", "--batch-size", 2, *UNTRAINED)
    together = lines(out)
    assert sizes == [2, 2, 1]
    assert [Path(one["image"]).name for one in together] == ["a.png", "b.png", "c.png", "d.png", "e.png"]
    _, out, _ = run(capsys, "predict", images[4], "--json", *UNTRAINED)
    assert together[4]["top"][0]["probability"] == pytest.approx(lines(out)[0]["top"][0]["probability"], rel=1e-4)


def test_a_bad_image_has_its_own_line_and_the_others_are_answered(capsys, images, tmp_path):
    missing = tmp_path / "missing.jpg"
    code, out, err = run(capsys, "predict", images[5], missing, images[0], "--json", *UNTRAINED)
    broken, gone, good = lines(out)
    assert (code, err) == (1, "")
    assert list(broken) == list(gone) == ["image", "error"]
    assert "f.png" in broken["error"]
    assert str(tmp_path) not in gone["error"]
    assert len(good["top"]) == 5


def test_predict_for_people(capsys, images):
    code, out, err = run(capsys, "predict", images[0], images[5], "--top", 2, *UNTRAINED)
    first, name, *answers = out.splitlines()
    assert code == 1
    assert first.startswith("RANDOM WEIGHTS, never trained")
    assert name == str(images[0])
    assert len(answers) == 2
    assert all(" %  " in answer for answer in answers)
    assert err.startswith(f"{images[5]}: “f.png”")
    assert "Traceback" not in err


def test_a_folder_stands_for_the_images_in_it(capsys, images, tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("z.PNG", "sub/y.png", ".hidden.png"):
        (tmp_path / name).write_bytes(images[0].read_bytes())
    (tmp_path / "notes.txt").write_text("no image", encoding="utf-8")
    _, out, _ = run(capsys, "predict", tmp_path, "--json", *UNTRAINED)
    assert [one["image"] for one in lines(out)] == [str(tmp_path / "sub" / "y.png"), str(tmp_path / "z.PNG")]
    (tmp_path / "empty").mkdir()
    code, out, err = run(capsys, "predict", tmp_path / "empty", *UNTRAINED)
    assert code == 2
    assert "no images in the folders given" in err


def test_a_batch_too_large_for_the_device_is_halved(capsys, images, monkeypatch):
    sizes = []
    batch = predict_module.predict_batch

    def small_device(model, tensors, labels, top, size, autocast):
        sizes.append(size)
        if size > 1:
            raise torch.OutOfMemoryError("full")
        return batch(model, tensors, labels, top, size, autocast)

    monkeypatch.setattr(predict_module, "predict_batch", small_device)
    code, out, _ = run(capsys, "predict", *images[:4], "--json", *UNTRAINED)
    assert code == 0
    assert sizes == [4, 2, 1]
    assert len(lines(out)) == 4


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--model", "resnet"], f"no variant called 'resnet'. Choose one of: {', '.join(NAMES)}"),
        (["--model", "nano"], "No weights for transxnet_nano: every source failed.\n  1. folder:"),
        (["--model", "pico", "--device", "abacus"], "'abacus' is no device"),
    ],
)
def test_what_cannot_be_done_at_all_is_one_message_and_exit_code_2(capsys, images, argv, words):
    code, out, err = run(capsys, "predict", images[0], *argv)
    assert (code, out) == (2, "")
    assert err.startswith("transxnet: ")
    assert words in err


def test_a_weights_file_that_is_damaged_names_its_path_for_whoever_runs_the_program(capsys, images, tmp_path):
    (tmp_path / "mine.safetensors").write_bytes(b"nothing")
    code, _, err = run(capsys, "predict", images[0], "--source", tmp_path / "mine.safetensors")
    assert code == 2
    assert "mine.safetensors is damaged" in err
    assert str(tmp_path) in err.splitlines()[-1]


@pytest.mark.parametrize(
    "argv",
    [
        [], ["predict"], ["predict", "a.png", "--top", "0"], ["predict", "a.png", "--batch-size", "x"],
        ["study", "a.png"], ["study", "a.png", "--out", "o", "--point", "3;4"],
        ["study", "a.png", "--out", "o", "--cam-stage", "last"],
    ],
)  # fmt: skip
def test_arguments_that_make_no_sense_print_the_usage(capsys, argv):
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    assert "usage: python -m transxnet" in capsys.readouterr().err


# --- study ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def studied(images, weights, tmp_path_factory):
    """(exit code, folder, manifest) of two images, one of them broken, by two models."""
    out = tmp_path_factory.mktemp("study")
    argv = [
        "study",
        str(images[0]),
        str(images[5]),
        "--only",
        ",".join(OVERVIEW),
        "--models",
        "pico,pico@untrained",
        "--out",
        str(out),
    ]
    code = main(
        [*argv, "--weights-dir", str(weights), "--stage", "2", "--block", "1", "--head", "2", "--point", "30,70"]
    )
    return code, out, json.loads((out / "manifest.json").read_text(encoding="utf-8"))


def test_study_writes_what_the_library_computes(studied, images, weights):
    _, out, manifest = studied
    (entry,) = manifest["images"]
    options = StudyOptions(stage=2, block=1, position=(30, 70))
    expected = study(load("pico", weights_dir=weights), decode(images[0]), options)
    with np.load(out / entry["models"][0]["npz"]) as file:
        assert file["attention"] == pytest.approx(expected.attention.heads, abs=1e-6)
        assert file["kernels"] == pytest.approx(expected.kernels.kernels, abs=1e-6)
        assert file["grad_cam"] == pytest.approx(expected.grad_cam.heatmap, abs=1e-6)
        assert file["receptive_field"] == pytest.approx(expected.receptive_field.heatmap, rel=1e-3, abs=1e-6)
    sheet = cv2.imread(str(out / entry["sheet"]))
    assert sheet.shape[1] > 2000  # six columns
    assert not list(out.rglob("*.part"))


def test_the_manifest_says_how_everything_was_made(studied, images, weights):
    code, _, manifest = studied
    (entry,) = manifest["images"]
    first, second = entry["models"]
    assert code == 1  # one image was broken
    assert manifest["command"][:5] == ["python", "-m", "transxnet", "study", str(images[0])]
    assert {"python", "torch", "timm", "captum"} <= set(manifest["versions"])
    assert [list(one) for one in manifest["failed"]] == [["image", "error"]]
    assert entry["image"] == str(images[0])
    assert entry["drawn"]["attention"]["head"] == 2
    assert (first["model"], second["model"]) == ("pico", "pico@untrained")
    assert first["provenance"]["kind"] == "folder"
    assert len(first["provenance"]["sha256"]) == 64
    assert second["untrained"] is True
    assert first["maps"]["attention"]["layer"] == "stage 2, block 1"
    assert first["maps"]["grad_cam"]["layer"] == "stage 4, block 2"
    assert first["position"] == [30, 70]


def test_without_a_class_every_model_explains_the_first_ones_top_answer(studied):
    first, second = studied[2]["images"][0]["models"]
    assert first["class"]["wnid"] == first["top"][0]["wnid"] == second["class"]["wnid"]
    assert second["class"]["wnid"] != second["top"][0]["wnid"]


def test_images_of_one_name_get_folders_of_their_own():
    names = ["a/cat.jpg", "b/cat.png", "c/Cat.gif", "x/my cat (1).jpg", "..jpg"]
    assert common.places_of([Path(name) for name in ("a-2.jpg", "a.jpg", "a.png")]) == ["a-2", "a", "a-3"]
    assert common.places_of([Path(name) for name in names]) == ["cat", "cat-2", "Cat-3", "my_cat_1", "image"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--stage", "5"], "pico has no stage 5. Choose 1 to 4."),
        (["--stage", "1", "--block", "3"], "Stage 1 of pico has no block 3. Choose 0 to 2."),
        (["--stage", "1", "--head", "2"], "Stage 1 of pico has no head 2. Choose 0 to 1."),
        (["--cam-stage", "0"], "pico has no stage 0."),
        (["--class", "tench"], "called 'tench'"),
        (["--only", "kernels,magic"], "no part called 'magic'. Choose some of: attention, "),
        (["--models", "pico,magic"], "no variant called 'magic'"),
    ],
)
def test_study_refuses_before_it_loads_anything(capsys, tmp_path, argv, words):
    code, out, err = run(capsys, "study", "a.png", "--out", tmp_path / "o", *argv)
    assert (code, out) == (2, "")
    assert words in err
    assert not (tmp_path / "o").exists()


def test_a_folder_that_cannot_be_written_is_a_sentence(capsys, images, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    code, _, err = run(capsys, "study", images[0], "--models", "pico@untrained", "--out", tmp_path / "file" / "o")
    assert code == 2
    assert "The results cannot be written to o (Not a directory)." in err
    assert "--out" in err


# --- As a process of its own ------------------------------------------------------------------------------------------


@pytest.mark.process
def test_process_list():
    process = Forked("transxnet", "list", "--json")
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert [row["name"] for row in lines(out)] == NAMES


@pytest.mark.process
def test_process_predict(images):
    """From Python's start on: what importing says would be heard too."""
    command = [sys.executable, "-m", "transxnet", "predict", str(images[0]), str(images[5]), "--json", *UNTRAINED]
    root = Path(transxnet.__file__).parents[1]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=200, cwd=root)
    assert done.returncode == 1, done.stderr
    good, bad = lines(done.stdout)
    assert good["provenance"]["kind"] == "untrained"
    assert "error" in bad
    assert done.stderr == ""


@pytest.mark.process
def test_process_study(images, tmp_path):
    asked = ("--only", "attention,grad_cam", "--models", "pico@untrained", "--out", tmp_path / "o")
    process = Forked("transxnet", "study", images[0], *asked)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert (tmp_path / "o" / "a" / "sheet.png").stat().st_size > 10_000
    assert out.splitlines()[-1] == str(tmp_path / "o" / "manifest.json")
    assert "Traceback" not in err
