"""The report that transxnet.show returns, in a page as a notebook is one."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

import transxnet
from tests.fixtures.small_model import image, small_model
from transxnet.study import StudyOptions, study

pytestmark = pytest.mark.browser


def test_report_keeps_styles_and_links_to_itself(chromium: Browser):
    shown = transxnet.show(study(small_model(), image(), StudyOptions(stage=1, analyses=("attention",))), height=300)
    page = chromium.new_page()
    page.goto("data:text/html,<body></body>")
    page.set_content(f"<style>h1 {{ color: rgb(1, 2, 3) }}</style><h1>Notebook</h1>{shown._repr_html_()}")
    color = "heading => getComputedStyle(heading).color"
    assert page.locator("h1").evaluate(color) == "rgb(1, 2, 3)"
    report = page.frame_locator("iframe")
    assert report.locator("h1").inner_text() == "Explanation report"
    assert report.locator("h1").evaluate(color) != "rgb(1, 2, 3)"
    assert report.locator("img").first.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 500
    report.get_by_role("navigation").get_by_role("link").first.click()
    assert page.frames[1].url == "about:srcdoc#1-sheet"
    assert report.locator("h1").count() == 1  # still the report
    page.close()
