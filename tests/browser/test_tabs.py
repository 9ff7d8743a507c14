"""The open tab is always that of the view state and of the URL."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.lens import Lens

pytestmark = pytest.mark.browser
SHOWN = """
  window.shownPanels = new Set();
  (function look() {
    const visible = [...document.querySelectorAll("[id^=panel-]")].filter((panel) => panel.offsetParent);
    visible.forEach((panel) => window.shownPanels.add(panel.id));
    requestAnimationFrame(look);
  })();
"""
CHOSEN = "document.querySelector('#views [role=tab][aria-selected=true]').dataset.tabId"


def agree(lens: Lens, tab: str) -> None:
    """Until the tab is open, with its URL."""
    expect(lens.page.locator(f"#tab-{tab}-button")).to_have_attribute("aria-selected", "true")
    assert lens.page.evaluate("lens.state.tab") == tab
    assert (f"tab={tab}" in lens.page.url) == (tab != "overview")


def test_a_tab_left_before_it_was_drawn_does_not_stay(visit):
    """As two quick steps back do: the second comes before Gradio has drawn the first."""
    lens = visit()
    for first, second in (("attention", "overview"), ("kernels", "attention"), ("erf", "kernels")):
        lens.page.evaluate("([a, b]) => { lens.update({ tab: a }); lens.update({ tab: b }); }", [first, second])
        lens.settled(second)
        agree(lens, second)
    for _ in range(2):  # through the history, as quickly
        lens.page.evaluate("history.back(); history.back()")
    lens.page.wait_for_function(f"{CHOSEN} === lens.state.tab")
    lens.settled(lens.page.evaluate("lens.state.tab"))
    agree(lens, lens.page.evaluate("lens.state.tab"))


def test_a_deep_link_shows_no_other_tab_first(visit, served):
    lens = visit()
    lens.page.add_init_script(SHOWN)
    for tab in ("kernels", "compare"):
        lens.page.goto("about:blank")
        lens.page.goto(f"{served.url}/?tab={tab}")
        lens.settled(tab)
        agree(lens, tab)
        assert lens.page.evaluate("[...window.shownPanels]") == [f"panel-{tab}"]
