"""One map full screen: ways in and out, zoom, other maps, the value under the pointer, and its download."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.lens import PHONE, Lens

pytestmark = pytest.mark.browser
OPEN = "dialog.lens-full-screen[open]"
# Different values among pixels all over a canvas.
VALUES = """(canvas) => {
  const context = new OffscreenCanvas(64, 64).getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, 64, 64);
  return new Set(context.getImageData(0, 0, 64, 64).data).size;
}"""


def title(page: Page) -> str:
    return page.locator(f"{OPEN} h2").text_content()


def enlarge(lens: Lens, view: str = "overview", index: int = 0) -> None:
    """By the button in a map's corner."""
    lens.panel(view).locator(".lens-enlarge").nth(index).click()
    lens.page.locator(OPEN).wait_for()


def closed(page: Page) -> None:
    expect(page.locator(OPEN)).to_have_count(0)


def test_a_map_opens_full_screen_and_closes_with_its_focus(visitor):
    lens = visitor
    page, address, events = lens.page, lens.page.url, lens.events()
    entries = page.evaluate("history.length")
    button = lens.panel("overview").locator(".lens-enlarge").first
    button.focus()
    page.keyboard.press("f")
    expect(page.locator(OPEN)).to_have_accessible_name("Attention, pico")
    expect(page.locator(f"{OPEN} .stage")).to_be_focused()
    box = page.locator(f"{OPEN} canvas").first.bounding_box()
    assert box["height"] > 0.6 * page.viewport_size["height"]
    page.keyboard.press("Escape")
    closed(page)
    expect(button).to_be_focused()

    page.wait_for_function("history.state.below !== 0")  # its entry is gone
    enlarge(lens)
    page.go_back()
    closed(page)
    assert (page.url, lens.events()) == (address, events)  # the view is the same, and the server was not asked
    assert page.evaluate("history.length") == entries + 1

    lens.panel("overview").locator(".lens-frame canvas").nth(1).hover()  # and under a pointer
    page.keyboard.press("f")
    assert title(page) == "Grad-CAM, pico"
    page.keyboard.press("f")
    closed(page)
    lens.panel("overview").locator(".lens-tile canvas").first.click()  # where a click does nothing else
    assert title(page) == "Kernels, pico"
    page.keyboard.press("Escape")
    closed(page)


def test_a_click_on_a_map_still_moves_the_query_position(visitor):
    lens = visitor
    with lens.answer():
        lens.panel("overview").locator(".lens-frame canvas").first.click(position={"x": 20, "y": 20})
    closed(lens.page)


def test_keys_do_nothing_in_a_text_field(visitor):
    lens = visitor
    page = lens.page
    field = page.locator("#other input")
    field.click()
    lens.panel("overview").locator(".lens-frame canvas").first.hover()
    page.keyboard.press("f")
    assert field.input_value().endswith("f")
    closed(page)
    page.keyboard.press("Escape")
    enlarge(lens)
    select = page.locator(f"{OPEN} select[name=width]")
    select.focus()
    page.keyboard.press("ArrowDown")
    expect(select).to_have_value("7")
    assert title(page) == "Attention, pico"
    page.keyboard.press("f")
    expect(page.locator(OPEN)).to_be_visible()
    page.keyboard.press("Escape")
    closed(page)


def test_arrows_lead_to_the_next_map_and_zoom_keeps_the_point(visitor):
    lens = visitor
    page = lens.page
    page.locator(".lens-hero-row").wait_for()
    enlarge(lens)
    expect(page.locator(f"{OPEN} header p")).to_have_text("Map 4 of 7")  # after the three of the two images
    stage, canvas = page.locator(f"{OPEN} .stage"), page.locator(f"{OPEN} canvas").first
    box = canvas.bounding_box()
    x, y = box["x"] + 0.3 * box["width"], box["y"] + 0.7 * box["height"]
    page.mouse.move(x, y)
    value = page.locator(f"{OPEN} .value")
    before = value.text_content()
    assert "weight, row" in before
    page.mouse.wheel(0, -900)
    expect(stage).not_to_have_attribute("data-zoom", "1.00")
    page.mouse.move(x + 1, y)
    assert value.text_content() == before
    box = canvas.bounding_box()
    assert (x - box["x"]) / box["width"] == pytest.approx(0.3, abs=0.01)
    assert (y - box["y"]) / box["height"] == pytest.approx(0.7, abs=0.01)
    page.mouse.down()  # drag
    page.mouse.move(x + 61, y + 40)
    page.mouse.up()
    assert canvas.bounding_box()["x"] == pytest.approx(box["x"] + 60, abs=1.5)

    stage.focus()
    page.keyboard.press("ArrowRight")
    assert title(page) == "Kernels, pico"
    expect(stage).to_have_attribute("data-zoom", "1.00")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.02 * box["width"], box["y"] + 0.02 * box["height"])
    assert "tap in row 1, column 1" in value.text_content()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")  # around
    assert title(page) == "Receptive field, pico"
    page.keyboard.press("Escape")
    closed(page)


def test_two_fingers_zoom_and_buttons_work_on_a_phone(visit):
    lens = visit(viewport=PHONE, has_touch=True, is_mobile=True, locale="ko-KR")
    page = lens.page
    page.locator(".lens-hero-row").wait_for()
    button = lens.panel("overview").locator(".lens-enlarge").first
    assert float(button.evaluate("(one) => getComputedStyle(one).opacity")) > 0.8  # no pointer hovers here
    button.tap()
    stage = page.locator(f"{OPEN} .stage")
    expect(stage).to_have_attribute("data-zoom", "1.00")
    box = stage.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    client = page.context.new_cdp_session(page)
    for kind, distance in (("touchStart", 40), ("touchMove", 60), ("touchMove", 80), ("touchEnd", 0)):
        points = [{"x": x - distance, "y": y, "id": 0}, {"x": x + distance, "y": y, "id": 1}] if distance else []
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(stage).to_have_attribute("data-zoom", "2.00")
    page.evaluate("window.pinched = performance.now()")
    page.wait_for_function("performance.now() > window.pinched + 500")  # sooner, Chromium takes a tap for a part of it
    assert page.evaluate(f"document.querySelector('{OPEN}').scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="다음 맵").tap()
    expect(page.locator(f"{OPEN} header p")).to_have_text("맵 5 / 7")
    page.get_by_role("button", name="닫기").tap()
    closed(page)


def test_every_map_of_every_tab_opens(visitor):
    """Kernels taken apart are shown only; maps of the model can be downloaded."""
    lens = visitor
    page = lens.page
    for view, least in {"attention": 5, "kernels": 10, "grad_cam": 4, "erf": 3, "compare": 1}.items():
        lens.look_at(view)
        if view == "erf":
            lens.drawn(view)  # the figures below, too
        enlarge(lens, view)
        count = int(page.locator(f"{OPEN} header p").text_content().rpartition(" ")[2])
        assert count >= least, view
        expect(page.locator(f"{OPEN} .lens-map-download")).to_be_visible()
        titles = set()
        for _ in range(count):
            assert page.locator(f"{OPEN} canvas").first.evaluate(VALUES) > 3, title(page)  # something is drawn
            titles.add(title(page))
            page.keyboard.press("ArrowRight")
        assert len(titles) > count // 2, view
        page.keyboard.press("Escape")
        closed(page)


def test_the_map_on_screen_is_saved_with_the_options_chosen(visitor, tmp_path: Path):
    lens = visitor
    page = lens.page
    lens.look_at("attention")
    with lens.answer("attention"):
        lens.choose("stage", 2)
    lens.panel("attention").locator(".lens-heads-of button").nth(1).focus()
    page.keyboard.press("f")
    page.locator(f"{OPEN} select[name=width]").select_option("7")
    page.locator(f"{OPEN} input[name=caption]").uncheck()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download this map").click()
    name = waiting.value.suggested_filename
    assert name.startswith("lion-pico-attention-stage2-")
    waiting.value.save_as(tmp_path / name)
    with Image.open(io.BytesIO((tmp_path / name).read_bytes())) as image:
        manifest = json.loads(image.text["transxnet-lens"])
        assert image.size[0] == 2100
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert manifest["request"]["head"] == 2
    assert manifest["map"] == {
        "row": "attention", "column": "pico", "format": "png", "width": 7.0, "dpi": 300, "caption": False,
        "color_bar": True,
    }  # fmt: skip
    expect(page.locator(f"{OPEN} .status")).to_contain_text(name)
