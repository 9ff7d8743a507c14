"""What the security headers mean in Chromium: the page in another site's frame, and markup that comes later."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.conftest import Served
from tests.browser.lens import PATIENCE

pytestmark = pytest.mark.browser


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def framing_site(served: Served, tmp_path: Path) -> Iterator[str]:
    """Another origin on this machine whose page shows the served one in a frame."""
    (tmp_path / "index.html").write_text(
        f'<iframe src="{served.url}/" width="1400" height="900"></iframe>', encoding="utf-8"
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def open_page(chromium: Browser) -> tuple[Page, list[str]]:
    """A new page, and the errors that its console will have."""
    page, errors = chromium.new_context(viewport={"width": 1440, "height": 1000}).new_page(), []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "favicon" not in message.location.get("url", ""):
            errors.append(message.text)

    page.on("console", listen)
    page.set_default_timeout(PATIENCE)
    return page, errors


def test_a_framed_page_opens_and_changes_tabs(chromium, framing_site):
    page, errors = open_page(chromium)
    page.goto(framing_site)
    frame = page.frame_locator("iframe")
    frame.locator("#panel-overview .lens-frame.drawn").first.wait_for()
    frame.locator("#tab-attention-button").click()
    frame.locator("#panel-attention .lens-frame.drawn").first.wait_for()
    assert frame.locator("#views [role=tab][aria-selected=true]").text_content().strip() == "Attention"
    assert errors == []
    page.context.close()


def test_markup_inserted_later_runs_no_script(chromium, served):
    page, errors = open_page(chromium)
    page.goto(served.url)
    page.locator("#panel-overview .lens-frame.drawn").first.wait_for()
    assert errors == []
    page.evaluate(
        """() => {
          const element = document.createElement("div");
          document.body.append(element);
          element.innerHTML = `<img src="data:," onerror="window.handled = 1">`;
          const script = document.createElement("script");
          script.textContent = "window.inserted = 1";
          document.body.append(script);
          const link = document.createElement("a");
          link.href = "javascript:window.followed = 1";
          document.body.append(link);
          link.click();
        }"""
    )
    page.wait_for_function("() => true", timeout=PATIENCE)
    with page.expect_console_message(lambda message: "sentinel" in message.text):
        page.evaluate("() => setTimeout(() => console.log('sentinel'), 500)")
    assert page.evaluate("[window.handled, window.inserted, window.followed]") == [None, None, None]
    assert len(errors) >= 2
    assert all("Content Security Policy" in error for error in errors)
    page.context.close()
