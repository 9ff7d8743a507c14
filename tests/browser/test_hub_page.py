"""A Hub that sends slowly, damaged or nothing: what a visitor sees meanwhile, and what stays usable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import serve
from tests.browser.lens import PATIENCE, PHONE, Lens
from tests.hub import NAMESPACE, HubServer, commit_of, file_digest, make_repo

pytestmark = pytest.mark.browser
FILE = "model.safetensors"
SLOW, DAMAGED = "transxnet_nano", "transxnet_pico_noste"


@pytest.fixture(scope="module")
def hub(tmp_path_factory) -> Iterator[HubServer]:
    """nano and a sibling in revision v1: one is sent as the test says, the other is not the file that was published."""
    root = tmp_path_factory.mktemp("hub")
    for name in (SLOW, DAMAGED):
        make_repo(root, NAMESPACE, name, revision="v1")
    damaged = root / NAMESPACE / DAMAGED / "revisions" / "v1" / FILE
    data = bytearray(damaged.read_bytes())
    data[-1] ^= 1
    damaged.write_bytes(data)
    with HubServer(root) as server:
        yield server


@pytest.fixture(scope="module")
def page(hub) -> Iterator[str]:
    elsewhere = f"{hub.url}/releases/v1.0"  # where T is looked for next; it has none
    namespace = f"{NAMESPACE}@v1"
    with serve("--hub-namespace", namespace, HF_ENDPOINT=hub.url, TRANSXNET_RELEASE_URL=elsewhere) as served:
        yield served.url


def row(lens: Lens, title: str) -> Locator:
    return lens.panel("overview").locator(".lens-row", has=lens.page.get_by_role("heading", name=title, exact=True))


def peaks(lens: Lens) -> list[str]:
    return [one["peak"] for one in lens.numbers("overview") if one["variant"] == "pico"]


def test_a_download_is_watched_while_the_rest_is_used(visit, hub, page, artifacts: Path):
    lens: Lens = visit(page)
    other: Lens = visit(page, viewport=PHONE)
    hub.hold(0.25, f"{SLOW}/revisions/v1/{FILE}")
    lens.tick("nano")
    bar = row(lens, "nano").get_by_role("progressbar", name="Downloading nano")
    bar.wait_for()
    assert row(lens, "nano").locator(".what").inner_text() == f"downloading hf-hub:{NAMESPACE}/{SLOW}@v1"
    assert hub.waiting.wait(PATIENCE / 1000)
    now = "bar => Number(bar.getAttribute('aria-valuenow'))"
    lens.page.wait_for_function("() => document.querySelector('.lens-progress').getAttribute('aria-valuenow') > 15")
    first = bar.evaluate(now)
    assert 15 < first <= 25
    assert re.fullmatch(r"\d+\.\d of 17\.8 MB", row(lens, "nano").locator(".amount").inner_text())
    assert bar.evaluate("bar => bar.firstElementChild.getBoundingClientRect().width") > 10
    lens.page.screenshot(path=artifacts / "hub-downloading-1440.png", full_page=True)

    before, canvases = peaks(lens), lens.panel("overview").locator("canvas").count()
    lens.click_at(10, 10)  # pico goes on answering
    lens.page.wait_for_function(
        "([view, was]) => document.querySelector(`#panel-${view} [data-variant=pico]`)?.dataset.peak !== was",
        arg=["overview", before[0]],
    )
    assert peaks(lens) != before
    assert lens.panel("overview").locator("canvas").count() == canvases
    other.tick("nano")  # somebody else waits for the same file
    row(other, "nano").get_by_role("progressbar").wait_for()
    expect(row(lens, "nano").locator(".stalled")).to_contain_text("No data received for", timeout=PATIENCE)
    other.page.screenshot(path=artifacts / "hub-stalled-390.png", full_page=True)

    marked = lens.panel("overview").locator(".lens-row").first
    marked.evaluate("row => { row.dataset.mine = 'same' }")  # a moving bar leaves the maps beside it alone
    hub.hold(0.75, f"{SLOW}/revisions/v1/{FILE}")
    lens.page.wait_for_function("was => document.querySelector('.lens-progress').ariaValueNow > was", arg=first + 30)
    assert marked.get_attribute("data-mine") == "same"
    assert row(lens, "nano").locator(".stalled").inner_text() == ""

    with lens.answer(), other.answer():
        hub.heal()
    folder = hub.root / NAMESPACE / SLOW / "revisions" / "v1"
    for one in (lens, other):
        told = row(one, "nano").locator("header p")
        assert f"hf-hub:{NAMESPACE}/{SLOW}@v1 at {commit_of(folder)[:8]}" in told.inner_text()
        assert f"SHA-256 {file_digest(folder / FILE)[:8]}…" in told.inner_text()
        assert commit_of(folder) in told.get_attribute("title")
        assert file_digest(folder / FILE) in told.get_attribute("title")
        assert one.page.locator("#variants label:has(input[name=nano])").inner_text().strip() == "nano"  # no arrow
    assert hub.downloads(FILE) == 1
    assert f"hf-hub:{NAMESPACE}@v1" in lens.page.locator(".lens-top").inner_text()
    other.compare("pico@untrained")
    other.look_at("attention")  # three narrow columns
    fits = "all => all.every((one) => one.scrollWidth <= one.clientWidth)"
    assert other.panel("attention").locator(".lens-head p").evaluate_all(fits)  # a long name stays in its column
    other.page.screenshot(path=artifacts / "hub-loaded-390.png", full_page=True)
    lens.page.screenshot(path=artifacts / "hub-loaded-1440.png", full_page=True)


def test_a_damaged_file_and_a_missing_repository_are_said_in_their_columns(visit, hub, page, artifacts: Path):
    lens: Lens = visit(page)
    with lens.answer():
        lens.without("STE")
    with lens.answer():
        lens.tick("t")
    assert lens.titles("overview") == ["pico (matched)", "pico (no STE)", "T"]
    assert row(lens, "pico (matched)").locator(".lens-frame.drawn").count() == 3  # bundled: the namespace lacks it
    damaged, missing = (row(lens, title).get_by_role("alert").inner_text() for title in ("pico (no STE)", "T"))
    assert f"hf-hub:{NAMESPACE}/{DAMAGED}@v1 is not the published file: its SHA-256 is" in damaged
    assert "Download it again; if that does not help, tell its publisher." in damaged
    assert f"The Hub has no repository {NAMESPACE}/transxnet_t, or it is private." in missing
    lens.page.screenshot(path=artifacts / "hub-failed-1440.png", full_page=True)
    with lens.answer():
        lens.tick("t")  # taken away again: the others stay
    assert lens.titles("overview") == ["pico (matched)", "pico (no STE)"]
