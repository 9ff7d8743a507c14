"""Ablation tab: the browser gets the library's numbers, and every state of the panel has its sentences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from demo.columns import Column
from demo.state import ViewState
from demo.views import Scene, view
from demo.views.ablation import change, logit
from tests.fixtures.small_model import SPEC, image, small_model
from tests.masks import format_mask
from transxnet.draw.text import percent
from transxnet.explain.ablation.ablation import ablation
from transxnet.explain.ablation.catalog import SELECTABLE
from transxnet.images import prepare_for
from transxnet.results.ablation import Ablation
from transxnet.study import StudyOptions, study

IMAGE, LABELS = image(), SPEC.labels
GRID = np.zeros((8, 10), bool)
GRID[2:5, 3:6] = True
MASK, EDITS = format_mask(GRID), ("uniform_gates@2.0", "head_off:2@3.1")


def render(state: ViewState, *columns: Column) -> dict:
    return view("ablation", Scene(columns, IMAGE, state, image_key="key"))


def make_column(name: str = "pico", model: Any = None, **options: Any) -> Column:
    options = StudyOptions(stage=3, block=1, analyses=("ablation",), **options)
    return Column(name, study(model or small_model(), IMAGE, options))


def first_cell(panel: dict) -> dict:
    return panel["columns"][0]["cell"]


@pytest.fixture(scope="module")
def panel() -> dict:
    state = ViewState(ablations=EDITS, mask=MASK, fill="inpaint")
    return render(state, make_column(ablations=EDITS, mask=MASK, fill="inpaint"))


@pytest.fixture(scope="module")
def expected() -> Ablation:
    return ablation(small_model().model, prepare_for(IMAGE, SPEC), LABELS, None, EDITS, MASK, "inpaint")


def test_bars_are_the_numbers_of_the_library(panel, expected):
    (cell,) = (column["cell"] for column in panel["columns"])
    assert [row["index"] for row in cell["rows"]] == [a.index for a in expected.predictions_before]
    assert [row["before"] for row in cell["rows"]] == [a.probability for a in expected.predictions_before]
    assert [row["after"] for row in cell["rows"]] == [a.probability for a in expected.predictions_after]
    assert [row["logits"] for row in cell["rows"]] == [
        [before.logit, after.logit]
        for before, after in zip(expected.predictions_before, expected.predictions_after, strict=True)
    ]
    before, after = expected.target
    assert cell["summary"].startswith(
        f"pico: {before.label} {percent(before.probability)} → {percent(after.probability)}, "
        f"logit {logit(before.logit)} → "
        f"{logit(after.logit)}."
    )
    assert ("It now answers" in cell["summary"]) == (expected.new_top is not None)


def test_masked_region_is_compared_with_its_shape_elsewhere(panel, expected):
    masked, elsewhere = first_cell(panel)["lines"]
    assert percent(expected.masked_share) in masked
    assert masked.endswith(f"by {change(expected.mask_effect)}.")
    changes = expected.control_effects
    assert f"by {change(float(changes.mean()))} on average ({len(changes)} positions" in elsewhere
    assert elsewhere.endswith(f"{change(float(changes.min()))} to {change(float(changes.max()))}).")
    assert first_cell(panel)["crop"].startswith("data:image/png;base64,")


def test_switches_and_their_scopes_are_the_librarys(panel):
    assert [row["name"] for row in panel["switches"]] == list(SELECTABLE)
    assert all(row["title"] and row["hint"] for row in panel["switches"])
    assert [switch["key"] for switch in panel["on"]] == list(EDITS)
    assert [(switch["name"], switch["head"], switch["scope"]["value"]) for switch in panel["on"]] == [
        ("uniform_gates", 0, "2.0"), ("head_off", 2, "3.1"),
    ]  # fmt: skip
    assert [(scope["value"], scope["label"], scope["heads"]) for scope in panel["scopes"]] == [
        ("0.0", "everywhere", 5), ("3.0", "stage 3", 3), ("3.1", "stage 3, block 1", 3),
    ]  # fmt: skip


def test_canvas_shows_the_crop_of_the_first_model(panel):
    painting = panel["painting"]
    assert (painting["box"], painting["upload"], painting["key"]) == ([10, 0, 90, 80], [100, 80], "key")
    assert (painting["mask"], painting["fill"]) == (MASK, "inpaint")
    assert [fill["value"] for fill in painting["fills"]] == ["gray", "blur", "inpaint"]
    assert "64 × 64 for pico" in painting["pixels"]


def test_no_change_gives_equal_bars():
    cell = first_cell(render(ViewState(), make_column()))
    assert (cell["changed"], cell["lines"], cell["crop"]) == (False, [], "")
    assert [row["after"] for row in cell["rows"]] == [row["before"] for row in cell["rows"]]


def test_target_outside_the_top_five_has_its_row():
    last = int(np.argmin(make_column().study.predictions.logits))
    cell = first_cell(render(ViewState(), make_column(target=last)))
    assert cell["rows"][-1]["index"] == cell["target"] == last
    assert len(cell["rows"]) == 6


def test_model_without_the_part_says_so():
    edits = ("no_osra@3.0",)
    without = make_column("pico_noosra", small_model(osra=False), ablations=edits)
    panel = render(ViewState(ablations=edits), make_column(ablations=edits), without)
    first, second = (column["cell"]["lines"] for column in panel["columns"])
    assert first == []
    assert "has no OSRA" in second[0]


def test_class_that_a_model_lacks_is_reported():
    cell = first_cell(render(ViewState(), make_column(target="tench")))
    assert "has no class “tench”" in cell["lines"][0]


def test_region_outside_the_crop_changes_nothing():
    margin = np.zeros((8, 10), bool)
    margin[:, 0] = True  # the crop begins at column 10 of 100
    mask = format_mask(margin)
    cell = first_cell(render(ViewState(mask=mask), make_column(mask=mask)))
    assert cell["lines"] == ["The occluded region lies outside the input crop of pico."]
    assert not cell["changed"]


def test_nothing_can_be_painted_while_the_model_loads():
    panel = render(ViewState(), Column("pico"))
    assert panel["painting"] is None
    assert first_cell(panel)["kind"] == "pending"
    assert [scope["value"] for scope in panel["scopes"]] == ["0.0"]


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0.347, "35%"), (0.0996, "10%"), (0.041, "4.1%"), (0.0004, "< 0.1%"), (0.0, "0%")],
)
def test_shares_have_the_digits_that_they_need(probability, text):
    assert percent(probability) == text


def test_logits_have_a_true_minus():
    assert (logit(-1.234), change(-0.5), change(0.5)) == ("\u22121.23", "\u22120.50", "+0.50")
