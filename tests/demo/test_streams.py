"""A stream of answers that is given up ends at once, and the next one of its session gets every answer."""

from __future__ import annotations

import json
import logging
import threading
from argparse import Namespace
from collections.abc import Iterator

import gradio
import httpx
import pytest

from demo.server import launch_options

SESSION = "somebody"
held = threading.Event()


def answering(name: str) -> Iterator[str]:
    yield f"first of {name}"
    if name == "slow":
        assert held.wait(60)
    yield f"last of {name}"


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    with gradio.Blocks() as blocks:
        text, told = gradio.Textbox(), gradio.Textbox()
        text.change(answering, text, told, concurrency_limit=4)
    _, url, _ = blocks.launch(prevent_thread_lock=True, **launch_options(Namespace(host="127.0.0.1", quiet=True)))
    with httpx.Client(base_url=url + "gradio_api/queue", timeout=60) as client:
        yield client
    blocks.close(verbose=False)


def ask(api: httpx.Client, name: str) -> str:
    asked = {"data": [name], "fn_index": 0, "session_hash": SESSION}
    return api.post("/join", json=asked).raise_for_status().json()["event_id"]


def messages(api: httpx.Client) -> Iterator[dict]:
    with api.stream("GET", "/data", params={"session_hash": SESSION}) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def test_a_stream_is_given_up_and_the_next_one_gets_every_answer(api, caplog):
    caplog.set_level(logging.ERROR)
    ask(api, "slow")
    listening = messages(api)
    while next(listening)["msg"] != "process_generating":
        pass
    unheard = ask(api, "quick")  # on its way when the connection goes
    assert api.post("/leave", params={"session_hash": SESSION}).status_code == 204
    rest = list(listening)  # ends
    assert not [one for one in rest if one["event_id"] == unheard and one["msg"] == "process_completed"]

    again = ask(api, "quick")
    found = list(messages(api))  # ends by itself: nothing from before is waited for
    held.set()
    assert {one["event_id"] for one in found} == {again, None}
    said = [one["output"]["data"] for one in found if one["msg"] == "process_generating"]
    assert said[0] == ["first of quick"]
    assert "last of quick" in json.dumps(said[1:])
    assert [one["msg"] for one in found][-2:] == ["process_completed", "close_stream"]
    assert caplog.records == []


def test_who_has_no_stream_leaves_none(api):
    assert api.post("/leave", params={"session_hash": "nobody"}).status_code == 204
    assert api.post("/leave").status_code == 204
