"""The temporary folder: what goes when, what never goes, and what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

import gradio
import httpx
import pytest
from starlette.middleware import Middleware

from demo.http_policy import MAX_UPLOAD_BODY, MB
from demo.i18n.translate import tr, use_locale
from demo.server import launch_options
from demo.temporary_files import TemporaryFiles, UploadRoom, lease, temporary_files, use
from demo.ui.components import Blocks, SafeImage
from transxnet.errors import LensError

SENTENCE = f"{tr('errors.no_room')} {tr('errors.no_room_remedy')}"

NOW = time.time()  # when the tests were read; the fake clock runs hours ahead of when they run
HOUR = 3600


def put(path: Path, *, size: int = 10, age: float = 0, now: float = NOW) -> Path:
    """A file that was last changed `age` seconds before `now`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (now - age, now - age))
    return path


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def total(folder: Path) -> int:
    """Bytes of all files; one that vanishes meanwhile counts nothing."""
    sizes = []
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            sizes.append(path.stat().st_size if path.is_file() else 0)
    return sum(sizes)


def test_old_files_go_and_young_ones_stay(tmp_path):
    later = NOW + 2 * HOUR
    put(tmp_path / "aborted upload")
    put(tmp_path / "abc" / "photo.png", size=30)
    put(tmp_path / "def" / "map.png", age=0.5 * HOUR, now=later)
    put(tmp_path / "def" / "edge.png", age=HOUR, now=later)
    put(tmp_path / "def" / "over the edge.png", age=HOUR + 1, now=later)
    assert TemporaryFiles(tmp_path).sweep(later) == (3, 50, 20)  # removed, freed, left
    assert names(tmp_path / "def") == ["edge.png", "map.png"]
    assert not (tmp_path / "aborted upload").exists()


def test_a_fresh_copy_of_an_old_file_is_young(tmp_path):
    put(tmp_path / "example.jpg", age=400 * 24 * HOUR)  # as Gradio copies an example: with its date
    assert TemporaryFiles(tmp_path).sweep(NOW + 60) == (0, 0, 10)
    assert TemporaryFiles(tmp_path).sweep(NOW + 2 * HOUR) == (1, 10, 0)


def test_empty_folders_go_when_they_are_old_and_the_folder_itself_never(tmp_path):
    later = NOW + 2 * HOUR
    for name, age in (("emptied just now", 10), ("emptied long ago", HOUR + 10), ("full", HOUR + 10)):
        (tmp_path / name / "inner").mkdir(parents=True)
        if name == "full":
            put(tmp_path / name / "map.png", now=later)
        for folder in (tmp_path / name / "inner", tmp_path / name):
            os.utime(folder, (later - age, later - age))
    TemporaryFiles(tmp_path).sweep(later)
    assert names(tmp_path) == ["emptied just now", "emptied just now/inner", "full", "full/map.png"]
    (tmp_path / "full" / "map.png").unlink()
    TemporaryFiles(tmp_path).sweep(NOW + 10**6)
    assert names(tmp_path) == []
    assert tmp_path.is_dir()


def test_links_are_not_followed(tmp_path):
    outside = put(tmp_path / "home" / "letter.txt")
    folder = tmp_path / "temporary"
    folder.mkdir()
    (folder / "to a file").symlink_to(outside)
    (folder / "to a folder").symlink_to(outside.parent)
    (folder / "to nowhere").symlink_to(tmp_path / "missing")
    assert TemporaryFiles(folder, max_bytes=0).sweep(NOW + 2 * HOUR).removed == 3
    assert names(folder) == []
    assert outside.exists()


def test_beyond_the_size_the_oldest_go_first(tmp_path):
    for name, age in (("second", 20), ("first", 30), ("third", 10)):
        put(tmp_path / name, size=100, age=age, now=NOW + HOUR)
    assert TemporaryFiles(tmp_path, max_bytes=300).sweep(NOW + HOUR) == (0, 0, 300)
    assert TemporaryFiles(tmp_path, max_bytes=299).sweep(NOW + HOUR) == (1, 100, 200)
    assert names(tmp_path) == ["second", "third"]
    assert TemporaryFiles(tmp_path, max_bytes=0).sweep(NOW + HOUR) == (2, 200, 0)


def test_what_the_page_itself_needs_is_kept(tmp_path):
    put(tmp_path / "abc" / "example.jpg", size=100)
    files = TemporaryFiles(tmp_path, max_bytes=50)
    files.keep_present()
    put(tmp_path / "upload", size=40)
    assert files.sweep(NOW + 10 * HOUR) == (1, 40, 100)
    assert names(tmp_path) == ["abc", "abc/example.jpg"]


def test_a_file_that_cannot_be_removed_does_not_save_the_others(tmp_path, monkeypatch):
    for name in "abc":
        put(tmp_path / name)
    unlink = os.unlink

    def stubborn(path):
        if str(path).endswith("b"):
            raise PermissionError(path)
        unlink(path)

    monkeypatch.setattr(os, "unlink", stubborn)
    assert TemporaryFiles(tmp_path).sweep(NOW + 2 * HOUR) == (2, 20, 10)
    assert names(tmp_path) == ["b"]


def test_files_and_folders_may_vanish_meanwhile(tmp_path, monkeypatch):
    put(tmp_path / "gone")
    put(tmp_path / "here")
    lstat = os.lstat

    def look(path):
        if str(path).endswith("gone"):
            raise FileNotFoundError(path)
        return lstat(path)

    monkeypatch.setattr(os, "lstat", look)
    assert TemporaryFiles(tmp_path).sweep(NOW + 2 * HOUR) == (1, 10, 0)
    assert TemporaryFiles(tmp_path / "missing").sweep() == (0, 0, 0)


def test_the_thread_survives_a_failure_and_stops_when_told(tmp_path, monkeypatch, caplog):
    files, rounds, again = TemporaryFiles(tmp_path, every=0.001), [], threading.Event()

    def sweep(now):
        rounds.append(threading.current_thread())
        if len(rounds) == 1:
            raise RuntimeError("the disk is on fire")
        again.set()

    monkeypatch.setattr(files, "sweep", sweep)
    with caplog.at_level(logging.ERROR):
        files.start()
        files.start()  # a second start changes nothing
        assert again.wait(30)
        files.stop()
    assert "sweeping the temporary folder failed" in caplog.text
    assert "the disk is on fire" in caplog.text
    assert len(set(rounds)) == 1
    assert rounds[0].daemon
    assert not rounds[0].is_alive()
    files.stop()  # nor does a second stop
    again.clear()
    files.start()
    assert again.wait(30)
    files.stop()


# --- adding ----------------------------------------------------------------------------------------------------------


def test_the_limits_are_those_of_the_documentation(tmp_path):
    files = temporary_files(str(tmp_path))
    assert (files.max_bytes, files.max_age) == (512 * MB, HOUR)
    assert temporary_files(str(tmp_path)) is files


def test_a_new_file_makes_the_oldest_go(tmp_path):
    for name, age in (("second", 20), ("first", 30), ("third", 10)):
        put(tmp_path / name, size=100, age=age - HOUR, now=NOW)
    (path,) = TemporaryFiles(tmp_path, max_bytes=330).write({"new": bytes(100)})
    assert Path(path).read_bytes() == bytes(100)
    assert total(tmp_path) == 300
    assert not (tmp_path / "first").exists()


def test_what_cannot_fit_is_refused_and_removes_nothing(tmp_path):
    put(tmp_path / "first", size=100)
    files = TemporaryFiles(tmp_path, max_bytes=150)
    with pytest.raises(LensError, match="temporary storage is full"):
        files.write({"new": bytes(151)})
    assert names(tmp_path) == ["first"]
    files.write({"new": bytes(150)})
    assert total(tmp_path) == 150


def test_files_being_written_count(tmp_path):
    files = TemporaryFiles(tmp_path, max_bytes=300)
    with files.room_for(200):
        with pytest.raises(LensError):
            files.write({"new": bytes(101)})
        files.write({"new": bytes(100)})
        put(tmp_path / "upload", size=200)
    files.write({"next": bytes(100)})
    assert total(tmp_path) <= 300


def test_many_writers_never_exceed_the_limit(tmp_path):
    files = TemporaryFiles(tmp_path, max_bytes=1000)

    def write(place: int) -> int:
        files.write({f"{place}.png": bytes(60), f"{place}.npz": bytes(40)})
        return total(tmp_path)

    with ThreadPoolExecutor(4) as pool:
        assert max(pool.map(write, range(80))) <= 1000
    assert total(tmp_path) >= 800


def test_the_number_of_files_is_bounded(tmp_path):
    for place in range(5):
        put(tmp_path / str(place), size=1, age=10 - place)
    assert TemporaryFiles(tmp_path, max_files=2).sweep(NOW).removed == 3
    assert names(tmp_path) == ["3", "4"]


# --- files of running requests ---------------------------------------------------------------------------------------


def test_a_file_that_a_request_reads_stays(tmp_path):
    for name, age in (("first", 30), ("second", 20)):
        put(tmp_path / name, size=100, age=age - HOUR, now=NOW)
    files = TemporaryFiles(tmp_path, max_bytes=200)
    with lease(), lease():
        use(tmp_path / "missing" / ".." / "first")
        files.write({"third": bytes(100)})
        assert (tmp_path / "first").exists()
        assert not (tmp_path / "second").exists()
        with pytest.raises(LensError):
            files.write({"fourth": bytes(200)})
        assert files.sweep(NOW + 10 * HOUR).left == 200  # neither of age
    files.write({"fourth": bytes(200)})
    assert total(tmp_path) == 200
    assert not (tmp_path / "first").exists()


def test_a_file_that_two_requests_read_stays_for_both(tmp_path):
    first, files = put(tmp_path / "first"), TemporaryFiles(tmp_path, max_bytes=0)
    with lease():
        use(first)
        with lease():
            use(first)
        assert files.sweep().removed == 0
    assert files.sweep().removed == 1


def test_a_thread_uses_files_for_its_request_only_until_its_end(tmp_path):
    first, files = put(tmp_path / "first"), TemporaryFiles(tmp_path, max_bytes=0)
    with lease():
        context = copy_context()
        thread = threading.Thread(target=context.run, args=(use, first))
        thread.start()
        thread.join()
        assert files.sweep().removed == 0
    context.run(use, first)  # a thread that goes on after its request was given up
    assert files.sweep().removed == 1


# --- requests --------------------------------------------------------------------------------------------------------


def call(app: Callable, path: str, files: TemporaryFiles, **headers: str) -> tuple[int, dict]:
    """One request through UploadRoom; returns status and JSON, (0, {}) if nothing was sent."""
    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)

    async def receive() -> dict:
        raise AssertionError("The body is not read.")

    method = "GET" if "/file=" in path else "POST"
    raw = [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw}
    asyncio.run(UploadRoom(app, files, longest=120)(scope, receive, send))
    return (sent[0]["status"], json.loads(sent[1]["body"])) if sent else (0, {})


async def nothing(scope: dict, receive: Callable, send: Callable) -> None:
    """An application that answers nothing."""


@pytest.mark.parametrize("path", ["/gradio_api/upload", "/upload/", "/gradio_api/mcp/"])
def test_an_upload_without_room_is_answered_at_once(tmp_path, path):
    files = TemporaryFiles(tmp_path, max_bytes=100)
    assert call(nothing, path, files, content_length="101") == (507, {"error": SENTENCE})
    assert call(nothing, path, files, content_length="many") == (507, {"error": SENTENCE})  # it may be the longest
    assert call(nothing, path, files, content_length="100") == (0, {})
    assert call(nothing, path, files, content_length="100") == (0, {})  # what was not written counts no longer
    assert call(nothing, "/gradio_api/queue/join", files, content_length="101") == (0, {})


@pytest.mark.parametrize(
    "headers", [{"accept_language": "ko"}, {"referer": "http://localhost:7860/?lang=ko", "accept_language": "zh"}]
)
def test_a_refusal_is_in_the_visitors_language(tmp_path, headers):
    with use_locale("ko"):
        korean = f"{tr('errors.no_room')} {tr('errors.no_room_remedy')}"
    assert korean != SENTENCE
    files = TemporaryFiles(tmp_path, max_bytes=100)
    assert call(nothing, "/upload", files, content_length="101", **headers) == (507, {"error": korean})


FULL = OSError(errno.ENOSPC, "No space left on device")


def test_full_disk_answers_an_upload_with_a_message(tmp_path):
    async def fails(scope: dict, receive: Callable, send: Callable) -> None:
        raise FULL

    files = TemporaryFiles(tmp_path, max_bytes=100)
    assert call(fails, "/gradio_api/upload", files, content_length="100") == (507, {"error": SENTENCE})
    assert call(nothing, "/upload", files, content_length="100") == (0, {})  # what was not written counts no longer


def test_other_errors_of_an_upload_pass_through(tmp_path):
    async def fails(scope: dict, receive: Callable, send: Callable) -> None:
        raise PermissionError(errno.EACCES, "no")

    with pytest.raises(PermissionError):
        call(fails, "/gradio_api/upload", TemporaryFiles(tmp_path), content_length="100")


def test_full_disk_while_writing_a_result_is_a_message(tmp_path, monkeypatch):
    write_bytes = Path.write_bytes

    def fill(path: Path, data: bytes) -> int:
        if path.name == "map.npz":
            write_bytes(path, data[:2])
            raise FULL
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(LensError) as caught:
        TemporaryFiles(tmp_path).write({"map.png": b"1234", "map.npz": b"1234"})
    assert str(caught.value) == SENTENCE
    assert names(tmp_path) == []


def test_a_file_that_is_being_sent_stays(tmp_path):
    sent, other = put(tmp_path / "sent"), put(tmp_path / "other")
    files, removed = TemporaryFiles(tmp_path, max_bytes=0), []

    async def app(scope: dict, receive: Callable, send: Callable) -> None:
        removed.append(files.sweep().removed)

    call(app, f"/gradio_api/file={sent}", files)
    assert removed == [1]
    assert sent.exists()
    assert not other.exists()
    assert files.sweep().removed == 1


# --- Gradio itself ---------------------------------------------------------------------------------------------------

reading, finish = threading.Event(), threading.Event()


def read_slowly(component: SafeImage, payload: Any) -> str:
    """Stands for SafeImage.preprocess: waits before it reads the file."""
    reading.set()
    assert finish.wait(60)
    return Path(payload.path).read_bytes().decode()


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """A page with room for 3 MB: its address, and its temporary folder."""
    folder = tmp_path_factory.mktemp("gradio").resolve()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        patch.setattr(SafeImage, "preprocess", read_slowly)
        with Blocks(analytics_enabled=False) as blocks:
            image, text = SafeImage(), gradio.Textbox()
            image.input(str, image, text, api_name="read")
        options = launch_options(Namespace(host="127.0.0.1", quiet=True))
        files = TemporaryFiles(folder, max_bytes=3 * MB)
        options["app_kwargs"]["middleware"].append(Middleware(UploadRoom, files=files, longest=MAX_UPLOAD_BODY))
        _, url, _ = blocks.launch(prevent_thread_lock=True, **options)
        yield url + "gradio_api", folder
        finish.set()
        blocks.close(verbose=False)


def upload(url: str, letter: str, size: int = MB - 1000) -> httpx.Response:
    return httpx.post(url + "/upload", files={"files": (f"{letter}.png", letter.encode() * size)}, timeout=60)


def test_uploads_push_out_the_oldest_but_not_what_is_read(page):
    url, folder = page
    path = upload(url, "a").json()[0]
    for letter in "bc":
        upload(url, letter)
    data = {"path": path, "orig_name": "a.png", "meta": {"_type": "gradio.FileData"}}
    event = httpx.post(url + "/call/read", json={"data": [data]}, timeout=60).json()["event_id"]
    assert reading.wait(60)
    for letter in "defg":
        assert upload(url, letter).status_code == 200
        assert total(folder) <= 3 * MB
    assert "a.png" in {path.name for path in folder.rglob("*.png")}
    assert "b.png" not in {path.name for path in folder.rglob("*.png")}
    refused = upload(url, "h", 2 * MB + 1000)
    assert (refused.status_code, refused.json()) == (507, {"error": SENTENCE})
    finish.set()
    assert "event: complete" in httpx.get(url + f"/call/read/{event}", timeout=60).text
    assert upload(url, "h", 2 * MB + 1000).status_code == 200
    assert "a.png" not in {path.name for path in folder.rglob("*.png")}


def test_full_disk_reaches_the_visitor_as_a_message(page, monkeypatch):
    """Gradio lets the error of its upload route through, and answers 500 by itself."""

    def fill(*_: Any, **__: Any) -> None:
        raise FULL

    url, _ = page
    monkeypatch.setattr(gradio.route_utils, "NamedTemporaryFile", fill)
    refused = upload(url, "z")
    assert (refused.status_code, refused.json()) == (507, {"error": SENTENCE})
