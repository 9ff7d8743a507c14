"""The guided tour: every step puts the page where it says, and can be left; the architecture's boxes open views."""

from __future__ import annotations

from itertools import pairwise

import pytest

from demo.i18n.translate import tr
from demo.state import TABS
from demo.tour import MODEL, STEPS
from tests.browser.lens import PHONE, Lens
from tests.browser.opened import opened
from transxnet.draw.text import number as written

pytestmark = pytest.mark.browser
LAST = len(STEPS)

# Whether one element is outlined, which is this one, and lies in what the bar leaves free, or fills it.
IN_SIGHT = """(selector) => {
  const outlined = [...document.querySelectorAll(".lens-toured")], [node] = outlined;
  if (outlined.length !== 1 || !node.matches(selector) || getComputedStyle(node).outlineStyle !== "solid") return false;
  const box = node.getBoundingClientRect(), bar = document.querySelector(".lens-tour").getBoundingClientRect();
  const isBelow = innerWidth <= 640, top = isBelow ? 0 : bar.bottom, bottom = isBelow ? bar.top : innerHeight;
  return box.top >= top && box.top < bottom && (box.bottom <= bottom || box.height > bottom - top - 80);
}"""


def active(lens: Lens) -> str:
    return next(name for name in TABS if lens.panel(name).count() and lens.panel(name).is_visible())


def chosen(lens: Lens, element: str) -> int:
    return int(lens.page.locator(f"#{element} input:checked").get_attribute("value"))


def is_at(lens: Lens, number: int, focused: str = "") -> None:
    """Bar, view, variants and stage are the step's. focused: the words of what is, without any the step's heading."""
    step, bar = STEPS[number - 1], lens.page.locator(".lens-tour")
    lens.page.locator(f".lens-tour[data-step='{number}']").wait_for()
    assert bar.locator("h2").text_content() == tr(step.title)
    assert bar.locator(".lens-count").text_content() == f"Step {number} of {LAST}"
    lens.settled(step.view)
    assert lens.page.evaluate("document.activeElement.textContent") == (focused or tr(step.title))
    assert active(lens) == step.view
    assert lens.ticked() == [MODEL]
    assert chosen(lens, "stage") == 3
    assert f"tour={number}" in lens.page.url
    lens.page.wait_for_function(IN_SIGHT, arg=step.target)


def press(lens: Lens, name: str) -> None:
    lens.page.locator(f".lens-tour .{name}").click()


def test_from_the_first_step_to_the_last_and_back(visitor, artifacts):
    """One visitor goes all the way; what the visitor moves meanwhile comes back by “Show me again”."""
    lens = visitor
    lens.look_at("tour")
    assert lens.page.locator(".lens-tour").is_hidden()
    lens.page.screenshot(path=artifacts / "architecture-1440.png", full_page=True)
    lens.page.get_by_role("button", name=tr("tour.start")).click()
    is_at(lens, 1)
    distance = float(lens.page.locator(".lens-hero-row").get_attribute("data-distance"))
    assert tr("hero.generated", distance=written(distance)) in lens.page.locator(".lens-hero > p").text_content()
    for number in range(2, LAST + 1):
        press(lens, "next")
        is_at(lens, number)
        if number == 3:
            lens.page.screenshot(path=artifacts / "tour-3-1440.png")
            lens.choose("stage", 1)
            lens.look_at("overview")
            press(lens, "again")
            lens.panel("attention").wait_for()
            lens.page.wait_for_function("document.querySelector('#stage input:checked').value === '3'")
            is_at(lens, 3, focused=tr("tour.again"))  # the bar, told again what it shows, leaves the hand where it is
    press(lens, "back")
    is_at(lens, LAST - 1)
    press(lens, "leave")
    lens.page.locator(".lens-tour").wait_for(state="hidden")
    assert lens.page.locator(".lens-toured").count() == 0
    assert active(lens) == STEPS[-2].view  # leaving moves nothing else
    assert lens.page.evaluate("document.activeElement.id") == f"tab-{STEPS[-2].view}-button"
    lens.page.wait_for_function("!location.search.includes('tour')")


def test_a_link_to_a_step_opens_it_in_a_fresh_page(chromium, served):
    with opened(chromium, f"{served.url}/?tour=3", STEPS[2].view) as lens:
        is_at(lens, 3)


def test_the_boxes_of_the_architecture_open_their_views_by_keyboard(visitor):
    lens = visitor
    lens.look_at("tour")
    boxes = lens.page.locator(".lens-box")
    names = boxes.evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    assert "Stage 3. 8 × 8 positions, 128 channels, 4 blocks" in names[4]
    assert all("Opens " in name for name in names)
    first = boxes.first
    first.focus()
    for _ in range(4):
        lens.page.keyboard.press("Tab")
    assert lens.page.evaluate("document.activeElement.getAttribute('aria-label')") == names[4]
    lens.page.keyboard.press("Enter")
    lens.panel("erf").wait_for()
    assert chosen(lens, "stage") == 3

    for stage, kind, view in ((1, "osra", "attention"), (2, "idconv", "kernels")):
        lens.look_at("tour")
        lens.page.locator(".lens-pick button").nth(stage - 1).click()
        lens.page.locator(f".lens-box.{kind}").focus()
        lens.page.keyboard.press("Enter")
        lens.panel(view).wait_for()
        lens.page.wait_for_function(f"document.querySelector('#stage input:checked').value === '{stage}'")


def test_on_a_phone_the_figure_goes_downwards_and_the_bar_stands_below(visit, artifacts):
    lens = visit(viewport=PHONE)
    lens.look_at("tour")
    edges = lens.page.locator(".lens-flow .lens-box > rect:first-child").evaluate_all(
        "all => all.map((one) => { const b = one.getBoundingClientRect(); return [b.left, b.right, b.top, b.bottom]; })"
    )
    assert all(left >= 0 and right <= PHONE["width"] for left, right, _, _ in edges)
    assert all(above[3] < below[2] for above, below in pairwise(edges))
    lens.page.screenshot(path=artifacts / "architecture-390.png", full_page=True)
    lens.page.get_by_role("button", name=tr("tour.start")).click()
    bar = lens.page.locator(".lens-tour")
    bar.wait_for()
    lens.page.wait_for_function(IN_SIGHT, arg=STEPS[0].target)
    box = bar.bounding_box()
    assert (box["x"], box["width"]) == (0, PHONE["width"])
    assert box["y"] + box["height"] == pytest.approx(PHONE["height"], abs=1)
    assert box["height"] < PHONE["height"] / 2
    lens.page.evaluate("scrollTo(0, document.body.scrollHeight)")  # what is last, and the image, are not covered
    image = lens.page.locator(".lens-back")
    image.wait_for()
    assert image.bounding_box()["y"] == pytest.approx(14, abs=1)
    last = lens.page.locator("#settings-fold").bounding_box()
    assert last["y"] + last["height"] <= box["y"]
    bar.locator(".fold").click()
    assert bar.bounding_box()["height"] < box["height"] - 60
    assert lens.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    lens.page.screenshot(path=artifacts / "tour-1-390.png")
