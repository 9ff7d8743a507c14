"""Compare in a browser: numbers are the library's, the wipe sends nothing, two photos, the chart by keyboard."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from demo.examples import examples
from demo.i18n.translate import tr
from demo.published import published
from demo.reference_image import corresponding_position
from tests.browser.lens import PHONE
from tests.browser.test_page import as_png
from transxnet import load
from transxnet.explain.kernels.change import kernel_change
from transxnet.explain.sanity.agreement import compare_maps
from transxnet.images import SourceImage, decode
from transxnet.study import StudyOptions, study

pytestmark = pytest.mark.browser

PIXELS = """(canvas) => {
  const { width, height } = canvas, { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const sums = [0, 0, 0];
  for (let p = 0; p < width * height; p++) sums[Math.min(2, Math.floor((4 * (p % width)) / width))] += data[4 * p];
  return sums;
}"""  # of the red values: the first quarter, the second, the right half


def looked(lens, name: str, **options):
    """What the library says of the page's image at the page's point."""
    image = decode(examples()[0].path)
    return study(load(name, device="cpu"), image, StudyOptions(position=lens.position, **options))


def near(value: float):
    return pytest.approx(value, rel=1e-3, abs=1e-6)


def fits(lens) -> bool:
    return lens.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def measured(lens) -> None:
    lens.panel("compare").locator("[data-measuring=false]").wait_for()


def test_two_variants(visit):
    """Numbers, the wipe by keys and by mouse without any request, costs, and the chart by keyboard."""
    lens = visit()
    lens.compare("pico@untrained")
    lens.look_at("compare")
    panel = lens.panel("compare")
    with lens.answer("compare"):
        panel.get_by_role("button", name="Grad-CAM").click()
    measured(lens)

    trained = looked(lens, "pico")
    random = looked(lens, "pico@untrained", target=trained.target.wnid)
    (expected,) = compare_maps({"a": trained.grad_cam, "b": random.grad_cam}).differences
    (found,) = [one for one in lens.numbers("compare") if "correlation" in one]
    assert float(found["correlation"]) == near(expected.correlation)
    assert float(found["common"]) == near(expected.overlap)
    assert float(found["mean"]) == near(expected.mean_absolute)
    line = panel.locator(".agreement tbody tr").inner_text()
    assert f"{expected.correlation:.2f}" in line
    assert f"{100 * expected.overlap:.0f}%" in line

    costs = {row.get_attribute("data-key"): row.inner_text() for row in panel.locator(".costs tbody tr").all()}
    assert "2.21 M" in costs["parameters"]
    assert "46.7%" in costs["accuracy"]
    assert "random weights" in costs["accuracy"]
    assert " ms" in costs["time"]
    assert "× pico" in costs["time"]

    asked = lens.requests()
    _wipe(lens)
    _chart(lens)
    assert lens.requests() == asked


def _wipe(lens) -> None:
    slider, canvas = lens.panel("compare").get_by_role("slider"), lens.panel("compare").locator(".lens-wipe canvas")
    assert slider.get_attribute("aria-valuenow") == "50"
    before = canvas.evaluate(PIXELS)
    slider.focus()
    for _ in range(3):
        lens.page.keyboard.press("PageDown")
    lens.page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuenow") == "22"
    assert slider.get_attribute("aria-valuetext") == "22% pico, 78% pico (random weights)"
    moved = canvas.evaluate(PIXELS)
    assert moved[1] != before[1]  # from 22 % on the second map is seen now
    assert moved[2] == before[2]  # where it was seen before
    lens.page.keyboard.press("End")
    whole = canvas.evaluate(PIXELS)
    assert (whole[0], whole[1]) == (before[0], before[1])  # all of it the first map
    assert whole[2] != before[2]

    box = canvas.bounding_box()
    lens.page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"])
    lens.page.mouse.down()
    lens.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.6 * box["height"], steps=3)
    lens.page.mouse.up()
    assert slider.get_attribute("aria-valuenow") == "50"
    assert canvas.evaluate(PIXELS) == before
    assert slider.evaluate("node => node === document.activeElement")


def _chart(lens) -> None:
    """Every point says its numbers, and where they are from in a link; nothing of the two sets is mixed."""
    chart = lens.panel("compare").locator(".lens-chart")
    rows = [row for row in published() if row.resolution == 224 and not row.by_timm]
    assert chart.locator(".point").count() == len(rows)
    assert chart.locator(".ring, .looked").count() == 0  # nothing chosen is on it: all of the family by name only
    assert sorted(
        chart.locator(".point:has(text)").evaluate_all("all => all.map((one) => one.dataset.name)")
    ) == sorted(row.name for row in rows if row.model == "TransXNet")
    chart.locator(".point[data-name='TransXNet T']").focus()
    text = chart.locator(".lens-point-text")
    assert "81.6% top-1, 1.8 GMACs, 12.8 M parameters, 224 px" in text.inner_text()
    link = text.get_by_role("link").first
    assert link.inner_text() == "github.com/LMMMEng/TransXNet"
    assert link.get_attribute("href").startswith("https://github.com/LMMMEng/TransXNet/")
    by_cost = sorted(rows, key=lambda row: (row.gmacs, row.top1))
    after = by_cost[[row.name for row in by_cost].index("TransXNet T") + 1]
    lens.page.keyboard.press("ArrowRight")
    assert text.get_attribute("data-name") == after.name
    assert lens.page.evaluate("document.activeElement.dataset.name") == after.name
    lens.page.keyboard.press("End")
    assert text.get_attribute("data-name") == by_cost[-1].name
    assert "not shown: pico." in chart.inner_text().lower()
    for row in (by_cost[0], by_cost[-1]):  # a click keeps a point, one on another point keeps that
        chart.locator(f".point[data-name='{row.name}']").click()
        chart.locator(f".point[data-name='{after.name}']").hover()
        assert text.get_attribute("data-name") == row.name
    chart.locator(f".point[data-name='{by_cost[-1].name}']").click()  # lets go

    chart.get_by_role("button", name="measured by timm").click()
    chart.get_by_role("button", name="all sizes").click()
    assert chart.locator(".point").count() == sum(row.by_timm for row in published())
    chart.get_by_text("Data table").click()
    expect(chart.locator("tbody tr")).to_have_count(sum(row.by_timm for row in published()))  # made when it opens
    assert all(chart.locator("tbody tr td:last-child").evaluate_all("all => all.map((one) => one.querySelector('a'))"))
    chart.get_by_role("button", name="reported by authors").click()


def test_two_photos_on_a_phone(visit):
    """What is generated differs between photos, as much as the library says; everything fits 390 pixels."""
    lens = visit(viewport=PHONE)
    lens.look_at("compare")
    panel = lens.panel("compare")
    measured(lens)
    assert "Select a second model to compare" in panel.inner_text()
    assert not lens.page.locator("#other-compare").is_visible()
    assert fits(lens)
    with lens.answer("compare"):
        panel.get_by_role("button", name="Two images on one model").click()
        panel.locator("[data-photos=true]").wait_for()
    assert lens.page.locator("#other-compare").is_visible()
    check_photos(lens, *(decode(example.path) for example in examples()[:2]))
    assert tr("compare_photos.limits") in panel.inner_text()
    assert fits(lens)

    own = [as_png(decode(example.path).rgb[:, ::-1]) for example in examples()[2:4]]
    for sent in own:
        with lens.answer("compare"):
            lens.send(sent)
    with lens.answer("compare"):
        lens.page.locator("#other-compare button").nth(len(examples())).click()  # the one before this one
    before, last = (decode(sent["buffer"]) for sent in own)
    check_photos(lens, last, before)
    assert fits(lens)


def check_photos(lens, first: SourceImage, second: SourceImage) -> None:
    """The numbers are the library's for pico, from the page's point of the first and the same place of the second."""
    model, place = load("pico", device="cpu"), corresponding_position(lens.position, first.size, second.size)
    one = study(model, first, StudyOptions(position=lens.position))
    two = study(model, second, StudyOptions(position=place))
    moved = kernel_change(one.kernels, two.kernels)
    tiles = lens.numbers("compare", "tiles")
    assert float(tiles[2]["distance"]) == near(float(np.nanmedian(moved.distance)))
    assert [float(found["peak"]) for found in lens.numbers("compare")] == [
        near(s.attention.mean.max()) for s in (one, two)
    ]
