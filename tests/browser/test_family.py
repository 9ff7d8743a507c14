"""T, S and B from the tests' own Hub, on loopback: downloaded by the real client, side by side on the page."""

from __future__ import annotations

import pytest

from demo.examples import examples
from tests.browser.lens import Lens
from tests.hub import NAMESPACE, family_root, file_digest
from transxnet import load
from transxnet.images import decode
from transxnet.study import StudyOptions, study

pytestmark = pytest.mark.browser


def test_t_s_and_b_stand_side_by_side(visit, hub_served, artifacts):
    lens: Lens = visit(hub_served.url)
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
        assert f"hf-hub:{repository}" in row
        assert file_digest(family_root() / repository / "model.safetensors")[:8] in row
    check_t(lens)
    lens.page.screenshot(path=artifacts / "family-overview-1440.png", full_page=True)

    lens.look_at("attention")
    assert lens.titles("attention") == ["T", "S", "B"]
    assert [one["variant"] for one in lens.numbers("attention")] == ["t", "s", "b"]
    for name, column in zip("tsb", lens.panel("attention").locator(".lens-head").all_text_contents(), strict=True):
        assert f"hf-hub:{NAMESPACE}/transxnet_{name}" in column
    lens.page.screenshot(path=artifacts / "family-attention-1440.png", full_page=True)


def check_t(lens: Lens) -> None:
    """T's numbers on the page are the library's with the same file."""
    image = decode(examples()[0].path)
    source = family_root() / NAMESPACE / "transxnet_t" / "model.safetensors"
    expected = study(load("t", source), image, StudyOptions(position=lens.position))
    attention, _, field = [one for one in lens.numbers("overview") if one["variant"] == "t"]
    assert float(attention["peak"]) == pytest.approx(expected.attention.mean.max(), rel=1e-6)
    assert float(field["r50"]) == pytest.approx(expected.receptive_field.numbers["r50"], rel=1e-6)
