"""The page behind a reverse proxy that serves it under a path: with --root-path, and without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import expect

from demo.web import module_address
from tests.browser.conftest import serve
from tests.browser.lens import Lens
from tests.fixtures.small_model import image
from tests.reverse_proxy import reverse_proxy
from transxnet.draw.overlay import to_png

pytestmark = pytest.mark.browser
PREFIX = "/tools/lens"


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    with serve("--root-path", PREFIX) as served:
        yield served.url


@pytest.mark.parametrize("strip", [True, False], ids=["stripped", "kept"])
def test_every_route_answers_behind_a_proxy(page, strip, tmp_path):
    (tmp_path / "photo.png").write_bytes(to_png(image().rgb))
    with reverse_proxy(page, PREFIX, strip) as url:
        root = httpx.get(f"{url}/?lang=ko", timeout=60)
        assert root.text.startswith('<!doctype html>\n<html lang="ko"')
        assert f'"root":"{url}"' in root.text
        for name in (module_address("main.js"), "theme.css", "favicon.ico"):
            assert httpx.get(f"{url}/{name}").status_code == 200, name
        body = {"page": "p", "id": 1, "query": "?tab=attention"}
        with httpx.stream("POST", f"{url}/lens/view", json=body, timeout=60) as response:
            assert list(response.iter_lines())[-1] == '{"done":true}'
        refused = httpx.get(f"{url}/gradio_api/file=/etc/hostname")
        assert refused.status_code == 403
        client = Client(f"{url}/", verbose=False, download_files=str(tmp_path))
        photo = handle_file(str(tmp_path / "photo.png"))
        numbers, figure, _ = client.predict(photo, api_name="/attention")
        assert numbers["model"] == "pico"
        assert Path(figure).read_bytes().startswith(b"\x89PNG")


def test_page_works_behind_a_proxy(page, visit):
    with reverse_proxy(page, PREFIX) as url:
        lens: Lens = visit(f"{url}/?x=10&y=20")
        with lens.answer("attention"):
            lens.page.get_by_role("tab", name="Attention").click()
        assert lens.page.url == f"{url}/?tab=attention&x=10&y=20"
        expect(lens.page.locator("#lens-root-path")).to_have_count(0)
        assert {request.url.startswith(f"{url}/") for request in lens.asked if request.url[:4] == "http"} == {True}
        lens.page.context.close()  # before the proxy


def test_missing_root_path_is_explained(served, chromium):
    """Also where the address lacks the slash at its end, without which no relative address would be right."""
    context = chromium.new_context(locale="en-GB")
    with reverse_proxy(served.url, PREFIX) as url:
        lens = Lens(context.new_page(), f"{url}?x=10&y=20").open()
        assert lens.page.url == f"{url}/?x=10&y=20"
        notice = lens.page.get_by_role("alert")
        expect(notice).to_have_text(
            f"Parts of this page did not load: a proxy serves it under {PREFIX}, which the server does not know. "
            f"Restart the server with --root-path {PREFIX}."
        )
        context.close()
