"""Downloads in a browser: every format is saved, opens elsewhere, and holds what this visitor looks at."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from demo.examples import examples
from tests.browser.lens import PHONE
from transxnet import load
from transxnet.images import decode
from transxnet.study import StudyOptions, study

pytestmark = pytest.mark.browser
OWN = "aunt-at-the-beach.png"
REFUSED = "console: Failed to load resource: the server responded with a status of 400 (Bad Request)"  # Chromium's own


def saved(lens, kind: str, folder: Path) -> Path:
    """Press a button; the file under the name that the browser gives it."""
    with lens.page.expect_download() as waiting:
        lens.page.locator(f"#exports button[data-kind={kind}]").click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    expect(lens.page.locator("#exports .status")).to_contain_text(path.name)
    return path


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_each_format_is_saved_and_holds_what_is_shown(visitor, tmp_path):
    lens = visitor
    lens.choose("stage", 2)
    lens._settle("overview")
    with lens.answer():
        lens.click_at(60, 180)
    wanted = study(load("pico", device="cpu"), decode(examples()[0].path), StudyOptions(stage=2, position=(60, 180)))

    path = saved(lens, "npz", tmp_path)
    assert path.name == "lion-pico-overview-stage2-lion.npz"
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["pico/attention"] == pytest.approx(wanted.attention.heads, rel=1e-4, abs=1e-6)
        manifest = json.loads(str(arrays["manifest"]))
    assert manifest["request"]["position"] == [60, 180]
    assert manifest["models"][0]["provenance"] == wanted.provenance.as_json()
    assert manifest["images"][0]["sha256"] == decode(examples()[0].path).sha256

    before = lens.events()
    first = pixels(saved(lens, "png", tmp_path))
    lens.page.evaluate("window.lens.display.set('colormap', 'viridis')")
    (tmp_path / "again").mkdir()
    again = saved(lens, "png", tmp_path / "again")
    assert first.shape == pixels(again).shape
    assert not np.array_equal(first, pixels(again))
    with Image.open(again) as image:
        told = json.loads(image.text["transxnet-lens"])
    assert told["display"]["colormaps"]["attention"] == "viridis"
    assert "colormap=viridis" in told["link"]
    assert lens.events() == before

    root = ET.parse(saved(lens, "svg", tmp_path)).getroot()
    assert "Overview: pico" in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]

    report = lens.page.context.new_page()
    report.goto(saved(lens, "html", tmp_path).as_uri())
    assert json.loads(report.locator("#manifest").text_content())["request"]["stage"] == 2
    widths = report.locator("img").evaluate_all(
        "all => Promise.all(all.map((one) => (one.loading = 'eager', one.decode().then(() => one.naturalWidth))))"
    )
    assert widths
    assert min(widths) > 600
    report.close()


def test_a_visitors_own_image_stays_without_a_name_and_the_buttons_are_folded_on_a_phone(visit, tmp_path):
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (120, 160, 3), dtype=np.uint8)).save(tmp_path / OWN)
    lens = visit(viewport=PHONE)
    with lens.answer():
        lens.send(tmp_path / OWN)
    expect(lens.page.locator("#exports button").first).to_be_hidden()
    lens.page.locator("#exports summary").click()
    path = saved(lens, "png", tmp_path)
    with Image.open(path) as image:
        text = image.text["transxnet-lens"]
    manifest = json.loads(text)
    assert manifest["images"][0]["example"] is None
    assert manifest["images"][0]["size"] == [160, 120]
    assert not any(word in text for word in ("aunt", "/tmp", "/home", "/root"))
    assert "x=" not in manifest["link"]

    lens.look_at("tour")
    for _ in range(2):  # the same sentence again, after which the buttons work, too
        lens.page.locator("#exports button[data-kind=png]").click()
        expect(lens.page.locator("#exports .status")).to_have_text(
            "This tab has no maps to download. Open another tab, then download."
        )
        expect(lens.page.locator("#exports button[data-kind=png]")).to_have_attribute("aria-disabled", "false")
    assert [problem.partition(" (http")[0] for problem in lens.problems] == [REFUSED] * 2
    lens.problems.clear()


def test_a_figure_and_its_numbers_are_kept_as_they_stand(visitor, tmp_path):
    lens = visitor
    lens.look_at("erf")
    lens.drawn("erf")
    figure = lens.page.locator("#figures-erf .lens-figure:has(table):has(img)").first
    before = lens.requests()
    for link, end in zip(figure.locator(".lens-saves a").all(), ("png", "csv"), strict=True):
        with lens.page.expect_download() as waiting:
            link.click()
        assert waiting.value.suggested_filename == f"transxnet-lens-{figure.get_attribute('data-name')}.{end}"
        waiting.value.save_as(tmp_path / end)
    assert lens.requests() == before
    with Image.open(tmp_path / "png") as image:
        told = json.loads(image.text["transxnet-lens"])
    assert told["figure"]["title"] == figure.locator("h3").text_content()
    assert told["models"][0]["provenance"]["kind"] == "bundled"
    with open(tmp_path / "csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    shown = figure.locator("tr").evaluate_all("all => all.map((row) => [...row.cells].map((one) => one.textContent))")
    assert rows == [[text.replace("\u00a0", " ") for text in row] for row in shown]
