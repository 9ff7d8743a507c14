"""The page opened on a checkpoint of 37 other classes, next to pico."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import serve
from tests.browser.lens import PHONE, Lens
from tests.fixtures.own_checkpoint import CLASSES, own_checkpoint
from transxnet.weights.load import study_memory

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("own")
    checkpoint = own_checkpoint(folder, names=False)
    names = folder / "names.txt"
    names.write_text("\n".join(CLASSES), encoding="utf-8")
    with serve("--model", f"birds={checkpoint}", "--model", "pico", "--class-names", f"birds={names}") as served:
        yield served.url


def test_page_opens_on_own_classes(visit, page, artifacts: Path):
    lens: Lens = visit(page)
    predictions = lens.page.locator("#predictions")
    names = [text.strip() for text in predictions.locator(".lens-bar > span:first-child").all_inner_texts()]
    assert len(names) == 5
    assert set(names) <= set(CLASSES)
    expect(lens.page.locator("#variants label.selected, #variants label:has(input:checked)")).to_have_text("birds")
    expect(lens.panel("overview")).to_contain_text("37 classes, named in names.txt")
    lens.tick("pico")
    expect(lens.panel("overview").locator(".lens-row h3")).to_have_text(["birds", "pico"])
    lens.page.screenshot(path=artifacts / "own-model-1440.png", full_page=True)


def test_an_own_class_is_explained(visit, page):
    lens: Lens = visit(f"{page}?class={CLASSES[36]}&models=birds,pico")
    expect(lens.page.locator("#predictions")).to_contain_text(CLASSES[36])
    expect(lens.panel("overview")).to_contain_text(f"no class “{CLASSES[36]}”")  # pico's own prediction instead


def test_another_input_size(visit, page):
    lens: Lens = visit(page)
    menu = lens.page.locator("#image-size select")
    expect(menu.locator("option").first).to_have_text("the model's own (128 px)")
    needed = study_memory("pico", 1024) / 1e9
    expect(menu.locator("option").last).to_have_text(f"1024 px (needs {needed:.1f} GB)")
    expect(menu.locator("option").last).to_be_disabled()
    with lens.answer():
        menu.select_option("160")
    expect(lens.panel("overview")).to_contain_text("Images of 160 px instead of the model's own 128 px.")
    assert "image_size=160" in lens.page.url
    lens.page.reload()
    expect(menu).to_have_value("160")


def test_the_page_says_how_to_open_a_checkpoint(visit, page, artifacts: Path):
    lens: Lens = visit(page, viewport=PHONE)
    lens.unfold()
    lens.page.locator("#more > button").click()
    details = lens.page.locator("#own-model details")
    details.locator("summary").click()
    expect(details).to_contain_text("python app.py --model NAME=FILE --class-names NAME=names.txt")
    lens.page.screenshot(path=artifacts / "own-model-390.png", full_page=True)
