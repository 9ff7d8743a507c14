"""Gradio's memory of sessions: no values of requests, bounded, and dropped when a session is not used any more."""

from __future__ import annotations

import json
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

import gradio
import gradio.state_holder
import httpx
import pytest

from demo import memory
from demo.memory import SESSIONS, SessionExpiry
from demo.server import launch_options
from demo.ui.gradio_classes import LeanSessionState, keep_no_values

released = threading.Event()


def answer(text: str) -> tuple[str, Any]:
    if text == "slow":
        assert released.wait(60)
    return text[:5], gradio.Dropdown(["new choice"])


@pytest.fixture(scope="module")
def blocks() -> Iterator[gradio.Blocks]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gradio.state_holder, "SessionState", gradio.state_holder.SessionState)  # restored afterwards
        patch.setattr(memory, "INTERVAL", 10**6)  # the tests sweep
        keep_no_values()
        with gradio.Blocks() as blocks:
            text, start, choice = gradio.Textbox(), gradio.Textbox(), gradio.Dropdown(["old choice"])
            text.change(answer, text, [start, choice], api_name="answer", concurrency_limit=4)
            choice.input(str, choice, start, api_name="choose")
        blocks.launch(prevent_thread_lock=True, **launch_options(Namespace(host="127.0.0.1", quiet=True)))
        yield blocks
        released.set()
        blocks.close(verbose=False)


@pytest.fixture
def api(blocks) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=blocks.local_url + "gradio_api", timeout=60) as client:
        yield client


def settle(blocks: gradio.Blocks) -> None:
    """Wait until no event runs; Gradio cleans up after the answer was sent."""
    until = time.monotonic() + 60
    while blocks._queue.event_ids_to_events:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture
def expiry(blocks) -> SessionExpiry:
    """With nothing left by other tests."""
    expiry = SessionExpiry(blocks.app)
    settle(blocks)
    expiry.sweep()
    expiry.sweep()
    return expiry


def join(api: httpx.Client, text: str, session: str) -> str:
    body = {"data": [text], "fn_index": 0, "session_hash": session}
    return api.post("/queue/join", json=body).raise_for_status().json()["event_id"]


def messages(api: httpx.Client, session: str) -> Iterator[dict]:
    with api.stream("GET", "/queue/data", params={"session_hash": session}) as stream:
        yield from (json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))


def successes(api: httpx.Client, session: str) -> list[bool]:
    """Of each finished event of a session."""
    return [message["success"] for message in messages(api, session) if message["msg"] == "process_completed"]


def call(api: httpx.Client, name: str, *data: Any, session: str | None = None) -> str:
    fields = {"session_hash": session} if session else {}
    event = api.post(f"/call/{name}", json={"data": data, **fields}).raise_for_status().json()["event_id"]
    return api.get(f"/call/{name}/{event}").text


def test_values_of_a_request_are_not_kept(api, blocks, expiry):
    assert "complete" in call(api, "answer", "x" * 100_000)
    (state,) = blocks.app.state_holder.session_data.values()
    assert type(state) is LeanSessionState
    assert state.config_values == {}
    assert state.blocks_config.blocks[blocks.fns[0].inputs[0]._id] is blocks.fns[0].inputs[0]
    (queue,) = blocks._queue.pending_messages_per_session.values()
    assert queue.empty()


def test_updated_component_keeps_its_choices(api, blocks, expiry):
    join(api, "quick", "updated")
    list(messages(api, "updated"))
    body = {"data": ["new choice"], "fn_index": 1, "session_hash": "updated"}
    api.post("/queue/join", json=body).raise_for_status()
    assert successes(api, "updated") == [True]


def test_finished_sessions_leave_nothing(api, blocks, expiry):
    for i in range(5):
        join(api, "quick", f"page{i}")
        list(messages(api, f"page{i}"))
        call(api, "answer", "quick")
    settle(blocks)
    assert len(blocks.app.state_holder.session_data) == 10
    assert expiry.sweep() == set()
    assert len(expiry.sweep()) == 10
    queue, holder = blocks._queue, blocks.app.state_holder
    for remaining in (
        holder.session_data, holder.time_last_used, queue.pending_messages_per_session, queue.pending_event_ids_session,
        queue.event_ids_to_events, blocks.app.iterators, blocks.pending_diff_streams,
    ):  # fmt: skip
        assert len(remaining) == 0
    assert all(len(paths) == 0 for paths in blocks.temp_file_sets)


def test_uploads_stay_known(blocks, expiry):
    blocks.upload_file_set.add("upload.png")
    expiry.sweep()
    assert blocks.upload_file_set == {"upload.png"}
    blocks.upload_file_set.clear()


def test_unfetched_result_is_dropped(api, blocks, expiry):
    join(api, "unread", "nobody")
    settle(blocks)
    expiry.sweep()
    assert expiry.sweep() == {"nobody"}
    assert "nobody" not in blocks._queue.pending_messages_per_session


def test_session_used_between_sweeps_stays(api, blocks, expiry):
    for _ in range(2):
        join(api, "quick", "returning")
        list(messages(api, "returning"))
        settle(blocks)
        assert expiry.sweep() == set()
    assert expiry.sweep() == {"returning"}


def test_running_event_keeps_its_session(api, expiry):
    released.clear()
    join(api, "slow", "waiting")
    assert expiry.sweep() | expiry.sweep() | expiry.sweep() == set()
    released.set()
    assert successes(api, "waiting") == [True]


def test_number_of_sessions_is_bounded(api, blocks, expiry):
    assert blocks.app.state_holder.capacity == SESSIONS
    for i in range(SESSIONS + 3):
        blocks.app.state_holder[str(i)]
    assert len(blocks.app.state_holder.session_data) == SESSIONS
    assert len(blocks.app.state_holder.time_last_used) == SESSIONS
