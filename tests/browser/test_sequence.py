"""Tab Sequence in Chromium: frames are computed on a button, stopped, scrubbed without requests, and downloaded."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from demo.examples import examples
from transxnet import load
from transxnet.images import decode
from transxnet.sequence import analyze, transition

pytestmark = pytest.mark.browser
COMPUTE, PLAYER, SLIDER = ".lens-sequence-compute", ".lens-sequence-player", ".lens-sequence-bar input"
COLORS = """() => [...document.querySelector(".lens-sequence .lens-tiles").querySelectorAll("canvas")].map((canvas) =>
  [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data].filter((_, i) => i % 4 < 3))"""
EXPECTED = """async ({values, size, high}) => {
  const { colorsOn, resolveScale } = await importModule("core/map_renderer.js");
  const { signedScale } = await importModule("views/kernel_grids.js");
  const colorOf = colorsOn(resolveScale(signedScale(high)));
  return values.map((kernel) => kernel.flatMap((value) => colorOf(value).slice(0, 3)));
}"""

STOP_AT_PROGRESS = """() => new Promise((resolve) => {
  const button = document.querySelector(".lens-sequence-compute"), root = document.querySelector(".lens-sequence");
  new MutationObserver((_, observer) => {
    const share = Number(root.querySelector("[role=progressbar]")?.ariaValueNow);
    if (!share) return;
    observer.disconnect();
    resolve([button.textContent, share < 100]);
    button.click();
  }).observe(root, { subtree: true, childList: true, attributes: true });
  button.click();
})"""


@pytest.fixture
def lens(visit):
    """The tab, in which nothing has been computed."""
    lens = visit()
    lens.page.evaluate("lens.update({ tab: 'sequence', stage: 2, block: 1, frames: 12 })")
    expect(lens.page.locator(COMPUTE)).to_be_enabled()
    return lens


def test_frames_are_scrubbed_without_requests_and_downloaded(lens, tmp_path):
    page = lens.page
    expect(page.locator(COMPUTE)).to_have_text("Compute 12 frames")
    expect(page.locator(PLAYER)).to_have_count(0)
    page.click(COMPUTE)
    page.wait_for_selector(PLAYER)
    expect(page.locator(".lens-sequence-play")).to_have_text("Play")  # not by itself under reduced motion
    before = lens.requests()
    loaded, images = load("pico", device="cpu"), [decode(example.path) for example in examples()[:2]]
    expected = analyze(loaded, transition("crossfade", loaded.spec, *images, count=12), 2, 1)
    high = float(np.abs(expected.kernels).max())
    for number, frame in ((12, -1), (1, 0)):
        page.locator(SLIDER).fill(str(number))
        expect(page.locator(".lens-sequence-bar output")).to_have_text(f"Frame {number} of 12")
        label = expected.predictions[frame].top[0].label
        expect(page.locator(f"{PLAYER} .lens-bar.chosen")).to_contain_text(label)
        values = expected.kernels[frame].reshape(len(expected.channels), -1).tolist()
        colors = page.evaluate(EXPECTED, {"values": values, "size": 7, "high": high})
        assert np.abs(np.array(page.evaluate(COLORS)) - np.array(colors)).max() <= 4  # a step of 255 and of 127
    assert lens.requests() == before
    with page.expect_download() as download:
        page.click(".lens-sequence-save button[data-format=webm]")
    path = tmp_path / "sequence.webm"
    download.value.save_as(path)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    assert sum(1 for _ in iter(capture.read, (False, None))) == 12
    expect(page.locator(".lens-sequence-save [role=status]")).to_have_text(
        f"Saved {download.value.suggested_filename}."
    )
    assert download.value.suggested_filename == "transxnet-lens-crossfade-transxnet_pico-stage2.webm"


def test_work_stops_on_request_and_frames_survive_other_changes(lens):
    page = lens.page
    page.get_by_role("button", name="48", exact=True).click()
    expect(page.locator(COMPUTE)).to_have_text("Compute 48 frames")
    assert page.evaluate(STOP_AT_PROGRESS) == ["Stop", True]
    expect(page.locator(".lens-sequence p[role=status]")).to_have_text("Stopped.")
    expect(page.locator(PLAYER)).to_have_count(0)
    page.get_by_role("button", name="12", exact=True).click()
    expect(page.locator(COMPUTE)).to_have_text("Compute 12 frames")
    page.click(COMPUTE)
    page.wait_for_selector(PLAYER)
    page.locator(SLIDER).fill("5")
    with lens.answer("sequence"):  # another class changes no frame
        page.evaluate("lens.update({ target: 'n02129165' })")
    expect(page.locator(".lens-sequence-bar output")).to_have_text("Frame 5 of 12")
    with lens.answer("sequence"):
        page.get_by_role("button", name="Rotate").click()
    expect(page.locator(PLAYER)).to_have_count(0)
    assert "transition=rotate" in page.url
