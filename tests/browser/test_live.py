"""Tab Live in Chromium with a fake camera whose frames are known: results, rate, freezing, stopping, messages."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from demo.examples import examples
from tests.browser.conftest import launched
from tests.browser.lens import Lens
from transxnet import load
from transxnet.images import decode
from transxnet.study import StudyOptions, study

pytestmark = pytest.mark.browser
START, LIVE = ".lens-live-start", ".lens-live"
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
RATE, LATENCY = 6, 400  # frames a second, milliseconds
# Every frame that was sent with its answer, and the camera's tracks.
RECORD = """(() => {
  const fetch = window.fetch, media = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.sent = [];
  window.tracks = [];
  window.fetch = async (url, options) => {
    const response = await fetch(url, options);
    if (!String(url).includes("lens/live")) return response;
    const bytes = new Uint8Array(await options.body.arrayBuffer());
    window.sent.push({ jpeg: btoa(String.fromCharCode(...bytes)), answer: await response.clone().json() });
    return response;
  };
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await media(wanted);
    window.tracks.push(...stream.getTracks());
    return stream;
  };
})();"""


@pytest.fixture(scope="module")
def camera_images() -> list[np.ndarray]:
    """The middle squares of the camera's frames, uint8 (240, 240, 3), RGB."""
    return [cv2.resize(decode(example.path).rgb, (240, 240)) for example in examples()[:2]]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory, camera_images: list[np.ndarray]) -> Iterator[Browser]:
    """Chromium whose camera shows the two images in turn, five a second."""
    path = tmp_path_factory.mktemp("camera") / "camera.y4m"
    write_y4m(path, camera_images)
    with launched(*CAMERA, f"--use-file-for-fake-video-capture={path}") as browser:
        yield browser


def write_y4m(path: Path, images: list[np.ndarray]) -> None:
    """Frames of 320 x 240 pixels, the images in the middle."""
    with open(path, "wb") as file:
        file.write(b"YUV4MPEG2 W320 H240 F5:1 Ip A1:1 C420jpeg\n")
        for image in images:
            frame = np.pad(image, ((0, 0), (40, 40), (0, 0)))
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes())


@pytest.fixture
def lens(visit) -> Lens:
    """The tab, whose camera has not been started."""
    lens = visit(before=RECORD)
    lens.page.evaluate("lens.update({ tab: 'live' })")
    expect(lens.page.locator(START)).to_be_enabled()
    return lens


def wait_for_frames(lens: Lens, count: int) -> None:
    """Until so many more frames have been shown."""
    first = int(lens.page.locator(LIVE).get_attribute("data-frames") or 0)
    lens.page.wait_for_function(
        "([selector, count]) => Number(document.querySelector(selector).dataset.frames) >= count",
        arg=[LIVE, first + count],
    )


def rate_and_latency(lens: Lens) -> tuple[float, float]:
    """Frames a second and milliseconds, of the last 20 frames; also printed."""
    data = lens.page.locator(LIVE).evaluate("node => ({ ...node.dataset })")
    print(f"live: {data['fps']} frames a second, {data['latency']} ms from camera to map")
    return float(data["fps"]), float(data["latency"])


def test_frames_give_the_librarys_results(lens, camera_images, capsys):
    lens.page.click(START)
    wait_for_frames(lens, 12)
    lens.page.click(START)
    with capsys.disabled():
        rate_and_latency(lens)
    loaded, shown = load("pico", device="cpu"), set()
    for sent in lens.page.evaluate("window.sent").copy():
        image = decode(base64.b64decode(sent["jpeg"]))
        assert image.size == (128, 128)
        errors = [np.abs(cv2.resize(known, (128, 128)) - image.rgb.astype(float)).mean() for known in camera_images]
        assert min(errors) < 12 < max(errors)
        shown.add(int(np.argmin(errors)))
        expected = study(loaded, image, StudyOptions(analyses=("attention", "kernels")))
        answer, attention = sent["answer"], sent["answer"]["maps"]["attention"]
        assert answer["predictions"][0]["index"] == expected.predictions.top[0].index
        assert answer["predictions"][0]["share"] == pytest.approx(expected.predictions.top[0].probability, abs=1e-4)
        weights = np.frombuffer(base64.b64decode(attention["base64"]), np.uint8).astype(float)
        step = attention["high"] / 255
        np.testing.assert_allclose(
            weights.reshape(attention["rows"], attention["cols"]) * step, expected.attention.mean, atol=step
        )
        assert np.unravel_index(answer["kernels"]["count"], (17,))[0] == 16
    assert shown == {0, 1}


def test_frozen_frame_is_analyzed_and_the_camera_stops(lens):
    page = lens.page
    page.click(START)
    wait_for_frames(lens, 2)
    before = lens.serial("overview")
    page.get_by_role("button", name="Freeze and analyze").click()
    page.wait_for_function(
        "before => document.querySelector('#panel-overview .lens-panel').dataset.serial !== before", arg=before
    )
    lens.settled("overview")
    assert page.evaluate("window.tracks.map((track) => track.readyState)") == ["ended"]
    assert lens.size == (128, 128)
    assert len(page.evaluate("lens.state.upload")) == 32
    page.evaluate("lens.update({ tab: 'live' })")
    page.locator(START).click()
    wait_for_frames(lens, 1)
    page.evaluate("lens.update({ tab: 'kernels' })")
    page.wait_for_function("window.tracks.every((track) => track.readyState === 'ended')")
    count = page.evaluate("window.sent.length")
    lens.settled("kernels")
    assert page.evaluate("window.sent.length") - count <= 1  # the one that was on its way


def test_every_obstacle_is_a_message(lens):
    page, message = lens.page, lens.page.locator(".lens-live > [role=status]")
    for name, text in (
        ("NotFoundError", "No camera was found."), ("NotAllowedError", "The browser did not allow the camera."),
        ("NotReadableError", "The camera could not be opened."),
    ):  # fmt: skip
        page.evaluate(
            "(name) => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', name); }; }",
            name,
        )
        page.click(START)
        expect(message).to_contain_text(text)
        expect(page.locator(START)).to_have_text("Start the camera")
    page.evaluate("Object.defineProperty(window, 'isSecureContext', { get: () => false })")
    page.click(START)
    expect(message).to_contain_text("Browsers allow the camera only on https addresses and on localhost.")


@pytest.mark.timing
def test_rate_and_latency_are_within_limits(lens):
    lens.page.click(START)
    wait_for_frames(lens, 20)  # warm-up
    rates, latencies = zip(*((wait_for_frames(lens, 10), rate_and_latency(lens))[1] for _ in range(6)), strict=True)
    slowness = lens.slowness()
    assert max(rates) >= RATE / slowness
    assert min(latencies) <= LATENCY * slowness
