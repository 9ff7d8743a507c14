"""Links in a browser: what is set by hand stands in the address, and the address sets it in another browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from demo.examples import examples
from demo.i18n.translate import tr
from tests.browser.conftest import Served
from tests.browser.lens import PHONE, Lens
from tests.browser.opened import opened
from tests.fixtures.small_model import image
from transxnet.draw.overlay import to_png

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def lens(chromium: Browser, served: Served) -> Iterator[Lens]:
    """Somebody who opens a link to a position whose sanity checks are not cached."""
    with opened(chromium, f"{served.url}?image=lion&x=31&y=37&tab=sanity_checks", "sanity_checks") as visited:
        yield visited


def query(lens: Lens) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(lens.page.url).query))


def looked_at(lens: Lens, view: str) -> dict[str, Any]:
    """All that a visitor sees set, the numbers of the view, and its pixels."""
    page = lens.page
    chosen = [page.locator(f"#{name} input:checked").evaluate("one => one.value") for name in ("stage", "block")]
    return {
        "tab": page.locator("#views [role=tab][aria-selected=true]").first.text_content(),
        "variants": lens.ticked(), "titles": lens.titles(view), "stage and block": chosen, "position": lens.position,
        "class": page.locator("#predictions button[aria-pressed=true]").evaluate("one => ({...one.dataset})"),
        "display": page.evaluate("JSON.parse(JSON.stringify(lens.display))"),
        "numbers": [lens.numbers(view), lens.numbers(view, "tiles")],
        "text": lens.panel(view).inner_text(),
        "pixels": lens.canvases(view),
    }  # fmt: skip


def assert_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    for what, value in before.items():
        assert after[what] == value, what


def test_what_takes_long_is_stopped_started_again_and_left_behind(lens):
    waiting, stopped = (
        lens.page.locator(f"#figures-sanity_checks .{name}") for name in ("lens-skeleton", "lens-stopped")
    )
    start = stopped.get_by_role("button", name=tr("progress.start_sanity_checks"))
    start.press("Enter")
    stop = waiting.get_by_role("button", name=tr("progress.stop"))
    stop.click()
    again = stopped.get_by_role("button", name=tr("progress.start_again"))
    expect(again).to_be_focused()  # where the other button was
    expect(stopped).to_contain_text(tr("progress.stopped"))
    expect(waiting).to_have_count(0)
    expect(lens.page.locator("#predictions button")).to_have_count(5)  # the answer took no time
    again.press("Enter")
    expect(stop).to_be_visible()
    expect(stopped).to_have_count(0)
    lens.look_at("overview")  # while it is tested, something newer wins
    assert lens.panel("overview").locator(".lens-frame.drawn").count() == 3
    assert not lens.page.locator(".lens-stopped").count()
    assert query(lens) == {"x": "31", "y": "37"}  # lion is the default


def test_a_link_restores_in_another_browser_what_was_set_by_hand(lens, chromium):
    lens.compare("pico@untrained")
    for element, value in (("stage", 2), ("block", 1)):
        with lens.answer():
            lens.choose(element, value)
    with lens.answer():
        lens.click_at(90, 70)
    with lens.answer():
        lens.page.locator("#predictions button").nth(2).click()
    asked = lens.events()
    for key, value in (("head", 2), ("colormap", "viridis"), ("gamma", 0.5)):
        lens.page.evaluate("([key, value]) => window.lens.display.set(key, value)", [key, value])
    lens.page.wait_for_function("location.search.includes('gamma=0.5')")
    assert lens.events() == asked  # the browser alone
    overview = looked_at(lens, "overview")
    lens.look_at("grad_cam")
    with lens.answer("grad_cam"):
        lens.choose("cam-stage", 3)
    before = looked_at(lens, "grad_cam")
    x, y = lens.position
    assert query(lens) == {
        "models": "pico,pico@untrained", "tab": "grad_cam", "stage": "2", "block": "1", "cam_layer": "3",
        "x": str(x), "y": str(y), "class": before["class"]["wnid"], "head": "2", "colormap": "viridis", "gamma": "0.5",
    }  # fmt: skip
    assert (before["display"]["head"], before["position"], before["variants"]) == (
        2,
        (x, y),
        ["pico", "pico@untrained"],
    )

    with opened(chromium, lens.page.url, "grad_cam") as other:
        assert_same(before, looked_at(other, "grad_cam"))
        assert query(other) == query(lens)
        assert not other.page.locator(".lens-notes p").count()
        for one in (lens, other):  # its maps depend on stage, block and point
            one.look_at("overview")
        assert_same(looked_at(lens, "overview"), looked_at(other, "overview"))
        assert overview["numbers"] != looked_at(other, "overview")["numbers"]  # Grad-CAM's own stage is another now


def test_back_and_forward_restore_five_states(lens):
    """Tabs, models and images are entries of the history; what else was set comes back with them."""
    page = lens.page
    entries = page.evaluate("history.length")
    states = [(looked_at(lens, "overview"), "overview")]

    def change(view: str, action: Callable[[], None]) -> None:
        with lens.answer(view):
            action()
        lens.settled(view)
        states.append((looked_at(lens, view), view))

    change("overview", lambda: lens.tick("pico@untrained"))  # taken away
    change("grad_cam", lambda: page.locator("#tab-grad_cam-button").click())
    change("grad_cam", lambda: page.locator("#thumbs button").nth(1).click())
    with lens.answer("grad_cam"):
        lens.choose("stage", 1)  # replaces the current history entry
    states[-1] = (looked_at(lens, "grad_cam"), "grad_cam")
    change("attention", lambda: page.locator("#tab-attention-button").click())
    for go, others in ((page.go_back, states[-2::-1]), (page.go_forward, states[1:])):
        for state, view in others:
            with lens.answer(view):
                go()
            lens.settled(view)
            assert_same(state, looked_at(lens, view))
            assert query(lens).get("tab", "overview") == view
    assert page.evaluate("history.length") == entries + 4  # going back has written none


def test_back_and_forward_bring_the_images_back(lens):
    """The first example, after a display control has moved, and an upload, which no address holds, with its point."""
    page, pressed = lens.page, lens.page.locator("#thumbs button[aria-pressed=true]")
    lens.look_at("overview")
    with lens.answer():
        page.locator("#thumbs button").first.click()
    page.evaluate("window.lens.display.set('opacity', 0.5)")
    page.wait_for_function("location.search.includes('opacity=0.5')")
    with lens.answer():
        page.locator("#thumbs button").nth(1).click()
    with lens.answer():
        page.go_back()
    expect(pressed).to_have_attribute("title", examples()[0].name)
    upload = to_png(image(width=200, height=160).rgb)
    with lens.answer():
        lens.send({"name": "mine.png", "mimeType": "image/png", "buffer": upload})
    with lens.answer():
        lens.click_at(20, 30)
    lens.look_at("attention")
    with lens.answer():
        page.go_back()
    expect(pressed).to_have_count(0)
    assert lens.position == pytest.approx((20, 30), abs=2)
    with lens.answer():
        page.go_back()
    expect(pressed).to_have_attribute("title", examples()[0].name)
    with lens.answer():
        page.go_forward()
    expect(pressed).to_have_count(0)
    assert "image" not in query(lens)


def test_a_broken_link_opens_a_page_that_works_and_an_upload_is_said_not_to_be_in_it(visit, served):
    lens = visit(f"{served.url}?stage=9&models=foo&opacity=7&head=<b>&x=1&__theme=light", viewport=PHONE)
    told = lens.page.locator(".lens-notes")
    assert told.locator("p").all_text_contents() == [
        tr("links.unknown_model", name="foo"), tr("links.half_position"),
        tr("links.unused", name=tr("links.name_stage"), value="9"),
        tr("links.unused", name=tr("links.name_opacity"), value="7"),
        tr("links.unused", name=tr("links.name_head"), value="<b>"),
    ]  # fmt: skip
    assert lens.page.evaluate("[lens.display.opacity, lens.display.head]") == [0.85, "mean"]
    assert query(lens) == {"__theme": "light"}  # what is not ours stays, what everybody sees is left out
    assert lens.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    told.get_by_role("button", name=tr("link.close")).click()
    expect(told).to_be_empty()

    note = lens.page.locator("#link .lens-note")
    assert note.text_content() == ""
    with lens.answer():
        lens.send({"name": "mine.png", "mimeType": "image/png", "buffer": to_png(image().rgb)})
    assert note.text_content() == tr("links.upload_left_out", example=examples()[0].name)
    with lens.answer():
        lens.click_at(5, 6)
    assert query(lens) == {"__theme": "light"}

    copied = "Object.defineProperty(navigator, 'clipboard', {configurable: true, value: {writeText: %s}})"
    lens.page.evaluate(copied % "(text) => { window.copied = text; return Promise.resolve(); }")
    lens.page.locator("#link .lens-copy").click()
    said = lens.page.locator("#link .status")
    expect(said).to_have_text(tr("link.copied"))
    assert lens.page.evaluate("window.copied") == lens.page.url
    lens.page.evaluate(copied % "() => Promise.reject(new Error('not allowed'))")
    lens.page.locator("#link .lens-copy").click()
    expect(said).to_have_text(tr("link.selected"))
    assert lens.page.evaluate("getSelection().toString() || document.activeElement.value") == lens.page.url
