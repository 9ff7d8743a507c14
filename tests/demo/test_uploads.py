"""Which files a request may name: what this server's upload route wrote, and no other path or address."""

from __future__ import annotations

import asyncio
import os
import shutil
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio_client import Client, handle_file

from demo.examples import examples
from demo.i18n.translate import CATALOGS, tr
from demo.renderer import Renderer
from demo.server import launch_options
from demo.service import StudyService
from demo.ui.components import Blocks, SafeImage
from demo.ui.page import Page
from demo.uploads import UploadedFiles, check_upload, contains_file, is_file_inside
from transxnet.errors import ImageError
from transxnet.images import decode

IMAGE = examples()[0].path
META = {"meta": {"_type": "gradio.FileData"}}
REFERENCES: list[Any] = [
    *({"path": path, **meta} for meta in ({}, META) for path in (
        str(IMAGE), "/etc/passwd", "/etc/nowhere", "/etc", "assets/weights/transxnet_pico.png", "~/.bashrc",
        "/proc/self/environ", "\\\\host\\share\\a.png", "//host/share/a.png", "a\0.png", "\ud800", "", "a" * 5000,
        "http://127.0.0.1:9/a.png", "file:///etc/passwd", "data:image/png;base64,iVBORw0KGgo=",
    )),
    {"path": None, "url": "/etc/passwd", **META}, {"path": "", "url": "/etc/passwd"}, {"url": "http://127.0.0.1:9/a"},
    {"url": "data:image/png;base64,iVBORw0KGgo="}, {"path": 7}, {"path": ["/etc/passwd"]}, {"path": {}, **META},
    {"path": "/etc/passwd", "meta": None}, {"path": "/etc/passwd", "is_stream": True, **META}, META,
    [{"path": "/etc/passwd", **META}], {"a": [{"b": {"path": "/etc/passwd", **META}}]},
]  # fmt: skip


# ---- references in events -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page() -> Blocks:
    return Page(Renderer(StudyService(device="cpu"))).blocks


def preprocess(blocks: Blocks, function: Any, values: list[Any]) -> str:
    """The sentence with which the values of an event are refused."""
    with pytest.raises(gr.Error) as caught:
        asyncio.run(blocks.preprocess_data(function, values, None))
    return caught.value.message


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: repr(reference)[:60])
def test_every_input_refuses_other_files(page, reference):
    """Of every event of the page and of the API, in the place of every value."""
    for function in page.fns.values():
        for i in range(len(function.inputs)):
            values = [reference if j == i else None for j in range(len(function.inputs))]
            assert preprocess(page, function, values) == tr("errors.not_uploaded")


@pytest.mark.parametrize("value", ["/etc/passwd", "data:image/png;base64,iVBORw0KGgo=", 7, True, ["/etc/passwd"], {}])
def test_an_image_is_nothing_but_a_reference(page, value):
    for function in page.fns.values():
        for i, block in enumerate(function.inputs):
            if isinstance(block, SafeImage):
                assert preprocess(page, function, [None] * i + [value]) == tr("errors.not_uploaded")


def test_a_deep_value_is_searched_without_recursion():
    value: Any = {"path": "/etc/passwd"}
    for _ in range(50_000):
        value = [value]
    assert contains_file(value)
    assert not contains_file([{"a": [1, "path", None]}, (2.5,)])


def test_an_upload_is_reduced_to_its_path_and_name(tmp_path):
    image = shutil.copy(IMAGE, tmp_path)
    value = {"path": image, "url": "http://127.0.0.1:9/", "orig_name": "x" * 999, "is_stream": True, "size": -1}
    assert check_upload(value, {image}, tmp_path) == {"path": image, "orig_name": "x" * 255, **META}
    assert check_upload({"path": image, "orig_name": 7}, {image}, tmp_path)["orig_name"] is None


def test_what_the_upload_route_did_not_write_is_refused(tmp_path):
    folder, outside = tmp_path / "uploads", tmp_path / "outside.jpg"
    folder.mkdir()
    for path in (folder / "written otherwise.jpg", outside):
        shutil.copy(IMAGE, path)
    (folder / "link.jpg").symlink_to(outside)
    (folder / "linked").symlink_to(tmp_path)
    inside, link, linked = (str(folder / name) for name in ("written otherwise.jpg", "link.jpg", "linked/outside.jpg"))
    removed, dots = str(folder / "removed.jpg"), f"{folder}/../outside.jpg"
    for path, uploads in ((inside, set()), *((p, {p}) for p in (link, linked, removed, dots, str(folder)))):
        with pytest.raises(ImageError, match="Only uploaded images"):
            check_upload({"path": path}, uploads, folder)


def test_a_path_outside_is_never_looked_up(tmp_path, monkeypatch):
    """So that the time an answer takes does not tell what exists."""
    looked_up: list[str] = []
    folder, realpath = tmp_path.resolve(), os.path.realpath
    monkeypatch.setattr(os.path, "realpath", lambda path: looked_up.append(str(path)) or realpath(path))
    monkeypatch.setattr(os.path, "isfile", lambda path: looked_up.append(str(path)))
    for path in ("/etc/passwd", "/etc/nowhere", "//host/share/x", f"{folder}/../x", str(folder), f"{folder}x/y", "x"):
        assert not is_file_inside(path, folder)
    assert set(looked_up) == {str(folder)}


def test_removed_uploads_are_forgotten(tmp_path):
    kept = tmp_path / "kept"
    kept.touch()
    uploads = UploadedFiles()
    for start in range(0, 100_000, 500):
        uploads.update([str(kept)], [str(tmp_path / str(i)) for i in range(start, start + 500)])
    assert str(kept) in uploads
    assert len(uploads) <= 1500


# ---- a server -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A page that answers with the digest of the image it was sent."""
    with Blocks(analytics_enabled=False) as blocks:
        image, digest = SafeImage(), gr.Textbox()
        image.input(lambda image: image and image.sha256, image, digest, api_name="digest")
    blocks.queue(api_open=False)
    _, address, _ = blocks.launch(prevent_thread_lock=True, **launch_options(Namespace(host="127.0.0.1", quiet=True)))
    yield address
    blocks.close(verbose=False)


def upload(url: str, name: str = "a.jpg") -> str:
    return httpx.post(f"{url}gradio_api/upload", files={"files": (name, IMAGE.read_bytes())}).json()[0]


def test_an_uploaded_image_is_opened(url):
    wanted = decode(IMAGE).sha256
    client = Client(url, verbose=False)
    assert client.predict(handle_file(IMAGE), api_name="/digest") == wanted
    path = upload(url)
    for reference in ({"path": path}, {"path": path, **META}, {"path": path, "url": "http://127.0.0.1:9/", **META}):
        event = httpx.post(f"{url}gradio_api/call/digest", json={"data": [reference]}).json()["event_id"]
        assert f'["{wanted}"]' in httpx.get(f"{url}gradio_api/call/digest/{event}").text


def test_two_uploads_of_one_image_share_no_path(url):
    """A visitor who has the same image cannot find another visitor's upload of it."""
    first, second = upload(url, "mine.jpg"), upload(url, "mine.jpg")
    assert Path(first).parent != Path(second).parent
    assert Path(first).name == Path(second).name == "mine.jpg"


def test_files_of_the_upload_folder_are_served(url):
    path = upload(url)
    for method in ("GET", "HEAD"):
        answer = httpx.request(method, f"{url}gradio_api/file={path}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert httpx.get(f"{url}gradio_api/file={path}").content == IMAGE.read_bytes()


def test_no_other_path_or_address_reaches_gradio(url, monkeypatch):
    fetched: list[str] = []

    async def fetch(address: str, *args: Any, **kwargs: Any) -> None:
        fetched.append(address)
        raise AssertionError("an address was fetched")

    monkeypatch.setattr("gradio.route_utils.secure_url_stream_response", fetch)
    monkeypatch.setattr("gradio.routes.secure_url_stream_response", fetch)
    path = upload(url)
    folder = str(Path(path).parents[1])
    targets = [
        *("https://example.org/a.png", "http://127.0.0.1:9/", "//example.org/a.png", "HTTPS://example.org"),
        *("/etc/passwd", "/etc/nowhere", "etc/passwd", "app.py", "~/.bashrc", "/proc/self/environ", "%00", "x" * 5000),
        *("%2e%2e/%2e%2e/etc/passwd", "%252e%252e/etc/passwd", "..%2f..%2fetc%2fpasswd", "C:%5Cwindows%5Cwin.ini"),
        *("%5C%5Chost%5Cshare", "", folder, f"{folder}/", f"{folder}/nowhere", f"{folder}/../x", f"{path}/../../../x"),
        *(f"{path}%00", "data:image/png;base64,AA", "file:///etc/passwd", str(IMAGE)),
    ]
    answers = {
        (response.status_code, response.text)
        for target in targets
        for route in ("file=", "file/", "proxy=")
        for method in ("GET", "HEAD")
        if (response := httpx.request(method, f"{url}gradio_api/{route}{target}")).text
    }
    assert answers == {(403, '{"error":"' + tr("errors.not_served") + '"}')}
    assert fetched == []
    assert httpx.get(f"{url}gradio_api/proxy={path}").status_code == 403
    assert httpx.post(f"{url}gradio_api/process_recording", files={"video": b"x"}).status_code == 403


def test_the_refusal_speaks_the_visitors_language(url):
    answer = httpx.get(f"{url}gradio_api/file=/etc/passwd", headers={"accept-language": "ko"})
    assert answer.json()["error"] == CATALOGS["ko"]["errors.not_served"] != tr("errors.not_served")
