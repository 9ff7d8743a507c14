"""What if in a browser: switches and a brush move the bars to the library's numbers; its JavaScript's arithmetic."""

from __future__ import annotations

import json

import numpy as np
import pytest

from demo.examples import examples
from tests.browser.lens import PHONE, Lens
from tests.masks import format_mask
from transxnet import load
from transxnet.explain.ablation.masking import parse_mask
from transxnet.images import decode
from transxnet.results.ablation import Ablation
from transxnet.study import StudyOptions, study

pytestmark = pytest.mark.browser
UNIFORM, NO_OSRA = "uniform_gates@0.0", "no_osra@0.0"


@pytest.fixture(scope="module")
def asked_library():
    """asked_library(ablations=…, mask=…) -> the library's ablation of the first example in pico."""
    pico, image = load("pico", device="cpu"), decode(examples()[0].path)

    def ask(**asked: object) -> Ablation:
        return study(pico, image, StudyOptions(analyses=("ablation",), **asked)).ablation

    return ask


def rows(lens: Lens) -> list[dict[str, float]]:
    found = lens.panel("ablation").locator(".lens-pairs li").evaluate_all("all => all.map((one) => ({...one.dataset}))")
    return [{name: float(value) for name, value in row.items()} for row in found]


def agrees(lens: Lens, ablation: Ablation) -> None:
    """The bars are the library's numbers: the browser's server may run with other threads, so nearly."""
    found = rows(lens)
    assert [row["index"] for row in found] == [a.index for a in ablation.predictions_before]
    for name, expected in {
        "before": [a.probability for a in ablation.predictions_before],
        "after": [a.probability for a in ablation.predictions_after],
        "logitBefore": [a.logit for a in ablation.predictions_before],
        "logitAfter": [a.logit for a in ablation.predictions_after],
    }.items():  # fmt: skip
        assert [row[name] for row in found] == pytest.approx(expected, abs=2e-4), name


def switch(lens: Lens, name: str) -> None:
    lens.panel("ablation").locator(f"[data-focus='{name}']").click()


def sent(lens: Lens, field: str) -> object:
    """The last value of a field of the view state that the page sent."""
    bodies = [request.post_data_json for request in lens.asked if request.url.endswith("/lens/view")]
    return next(body["state"][field] for body in reversed(bodies) if field in body.get("state", {}))


def test_switches_and_the_brush_move_the_bars_to_the_librarys_numbers(visit, asked_library):
    lens = visit()
    lens.look_at("ablation")
    panel = lens.panel("ablation")
    agrees(lens, asked_library())
    assert "No changes: predictions for the unmodified image." in panel.locator(".lens-outcome").inner_text()

    with lens.answer("ablation"):
        switch(lens, "switch-uniform_gates")
    agrees(lens, asked_library(ablations=(UNIFORM,)))
    with lens.answer("ablation"):
        lens.page.keyboard.press("Enter")  # the focus stayed where it was: on again
    agrees(lens, asked_library())
    with lens.answer("ablation"):
        switch(lens, "switch-no_osra")
    with lens.answer("ablation"):
        switch(lens, "head-2")
    agrees(lens, asked_library(ablations=(NO_OSRA, "head_off:2@3.0")))
    with lens.answer("ablation"):
        panel.locator("[data-focus='where-no_osra']").select_option("3.0")
    both = ("no_osra@3.0", "head_off:2@3.0")
    agrees(lens, asked_library(ablations=both))

    canvas = panel.locator(".lens-brush canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    with lens.answer("ablation"):
        lens.page.mouse.move(box["x"] + 0.35 * box["width"], box["y"] + 0.4 * box["height"])
        lens.page.mouse.down()
        lens.page.mouse.move(box["x"] + 0.65 * box["width"], box["y"] + 0.5 * box["height"], steps=5)
        lens.page.mouse.up()
    first = sent(lens, "mask")
    ablation = asked_library(ablations=both, mask=first)
    agrees(lens, ablation)
    assert ablation.mask_effect != 0
    assert f"{ablation.mask_effect:+.2f}".replace("-", "\u2212") in panel.locator(".lens-line").first.inner_text()
    cells = parse_mask(first)
    assert 0.01 < cells.mean() < 0.2
    assert cells[round(0.45 * cells.shape[0]), round(0.5 * cells.shape[1])]  # a stroke has no gaps

    with lens.answer("ablation"):  # by keyboard: the square in the middle, then one beside it
        canvas.focus()
        for key in (" ", "ArrowRight", " "):
            lens.page.keyboard.press(key)
    second = sent(lens, "mask")
    assert parse_mask(second).sum() > cells.sum()
    agrees(lens, asked_library(ablations=both, mask=second))
    with lens.answer("ablation"):
        switch(lens, "fill2")
    agrees(lens, asked_library(ablations=both, mask=second, fill="inpaint"))
    for _ in range(2):
        with lens.answer("ablation"):
            switch(lens, "undo")
        assert lens.page.evaluate("document.activeElement.dataset.focus") == "undo"  # to go on from by keyboard
    assert sent(lens, "mask") == first
    agrees(lens, asked_library(ablations=both, mask=first, fill="inpaint"))
    with lens.answer("ablation"):
        switch(lens, "undo")
    with lens.answer("ablation"):
        switch(lens, "restore")
    agrees(lens, asked_library())
    assert (sent(lens, "mask"), sent(lens, "ablations")) == ("", [])


def test_on_a_phone_it_fits_and_its_parts_have_names(visit, asked_library):
    lens = visit(viewport=PHONE)
    lens.look_at("ablation")
    with lens.answer("ablation"):
        switch(lens, "switch-no_idconv")
    agrees(lens, asked_library(ablations=("no_idconv@0.0",)))
    assert lens.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    ablation = lens.panel("ablation").locator(".lens-ablation")
    assert ablation.get_by_role("switch", name="IDConv half").get_attribute("aria-checked") == "false"
    assert (
        ablation.get_by_role("application").get_attribute("aria-label").startswith("Input crop of pico, to paint on.")
    )
    first, last = ablation.get_by_role("switch").first, ablation.get_by_role("switch").last
    bars, outcome, canvas = (ablation.locator(one) for one in (".lens-pairs", ".lens-outcome", ".lens-brush canvas"))
    first.evaluate("node => node.scrollIntoView({block: 'end'})")
    assert bars.bounding_box()["y"] < outcome.bounding_box()["y"] < first.bounding_box()["y"]
    assert bars.bounding_box()["y"] >= 0  # in one look: the bars and a switch that moves them
    for further in (last, canvas):  # what became of it stays in sight, above
        further.evaluate("node => node.scrollIntoView({block: 'center'})")
        assert 0 <= outcome.bounding_box()["y"] < further.bounding_box()["y"]
        assert outcome.bounding_box()["y"] < 10


# ---- the grid of views/brush.js -------------------------------------------------------------------------------


REPACKED = """async (text) => {
  const { packMask, unpackMask } = await importModule("views/brush.js");
  return packMask(unpackMask(text));
}"""


def painted(scripts, size: list[int], longest: int, *calls: list) -> np.ndarray:
    text = scripts.evaluate(
        """async ([size, longest, calls]) => {
          const brush = await importModule("views/brush.js"), grid = brush.gridFor(size, longest);
          for (const [name, ...given] of calls) brush[name](grid, ...given);
          return JSON.stringify({rows: grid.rows, cols: grid.cols, cells: [...grid.cells]});
        }""",
        [size, longest, list(calls)],
    )
    found = json.loads(text)
    return np.reshape(found["cells"], (found["rows"], found["cols"])).astype(bool)


def test_a_stamp_paints_the_cells_whose_centres_it_covers(scripts):
    y, x = np.mgrid[:12, :16] + 0.5
    disc = painted(scripts, [640, 480], 16, ["stamp", 5.2, 4.7, 3.1])
    assert np.array_equal(disc, (x - 5.2) ** 2 + (y - 4.7) ** 2 <= 3.1**2)
    square = painted(scripts, [640, 480], 16, ["stamp", 15.0, 0.4, 2, True])  # over two edges
    assert np.array_equal(square, (abs(x - 15.0) <= 2) & (abs(y - 0.4) <= 2))
    tiny = painted(scripts, [640, 480], 16, ["stamp", 3.95, 7.05, 0.1])
    assert np.argwhere(tiny).tolist() == [[7, 3]]


def test_a_stroke_leaves_no_gap(scripts):
    found = painted(scripts, [100, 100], 50, ["stroke", [5, 5], [45, 25], 1.5])
    for t in np.linspace(0.05, 1, 60):
        assert found[int(5 + 20 * t), int(5 + 40 * t)]


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (72, 96)])
def test_a_mask_travels_as_the_library_writes_it(scripts, shape):
    grid = np.random.default_rng(1).random(shape) < 0.4
    grid[0, 0] = True
    text = format_mask(grid)
    found = scripts.evaluate("async (text) => [...(await importModule('views/brush.js')).unpackMask(text).cells]", text)
    assert np.array_equal(np.reshape(found, shape), grid)
    assert scripts.evaluate(REPACKED, text) == text


def test_nothing_painted_is_no_mask_and_nonsense_is_none(scripts):
    assert (
        scripts.evaluate(
            "async () => { const b = await importModule('views/brush.js'); return b.packMask(b.gridFor([10, 10], 8)); }"
        )
        == ""
    )
    for text in ("", "x", "2x2:8A=", "9x9:8A=="):
        assert scripts.evaluate("async (text) => (await importModule('views/brush.js')).unpackMask(text)", text) is None


# ---- the brush of views/brush.js ------------------------------------------------------------------------------

BRUSH = """async ([act, strings, fills]) => {
  const { createBrush } = await importModule("views/brush.js");
  const told = [], brush = createBrush((change) => told.push(change)), canvas = brush.node.querySelector("canvas");
  const painting = { key: "first", upload: [80, 60], box: [0, 0, 80, 60], mask: "", alt: "", fill: "gray", fills,
    strings, brushes: ["a", "b", "c"] };
  document.body.append(brush.node);
  canvas.style.cssText = "position: fixed; left: 0; top: 0; width: 80px; height: 60px";
  const show = (more) => brush.show({ ...painting, ...more }, null);
  const point = (on, kind, pointerId, x, y) => on.dispatchEvent(new PointerEvent(kind,
    { pointerId, clientX: x, clientY: y, isPrimary: pointerId === 1, pointerType: "touch", bubbles: true }));
  const press = (key) => canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const rest = () => new Promise((done) => setTimeout(done, 500));
  show();
  await eval(act)({ show, point, press, rest, canvas, told });
  brush.node.remove();
  return told;
}"""


def brushed(scripts, act: str) -> list[dict[str, str]]:
    """What a brush over 80 x 60 pixels tells while somebody acts."""
    strings = {"title": "", "hint": "", "pixels": "", "brush": "", "fill": "", "undo": "", "clear": ""}
    return scripts.evaluate(BRUSH, [act, strings, [{"value": "gray", "label": "gray"}]])


def test_a_second_finger_paints_nothing_and_ends_no_stroke(scripts):
    told = brushed(
        scripts,
        """async ({ point, canvas, told }) => {
          point(canvas, "pointerdown", 1, 10, 10);
          point(canvas, "pointerdown", 2, 70, 50);
          point(window, "pointermove", 2, 70, 10);
          point(window, "pointerup", 2, 70, 10);
          told.push("still painting");
          point(window, "pointermove", 1, 40, 10);
          point(window, "pointerup", 1, 40, 10);
        }""",
    )
    assert told[0] == "still painting"
    (mask,) = (one["mask"] for one in told[1:])
    rows, cols = np.nonzero(parse_mask(mask))
    high, wide = parse_mask(mask).shape
    radius = 0.05 * max(high, wide)
    assert rows.max() < 10 / 60 * high + radius
    assert cols.max() == pytest.approx(40 / 80 * wide + radius, abs=1)


def test_what_was_painted_by_key_a_moment_ago_is_not_told_of_another_image(scripts):
    assert len(brushed(scripts, "async ({ press, rest }) => { press(' '); await rest(); }")) == 1
    told = brushed(
        scripts,
        """async ({ show, press, rest, point, canvas }) => {
          press(" ");
          show({ key: "second" });
          await rest();
          point(canvas, "pointerdown", 1, 0, 0);
          point(window, "pointerup", 1, 0, 0);
        }""",
    )
    (mask,) = (one["mask"] for one in told)  # only the corner painted in the second image
    assert parse_mask(mask)[0, 0]
    assert not parse_mask(mask)[30:, 30:].any()
