"""`python -m transxnet study`: --resume, several processes, timing, other backbones."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import pytest
from safetensors.torch import save_file

from tests.fixtures.small_model import image, small_model
from tests.torchrun import ranks
from transxnet import study as study_package
from transxnet.__main__ import main
from transxnet.cli import common
from transxnet.cli.study import plain_forward_seconds, timing, timing_text
from transxnet.draw.overlay import to_png
from transxnet.errors import DeviceError
from transxnet.model import TransXNet
from transxnet.variants import VARIANTS, VariantSpec
from transxnet.weights.checkpoint import untrained_model

CHEAP = ("--models", "pico@untrained", "--analyses", "grad_cam", "--device", "cpu")
BACKBONE = "timm:test_resnet@untrained"


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """Draw random weights once for all runs; time two forward passes of each model, not eight."""
    monkeypatch.setattr("transxnet.weights.load.untrained_model", cached_model)
    monkeypatch.setattr("transxnet.cli.study.TIMED_PASSES", 1)


@cache
def cached_model(spec: VariantSpec) -> TransXNet:
    return untrained_model(spec)


@pytest.fixture
def images(tmp_path) -> list[Path]:
    """a.png, b.png, and the damaged c.png."""
    folder = tmp_path / "images"
    folder.mkdir()
    for i, name in enumerate("ab"):
        (folder / f"{name}.png").write_bytes(to_png(image(i).rgb))
    (folder / "c.png").write_bytes(b"nothing")
    return [folder / f"{name}.png" for name in "abc"]


@pytest.fixture
def calls(monkeypatch) -> list[tuple[str, str]]:
    """(model, digest of the image) of every study that the command makes."""
    calls = []
    library_study = study_package.study

    def recording(loaded, image, *rest):
        calls.append((loaded.name, image.sha256))
        return library_study(loaded, image, *rest)

    monkeypatch.setattr(study_package, "study", recording)
    return calls


@pytest.fixture
def no_figures(monkeypatch) -> None:
    """Make studies without drawing their figures."""

    def entry(out, folder, studies, upload, title, style, map_options):
        (out / folder).mkdir(parents=True, exist_ok=True)
        (out / folder / "sheet.png").touch()
        models = [{"model": s.model, "crop_png": "", "npz": "", "heatmaps": {}} for s in studies]
        return {"name": title, "sheet": f"{folder}/sheet.png", "models": models, "figures": [], "maps": []}

    monkeypatch.setattr("transxnet.export.files.write_image", entry)
    monkeypatch.setattr("transxnet.export.files.report", lambda *args: "")


@pytest.fixture
def study(capsys, tmp_path) -> Callable[..., tuple[int, dict, str]]:
    """Run the command into `out`; returns (exit code, manifest, stderr without the lines of finished analyses)."""

    def run(*argv: object) -> tuple[int, dict, str]:
        code = main(["study", "--out", str(tmp_path / "out"), *map(str, argv)])
        lines = capsys.readouterr().err.splitlines(keepends=True)
        return code, manifest(tmp_path / "out"), "".join(line for line in lines if not line.endswith(" analyses\n"))

    return run


def manifest(folder: Path) -> dict:
    path = folder / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


# --- --resume ---------------------------------------------------------------------------------------------------------


def test_resume_keeps_finished_images(study, calls, images):
    first = study(*images[:2], *CHEAP)[1]
    assert len(calls) == 2
    code, second, _ = study(*images[:2], *CHEAP, "--resume")
    assert (code, len(calls)) == (0, 2)
    assert second["images"] == first["images"]


def test_without_resume_images_are_studied_again(study, calls, no_figures, images):
    study(images[0], *CHEAP)
    study(images[0], *CHEAP)
    assert len(calls) == 2


def test_other_options_are_studied_again(study, calls, no_figures, images):
    for other in (
        (), ("--analyses", "grad_cam,contrast"), ("--target", "ladybug"), ("--cam-layer", 3), ("--stage", 2),
        ("--block", 1), ("--head", 1), ("--position", "30,40"), ("--full-cascade",), ("--reference", images[1]),
        ("--map-format", "svg"), ("--map-format", "svg", "--no-map-caption"),
    ):  # fmt: skip
        calls.clear()
        for _ in range(2):
            assert study(images[0], *CHEAP, *other, "--resume")[0] == 0
        assert len(calls) == 1, other
    study(images[0], *CHEAP, "--models", "pico@untrained,pico_static@untrained", "--resume")
    assert len(calls) == 3


def test_single_maps_are_written_on_request(study, images):
    _, manifest, _ = study(images[0], *CHEAP, "--map-format", "pdf", "--map-width", "7.0", "--no-map-color-bar")
    (entry,) = manifest["images"]
    label = entry["models"][0]["target"]["label"].replace(" ", "-")
    assert entry["maps"] == [
        f"a/maps/a-pico-untrained-{name}-stage4-{label}.pdf" for name in ("grad_cam", "grad_cam_raw")
    ]  # fmt: skip
    for name in entry["maps"]:
        data = (images[0].parents[1] / "out" / name).read_bytes()
        assert b"/MediaBox [ 0 0 504 " in data
        assert b"/FontFile2" in data


def test_other_weights_are_studied_again(study, calls, no_figures, images, tmp_path):
    for seed in (7, 8, 8):
        model = untrained_model(VARIANTS["transxnet_pico"], seed)
        save_file(model.state_dict(), tmp_path / "transxnet_pico.safetensors")
        study(images[0], *CHEAP, "--models", "pico", "--weights-dir", tmp_path, "--resume")
    assert len(calls) == 2


def test_another_image_of_that_name_is_studied(study, calls, no_figures, images):
    study(images[0], *CHEAP)
    images[0].write_bytes(images[1].read_bytes())
    study(images[0], *CHEAP, "--resume")
    assert len({digest for _, digest in calls}) == 2


def test_missing_figure_is_drawn_again(study, calls, images, tmp_path):
    study(images[0], *CHEAP)
    (tmp_path / "out" / "a" / "sheet.png").unlink()
    study(images[0], *CHEAP, "--resume")
    assert len(calls) == 2
    assert (tmp_path / "out" / "a" / "sheet.png").exists()


def test_unreadable_image_is_retried(study, calls, no_figures, images):
    code, record, err = study(*images, *CHEAP)
    assert (code, len(calls)) == (1, 2)
    assert "c.png: “c.png” is damaged" in err
    assert [Path(failure["image"]).name for failure in record["failed"]] == ["c.png"]
    images[2].write_bytes(to_png(image(5).rgb))
    calls.clear()
    code, record, _ = study(*images, *CHEAP, "--resume")
    assert (code, len(record["images"]), record["failed"]) == (0, 3, [])
    # c.png is new, and b.png has another image after it to compare kernels with
    assert len(calls) == 2


def test_failed_model_is_retried(study, no_figures, images, monkeypatch, tmp_path):
    """Even after an earlier run had finished the image, because its files are partly replaced."""
    models = ("--models", "pico@untrained,pico_static@untrained")
    assert study(images[0], *CHEAP, *models)[0] == 0
    library_study = study_package.study

    def failing(loaded, *rest):
        if loaded.name == "pico_static@untrained":
            raise DeviceError("Too much for this machine.")
        return library_study(loaded, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(study_package, "study", failing)
        code, record, _ = study(images[0], *CHEAP, *models)
        assert (code, record["failed"][0]["model"]) == (1, "pico_static@untrained")
        assert [model["model"] for model in record["images"][0]["models"]] == ["pico@untrained"]
        assert not (tmp_path / "out" / "a" / "entry.json").exists()
    code, record, _ = study(images[0], *CHEAP, *models, "--resume")
    assert (code, record["failed"]) == (0, [])
    assert [model["model"] for model in record["images"][0]["models"]] == ["pico@untrained", "pico_static@untrained"]


def test_output_folder_among_images_is_skipped(calls, no_figures, images):
    """--out may be inside the folder of the images."""
    folder = images[0].parent
    images[2].unlink()
    (folder / "out").mkdir()
    (folder / "out" / "sheet.png").write_bytes(images[0].read_bytes())
    main(["study", str(folder), "--out", str(folder / "out"), *CHEAP, "--resume"])
    assert len(calls) == 2


def test_only_result_images_is_an_error(images, capsys):
    folder = images[0].parent
    assert main(["study", str(folder), "--out", str(folder), *CHEAP]) == 2
    assert "All images given lie in the output folder" in capsys.readouterr().err


def test_each_analysis_prints_a_line(no_figures, images, capsys, tmp_path):
    """To standard error, in the order in which they finish; standard output has paths and the timing only."""
    analyses = ("--analyses", "grad_cam,kernels,smooth_grad")
    arguments = ["study", str(images[0]), "--models", "pico@untrained", *analyses, "--device", "cpu"]
    assert main([*arguments, "--out", str(tmp_path / "lines")]) == 0
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if "analyses" in line]
    assert lines == [
        "a.png, pico@untrained: kernels done, 1 of 3 analyses",
        "a.png, pico@untrained: grad cam done, 2 of 3 analyses",
        "a.png, pico@untrained: smooth grad done, 3 of 3 analyses",
    ]
    assert "analyses" not in captured.out


def test_repeated_model_is_used_once(study, no_figures, calls, images):
    study(images[0], *CHEAP, "--models", "pico@untrained, transxnet_pico@untrained")
    assert [name for name, _ in calls] == ["pico@untrained"]


def test_models_contrast_the_same_classes(study, images):
    models = ("--models", "pico@untrained,pico_static@untrained")
    _, record, _ = study(images[0], *CHEAP[2:], *models, "--analyses", "contrast")
    first, second = (model["heatmaps"]["contrast"] for model in record["images"][0]["models"])
    assert first["explains"] == second["explains"]


def test_class_missing_in_second_model_is_noted(study, images):
    numbered = "timm:vit_tiny_patch16_224.augreg_in21k@untrained"
    code, record, _ = study(images[0], *CHEAP[2:], "--models", f"{numbered},pico@untrained", "--analyses", "grad_cam")
    assert code == 0
    assert "has no class “class" in record["images"][0]["models"][1]["notes"][0]


def test_manifest_has_timing(study, no_figures, images):
    _, record, _ = study(*images[:2], *CHEAP)
    record = record["timing"]
    assert record["images"] == 2
    ratio = record["seconds"] / 2 / record["plain_forward_seconds"]["pico@untrained"]
    assert record["plain_forwards_per_image"] == pytest.approx(ratio)


def test_timing_is_relative_to_all_models(monkeypatch):
    """The ratio is seconds per image over the sum of one forward pass of every model."""
    seconds = {"small": 0.02, "small@untrained": 0.03}
    monkeypatch.setattr("transxnet.cli.study.plain_forward_seconds", lambda model: seconds[model.name])
    record = timing(30.0, 3, [small_model(), small_model("untrained")])
    assert record["plain_forward_seconds"] == seconds
    assert record["plain_forwards_per_image"] == pytest.approx(10 / 0.05)
    text = "3 images in 30.0 s: 10.0 s each, equivalent to 200 forward passes (50.0 ms for all models"
    assert timing_text(record).startswith(text)


def test_plain_forward_is_timed():
    assert 0 < plain_forward_seconds(small_model()) < 5


def test_many_images_make_several_reports(study, no_figures, images, tmp_path, monkeypatch):
    monkeypatch.setattr("transxnet.export.files.IMAGES_A_REPORT", 1)
    study(*images[:2], *CHEAP)
    assert sorted(p.name for p in (tmp_path / "out").glob("*.html")) == ["report-2.html", "report.html"]


# --- Several processes ------------------------------------------------------------------------------------------------


def without_times(record: dict) -> dict:
    """A manifest without the entries in which equal runs differ."""
    images = [
        {**entry, "models": [{k: v for k, v in model.items() if k != "seconds"} for model in entry["models"]]}
        for entry in record["images"]
    ]
    return {**record, "images": images, "created": "", "command": [], "timing": {}}


@pytest.mark.process
def test_two_processes_equal_one(study, images, tmp_path):
    """Every option passes through torchrun, which has options too."""
    options = (
        "--models", "pico@untrained", "--analyses", "grad_cam", "--stage", "2", "--block", "1", "--head", "2",
        "--position", "30,40", "--target", "ladybug", "--cam-layer", "3", "--reference", str(images[1]),
        "--full-cascade", "--resume", "--device", "cpu",
    )  # fmt: skip
    _, single, _ = study(*images, *options)
    two = tmp_path / "two"
    process = ranks("-m", "transxnet", "study", *map(str, images), "--out", str(two), *options)
    record = manifest(two)
    assert [entry["name"] for entry in record["images"]] == ["a.png", "b.png"], process.stderr
    assert [Path(failure["image"]).name for failure in record["failed"]] == ["c.png"]
    assert without_times(record) == without_times(single)
    assert record["command"][3:] == ["study", *map(str, images), "--out", str(two), *options]
    report = (two / "report.html").read_text(encoding="utf-8")
    assert "a.png" in report
    assert "b.png" in report
    assert len(list(two.rglob("entry.json"))) == 2


# --- Backbones --------------------------------------------------------------------------------------------------------


def test_backbone_and_pico(study, images, tmp_path):
    """--block and --head apply to pico; analyses that the backbone does not support list the reason."""
    argv = ("--models", f"pico@untrained,{BACKBONE}", "--analyses", "attention,kernels,grad_cam,receptive_field")
    code, record, err = study(images[0], *argv, "--block", 3, "--head", 2, "--device", "cpu")
    assert (code, err) == (0, "")
    pico, backbone = record["images"][0]["models"]
    assert set(pico["heatmaps"]) == {"attention", "kernels", "grad_cam", "receptive_field"}
    assert set(backbone["heatmaps"]) == {"grad_cam", "receptive_field"}
    assert backbone["missing"] == {
        "attention": "test_resnet is no TransXNet: it has no OSRA to attend with.",
        "kernels": "test_resnet is no TransXNet: it generates no kernels.",
    }
    assert pico["heatmaps"]["attention"]["layer"] == "stage 3, block 3"
    assert backbone["heatmaps"]["grad_cam"]["layer"] == "stage 4 (layer4)"
    assert (pico["crop"]["size"], backbone["crop"]["size"]) == ([128, 128], [160, 160])
    assert pico["position"] == backbone["position"]  # one query position in a report, although crops differ
    assert cv2.imread(str(tmp_path / "out" / record["images"][0]["sheet"])) is not None


def test_invalid_blocks_and_heads_are_refused(study, images):
    for argv, message in (
        (("--block", 2), "Stage 3 of timm:test_resnet has no block 2. Choose 0 to 1."),
        (("--head", 1), "Stage 3 of timm:test_resnet has no head 1. Leave it at 0."),
        (("--stage", 5), "timm:test_resnet has no stage 5. Choose 1 to 4."),
    ):
        code, record, err = study(images[0], "--models", BACKBONE, *argv)
        assert (code, record) == (2, {})
        assert message in err
    assert "Stage 3 of pico has no block 9" in study(images[0], "--models", f"pico,{BACKBONE}", "--block", 9)[2]
    assert "names no model" in study(images[0], "--models", ",")[2]


def test_all_missing_weights_are_listed(study, images):
    code, _, err = study(images[0], "--models", "timm:resnet18,pico@untrained,nano")
    assert code == 2
    assert (
        "There are no weights for timm:resnet18 and nano.\n  1. timm:resnet18: Could not download timm/resnet18" in err
    )
    assert "\n  2. nano: " in err
    assert err.endswith("or use random weights: NAME@untrained.\n")
    error = study(images[0], "--models", "pico@untrained,nano")[2]
    assert "No weights for transxnet_nano: every source failed.\n  1. folder:" in error


def test_excluded_folder_is_skipped(images):
    folder = images[0].parent
    (folder / "out").mkdir()
    (folder / "out" / "a.png").write_bytes(b"")
    assert common.find_images([folder], exclude=folder / "out") == images
    assert common.find_images([folder], exclude=folder / "other") == sorted([*images, folder / "out" / "a.png"])
    assert common.find_images([folder / "out" / "a.png"], exclude=folder / "out") == [folder / "out" / "a.png"]
