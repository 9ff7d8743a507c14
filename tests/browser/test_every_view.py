"""Every view: images for a person to look at, and what nobody should meet in one.

One walk through all views, each looked at on a wide screen, in the dark and as narrow as a phone, and once more in
Korean; each test reads what was seen.
LENS_SCREENSHOTS=1 also writes images of all of them, and README's, assets/screenshots/*.png, anew.

What axe finds is told in full, of whatever kind; what Gradio's own markup has would be listed in `GRADIOS` by rule and
selector.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

from demo.state import TABS
from demo.views import VIEWS
from tests.browser.conftest import ROOT
from tests.browser.lens import PHONE, WIDE, Lens

pytestmark = pytest.mark.browser
SCREENS = {"wide": (WIDE, "light"), "dark": (WIDE, "dark"), "phone": (PHONE, "light")}  # size and colors
KOREAN = {"Korean": (WIDE, "light"), "Korean, dark": (WIDE, "dark")}
PLACE = (51, 61)  # a position whose sanity checks are not cached, so that they take seconds
WRITES_IMAGES = bool(os.environ.get("LENS_SCREENSHOTS"))
SCREENSHOTS = ROOT / "assets" / "screenshots"
IN_README = ("attention", "kernels", "compare", "tour")
FIRST_SCREENS = {"phone": PHONE, "laptop": {"width": 1440, "height": 900}, "projector": {"width": 1920, "height": 1080}}
FIGURES = [name for name in TABS if VIEWS[name].figures and name != "ablation"]
GRADIOS: set[tuple[str, str]] = set()  # (rule, selector)

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
# By these rules, all if there are none, in the whole page or in the panel of the selected tab.
VIOLATIONS = """async ([whole, rules]) => {
  const panel = document.querySelector("#views [role=tab][aria-selected=true]").getAttribute("aria-controls");
  const options = { resultTypes: ["violations"], ...(rules.length && { runOnly: rules }) };
  const { violations } = await axe.run(whole ? document : document.getElementById(panel), options);
  return violations.flatMap((rule) => rule.nodes.map((node) => [rule.id, node.target.join(" ")]));
}"""
OF_COLORS = ("color-contrast", "link-in-text-block")  # all that the dark scheme can change

# Buttons, fields and small images of the page's side and of a view's controls that stick out sideways.
CUT = """() => [...document.querySelectorAll("#side, #toolbar, .controls")].flatMap((box) => {
  if (!box.offsetParent) return [];
  const edge = Math.min(box.getBoundingClientRect().right, innerWidth) + 1;
  return [...box.querySelectorAll("button, label, input, img")]
    .filter((one) => !one.closest(".lens-back")) // an image that floats
    .filter((one) => one.offsetParent && one.getBoundingClientRect().right > edge)
    .map((one) => one.outerHTML.slice(0, 120));
})"""
NAMELESS = """() => [...document.querySelectorAll("#views canvas, .lens-photo, #thumbs img")].filter((one) => {
  if (one.closest("[aria-hidden=true]")) return false;
  const named = one.closest(".lens-photo, [role=img], [role=application], button, [role=button]");
  return !(one.alt || named?.getAttribute("aria-label"))?.trim();
}).map((one) => one.outerHTML)"""
# Colors change by transitions, which stay in the list for a while when they are finished.
RESTS = "!document.getAnimations().some((one) => one instanceof CSSTransition && one.playState === 'running')"
# How light letters and the ground are, 0 to 255.
LIGHTNESS = """() => { const style = getComputedStyle(document.querySelector(".lens-hero h2"));
  return [style.color, getComputedStyle(document.querySelector(".gradio-container")).backgroundColor]
    .map((text) => text.match(/\\d+/g).slice(0, 3).reduce((sum, one) => sum + Number(one), 0) / 3); }"""


@dataclass(frozen=True)
class Found:
    """What was met on a screen, by view. wide: pixels. lightness: of letters and ground."""

    viewport: dict[str, int]
    wide: dict[str, int]
    cut: dict[str, list[str]]
    nameless: dict[str, list[str]]
    violations: dict[str, set[tuple[str, str]]]
    lightness: tuple[float, float]


@pytest.fixture(scope="module")
def walk(chromium, served, artifacts) -> Iterator[dict[str, Found]]:
    context = chromium.new_context(viewport=WIDE, color_scheme="light", reduced_motion="reduce", locale="en-GB")
    lens = Lens(context.new_page(), served.url).open()
    lens.page.evaluate(AXE)
    if WRITES_IMAGES:
        lens.page.locator(".lens-hero-row").wait_for()
        for name, size in FIRST_SCREENS.items():
            lens.page.set_viewport_size(size)
            for_readme(lens, SCREENSHOTS / f"first-screen-{name}.png")
    screens = {}
    for name, (viewport, _) in SCREENS.items():
        turn_to(lens, name)
        screens[name] = Found(viewport, {}, {}, {}, {}, tuple(lens.page.evaluate(LIGHTNESS)))
        image(lens, artifacts / f"overview-alone-{name}.png")
    turn_to(lens, "wide")
    lens.compare("pico@untrained")
    for view in sorted(TABS, key=lambda one: (one == "sanity_checks", one in FIGURES)):
        if view == "sanity_checks":
            lens.look_at("overview")
            with lens.answer():
                lens.click_at(*PLACE)
        open_view(lens, view, one=view in FIGURES)
        if view in IN_README and WRITES_IMAGES:
            for_readme(lens, SCREENSHOTS / f"{view}.png")
        if view in FIGURES and view != "sanity_checks":
            lens.drawn(view)
        for name, found in screens.items():
            turn_to(lens, name)
            image(lens, artifacts / f"{view}-{name}.png")
            look(lens, view, name, found)
        turn_to(lens, "wide")
    yield screens | in_korean(lens, f"{served.url}?lang=ko")
    context.close()
    assert lens.problems == lens.strangers == []


def in_korean(lens: Lens, url: str) -> dict[str, Found]:
    """What axe finds in the views and what can be chosen in them, without the figures below."""
    lens.url = url
    lens.open()
    lens.page.evaluate(AXE)
    screens = {name: Found(viewport, {}, {}, {}, {}, (0, 0)) for name, (viewport, _) in KOREAN.items()}
    for view in TABS:
        if view != "overview":
            lens.look_at(view)
        for name, found in screens.items():
            turn_to(lens, name)
            found.violations[view] = violations(lens, view, name)
    return screens


def turn_to(lens: Lens, screen: str) -> None:
    viewport, scheme = (SCREENS | KOREAN)[screen]
    lens.page.set_viewport_size(viewport)
    lens.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    lens.page.wait_for_function("(dark) => document.body.classList.contains('dark') === dark", arg=scheme == "dark")
    lens.page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    lens.page.wait_for_function(RESTS)


def open_view(lens: Lens, view: str, one: bool) -> None:
    """one: of one variant alone, whose figures are sooner there. Sanity checks take a minute: while they run."""
    if one and "pico@untrained" in lens.ticked():
        lens.look_at("overview")
        lens.compare("pico@untrained")  # taken away
    if view == "sanity_checks":
        lens.look_at(view)
        lens.start(view)
        lens.page.locator(f"#figures-{view} .lens-progress").wait_for()
    elif view != "overview":
        lens.look_at(view)


def look(lens: Lens, view: str, screen: str, found: Found) -> None:
    found.wide[view] = lens.page.evaluate("document.documentElement.scrollWidth")
    found.cut[view] = lens.page.evaluate(CUT)
    found.nameless[view] = lens.page.evaluate(NAMELESS)
    found.violations[view] = violations(lens, view, screen)


def violations(lens: Lens, view: str, screen: str) -> set[tuple[str, str]]:
    """Around the panels, and with all that can be chosen, once a screen."""
    whole, rules = view == "overview", OF_COLORS if screen.endswith("dark") else ()
    if whole:
        lens.unfold()
        lens.page.locator("#more > button").click()
    found = {(rule, where) for rule, where in lens.page.evaluate(VIOLATIONS, [whole, rules])} - GRADIOS
    if whole:
        lens.page.locator("#more > button").click()
    return found


def image(lens: Lens, path: Path) -> None:
    lens.page.mouse.move(0, 0)
    if not WRITES_IMAGES:
        return
    lens.page.screenshot(path=path, full_page=True)
    assert path.stat().st_size > 10_000


def for_readme(lens: Lens, path: Path) -> None:
    """What a visitor sees first of a view: one screen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lens.page.evaluate("document.querySelector('#side').scrollTop = 0; scrollTo(0, 0)")  # clicks have moved them
    lens.page.wait_for_timeout(1500)  # fonts and maps settle; no test waits for this
    lens.page.screenshot(path=path)


@pytest.mark.parametrize("screen", SCREENS)
def test_every_view_fits_its_screen(walk, screen):
    found = walk[screen]
    assert {view: wide for view, wide in found.wide.items() if wide > found.viewport["width"]} == {}
    assert found.cut == {view: [] for view in TABS}


@pytest.mark.parametrize("screen", SCREENS | KOREAN)
def test_no_axe_violation(walk, screen):
    assert walk[screen].violations == {view: set() for view in TABS}


@pytest.mark.parametrize("screen", SCREENS)
def test_every_drawing_has_a_name(walk, screen):
    assert walk[screen].nameless == {view: [] for view in TABS}


@pytest.mark.parametrize("screen", SCREENS)
def test_a_dark_page_has_the_same_roles(walk, screen):
    letters, ground = walk[screen].lightness
    if screen == "dark":
        assert letters > 180 > 60 > ground
    else:
        assert letters < 60 < 180 < ground
