"""The page's own addresses: streams of parts, refusals, stopping, files, and what happens when a browser goes away."""

from __future__ import annotations

import json
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from demo import page_routes
from demo.export_request import ChosenMap
from demo.exports import File
from demo.i18n.translate import tr
from demo.page_routes import PageRoutes
from demo.state import ViewState
from transxnet.errors import LensError
from transxnet.export.map_options import MapFileOptions


class StandIn:
    """A renderer whose steps are given; records the requests and whether their generators were closed."""

    def __init__(self) -> None:
        self.steps: list[Any] = [{"state": {"state": {}}}, {"panel": {"tab": "overview"}}]
        self.requests: list[Any] = []
        self.closed = threading.Event()
        self.controls = SimpleNamespace(loading=lambda models: {"models": {}, "offer": {"waiting": False}})

    def open(self, query):
        return ViewState(tab=dict(query).get("tab", "overview")), ["a note"]

    def resolve(self, state):
        return state, "key", []

    def render(self, request):
        self.requests.append(request)
        try:
            for step in self.steps:
                if callable(step):
                    step = step(request)
                if isinstance(step, Exception):
                    raise step
                yield step
        finally:
            self.closed.set()


@pytest.fixture
def renderer() -> StandIn:
    return StandIn()


@pytest.fixture
def client(renderer) -> TestClient:
    return TestClient(PageRoutes(PlainTextResponse("gradio"), renderer))


def view(client: TestClient, **body: Any) -> list[dict]:
    response = client.post("/lens/view", json={"page": "p", "id": 1, "state": {}, **body})
    assert response.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in response.text.splitlines()]


def test_each_step_is_a_line_and_the_last_says_done(client, renderer):
    assert view(client) == [*renderer.steps, {"done": True}]


def test_other_addresses_reach_gradio(client):
    assert client.get("/").text == client.post("/lens/other", json={}).text == "gradio"


def test_addresses_work_behind_a_proxy_path(client, renderer):
    assert client.post("/some/space/lens/view", json={"page": "p", "id": 1, "state": {}}).status_code == 200


def test_query_opens_a_state_with_notes(client, renderer):
    view(client, query="?tab=erf&x=1")
    (request,) = renderer.requests
    assert (request.state.tab, request.notes) == ("erf", ["a note"])


def test_holdings_of_the_browser_reach_the_renderer(client, renderer):
    view(client, cached={"image": "k", "tab": "erf", "tables": ["a"], "figures": "f", "label_set": "l"}, retry=["pico"])
    (request,) = renderer.requests
    assert (request.image, request.tab, list(request.tables), request.figures) == ("k", "erf", ["a"], "f")
    assert (request.label_set, list(request.retry)) == ("l", ["pico"])


@pytest.mark.parametrize(
    "body",
    [
        {"page": "p" * 200}, {"page": 3}, {"page": "../x"}, {"id": -1}, {"id": "1"}, {"id": 1e300}, {"state": []},
        {"cached": []}, {"cached": {"tables": [1]}},
        {"cached": {"other": 1}}, {"cached": {"tables": ["x"] * 1000}}, {"retry": ["x"] * 100}, {"retry": "pico"},
    ],
)  # fmt: skip
def test_invalid_request_is_refused_with_a_sentence(client, renderer, body):
    response = client.post("/lens/view", json={"page": "p", "id": 1, "state": {}, **body})
    assert response.status_code == 400
    assert response.json()["error"].strip().endswith(".")
    assert renderer.requests == []


@pytest.mark.parametrize(
    ("state", "note"),
    [
        ({"stage": 9}, tr("links.unused", name=tr("links.name_stage"), value="9")),
        ({"unknown": 1}, tr("links.unused", name="'unknown'", value="1")),
        ({"models": ["resnet5000", "pico"]}, "There is no model called 'resnet5000'."),
        ({"models": ["pico", "timm:resnet5000"]}, "timm has no backbone called 'resnet5000'."),
        ({"models": ["x"] * 1000}, "There is no model called 'x'."),
        ({"mask": "zz"}, "The painted region could not be read"),
        ({"ablations": ["no_such"]}, "There is no ablation called 'no_such'."),
    ],
)
def test_invalid_part_of_a_state_is_ignored_with_a_note(client, renderer, state, note):
    """A visitor types names, and the history may hold a state of an older version: all else is still shown."""
    view(client, state={"tab": "erf", **state})
    (request,) = renderer.requests
    (shown,) = request.notes
    assert shown.startswith(note)
    assert request.state.tab == "erf"
    assert request.state.models == (("pico",) if "pico" in state.get("models", ()) else ())


@pytest.mark.parametrize(
    ("content", "kind"), [(b"{", "application/json"), (b"[1]", "application/json"), (b"{}", "text/plain"), (b"", "")]
)
def test_body_that_is_no_json_object_is_refused(client, content, kind):
    response = client.post("/lens/view", content=content, headers={"content-type": kind})
    assert response.status_code == 400


def test_large_body_is_refused(client):
    response = client.post("/lens/view", json={"page": "p", "id": 1, "state": {}, "query": "x" * page_routes.MAX_BODY})
    assert response.status_code == 400


def test_error_on_the_way_is_a_line_without_details(client, renderer, caplog):
    renderer.steps = [{"state": {}}, RuntimeError("/secret/path")]
    *_, error, last_line = view(client)
    assert "secret" not in error["error"]
    assert last_line == {"done": True}
    assert "/secret/path" in caplog.text
    renderer.steps = [LensError("No maps.", remedy="Choose a model.", detail="/secret")]
    assert view(client, id=2)[0] == {"error": "No maps. Choose a model."}


def test_newer_request_supersedes_and_stop_ends(client, renderer):
    renderer.steps = [lambda request: {"current": request.is_current()}]
    assert view(client, id=5)[0] == {"current": True}
    assert view(client, id=4)[0] == {"current": False}
    assert client.post("/lens/stop", json={"page": "p", "id": 5}).status_code == 204
    assert renderer.requests[0].is_stopped()
    assert view(client, id=1, page="q")[0] == {"current": True}


def test_locale_is_that_of_the_state(client, renderer):
    from demo.i18n.translate import current_locale

    renderer.steps = [lambda request: {"locale": current_locale()}]
    assert view(client, state={"locale": "ko"})[0] == {"locale": "ko"}
    korean = client.post("/lens/view", json={"page": "p", "id": 9, "state": {}}, headers={"accept-language": "ko-KR"})
    assert json.loads(korean.text.splitlines()[0]) == {"locale": "ko"}


def test_browser_that_goes_away_closes_the_stream():
    renderer = StandIn()
    renderer.steps = [lambda request: time.sleep(0.01) or {"progress": {}}] * 10_000
    routes = PageRoutes(PlainTextResponse("gradio"), renderer)
    lines: list[bytes] = []

    async def run() -> None:
        import anyio

        disconnected = anyio.Event()
        body = json.dumps({"page": "p", "id": 1, "state": {}}).encode()
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            if messages:
                return messages.pop()
            await disconnected.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            lines.append(message.get("body", b""))
            if len(lines) == 5:
                disconnected.set()

        scope = {
            "type": "http", "method": "POST", "path": "/lens/view", "query_string": b"", "root_path": "",
            "headers": [(b"content-type", b"application/json")], "asgi": {"spec_version": "2.3"},
        }  # fmt: skip
        with anyio.fail_after(30):
            await routes(scope, receive, send)

    import asyncio

    asyncio.run(run())
    assert renderer.closed.wait(30)
    assert 5 <= len(lines) < 1000
    assert routes._streams == 0


def test_number_of_streams_is_bounded(client, renderer, monkeypatch):
    monkeypatch.setattr(page_routes, "MAX_STREAMS", 0)
    response = client.post("/lens/view", json={"page": "p", "id": 1, "state": {}})
    assert (response.status_code, bool(response.json()["error"])) == (503, True)


def test_export_is_a_file(client, monkeypatch):
    arguments = {}

    def export_view(renderer, state, kind, chosen):
        arguments.update(state=state, kind=kind, chosen=chosen)
        return File("a-b.png", "image/png", b"bytes")

    monkeypatch.setattr(page_routes, "export_view", export_view)
    response = client.post("/lens/export", json={"state": {"tab": "erf"}, "format": "png"})
    assert (response.content, response.headers["content-type"]) == (b"bytes", "image/png")
    assert response.headers["content-disposition"] == "attachment; filename*=utf-8''a-b.png"
    assert (arguments["state"].tab, arguments["kind"]) == ("erf", "png")
    assert client.post("/lens/export", json={"state": {}, "format": "exe"}).status_code == 400
    chosen = {"row": "attention", "column": "pico", "options": {"format": "pdf", "width": 7, "caption": False}}
    assert client.post("/lens/export", json={"state": {}, "map": chosen}).status_code == 200
    expected = ChosenMap("attention", "pico", MapFileOptions("pdf", 7.0, 300, False, True))
    assert arguments["chosen"] == expected
    chosen["options"] = {"width": 70}
    refused = client.post("/lens/export", json={"state": {}, "map": chosen})
    assert (refused.status_code, "Choose one of: 3.5, 7.0" in refused.json()["error"]) == (400, True)


def test_models_gives_choices_while_weights_arrive(client):
    response = client.post("/lens/models", json={"state": {}})
    assert response.json() == {"models": {}, "offer": {"waiting": False}}
