"""`python -m transxnet study`: resumed, divided among processes, and with backbones beside TransXNets."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import pytest
from safetensors.torch import save_file

from tests.small import image
from tests.tiny import one_thread  # noqa: F401 - a fixture
from tests.torchrun import ranks
from transxnet import study as study_package
from transxnet.__main__ import main
from transxnet.cli import common
from transxnet.draw.png import to_png
from transxnet.errors import DeviceError
from transxnet.model import TransXNet
from transxnet.variants import VARIANTS, VariantSpec
from transxnet.weights.checkpoint import untrained_model

CHEAP = ("--models", "pico@untrained", "--only", "grad_cam", "--device", "cpu")
BACKBONE = "timm:test_resnet@untrained"


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """Random weights are drawn once for all runs, and each run times two forward passes of its models, not eight."""
    monkeypatch.setattr("transxnet.weights.load.untrained_model", drawn_once)
    monkeypatch.setattr("transxnet.cli.study_timing.PASSES", 1)


@cache
def drawn_once(spec: VariantSpec) -> TransXNet:
    return untrained_model(spec)


@pytest.fixture
def images(tmp_path) -> list[Path]:
    """a.png and b.png, and c.png that is none."""
    folder = tmp_path / "images"
    folder.mkdir()
    for i, name in enumerate("ab"):
        (folder / f"{name}.png").write_bytes(to_png(image(i).rgb))
    (folder / "c.png").write_bytes(b"nothing")
    return [folder / f"{name}.png" for name in "abc"]


@pytest.fixture
def looks(monkeypatch) -> list[tuple[str, str]]:
    """(model, digest of the image) of every look that the command takes."""
    taken = []
    plain = study_package.study

    def counted(loaded, image, *rest):
        taken.append((loaded.name, image.sha256))
        return plain(loaded, image, *rest)

    monkeypatch.setattr(study_package, "study", counted)
    return taken


@pytest.fixture
def undrawn(monkeypatch) -> None:
    """Looks are taken, and no figure is drawn of them."""

    def entry(folder, place, studies, upload, title, style):
        (folder / place).mkdir(parents=True, exist_ok=True)
        (folder / place / "sheet.png").touch()
        return {"name": title, "sheet": f"{place}/sheet.png", "models": [], "figures": []}

    monkeypatch.setattr("transxnet.export.files.write_image", entry)
    monkeypatch.setattr("transxnet.export.files.report", lambda *given: "")


@pytest.fixture
def study(capsys, tmp_path) -> Callable[..., tuple[int, dict, str]]:
    """Runs the command into `out`: (exit code, manifest, stderr)."""

    def run(*argv: object) -> tuple[int, dict, str]:
        code = main(["study", "--out", str(tmp_path / "out"), *map(str, argv)])
        return code, manifest(tmp_path / "out"), capsys.readouterr().err

    return run


def manifest(folder: Path) -> dict:
    path = folder / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


# --- Resumed ----------------------------------------------------------------------------------------------------------


def test_a_resumed_run_does_not_look_again(study, looks, images):
    first = study(*images[:2], *CHEAP)[1]
    assert len(looks) == 2
    code, second, _ = study(*images[:2], *CHEAP, "--resume")
    assert (code, len(looks)) == (0, 2)
    assert second["images"] == first["images"]


def test_without_resume_it_looks_again(study, looks, undrawn, images):
    study(images[0], *CHEAP)
    study(images[0], *CHEAP)
    assert len(looks) == 2


def test_it_looks_again_where_it_is_asked_something_else(study, looks, undrawn, images):
    for other in (
        (), ("--only", "grad_cam,contrast"), ("--class", "ladybug"), ("--cam-stage", 3), ("--stage", 2), ("--block", 1),
        ("--head", 1), ("--point", "30,40"), ("--thorough",), ("--against", images[1]),
    ):  # fmt: skip
        looks.clear()
        for _ in range(2):
            assert study(images[0], *CHEAP, *other, "--resume")[0] == 0
        assert len(looks) == 1, other
    study(images[0], *CHEAP, "--models", "pico@untrained,pico_static@untrained", "--resume")
    assert len(looks) == 3


def test_it_looks_again_with_other_weights(study, looks, undrawn, images, tmp_path):
    for seed in (7, 8, 8):
        model = untrained_model(VARIANTS["transxnet_pico"], seed)
        save_file(model.state_dict(), tmp_path / "transxnet_pico.safetensors")
        study(images[0], *CHEAP, "--models", "pico", "--weights-dir", tmp_path, "--resume")
    assert len(looks) == 2


def test_it_looks_again_at_another_image_of_that_name(study, looks, undrawn, images):
    study(images[0], *CHEAP)
    images[0].write_bytes(images[1].read_bytes())
    study(images[0], *CHEAP, "--resume")
    assert len({digest for _, digest in looks}) == 2


def test_it_looks_again_where_a_figure_was_taken_away(study, looks, images, tmp_path):
    study(images[0], *CHEAP)
    (tmp_path / "out" / "a" / "sheet.png").unlink()
    study(images[0], *CHEAP, "--resume")
    assert len(looks) == 2
    assert (tmp_path / "out" / "a" / "sheet.png").exists()


def test_what_could_not_be_read_is_tried_again(study, looks, undrawn, images):
    code, told, err = study(*images, *CHEAP)
    assert (code, len(looks)) == (1, 2)
    assert "c.png: “c.png” is damaged" in err
    assert [Path(one["image"]).name for one in told["failed"]] == ["c.png"]
    images[2].write_bytes(to_png(image(5).rgb))
    looks.clear()
    code, told, _ = study(*images, *CHEAP, "--resume")
    assert (code, len(told["images"]), told["failed"]) == (0, 3, [])
    # c.png is new, and b.png has another image after it to compare kernels with
    assert len(looks) == 2


def test_a_image_that_a_model_failed_on_is_tried_again(study, images, monkeypatch, tmp_path):
    """Also where an earlier run had finished it: the files of that run are partly replaced by then."""
    models = ("--models", "pico@untrained,pico_static@untrained")
    assert study(images[0], *CHEAP, *models)[0] == 0
    plain = study_package.study

    def failing(loaded, *rest):
        if loaded.name == "pico_static@untrained":
            raise DeviceError("Too much for this machine.")
        return plain(loaded, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(study_package, "study", failing)
        code, told, _ = study(images[0], *CHEAP, *models)
        assert (code, told["failed"][0]["model"]) == (1, "pico_static@untrained")
        assert [model["model"] for model in told["images"][0]["models"]] == ["pico@untrained"]
        assert not (tmp_path / "out" / "a" / "entry.json").exists()
    code, told, _ = study(images[0], *CHEAP, *models, "--resume")
    assert (code, told["failed"]) == (0, [])
    assert [model["model"] for model in told["images"][0]["models"]] == ["pico@untrained", "pico_static@untrained"]


def test_figures_among_the_images_are_not_studied(looks, undrawn, images):
    """--out may lie in the folder of the images."""
    folder = images[0].parent
    images[2].unlink()
    (folder / "out").mkdir()
    (folder / "out" / "sheet.png").write_bytes(images[0].read_bytes())
    main(["study", str(folder), "--out", str(folder / "out"), *CHEAP, "--resume"])
    assert len(looks) == 2


def test_no_image_but_those_of_the_results_is_said(images, capsys):
    folder = images[0].parent
    assert main(["study", str(folder), "--out", str(folder), *CHEAP]) == 2
    assert "all lie in the folder that the results go to" in capsys.readouterr().err


def test_a_model_named_twice_is_one(study, undrawn, looks, images):
    study(images[0], *CHEAP, "--models", "pico@untrained, transxnet_pico@untrained")
    assert [name for name, _ in looks] == ["pico@untrained"]


def test_the_second_model_contrasts_the_first_ones_answers(study, images):
    models = ("--models", "pico@untrained,pico_static@untrained")
    _, told, _ = study(images[0], *CHEAP[2:], *models, "--only", "contrast")
    first, second = (model["maps"]["contrast"] for model in told["images"][0]["models"])
    assert first["target"] == second["target"]


def test_an_answer_that_the_second_model_lacks_gives_way_with_a_note(study, images):
    numbered = "timm:vit_tiny_patch16_224.augreg_in21k@untrained"
    code, told, _ = study(images[0], *CHEAP[2:], "--models", f"{numbered},pico@untrained", "--only", "grad_cam")
    assert code == 0
    assert "has no class “class" in told["images"][0]["models"][1]["notes"][0]


def test_the_time_is_told_as_plain_forward_passes_of_that_run(study, undrawn, images):
    _, told, _ = study(*images[:2], *CHEAP)
    timing = told["timing"]
    assert timing["images"] == 2
    each = timing["seconds"] / 2 / timing["plain_forward_seconds"]["pico@untrained"]
    assert timing["plain_forwards_a_image"] == pytest.approx(each)


def test_many_images_make_several_reports(study, undrawn, images, tmp_path, monkeypatch):
    monkeypatch.setattr("transxnet.export.files.IMAGES_A_REPORT", 1)
    study(*images[:2], *CHEAP)
    assert sorted(p.name for p in (tmp_path / "out").glob("*.html")) == ["report-2.html", "report.html"]


# --- Divided ----------------------------------------------------------------------------------------------------------


def timeless(told: dict) -> dict:
    """A manifest without what two equal runs differ in."""
    images = [
        {**entry, "models": [{k: v for k, v in model.items() if k != "seconds"} for model in entry["models"]]}
        for entry in told["images"]
    ]
    return {**told, "images": images, "made": "", "command": [], "timing": {}}


@pytest.mark.process
def test_two_processes_tell_what_one_tells(study, images, tmp_path):
    """Every option goes through torchrun, which takes options of its own."""
    options = (
        "--models", "pico@untrained", "--only", "grad_cam", "--stage", "2", "--block", "1", "--head", "2",
        "--point", "30,40", "--class", "ladybug", "--cam-stage", "3", "--against", str(images[1]), "--thorough",
        "--resume", "--device", "cpu",
    )  # fmt: skip
    _, alone, _ = study(*images, *options)
    two = tmp_path / "two"
    ran = ranks("-m", "transxnet", "study", *map(str, images), "--out", str(two), *options)
    told = manifest(two)
    assert [entry["name"] for entry in told["images"]] == ["a.png", "b.png"], ran.stderr
    assert [Path(one["image"]).name for one in told["failed"]] == ["c.png"]
    assert timeless(told) == timeless(alone)
    assert told["command"][3:] == ["study", *map(str, images), "--out", str(two), *options]
    report = (two / "report.html").read_text(encoding="utf-8")
    assert "a.png" in report
    assert "b.png" in report
    assert len(list(two.rglob("entry.json"))) == 2


# --- Backbones --------------------------------------------------------------------------------------------------------


def test_a_backbone_beside_pico(study, images, tmp_path):
    """--block and --head are pico's; each view of a part that the backbone lacks shows pico alone, and says why."""
    argv = ("--models", f"pico@untrained,{BACKBONE}", "--only", "attention,kernels,grad_cam,receptive_field")
    code, told, err = study(images[0], *argv, "--block", 3, "--head", 2, "--device", "cpu")
    assert (code, err) == (0, "")
    pico, backbone = told["images"][0]["models"]
    assert set(pico["maps"]) == {"attention", "kernels", "grad_cam", "receptive_field"}
    assert set(backbone["maps"]) == {"grad_cam", "receptive_field"}
    assert backbone["missing"] == {
        "attention": "test_resnet is no TransXNet: it has no OSRA to attend with.",
        "kernels": "test_resnet is no TransXNet: it generates no kernels.",
    }
    assert pico["maps"]["attention"]["layer"] == "stage 3, block 3"
    assert backbone["maps"]["grad_cam"]["layer"] == "stage 4 (layer4)"
    assert (pico["view"]["size"], backbone["view"]["size"]) == ([128, 128], [160, 160])
    assert cv2.imread(str(tmp_path / "out" / told["images"][0]["sheet"])) is not None


def test_blocks_and_heads_that_no_model_has_are_refused(study, images):
    for argv, words in (
        (("--block", 2), "Stage 3 of timm:test_resnet has no block 2. Choose 0 to 1."),
        (("--head", 1), "Stage 3 of timm:test_resnet has no head 1. Leave it at 0."),
        (("--stage", 5), "timm:test_resnet has no stage 5. Choose 1 to 4."),
    ):
        code, told, err = study(images[0], "--models", BACKBONE, *argv)
        assert (code, told) == (2, {})
        assert words in err
    assert "Stage 3 of pico has no block 9" in study(images[0], "--models", f"pico,{BACKBONE}", "--block", 9)[2]
    assert "names no model" in study(images[0], "--models", ",")[2]


def test_all_models_without_weights_are_told_at_once(study, images):
    code, _, err = study(images[0], "--models", "timm:resnet18,pico@untrained,nano")
    assert code == 2
    assert "There are no weights for timm:resnet18 and nano.\n  1. timm:resnet18: There is no network here" in err
    assert "\n  2. nano: " in err
    assert err.endswith("or take random ones: NAME@untrained.\n")
    one = study(images[0], "--models", "pico@untrained,nano")[2]
    assert "No weights for transxnet_nano: every source failed.\n  1. folder:" in one


def test_images_of_a_folder_but_those_of_one_below_it(images):
    folder = images[0].parent
    (folder / "out").mkdir()
    (folder / "out" / "a.png").write_bytes(b"")
    assert common.images_in([folder], but=folder / "out") == images
    assert common.images_in([folder], but=folder / "other") == sorted([*images, folder / "out" / "a.png"])
    assert common.images_in([folder / "out" / "a.png"], but=folder / "out") == [folder / "out" / "a.png"]
