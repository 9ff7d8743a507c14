"""Figures as a visitor has them: What if, Trust, a backbone of timm as a column, the paper's first figure in one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from demo.tour import STEPS
from tests.browser.conftest import MINIATURES, Served
from tests.browser.lens import PATIENCE, PHONE, Lens
from tests.browser.opened import opened

pytestmark = pytest.mark.browser
BACKBONE = "timm:test_vit@untrained"  # its sanity checks take the least time

# Notes what a progress bar says.
PROGRESS = """(selector) => {
  const root = document.querySelector(selector), options = { subtree: true, childList: true, attributes: true };
  const note = () => window.texts.push(root.querySelector(".lens-progress[aria-valuenow]")?.ariaValueText || "");
  window.texts = [];
  new MutationObserver(note).observe(root, options);
}"""

READY = """([view, last]) => {
  const root = document.querySelector(`#figures-${view} .lens-figures`), images = [...root.querySelectorAll("img")];
  const there = root.querySelector(`[data-name="${last}"]`) && !root.classList.contains("stale");
  if (!there || root.querySelector(".lens-skeleton") || !images.every((i) => i.complete && i.offsetWidth)) return false;
  return Object.fromEntries([...root.querySelectorAll(".lens-figure")].map((one) => [one.dataset.name, {
    alt: one.querySelector("img")?.alt, wide: one.querySelector("img")?.naturalWidth,
    shown: one.querySelector("img")?.offsetWidth, caption: one.querySelector("figcaption").textContent,
    limits: one.querySelector(".lens-limits").textContent, rows: one.querySelectorAll("tbody tr").length,
    reached: one.querySelector(".lens-scroll").tabIndex === 0,
  }]));
}"""


@pytest.fixture(scope="module")
def lens(chromium: Browser, served: Served) -> Iterator[Lens]:
    with opened(chromium, f"{served.url}?tab=erf", "erf") as visited:
        yield visited


def figures(lens: Lens, view: str, last: str) -> dict[str, dict]:
    """A view's figures by name, when the one that comes last is there and every image is drawn."""
    return lens.page.wait_for_function(READY, arg=[view, last], timeout=2 * PATIENCE).json_value()


def check(found: dict[str, dict], *images: str) -> None:
    """These figures have an image with words for who cannot see it; all say what they are and are not."""
    for name in images:
        assert len(found[name]["alt"]) > 20
        assert found[name]["wide"] >= 1200
        assert found[name]["shown"] >= 700  # readable: a narrow screen scrolls
    for one in found.values():
        assert one["caption"]
        assert one["limits"]
        assert one["reached"]  # by the keyboard, to scroll it


def fits(lens: Lens) -> None:
    wide = lens.page.viewport_size["width"]
    assert lens.page.evaluate("document.documentElement.scrollWidth") <= wide


def add(lens: Lens, name: str) -> None:
    field = lens.page.locator("#backbone textarea, #backbone input")
    if not field.is_visible():
        lens.page.locator("#more > button").click()
    field.click()
    field.fill(name)
    field.press("Enter")


def test_on_a_phone_ablation_shows_its_figures(visit):
    lens = visit(viewport=PHONE)
    lens.look_at("ablation")
    lens.start("ablation")
    found = figures(lens, "ablation", "ablation_heads")
    check(found, "ablation_table", "ablation_heads")
    assert found["ablation_table"]["rows"] > 0
    fits(lens)
    lens.page.locator("#figures-ablation summary").first.click()  # its numbers, in a table that scrolls
    fits(lens)


def test_the_papers_first_figure_in_one_click(lens):
    assert "beside" not in figures(lens, "erf", "erf_pathways")
    lens.page.locator("#beside label").click()
    found = figures(lens, "erf", "beside")
    check(found, "beside", "erf_curves", "erf_pathways")
    for name in ("pico", *(f"{miniature}@untrained" for miniature in MINIATURES)):
        assert name in found["beside"]["alt"]
        assert name in found["erf_curves"]["alt"]
    assert "Random weights" in found["beside"]["caption"]
    lens.page.locator("#beside label").click()
    lens.settled("erf")


def test_a_timm_backbone_is_a_column_and_can_be_tested(lens):
    lens.look_at("overview")
    with lens.answer():
        add(lens, BACKBONE)
    assert lens.titles("overview") == ["pico", "test_vit (timm) (random weights)"]
    assert lens.ticked() == ["pico", BACKBONE]
    with lens.answer():
        lens.tick("pico")
    lens.look_at("sanity_checks")
    lens.page.evaluate(PROGRESS, "#figures-sanity_checks")
    lens.start("sanity_checks")
    found = figures(lens, "sanity_checks", "agreement")
    texts = lens.page.evaluate("window.texts")
    assert any(re.fullmatch(r"\d+ of \d+, about \d+ s left", text) for text in texts), texts
    check(found, "faithfulness", "randomization", "agreement")
    assert found["checks"].get("wide") is None  # only its table speaks
    assert found["checks"]["rows"] >= 5
    lens.page.locator(STEPS[-1].target).get_by_role("table").wait_for()  # what the tour's last step outlines
    fits(lens)
    add(lens, "resnet5000")
    lens.page.get_by_text("timm has no backbone called 'resnet5000'").wait_for()
