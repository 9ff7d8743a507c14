"""Presentation mode: one figure at a time in the whole window, its keys, and the ways out."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lens import PHONE

pytestmark = pytest.mark.browser
PROJECTOR = {"width": 1920, "height": 1080}
BAR = ".lens-presentation"
SHOWN = (
    ".lens-hero[data-presented], .lens-cell[data-presented], .lens-row[data-presented], .lens-skeleton[data-presented]"
)
# Titles of what is visible: of the two images, or of the column of a map.
TITLES = """() => [...document.querySelectorAll('.lens-hero h2, .lens-head h3')]
  .filter((node) => node.checkVisibility()).map((node) => node.textContent)"""
OVERVIEW = ["Attention", "Kernels", "Grad-CAM", "Receptive field"]


def number(page: Page) -> str:
    return page.locator(f"{BAR} p span").inner_text()


def one_title(page: Page) -> str:
    """The title of the only figure that is visible."""
    assert page.locator(SHOWN).count() == 1
    (title,) = page.evaluate(TITLES)
    return title


def test_figures_follow_each_other_in_full_width(visit):
    lens = visit(viewport=PROJECTOR)
    page, address, requests = lens.page, lens.page.url, lens.requests()
    present = page.get_by_role("button", name="Present", exact=True)
    present.click()
    expect(page.locator(BAR)).to_be_visible()
    expect(page.locator("#side")).to_be_hidden()
    expect(page.locator("#toolbar")).to_be_hidden()
    expect(page.get_by_role("tablist")).to_be_hidden()
    titles = [one_title(page)]
    for index in range(2, 6):
        page.keyboard.press("PageDown")
        assert number(page) == f"{index} of 5"
        titles.append(one_title(page))
        frame = page.locator("[data-presented] :is(.lens-frame, .lens-tiles)").bounding_box()
        assert frame["height"] > 0.85 * PROJECTOR["height"]
        assert frame["y"] + frame["height"] <= PROJECTOR["height"] - page.locator(BAR).bounding_box()["height"]
        size = "(node) => getComputedStyle(node).fontSize"
        assert page.locator("[data-presented] figcaption").evaluate(size) == "18px"
        assert page.locator(".lens-head[data-presented] p").evaluate(size) == "18px"
    assert titles[1:] == OVERVIEW
    assert page.locator("#views").bounding_box()["width"] >= 0.95 * PROJECTOR["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PROJECTOR["width"]

    page.keyboard.press("PageUp")
    assert (number(page), one_title(page)) == ("4 of 5", OVERVIEW[2])
    page.evaluate("document.querySelector('.lens-cell[data-presented]').append(document.createElement('input'))")
    page.locator("[data-presented] input").focus()
    for key in ("PageDown", "Escape"):
        page.keyboard.press(key)
    assert number(page) == "4 of 5"
    page.get_by_role("button", name="Next", exact=True).click()
    assert number(page) == "5 of 5"

    page.locator("[data-presented] .lens-frame").hover()  # a map full screen, and back to the presentation
    page.keyboard.press("f")
    dialog = page.locator("dialog.lens-full-screen[open]")
    expect(dialog).to_have_accessible_name("Receptive field, pico")
    page.go_back()
    expect(dialog).to_have_count(0)
    assert number(page) == "5 of 5"

    page.keyboard.press("Escape")
    expect(page.locator(BAR)).to_be_hidden()
    expect(present).to_be_focused()
    page.wait_for_function("history.state.below !== 0")  # its entry is gone
    page.keyboard.press("Enter")
    page.go_back()
    expect(page.locator(BAR)).to_be_hidden()
    expect(present).to_be_focused()
    assert (page.url, lens.requests()) == (address, requests)


def test_a_presentation_goes_on_in_the_next_tab(visit):
    """It follows a new query position, and Back leaves it wherever it is."""
    lens = visit(viewport=PHONE)
    page = lens.page
    page.get_by_role("button", name="Present", exact=True).click()
    page.keyboard.press("PageUp")  # nothing comes before it
    assert number(page) == "1 of 5"
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    with lens.answer():
        page.locator("[data-presented] .lens-frame canvas").click(position={"x": 40, "y": 40})
    assert (number(page), one_title(page)) == ("4 of 5", OVERVIEW[2])
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.keyboard.press("PageDown")
    with lens.answer("attention"):
        page.keyboard.press("PageDown")
    expect(page.locator("#panel-attention .lens-row[data-presented]")).to_be_visible()
    expect(page.locator(f"{BAR} p")).to_have_text("Attention 1 of 7")  # its figures below are there
    page.keyboard.press("PageUp")
    expect(page.locator(f"{BAR} p")).to_have_text("Overview 5 of 5")
    page.go_back()
    expect(page.locator(BAR)).to_be_hidden()
    expect(page.locator("#tab-overview-button")).to_have_attribute("aria-selected", "true")
