"""Everyone: with a keyboard only, with a screen reader, on a phone, enlarged, and without much movement.

What axe finds in each view is in test_every_view.py.
"""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from demo.i18n.translate import tr, tr_lines
from demo.state import TABS
from tests.browser.lens import PHONE, Lens
from tests.browser.test_page import library

pytestmark = pytest.mark.browser
ENLARGED = {"width": 720, "height": 500}  # a screen of 1440 by 1000 at 200 %
# Whether Alt with an arrow, which goes back, is left to the browser by what has arrow keys of its own.
FOR_THE_BROWSER = """() => ["#views [role=tab][aria-selected=true]", ".lens-photo"].map((one) =>
  document.querySelector(one).dispatchEvent(
    new KeyboardEvent("keydown", { key: "ArrowLeft", altKey: true, bubbles: true, cancelable: true })))"""


NAMELESS = """() => {
  const name = (one) => one.getAttribute("aria-label") || one.getAttribute("aria-labeledby") || one.title
    || one.alt || [...(one.labels || [])].map((label) => label.textContent).join("") || one.textContent;
  const one = document.activeElement, label = one.closest("label"), spot = one.matches("input") && label ? label : one;
  const rings = [one, spot, ...one.querySelectorAll("*"), one.nextElementSibling].filter(Boolean);
  const seen = rings.some((ring) => { const style = getComputedStyle(ring);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none"; });
  return {html: one.outerHTML.slice(0, 150), named: Boolean(name(one)?.trim()), seen};
}"""


# ---- a keyboard only --------------------------------------------------------------------------------------------


class Walker:
    """Goes through the page with the Tab key; every stop has a name, and shows where it is."""

    def __init__(self, lens: Lens):
        self.page = lens.page
        self.stops: list[str] = []

    def to(self, selector: str, key: str = "Tab", most: int = 60) -> None:
        for _ in range(most):
            self.page.keyboard.press(key)
            stop = self.page.evaluate(NAMELESS)
            assert stop["named"], stop["html"]
            assert stop["seen"], stop["html"]
            self.stops.append(stop["html"])
            if self.page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
        pytest.fail(f"{selector} is not among the next {most} stops: {self.stops[-most:]}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


def test_keyboard_walk(visit):
    lens = visit()
    page, walker = lens.page, Walker(lens)
    walker.to(".lens-skip", most=1)
    expect(page.locator(".lens-skip")).to_be_in_viewport()
    walker.press("Enter")
    expect(page.locator("#tab-overview-button")).to_be_focused()
    walker.to(".lens-photo", "Shift+Tab")

    before = lens.position
    with lens.answer():
        walker.press("ArrowLeft", "ArrowUp")
    assert (lens.position[0] < before[0], lens.position[1] < before[1]) == (True, True)
    with lens.answer():
        walker.to("#predictions button[aria-pressed=false]")
        chosen = page.evaluate("document.activeElement.dataset.index")
        walker.press("Enter")
    assert page.locator("#predictions [aria-pressed=true]").get_attribute("data-index") == chosen
    with lens.answer():
        walker.to("#stage input:checked")  # one stop for all stages
        walker.press("ArrowLeft")
    assert page.locator("#stage input:checked").get_attribute("value") == "2"
    with lens.answer():
        walker.to("#variants input[name='pico@untrained']", "Shift+Tab")
        walker.press("Space")
    assert lens.titles("overview") == ["pico", "pico (random weights)"]

    assert page.evaluate(FOR_THE_BROWSER) == [True, True]
    walker.to("#views [role=tab]")  # one stop, whichever is chosen
    assert page.evaluate("document.activeElement.id") == "tab-overview-button"
    with lens.answer("attention"):
        walker.press("ArrowRight", "Enter")
    walker.to("#panel-attention input[name=lens-head]")
    images = lens.canvases("attention")
    walker.press("ArrowRight", "ArrowRight")
    assert page.evaluate("lens.display.head") == 1
    assert lens.canvases("attention") != images

    walker.to("#views [role=tab]", "Shift+Tab")
    with lens.answer("kernels"):
        walker.press("End", "Home", "ArrowRight", "ArrowRight", "Enter")
    walker.to("#panel-kernels .lens-tile")
    walker.press("ArrowRight", "Enter")
    assert page.evaluate("[document.activeElement.getAttribute('aria-pressed'), document.activeElement.className]") == [
        "true", "lens-tile here",
    ]  # fmt: skip
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    for _ in range(80):  # nothing holds who walks on: in the end the page is left, or begins again
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body || document.activeElement.matches('.lens-skip')"):
            return
    pytest.fail(page.evaluate("document.activeElement.outerHTML.slice(0, 200)"))


# ---- who hears the page -----------------------------------------------------------------------------------------


def test_images_say_where_they_are_high_and_nothing_chatters_while_a_pointer_moves(visitor):
    lens = visitor
    page = lens.page
    names = lens.panel("overview").locator(".lens-frame canvas").evaluate_all("all => all.map((one) => one.ariaLabel)")
    mean = library().attention.mean
    row, col = np.unravel_index(mean.argmax(), mean.shape)
    where = tr_lines("maps.places")[3 * (3 * row // mean.shape[0]) + 3 * col // mean.shape[1]]
    assert tr("maps.highest", where=where) in names[0]
    page.evaluate(
        """() => { window.told = [];
          const LIVE = "[aria-live]:not([aria-live=off]), [role=status], [role=alert]";
          const near = (node) => (node.nodeType === 1 ? node : node.parentElement);
          const heard = (node) => near(node)?.closest(LIVE)?.textContent;
          const known = (text) => text !== undefined;
          new MutationObserver((all) => told.push(...all.map((one) => heard(one.target)).filter(known)))
            .observe(document.body, {subtree: true, childList: true, characterData: true}); }"""
    )
    for view in ("overview", "attention", "kernels"):
        if view != "overview":
            lens.look_at(view)
        page.evaluate("told.length = 0")
        box = lens.photo.bounding_box()
        for i in range(20):
            page.mouse.move(box["x"] + 10 + 8 * i, box["y"] + 20 + 9 * i)
        for i in range(10):
            page.mouse.move(600 + 20 * i, 450 + 5 * i)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate("told") == [], view


# ---- where the image is ---------------------------------------------------------------------------------------


def test_the_image_stays_in_sight_and_what_is_below_it_can_be_reached(visitor):
    lens = visitor
    lens.look_at("kernels")
    lens.page.mouse.move(900, 500)
    lens.page.mouse.wheel(0, 700)
    lens.page.wait_for_function("scrollY > 500")
    expect(lens.photo).to_be_in_viewport(ratio=0.99)  # rounded pixels
    lens.page.set_viewport_size({"width": 1440, "height": 700})
    lens.page.locator("#more > button").scroll_into_view_if_needed()
    expect(lens.page.locator("#more > button")).to_be_in_viewport(ratio=0.99)  # rounded pixels
    expect(lens.photo).to_be_in_viewport(ratio=0.99)
    lens.page.locator("#more > button").click()
    lens.page.locator("#backbone textarea, #backbone input").scroll_into_view_if_needed()
    expect(lens.page.locator("#backbone textarea, #backbone input")).to_be_in_viewport(ratio=0.99)  # rounded pixels


def test_on_a_phone_the_first_result_comes_soon_and_the_image_comes_back(visit):
    lens = visit(viewport=PHONE, has_touch=True)
    page = lens.page
    top = page.locator("#panel-overview .lens-frame").first.evaluate(
        "(one) => one.getBoundingClientRect().top + scrollY"
    )
    assert top < 2 * PHONE["height"]
    fold = page.locator("#settings-fold button")
    assert fold.inner_text().split("\n")[-1] == "stage 3 \u00b7 last block"
    expect(page.locator("#stage")).to_be_hidden()
    with lens.answer():
        lens.choose("stage", 2)
    with lens.answer():
        lens.choose("block", 1)
    expect(fold).to_contain_text("stage 2 \u00b7 block 1")
    expect(fold).to_have_attribute("aria-expanded", "true")

    back = page.get_by_role("button", name=tr("page.back"))
    page.evaluate("scrollTo(0, 0)")
    expect(back).to_be_hidden()
    page.evaluate("scrollTo(0, 1500)")
    back.click()
    expect(lens.photo).to_be_in_viewport(ratio=0.9)
    expect(lens.photo).to_be_focused()
    expect(back).to_be_hidden()


def test_all_tabs_stand_in_one_strip_on_a_phone(visit):
    lens = visit(viewport=PHONE, has_touch=True)
    strip = lens.page.locator("#views [role=tablist]")
    assert strip.get_by_role("tab").count() == len(TABS)

    def edges() -> list[bool]:
        return [strip.evaluate(f"(one) => one.classList.contains('more-{end}')") for end in ("before", "after")]

    assert edges() == [False, True]
    lens.page.locator("#tab-overview-button").focus()
    lens.page.keyboard.press("End")
    expect(lens.page.locator("#tab-tour-button")).to_be_focused()
    expect(lens.page.locator("#tab-tour-button")).to_be_in_viewport(ratio=0.99)  # rounded pixels
    lens.page.wait_for_function("!document.querySelector('#views [role=tablist]').classList.contains('more-after')")
    assert edges() == [True, False]
    small = lens.page.evaluate(
        """() => [...document.querySelectorAll("button, select, summary, label")]
          .filter((one) => one.offsetParent && !one.querySelector("input[type=range]"))
          .map((one) => [one.getBoundingClientRect().height, one.outerHTML.slice(0, 120)])
          .filter(([height]) => height > 1 && height < 32)"""
    )
    assert small == []


def test_enlarged_to_200_percent_nothing_sticks_out_and_colors_of_the_system_keep_what_is_chosen(visit):
    lens = visit(viewport=ENLARGED, forced_colors="active")
    for view in ("overview", "attention", "ablation"):
        if view != "overview":
            lens.look_at(view)
        assert lens.page.evaluate("document.documentElement.scrollWidth") <= ENLARGED["width"], view
    lens.unfold()
    ringed = "(one) => getComputedStyle(one).outlineStyle"
    assert lens.page.locator("#stage label.selected").evaluate(ringed) == "solid"
    assert lens.page.locator("#stage label:not(.selected)").first.evaluate(ringed) == "none"
