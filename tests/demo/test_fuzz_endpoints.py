"""Every value that a program can send to each parameter of each endpoint and each event of the page.

Bodies are read as the server reads them (demo/requests.py), and events are called as Gradio's queue calls them, without
HTTP, which tests/demo/test_fuzz_requests.py adds. Whatever comes, the answer is a sentence or a result: never an empty
error, never a traceback in the log, never a path of the server, never more than 80 characters of what was sent.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr
import pytest
from gradio.state_holder import SessionState
from hypothesis import given
from hypothesis import strategies as st

from demo.parameters import CONTROLS, PARAMETERS
from demo.requests import parse_json
from demo.studio import Studio
from demo.ui.page import Page
from demo.ui.showing import Showing
from tests.hostile import MARK, SPECIAL, VALUES, Tracebacks, check_sentence
from transxnet.errors import InvalidValue

pytestmark = pytest.mark.fuzz
ENDPOINTS = (
    "predict", "attention", "kernels", "grad_cam", "erf", "explain", "ablation_table", "sanity_checks", "compare",
    "ablation", "export",
)  # fmt: skip


class Events:
    """The page's events, called one after the other in one visitor's session."""

    def __init__(self, page: Page):
        self.page = page
        self.tracebacks = Tracebacks()
        self._runner = asyncio.Runner()
        self._state = SessionState(page.blocks)
        self._visitor = "fuzz"

    def close(self) -> None:
        self._runner.close()

    def endpoint(self, name: str) -> Any:
        return next(fn for fn in self.page.blocks.fns.values() if fn.api_name == name)

    def first_values(self, fn: Any) -> list[str]:
        """What a page or a program sends that has changed nothing, as JSON; no image, so that nothing is computed."""
        return ["null" if one.stateful else json.dumps(getattr(one, "value", None)) for one in fn.inputs]

    def call(self, fn: Any, data: Sequence[str], event_data: str = "null") -> tuple[bool, Any]:
        """Whether the event succeeded, and the sentence if not. data, event_data: JSON."""
        text = f'{{"data":[{",".join(data)}],"event_data":{event_data}}}'
        try:
            body = parse_json(text.encode("utf-8", "surrogatepass"))
        except InvalidValue as error:
            return False, str(error)
        try:
            self._runner.run(self._answer(fn, body))
        except gr.Error as error:
            return False, error.message
        return True, None

    async def _answer(self, fn: Any, body: dict[str, Any]) -> None:
        event = gr.EventData(None, body["event_data"])
        request = gr.Request(session_hash=self._visitor, headers={}, query_params={})
        more = {"state": self._state, "session_hash": self._visitor, "event_id": "1", "request": request}
        step = await self.page.blocks.process_api(fn, body["data"], event_data=event, **more)
        while step["is_generating"]:
            step = await self.page.blocks.process_api(fn, [], iterator=step["iterator"], event_data=event, **more)

    def check(self, fn: Any, data: Sequence[str], event_data: str = "null", must_fail: bool = False) -> None:
        """Call an event, and hold that its answer is one that anybody may get."""
        asked = f"{fn.api_name} [{', '.join(one[:60] for one in data)}] {event_data[:300]}"
        succeeded, said = self.call(fn, data, event_data)
        self.tracebacks.check(asked)
        assert not (succeeded and must_fail), f"accepted: {asked}"
        if not succeeded:
            check_sentence(said, asked)


@pytest.fixture(scope="module")
def events() -> Iterator[Events]:
    found = Events(Page(Studio(device="cpu")))
    logging.getLogger().addHandler(found.tracebacks)
    try:
        yield found
    finally:
        logging.getLogger().removeHandler(found.tracebacks)
        found.close()


# ---- parameters of endpoints -----------------------------------------------------------------------------------------


def test_endpoints_are_all_covered(events):
    assert {fn.api_name for fn in events.page.blocks.fns.values() if fn.api_visibility == "public"} == set(ENDPOINTS)


def test_every_input_has_one_definition(events):
    known = [*PARAMETERS.values(), *CONTROLS.values()]
    for fn in events.page.blocks.fns.values():
        for component in fn.inputs:
            if not component.stateful:
                assert component.parameter.name == "part" or component.parameter in known


@pytest.mark.parametrize("name", ENDPOINTS)
def test_special_values_get_sentences(events, name):
    fn = events.endpoint(name)
    usual = events.first_values(fn)
    for place in range(len(usual)):
        for value in SPECIAL:
            events.check(fn, [*usual[:place], value, *usual[place + 1 :]], must_fail=True)


@pytest.mark.parametrize("name", ENDPOINTS)
@given(data=st.data())
def test_any_values_get_sentences(events, name, data):
    fn = events.endpoint(name)
    usual = events.first_values(fn)
    changes = data.draw(st.dictionaries(st.integers(1, len(usual) - 1), VALUES, min_size=1, max_size=4))
    events.check(fn, [changes.get(place, value) for place, value in enumerate(usual)], must_fail=True)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_wrong_number_of_values_gets_a_sentence(events, name):
    fn = events.endpoint(name)
    usual = events.first_values(fn)
    for data in ([], usual[:1], usual[:-1], [*usual, "1"], usual * 3, [f'"{MARK * 9}"'] * (len(usual) + 1)):
        events.check(fn, data, must_fail=True)


def test_the_parameter_is_named_and_its_value_cut(events):
    fn = events.endpoint("export")
    usual = events.first_values(fn)
    names = [component.parameter.name for component in fn.inputs]
    for name, value, expected in (
        ("stage", "9", "stage is one of 1, 2, 3, 4, not 9."),
        ("block", "true", "block is a whole number from 0 to 99, not true."),
        ("opacity", '"0.5"', "opacity is a number from 0 to 1, not '0.5'."),
        ("colormap", "null", "colormap is empty or one of "),
        ("variants", '["pico"]', "variants is text of at most 400 characters, not ['pico']."),
        ("fill", f'"{"n" * 500}"', f"not '{'n' * 77}…'."),
    ):
        place = names.index(name)
        _, said = events.call(fn, [*usual[:place], value, *usual[place + 1 :]])
        assert expected in said


# ---- events of the page ----------------------------------------------------------------------------------------------

SENT = {  # handler -> what the page's scripts send to it, with OTHER in the place of a value
    "acted": (
        '{"x": OTHER, "y": 1}', '{"x": 1, "y": OTHER, "image": OTHER}', '{"retry": OTHER}', '{"instead": OTHER}',
        '{"instead": [OTHER, OTHER]}', '{"change": OTHER}', '{"go": OTHER}', '{"go": {"fx": OTHER, "fy": OTHER}}',
        '{"go": {"x": OTHER, "y": OTHER}}', '{"go": {"tour": 1, "stage": OTHER}}',
        *(f'{{"change": {{"{name}": OTHER}}}}' for name in (
            "active", "clicks", "compared", "photos", "edits", "mask", "fill", "every", "held", "image"
        )),
        *(f'{{"go": {{"{name}": OTHER}}}}' for name in (
            "view", "example", "image", "variants", "stage", "block", "cam", "x", "fx", "class", "compared", "with",
            "off", "photos", "tour", "own", "nothing"
        )),
    ),
    "moved": ('{"x": OTHER, "y": 1}', '{"x": OTHER, "y": OTHER, "image": OTHER}'),
    "example_chosen": ('{"index": OTHER}',),
    "other_chosen": ('{"index": OTHER}',),
    "answer_chosen": ('{"wnid": OTHER}',),
    "long_asked": ('{"ask": OTHER}',),
    "exported": ('{"format": OTHER}', '{"format": OTHER, "display": OTHER}'),
}  # fmt: skip
DISPLAY = '{"head": A, "colormap": A, "diverging": B, "opacity": B, "gamma": A, "threshold": A, "view": B, "seen": A}'


def handlers(events: Events) -> dict[str, Any]:
    """One event of each handler: many components share one."""
    return {fn.name: fn for fn in events.page.blocks.fns.values() if fn.api_visibility == "private" and fn.inputs}


@pytest.fixture
def undrawn(monkeypatch) -> None:
    """What an event asks for is worked out, and not shown: that would be a study for each value."""

    def refresh(self: Showing, request: Any, session: Any, *values: Any, **more: Any) -> Iterator[dict]:
        yield self._nothing()

    monkeypatch.setattr(Showing, "refresh", refresh)


@pytest.fixture(scope="module")
def opened(events) -> Events:
    """The events of a page that has shown its first answer."""
    assert events.call(handlers(events)["opened"], events.first_values(handlers(events)["opened"])) == (True, None)
    return events


def test_special_values_of_controls(events, undrawn):
    seen = set()
    for fn in handlers(events).values():
        usual = events.first_values(fn)
        for place, component in enumerate(fn.inputs):
            for value in () if component.stateful or component in seen else SPECIAL:
                events.check(fn, [*usual[:place], value, *usual[place + 1 :]])
            seen.add(component)


def test_events_with_data_are_all_covered(events):
    script = {fn.name for fn in events.page.blocks.fns.values() if any(target[1] == "select" for target in fn.targets)}
    assert script == set(SENT)


@pytest.mark.parametrize("name", SENT)
def test_special_values_of_event_data(opened, undrawn, name):
    fn = handlers(opened)[name]
    step = 16 if name == "acted" else 1  # it has many fields: each gets a few of the values
    for place, sent in enumerate(("OTHER", *SENT[name])):
        for value in SPECIAL[place % step :: step]:
            opened.check(fn, opened.first_values(fn), sent.replace("OTHER", value))


@given(st.sampled_from([sent for sent in SENT["acted"] if '"change"' in sent or '"go"' in sent]), VALUES)
def test_any_state_is_shown_or_refused(opened, sent, value):
    """With all that follows: studies of the bundled model, and their drawing."""
    fn = handlers(opened)["acted"]
    opened.check(fn, opened.first_values(fn), sent.replace("OTHER", value))


@given(VALUES, VALUES)
def test_any_display_settings_give_a_file_or_a_sentence(opened, first, second):
    fn = handlers(opened)["exported"]
    display = DISPLAY.replace("A", "\0").replace("B", second).replace("\0", first)
    opened.check(fn, opened.first_values(fn), f'{{"format": "npz", "display": {display}}}')
