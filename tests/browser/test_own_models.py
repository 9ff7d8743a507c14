"""The page opened on a checkpoint of 37 other classes, next to pico and to a model fine-tuned on three classes."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import serve
from tests.browser.lens import PHONE, Lens
from tests.browser.opened import opened
from tests.fixtures import drawn_classes
from tests.fixtures.own_checkpoint import CLASSES, own_checkpoint
from tests.processes import DEADLINE
from tests.torchrun import Forked
from transxnet.weights.load import study_memory

pytestmark = pytest.mark.browser


def train(folder: Path, *more: str) -> Forked:
    return Forked(
        "transxnet", "train", "--recipe", "finetune", "--from", "pico", "--device", "cpu",
        "--data", folder / "train", "--val", folder / "val", "--out", folder / "shapes",
        "--image-size", "64", "--batch-size", "10", "--epochs", "6", "--save-every", "2", *more,
        OMP_NUM_THREADS="1",
    )  # fmt: skip


@pytest.fixture(scope="module")
def finetuned(tmp_path_factory) -> Path:
    """The folder of a run that was killed after its first checkpoint, and resumed."""
    folder = tmp_path_factory.mktemp("finetune")
    drawn_classes.draw_classes(folder / "train", 10)
    drawn_classes.draw_classes(folder / "val", 4, seed=1)
    process, until = train(folder), time.monotonic() + DEADLINE
    while not (folder / "shapes" / "checkpoint.pt").exists() and process.returncode is None:
        assert time.monotonic() < until
        time.sleep(0.02)
    _, error = process.communicate(0)  # kills it
    assert process.returncode == -signal.SIGKILL, error
    assert not (folder / "shapes" / "model.safetensors").exists()
    output, error = train(folder, "--resume").communicate(DEADLINE)
    result = json.loads(output)
    assert result["classes"] == list(drawn_classes.CLASSES)
    assert (result["steps"], result["recipe"]["initial"][:8]) == (18, "f22071c2")
    assert result["accuracy"]["images"] == 12
    assert result["accuracy"]["top1"] >= 0.75, error  # chance: a third
    return folder


@pytest.fixture(scope="module")
def page(tmp_path_factory, finetuned) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("own")
    checkpoint = own_checkpoint(folder, names=False)
    names = folder / "names.txt"
    names.write_text("\n".join(CLASSES), encoding="utf-8")
    models = (f"birds={checkpoint}", "pico", f"shapes={finetuned / 'shapes'}")
    options = [word for model in models for word in ("--model", model)]
    with serve(*options, "--class-names", f"birds={names}") as served:
        yield served.url


@pytest.fixture(scope="module")
def lens(chromium: Browser, page: str) -> Iterator[Lens]:
    """Each test leaves it with the model it opens on."""
    with opened(chromium, page) as visited:
        yield visited


def test_page_opens_on_own_classes(lens, artifacts: Path):
    predictions = lens.page.locator("#predictions")
    names = [text.strip() for text in predictions.locator(".lens-bar > span:first-child").all_inner_texts()]
    assert len(names) == 5
    assert set(names) <= set(CLASSES)
    expect(lens.page.locator("#variants label.selected, #variants label:has(input:checked)")).to_have_text("birds")
    expect(lens.panel("overview")).to_contain_text("37 classes, named in names.txt")
    lens.compare("pico")
    expect(lens.panel("overview").locator(".lens-row h3")).to_have_text(["birds", "pico"])
    lens.page.screenshot(path=artifacts / "own-model-1440.png", full_page=True)
    lens.compare("pico")


def test_finetuned_model_opens_on_the_page(finetuned: Path, lens, artifacts: Path):
    lens.compare("shapes", "birds")  # birds is taken away
    with lens.answer():
        lens.send(finetuned / "val" / "circle" / "n01443537_0.png")
    predictions = lens.page.locator("#predictions .lens-bar > span:first-child")
    expect(predictions.first).to_have_text("circle")
    assert {text.strip() for text in predictions.all_inner_texts()} == set(drawn_classes.CLASSES)
    expect(lens.panel("overview")).to_contain_text("3 classes, named in config.json")
    lens.page.screenshot(path=artifacts / "finetuned-1440.png", full_page=True)
    lens.compare("birds", "shapes")


def test_another_input_size(lens):
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


def test_an_own_class_is_explained_and_the_page_says_how_to_open_a_checkpoint(visit, page, artifacts: Path):
    lens: Lens = visit(f"{page}?class={CLASSES[36]}&models=birds,pico", viewport=PHONE)
    expect(lens.page.locator("#predictions")).to_contain_text(CLASSES[36])
    expect(lens.panel("overview")).to_contain_text(f"no class “{CLASSES[36]}”")  # pico's own prediction instead
    lens.unfold()
    lens.page.locator("#more > button").click()
    details = lens.page.locator("#own-model details")
    details.locator("summary").click()
    expect(details).to_contain_text("python app.py --model NAME=FILE --class-names NAME=names.txt")
    lens.page.screenshot(path=artifacts / "own-model-390.png", full_page=True)
