"""The first screen: two images and their kernels, where things stand, and every way to bring an image in."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from demo.examples import examples
from demo.i18n.translate import tr, tr_group
from demo.ui.layout import BIBTEX, CODE, PAPER
from transxnet import load
from transxnet.explain.kernels.change import kernel_change
from transxnet.images import decode
from transxnet.results.kernels import KernelChange
from transxnet.study import StudyOptions, study

from .conftest import Served
from .lens import PHONE, Lens
from .opened import opened
from .test_page import as_png, near

pytestmark = pytest.mark.browser
LAPTOP, PROJECTOR = {"width": 1440, "height": 900}, {"width": 1920, "height": 1080}
FIRST, SECOND, THIRD = examples()[:3]

BOX = """(selector) => {
  const { left, top, right, bottom } = document.querySelector(selector).getBoundingClientRect();
  return { left, top: top + scrollY, right, bottom: bottom + scrollY };
}"""
# Gives all predictions a name. By prediction: the pixels left for the bar where the name is cut off, otherwise 0.
TRACKS = """(name) => [...document.querySelectorAll("#predictions .lens-bar")].map((bar) => {
  const [label, track] = bar.children;
  label.textContent = name;
  return label.scrollWidth > label.clientWidth ? track.getBoundingClientRect().width : 0;
})"""
# Drops a file on, or pastes it into, what the selector names. base64: the file's content.
FILE = """const target = document.querySelector(selector), data = new DataTransfer();
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  data.items.add(new File([bytes], "mine.png", { type: "image/png" }));"""
DROP = f"""([selector, base64]) => {{
  {FILE}
  const drag = (kind) => new DragEvent(kind, {{ dataTransfer: data, bubbles: true, cancelable: true }});
  for (const kind of ["dragenter", "dragover"]) target.dispatchEvent(drag(kind));
  const isShown = !document.querySelector(".lens-drop").hidden;
  target.dispatchEvent(drag("drop"));
  return isShown && document.querySelector(".lens-drop").hidden;
}}"""
PASTE = f"""([selector, base64]) => {{
  {FILE}
  target.dispatchEvent(new ClipboardEvent("paste", {{ clipboardData: data, bubbles: true, cancelable: true }}));
}}"""


@cache
def change(first: str, second: str) -> KernelChange:
    """The kernels of the page's layer for two examples."""
    pico, options = load("pico", device="cpu"), StudyOptions(analyses=("kernels",))
    paths = {example.name: example.path for example in examples()}
    return kernel_change(*(study(pico, decode(paths[name]), options).kernels for name in (first, second)))


def ready(lens: Lens, second: str) -> dict[str, str]:
    """The numbers of the comparison, once image B is this one."""
    expect(lens.page.locator(".lens-hero-image.second span")).to_have_text(f"B: {second}")
    return lens.page.locator(".lens-hero-row").evaluate("(node) => ({ ...node.dataset })")


def grids(lens: Lens, name: str) -> list[str]:
    """The pixels of the kernels of one side."""
    return lens.page.locator(f".lens-hero-row .{name} canvas").evaluate_all("all => all.map((one) => one.toDataURL())")


def encoded(pixels: np.ndarray) -> str:
    return base64.b64encode(as_png(pixels)["buffer"]).decode()


@pytest.fixture(scope="module")
def laptop(chromium: Browser, served: Served) -> Iterator[Lens]:
    with opened(chromium, served.url, viewport=LAPTOP) as lens:
        ready(lens, SECOND.name)
        yield lens


@pytest.fixture(scope="module")
def phone(chromium: Browser, served: Served) -> Iterator[Lens]:
    with opened(chromium, served.url, viewport=PHONE, has_touch=True, reduced_motion="no-preference") as lens:
        ready(lens, SECOND.name)
        yield lens


# ---- where things stand ---------------------------------------------------------------------------------------------


def test_first_screen_of_a_laptop(laptop):
    box = {name: laptop.page.evaluate(BOX, name) for name in (
        "#crosshair", "#thumbs", "#predictions", "#models", "#stage", "#block", ".lens-hero",
        "#panel-overview .lens-cells", "#views .tab-wrapper",
    )}  # fmt: skip
    assert {name: one["bottom"] for name, one in box.items() if one["bottom"] > LAPTOP["height"]} == {}
    assert box["#models"]["bottom"] <= box["#views .tab-wrapper"]["top"]
    assert box[".lens-hero"]["bottom"] <= box["#panel-overview .lens-cells"]["top"]
    buttons = laptop.page.locator("#toolbar :is(.lens-copy, .lens-exports button)")
    assert len(set(buttons.evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)"))) == 1
    names = laptop.page.locator("#thumbs button").all_inner_texts()
    assert [name.split()[0] for name in names] == [example.name for example in examples()]
    assert laptop.page.evaluate(TRACKS, "tusk") == [0, 0, 0, 0, 0]
    assert max(laptop.page.evaluate(TRACKS, "a class with a name much too long for one line of it")) <= 30
    laptop.page.set_viewport_size(PROJECTOR)
    content = laptop.page.evaluate(BOX, "#lens")
    assert content["right"] - content["left"] >= 1800
    laptop.page.set_viewport_size(LAPTOP)


def test_first_screen_of_a_phone(phone):
    assert phone.page.evaluate(BOX, ".lens-hero")["bottom"] <= PHONE["height"]
    first_map = phone.page.evaluate(BOX, "#panel-overview .lens-frame")
    assert first_map["top"] < PHONE["height"]
    assert phone.page.evaluate(BOX, "#settings-fold")["top"] > first_map["bottom"]
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_tap_sets_the_position_a_long_press_drags_and_a_swipe_scrolls(phone):
    lens = phone
    touch = lens.page.context.new_cdp_session(lens.page)
    box = lens.photo.bounding_box()
    x, y = box["x"] + box["width"] / 4, box["y"] + box["height"] * 0.75

    def send(kind: str, *points: tuple[float, float]) -> None:
        values = [{"x": px, "y": py} for px, py in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": values})

    with lens.answer():
        lens.page.touchscreen.tap(x, y)
    tapped = lens.position
    assert tapped == pytest.approx((lens.size[0] / 4 - 0.5, lens.size[1] * 0.75 - 0.5), abs=3)
    with lens.answer():
        send("touchStart", (x, y))
        lens.page.wait_for_function("new Promise((resolve) => setTimeout(() => resolve(true), 500))")  # a long press
        for step in range(1, 5):
            send("touchMove", (x + 8 * step, y - 8 * step))
        send("touchEnd")
    dragged = lens.position
    assert dragged[0] > tapped[0]
    assert dragged[1] < tapped[1]
    assert lens.page.evaluate("scrollY") == 0
    events = lens.events()
    send("touchStart", (x, y))
    for step in range(1, 9):
        send("touchMove", (x, y - 12 * step))
    send("touchEnd")
    lens.page.wait_for_function("scrollY > 40")
    assert (lens.position, lens.events()) == (dragged, events)


# ---- header ---------------------------------------------------------------------------------------------------------


def test_paper_code_and_bibtex(laptop):
    lens = laptop
    for key, address in (("page.paper", PAPER), ("page.code", CODE)):
        expect(lens.page.get_by_role("link", name=tr(key), exact=True)).to_have_attribute("href", address)
    lens.page.locator(".lens-cite summary").click()
    assert lens.page.locator(".lens-cite pre").text_content() == BIBTEX
    lens.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    lens.page.get_by_role("button", name=tr("page.cite_copy")).click()
    expect(lens.page.locator(".lens-cite [role=status]")).to_have_text(tr("page.cite_copied"))
    assert lens.page.evaluate("navigator.clipboard.readText()") == BIBTEX
    lens.page.context.clear_permissions()


# ---- two images, two sets of kernels --------------------------------------------------------------------------------


def test_comparison_shows_the_channels_that_differ_most_and_swaps(laptop):
    lens = laptop.start_over()
    expected = change(FIRST.name, SECOND.name)
    shown = ready(lens, SECOND.name)
    assert float(shown["distance"]) == near(np.nanmedian(expected.distance))
    assert [int(i) - 1 for i in shown["channels"].split(",")] == sorted(np.argsort(-expected.distance)[:9])
    first, second = grids(lens, "first"), grids(lens, "second")
    assert len(first) == len(second) == 9
    assert first != second
    with lens.answer():
        lens.page.get_by_role("button", name=tr("hero.swap"), exact=True).click()
    assert float(ready(lens, FIRST.name)["distance"]) == near(np.nanmedian(expected.distance))
    assert (grids(lens, "first"), grids(lens, "second")) == (second, first)
    with lens.answer():  # the image looked at before is now image B
        lens.page.locator("#thumbs button").nth(2).click()
    ready(lens, SECOND.name)
    lens.page.locator(".lens-hero-foot select").select_option(FIRST.name)
    ready(lens, FIRST.name)


def test_identical_images_differ_by_zero(laptop):
    lens = laptop.start_over()
    ready(lens, SECOND.name)
    assert lens.page.evaluate(DROP, [".lens-hero-image.second img", encoded(decode(FIRST.path).rgb)])
    shown = ready(lens, tr("page.your_image"))
    assert float(shown["distance"]) == 0
    assert tr("hero.same_image") in lens.page.locator(".lens-hero > p").text_content()
    assert lens.position == tuple((side - 1) // 2 for side in decode(FIRST.path).size)  # image A stays
    assert grids(lens, "first") == grids(lens, "second")


def test_comparison_alternates_until_an_image_is_chosen(phone, laptop):
    hero = phone.page.locator(".lens-hero")
    for side in ("second", "first"):
        expect(hero).to_have_attribute("data-emphasized", side)
    phone.page.locator(".lens-hero-image.second").click()
    expect(hero).to_have_attribute("data-emphasized", "second")
    expect(phone.page.locator(".lens-hero-image.second")).to_have_attribute("aria-pressed", "true")
    phone.page.wait_for_function("new Promise((resolve) => setTimeout(() => resolve(true), 3500))")  # over one period
    expect(hero).to_have_attribute("data-emphasized", "second")
    # under reduced motion nothing is emphasized, and nothing changes
    expect(laptop.page.locator(".lens-hero")).to_have_attribute("data-emphasized", "")


# ---- images in ------------------------------------------------------------------------------------------------------


def test_text_is_pasted_into_fields_and_what_holds_no_image_is_a_message(laptop):
    lens = laptop
    paste = """(selector) => document.querySelector(selector).dispatchEvent(
      new ClipboardEvent("paste", { clipboardData: new DataTransfer(), bubbles: true, cancelable: true }))"""
    assert lens.page.evaluate(paste, "#other input")  # not prevented
    assert lens.page.locator("#note .lens-notes").text_content() == ""
    assert not lens.page.evaluate(paste, "body")
    expect(lens.page.locator("#note")).to_contain_text(tr("images_in.nothing_copied"))


def test_every_way_in_works_after_every_other(laptop):
    """The button, a drop and a paste anywhere, one after the other and again; a denied one is a message."""
    lens = laptop
    pixels = decode(SECOND.path).rgb

    def bring(way: str, shift: int) -> None:
        image = np.roll(pixels, shift, axis=1)
        with lens.answer():
            if way == "button":
                with lens.page.expect_file_chooser() as chooser:
                    lens.page.get_by_role("button", name=tr("images_in.upload"), exact=True).click()
                chooser.value.set_files([as_png(image)])
            elif way == "drop":
                assert lens.page.evaluate(DROP, ["#views .tab-wrapper", encoded(image)])
            else:
                lens.page.evaluate(PASTE, ["body", encoded(image)])
        assert lens.size == (image.shape[1], image.shape[0])
        assert lens.page.locator("#thumbs button[aria-pressed=true]").count() == 0

    for shift, way in enumerate(("button", "drop", "paste", "button", "paste", "drop"), 1):
        bring(way, 7 * shift)
    lens.page.get_by_role("button", name=tr("images_in.paste"), exact=True).click()  # not allowed here
    expect(lens.page.locator("#note")).to_contain_text(tr("images_in.no_clipboard"))
    lens.page.get_by_role("button", name=tr("images_in.camera"), exact=True).click()  # there is none here
    expect(lens.page.locator("#note")).to_contain_text(tr("live.no_camera"))
    bring("drop", 70)
    with lens.page.expect_navigation():
        lens.page.reload()
    lens.settled("overview")
    assert lens.size == (pixels.shape[1], pixels.shape[0])  # the server holds it


def test_terms_show_their_definition(laptop):
    lens = laptop
    for place, term in ((".lens-hero > p", "IDConv"), ("#panel-overview .lens-head p", "OSRA"), ("#side h2", "layer")):
        word = tr_group("terms.").get(f"{term}_word", term)
        expect(lens.page.locator(f"{place} abbr[data-term='{word}']").first).to_have_attribute(
            "title", tr_group("terms.")[term]
        )
    lens.look_at("sanity_checks")
    hint = lens.panel("sanity_checks").get_by_text(tr("sanity_checks.tested_hint"))
    expect(hint.locator("abbr")).to_have_count(0)  # "tested" does not mention STE
