"""Camera frames: answers equal the library's, frames are dropped and never kept, visitors are limited."""

from __future__ import annotations

import base64
import io
import threading

import numpy as np
import pytest
from PIL import Image
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from demo import live as live_module
from demo.live import Live
from demo.page_routes import PageRoutes
from demo.renderer import Renderer
from demo.service import StudyService
from tests.fixtures.small_model import image
from transxnet import load
from transxnet.errors import Busy
from transxnet.images import decode
from transxnet.study import StudyOptions, study

PAIRS = [("stage", "2"), ("block", "1"), ("x", "20"), ("y", "90"), ("grad_cam", "1"), ("class", "n02165456")]


def jpeg(seed: int = 0, side: int = 128, kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(image(seed, 100, 100).rgb).resize((side, side)).save(file, kind)
    return file.getvalue()


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(StudyService(device="cpu"))


@pytest.fixture
def live(renderer) -> Live:
    return Live(renderer)


@pytest.fixture
def client(renderer) -> TestClient:
    return TestClient(PageRoutes(PlainTextResponse("gradio"), renderer))


def test_answer_is_the_librarys_within_a_step(live):
    answer = live.frame("p", PAIRS, jpeg())
    options = StudyOptions(2, 1, (20, 90), "n02165456", analyses=("attention", "kernels", "grad_cam"))
    expected = study(load("pico", device="cpu"), decode(jpeg()), options)
    maps = {"attention": expected.attention.mean, "grad_cam": np.maximum(expected.grad_cam.heatmap, 0)}
    for name, values in maps.items():
        sent = answer["maps"][name]
        steps = np.frombuffer(base64.b64decode(sent["base64"]), np.uint8).reshape(values.shape).astype(float)
        np.testing.assert_allclose(steps * sent["high"] / 255, values, atol=0.51 * sent["high"] / 255)
    assert answer["target"] == expected.target.index
    assert answer["predictions"][0]["label"] == expected.predictions.top[0].label
    assert (answer["kernels"]["count"], answer["kernels"]["size"]) == (16, 7)


def test_channels_are_the_same_in_every_frame(live):
    live.frame("p", [], jpeg(0))
    (channels,) = live._channels.values()
    live.frame("p", [], jpeg(1))
    assert [c.tolist() for c in live._channels.values()] == [channels.tolist()]


def test_frames_are_kept_nowhere_until_frozen(live, renderer):
    service = renderer.service
    caches = (service._studies, service._images, service._program_images, service._uploads)
    before = [len(cache) for cache in caches]
    live.frame("p", [], jpeg())
    assert [len(cache) for cache in caches] == before
    answer = live.frame("p", [("freeze", "1")], jpeg())
    np.testing.assert_array_equal(service.image(answer["key"]).rgb, decode(jpeg()).rgb)


def test_second_frame_on_its_way_is_dropped(live, monkeypatch):
    entered, leave = threading.Event(), threading.Event()
    compute = live._study

    def wait(*given: object) -> object:
        entered.set()
        assert leave.wait(60)
        return compute(*given)

    monkeypatch.setattr(live, "_study", wait)
    first = threading.Thread(target=live.frame, args=("p", [], jpeg()))
    first.start()
    assert entered.wait(60)
    with pytest.raises(Busy, match="this one was dropped"):
        live.frame("p", [], jpeg())
    leave.set()
    first.join(60)
    assert live.frame("p", [], jpeg())["predictions"]


def test_third_visitor_waits_until_another_leaves(live, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(live_module.time, "monotonic", lambda: now[0])
    for page in ("a", "b"):
        live.frame(page, [], jpeg())
    with pytest.raises(Busy, match="2 visitors use the camera") as caught:
        live.frame("c", [], jpeg())
    assert caught.value.remedy == "Try again in a few seconds."
    now[0] += 4
    live.frame("a", [], jpeg())
    now[0] += 2  # b has sent nothing for 6 seconds
    assert live.frame("c", [], jpeg())["predictions"]


def test_borrowed_gpu_is_not_used():
    """On ZeroGPU each call of a GPU function waits for a GPU: frames run on the CPU, with pico."""
    called: list[str] = []

    def on_gpu(function):
        return lambda *given: called.append("gpu") or function(*given)

    live = Live(Renderer(StudyService(device="cpu", on_gpu=on_gpu)))
    assert live.frame("p", [("models", "t")], jpeg())["model"] == "pico"
    assert called == []


# ---- over HTTP ------------------------------------------------------------------------------------------------------


def send(client: TestClient, data: bytes, query: str = "page=p", kind: str = "image/jpeg"):
    return client.post(f"/lens/live?{query}", content=data, headers={"content-type": kind})


def test_route_answers_a_frame(client):
    response = send(client, jpeg(), "page=p&stage=4&unknown=1")
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["maps"]["attention"]["rows"] == 4
    assert len(response.content) < 6000


@pytest.mark.parametrize(
    ("data", "query", "kind", "text"),
    [
        (jpeg(), "page=p", "application/json", "is not a JPEG"),
        (jpeg(), "page=../etc", "image/jpeg", "page"),
        (jpeg(), "", "image/jpeg", "page"),
        (b"", "page=p", "image/jpeg", "empty"),
        (jpeg(kind="PNG"), "page=p", "image/jpeg", "damaged or not a JPEG"),
        (jpeg()[:300], "page=p", "image/jpeg", "damaged"),
        (jpeg(side=1200), "page=p", "image/jpeg", "1200 × 1200"),
        (jpeg() + bytes(300_000), "page=p", "image/jpeg", "too large"),
        (jpeg(), "page=p&stage=2&block=99", "image/jpeg", "no block 99"),
    ],
)
def test_wrong_frames_are_refused_with_a_sentence(client, data, query, kind, text):
    response = send(client, data, query, kind)
    assert response.status_code == 400
    assert text in response.json()["error"]
