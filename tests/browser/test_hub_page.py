"""T, S and B from the tests' own Hub; one that sends slowly, damaged or nothing, and what stays usable meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from demo.examples import examples
from demo.i18n.translate import tr
from tests.browser.conftest import serve
from tests.browser.lens import PATIENCE, PHONE, Lens
from tests.hub import NAMESPACE, HubServer, commit_of, family_root, file_digest, make_repo
from transxnet import load
from transxnet.images import decode
from transxnet.study import StudyOptions, study

pytestmark = pytest.mark.browser
FILE = "model.safetensors"
SLOW, DAMAGED = "transxnet_nano", "transxnet_pico_noste"
MISSING = tr("models.title_b_384")


@pytest.fixture(scope="module")
def hub(tmp_path_factory) -> Iterator[HubServer]:
    """T, S, B, nano and a sibling in revision v1: nano is sent as the test says, the sibling's file is damaged."""
    root = tmp_path_factory.mktemp("hub")
    for name in (SLOW, DAMAGED):
        make_repo(root, NAMESPACE, name, revision="v1")
    for name in "tsb":
        revisions = root / NAMESPACE / f"transxnet_{name}" / "revisions"
        revisions.mkdir(parents=True)
        (revisions / "v1").symlink_to(family_root() / NAMESPACE / f"transxnet_{name}")
    damaged = root / NAMESPACE / DAMAGED / "revisions" / "v1" / FILE
    data = bytearray(damaged.read_bytes())
    data[-1] ^= 1
    damaged.write_bytes(data)
    with HubServer(root) as server:
        yield server


@pytest.fixture(scope="module")
def page(hub) -> Iterator[str]:
    elsewhere = f"{hub.url}/releases/v1.0"  # where B-384 is looked for next; it has none
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
    assert sum(SLOW in path for method, path in hub.requests if method == "GET" and path.endswith(FILE)) == 1
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
        lens.tick("b_384")
    assert lens.titles("overview") == ["pico (matched)", "pico (no STE)", MISSING]
    assert row(lens, "pico (matched)").locator(".lens-frame.drawn").count() == 3  # bundled: the namespace lacks it
    damaged, missing = (row(lens, title).get_by_role("alert").inner_text() for title in ("pico (no STE)", MISSING))
    assert f"hf-hub:{NAMESPACE}/{DAMAGED}@v1 is not the published file: its SHA-256 is" in damaged
    assert "Download it again; if that does not help, tell its publisher." in damaged
    assert f"The Hub has no repository {NAMESPACE}/transxnet_b_384, or it is private." in missing
    lens.page.screenshot(path=artifacts / "hub-failed-1440.png", full_page=True)
    with lens.answer():
        lens.tick("b_384")  # taken away again: the others stay
    assert lens.titles("overview") == ["pico (matched)", "pico (no STE)"]


def test_t_s_and_b_stand_side_by_side(visit, page, artifacts):
    lens: Lens = visit(page)
    offer = lens.page.locator("#offer")
    offer.wait_for()  # T was downloaded in the background
    with lens.answer():
        offer.click()
    assert lens.titles("overview") == ["pico", "T"]
    offer.wait_for(state="hidden")
    with lens.answer():
        for name in ("pico", "s", "b"):  # pico is taken away first: a fourth would push it out by itself
            lens.tick(name)
        lens.page.wait_for_function(
            """() => { const rows = [...document.querySelectorAll("#panel-overview .lens-row")];
              return rows.length === 3 && rows.every((row) => row.querySelectorAll(".lens-frame.drawn").length === 3)
                && rows[0].querySelector("h3").textContent === "T"; }"""
        )
    assert lens.titles("overview") == ["T", "S", "B"]
    rows = lens.panel("overview").locator(".lens-row > header").all_text_contents()
    for name, row in zip("tsb", rows, strict=True):
        repository = f"{NAMESPACE}/transxnet_{name}"
        assert f"hf-hub:{repository}@v1" in row
        assert file_digest(family_root() / repository / "model.safetensors")[:8] in row
    check_t(lens)
    lens.page.screenshot(path=artifacts / "family-overview-1440.png", full_page=True)

    lens.look_at("attention")
    assert lens.titles("attention") == ["T", "S", "B"]
    assert [one["variant"] for one in lens.numbers("attention")] == ["t", "s", "b"]
    for name, column in zip("tsb", lens.panel("attention").locator(".lens-head").all_text_contents(), strict=True):
        assert f"hf-hub:{NAMESPACE}/transxnet_{name}@v1" in column
    lens.page.screenshot(path=artifacts / "family-attention-1440.png", full_page=True)


def check_t(lens: Lens) -> None:
    """T's numbers on the page are the library's with the same file."""
    image = decode(examples()[0].path)
    source = family_root() / NAMESPACE / "transxnet_t" / "model.safetensors"
    expected = study(load("t", source), image, StudyOptions(position=lens.position))
    attention, _, field = [one for one in lens.numbers("overview") if one["variant"] == "t"]
    assert float(attention["peak"]) == pytest.approx(expected.attention.mean.max(), rel=1e-6)
    assert float(field["r50"]) == pytest.approx(expected.receptive_field.numbers["r50"], rel=1e-6)
