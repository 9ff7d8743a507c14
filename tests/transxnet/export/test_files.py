from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest

from tests.fixtures.small_model import image, small_model
from transxnet.draw.styles import draw_result
from transxnet.export.files import write_atomically, write_image, write_manifest
from transxnet.export.images import ranges, source_crop
from transxnet.study import StudyOptions, study


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    studies = [study(small_model(kind), image(), StudyOptions(stage=2)) for kind in ("folder", "untrained")]
    entry = write_image(folder, "cat", studies, image().rgb, "cat.jpg")
    write_manifest(folder, {"images": [entry]})
    return folder, studies


def read(path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)


def test_folder_holds_exactly_the_manifests_files(written):
    folder, _ = written
    (entry,) = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["images"]
    named = {entry["sheet"]} | {m[key] for m in entry["models"] for key in ("npz", "crop_png")}
    named |= {heatmap["png"] for m in entry["models"] for heatmap in m["heatmaps"].values()}
    named |= {figure[kind] for figure in entry["figures"] for kind in ("png", "npz") if figure[kind]}
    files = {str(p.relative_to(folder).as_posix()) for p in folder.rglob("*") if p.is_file()}
    assert files == named | {"manifest.json"}
    assert entry["models"][0]["npz"] == "cat/small/maps.npz"
    assert entry["models"][1]["untrained"] is True
    assert (entry["image"], entry["size"], entry["sha256"]) == ("cat.jpg", [100, 80], image().sha256)


def test_maps_are_drawn_with_the_manifests_range(written):
    folder, studies = written
    (entry,) = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["images"]
    stated_ranges = {name: tuple(scale["range"]) for name, scale in entry["scales"].items()}
    assert stated_ranges == ranges(studies)
    for each_study in studies:
        photo = source_crop(each_study, image().rgb)
        expected = draw_result(each_study.grad_cam, photo, ranges(studies)["grad_cam"])
        assert (read(folder / "cat" / each_study.model / "grad_cam.png") == expected).all()
        assert (read(folder / "cat" / each_study.model / "crop.png") == each_study.crop.rgb).all()


def test_npz_holds_the_raw_maps(written):
    folder, studies = written
    (entry,) = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["images"]
    with np.load(folder / entry["models"][0]["npz"]) as file:
        assert sorted(file.files) == sorted(entry["models"][0]["arrays"])
        assert (file["receptive_field"] == studies[0].receptive_field.heatmap).all()


def test_files_appear_complete_or_not_at_all(tmp_path, monkeypatch):
    path = write_atomically(tmp_path / "new" / "a.bin", b"first")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"second")
    assert [p.name for p in path.parent.iterdir()] == ["a.bin"]
    assert path.read_bytes() == b"first"


def test_manifests_are_strict_json_in_utf_8(tmp_path):
    path = write_manifest(tmp_path, {"image": "瓢虫.jpg", "r50": float("nan")})
    assert json.load(io.TextIOWrapper(path.open("rb"), "utf-8")) == {"format": 3, "image": "瓢虫.jpg", "r50": None}
