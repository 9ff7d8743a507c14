"""The host names that a server on loopback answers to."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import pytest

from demo.address import is_loopback
from demo.http_policy import REFUSAL, AllowedHosts
from demo.server import launch_options
from demo.ui.components import Blocks


@pytest.fixture(scope="module")
def blocks() -> Iterator[Blocks]:
    """A page on loopback, behind a proxy that passes on lens.example."""
    with Blocks(analytics_enabled=False) as built:
        gr.Textbox()
    options = launch_options(Namespace(host="127.0.0.1", quiet=True, allowed_host=["Lens.example:443"]))
    built.launch(prevent_thread_lock=True, **options)
    yield built
    built.close(verbose=False)


def get(blocks: Blocks, host: str, path: str = "config") -> httpx.Response:
    return httpx.get(blocks.local_url + path, headers={"host": host})


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:1", "LOCALHOST", "localhost.", "127.0.0.1", "127.0.0.1:7860", "[::1]", "[::1]:7860",
        "lens.example", "lens.example:8080",
    ],
)  # fmt: skip
def test_known_names_are_answered(blocks, host):
    assert get(blocks, host).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:7860", "localhost.evil.example", "127.0.0.1.evil.example", "evil.lens.example",
        "127.0.0.1@evil.example", "localhost:80@evil.example", "evil.example/localhost", "", ":7860", "::1",
        "localhost:port", "[::1", "localhost, evil.example", "10.0.0.1", "0.0.0.0", "x" * 3000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["config", "", "gradio_api/queue/data?session_hash=x", "gradio_api/file=/etc/passwd"])
def test_other_names_are_refused(blocks, host, path):
    response = get(blocks, host, path)
    assert response.status_code == 403
    assert response.json() == {"error": REFUSAL}
    assert response.headers["x-content-type-options"] == "nosniff"


def test_the_share_link_is_answered_once_there_is_one(blocks, monkeypatch):
    assert get(blocks, "abc123.gradio.live").status_code == 403
    monkeypatch.setattr(blocks, "share_url", "https://abc123.gradio.live")
    assert get(blocks, "abc123.gradio.live").status_code == 200
    assert get(blocks, "other.gradio.live").status_code == 403


def call(scope: dict[str, Any]) -> list[dict[str, Any]]:
    """What AllowedHosts around an application that sends {"type": "passed"} sends for a scope."""
    sent = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "passed"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(AllowedHosts(app, ["127.0.0.2"])(scope, None, send))
    return sent


def test_a_websocket_of_another_name_is_closed():
    def websocket(*hosts: bytes) -> list[dict[str, Any]]:
        app = SimpleNamespace(get_blocks=lambda: SimpleNamespace(share_url=None))
        return call({"type": "websocket", "headers": [(b"host", host) for host in hosts], "app": app})

    assert websocket(b"evil.example") == [{"type": "websocket.close", "code": 1008}]
    assert websocket() == websocket(b"localhost", b"localhost") == [{"type": "websocket.close", "code": 1008}]
    assert websocket(b"127.0.0.2:80") == websocket(b"localhost:7860") == [{"type": "passed"}]
    assert call({"type": "lifespan"}) == [{"type": "passed"}]


def test_the_refusal_names_the_option():
    assert "--allowed-host NAME" in REFUSAL


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        (None, True), ("", True), ("localhost", True), ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True),
        ("[::1]", True), ("0.0.0.0", False), ("::", False), ("[::]", False), ("192.168.1.2", False), ("lens", False),
    ],
)  # fmt: skip
def test_only_a_server_on_loopback_checks_names(monkeypatch, host, wanted):
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    assert is_loopback(host) is wanted
    middleware = launch_options(Namespace(host=host))["app_kwargs"]["middleware"]
    assert (AllowedHosts in [one.cls for one in middleware]) is wanted
    monkeypatch.setenv("GRADIO_SERVER_NAME", host or "")
    middleware = launch_options(Namespace(host=None))["app_kwargs"]["middleware"]
    assert (AllowedHosts in [one.cls for one in middleware]) is wanted
