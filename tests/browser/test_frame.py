"""The page in a frame of another site, as on a Space: the parent's address follows the view."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Frame
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.browser.conftest import Served
from tests.browser.lens import PATIENCE
from tests.reverse_proxy import run_server

pytestmark = pytest.mark.browser
PARENT = """<body><script>
  addEventListener("message", ({ data, origin }) => {
    if (data.queryString === undefined) return;
    window.sender = origin;
    history.replaceState(null, "", location.pathname + data.queryString + data.hash);
  });
</script><iframe style="width:1400px;height:950px"></iframe><script>
  document.querySelector("iframe").src = "PAGE/" + location.search + (location.search ? "&" : "?") + "__sign=token";
</script></body>"""


def parent_of(url: str) -> Starlette:
    """A site that shows the page as a Space's does: its query goes to the frame, with one more parameter."""
    return Starlette(routes=[Route("/", lambda request: HTMLResponse(PARENT.replace("PAGE", url)))])


def test_parents_address_follows_the_view(served: Served, chromium: Browser):
    context = chromium.new_context(locale="en-GB", viewport={"width": 1440, "height": 1000})
    with run_server(parent_of(served.url)) as address:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address.replace('127.0.0.1', 'localhost')}/?tab=kernels&x=10&y=20")
        frame: Frame = page.frames[1]
        selected = "document.querySelector('#views [role=tab][aria-selected=true]')?.textContent.trim() === "
        frame.wait_for_function(f"{selected}'Kernels'")
        frame.get_by_role("tab", name="Attention").click()
        page.wait_for_function("location.search.includes('tab=attention')")
        assert urlsplit(page.url).query == "tab=attention&x=10&y=20"  # without the frame's token
        assert page.evaluate("sender") == served.url
        assert "__sign=token" in frame.url
        with page.expect_navigation():
            page.reload()
        page.frames[1].wait_for_function(f"{selected}'Attention'")
        context.close()
