"""`python -m transxnet list`, `predict` and `study`: output, exit codes, refused arguments."""

from __future__ import annotations

import json
import os
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
from tests.fixtures.small_model import image
from tests.torchrun import Forked
from transxnet.__main__ import main
from transxnet.cli import common
from transxnet.cli import list as listing
from transxnet.draw.overlay import to_png
from transxnet.explain import predict as predict_module
from transxnet.images import decode
from transxnet.labels import label_set
from transxnet.study import OVERVIEW_ANALYSES, StudyOptions, study
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
    """Five small images a.png … e.png, and the damaged f.png."""
    folder = tmp_path_factory.mktemp("images")
    for i, name in enumerate("abcde"):
        (folder / f"{name}.png").write_bytes(to_png(image(i).rgb))
    (folder / "f.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    return [folder / f"{name}.png" for name in "abcdef"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A folder with weights of pico."""
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


def test_list_has_every_variant(capsys, weights):
    code, out, _ = run(capsys, "list", "--json", "--weights-dir", weights)
    rows = {row["name"]: row for row in lines(out)}
    assert code == 0
    assert list(rows) == NAMES
    assert (rows["t"]["top1_paper"], rows["t"]["top1_measured"], rows["t"]["classes"]) == (0.816, None, 1000)
    assert rows["pico"]["top1_paper"] is None
    assert (rows["pico"]["weights"], rows["pico"]["local"]) == ("in the weights folder", True)
    assert (rows["s"]["weights"], rows["s"]["local"]) == ("needs a download from the authors' release", False)
    _, table, _ = run(capsys, "list", "--weights-dir", weights)
    assert "b_384" in table
    assert "85.5%" in table
    assert "top-1 (paper)  top-1 (measured)" in table
    assert "in the weights folder" in table


def test_list_shows_accuracy_from_the_card(capsys, tmp_path, monkeypatch):
    """Of the bundled weights alone: other weights of the variant have another accuracy."""
    bundle, own = tmp_path / "bundle", tmp_path / "own"
    for folder in (bundle, own):
        folder.mkdir()
        (folder / "transxnet_nano.safetensors").write_bytes(b"")
    card = '{"sha256": "ab", "accuracy": {"top1": 0.4321}}'
    (bundle / "transxnet_nano.json").write_text(card, encoding="utf-8")
    monkeypatch.setattr("transxnet.weights.sources.BUNDLED", bundle)
    _, out, _ = run(capsys, "list", "--json")
    assert {row["name"]: row["top1_measured"] for row in lines(out)}["nano"] == 0.4321
    _, out, _ = run(capsys, "list", "nano", "--json", "--weights-dir", own)
    assert lines(out)[0]["top1_measured"] is None


def test_list_of_named_models(capsys):
    """A backbone's cost is its own, as timm publishes it: 4.1 GMACs and 25.6 M parameters for ResNet-50."""
    code, out, _ = run(capsys, "list", "pico@untrained", "timm:resnet50", "timm:test_vit@untrained", "--json")
    pico, resnet, vit = lines(out)
    assert code == 0
    assert (pico["name"], pico["weights"]) == ("pico@untrained", "random weights")
    assert (pico["top1_measured"], pico["parameters"]) == (None, listing.COSTS["transxnet_pico"][0])
    assert (resnet["name"], resnet["weights"], resnet["local"]) == (
        "timm:resnet50", "needs a download from the Hub", False,
    )  # fmt: skip
    assert (resnet["parameters"], resnet["gmacs"], resnet["image_size"]) == (25_557_032, 4.0892, 224)
    assert (vit["name"], vit["image_size"], vit["local"]) == ("timm:test_vit@untrained", 160, True)
    code, _, err = run(capsys, "list", "timm:resnet5O")
    assert code == 2
    assert "Similar names: timm:resnet50" in err
    assert "timm:NAME" in run(capsys, "list", "pico")[1]


@pytest.mark.parametrize("name", ["pico", "tiny-imagenet-200"])
def test_list_classes_of_a_variant_or_a_label_set(capsys, name):
    code, out, _ = run(capsys, "list", "--classes", name, "--json")
    classes = lines(out)
    assert code == 0
    assert len(classes) == 200
    assert list(classes[36]) == ["index", "wnid", "label", "synonyms"]
    assert (classes[36]["wnid"], classes[36]["label"]) == ("n02165456", "ladybug")
    assert "ladybird" in classes[36]["synonyms"]
    _, table, _ = run(capsys, "list", "--classes", name)
    assert table.splitlines()[36].split()[:2] == ["36", "n02165456"]


def test_classes_without_wnid_have_null(capsys):
    _, out, _ = run(capsys, "list", "--classes", "timm:vit_tiny_patch16_224.augreg_in21k", "--json")
    assert lines(out)[7] == {"index": 7, "wnid": None, "label": "class 7", "synonyms": "class 7"}


# --- predict ----------------------------------------------------------------------------------------------------------


def test_predict_prints_json_for_each_image(capsys, images, weights):
    code, out, err = run(capsys, "predict", images[0], images[1], "--weights-dir", weights, "--json", "--top", 3)
    first, second = lines(out)
    loaded = load("pico", weights_dir=weights)
    expected = study(loaded, decode(images[1]), StudyOptions(analyses=(), top=3)).predictions.top
    assert (code, err) == (0, "")
    assert list(first) == list(second) == ["image", "model", "provenance", "predictions"]
    assert (first["image"], second["image"]) == (str(images[0]), str(images[1]))
    assert second["model"] == "pico"
    assert second["provenance"] == loaded.provenance.as_json()
    predictions = second["predictions"]
    assert [list(prediction) for prediction in predictions] == [["index", "wnid", "label", "probability"]] * 3
    assert [prediction["index"] for prediction in predictions] == [prediction.index for prediction in expected]
    for prediction, expected_prediction in zip(predictions, expected, strict=True):
        index = prediction["index"]
        assert (prediction["wnid"], prediction["label"]) == (LABELS.wnids[index], LABELS.names[index])
        assert prediction["probability"] == pytest.approx(expected_prediction.probability, rel=1e-4)


def test_predict_uses_the_backbones_preprocessing(capsys, images):
    """Size, crop, interpolation and normalization are those of timm's transform."""
    name = "timm:test_resnet@untrained"
    code, out, _ = run(capsys, "predict", images[0], "--model", name, "--json", "--top", 1, "--device", "cpu")
    (result,) = lines(out)
    loaded = load(name, device="cpu")
    transform = create_transform(**resolve_data_config(model=loaded.model.net))
    with torch.no_grad():
        logits = loaded.model(transform(Image.fromarray(decode(images[0]).rgb))[None])[0]
    best = int(logits.argmax())
    (prediction,) = result["predictions"]
    assert (code, result["model"], prediction["index"]) == (0, name, best)
    assert prediction["probability"] == pytest.approx(float(logits.softmax(0)[best]), rel=1e-5)


def test_predict_batches_keep_the_order(capsys, images, monkeypatch):
    sizes = []
    batch = predict_module.predict_batch

    def counting(model, tensors, *more):
        sizes.append(len(tensors))
        return batch(model, tensors, *more)

    monkeypatch.setattr(predict_module, "predict_batch", counting)
    _, out, _ = run(capsys, "predict", *images[:5], "--json", "--batch-size", 2, *UNTRAINED)
    results = lines(out)
    assert sizes == [2, 2, 1]
    assert [Path(result["image"]).name for result in results] == ["a.png", "b.png", "c.png", "d.png", "e.png"]
    _, out, _ = run(capsys, "predict", images[4], "--json", *UNTRAINED)
    batched, single = results[4]["predictions"][0], lines(out)[0]["predictions"][0]
    assert batched["probability"] == pytest.approx(single["probability"], rel=1e-4)


def test_damaged_image_does_not_stop_the_others(capsys, images, tmp_path):
    missing = tmp_path / "missing.jpg"
    code, out, err = run(capsys, "predict", images[5], missing, images[0], "--json", *UNTRAINED)
    damaged, absent, good = lines(out)
    assert (code, err) == (1, "")
    assert list(damaged) == list(absent) == ["image", "error"]
    assert "f.png" in damaged["error"]
    assert str(tmp_path) not in absent["error"]
    assert len(good["predictions"]) == 5


def test_max_megapixels_bounds_images(capsys, images):
    code, out, _ = run(capsys, "predict", images[0], *UNTRAINED, "--json", "--max-megapixels", 0.005)
    assert code == 1
    assert "pixels" in lines(out)[0]["error"]
    assert "--max-megapixels" in lines(out)[0]["error"]
    assert run(capsys, "predict", images[0], *UNTRAINED, "--json", "--max-megapixels", 1)[0] == 0


@pytest.mark.parametrize(
    "command", ["predict", "study", "erf", "gallery", "evaluate", "train", "out-of-distribution", "verdict-rates"]
)
def test_commands_that_read_images_have_the_limit(capsys, command):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    help = " ".join(capsys.readouterr().out.split())
    assert "--max-megapixels N largest image; files may have 2 MB for each megapixel, 100 MB at least" in help
    assert "[million pixels] (default: 50)" in help


def test_predict_text(capsys, images):
    code, out, err = run(capsys, "predict", images[0], images[5], "--top", 2, *UNTRAINED)
    first, name, *predictions = out.splitlines()
    assert code == 1
    assert first.startswith("RANDOM WEIGHTS, never trained")
    assert name == str(images[0])
    assert len(predictions) == 2
    assert all("%  " in prediction for prediction in predictions)
    assert err.startswith(f"{images[5]}: “f.png”")
    assert "Traceback" not in err


def test_folder_is_expanded(capsys, images, tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("z.PNG", "sub/y.png", ".hidden.png"):
        (tmp_path / name).write_bytes(images[0].read_bytes())
    (tmp_path / "notes.txt").write_text("no image", encoding="utf-8")
    _, out, _ = run(capsys, "predict", tmp_path, "--json", *UNTRAINED)
    assert [result["image"] for result in lines(out)] == [str(tmp_path / "sub" / "y.png"), str(tmp_path / "z.PNG")]
    (tmp_path / "empty").mkdir()
    code, out, err = run(capsys, "predict", tmp_path / "empty", *UNTRAINED)
    assert code == 2
    assert "no images in the folders given" in err


def test_folder_is_read_by_content_and_skips_are_listed(capsys, images, tmp_path):
    """Standard output stays JSON, also for a name that is not UTF-8."""
    name = os.fsdecode(b"caf\xe9\n")
    for path in (name, "noending", "b.jfif"):
        (tmp_path / path).write_bytes(images[0].read_bytes())
    Image.open(images[1]).save(tmp_path / "d.tif")
    (tmp_path / "notes.txt").write_text("text", encoding="utf-8")
    code, out, err = run(capsys, "predict", tmp_path, *UNTRAINED, "--json")
    results = lines(out)
    assert code == 0
    assert [Path(result["image"]).name for result in results] == ["b.jfif", name, "d.tif", "noending"]
    assert results[0]["predictions"] == results[1]["predictions"] == results[3]["predictions"]
    assert err == "transxnet: 1 file was skipped: notes.txt (not an image).\n"
    _, out, _ = run(capsys, "predict", tmp_path, *UNTRAINED, "--top", 1)
    assert out.splitlines()[3] == f"{tmp_path}/caf\\udce9\\n"


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("full"), RuntimeError("MPS backend out of memory")])
def test_batch_too_large_is_halved(capsys, images, monkeypatch, error):
    sizes = []
    batch = predict_module.predict_batch

    def small_device(model, tensors, labels, top, size, autocast):
        sizes.append(size)
        if size > 1:
            raise error
        return batch(model, tensors, labels, top, size, autocast)

    monkeypatch.setattr(predict_module, "predict_batch", small_device)
    code, out, _ = run(capsys, "predict", *images[:4], "--json", *UNTRAINED)
    assert code == 0
    assert sizes == [4, 2, 1]
    assert len(lines(out)) == 4


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--model", "resnet"], f"no model called 'resnet'. Choose one of: {', '.join(NAMES)}"),
        (["--model", "nano"], "No weights for transxnet_nano: every source failed.\n  1. folder:"),
        (["--model", "pico", "--device", "abacus"], "'abacus' is not a device"),
    ],
)
def test_fatal_error_is_one_message_and_exit_2(capsys, images, argv, message):
    code, out, err = run(capsys, "predict", images[0], *argv)
    assert (code, out) == (2, "")
    assert err.startswith("transxnet: ")
    assert message in err


def test_damaged_weights_name_their_path(capsys, images, tmp_path):
    (tmp_path / "mine.safetensors").write_bytes(b"nothing")
    code, _, err = run(capsys, "predict", images[0], "--model", f"mine={tmp_path / 'mine.safetensors'}")
    assert code == 2
    assert "mine.safetensors is damaged" in err
    assert str(tmp_path) in err.splitlines()[-1]


@pytest.mark.parametrize(
    "argv",
    [
        [], ["predict"], ["predict", "a.png", "--top", "0"], ["predict", "a.png", "--batch-size", "x"],
        ["study", "a.png"], ["study", "a.png", "--out", "o", "--position", "3;4"],
    ],
)  # fmt: skip
def test_invalid_arguments_print_the_usage(capsys, argv):
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    assert "usage: python -m transxnet" in capsys.readouterr().err


# --- study ------------------------------------------------------------------------------------------------------------


def test_help_states_defaults(capsys):
    """Units in brackets, choices in braces, environment variables, and nothing where there is no default."""
    texts = {}
    for command in ("list", "predict", "study", "erf", "evaluate"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        texts[command] = " ".join(capsys.readouterr().out.split())
    assert "for a model of your own (default: TransXNet variants)" in texts["list"]
    assert (
        "folder of NAME.safetensors files or official checkpoints (default: environment variable TRANSXNET_WEI"
        in (texts["predict"])
    )
    assert "cuda, cuda:N, mps, xpu, npu or cpu (default: cuda or mps if available, else cpu)" in texts["predict"]
    assert "attention head to draw, from 1; 0 = mean (default: 0)" in texts["study"]
    assert "pixel after EXIF rotation (default: center)" in texts["study"]
    assert "skip images already finished --weights-dir" in texts["study"]
    assert "to which images are warped [px] (default: 1024)" in texts["erf"]
    assert "--autocast {bf16,fp16} mixed precision, on CUDA only (default: float32)" in texts["evaluate"]


@pytest.fixture(scope="module")
def results(images, weights, tmp_path_factory):
    """(exit code, folder, manifest) of two images, one of them damaged, by two models."""
    out = tmp_path_factory.mktemp("study")
    argv = [
        "study",
        str(images[0]),
        str(images[5]),
        "--analyses",
        ",".join(OVERVIEW_ANALYSES),
        "--models",
        "pico,pico@untrained",
        "--out",
        str(out),
    ]
    code = main(
        [*argv, "--weights-dir", str(weights), "--stage", "2", "--block", "1", "--head", "2", "--position", "30,70"]
    )
    return code, out, json.loads((out / "manifest.json").read_text(encoding="utf-8"))


def test_study_writes_the_librarys_values(results, images, weights):
    _, out, manifest = results
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


def test_manifest_records_inputs_and_settings(results, images, weights):
    code, _, manifest = results
    (entry,) = manifest["images"]
    first, second = entry["models"]
    assert code == 1  # one image is damaged
    assert manifest["format"] == 3
    assert manifest["command"][:5] == ["python", "-m", "transxnet", "study", str(images[0])]
    assert {"python", "torch", "timm", "captum"} <= set(manifest["versions"])
    assert [list(failure) for failure in manifest["failed"]] == [["image", "error"]]
    assert entry["image"] == str(images[0])
    assert entry["scales"]["attention"]["head"] == 2
    assert (first["model"], second["model"]) == ("pico", "pico@untrained")
    assert first["provenance"]["kind"] == "folder"
    assert len(first["provenance"]["sha256"]) == 64
    assert second["untrained"] is True
    assert first["heatmaps"]["attention"]["layer"] == "stage 2, block 1"
    assert first["heatmaps"]["grad_cam"]["layer"] == "stage 4, block 2"
    assert first["position"] == [30, 70]


def test_all_models_explain_the_first_ones_prediction(results):
    first, second = results[2]["images"][0]["models"]
    assert first["target"]["wnid"] == first["predictions"][0]["wnid"] == second["target"]["wnid"]
    assert second["target"]["wnid"] != second["predictions"][0]["wnid"]


def test_equal_file_names_get_numbered_folders():
    names = ["a/cat.jpg", "b/cat.png", "c/Cat.gif", "x/my cat (1).jpg", "..jpg"]
    assert common.folder_names([Path(name) for name in ("a-2.jpg", "a.jpg", "a.png")]) == ["a-2", "a", "a-3"]
    assert common.folder_names([Path(name) for name in names]) == ["cat", "cat-2", "Cat-3", "my_cat_1", "image"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--stage", "5"], "pico has no stage 5. Choose 1 to 4."),
        (["--stage", "1", "--block", "3"], "Stage 1 of pico has no block 3. Choose 0 to 2."),
        (["--stage", "1", "--head", "2"], "Stage 1 of pico has no head 2. Choose 0 to 1."),
        (["--cam-layer", "0"], "pico has no stage 0."),
        (["--target", "tench"], "called 'tench'"),
        (["--analyses", "kernels,magic"], "no analysis called 'magic'. Choose some of: attention, "),
        (["--models", "pico,magic"], "no model called 'magic'"),
    ],
)
def test_study_refuses_invalid_options_early(capsys, tmp_path, argv, message):
    code, out, err = run(capsys, "study", "a.png", "--out", tmp_path / "o", *argv)
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "o").exists()


def test_unwritable_folder_is_explained(capsys, images, tmp_path):
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    code, _, err = run(capsys, "study", images[0], "--models", "pico@untrained", "--out", tmp_path / "file" / "o")
    assert code == 2
    assert "The results cannot be written to o (Not a directory)." in err
    assert "--out" in err


# --- As a separate process --------------------------------------------------------------------------------------------


@pytest.mark.process
def test_process_list():
    process = Forked("transxnet", "list", "--json")
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert [row["name"] for row in lines(out)] == NAMES


@pytest.mark.process
def test_process_predict(images):
    """In a new interpreter: imports must print nothing either."""
    command = [sys.executable, "-m", "transxnet", "predict", str(images[0]), str(images[5]), "--json", *UNTRAINED]
    root = Path(transxnet.__file__).parents[1]
    process = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=200, cwd=root)
    assert process.returncode == 1, process.stderr
    good, damaged = lines(process.stdout)
    assert good["provenance"]["kind"] == "untrained"
    assert "error" in damaged
    assert process.stderr == ""


@pytest.mark.process
def test_process_study(images, tmp_path):
    options = ("--analyses", "attention,grad_cam", "--models", "pico@untrained", "--out", tmp_path / "o")
    process = Forked("transxnet", "study", images[0], *options)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert (tmp_path / "o" / "a" / "sheet.png").stat().st_size > 10_000
    assert out.splitlines()[-1] == str(tmp_path / "o" / "manifest.json")
    assert "Traceback" not in err
