"""Every value that a program can send to each parameter of each endpoint, and in each field of the page's requests.

Bodies are read as the server reads them (demo/http_policy.py), and endpoints are called as Gradio's queue calls them,
without HTTP, which tests/demo/test_fuzz_requests.py adds. Whatever comes, the answer is a sentence or a result: never
an empty error, never a traceback in the log, never a path of the server, never more than 80 characters of what was
sent.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import gradio as gr
import httpx
import pytest
from gradio.state_holder import SessionState
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from demo.columns import Column
from demo.http_policy import parse_json
from demo.page_routes import Cached, PageRoutes
from demo.parameters import PARAMETERS
from demo.renderer import Renderer
from demo.service import StudyService
from demo.state import DISPLAY_FIELDS, URL_FIELDS, URL_KEYS, ViewState
from demo.ui.page import Page
from tests.hostile import MARK, SPECIAL, VALUES, Tracebacks, check_sentence
from transxnet.errors import InvalidValue

pytestmark = pytest.mark.fuzz
ENDPOINTS = (
    "predict", "attention", "kernels", "grad_cam", "erf", "explain", "ablation_table", "sanity_checks", "compare",
    "ablation", "export",
)  # fmt: skip


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(StudyService(device="cpu"))


@pytest.fixture(scope="module")
def tracebacks() -> Iterator[Tracebacks]:
    handler = Tracebacks()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


# ---- parameters of endpoints ----------------------------------------------------------------------------------------


class Endpoints:
    """The page's endpoints, called one after the other."""

    def __init__(self, page: Page, tracebacks: Tracebacks):
        self.page = page
        self.tracebacks = tracebacks
        self._runner = asyncio.Runner()
        self._state = SessionState(page.blocks)

    def close(self) -> None:
        self._runner.close()

    def find(self, name: str) -> Any:
        return next(event for event in self.page.blocks.fns.values() if event.api_name == name)

    def defaults(self, event: Any) -> list[str]:
        """The default of each input as JSON. There is no image, so nothing is computed."""
        return [json.dumps(getattr(component, "value", None)) for component in event.inputs]

    def call(self, event: Any, data: Sequence[str], event_data: str = "null") -> str | None:
        """Returns the sentence of the refusal, None for a result. data, event_data: JSON."""
        text = f'{{"data":[{",".join(data)}],"event_data":{event_data}}}'
        try:
            body = parse_json(text.encode("utf-8", "surrogatepass"))
        except InvalidValue as error:
            return str(error)
        try:
            self._runner.run(self._process(event, body))
        except gr.Error as error:
            return error.message
        return None

    async def _process(self, event: Any, body: dict[str, Any]) -> None:
        request = gr.Request(session_hash="fuzz", headers={}, query_params={})
        options = {"state": self._state, "session_hash": "fuzz", "event_id": "1", "request": request}
        event_data = gr.EventData(None, body["event_data"])
        await self.page.blocks.process_api(event, body["data"], event_data=event_data, **options)

    def check_refusal(self, event: Any, data: Sequence[str], event_data: str = "null") -> None:
        """Call an endpoint, and check that it refuses in a sentence."""
        summary = f"{event.api_name} [{', '.join(value[:60] for value in data)}] {event_data[:300]}"
        sentence = self.call(event, data, event_data)
        self.tracebacks.check(summary)
        check_sentence(sentence, summary)


@pytest.fixture(scope="module")
def endpoints(renderer, tracebacks) -> Iterator[Endpoints]:
    endpoints = Endpoints(Page(renderer), tracebacks)
    yield endpoints
    endpoints.close()


def test_endpoints_are_all_covered(endpoints):
    events = endpoints.page.blocks.fns.values()
    assert {event.api_name for event in events if event.api_visibility == "public"} == set(ENDPOINTS)


def test_upload_is_the_only_private_event_in_python(endpoints):
    events = [event for event in endpoints.page.blocks.fns.values() if event.fn]
    assert [event.name for event in events if event.api_visibility != "public"] == ["open_upload"]


def test_every_input_has_one_definition(endpoints):
    for name in ENDPOINTS:
        for component in endpoints.find(name).inputs:
            assert component.parameter.name == "analysis" or component.parameter in PARAMETERS.values()


@pytest.mark.parametrize("name", ENDPOINTS)
def test_special_values_get_sentences(endpoints, name):
    event = endpoints.find(name)
    defaults = endpoints.defaults(event)
    for i in range(len(defaults)):
        for value in SPECIAL:
            endpoints.check_refusal(event, [*defaults[:i], value, *defaults[i + 1 :]])


@pytest.mark.parametrize("name", ENDPOINTS)
@given(data=st.data())
def test_any_values_get_sentences(endpoints, name, data):
    event = endpoints.find(name)
    defaults = endpoints.defaults(event)
    changes = data.draw(st.dictionaries(st.integers(1, len(defaults) - 1), VALUES, min_size=1, max_size=4))
    endpoints.check_refusal(event, [changes.get(i, value) for i, value in enumerate(defaults)])


@pytest.mark.parametrize("name", ENDPOINTS)
def test_wrong_number_of_values_gets_a_sentence(endpoints, name):
    event = endpoints.find(name)
    defaults = endpoints.defaults(event)
    too_long = [f'"{MARK * 9}"'] * (len(defaults) + 1)
    for data in ([], defaults[:1], defaults[:-1], [*defaults, "1"], defaults * 3, too_long):
        endpoints.check_refusal(event, data)


def test_refusal_names_the_parameter_and_shortens_its_value(endpoints):
    event = endpoints.find("export")
    defaults = endpoints.defaults(event)
    names = [component.parameter.name for component in event.inputs]
    for name, value, expected in (
        ("stage", "9", "stage must be one of 1, 2, 3, 4, not 9."),
        ("block", "true", "block must be an integer from 0 to 99, not true."),
        ("opacity", '"0.5"', "opacity must be a number from 0 to 1, not '0.5'."),
        ("colormap", "null", "colormap must be empty or one of "),
        ("models", '["pico"]', "models must be text of at most 400 characters, not ['pico']."),
        ("fill", f'"{"n" * 500}"', f"not '{'n' * 77}…'."),
    ):
        i = names.index(name)
        assert expected in endpoints.call(event, [*defaults[:i], value, *defaults[i + 1 :]])


@pytest.mark.parametrize("value", SPECIAL, ids=lambda value: value[:20])
def test_upload_of_a_special_value_gets_a_sentence(endpoints, value):
    event = next(event for event in endpoints.page.blocks.fns.values() if event.name == "open_upload")
    sentence = endpoints.call(event, [value])
    endpoints.tracebacks.check(value)
    if value != "null":  # no image: nothing happens
        check_sentence(sentence, value)


def test_file_in_the_data_of_an_event_is_refused(endpoints):
    event = endpoints.find("predict")
    endpoints.check_refusal(event, endpoints.defaults(event), '{"path": "/etc/passwd"}')


# ---- requests of the page -------------------------------------------------------------------------------------------


class Browser:
    """Sends requests to the page's own addresses, and checks what comes back."""

    def __init__(self, renderer: Renderer, tracebacks: Tracebacks):
        self.client = TestClient(PageRoutes(PlainTextResponse("gradio"), renderer))
        self.tracebacks = tracebacks

    def post(self, route: str, fields: dict[str, str]) -> httpx.Response:
        """fields: JSON texts by name."""
        text = "{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}"
        content = text.encode("utf-8", "surrogatepass")
        return self.client.post(f"/lens/{route}", content=content, headers={"content-type": "application/json"})

    def check(self, route: str, **fields: str) -> None:
        """Send a request, and check that it is refused in a sentence or answered without an error."""
        summary = f"{route} {fields}"
        page = {} if route in ("export", "models") else {"page": '"fuzz"', "id": "1"}
        response = self.post(route, page | fields)
        self.tracebacks.check(summary)
        assert response.status_code in (200, 204, 400), summary[:500]
        if response.status_code == 400:
            check_sentence(response.json()["error"], summary)
        elif route == "view":
            for line in response.text.splitlines():
                parts = json.loads(line)
                notes = parts.get("state", {}).get("notes", [])
                for sentence in [*notes, parts["error"]] if "error" in parts else notes:
                    check_sentence(sentence, summary)


@pytest.fixture(scope="module")
def browser(renderer, tracebacks) -> Browser:
    return Browser(renderer, tracebacks)


@pytest.fixture
def no_studies(renderer, monkeypatch) -> None:
    """A state is resolved, but nothing is computed for it: that would be a study for each value."""

    def maps(rendering: Any) -> Iterator[dict]:
        yield {}
        return [Column(name) for name in rendering.state.models]

    def figures(rendering: Any, columns: Any) -> Iterator[dict]:
        yield {}
        return True

    monkeypatch.setattr(renderer, "_maps", maps)
    monkeypatch.setattr(renderer, "_figures", figures)
    monkeypatch.setattr(renderer, "_comparison", lambda rendering, columns: iter(()))


@pytest.mark.usefixtures("no_studies")
@pytest.mark.parametrize("name", ViewState.model_fields)
def test_special_values_of_the_state_get_sentences(browser, name):
    for value in SPECIAL:
        browser.check("view", state=f'{{"tab":"compare","{name}":{value}}}' if name != "tab" else f'{{"tab":{value}}}')


@pytest.mark.usefixtures("no_studies")
@pytest.mark.parametrize("name", ["page", "id", "state", "query", "retry", "held"])
def test_special_values_of_a_request_get_sentences(browser, name):
    for value in SPECIAL:
        browser.check("view", **{name: value})
        if name in ("page", "id"):
            browser.check("stop", **{name: value})


@pytest.mark.usefixtures("no_studies")
@pytest.mark.parametrize("name", Cached.model_fields)
def test_special_values_of_holdings_get_sentences(browser, name):
    for value in SPECIAL:
        browser.check("view", held=f'{{"{name}":{value}}}')


@pytest.mark.usefixtures("no_studies")
@pytest.mark.parametrize("name", URL_FIELDS)
def test_special_values_of_a_url_get_notes(browser, name):
    keys = ("x", "y") if name == "position" else (URL_KEYS.get(name, name),)
    for value in SPECIAL:
        text = quote(value[:4000].strip('"').encode("utf-8", "surrogatepass"))
        for key in keys:
            browser.check("view", query=json.dumps(f"?y=1&{key}={text}" if key == "x" else f"?{key}={text}"))


@pytest.mark.parametrize("name", ["state", "format"])
def test_special_values_of_an_export_get_sentences(browser, name):
    for value in SPECIAL:
        browser.check("export", **{"format": '"npz"', "state": '{"tab":"tour"}', name: value})


def test_special_values_of_model_choices_get_sentences(browser):
    for value in SPECIAL:
        browser.check("models", state=value)


@given(st.sampled_from([name for name in ViewState.model_fields if name not in ("tab", "models")]), VALUES)
def test_any_state_is_rendered_or_refused(browser, name, value):
    """With the studies of the bundled model, and their drawing."""
    browser.check("view", state=f'{{"{name}":{value}}}')


@given(st.dictionaries(st.sampled_from(DISPLAY_FIELDS), VALUES, max_size=3))
def test_any_display_settings_give_a_file_or_a_sentence(browser, fields):
    settings = ",".join(f'"{name}":{value}' for name, value in fields.items())
    browser.check("export", format='"npz"', state=f"{{{settings}}}")
