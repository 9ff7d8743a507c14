"""The command line with a backbone without a classifier, and one with three stages."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.fixtures.small_model import image
from transxnet.__main__ import main
from transxnet.draw.overlay import to_png

FEATURES, THREE_STAGES = "timm:vit_small_patch16_dinov3@untrained", "timm:levit_128s@untrained"
NO_CLASSIFIER = "timm:vit_small_patch16_dinov3 has no classifier, so there is no class to explain."


@pytest.fixture
def photo(tmp_path):
    folder = tmp_path / "images" / "n02165456"
    folder.mkdir(parents=True)
    (folder / "photo.png").write_bytes(to_png(image().rgb))
    return folder / "photo.png"


@pytest.mark.parametrize(
    "arguments", [["predict", "photo", "--model", FEATURES], ["evaluate", "--data", "images", "--models", FEATURES]]
)
def test_commands_about_classes_name_the_reason(capsys, photo, arguments):
    paths = {"photo": str(photo), "images": str(photo.parents[1])}
    assert main([paths.get(argument, argument) for argument in [*arguments, "--device", "cpu"]]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"transxnet: {NO_CLASSIFIER}" in captured.err


def test_study_of_features_ignores_the_target(capsys, photo, tmp_path):
    arguments = ["--models", FEATURES, "--image-size", "64", "--target", "3", "--analyses", "grad_cam,receptive_field"]
    assert main(["study", str(photo), *arguments, "--out", str(tmp_path / "out"), "--device", "cpu"]) == 0
    (entry,) = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))["images"]
    assert NO_CLASSIFIER in json.dumps(entry)
    assert len(list((tmp_path / "out").rglob("receptive_field.png"))) == 1


def test_erf_names_the_available_stages(capsys, photo, tmp_path):
    arguments = ["--models", THREE_STAGES, "--image-size", "224", "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main(["erf", str(photo), *arguments, "--stage", "1"]) != 0
    assert "timm:levit_128s has no stage 1. Its stages: 2, 3, 4." in capsys.readouterr().err
    assert main(["erf", str(photo), *arguments]) == 0
    with np.load(tmp_path / "out" / "erf.npz") as arrays:
        assert np.isfinite(arrays[f"{THREE_STAGES}/heatmap"]).all()
