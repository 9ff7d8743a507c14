"""The report: one file that asks for nothing, names no folder, and shows every figure that the manifest names."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from tests.fixtures.small_model import image, small_model
from transxnet.draw.overlay import to_png
from transxnet.export.files import write_image, write_manifest
from transxnet.export.report import inline, report
from transxnet.study import StudyOptions, study

NAME = '<b>cat & "dog"</b>.jpg'


class Page(HTMLParser):
    """Tags with their attributes, and the words between them."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("secret-folder")
    only = ("grad_cam", "receptive_field", "pathway_energies", "attention")
    studies = [
        study(small_model(kind), image(), StudyOptions(stage=2, analyses=only)) for kind in ("folder", "untrained")
    ]
    entries = [write_image(folder, place, studies, image().rgb, name) for place, name in (("a", NAME), ("b", "b.png"))]
    manifest = {
        "created": "2026-11-22T00:00:00+00:00",
        "command": ["python", "-m", "transxnet", "study", str(folder / "cat.jpg"), "--out", str(folder)],
        "versions": {"torch": "1.2.3"},
        "images": entries,
        "failed": [{"image": str(folder / "bad.jpg"), "error": "“bad.jpg” is damaged."}],
    }
    write_manifest(folder, manifest)
    html = report(json.loads((folder / "manifest.json").read_text(encoding="utf-8")), folder)
    return folder, manifest, Page(html), html


def test_report_loads_nothing(written):
    _, _, page, html = written
    for _, attributes in page.tags:
        for key in ("src", "href", "srcset", "action", "data"):
            assert attributes.get(key, "#").startswith(("data:image/", "#")), attributes[key][:80]
    assert not page.all("script")
    assert not page.all("link")
    assert "@import" not in html
    assert "url(" not in html


def test_report_holds_every_figure(written):
    folder, manifest, page, _ = written
    figures = [figure for entry in manifest["images"] for figure in entry["figures"] if figure["png"]]
    images = page.all("img")
    assert len(images) == len(figures) >= 8
    for element, figure in zip(images, figures, strict=True):
        assert element["alt"] == figure["alt"]
        embedded = decoded(element["src"])
        original = cv2.imread(str(folder / figure["png"]))
        assert embedded.shape[:2] == (int(element["height"]), int(element["width"]))
        small = cv2.resize(original, embedded.shape[1::-1], interpolation=cv2.INTER_AREA).astype(int)
        assert np.abs(small - embedded).mean() < 2  # of 255: a JPEG's loss
        assert figure["caption"][:60] in page.text
    tables = sum(figure["table"] is not None for figure in figures)
    assert len(page.all("table")) == 1 + tables  # the models, and each figure's numbers


def test_report_names_no_local_folder(written):
    folder, _, _, html = written
    assert "secret-folder" not in html.replace(f"--out {folder.name}", "")
    assert str(folder.parent) not in html
    assert "bad.jpg: “bad.jpg” is damaged." in html


def test_names_are_escaped(written):
    _, _, page, _ = written
    assert NAME in page.text
    assert not page.all("b")


def test_random_weights_are_marked(written):
    _, _, page, _ = written
    assert page.text.count("random weights") == 1
    assert "small@untrained" in page.text
    assert "ab" * 32 in page.text


def test_a_number_has_one_rounding(written):
    """The probability of a model's prediction, wherever the report states it; no sentence ends twice."""
    _, manifest, page, _ = written
    for model in manifest["images"][0]["models"]:
        top = model["predictions"][0]
        stated = re.findall(rf"{re.escape(top['label'])}[ ,]+([\d.]+%)", page.text)
        assert f"{100 * top['probability']:.1f}%" in stated
    assert len({tuple(model["position"]) for entry in manifest["images"] for model in entry["models"]}) == 1
    assert not re.search(r"\.\.(?!\.)|\. \.", page.text.replace("…", ""))


def test_links_have_targets(written):
    _, _, page, _ = written
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    targets = {link["href"][1:] for link in page.all("a")}
    assert targets
    assert targets <= ids


def test_wide_images_shrink_and_charts_stay_png():
    chart = np.full((90, 3000, 3), 255, np.uint8)
    chart[:, ::30] = 0
    url, width, height = inline(to_png(chart), max_width=1500)
    assert (width, height) == (1500, 45)
    assert decoded(url).shape == (45, 1500, 3)
    photo = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    assert inline(to_png(photo))[0].startswith("data:image/jpeg")
    assert inline(to_png(np.full_like(photo, 7)))[0].startswith("data:image/png")


def decoded(url: str) -> np.ndarray:
    data = re.fullmatch(r"data:image/(?:png|jpeg);base64,(.*)", url)[1]
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
