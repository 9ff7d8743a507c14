"""Sequences of the page: quantized frames equal the library's, work that stops, files, refused requests."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from demo.page_routes import PageRoutes
from demo.renderer import Renderer
from demo.sequence import Sequences
from demo.service import StudyService
from demo.state import ViewState
from transxnet import load
from transxnet.errors import ImageError
from transxnet.sequence import analyze, transition

STATE = ViewState(image="cheetah", reference="lion", tab="sequence", stage=2, block=1, frames=3)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(StudyService(device="cpu"))


@pytest.fixture(scope="module")
def sequences(renderer) -> Sequences:
    return Sequences(renderer)


def unpack(sent: dict, *shape: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(sent["base64"]), np.uint8).reshape(shape).astype(float)


@pytest.mark.parametrize("kind", ["crossfade", "rotate"])
def test_frames_are_the_librarys_within_a_step(renderer, sequences, kind):
    state = STATE.changed(transition=kind)
    *progress, last = sequences.steps(state)
    assert [(step["finished"], step["total"]) for step in progress] == [(1, 3), (2, 3), (3, 3)]
    loaded, service = load("pico", device="cpu"), renderer.service
    _, key, _ = renderer.resolve(state)
    images = service.image(key), service.image(renderer.reference(state).key)
    expected = analyze(loaded, transition(kind, loaded.spec, *images, count=3), 2, 1)
    sent, shape = last["sequence"], expected.kernels.shape
    high = sent["scale"]["range"][1]
    assert high == pytest.approx(np.abs(expected.kernels).max())
    assert (sent["kernels"]["high"], sent["gates"]["high"]) == (high, 1)
    np.testing.assert_allclose(
        (unpack(sent["kernels"], *shape) - 128) / 127 * high, expected.kernels, atol=0.51 / 127 * high
    )
    np.testing.assert_allclose(unpack(sent["gates"], *shape) / 255, expected.gates, atol=0.51 / 255)
    assert [p[0]["label"] for p in sent["predictions"]] == [p.top[0].label for p in expected.predictions]
    assert (len(sent["images"]), len(sent["names"])) == (3, shape[1])
    assert len(json.dumps(last, allow_nan=False)) < 200_000


def test_sequence_is_computed_once(sequences, monkeypatch):
    list(sequences.steps(STATE))
    monkeypatch.setattr(sequences.renderer.service, "study_frame", None)
    (only,) = sequences.steps(STATE.changed(target="n02165456", position=(3, 4)))
    assert len(only["sequence"]["images"]) == 3


def test_closed_steps_compute_no_more_frames(sequences, monkeypatch):
    service, frames = sequences.renderer.service, []
    study_frame = service.study_frame
    monkeypatch.setattr(service, "study_frame", lambda *given: frames.append(given) or study_frame(*given))
    steps = sequences.steps(STATE.changed(transition="zoom", frames=40))
    assert next(steps)["total"] == 40
    steps.close()
    assert len(frames) == 1


def test_frames_are_kept_nowhere(sequences):
    service = sequences.renderer.service
    before = len(service._studies), len(service._images), len(service._program_images), len(service._uploads)
    list(sequences.steps(STATE.changed(transition="pan")))
    assert before == (len(service._studies), len(service._images), len(service._program_images), len(service._uploads))


# ---- over HTTP ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(renderer) -> TestClient:
    return TestClient(PageRoutes(PlainTextResponse("gradio"), renderer))


def body(**values: object) -> dict[str, object]:
    return {"state": STATE.changed(**values).model_dump(mode="json")}


def test_route_streams_progress_then_the_sequence(client):
    response = client.post("/lens/sequence", json=body())
    steps = [json.loads(line) for line in response.text.splitlines()]
    assert response.headers["content-type"].startswith("application/x-ndjson")
    assert "sequence" in steps[-2]
    assert steps[-1] == {"done": True}


def test_file_is_a_gif_of_all_frames(client):
    response = client.post("/lens/sequence_file", json=body() | {"format": "gif"})
    assert response.headers["content-type"] == "image/gif"
    name = "transxnet-lens-crossfade-transxnet_pico-stage2.gif"
    assert response.headers["content-disposition"] == f"attachment; filename*=utf-8''{name}"
    with Image.open(io.BytesIO(response.content)) as gif:
        assert gif.n_frames == 3


@pytest.mark.parametrize(
    ("route", "values"),
    [
        ("sequence", {"state": {"frames": 61}}), ("sequence", {"state": {"frames": 1}}), ("sequence", {}),
        ("sequence", {"state": {"transition": "spin"}}), ("sequence", {"state": {}, "format": "gif"}),
        ("sequence_file", {"state": {}}), ("sequence_file", {"state": {}, "format": "mp4"}),
    ],
)  # fmt: skip
def test_wrong_requests_are_refused_with_a_sentence(client, route, values):
    response = client.post(f"/lens/{route}", json=values)
    assert response.status_code == 400
    assert response.json()["error"].endswith(".")


def test_error_of_a_frame_is_the_last_line(client, monkeypatch):
    def fail(*given: object) -> None:
        raise ImageError("It is gone.", remedy="Upload it again.")

    monkeypatch.setattr(StudyService, "study_frame", fail)
    response = client.post("/lens/sequence", json=body(stage=4))
    assert json.loads(response.text.splitlines()[0]) == {"error": "It is gone. Upload it again."}


def test_model_without_kernels_is_an_error(client):
    response = client.post("/lens/sequence", json=body(models=("timm:test_resnet@untrained",), frames=2))
    assert "it generates no kernels" in json.loads(response.text.splitlines()[0])["error"]
