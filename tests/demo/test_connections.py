"""Which connections the server closes by itself, on real servers with short time-outs.

No test measures seconds: that a time-out has passed is known from another connection, opened later, that it has closed.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import gradio as gr
import pytest
import uvicorn
from gradio import http_server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from demo.http_policy import HEADERS, IDLE, TimedProtocol, set_timeouts
from demo.server import launch_options
from demo.ui.gradio_classes import limit_connections

SHORT, NEVER = 0.3, 3600  # seconds
PATIENCE = 60  # seconds to wait for what must happen
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
proceed = threading.Event()  # lets the stream below go on


async def read_body(request: Request) -> Response:
    return PlainTextResponse(f"received {len(await request.body())}")


async def stream_events(request: Request) -> Response:
    async def events():
        yield "data: first\n\n"
        while not proceed.is_set():
            await asyncio.sleep(0.01)
        yield "data: last\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@contextmanager
def serving(header_timeout: float, idle_timeout: float) -> Iterator[int]:
    """A small app on a free port of loopback."""
    app = Starlette(routes=[Route("/", read_body, methods=["GET", "POST"]), Route("/events", stream_events)])
    config = uvicorn.Config(app, port=0, log_level="error")
    set_timeouts(config, header_timeout, idle_timeout)
    server, sockets = uvicorn.Server(config), [config.bind_socket()]
    sockets[0].listen(64)  # who connects before the server runs waits for it
    thread = threading.Thread(target=server.run, args=(sockets,), daemon=True)
    thread.start()
    yield sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(PATIENCE)


@pytest.fixture(scope="module")
def impatient() -> Iterator[int]:
    """The port of a server that waits long between requests, and not for headers."""
    with serving(SHORT, NEVER) as port:
        yield port


@pytest.fixture
def connect() -> Iterator[Callable[..., socket.socket]]:
    with ExitStack() as stack:

        def open_one(port: int, data: bytes = b"") -> socket.socket:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
            connection.sendall(data)
            return connection

        yield open_one


def read_until(connection: socket.socket, end: bytes) -> bytes:
    received = b""
    while not received.endswith(end):
        piece = connection.recv(65536)
        assert piece, f"closed after {received!r}"
        received += piece
    return received


def is_closed(connection: socket.socket) -> bool:
    """Waits until the server closes the connection; False if it answers."""
    try:
        return connection.recv(65536) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("sent", [b"", b"G", GET[:20], GET[:-2], b"POST /events HTTP/1.1\r\nContent-Length: 5\r\n"])
def test_a_connection_without_complete_headers_is_closed(impatient, connect, sent):
    assert is_closed(connect(impatient, sent))


def test_header_bytes_one_by_one_buy_no_time(impatient, connect):
    connection, deadline = connect(impatient, b"GET / HTTP/1.1\r\nX: "), time.monotonic() + PATIENCE
    connection.settimeout(0.02)
    while time.monotonic() < deadline:
        try:
            connection.sendall(b"a")
            with suppress(TimeoutError):
                if connection.recv(1) == b"":
                    return
        except (ConnectionResetError, BrokenPipeError):
            return
    pytest.fail("the connection is still open")


def test_the_headers_of_a_later_request_have_a_limit_too(impatient, connect):
    connection = connect(impatient, GET)
    read_until(connection, b"received 0")
    connection.sendall(GET[:20])
    assert is_closed(connection)


def test_a_connection_is_kept_between_requests(impatient, connect):
    connection = connect(impatient, GET)
    read_until(connection, b"received 0")
    assert is_closed(connect(impatient))  # the time for headers has passed
    connection.sendall(GET)
    read_until(connection, b"received 0")


def test_an_idle_connection_is_closed(connect):
    with serving(NEVER, SHORT) as port:
        connection = connect(port, GET)
        read_until(connection, b"received 0")
        assert is_closed(connection)


def test_a_slow_upload_is_not_closed(connect):
    with serving(SHORT, SHORT) as port:
        upload = connect(port, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab")
        assert is_closed(connect(port))
        upload.sendall(b"c")
        assert is_closed(connect(port))
        upload.sendall(b"d")
        read_until(upload, b"received 4")


def test_an_event_stream_is_not_closed(connect):
    with serving(SHORT, SHORT) as port:
        proceed.clear()
        stream = connect(port, GET.replace(b"/ ", b"/events ", 1))
        read_until(stream, b"data: first\n\n\r\n")
        for _ in range(3):
            assert is_closed(connect(port))
        proceed.set()
        read_until(stream, b"0\r\n\r\n")


def test_pipelined_requests_are_all_answered(impatient, connect):
    connection = connect(impatient, GET * 5 + GET[:10])
    answers = b""
    while answers.count(b"received 0") < 5:
        answers += connection.recv(65536)
    assert is_closed(connect(impatient))
    connection.sendall(GET[10:])
    read_until(connection, b"received 0")


def test_gradio_starts_its_server_with_the_time_outs(monkeypatch):
    monkeypatch.setattr(http_server, "Server", http_server.Server)  # restored afterwards
    limit_connections()
    server_class = http_server.Server
    limit_connections()
    assert http_server.Server is server_class
    with gr.Blocks() as blocks:
        gr.Textbox()
    blocks.launch(prevent_thread_lock=True, **launch_options(Namespace(host="127.0.0.1", quiet=True)))
    try:
        config = blocks.server.config
        assert config.timeout_keep_alive == IDLE == 65
        assert config.http_protocol_class.func is TimedProtocol
        assert config.http_protocol_class.keywords == {"header_timeout": HEADERS}
        assert HEADERS == 10
    finally:
        blocks.close(verbose=False)
