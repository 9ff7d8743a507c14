"""`python -m transxnet erf`, end to end: files, --resume, refused arguments, several processes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.fixtures.small_model import image, small_model
from tests.fixtures.tiny_model import leftover_state
from tests.torchrun import ranks
from transxnet.__main__ import main
from transxnet.cli import erf as erf_command
from transxnet.cli import erf_files
from transxnet.draw.overlay import to_png
from transxnet.errors import DeviceError
from transxnet.explain.erf import protocol as erf_protocol
from transxnet.explain.erf.protocol import published_erf
from transxnet.registry import RegisteredModel, add_model, clear_models
from transxnet.weights import load as weights
from transxnet.weights.load import load

SIZE = 64


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> list[Path]:
    """Two small images in n1; one image and a damaged file in n2."""
    root = tmp_path_factory.mktemp("images")
    paths = [root / "n1" / "a.png", root / "n1" / "b.png", root / "n2" / "a.png", root / "n2" / "bad.png"]
    for i, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(to_png(image(i).rgb) if path.stem != "bad" else b"nothing")
    return paths


@pytest.fixture
def small(monkeypatch) -> Iterator[None]:
    """Models that take milliseconds: "small" and "small@untrained", with the same weights."""
    add_model(RegisteredModel("small", "", small_model("folder").spec))
    kinds = {"small": "folder", "small@untrained": "untrained"}
    monkeypatch.setattr(weights, "load", lambda name, *args, **sources: small_model(kinds[name]))
    yield
    clear_models()


@pytest.fixture
def erf(capsys, tmp_path):
    """Run the command at 64 px into tmp_path; returns (exit code, stdout, stderr)."""

    def run(*argv: object) -> tuple[int, str, str]:
        code = main(["erf", "--image-size", str(SIZE), "--device", "cpu", "--out", str(tmp_path), *map(str, argv)])
        return code, *capsys.readouterr()

    return run


def manifest(folder: Path) -> dict:
    return json.loads((folder / "erf.json").read_text(encoding="utf-8"))


def average(folder: Path, name: str = "pico") -> np.ndarray:
    with np.load(folder / "erf.npz", allow_pickle=False) as arrays:
        return arrays[f"{name}/heatmap"]


def test_writes_average_figure_and_manifest(erf, images, tmp_path):
    code, out, err = erf(*images[:2], "--models", "pico,pico@untrained")
    assert code == 0
    assert out.splitlines()[-1] == str(tmp_path / "erf.png")
    assert "pico: 1 of 2 images\n" in err
    assert "pico@untrained: 2 of 2 images\n" in err
    expected = published_erf(load("pico", device="cpu"), images[:2], SIZE)
    np.testing.assert_allclose(average(tmp_path), expected.heatmap, rtol=1e-6, atol=1e-9)
    record = manifest(tmp_path)
    assert (record["format"], record["finished"], record["image_size"]) == (2, True, SIZE)
    assert (record["images"], record["failed"]) == (2, [])
    pico, untrained = record["models"]
    assert pico["images"] == ["n1/a.png", "n1/b.png"]
    assert pico["provenance"]["sha256"] == load("pico", device="cpu").provenance.sha256
    assert (pico["untrained"], untrained["untrained"]) == (False, True)
    assert pico["numbers"]["raw/r50"] == pytest.approx(expected.raw_curve.area_at(0.5))
    assert pico["layer"] == "stage 4, block 2"
    assert cv2.imread(str(tmp_path / "erf.png")).shape[1] == 1248
    assert sorted(path.name for path in tmp_path.iterdir()) == ["erf.json", "erf.npz", "erf.png"]


def test_resume_adds_the_remaining_images(erf, images, tmp_path, monkeypatch):
    """Only the remaining images are read, and the average is that of a single run."""
    code, out, err = erf(images[0], "--models", "pico")
    assert code == 0
    assert "pico: 1 of 1 image\n" in err
    assert "pico: 1 image, raw/r50" in out
    added = []
    add_chunk = erf_command._add_chunk
    monkeypatch.setattr(
        erf_command, "_add_chunk", lambda run, model, chunk: added.extend(chunk) or add_chunk(run, model, chunk)
    )
    assert erf(*images[:3], "--models", "pico", "--resume")[0] == 0
    assert added == images[1:3]
    single = published_erf(load("pico", device="cpu"), images[:3], SIZE)
    np.testing.assert_allclose(average(tmp_path), single.heatmap, rtol=1e-6, atol=1e-9)
    assert manifest(tmp_path)["models"][0]["images"] == list(single.images) == ["n1/a.png", "n1/b.png", "n2/a.png"]
    added.clear()
    assert erf(*images[:3], "--models", "pico", "--resume")[0] == 0  # no image remains: the figure is written again
    assert added == []


def test_previews_while_running(erf, small, images, tmp_path, monkeypatch):
    """After the first image all files exist and say that the run is not finished."""
    states = []
    write_results = erf_command.write_results

    def recording(run, finished=False):
        write_results(run, finished)
        record = manifest(tmp_path)
        states.append((record["finished"], record["caption"].startswith("small: 1 of 2 images so far. 1 image f")))

    monkeypatch.setattr(erf_command, "write_results", recording)
    erf(*images[:2], "--models", "small")
    assert states == [(False, True), (True, False)]


def test_damaged_image_does_not_stop_the_others(erf, small, images, tmp_path):
    code, out, err = erf(images[0].parent.parent, "--models", "small")
    assert code == 1
    assert "bad.png, small: “bad.png” is damaged" in err
    (model,) = manifest(tmp_path)["models"]
    assert model["images"] == ["n1/a.png", "n1/b.png", "n2/a.png"]
    assert (model["folders"], model["failed"][0]["image"]) == (["n1", "n2"], "n2/bad.png")
    assert "small: 3 images" in out


def test_max_images_stage_and_unit(erf, small, images, tmp_path):
    assert erf(images[0].parent, "--models", "small", "--max-images", 1, "--stage", 2, "--unit", "1,3")[0] == 0
    (model,) = manifest(tmp_path)["models"]
    assert (model["images"], model["layer"], model["unit"]) == (["n1/a.png"], "stage 2, block 2", [1, 3])
    assert model["position"] == [24, 8]


def test_failed_model_does_not_stop_the_others(erf, small, images, tmp_path, monkeypatch):
    add_image = erf_protocol.add_image

    def add(erf_sum, loaded, path, **options):
        if loaded.untrained:
            raise DeviceError("Too much for this machine.")
        return add_image(erf_sum, loaded, path, **options)

    monkeypatch.setattr(erf_protocol, "add_image", add)
    code, out, err = erf(*images[:2], "--models", "small@untrained,small")
    assert code == 1
    assert "small@untrained: Too much for this machine." in err
    assert "small: 2 images" in out
    record = manifest(tmp_path)
    assert [model["model"] for model in record["models"]] == ["small"]
    assert record["failed"] == [{"model": "small@untrained", "error": "Too much for this machine."}]


def test_refused_arguments(erf, small, images, tmp_path):
    code, _, err = erf(images[3], "--models", "small")
    assert (code, "n2/bad.png" in err) == (2, True)  # nothing could be averaged
    assert not (tmp_path / "erf.png").exists()
    assert "no stage 5" in erf(images[0], "--models", "small", "--stage", 5)[2]
    assert "names no model" in erf(images[0], "--models", ",")[2]
    with pytest.raises(SystemExit):
        erf(images[0], "--unit", "3")


def test_resume_needs_the_same_settings(erf, small, images, tmp_path):
    erf(*images[:2], "--models", "small")
    for other, message in (
        (("--image-size", 96), "another image size: 64, not 96"),
        (("--stage", 2), "another stage: 0, not 2"),
        (("--unit", "0,0"), "another unit"),
    ):
        code, _, err = erf(*images[:2], "--models", "small", *other, "--resume")
        assert (code, message in err) == (2, True), err
    assert "includes small, which is not named" in erf(images[0], "--models", "small@untrained", "--resume")[2]
    assert "includes 1 images that are not among" in erf(images[0], "--models", "small", "--resume")[2]
    (tmp_path / "erf.npz").write_bytes(b"PK\x03\x04 and no more")
    assert "damaged" in erf(*images[:2], "--models", "small", "--resume")[2]


def test_resume_needs_the_same_weights(erf, small, images, tmp_path):
    erf(images[0], "--models", "small@untrained")
    with np.load(tmp_path / "erf.npz") as arrays:
        state, heatmap = json.loads(str(arrays["state"])), arrays["small@untrained/heatmap"]
    state["models"]["small@untrained"]["sha256"] = "0" * 64
    buffer = io.BytesIO()
    np.savez(buffer, **{"small@untrained/heatmap": heatmap, "state": np.array(json.dumps(state))})
    (tmp_path / erf_files.ARRAYS).write_bytes(buffer.getvalue())
    assert "other weights of small@untrained" in erf(images[0], "--models", "small@untrained", "--resume")[2]


def test_model_is_left_clean(erf, small, images):
    assert erf(*images[2:], "--models", "small")[0] == 1
    assert leftover_state(small_model().model) == []


def test_backbones(erf, images, tmp_path):
    """Each with its normalization, a ViT built for this size; resumed averages are those of a single run."""
    names = ("timm:test_resnet@untrained", "timm:test_vit@untrained")
    assert erf(images[0], "--models", ",".join(names))[0] == 0
    code, out, _ = erf(*images[:3], "--models", ",".join(names), "--resume")
    assert code == 0
    assert [line.partition(",")[0] for line in out.splitlines()[:2]] == [f"{name}: 3 images" for name in names]
    for name in names:
        single = published_erf(load(name, device="cpu", image_size=SIZE), images[:3], SIZE)
        np.testing.assert_allclose(average(tmp_path, name), single.heatmap, rtol=1e-6, atol=1e-12)
        assert single.heatmap.max() > 0
    layers = [model["layer"] for model in manifest(tmp_path)["models"]]
    vit_layer = "stage 4 (blocks.4; patch tokens; the last block's do not reach the logits)"
    assert layers == ["stage 4 (layer4)", vit_layer]


def test_refused_backbones(erf, images):
    for argv, message in (
        (("--models", "timm:resnet5O"), "timm has no backbone called 'resnet5O'. Similar names: timm:resnet50"),
        (
            ("--models", "timm:test_vit@untrained", "--image-size", 24),
            "The image size 24 px is out of range. Choose 32 to 2048.",
        ),
        (("--models", "timm:test_resnet@untrained", "--stage", 5), "timm:test_resnet has no stage 5"),
        (("--models", "timm:resnet18,pico,timm:resnet34"), "no weights for timm:resnet18 and timm:resnet34."),
        (("--models", "timm:resnet18,pico,timm:resnet34"), "use random weights: NAME@untrained."),
    ):
        code, out, err = erf(images[0], *argv)
        assert (code, out) == (2, "")
        assert message in err


@pytest.mark.process
def test_two_processes_equal_one(images, tmp_path):
    """Every option passes through torchrun, which has options too."""
    names = ("pico", "timm:test_vit@untrained")
    options = (
        "--models", ",".join(names), "--image-size", str(SIZE), "--max-images", "4", "--stage", "3", "--unit", "1,2",
        "--device", "cpu", "--resume",
    )  # fmt: skip
    process = ranks("-m", "transxnet", "erf", *map(str, images), *options, "--out", str(tmp_path))
    for name in names:
        assert f"{name}: 3 of 4 images" in process.stderr, process.stderr
    for model, name in zip(manifest(tmp_path)["models"], names, strict=True):
        assert sorted(model["images"]) == ["n1/a.png", "n1/b.png", "n2/a.png"]
        assert [failure["image"] for failure in model["failed"]] == ["n2/bad.png"]
        single = published_erf(load(name, device="cpu", image_size=SIZE), images, SIZE, 3, (1, 2))
        np.testing.assert_allclose(average(tmp_path, name), single.heatmap, rtol=1e-3, atol=1e-6)
