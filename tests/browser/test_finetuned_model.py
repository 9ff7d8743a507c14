"""A model fine-tuned on three drawn classes, killed and resumed meanwhile, opens on the page."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROOT, serve
from tests.browser.lens import Lens
from tests.fixtures.drawn_classes import CLASSES, draw_classes
from tests.processes import DEADLINE

pytestmark = pytest.mark.browser


def train(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "transxnet", "train", "--recipe", "finetune", "--from", "pico", "--device", "cpu",
        "--data", str(folder / "train"), "--val", str(folder / "val"), "--out", str(folder / "shapes"),
        "--image-size", "64", "--batch-size", "10", "--epochs", "6", "--save-every", "2", *more,
    ]  # fmt: skip
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")


@pytest.fixture(scope="module")
def finetuned(tmp_path_factory) -> Path:
    """The folder of a run that was killed after its first checkpoint, and resumed."""
    folder = tmp_path_factory.mktemp("finetune")
    draw_classes(folder / "train", 10)
    draw_classes(folder / "val", 4, seed=1)
    process, until = train(folder), time.monotonic() + DEADLINE
    while not (folder / "shapes" / "checkpoint.pt").exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    _, error = process.communicate()
    assert process.returncode == -signal.SIGKILL, error
    assert not (folder / "shapes" / "model.safetensors").exists()
    output, error = train(folder, "--resume").communicate(timeout=DEADLINE)
    result = json.loads(output)
    assert (result["classes"], result["steps"], result["recipe"]["initial"][:8]) == (list(CLASSES), 18, "f22071c2")
    assert result["accuracy"]["images"] == 12
    assert result["accuracy"]["top1"] >= 0.75, error  # chance: a third
    return folder


@pytest.fixture(scope="module")
def page(finetuned: Path) -> Iterator[str]:
    with serve("--model", f"shapes={finetuned / 'shapes'}", "--model", "pico") as served:
        yield served.url


def test_finetuned_model_opens_on_the_page(finetuned: Path, visit, page, artifacts: Path):
    lens: Lens = visit(page)
    with lens.answer():
        lens.send(finetuned / "val" / "circle" / "n01443537_0.png")
    predictions = lens.page.locator("#predictions .lens-bar > span:first-child")
    expect(predictions.first).to_have_text("circle")
    assert {text.strip() for text in predictions.all_inner_texts()} == set(CLASSES)
    expect(lens.panel("overview")).to_contain_text("3 classes, named in config.json")
    lens.page.screenshot(path=artifacts / "finetuned-1440.png", full_page=True)
