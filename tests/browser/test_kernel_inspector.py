"""The kernel view as somebody explores it: kernel, unit and tap; every number the library's, and no request."""

from __future__ import annotations

import numpy as np
import pytest

from demo.views.hero import CHANNELS as HERO_COUNT
from tests.browser.lens import PHONE
from tests.browser.test_page import library
from transxnet.explain.kernels.kernels import REPRESENTATIVE_COUNT
from transxnet.results.kernel_arithmetic import KernelArithmetic

pytestmark = pytest.mark.browser
CHANNELS = ("kernels", "kernel_arithmetic")


def looked_at(lens) -> dict[str, str]:
    return lens.panel("kernels").locator(".lens-inspector").evaluate("(one) => ({...one.dataset})")


def numbers(lens, grid: str) -> np.ndarray:
    """The values of one 7 x 7 grid of the inspector."""
    shown = lens.panel("kernels").locator(f".lens-inspector {grid} > div")
    return np.reshape(shown.evaluate("(one) => [...one.values]"), (7, 7))


def check(lens, found: KernelArithmetic, i: int, position: tuple[int, int]) -> None:
    """The inspector shows channel i, and takes apart the number of the unit under this point."""
    shown, (row, col) = looked_at(lens), found.units.unit_at(*position)
    assert int(shown["channel"]) == found.channels[i]
    assert (int(shown["row"]), int(shown["col"])) == (row, col)
    made = found.kernels[i].astype(np.float64)
    np.testing.assert_allclose(numbers(lens, ".lens-taps.big"), made, atol=1e-7)
    np.testing.assert_allclose(numbers(lens, ".pair:nth-child(2) .lens-taps:last-child"), found.gates[i, 1], atol=1e-7)
    np.testing.assert_allclose(numbers(lens, ".beside .lens-taps:first-child"), found.static_kernels[i], atol=1e-7)
    np.testing.assert_allclose(numbers(lens, ".line .lens-taps:nth-child(3)"), found.patch(i, row, col), atol=1e-7)
    products = made * found.patch(i, row, col)
    np.testing.assert_allclose(numbers(lens, ".line .lens-taps:nth-child(7)"), products, atol=1e-7)
    assert float(shown["mine"]) == pytest.approx(found.output(i, row, col), rel=1e-9)
    assert float(shown["output"]) == pytest.approx(float(found.outputs[i, row, col]), rel=1e-7)
    assert float(shown["mine"]) == pytest.approx(float(shown["output"]), rel=1e-5, abs=1e-5)


def until_unit(lens, row: int, col: int) -> None:
    lens.page.wait_for_function(
        "([row, col]) => { const one = document.querySelector('.lens-inspector').dataset;"
        " return Number(one.row) === row && Number(one.col) === col; }",
        arg=[row, col],
    )


def over_image(lens, x: float, y: float) -> None:
    """Move the pointer over a pixel of the upload, without pressing."""
    box, (width, height) = lens.photo.bounding_box(), lens.size
    lens.page.mouse.move(box["x"] + (x + 0.5) * box["width"] / width, box["y"] + (y + 0.5) * box["height"] / height)


def work(lens) -> dict[str, int]:
    """How many numbers are taken apart and maps and small squares painted, while ten places are hovered over and then
    ten opacities are set."""
    return lens.page.evaluate(
        """async () => {
          const done = { sums: 0, maps: 0, tiles: 0 };
          const sums = new MutationObserver((all) => { done.sums += all.length; });
          sums.observe(document.querySelector(".lens-inspector"), { attributeFilter: ["data-sum"] });
          const frame = () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
          for (let i = 0; i < 10; i++) { window.lens.crosshair.hover(20 + 5 * i, 30 + 3 * i); await frame(); }
          sums.disconnect();
          window.lens.crosshair.leave();
          await frame();
          const put = CanvasRenderingContext2D.prototype.putImageData;
          CanvasRenderingContext2D.prototype.putImageData = function (image, ...at) {
            if (this.canvas.closest(".lens-tile, .lens-unitmap")) done.tiles += 1;
            if (this.canvas.closest(".lens-frame")) done.maps += 1;
            return put.call(this, image, ...at);
          };
          for (let i = 0; i < 9; i++) window.lens.display.set("opacity", 0.3 + 0.01 * i);
          window.lens.display.set("opacity", window.lens.display.defaults.opacity);
          CanvasRenderingContext2D.prototype.putImageData = put;
          return done;
        }"""
    )


def test_hovering_kernels_and_the_image_shows_the_librarys_numbers_without_a_request(visitor):
    lens = visitor
    lens.look_at("kernels")
    lens.drawn("kernels")
    found, middle = library(analyses=CHANNELS).kernel_arithmetic, lens.position
    tiles = lens.panel("kernels").locator(".lens-row").first.locator(".lens-tile")
    assert tiles.count() == len(found.channels) == REPRESENTATIVE_COUNT
    check(lens, found, 0, middle)  # before anybody points: the first kernel, at the crosshair
    sent = lens.events()

    for i in (7, 4):
        tiles.nth(i).hover()
        check(lens, found, i, middle)
    for position in ((9, 9), (lens.size[0] - 9, 60), (200, 130)):  # a corner and an edge, where zeros lie beyond
        over_image(lens, *position)
        until_unit(lens, *found.units.unit_at(*position))
        check(lens, found, 4, position)
    output = lens.panel("kernels").locator(".lens-unitmap canvas").last
    size = output.bounding_box()["width"] / found.units.grid[1]
    output.hover(position={"x": 1.5 * size, "y": 6.5 * size})  # the maps themselves move the point as well
    until_unit(lens, 6, 1)

    big = lens.panel("kernels").locator(".lens-taps.big span").nth(10)
    big.hover()
    marked = lens.panel("kernels").locator(".lens-inspector span.at")
    assert marked.count() == 10  # of all the grids the same tap: generated, 2 learned, 2 gates, static, difference, 3
    assert "Row 2, column 4: " in lens.panel("kernels").locator(".made .lens-tap").text_content()

    tiles.nth(2).click()
    tiles.nth(9).hover()
    assert int(looked_at(lens)["channel"]) == found.channels[2]  # held
    lens.page.keyboard.press("Escape")
    tiles.nth(8).hover()
    assert int(looked_at(lens)["channel"]) == found.channels[8]
    tiles.nth(5).click()
    tiles.nth(5).click()  # a second press lets go
    assert looked_at(lens)["held"] == "false"
    assert lens.events() == sent

    # three rows of squares, two maps
    assert work(lens) == {"sums": 10, "maps": 0, "tiles": 10 * (3 * REPRESENTATIVE_COUNT + 2)}
    lens.look_at("overview")
    # its own and the three grids of the two images; nothing behind the other tab
    tiles = REPRESENTATIVE_COUNT + 3 * HERO_COUNT
    assert work(lens) == {"sums": 0, "maps": 10 * 3, "tiles": 10 * tiles}


def test_keyboard_alone_and_a_new_position_keeps_the_kernel(visitor):
    lens = visitor
    lens.look_at("kernels")
    found = library(analyses=CHANNELS).kernel_arithmetic
    tiles = lens.panel("kernels").locator(".lens-row").first.locator(".lens-tile")
    assert tiles.evaluate_all("all => all.filter((one) => one.tabIndex === 0).length") == 1
    tiles.first.focus()
    for key, i in (
        ("ArrowRight", 1),
        ("End", REPRESENTATIVE_COUNT - 1),
        ("ArrowRight", REPRESENTATIVE_COUNT - 1),
        ("ArrowLeft", REPRESENTATIVE_COUNT - 2),
        ("Home", 0),
        ("ArrowRight", 1),
    ):
        lens.page.keyboard.press(key)
        assert int(looked_at(lens)["channel"]) == found.channels[i]
    lens.page.keyboard.press("Enter")
    assert tiles.nth(1).get_attribute("aria-pressed") == "true"
    assert tiles.nth(1).get_attribute("aria-label") == f"Channel {found.channels[1] + 1} of pico"
    lens.page.keyboard.press("ArrowRight")
    assert int(looked_at(lens)["channel"]) == found.channels[1]

    with lens.answer("kernels"):
        lens.click_at(100, 120)
    over_nothing = lens.page.locator(".lens-top")
    over_nothing.hover()
    until_unit(lens, *found.units.unit_at(*lens.position))
    check(lens, found, 1, lens.position)
    assert looked_at(lens)["held"] == "true"
    big = lens.panel("kernels").locator(".lens-taps.big > div")
    big.focus()
    for _ in range(2):
        lens.page.keyboard.press("ArrowDown")  # to the middle first, then one down
    assert "Row 5, column 4: " in lens.panel("kernels").locator(".made .lens-tap").text_content()
    lens.page.keyboard.press("Escape")
    assert looked_at(lens)["held"] == "false"


def test_a_held_kernel_of_the_second_variant_stays_at_a_new_position(visitor):
    lens = visitor
    lens.look_at("kernels")
    lens.compare("pico@untrained", view="kernels")
    second = lens.panel("kernels").locator(".lens-row").first.locator(".lens-cell").nth(1).locator(".lens-tile")
    second.nth(3).click()
    before = looked_at(lens)
    assert (before["variant"], before["held"]) == ("pico@untrained", "true")
    with lens.answer("kernels"):
        lens.click_at(71, 93)
    after = looked_at(lens)
    assert [after[key] for key in ("variant", "channel", "held")] == [
        before[key] for key in ("variant", "channel", "held")
    ]
    with lens.answer("kernels"):  # by somebody whose focus is on it
        second.nth(3).focus()
        lens.page.evaluate(
            "document.querySelector('.lens-photo').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft' }))"
        )
    assert second.nth(3).evaluate("node => node === document.activeElement")


def test_on_a_phone_by_tap(visit):
    lens = visit(viewport=PHONE, has_touch=True)
    lens.look_at("kernels")
    found = library(analyses=CHANNELS).kernel_arithmetic
    lens.panel("kernels").locator(".lens-row").first.locator(".lens-tile").nth(6).tap()
    check(lens, found, 6, lens.position)
    lens.panel("kernels").locator(".lens-taps.big span").nth(48).tap()
    assert "Row 7, column 7: " in lens.panel("kernels").locator(".apart .lens-tap").first.text_content()
    assert lens.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    wide = lens.panel("kernels").evaluate(
        "(panel) => [...panel.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > 391).length"
    )
    assert wide == 0
