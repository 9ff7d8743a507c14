"""The page while the connection is gone, while it is slow, and while others use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from demo.examples import examples
from demo.i18n.translate import tr
from tests.browser.cable import Cable
from tests.browser.conftest import Served
from tests.browser.lens import Lens
from tests.browser.test_page import as_png, check_overview, library, said, stepped
from transxnet.images import decode

pytestmark = pytest.mark.browser
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 500_000, "uploadThroughput": 500_000}  # bytes a second

# The next question takes longer to reach the server than those after it, as on a connection of its own.
SLOW_QUESTION = """(() => {
  const ask = window.fetch.bind(window);
  window.fetch = async (input, init) => {
    if (window.slow && new URL(input.url || input, location.href).pathname.endsWith("/queue/join")) {
      window.slow = false;
      await new Promise((go) => setTimeout(go, 1000));
    }
    return ask(input, init);
  };
})();"""

# The end of a stream reaches the page only half a second after the receipt of the next question, as on a busy machine.
LATE_END = """(() => {
  const ask = window.fetch.bind(window), END = 'data: {"msg":"close_stream"';
  let release = () => {};

  const hold = () => new TransformStream({ async transform(text, controller) {
    const at = text.indexOf(END);
    if (at < 0) return controller.enqueue(text);
    controller.enqueue(text.slice(0, at));
    window.held = (window.held || 0) + 1;
    await new Promise((go) => { release = go; });
    controller.enqueue(text.slice(at));
  } });

  window.fetch = async (input, init) => {
    const response = await ask(input, init), { pathname } = new URL(input.url || input, location.href);
    if (pathname.endsWith("/queue/join")) setTimeout(release, 500);
    if (!pathname.endsWith("/queue/data")) return response;
    const text = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(hold());
    return new Response(text.pipeThrough(new TextEncoderStream()), { headers: response.headers });
  };
})();"""

# While window.hold is set, what the server sends waits; release(n) lets through the first n parts of it.
HELD_ANSWERS = """(() => {
  const ask = window.fetch.bind(window);
  const waiting = (window.waiting = []);
  window.release = (n) => { waiting.splice(0, n).forEach((go) => go()); };

  const held = (stream) => new ReadableStream({ async start(controller) {
    const reader = stream.getReader();
    let before = Promise.resolve();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const { value } = part, free = window.hold && new Promise((go) => waiting.push(go));
      window.heard += value;
      before = before.then(() => free).then(() => controller.enqueue(value));
    }
    before.then(() => controller.close());
  } });

  window.fetch = async (input, init) => {
    const response = await ask(input, init), { pathname } = new URL(input.url || input, location.href);
    if (!pathname.endsWith("/queue/data")) return response;
    const text = held(response.body.pipeThrough(new TextDecoderStream()));
    return new Response(text.pipeThrough(new TextEncoderStream()), { headers: response.headers });
  };
})();"""


def test_offline(visit):
    """What the browser holds goes on; what is asked waits, is said, and comes; an upload is still there."""
    lens = visit()
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
    lens.problems[:] = [one for one in lens.problems if "net::ERR_INTERNET_DISCONNECTED" not in one]  # Chromium's own


@pytest.fixture
def cable(served: Served) -> Iterator[Cable]:
    with closing(Cable(urlsplit(served.url).port)) as one:
        yield one


@pytest.mark.parametrize("silent", [False, True])
def test_what_was_being_answered_when_the_connection_went_is_answered_when_it_is_back(cable, visit, silent):
    """On the page that was there before, so that an upload is not lost; whether or not the server noticed."""
    lens = visit(cable.url)
    page, notice = lens.page, lens.page.locator(".lens-offline")
    upload = as_png(decode(examples()[2].path).rgb[:: -1 if silent else 1, ::-1])  # nobody has tested its maps
    with lens.answer():
        lens.send(upload)
    page.evaluate("window.here = true")
    page.locator("#tab-sanity_checks-button").click()
    lens.panel("sanity_checks").locator(".lens-skeleton").wait_for()
    cable.cut(silent)
    expect(notice).to_have_text(tr("offline.gone"))
    with lens.answer("sanity_checks"):
        cable.mend()
    assert page.evaluate("window.here")
    with lens.answer():
        lens.page.locator("#tab-overview-button").click()
    check_overview(lens, library(upload["buffer"]))
    cut = (
        "net::ERR_INCOMPLETE_CHUNKED_ENCODING",
        "net::ERR_SOCKET_NOT_CONNECTED",
        "net::ERR_EMPTY_RESPONSE",
        "net::ERR_CONNECTION_RESET",
    )
    lens.problems[:] = [one for one in lens.problems if not any(why in one for why in cut)]  # Chromium's own


def test_slow_network(visit):
    """Where a result will be something stands at once, nothing is blocked, and of two clicks the later one counts."""
    lens = visit()
    page = lens.page
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
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


def test_an_answer_in_parts_that_come_before_its_receipt_is_shown_in_full(visit):
    """Maps, then figures: both have come when the page is told the number of its question."""
    lens = visit()
    with lens.answer():
        lens.click_at(77, 33)  # nobody has tested the maps of this place: that takes long, and keeps a stream open
    lens.page.locator("#tab-sanity_checks-button").click()
    lens.panel("sanity_checks").locator(".lens-skeleton").wait_for()
    lens.page.evaluate("""() => {
      const ask = window.fetch;
      window.fetch = async (...all) => {
        const receipt = await ask(...all);
        if (String(all[0]).includes("/queue/join")) await new Promise((go) => setTimeout(go, 2500));
        return receipt;
      };
    }""")
    with lens.answer("attention"):
        lens.page.locator("#tab-attention-button").click()
    lens.drawn("attention")
    assert "view=attention" in lens.page.url


def test_of_two_clicks_the_later_one_counts_whichever_arrives_first(visit):
    lens = visit(before=SLOW_QUESTION)
    lens.page.evaluate("window.slow = true")
    with lens.answer():
        lens.click_at(20, 30)
        lens.click_at(90, 60)
    lens._settle("overview")
    assert lens.position == pytest.approx((90, 60), abs=2)
    check_overview(lens, library(position=lens.position))


@contextmanager
def late(lens: Lens) -> Iterator[None]:
    """The tour's third step is asked for; its answer reaches the page only when what is done inside has been asked."""
    lens.look_at("tour")
    lens.page.evaluate("window.hold = true, window.heard = ''")
    lens.page.locator(".lens-steps a").nth(2).click()
    lens.page.wait_for_function("window.heard.includes('process_generating')")
    parts = lens.page.evaluate("window.waiting.length")
    yield
    lens.page.evaluate("(n) => window.release(n)", parts)
    lens.page.locator(".lens-tour[data-step='3']").wait_for()
    lens.page.evaluate("window.hold = false, window.release(Infinity)")


def test_a_view_that_an_answer_opens_late_takes_nobody_away_from_the_next(visit):
    lens = visit(before=HELD_ANSWERS)
    with lens.answer("ablation"), late(lens), lens.page.expect_response("**/queue/join*"):
        lens.page.locator(".lens-steps a").nth(3).click()
    lens.settled("ablation")
    expect(lens.page.locator("#tab-ablation-button")).to_have_attribute("aria-selected", "true")
    assert "view=ablation" in lens.page.url


def test_what_is_chosen_by_hand_stays_although_an_answer_goes_elsewhere_late(visit):
    lens = visit(before=HELD_ANSWERS)
    with lens.answer("kernels"), late(lens):
        with lens.page.expect_response("**/queue/join*"):
            lens.page.locator("#tab-kernels-button").click()
        with lens.page.expect_response("**/queue/join*"):
            lens.choose("stage", 1)
        watch = "new MutationObserver((all) => { window.opened = all.length; })"
        what = "{subtree: true, attributeFilter: ['aria-selected']}"
        lens.page.evaluate(f"{watch}.observe(document.querySelector('#views'), {what})")
    lens.settled("kernels")
    assert lens.page.evaluate("window.opened") is None
    expect(lens.page.locator("#tab-kernels-button")).to_have_attribute("aria-selected", "true")
    expect(lens.page.locator("#stage input[value='1']")).to_be_checked()
    assert "view=kernels&stage=1" in lens.page.url


def test_a_question_on_its_way_while_the_stream_of_answers_ends_is_answered(visit):
    lens = visit(before=LATE_END)
    for held, (x, y) in enumerate([(40, 50), (60, 30)], start=1):
        lens.page.wait_for_function("(held) => window.held === held", arg=held)
        with lens.answer():
            lens.click_at(x, y)
        check_overview(lens, library(position=lens.position))


def test_two_visitors_keep_their_own_uploads(visit):
    one, two = visit(), visit()
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
