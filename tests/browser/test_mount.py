"""The page inside a FastAPI application: it works under its path, and the application's routes stay as they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file

from demo.http_policy import MAX_BODY
from demo.web import module_address
from tests.browser.conftest import ROOT, free_port, wait_for
from tests.browser.lens import Lens
from tests.fixtures.small_model import image
from transxnet.draw.overlay import to_png

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def application(tmp_path_factory) -> Iterator[str]:
    """Its address. It leaves nothing behind when it ends."""
    folder, port = tmp_path_factory.mktemp("mounted"), free_port()
    log, url = folder / "log", f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "tests.mounted_page", str(port)]
    environment = os.environ | {"GRADIO_TEMP_DIR": str(folder / "temp"), "XDG_CACHE_HOME": str(folder / "cache")}
    with open(log, "wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_for(f"{url}/lens/", process, log)
        yield url
        process.terminate()
        assert process.wait(60) in (0, -signal.SIGTERM)
        assert "Traceback" not in log.read_text(encoding="utf-8")
        assert list((folder / "temp").iterdir()) == []
    finally:
        process.kill()


def test_mounted_page_answers_under_its_path(application, tmp_path):
    url = f"{application}/lens"
    page = httpx.get(f"{url}/")
    assert f'"root":"{url}"' in page.text
    assert httpx.get(f"{url}/{module_address('main.js')}").status_code == 200
    assert "https://example.org" in page.headers["content-security-policy"]
    photo = tmp_path / "photo.png"
    photo.write_bytes(to_png(image().rgb))
    client = Client(f"{url}/", verbose=False, download_files=str(tmp_path))
    numbers, figure, _ = client.predict(handle_file(str(photo)), api_name="/attention")
    assert numbers["model"] == "pico"
    assert Path(figure).read_bytes().startswith(b"\x89PNG")


def test_limits_apply_to_the_page_only(application):
    stranger, large = {"host": "other.example"}, b"0" * (MAX_BODY + 1)
    echo = httpx.post(f"{application}/echo", headers=stranger, content=large)
    assert echo.json() == {"host": "other.example", "bytes": len(large)}
    assert "content-security-policy" not in echo.headers
    assert httpx.get(f"{application}/lens/", headers=stranger).status_code == 403
    assert httpx.get(f"{application}/lens/", headers={"host": "lens.example"}).status_code == 200
    assert httpx.post(f"{application}/lens/gradio_api/queue/join", content=large).status_code == 413
    assert httpx.get(f"{application}/lens/gradio_api/file=/etc/hostname").status_code == 403


def test_mounted_page_explains_an_upload(application, visit, tmp_path):
    photo = tmp_path / "photo.png"
    photo.write_bytes(to_png(image(width=300, height=200).rgb))
    lens: Lens = visit(f"{application}/lens/")
    with lens.answer():
        lens.page.locator("#upload input[type=file]").first.set_input_files(photo)
    assert lens.page.url == f"{application}/lens/"
