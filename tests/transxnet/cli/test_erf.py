"""`python -m transxnet erf`, end to end: what it writes, goes on from, refuses, and divides among processes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.small import image, small_model
from tests.tiny import leftovers, one_thread  # noqa: F401 - a fixture
from tests.torchrun import ranks
from transxnet.__main__ import main
from transxnet.cli import erf as receptive
from transxnet.cli import erf_folder
from transxnet.draw.png import to_png
from transxnet.errors import DeviceError
from transxnet.explain.erf import protocol as erf_protocol
from transxnet.explain.erf.protocol import published_erf
from transxnet.weights import load as weights
from transxnet.weights.load import load

SIZE = 64


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> list[Path]:
    """Two small images in n1, one in n2, and a file in n2 that is none."""
    root = tmp_path_factory.mktemp("images")
    paths = [root / "n1" / "a.png", root / "n1" / "b.png", root / "n2" / "a.png", root / "n2" / "bad.png"]
    for i, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(to_png(image(i).rgb) if path.stem != "bad" else b"nothing")
    return paths


@pytest.fixture
def small(monkeypatch) -> None:
    """Models that take milliseconds: "small" and "small@untrained", of the same weights."""
    kinds = {"small": "folder", "small@untrained": "untrained"}
    monkeypatch.setattr(weights, "load", lambda name, *args, **places: small_model(kinds[name]))


@pytest.fixture
def erf(capsys, tmp_path):
    """Runs the command at 64 px into a folder of the test's own: (exit code, stdout, stderr)."""

    def run(*argv: object) -> tuple[int, str, str]:
        code = main(["erf", "--size", str(SIZE), "--device", "cpu", "--out", str(tmp_path), *map(str, argv)])
        return code, *capsys.readouterr()

    return run


def manifest(folder: Path) -> dict:
    return json.loads((folder / "erf.json").read_text(encoding="utf-8"))


def average(folder: Path, name: str = "pico") -> np.ndarray:
    with np.load(folder / "erf.npz", allow_pickle=False) as held:
        return held[f"{name}/heat"]


def test_writes_the_average_the_figure_and_the_manifest(erf, images, tmp_path):
    code, out, err = erf(*images[:2], "--models", "pico,pico@untrained")
    assert code == 0
    assert out.splitlines()[-1] == str(tmp_path / "erf.png")
    assert "pico: 1 of 2 images\n" in err
    assert "pico@untrained: 2 of 2 images\n" in err
    expected = published_erf(load("pico", device="cpu"), images[:2], SIZE)
    np.testing.assert_allclose(average(tmp_path), expected.heatmap, rtol=1e-6, atol=1e-9)
    told = manifest(tmp_path)
    assert (told["finished"], told["size"], told["images"], told["failed"]) == (True, SIZE, 2, [])
    pico, untrained = told["models"]
    assert pico["images"] == ["n1/a.png", "n1/b.png"]
    assert pico["provenance"]["sha256"] == load("pico", device="cpu").provenance.sha256
    assert (pico["untrained"], untrained["untrained"]) == (False, True)
    assert pico["numbers"]["raw/r50"] == pytest.approx(expected.raw_curve.area_at(0.5))
    assert pico["layer"] == "stage 4, block 2"
    assert cv2.imread(str(tmp_path / "erf.png")).shape[1] == 1248
    assert sorted(path.name for path in tmp_path.iterdir()) == ["erf.json", "erf.npz", "erf.png"]


def test_goes_on_where_it_was(erf, images, tmp_path, monkeypatch):
    """One image, then the rest: only the rest is looked at, and the average is that of all at once."""
    code, out, err = erf(images[0], "--models", "pico")
    assert code == 0
    assert "pico: 1 of 1 image\n" in err
    assert "pico: 1 image, raw/r50" in out
    seen = []
    plain = receptive._advance
    monkeypatch.setattr(
        receptive, "_advance", lambda run, column, chunk: seen.extend(chunk) or plain(run, column, chunk)
    )
    assert erf(*images[:3], "--models", "pico", "--resume")[0] == 0
    assert seen == images[1:3]
    whole = published_erf(load("pico", device="cpu"), images[:3], SIZE)
    np.testing.assert_allclose(average(tmp_path), whole.heatmap, rtol=1e-6, atol=1e-9)
    assert manifest(tmp_path)["models"][0]["images"] == list(whole.images) == ["n1/a.png", "n1/b.png", "n2/a.png"]
    seen.clear()
    assert erf(*images[:3], "--models", "pico", "--resume")[0] == 0  # nothing left: the figure is written anew
    assert seen == []


def test_shows_something_before_it_is_done(erf, small, images, tmp_path, monkeypatch):
    """After the first image the figure, the average and the manifest are there, and say that it is not the end."""
    states = []
    plain = receptive.write

    def write(run, finished=False):
        plain(run, finished)
        told = manifest(tmp_path)
        states.append((told["finished"], told["caption"].startswith("small: 1 of 2 images so far. 1 image f")))

    monkeypatch.setattr(receptive, "write", write)
    erf(*images[:2], "--models", "small")
    assert states == [(False, True), (True, False)]


def test_one_bad_image_does_not_stop_the_others(erf, small, images, tmp_path):
    code, out, err = erf(images[0].parent.parent, "--models", "small")
    assert code == 1
    assert "bad.png, small: “bad.png” is damaged" in err
    (model,) = manifest(tmp_path)["models"]
    assert model["images"] == ["n1/a.png", "n1/b.png", "n2/a.png"]
    assert (model["folders"], model["failed"][0][0]) == (["n1", "n2"], "n2/bad.png")
    assert "small: 3 images" in out


def test_the_first_images_a_stage_and_a_unit(erf, small, images, tmp_path):
    assert erf(images[0].parent, "--models", "small", "--max-images", 1, "--stage", 2, "--unit", "1,3")[0] == 0
    (model,) = manifest(tmp_path)["models"]
    assert (model["images"], model["layer"], model["unit"]) == (["n1/a.png"], "stage 2, block 2", [1, 3])
    assert model["position"] == [24, 8]


def test_a_model_that_fails_does_not_stop_the_others(erf, small, images, tmp_path, monkeypatch):
    plain = erf_protocol.add_image

    def add(found, loaded, path):
        if loaded.untrained:
            raise DeviceError("Too much for this machine.")
        return plain(found, loaded, path)

    monkeypatch.setattr(erf_protocol, "add_image", add)
    code, out, err = erf(*images[:2], "--models", "small@untrained,small")
    assert code == 1
    assert "small@untrained: Too much for this machine." in err
    assert "small: 2 images" in out
    told = manifest(tmp_path)
    assert [model["model"] for model in told["models"]] == ["small"]
    assert told["failed"] == [{"model": "small@untrained", "error": "Too much for this machine."}]


def test_what_is_refused(erf, small, images, tmp_path):
    code, _, err = erf(images[3], "--models", "small")
    assert (code, "n2/bad.png" in err) == (2, True)  # nothing could be averaged
    assert not (tmp_path / "erf.png").exists()
    assert "no stage 5" in erf(images[0], "--models", "small", "--stage", 5)[2]
    assert "names no model" in erf(images[0], "--models", ",")[2]
    with pytest.raises(SystemExit):
        erf(images[0], "--unit", "3")


def test_a_run_of_another_kind_is_not_gone_on_with(erf, small, images, tmp_path):
    erf(*images[:2], "--models", "small")
    for other, said in (
        (("--size", 96), "another size: 64, not 96"),
        (("--stage", 2), "another stage: 0, not 2"),
        (("--unit", "0,0"), "another unit"),
    ):
        code, _, err = erf(*images[:2], "--models", "small", *other, "--resume")
        assert (code, said in err) == (2, True), err
    assert "holds small, which is not named" in erf(images[0], "--models", "small@untrained", "--resume")[2]
    assert "holds 1 images that are not among" in erf(images[0], "--models", "small", "--resume")[2]
    (tmp_path / "erf.npz").write_bytes(b"PK\x03\x04 and no more")
    assert "damaged" in erf(*images[:2], "--models", "small", "--resume")[2]


def test_other_weights_are_not_added_up(erf, small, images, tmp_path):
    erf(images[0], "--models", "small@untrained")
    with np.load(tmp_path / "erf.npz") as held:
        state, heatmap = json.loads(str(held["state"])), held["small@untrained/heat"]
    state["models"]["small@untrained"]["sha256"] = "0" * 64
    buffer = io.BytesIO()
    np.savez(buffer, **{"small@untrained/heat": heatmap, "state": np.array(json.dumps(state))})
    (tmp_path / erf_folder.ARRAYS).write_bytes(buffer.getvalue())
    assert "other weights of small@untrained" in erf(images[0], "--models", "small@untrained", "--resume")[2]


def test_nothing_is_left_behind(erf, small, images):
    assert erf(*images[2:], "--models", "small")[0] == 1
    assert leftovers(small_model().model) == []


def test_backbones_beside_each_other(erf, images, tmp_path):
    """Each in its own colors, a ViT built for the size asked; resumed, both averages are those of all at once."""
    names = ("timm:test_resnet@untrained", "timm:test_vit@untrained")
    assert erf(images[0], "--models", ",".join(names))[0] == 0
    code, out, _ = erf(*images[:3], "--models", ",".join(names), "--resume")
    assert code == 0
    assert [line.partition(",")[0] for line in out.splitlines()[:2]] == [f"{name}: 3 images" for name in names]
    for name in names:
        alone = published_erf(load(name, device="cpu", image_size=SIZE), images[:3], SIZE)
        np.testing.assert_allclose(average(tmp_path, name), alone.heatmap, rtol=1e-6, atol=1e-12)
        assert alone.heatmap.max() > 0
    layers = [model["layer"] for model in manifest(tmp_path)["models"]]
    words = "stage 4 (blocks.4; patch tokens; the last block's do not reach the logits)"
    assert layers == ["stage 4 (layer4)", words]


def test_what_is_refused_of_backbones(erf, images):
    for argv, said in (
        (("--models", "timm:resnet5O"), "timm has no backbone called 'resnet5O'. Near it: timm:resnet50"),
        (("--models", "timm:test_vit@untrained", "--size", 24), "No model looks at images of 24 px"),
        (("--models", "timm:test_resnet@untrained", "--stage", 5), "timm:test_resnet has no stage 5"),
        (("--models", "timm:resnet18,pico,timm:resnet34"), "no weights for timm:resnet18 and timm:resnet34."),
        (("--models", "timm:resnet18,pico,timm:resnet34"), "take random ones: NAME@untrained."),
    ):
        code, out, err = erf(images[0], *argv)
        assert (code, out) == (2, "")
        assert said in err


@pytest.mark.process
def test_two_processes_make_the_averages_of_one(images, tmp_path):
    """Every option goes through torchrun, which takes options of its own."""
    names = ("pico", "timm:test_vit@untrained")
    options = (
        "--models", ",".join(names), "--size", str(SIZE), "--max-images", "4", "--stage", "3", "--unit", "1,2",
        "--device", "cpu", "--resume",
    )  # fmt: skip
    ran = ranks("-m", "transxnet", "erf", *map(str, images), *options, "--out", str(tmp_path))
    for name in names:
        assert f"{name}: 3 of 4 images" in ran.stderr, ran.stderr
    for model, name in zip(manifest(tmp_path)["models"], names, strict=True):
        assert sorted(model["images"]) == ["n1/a.png", "n1/b.png", "n2/a.png"]
        assert [image for image, _ in model["failed"]] == ["n2/bad.png"]
        alone = published_erf(load(name, device="cpu", image_size=SIZE), images, SIZE, 3, (1, 2))
        np.testing.assert_allclose(average(tmp_path, name), alone.heatmap, rtol=1e-3, atol=1e-6)
