"""Every view at both widths, for a person to look at; and nothing may stick out of a phone's screen.

LENS_SCREENSHOTS=1 also writes README's pictures, assets/screenshots/*.png, anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from demo.captions import VIEWS
from demo.wanted import WANTED
from tests.browser.conftest import ROOT
from tests.browser.lens import PHONE, WIDE, Lens

pytestmark = pytest.mark.browser
IN_README = ("overview", "attention", "kernels", "compare", "tour")
FIGURES = [name for name in VIEWS if WANTED[name].figures and name != "what_if"]  # whose come when they are asked for


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["desktop", "phone"])
def test_every_view_fits_its_screen(visit, artifacts, viewport):
    lens: Lens = visit(viewport=viewport)
    picture(lens, artifacts / f"overview-alone-{viewport['width']}.png")
    lens.compare("pico@untrained")
    views = [name for name in VIEWS if name != "trust"]  # which takes a minute: test_explanations.py has it
    for view in sorted(views, key=FIGURES.__contains__):
        if view in FIGURES and "pico@untrained" in lens.ticked():
            lens.look_at("overview")
            lens.compare("pico@untrained")  # taken away: one variant's figures are sooner there
        if view != "overview":
            lens.look_at(view)
        if viewport == WIDE and view in IN_README and os.environ.get("LENS_SCREENSHOTS"):
            for_readme(lens, ROOT / "assets" / "screenshots" / f"{view}.png")
        if view in FIGURES:
            lens.drawn(view)
        picture(lens, artifacts / f"{view}-{viewport['width']}.png")
        wide = lens.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= viewport["width"], f"{view} is {wide} px wide"
        assert cut(lens) == [], view


def for_readme(lens: Lens, path: Path) -> None:
    """What a visitor sees first of a view: one screen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lens.page.evaluate("document.querySelector('#side').scrollTop = 0; scrollTo(0, 0)")  # clicks have moved them
    lens.page.wait_for_timeout(1500)  # fonts and maps settle; no test waits for this
    lens.page.screenshot(path=path)


def cut(lens: Lens) -> list[str]:
    """Buttons, fields and small pictures of the page's side and of a view's controls that stick out sideways."""
    return lens.page.evaluate(
        """() => [...document.querySelectorAll("#side, .controls")].filter((box) => box.offsetParent).flatMap((box) => {
          const edge = Math.min(box.getBoundingClientRect().right, innerWidth) + 1;
          return [...box.querySelectorAll("button, label, input, img")]
            .filter((one) => !one.closest(".lens-back")) // a picture that floats
            .filter((one) => one.offsetParent && one.getBoundingClientRect().right > edge)
            .map((one) => one.outerHTML.slice(0, 120));
        })"""
    )


def test_a_dark_page_has_the_same_roles(visit, artifacts):
    lens: Lens = visit(color_scheme="dark")
    picture(lens, artifacts / "overview-dark-1440.png")
    colours = lens.page.evaluate(
        """() => { const style = getComputedStyle(document.querySelector(".lens-intro"));
          return [style.color, getComputedStyle(document.querySelector(".gradio-container")).backgroundColor]
            .map((text) => text.match(/\\d+/g).slice(0, 3).reduce((sum, one) => sum + Number(one), 0) / 3); }"""
    )
    assert colours[0] > 180 > 60 > colours[1]  # light letters on dark ground
    lens.look_at("attention")
    picture(lens, artifacts / "attention-dark-1440.png")


def picture(lens: Lens, path: Path) -> None:
    lens.page.mouse.move(0, 0)
    lens.page.screenshot(path=path, full_page=True)
    assert path.stat().st_size > 10_000
