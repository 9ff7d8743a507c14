"""Requests of every shape over HTTP: a sentence, never HTTP 500, never a traceback in the log."""

from __future__ import annotations

import json
import logging
import secrets
import traceback
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.middleware import Middleware

from demo.http_policy import parse_json
from demo.page_routes import PageRoutes
from demo.renderer import Renderer
from demo.requests import MAX_JSON
from demo.server import launch_options
from demo.service import StudyService
from demo.ui.page import Page
from tests.hostile import MARK, SPECIAL, VALUES, Tracebacks, check_sentence
from transxnet.errors import InvalidValue

pytestmark = pytest.mark.fuzz
CALLS = ("queue/join", "call/predict", "call/v2/predict", "run/predict", "api/predict", "cancel", "reset")


class Server:
    """A page that is served on loopback, and what it logs."""

    def __init__(self, page: Page, url: str, tracebacks: Tracebacks):
        self.page, self.tracebacks = page, tracebacks
        self.api = f"{url.rstrip('/')}/gradio_api"
        self.http = httpx.Client(timeout=60, trust_env=False)
        self.predict = next(i for i, fn in page.blocks.fns.items() if fn.api_name == "predict")

    def post(self, route: str, body: str | bytes, content_type: str = "application/json") -> httpx.Response:
        content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        return self.http.post(f"{self.api}/{route}", content=content, headers={"content-type": content_type})

    def check(self, response: httpx.Response, summary: str, *statuses: int) -> str:
        """Check that a request was refused in a sentence; returns it."""
        self.tracebacks.check(summary)
        assert response.status_code < 500, f"{response.status_code}: {summary[:500]}"
        assert not statuses or response.status_code in statuses, (
            f"{response.status_code} {response.text[:200]} {summary}"
        )
        sentence = (
            response.json().get("detail") if response.status_code >= 400 else "It was accepted and will be answered."
        )
        check_sentence(sentence, summary)
        return sentence

    def answer(self, session: str) -> tuple[bool, dict[str, Any]]:
        """The one event that this session waits for."""
        with self.http.stream("GET", f"{self.api}/queue/data?session_hash={session}") as stream:
            messages = [json.loads(line[5:]) for line in stream.iter_lines() if line.startswith("data:")]
        (completed,) = (message for message in messages if message["msg"] == "process_completed")
        return completed["success"], completed["output"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    tracebacks = Tracebacks()
    loggers = [logging.getLogger(name) for name in ("", "uvicorn", "uvicorn.error")]
    patch = pytest.MonkeyPatch()
    patch.setattr(traceback, "print_exc", tracebacks.print_exc)
    page = Page(Renderer(StudyService(device="cpu")))
    page.blocks.queue(api_open=False, max_size=64)
    options = launch_options(Namespace(host="127.0.0.1", quiet=True))
    options["app_kwargs"]["middleware"] += [Middleware(PageRoutes, renderer=page.renderer)]
    _, url, _ = page.blocks.launch(prevent_thread_lock=True, **options)
    for logger in loggers:
        logger.addHandler(tracebacks)
    try:
        yield Server(page, url, tracebacks)
    finally:
        for logger in loggers:
            logger.removeHandler(tracebacks)
        page.blocks.close()
        patch.undo()


# ---- values, through the queue --------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", SPECIAL, ids=lambda value: value[:20])
def test_special_value_gets_a_sentence(server, value):
    session = secrets.token_hex(6)
    body = f'{{"data":[null,{value},5,false],"fn_index":{server.predict},"session_hash":"{session}"}}'
    response = server.post("queue/join", body)
    if response.status_code != 200:
        server.check(response, body, 400, 413)
        return
    success, output = server.answer(session)
    assert not success
    check_sentence(output["error"], body)
    server.tracebacks.check(body)


@pytest.mark.parametrize("route", ["call/predict", "call/v2/predict"])
def test_simple_call_gets_its_sentence(server, route):
    body = '{"image": null, "top": "many"}' if "v2" in route else '{"data": [null, "pico", "many", false, 0]}'
    event = server.post(route, body).json()["event_id"]
    stream = server.http.get(f"{server.api}/{route}/{event}").text
    assert "event: error" in stream
    assert "top must be an integer from 1 to 1000, not 'many'." in stream


# ---- bodies ---------------------------------------------------------------------------------------------------------

BODIES = [
    b"", b"null", b"[]", b'"x"', b"5", b'{"data":', b'{"data":[NaN]}', b'{"data":[1e400]}', b'{"data":["\\ud800"]}',
    b'{"data":[' + b"9" * 5000 + b"]}", b'{"data":[' + b"9" * 100_000 + b"]}", b'{"data":["\xff\xfe"]}',
    '{"data":[]}'.encode("utf-16"), b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"a":' * 900 + b"1" + b"}" * 900,
    b'{"data":{}}', b'{"data":"x"}', b'{"data":null}', b'{"data":[[1]],"batched":true}', b'{"data":[],"batched":[]}',
    b'{"data":[],"trigger_id":[]}', b'{"data":[],"trigger_id":true}', b'{"data":[],"event_id":{"a":1}}',
    b'{"data":[],"session_hash":[]}', b'{"data":[],"session_hash":"../../x"}', b'{"data":[],"session_hash":""}',
    b'{"data":[],"session_hash":"' + MARK.encode() * 30 + b'"}', b'{"data":[],"simple_format":"yes"}',
    b'{"data":[],"fn_index":"x","session_hash":"a"}', b'{"data":[],"fn_index":-1,"session_hash":"a"}',
    b'{"data":[],"fn_index":99999,"session_hash":"a"}', b'{"data":[],"fn_index":1.5,"session_hash":"a"}',
    b'{"data":[' + b",".join([b"1"] * 5000) + b"]}", b'{"data":["' + b"a" * 1_000_000 + b'"]}', b'{"":1}',
    b'{"__proto__":{"a":1},"constructor":{}}', b'{"image":null,"' + MARK.encode() * 9 + b'":1}',
    b'{"data":[],"oauth_token":5,"session_hash":"a"}',
]  # fmt: skip


@pytest.mark.parametrize("route", CALLS)
def test_malformed_bodies_are_refused_in_sentences(server, route):
    for body in BODIES:
        server.check(server.post(route, body), f"{route} {body[:300]!r}", 200, 400, 404, 413)


@pytest.mark.parametrize("route", CALLS)
def test_other_content_types_are_refused(server, route):
    for content_type in ("text/plain", "multipart/form-data", "", "x" * 3000):
        server.check(server.post(route, '{"data":[]}', content_type), f"{route} {content_type[:40]}", 415)


@pytest.mark.parametrize("route", CALLS)
@given(fields=st.dictionaries(
    st.sampled_from(("data", "fn_index", "session_hash", "trigger_id", "event_id", "event_data", "batched", "image")),
    VALUES,
))  # fmt: skip
def test_any_fields_are_answered_in_sentences(server, route, fields):
    body = "{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}"
    server.check(server.post(route, body), f"{route} {body}")


def test_body_is_at_most_256_kB_of_json(server):
    body = json.dumps({"data": ["a" * MAX_JSON]})
    assert "256 kB" in server.check(server.post("queue/join", body), "large", 413)


@pytest.mark.parametrize("text", ['{"a":1,"b":[2.5,"\\ud83d\\ude00",null,true]}', "-12", '"é"', "[" * 32 + "]" * 32])
def test_json_is_read_as_python_does(text):
    assert parse_json(text.encode()) == json.loads(text)


def test_more_than_json_is_not_read():
    for text in ("NaN", "[Infinity]", "1e999", "9" * 21, '"\\udc00"', '{"\\ud800":1}', "[" * 33 + "]" * 33, "{}{}"):
        with pytest.raises(InvalidValue):
            parse_json(text.encode())


# ---- names, numbers and sessions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["call", "call/v2", "run", "api"])
@pytest.mark.parametrize("name", ["nope", "..%2f", "%00", "é", "pr%65dictt", MARK * 60], ids=lambda name: name[:8])
def test_unknown_endpoint_is_404(server, route, name):
    sentence = server.check(server.post(f"{route}/{name}", '{"data":[]}'), f"{route}/{name}", 404)
    assert "Choose one of: predict, attention" in sentence


def test_private_event_is_no_endpoint_of_parameters(server):
    server.check(server.post("call/v2/open_upload", "{}"), "call/v2/open_upload", 404)


@pytest.mark.parametrize("route", ["queue/join", "run/predict", "api/predict"])
@pytest.mark.parametrize("index", [-1, 99999, 10**8])
def test_unknown_event_number_is_404(server, route, index):
    body = f'{{"data":[],"fn_index":{index},"session_hash":"a"}}'
    assert f"no event number {index}" in server.check(server.post(route, body), body, 404)


def test_event_of_javascript_only_is_404(server):
    numbers = [number for number, event in server.page.blocks.fns.items() if event.fn is None]
    assert len(numbers) > 5
    for number in numbers:
        body = f'{{"data":[],"fn_index":{number},"session_hash":"a"}}'
        for route in ("queue/join", "run/predict", "api/predict"):
            server.check(server.post(route, body), body, 404)


@pytest.mark.parametrize("session", ["%00", "a b", "..%2f..", "é", MARK * 9, "a&session_hash=%20"], ids=lambda s: s[:8])
def test_session_is_a_short_name(server, session):
    for method, route in (
        ("GET", "queue/data"), ("POST", "cancel"), ("GET", f"heartbeat/{session.replace('&', '%26')}"),
    ):  # fmt: skip
        response = server.http.request(method, f"{server.api}/{route}?session_hash={session}")
        server.check(response, f"{route} {session}", 400)


@pytest.mark.parametrize("address", ["queue/data?session_hash=nope", "call/predict/nope", "call/v2/predict/nope"])
def test_unknown_stream_ends_without_a_traceback(server, address):
    server.http.get(f"{server.api}/{address}")
    server.tracebacks.check(address)


def test_no_route_answers_500(server):
    """Whatever a POST route of Gradio expects, including those that this page does not use."""
    routers = [getattr(one, "original_router", one) for one in server.page.blocks.app.routes]  # FastAPI nests them
    routes = [route for router in routers for route in getattr(router, "routes", ())]
    paths = sorted({route.path.removeprefix("/gradio_api/") for route in routes if "POST" in route.methods})
    assert len(paths) > 10
    for path in [*paths, "../lens/view", "../lens/stop", "../lens/export", "../lens/models"]:
        route = path.replace("{api_name}", "x").replace("{event_id}", "x")
        for body in (b"", b"null", b"{}", b'{"component_id":99999,"session_hash":"a","fn_name":"x","data":[]}'):
            for content_type in ("application/json", "multipart/form-data; boundary=", "text/plain"):
                response = server.post(route, body, content_type)
                server.tracebacks.check(f"{route} {body!r} {content_type}")
                assert response.status_code < 500, (route, body, content_type, response.text[:200])
