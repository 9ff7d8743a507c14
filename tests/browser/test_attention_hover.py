"""Hovering: the map of any unit, head and direction, at once, from the browser's own table; and it is the library's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest

from demo.examples import examples
from demo.tables import table_json
from tests.browser.lens import PHONE, WIDE, Lens
from tests.fixtures.small_model import image
from transxnet import load
from transxnet.draw.text import number
from transxnet.images import decode
from transxnet.results import AttentionTable
from transxnet.study import StudyOptions, study

pytestmark = pytest.mark.browser
PHOTO = examples()[0].path
BLOCKS = [(stage, block) for stage, depth in enumerate(load("pico").spec.depths, 1) for block in range(1, depth + 1)]
LARGE = "#panel-attention .lens-frame"
FUSED = {"mean": np.mean, "max": np.max}


@cache
def library(stage: int, block: int = 0) -> AttentionTable:
    return study(
        load("pico"), decode(PHOTO), StudyOptions(stage=stage, block=block, analyses=("attention_table",))
    ).attention_table


def expected(table: AttentionTable, direction: str, head: int | str, x: float, y: float) -> tuple:
    """(row, column) of the unit nearest to a point, its map, and by how much quantizing may move a value of it."""
    own = table.queries if direction == "from" else table.keys
    unit = own.unit_at(x, y)
    maps = table.attention_from(*unit).heads if direction == "from" else table.attention_to(*unit).heads
    steps = table.weights.max(axis=-1) / 255  # (heads, Nq)
    index = unit[0] * own.grid[1] + unit[1]
    of_values = steps[:, index, None, None] if direction == "from" else steps.reshape(-1, *table.queries.grid)
    fused = FUSED.get(head, lambda heads, axis: heads[int(head) - 1])
    margin = np.max if head == "max" else fused  # of several heads the largest one's step, else their own
    return unit, fused(maps, axis=0), margin(np.broadcast_to(of_values, maps.shape), axis=0) / 2 * (1 + 1e-3) + 1e-7


# ---- the arithmetic, without a page -------------------------------------------------------------------------


@pytest.mark.parametrize(("stage", "block"), BLOCKS)
def test_every_head_of_every_block_position_attention(scripts, stage, block):
    """Of an image that is cropped, so that points of the upload are not those of the view."""
    shown = image(5, 300, 220)
    s = study(load("pico"), shown, StudyOptions(stage=stage, block=block, analyses=("attention_table", "block_table")))
    table, heads = s.attention_table, ["mean", "max", *range(1, len(s.attention_table.weights) + 1)]
    random = np.random.default_rng(stage)
    points = [(0, 0), (299, 219), (150, 110), *random.uniform((0, 0), (299, 219), (3, 2)).round().tolist()]
    asked = [[way, head, *position] for way in ("from", "to") for head in heads for position in points]
    found = scripts.evaluate(
        """async ([sent, asked]) => {
          const t = await importModule("core/attention_tables.js"), table = t.decodeTable(sent);
          return asked.map(([way, head, x, y]) => { const map = t.attentionMapAt(table, way, head, { x, y });
            return [map.unit.row, map.unit.col, map.rows, map.cols, [...map.values],
              ...["entropy", "distance"].map((name) =>
                way === "from" ? t.statisticOf(table, name, head, map.unit.index) : 0)];
          }); }""",
        [table_json(s.block_table), asked],
    )
    for (way, head, x, y), (row, col, rows, cols, values, entropy, distance) in zip(asked, found, strict=True):
        unit, raw, margin = expected(table, way, head, x, y)
        assert ((row, col), (rows, cols)) == (unit, raw.shape)
        assert (np.abs(np.reshape(values, raw.shape) - raw) <= margin).all(), (way, head)
        if way == "from":  # exactly the library's: not those of the weights in steps
            at = table.attention_from(row, col)
            some = slice(None) if isinstance(head, str) else slice(head - 1, head)
            assert entropy == pytest.approx(at.entropy[some].mean(), rel=1e-6)
            assert distance == pytest.approx(at.distance[some].mean(), rel=1e-6)


def test_the_nearest_unit_is_pythons_half_way_too(scripts):
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    s = study(load("pico"), decode(noise), StudyOptions(stage=3, analyses=("block_table",)))
    geometry = s.block_table.queries
    points = [(x, y) for x in range(0, 128, 3) for y in range(0, 128, 7)] + [(v, v) for v in range(8, 128, 16)]
    found = scripts.evaluate(
        """async ([sent, points]) => {
          const t = await importModule("core/attention_tables.js"), table = t.decodeTable(sent);
          const of = (x, y) => t.unitAt(table, table.queries, { x, y });
          return points.map(([x, y]) => [of(x, y).row, of(x, y).col]); }""",
        [table_json(s.block_table), points],
    )
    assert [tuple(one) for one in found] == [geometry.unit_at(*position) for position in points]
    halves = {round((geometry.to_input(*position)[0] / 16) % 1, 6) for position in points}
    assert 0.5 in halves  # some points do lie half way


# ---- on the page --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lens(chromium, served) -> Iterator[Lens]:
    """One visitor in the attention view."""
    context = chromium.new_context(viewport=WIDE, reduced_motion="reduce", locale="en-GB")
    lens = Lens(context.new_page(), served.url).open()
    lens.look_at("attention")
    lens.drawn("attention")
    yield lens
    problems = lens.problems
    context.close()
    assert problems == []


@pytest.fixture
def leave(lens) -> Iterator[Callable[[], None]]:
    """To where nothing is hovered over, and the display as it was."""

    def away() -> None:
        lens.page.mouse.move(2, 2)
        frame(lens)

    yield away
    show(lens, "from", "mean")
    away()


def show(lens: Lens, direction: str, head: int | str) -> None:
    lens.page.evaluate(
        "([d, h]) => { lens.display.set('direction', d); lens.display.set('head', h); }", [direction, head]
    )


def frame(lens: Lens) -> None:
    """Until what was asked of the next frame is drawn."""
    lens.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def hover(lens: Lens, across: float, down: float, where: str = LARGE) -> tuple[int, int]:
    """Over a map or the image, at shares of its sides; returns the point of the upload, as the page counts."""
    target = lens.page.locator(where).first
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    lens.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
    frame(lens)
    position = lens.page.evaluate("window.lens.crosshair.hovered")
    return position["x"], position["y"]


def check(lens: Lens, table: AttentionTable, direction: str, head: int | str, x: int, y: int) -> None:
    (drawn,) = lens.numbers("attention")
    unit, raw, margin = expected(table, direction, head, x, y)
    shown = "1" if len(table.weights) == 1 else str(head)
    assert (drawn["direction"], drawn["head"], drawn["stage"]) == (direction, shown, str(table.stage))
    assert (int(drawn["row"]), int(drawn["col"])) == unit
    assert float(drawn["peak"]) == pytest.approx(raw.max(), abs=float(margin.max()))
    assert float(drawn["sum"]) == pytest.approx(raw.sum(), abs=float(margin.sum()))
    if direction == "from" and head != "max":
        at, which = table.attention_from(*unit), "mean" if head == "mean" else head
        some = slice(None) if which == "mean" else slice(which - 1, which)
        caption = lens.panel("attention").locator(".lens-frame + figcaption").text_content()
        entropy, distance = number(at.entropy[some].mean()), number(at.distance[some].mean())
        assert f"normalized entropy {entropy} · mean distance {distance} px" in caption
        tiles = lens.panel("attention").locator(".lens-heads-of .lens-tile span").all_text_contents()
        assert tiles == [f"{i}: {number(v)}" for i, v in enumerate(at.entropy, 1)]


@pytest.mark.parametrize(("stage", "block"), [(3, 0), (1, 1), (4, 0), (2, 0)])
def test_hovering_draws_the_librarys_map_and_asks_nobody(lens, leave, stage, block):
    for element, value in (("stage", stage), ("block", block)):
        if not lens.page.locator(f"#{element} input[value='{value}']").is_checked():
            with lens.answer("attention"):
                lens.choose(element, value)
    leave()
    table, still, asked = library(stage, block), lens.canvases("attention"), lens.events()
    check(lens, table, "from", "mean", *lens.position)
    heads = len(table.weights)
    for direction in ("from", "to"):
        for head in ("mean", "max", 1, heads)[: 4 if heads > 1 else 1]:
            show(lens, direction, head)
            for across, down, where in ((0.1, 0.2, LARGE), (0.85, 0.7, "#crosshair .lens-photo")):
                check(lens, table, direction, head if heads > 1 else 1, *hover(lens, across, down, where))
                assert lens.canvases("attention") != still
    show(lens, "from", "mean")
    leave()
    check(lens, table, "from", "mean", *lens.position)
    assert lens.canvases("attention") == still
    assert lens.events() == asked


def test_the_controls_heads_and_stages_of_the_view(lens, leave):
    if not lens.page.locator("#stage input[value='3']").is_checked():
        with lens.answer("attention"):
            lens.choose("stage", 3)
    leave()
    asked, panel = lens.events(), lens.panel("attention")
    panel.locator("label:has(input[value=to])").click()
    panel.get_by_label("head 2", exact=True).click()  # the small map
    leave()
    check(lens, library(3), "to", 2, *lens.position)
    assert panel.locator("input[name=lens-head][value='2']").is_checked()
    assert panel.locator(".lens-tile[aria-pressed=true]").count() == 1
    (tiles,) = lens.numbers("attention", "tiles")
    users = library(3).attention_to(*library(3).keys.unit_at(*lens.position)).heads
    assert float(tiles["peak"]) == pytest.approx(users.max(), rel=0.004)
    peaks = panel.locator(".lens-small").evaluate_all("all => all.map((one) => Number(one.dataset.peak))")
    for stage, peak in enumerate(peaks, 1):
        _, raw, margin = expected(library(stage), "to", "mean", *lens.position)
        assert peak == pytest.approx(raw.max(), abs=float(margin.max()))
    names = panel.locator("canvas[role=img]").evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    assert "head 2 of 4" in names[0]
    assert all(names)
    hover(lens, 0.3, 0.3)
    assert "weight" in panel.locator(".lens-frame .lens-readout").text_content()
    assert lens.events() == asked


def test_one_crosshair_for_maps_image_and_keys(lens, leave):
    x, y = hover(lens, 0.25, 0.75)
    marks = lens.page.locator(".lens-mark.under:visible")
    assert marks.count() == 2 + 4  # the image, the large map, four stages
    with lens.answer("attention"):
        lens.page.mouse.down()
        lens.page.mouse.up()
    leave()
    assert lens.position == pytest.approx((x, y), abs=1)  # a click is told in whole pixels of the screen
    x, y = lens.position
    table = library(int(lens.numbers("attention")[0]["stage"]))
    check(lens, table, "from", "mean", x, y)
    with lens.answer("attention"):
        lens.photo.focus()
        lens.page.keyboard.press("Shift+ArrowRight")
        frame(lens)
        check(lens, table, "from", "mean", *lens.position)  # before any answer
    assert lens.position != (x, y)
    lens.look_at("overview")
    spots = lens.panel("overview").locator(".lens-mark.fixed:visible")
    assert spots.count() == 3  # attention, Grad-CAM, receptive field
    assert len({spot.get_attribute("style") for spot in spots.all()}) == 1
    lens.look_at("attention")


def choose_stage(lens: Lens, stage: int) -> None:
    if not lens.page.locator(f"#stage input[value='{stage}']").is_checked():
        with lens.answer("attention"):
            lens.choose("stage", stage)
    lens.drawn("attention")


def hundred_hovers(lens: Lens) -> np.ndarray:
    """Milliseconds from pointermove to the drawn maps, of 100 moves."""
    hover(lens, 0.5, 0.5)
    lens.page.evaluate("window.took = []")
    for i in range(100):
        before = lens.canvases("attention") if i % 25 == 0 else None
        hover(lens, 0.03 + 0.94 * (i * 37 % 100) / 100, 0.03 + 0.94 * (i * 61 % 100) / 100)
        assert before is None or lens.canvases("attention") != before
    took = lens.page.evaluate("window.took")
    assert len(took) == 100
    return np.array(took)


@pytest.mark.timing
def test_hover_to_drawn_map_under_16_ms(lens, leave):
    """Of one model over the stage of most units; and of two over that of most heads, after a visit to Kernels."""
    slowness = lens.slowness()
    lens.page.evaluate(
        """() => { window.took = []; let began = 0;
          addEventListener("pointermove", () => { began ||= performance.now(); }, true);
          document.addEventListener("lens:drawn", () => {
            if (began) window.took.push(performance.now() - began);
            began = 0;
          }); }"""
    )
    choose_stage(lens, 1)
    took = {"stage 1, one model": hundred_hovers(lens)}
    lens.look_at("kernels")
    lens.look_at("attention")
    lens.compare("pico@untrained", view="attention")
    choose_stage(lens, 4)
    took["stage 4, two models"] = hundred_hovers(lens)
    assert lens.panel("attention").locator(".lens-heads-of .lens-tile").count() == 2 * len(library(4).weights)
    slowness = max(slowness, lens.slowness())
    print(f"\nslowness of the machine: {slowness:.1f}")
    for what, times in took.items():
        print(f"{what}: median {np.median(times):.1f} ms, 95 % under {np.quantile(times, 0.95):.1f} ms")
    assert max(np.median(times) for times in took.values()) < 16 * slowness


def test_a_finger_on_a_phone(visit):
    lens: Lens = visit(viewport=PHONE, has_touch=True)
    lens.look_at("attention")
    asked, drawn = lens.events(), []
    target = lens.page.locator(LARGE).first
    target.scroll_into_view_if_needed()
    box, touch = target.bounding_box(), lens.page.context.new_cdp_session(lens.page)
    for kind, across in (("touchStart", 0.2), ("touchMove", 0.35), ("touchMove", 0.6), ("touchMove", 0.9)):
        at = {"x": box["x"] + across * box["width"], "y": box["y"] + 0.3 * box["height"]}
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
        frame(lens)
        drawn.append(lens.numbers("attention")[0]["col"])
    assert len(set(drawn[1:])) == 3
    position = lens.page.evaluate("window.lens.crosshair.hovered")
    check(lens, library(3), "from", "mean", position["x"], position["y"])
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    frame(lens)
    check(lens, library(3), "from", "mean", *lens.position)
    assert lens.events() == asked
    assert lens.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
