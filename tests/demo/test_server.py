"""The server's limits: bodies that are too large, files left behind, options that Gradio must know."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import os
import stat
import subprocess
import sys
import tempfile
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from demo import server
from demo.http_policy import MAX_BODY, MAX_UPLOAD_BODY, MB, BodyLimit
from demo.server import launch_options, private_temp_dir, set_offline_env
from demo.temporary_files import TemporaryFiles
from transxnet import images
from transxnet.errors import LensError, OutOfRange

ROOT = Path(__file__).parents[2]


# --- the environment -------------------------------------------------------------------------------------------------


@pytest.fixture
def scratch(monkeypatch, tmp_path) -> Path:
    """A machine whose temporary folder is tmp_path, with no GRADIO_TEMP_DIR."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")  # monkeypatch restores it, whatever the test sets
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_nothing_is_reported_to_anybody(monkeypatch):
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "True")
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "0")
    for name in ("GRADIO_ANALYTICS_MAX_EVENTS", "GRADIO_ANALYTICS_CACHE_FREQUENCY"):
        monkeypatch.setenv(name, "5")  # monkeypatch restores what the call below sets
    set_offline_env()
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] == "1"


def test_the_temporary_folder_is_private(scratch):
    folder = private_temp_dir()
    assert folder.parent == scratch.resolve()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
    assert private_temp_dir() == folder  # the second caller shares it
    assert list(scratch.iterdir()) == [folder]


def test_a_preset_folder_holds_ours_and_keeps_what_it_had(scratch, monkeypatch):
    preset = scratch / "large disk" / "uploads"
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(preset))
    folder = private_temp_dir()
    assert folder.parent == preset.resolve()
    (preset / "somebody's").write_text("precious", encoding="utf-8")
    TemporaryFiles(folder).sweep(time.time() + 10**6)
    assert (preset / "somebody's").read_text(encoding="utf-8") == "precious"


def test_a_folder_that_cannot_be_made_is_a_sentence(scratch, monkeypatch):
    (scratch / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(scratch / "file"))
    with pytest.raises(LensError, match="Set GRADIO_TEMP_DIR") as caught:
        private_temp_dir()
    assert str(scratch) not in str(caught.value)
    assert str(scratch) in caught.value.detail


@pytest.mark.process
def test_the_folder_goes_when_the_program_ends(tmp_path):
    code = "\n".join(
        [
            "import sys, os; from demo import server",
            "assert 'gradio' not in sys.modules",
            "folder = server.private_temp_dir()",
            "(folder / 'upload.png').write_bytes(b'x')",
            "os.fork() or sys.exit()",  # a child that ends must not take the folder with it
            "os.wait()",
            "print(folder.name, (folder / 'upload.png').exists())",
        ]
    )
    environ = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("transxnet-lens-")
    assert done.stdout.endswith(" True\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
def test_the_program_ends_in_order_while_a_model_works(tmp_path):
    """As on SIGTERM. `sys.exit` there aborts: "terminate called without an active exception"."""
    code = "\n".join(
        [
            "import threading, torch; from demo import server",
            "folder = server.private_temp_dir()",
            "layer, image = torch.nn.Conv2d(16, 16, 3), torch.randn(8, 16, 64, 64, requires_grad=True)",
            "def work():",
            "    while True: torch.autograd.grad(layer(image).sum(), image); begun.set()",
            "begun = threading.Event()",
            "for _ in range(3): threading.Thread(target=work, daemon=True).start()",
            "begun.wait(); print('worked')",
            "server.leave(folder)",
        ]
    )
    environ = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, encoding="utf-8", timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "worked\n", "")
    assert list(tmp_path.iterdir()) == []


# --- the size of a request -------------------------------------------------------------------------------------------

SMALL, LARGE = 1000, 3000  # limits of the app below: elsewhere, and for uploads
seen: list[int] = []  # bytes its handler read from each request


async def digest(request: Request) -> Response:
    """Reads the body piece by piece, and answers with its digest."""
    seen.append(0)
    found = hashlib.sha256()
    async for piece in request.stream():
        seen[-1] += len(piece)
        found.update(piece)
    return PlainTextResponse(found.hexdigest())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A tiny app behind BodyLimit, on a real server on loopback."""
    routes = [Route(path, digest, methods=["POST"]) for path in ("/upload", "/upload/", "/gradio_api/upload", "/run")]
    app = Starlette(routes=routes, middleware=[Middleware(BodyLimit, uploads=LARGE, default=SMALL)])
    running = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    sockets = [running.config.bind_socket()]
    thread = threading.Thread(target=running.run, args=(sockets,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    running.should_exit = True
    thread.join()


def in_chunks(size: int) -> Iterator[bytes]:
    """A body that does not say how long it is."""
    for start in range(0, size, 100):
        yield b"x" * min(100, size - start)


def whole(size: int) -> bytes:
    return b"x" * size


@pytest.mark.parametrize("body", [whole, in_chunks])
@pytest.mark.parametrize(
    ("path", "limit"), [("/run", SMALL), ("/upload", LARGE), ("/upload/", LARGE), ("/gradio_api/upload", LARGE)]
)
def test_a_body_passes_untouched_up_to_its_limit_and_not_a_byte_further(url, path, limit, body):
    for size in (0, 1, limit):
        answer = httpx.post(url + path, content=body(size))
        assert answer.status_code == 200
        assert answer.text == hashlib.sha256(b"x" * size).hexdigest()
    seen.clear()
    answer = httpx.post(url + path, content=body(limit + 1))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"].startswith(f"This request is larger than {limit / MB:g} MB")
    assert all(count <= limit for count in seen)
    assert len(seen) == (body is in_chunks)  # a declared length is refused before the app is asked


def test_a_large_chunked_body_is_answered_long_before_its_end(url):
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 500 * MB:
            sent += 65536
            yield bytes(65536)

    assert httpx.post(url + "/run", content=endless()).status_code == 413
    assert sent < 50 * MB


def call(app, messages: list[dict], **scope) -> list[dict]:
    """One request through BodyLimit(app) without a server. messages: what the client sends; returns what it gets."""
    sent, queue = [], list(messages)

    async def receive() -> dict:
        return queue.pop(0)

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/run", "headers": [], **scope}
    asyncio.run(BodyLimit(app, uploads=LARGE, default=SMALL)(scope, receive, send))
    return sent


def body(size: int, more: bool = False) -> dict:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


START = {"type": "http.response.start", "status": 200, "headers": []}


def test_a_length_that_lies_is_counted_all_the_same():
    async def app(scope, receive, send):
        while (await receive())["type"] == "http.request":
            pass

    for declared in (b"5", b"-1", b"many", "²".encode("latin-1"), b"0" * 25 + b"9999"):
        sent = call(app, [body(900, more=True), body(900)], headers=[(b"content-length", declared)])
        assert [message.get("status") for message in sent] == [413, None]


def test_an_app_that_already_answers_is_only_cut_off():
    received = []

    async def app(scope, receive, send):
        await send(START)
        received.extend([await receive(), await receive(), await receive()])
        await send({"type": "http.response.body", "body": b"late"})

    assert call(app, [body(900, more=True), body(900)]) == [START]
    assert [message["type"] for message in received] == ["http.request", "http.disconnect", "http.disconnect"]


def test_an_app_that_catches_the_disconnect_cannot_answer_twice():
    async def app(scope, receive, send):
        while (await receive())["type"] == "http.request":
            pass
        await send({**START, "status": 400})

    assert [message.get("status") for message in call(app, [body(1001)])] == [413, None]


def test_only_what_follows_a_refusal_is_hushed():
    async def breaks(scope, receive, send):
        await receive()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        call(breaks, [body(10)])
    assert call(breaks, [body(1001)])[0]["status"] == 413


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_what_is_no_request_passes(kind):
    async def app(scope, receive, send):
        await send(await receive())

    message = {"type": "anything", "body": b"x" * 9999}
    assert call(app, [message], type=kind) == [message]


# --- options of the server, and Gradio itself -----------------------------------------------------------------------


@pytest.fixture
def no_settings(monkeypatch):
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    monkeypatch.delenv("GRADIO_SERVER_PORT", raising=False)


@pytest.mark.usefixtures("no_settings")
def test_host_and_port_come_from_the_option_then_the_environment(monkeypatch):
    def place(**args):
        options = launch_options(Namespace(**args))
        return options["server_name"], options["server_port"]

    assert place() == place(host=None, port=None) == (None, None)  # Gradio's own: 127.0.0.1, a free port
    assert place(host="0.0.0.0", port=8000) == ("0.0.0.0", 8000)
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "7860")
    assert place(host=None, port=None) == ("0.0.0.0", 7860)
    assert place(host="127.0.0.1", port=8000) == ("127.0.0.1", 8000)
    assert place(host="::1", port=0) == ("[::1]", 0)
    monkeypatch.setenv("GRADIO_SERVER_PORT", "")
    assert place()[1] is None


@pytest.mark.usefixtures("no_settings")
@pytest.mark.parametrize("port", ["http", "65536", "-1", "80.5"])
def test_a_port_that_is_none_is_a_sentence(monkeypatch, port):
    monkeypatch.setenv("GRADIO_SERVER_PORT", port)
    with pytest.raises(OutOfRange, match=f"{port} is not a port"):
        launch_options(Namespace())


@pytest.mark.parametrize(
    ("text", "root_path"),
    [
        ("/lens", "/lens"), ("/tools/lens/", "/tools/lens"), ("/", ""), ("", ""),
        ("https://example.org/lens/", "https://example.org/lens"),
        ("/user/a@b.org/proxy/7860", "/user/a@b.org/proxy/7860"),
    ],
)  # fmt: skip
def test_root_path_has_no_slash_at_its_end(monkeypatch, text, root_path):
    assert launch_options(Namespace(root_path=text))["root_path"] == root_path
    monkeypatch.setenv("GRADIO_ROOT_PATH", text)
    assert launch_options(Namespace(root_path=None))["root_path"] == root_path
    assert launch_options(Namespace(root_path="/other"))["root_path"] == "/other"


@pytest.mark.parametrize(
    "text", ["lens", "/a/../b", "/..", "//example.org", "/a?b", "/a#b", "ftp://x/y", "/a b", "/<b>"]
)
def test_root_path_that_is_none_is_a_sentence(text):
    with pytest.raises(OutOfRange, match=r"is not a path\. Give --root-path or GRADIO_ROOT_PATH a path such as /lens"):
        launch_options(Namespace(root_path=text))


def test_gradio_knows_every_option():
    import gradio

    known = inspect.signature(gradio.Blocks.launch).parameters
    options = launch_options(Namespace(share=True, quiet=True))
    assert set(options) <= set(known)
    assert options["share"] is True
    assert options["quiet"] is True
    options = launch_options(Namespace())
    assert options["share"] is False
    for name in ("show_error", "ssr_mode", "enable_monitoring", "run_history"):
        assert options[name] is False


def test_the_limits_agree_with_each_other():
    from gradio.utils import _parse_file_size

    assert _parse_file_size(server.MAX_FILE_SIZE) == images.UPLOAD_LIMITS.max_bytes
    assert images.UPLOAD_LIMITS.max_bytes + 64 * 1024 < MAX_UPLOAD_BODY  # room for multipart headers
    assert images.UPLOAD_LIMITS.max_bytes > MAX_BODY


@pytest.fixture(scope="module")
def uploads(tmp_path_factory) -> Iterator[Path]:
    """The temporary folder of the page below, its own: the tests sweep it."""
    folder = tmp_path_factory.mktemp("gradio").resolve()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def gradio_url(uploads) -> Iterator[str]:
    """A Gradio page launched with our options, on loopback."""
    import gradio

    with gradio.Blocks() as blocks:
        text, number = gradio.Textbox(), gradio.Number()
        text.change(len, text, number, api_name="length")
    assert blocks.analytics_enabled is False
    _, url, _ = blocks.launch(prevent_thread_lock=True, **launch_options(Namespace(host="127.0.0.1", quiet=True)))
    yield url + "gradio_api"
    blocks.close(verbose=False)


def multipart(*sizes: int) -> bytes:
    """A form with one file for each size."""
    head = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    return b"".join(head + bytes(size) + b"\r\n" for size in sizes) + b"--cut--\r\n"


FORM = {"Content-Type": "multipart/form-data; boundary=cut"}


def test_gradio_takes_a_image_of_the_allowed_size(gradio_url, uploads):
    answer = httpx.post(gradio_url + "/upload", content=multipart(images.UPLOAD_LIMITS.max_bytes), headers=FORM)
    assert answer.status_code == 200
    stored = Path(answer.json()[0]).resolve()
    assert stored.stat().st_size == images.UPLOAD_LIMITS.max_bytes
    assert uploads in stored.parents


def test_gradio_refuses_a_byte_more_in_one_file(gradio_url):
    answer = httpx.post(gradio_url + "/upload", content=multipart(images.UPLOAD_LIMITS.max_bytes + 1), headers=FORM)
    assert answer.status_code == 413


def test_gradio_never_sees_a_large_json_body(gradio_url):
    answer = httpx.post(gradio_url + "/call/length", json={"data": ["x" * 5 * MB]})
    assert answer.status_code == 413
    assert answer.json()["error"].startswith("This request is larger than 4 MB")
    assert httpx.post(gradio_url + "/call/length", json={"data": ["x" * MB]}).status_code == 413  # demo/requests.py
    assert httpx.post(gradio_url + "/call/length", json={"data": ["x" * (MB // 8)]}).status_code == 200


def test_an_upload_cut_off_leaves_a_file_that_a_sweep_removes(gradio_url, uploads):
    """Two files of 7 MB, each allowed, in one body that does not say its length: together above the limit."""
    TemporaryFiles(uploads, max_bytes=0).sweep()

    def pieces() -> Iterator[bytes]:
        data = multipart(7 * MB, 7 * MB)
        yield from (data[start : start + MB] for start in range(0, len(data), MB))

    answer = httpx.post(gradio_url + "/upload", content=pieces(), headers=FORM)
    assert answer.status_code == 413
    assert answer.json()["error"].startswith("This request is larger than 12 MB")
    left = sum(path.stat().st_size for path in uploads.rglob("*") if path.is_file())
    assert left >= 7 * MB
    assert TemporaryFiles(uploads).sweep(time.time() + 2 * 3600).freed == left
    assert [path for path in uploads.rglob("*") if path.is_file()] == []
