"""The display controls on the real page: what each changes, that none asks the server, and what a pointer reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from demo.examples import examples
from demo.i18n.translate import tr
from tests.browser.lens import PHONE, WIDE, Lens
from transxnet import load
from transxnet.explain.kernels.kernels import REPRESENTATIVE_COUNT, representatives
from transxnet.images import decode
from transxnet.study import Study, study

pytestmark = pytest.mark.browser
SQUARES = ".lens-frame canvas, .lens-tile canvas"
PIXELS = f"all => [...all.querySelectorAll('{SQUARES}')].map((one) => one.toDataURL())"


@pytest.fixture(scope="module")
def opened(chromium, served) -> Iterator[Lens]:
    """One visitor's page for all tests: what they change lives in this page, and goes when it is reset."""
    context = chromium.new_context(viewport=WIDE, reduced_motion="reduce", locale="en-GB")
    page = Lens(context.new_page(), served.url).open()
    yield page
    context.close()
    assert page.problems == page.strangers == []


@pytest.fixture
def lens(opened) -> Lens:
    """The page as it opens."""
    opened.page.evaluate(
        "Object.entries(lens.display.defaults).forEach(([key, value]) => lens.display.set(key, value))"
    )
    opened.photo.hover()
    if (more := opened.page.locator("#display .more")).get_attribute("aria-expanded") == "true":
        more.click()
    return opened


def pixels(lens) -> list[str]:
    """Of all maps and small squares of the overview."""
    return lens.panel("overview").evaluate(PIXELS)


@cache
def library() -> Study:
    return study(load("pico"), decode(examples()[0].path))


def bars(lens, part: str) -> list[str]:
    return lens.panel("overview").locator(f".lens-head .{part}").all_text_contents()


def test_every_control_redraws_and_none_asks_the_server(lens):
    controls, start, events = lens.page.locator("#display"), pixels(lens), lens.events()
    maps = lens.panel("overview").locator(".lens-frame").count()
    reset = controls.get_by_role("button", name="Reset")
    assert not reset.is_visible()
    controls.get_by_role("button", name="More").click()

    def changed() -> tuple[int, int]:
        """How many maps and how many small squares look different from the start; then all is reset."""
        now = [a != b for a, b in zip(start, pixels(lens), strict=True)]
        kinds = lens.panel("overview").evaluate(
            f"all => [...all.querySelectorAll('{SQUARES}')].map((one) => one.closest('.lens-frame') !== null)"
        )
        reset.click()
        assert pixels(lens) == start
        assert not reset.is_visible()
        large = sum(different for different, big in zip(now, kinds, strict=True) if big)
        return large, sum(now) - large

    for name, value, expected in [
        ("opacity", "40", (maps, 0)),
        ("gamma", "50", (maps, REPRESENTATIVE_COUNT)),
        ("threshold", "60", (maps, REPRESENTATIVE_COUNT)),
    ]:
        controls.locator(f"[name={name}]").fill(value)
        assert changed() == expected, name
    controls.locator("[name=colormap]").select_option("cividis")
    assert changed() == (maps, 0)
    controls.locator("[name=diverging]").select_option("coolwarm")
    assert changed() == (0, REPRESENTATIVE_COUNT)
    controls.get_by_label("model input").check()
    assert changed() == (maps, 0)
    controls.get_by_text("masked", exact=True).click()
    assert controls.locator("[name=threshold]").input_value() == "30"
    assert changed() == (maps, REPRESENTATIVE_COUNT)
    assert lens.events() == events


def test_normalized_says_so_and_every_map_has_its_own_ends(lens):
    controls, found = lens.page.locator("#display"), library()
    assert bars(lens, "warning") == [""] * 4
    controls.get_by_text("normalized", exact=True).click()
    assert bars(lens, "warning") == [tr("display.warning")] * 4
    assert controls.get_by_role("status").text_content() == tr("display.warning")
    ends = lens.panel("overview").locator(".lens-cell .ends span:last-child").all_text_contents()
    heatmap = found.receptive_field.heatmap / found.receptive_field.heatmap.mean()
    tops = [found.attention.mean.max(), found.grad_cam.heatmap.max(), np.quantile(heatmap, 0.995)]
    assert [float(end) for end in ends] == pytest.approx(tops, rel=0.006)  # three digits are shown
    kernels = found.kernels.kernels[representatives(found.kernels)]
    own = lens.panel("overview").locator(".lens-tile .own").all_text_contents()
    assert [float(text.lstrip("±")) for text in own] == pytest.approx(np.abs(kernels).max(axis=(1, 2)), rel=0.006)

    controls.get_by_text(tr("display.raw"), exact=True).click()
    assert bars(lens, "warning") == [""] * 4
    assert not lens.panel("overview").locator(".lens-cell .lens-colorbar").first.is_visible()


def test_the_bars_show_gamma_and_where_drawing_begins(lens):
    lens.page.evaluate("window.lens.display.set('threshold', 0.25); window.lens.display.set('gamma', 0.5);")
    controls, found = lens.page.locator("#display"), library()
    assert controls.locator("[name=threshold]").get_attribute("aria-valuetext") == "25%"  # whoever writes, it follows
    begins = float(found.attention.mean.max()) / 4
    said = bars(lens, "settings")
    assert said[0].startswith("gamma 0.5, shown from ")
    assert float(said[0].rsplit(" ", 1)[1]) == pytest.approx(begins, rel=0.006)
    assert "±" in said[1]
    attention = lens.panel("overview").locator(".lens-head .lens-colorbar").first
    line = attention.locator("canvas").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, 256, 1).data].filter((_, i) => i % 4 === 3)"
    )
    assert line == [0] * 64 + [255] * 192  # a quarter is left out: 64 / 255 is the first share that is not below it
    ticks = attention.locator(".strip i").evaluate_all("all => all.map((one) => one.hidden ? '' : one.style.left)")
    assert ticks == ["25%", ""]


def test_a_pointer_reads_values_units_and_places(lens):
    found, panel = library(), lens.panel("overview")
    heatmap = found.attention.mean
    row, col = np.unravel_index(heatmap.argmax(), heatmap.shape)
    canvas, keys = panel.locator(".lens-frame canvas").first, found.attention.keys
    x, y = keys.center(int(row), int(col))
    box = canvas.bounding_box()
    high, wide = keys.input_size
    canvas.hover(position={"x": (x + 0.5) * box["width"] / wide, "y": (y + 0.5) * box["height"] / high})
    told = panel.locator(".lens-frame .lens-readout").first.text_content()
    assert told == f"{heatmap.max():.3g} weight\nrow {row + 1}, column {col + 1}"

    kernels = found.kernels.kernels
    channel = representatives(found.kernels)[1]
    tile = panel.locator(".lens-tile canvas").nth(1)
    side = tile.bounding_box()["width"]
    tile.hover(position={"x": 0.5 * side / 7, "y": 6.5 * side / 7})
    name, value, place = panel.locator(".lens-tiles .lens-readout").text_content().split("\n")
    assert name == f"channel {channel + 1}"
    assert float(value.removesuffix(" weight")) == pytest.approx(kernels[channel, 6, 0], rel=0.06)
    assert place == "tap in row 7, column 1"
    lens.photo.hover()
    assert panel.locator(".lens-readout:visible").count() == 0


def test_on_a_phone_the_controls_are_folded_and_a_held_finger_reads(visit):
    lens = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    page, controls = lens.page, lens.page.locator("#display")
    assert not controls.locator("[name=opacity]").is_visible()
    controls.locator("summary").focus()
    page.keyboard.press("Enter")
    assert controls.locator("[name=opacity]").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    canvas, events = lens.panel("overview").locator(".lens-frame canvas").first, lens.events()
    canvas.scroll_into_view_if_needed()
    box, touch = canvas.bounding_box(), page.context.new_cdp_session(page)
    at = {"x": box["x"] + 20, "y": box["y"] + box["height"] / 2}
    told = []
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    told.append(lens.panel("overview").locator(".lens-readout:visible").text_content())
    for step in (40, 80):
        moved = {"x": at["x"] + step, "y": at["y"]}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [moved]})
    told.append(lens.panel("overview").locator(".lens-readout:visible").text_content())
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    columns = [int(re.search(r"column (\d+)", one)[1]) for one in told]
    assert columns[0] < columns[1]
    assert lens.panel("overview").locator(".lens-readout:visible").count() == 0
    assert lens.events() == events


def test_keys_alone_reach_every_control(lens):
    page, controls = lens.page, lens.page.locator("#display")
    controls.locator("[name=opacity]").focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("window.lens.display.opacity") == 0.84
    reached = []
    for _ in range(9):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.name || document.activeElement.textContent"))
        if reached[-1] == "scale":
            page.keyboard.press("ArrowRight")
        if reached[-1] == "More":
            page.keyboard.press("Enter")
    assert page.evaluate("window.lens.display.scale") == "normalized"
    assert reached[:8] == ["scale", "More", "Reset", "colormap", "diverging", "gamma", "threshold", "model_resolution"]
