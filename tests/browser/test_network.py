"""The page while the connection is gone, while it is slow, and while others use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from demo.examples import examples
from demo.i18n.translate import tr
from tests.browser.cable import Cable
from tests.browser.conftest import Served
from tests.browser.lens import Lens
from tests.browser.opened import opened
from tests.browser.test_page import as_png, check_overview, library, said, stepped
from transxnet import load
from transxnet.images import decode
from transxnet.study import StudyOptions, study

pytestmark = pytest.mark.browser
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 500_000, "uploadThroughput": 500_000}  # bytes a second
FAST = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}

# The next request reaches the server later than those after it, as on a slower connection.
SLOW_REQUEST = """(() => {
  const fetchNow = window.fetch.bind(window);
  window.fetch = async (input, init) => {
    if (window.slow && String(input).endsWith("/lens/view")) {
      window.slow = false;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    return fetchNow(input, init);
  };
})();"""

# While window.hold is set, responses wait for release(), and nothing can abort them: the worst of networks.
HELD_RESPONSES = """(() => {
  const fetchNow = window.fetch.bind(window), waiting = [];
  window.release = () => { window.hold = false; waiting.splice(0).forEach((resolve) => resolve()); };

  window.fetch = async (input, init) => {
    if (!window.hold || !String(input).endsWith("/lens/view")) return fetchNow(input, init);
    const response = await fetchNow(input, { ...init, signal: undefined }), lines = await response.text();
    window.arrived = (window.arrived || 0) + 1;
    await new Promise((resolve) => waiting.push(resolve));
    return new Response(lines, { headers: response.headers });
  };
})();"""

# Peaks of the map of attention that the page has shown.
PEAKS = """() => {
  const note = () => {
    const peak = document.querySelector("#panel-overview .lens-frame")?.dataset.peak;
    if (peak && window.peaks.at(-1) !== peak) window.peaks.push(peak);
  };
  window.peaks = [];
  const options = { subtree: true, childList: true, attributes: true };
  new MutationObserver(note).observe(document.querySelector("#panel-overview"), options);
}"""


@pytest.fixture(scope="module")
def cable(served: Served) -> Iterator[Cable]:
    with closing(Cable(urlsplit(served.url).port)) as one:
        yield one


@pytest.fixture(scope="module")
def lens(chromium: Browser, cable: Cable) -> Iterator[Lens]:
    """Each test leaves it in the overview."""
    with opened(chromium, cable.url, before=SLOW_REQUEST + HELD_RESPONSES) as visited:
        yield visited


def forget(lens: Lens, *errors: str) -> None:
    """Chromium's own messages about a connection that a test has cut."""
    lens.problems[:] = [one for one in lens.problems if not any(why in one for why in errors)]


def test_of_three_clicks_within_100_ms_only_the_last_one_is_shown(lens):
    """They are dispatched in one task of the browser, so that no response comes between them."""
    before = lens.numbers("overview")[0]["peak"]
    lens.page.evaluate(PEAKS)
    with lens.answer():
        lens.page.evaluate(
            """([points, [width, height]]) => {
              const photo = document.querySelector("#crosshair .lens-photo"), box = photo.getBoundingClientRect();
              for (const [x, y] of points) {
                const at = { button: 0, isPrimary: true, pointerId: 1, bubbles: true };
                at.clientX = box.x + (x + 0.5) * box.width / width;
                at.clientY = box.y + (y + 0.5) * box.height / height;
                const types = ["pointerdown", "pointerup", "click"];
                types.forEach((type) => photo.dispatchEvent(new PointerEvent(type, at)));
              }
            }""",
            [[[20, 30], [90, 60], [60, 80]], lens.size],
        )
    assert lens.position == pytest.approx((60, 80), abs=2)
    expected = library(position=lens.position)
    check_overview(lens, expected)
    last = repr(float(expected.attention.mean.max()))
    assert [peak for peak in lens.page.evaluate("window.peaks") if peak != before] == [last]


def test_of_two_clicks_the_later_one_counts_whichever_arrives_first(lens):
    lens.page.evaluate("window.slow = true")
    with lens.answer():
        lens.click_at(20, 30)
        lens.click_at(90, 60)
    lens._settle("overview")
    assert lens.position == pytest.approx((90, 60), abs=2)
    check_overview(lens, library(position=lens.position))


def test_slow_network(lens):
    """Where a result will be something stands at once, nothing is blocked, and of two clicks the later one counts."""
    page = lens.page
    session = page.context.new_cdp_session(page)
    session.send("Network.emulateNetworkConditions", SLOW)
    with lens.answer():
        lens.click_at(20, 30)
        lens.click_at(90, 60)
        lens.click_at(60, 80)
        lens.page.locator("#display [name=opacity]").fill("50")  # meanwhile
        assert page.evaluate("lens.display.opacity") == 0.5
    page.wait_for_function(
        "(peak) => document.querySelector('#panel-overview .lens-frame')?.dataset.peak === peak",
        arg=repr(float(library(position=lens.position).attention.mean.max())),
    )
    check_overview(lens, library(position=lens.position))
    with lens.answer("erf"):
        page.locator("#tab-kernels-button").click()
        assert page.locator("#panel-kernels").bounding_box()["height"] > 200  # where the result will be
        page.locator("#tab-erf-button").click()
    expect(page.locator("#tab-erf-button")).to_have_attribute("aria-selected", "true")
    session.send("Network.emulateNetworkConditions", FAST)
    lens.look_at("overview")


def test_offline(lens):
    """What the browser holds goes on; what is asked waits, is said, and comes; an upload is still there."""
    page, context = lens.page, lens.page.context
    upload = as_png(decode(examples()[1].path).rgb)
    with lens.answer():
        lens.send(upload)
    lens.look_at("attention")
    context.set_offline(True)
    notice = page.locator(".lens-offline")
    expect(notice).to_have_text(tr("offline.gone"))

    before = lens.canvases("attention")
    page.mouse.move(*(int(lens.photo.bounding_box()[key]) + 60 for key in ("x", "y")))
    page.wait_for_function(
        "(before) => document.querySelector('#panel-attention .lens-frame canvas').toDataURL() !== before",
        arg=before[0],
    )
    page.mouse.move(900, 20)
    page.locator("#display [name=opacity]").fill("0")
    assert lens.canvases("attention") != before
    page.locator("#display [name=opacity]").fill("85")

    serial = lens.serial("attention")
    lens.click_at(30, 40)
    expect(notice).to_be_visible()
    assert lens.serial("attention") == serial
    assert page.get_by_test_id("toast-body").count() == 0
    with lens.answer("attention"):
        context.set_offline(False)
    expect(notice).to_have_text(tr("offline.back"))
    assert lens.position == pytest.approx((30, 40), abs=2)
    expected = library(upload["buffer"], position=lens.position)
    assert said(lens.numbers("attention")[0]) == stepped(expected.attention)
    with lens.answer():
        page.locator("#tab-overview-button").click()
    check_overview(lens, library(upload["buffer"], position=lens.position))
    forget(lens, "net::ERR_INTERNET_DISCONNECTED")


@pytest.mark.parametrize("silent", [False, True])
def test_what_was_being_answered_when_the_connection_went_is_answered_when_it_is_back(cable, lens, silent):
    """On the page that was there before, so that an upload is not lost; whether or not the server noticed."""
    page, notice = lens.page, lens.page.locator(".lens-offline")
    upload = as_png(decode(examples()[2].path).rgb[:: -1 if silent else 1, ::-1])  # its ablations are not cached
    with lens.answer():
        lens.send(upload)
    page.evaluate("window.here = true")
    lens.look_at("ablation")
    lens.start("ablation")
    page.locator("#figures-ablation .lens-progress").wait_for(state="attached")  # hidden while steps are quick
    cable.cut(silent)
    expect(notice).to_have_text(tr("offline.gone"))
    cable.mend()
    lens.drawn("ablation")
    assert page.evaluate("window.here")
    with lens.answer():
        lens.page.locator("#tab-overview-button").click()
    check_overview(lens, library(upload["buffer"]))
    forget(
        lens,
        "net::ERR_INCOMPLETE_CHUNKED_ENCODING",
        "net::ERR_SOCKET_NOT_CONNECTED",
        "net::ERR_EMPTY_RESPONSE",
        "net::ERR_CONNECTION_RESET",
    )


def test_two_visitors_keep_their_own_uploads(lens, visit):
    one, two = lens, visit()
    mine, yours = (as_png(decode(example.path).rgb[:, ::-1]) for example in examples()[1:3])
    with one.answer(), two.answer():
        one.send(mine)
        two.send(yours)
    check_overview(one, library(mine["buffer"]))
    check_overview(two, library(yours["buffer"]))
    assert one.photo.locator("img").get_attribute("src") != two.photo.locator("img").get_attribute("src")
    with one.answer():
        one.click_at(12, 14)
    check_overview(one, library(mine["buffer"], position=one.position))
    check_overview(two, library(yours["buffer"]))


def test_two_tabs_of_one_visitor_have_a_state_each(lens):
    """A server that kept a session for a cookie or an address would mix them up."""
    one = lens
    two = Lens(one.page.context.new_page(), one.url)
    with two.answer():
        two.page.goto(two.url)
    upload = as_png(decode(examples()[1].path).rgb[::-1])
    with one.answer():
        one.send(upload)
    with two.answer():
        two.page.locator("#thumbs button").nth(2).click()
    two.look_at("attention")
    with one.answer():
        one.click_at(33, 21)
    with two.answer("attention"):
        two.choose("stage", 2)
    assert (one.position, one.ticked()) == (pytest.approx((33, 21), abs=2), ["pico"])
    check_overview(one, library(upload["buffer"], position=one.position))
    expected = study(load("pico", device="cpu"), decode(examples()[2].path), StudyOptions(stage=2))
    assert said(two.numbers("attention")[0]) == stepped(expected.attention)
    expect(two.page.locator("#thumbs button[aria-pressed=true]")).to_have_attribute("title", examples()[2].name)
    for tab, view in ((one, "overview"), (two, "attention")):  # each tab's history is its own
        with tab.answer(view):
            tab.page.reload()
    check_overview(one, library(upload["buffer"], position=one.position))
    expect(two.page.locator("#stage input[value='2']")).to_be_checked()
    assert two.problems == []
    two.page.close()


def test_a_response_that_arrives_late_changes_nothing(lens):
    """The tour's third step opens another tab; by then the visitor has opened one by hand, and chosen a stage."""
    lens.look_at("tour")
    lens.page.evaluate("window.hold = true")
    lens.page.locator(".lens-steps a").nth(2).click()
    lens.page.wait_for_function("window.arrived === 1")
    lens.page.locator("#tab-kernels-button").click()
    lens.page.wait_for_function("window.arrived === 2")
    lens.choose("stage", 1)
    lens.page.wait_for_function("window.arrived === 3")
    with lens.answer("kernels"):
        lens.page.evaluate("window.release()")
    lens.settled("kernels")
    expect(lens.page.locator("#tab-kernels-button")).to_have_attribute("aria-selected", "true")
    expect(lens.page.locator("#stage input[value='1']")).to_be_checked()
    assert "tab=kernels&stage=1" in lens.page.url
