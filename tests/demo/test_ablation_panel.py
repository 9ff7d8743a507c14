"""What if: what the browser gets is the library's ablation, and the table below comes when it is asked for only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from demo.below import Below, below, standing
from demo.cells import share
from demo.columns import Column
from demo.session import EVERY_ASKED, Session, changed
from demo.views import Scene, view
from demo.views.ablation import SWITCH_TEXTS, change, logit
from tests.fixtures.small_model import SPEC, image, small_model
from transxnet.explain.ablation.ablation import ablation
from transxnet.explain.ablation.catalog import SELECTABLE
from transxnet.explain.ablation.masking import format_mask
from transxnet.images import prepare_for
from transxnet.labels import label_set
from transxnet.study import StudyOptions, study

ONE, LABELS = image(), label_set(SPEC.label_set)
GRID = np.zeros((8, 10), bool)
GRID[2:5, 3:6] = True
MASK, EDITS = format_mask(GRID), ("uniform_gates@2.0", "head_off:2@3.1")


def shown(session: Session, *columns: Column) -> dict:
    return view("ablation", Scene(columns, ONE, session))


def column(name: str = "pico", loaded=None, **asked) -> Column:
    return Column(
        name, study(loaded or small_model(), ONE, StudyOptions(stage=3, block=1, analyses=("ablation",), **asked))
    )


@pytest.fixture(scope="module")
def panel() -> dict:
    session = Session(image="key", edits=EDITS, mask=MASK, fill="inpaint")
    return shown(session, column(ablations=EDITS, mask=MASK, fill="inpaint"))


@pytest.fixture(scope="module")
def tried():
    return ablation(small_model().model, prepare_for(ONE, SPEC), LABELS, None, EDITS, MASK, "inpaint")


def test_the_bars_are_the_librarys_numbers(panel, tried):
    (cell,) = (one["cell"] for one in panel["columns"])
    assert [row["index"] for row in cell["rows"]] == [a.index for a in tried.predictions_before]
    assert [row["before"] for row in cell["rows"]] == [a.probability for a in tried.predictions_before]
    assert [row["after"] for row in cell["rows"]] == [a.probability for a in tried.predictions_after]
    assert [row["logits"] for row in cell["rows"]] == [
        [old.logit, new.logit] for old, new in zip(tried.predictions_before, tried.predictions_after, strict=True)
    ]
    old, new = tried.target
    assert cell["said"].startswith(
        f"pico: {old.label} {share(old.probability)} → {share(new.probability)}, logit {logit(old.logit)} → "
        f"{logit(new.logit)}."
    )
    assert ("It now answers" in cell["said"]) == (tried.new_top is not None)


def test_painting_is_told_beside_the_same_shape_elsewhere(panel, tried):
    painted, elsewhere = panel["columns"][0]["cell"]["lines"]
    assert share(tried.masked_share) in painted
    assert painted.endswith(f"by {change(tried.mask_effect)}.")
    moved = tried.control_effects
    assert f"by {change(float(moved.mean()))} on average ({len(moved)} positions" in elsewhere
    assert elsewhere.endswith(f"{change(float(moved.min()))} to {change(float(moved.max()))}).")
    assert panel["columns"][0]["cell"]["view"].startswith("data:image/png;base64,")


def test_the_switches_are_the_librarys_and_know_where_they_hold(panel):
    assert [row["name"] for row in panel["switches"]] == list(SELECTABLE)
    assert set(SWITCH_TEXTS) == set(SELECTABLE)
    assert panel["edits"] == list(EDITS)
    assert [(one["name"], one["head"], one["scope"]["value"]) for one in panel["on"]] == [
        ("uniform_gates", 0, "2.0"), ("head_off", 2, "3.1"),
    ]  # fmt: skip
    assert [(one["value"], one["words"], one["heads"]) for one in panel["scopes"]] == [
        ("0.0", "everywhere", 5), ("3.0", "stage 3", 3), ("3.1", "stage 3, block 1", 3),
    ]  # fmt: skip


def test_the_canvas_shows_what_the_first_variant_sees(panel):
    painting = panel["painting"]
    assert (painting["box"], painting["upload"]) == ([10, 0, 90, 80], [100, 80])
    assert (painting["mask"], painting["fill"]) == (MASK, "inpaint")
    assert [fill["value"] for fill in painting["fills"]] == ["gray", "blur", "inpaint"]
    assert "64 × 64 for pico" in painting["words"]["pixels"]


def test_nothing_changed_is_said_to_be_nothing():
    cell = shown(Session(), column())["columns"][0]["cell"]
    assert (cell["changed"], cell["lines"], cell["view"]) == (False, [], "")
    assert [row["after"] for row in cell["rows"]] == [row["before"] for row in cell["rows"]]


def test_an_explained_class_that_is_no_first_answer_has_its_row():
    last = int(np.argmin(column().study.predictions.logits))
    cell = shown(Session(), column(target=last))["columns"][0]["cell"]
    assert cell["rows"][-1]["index"] == cell["explained"] == last
    assert len(cell["rows"]) == 6


def test_a_variant_without_a_part_says_so_beside_one_that_has_it():
    edits = ("no_osra@3.0",)
    without = column("pico_noosra", small_model(osra=False), ablations=edits)
    panel = shown(Session(edits=edits), column(ablations=edits), without)
    first, second = (one["cell"]["lines"] for one in panel["columns"])
    assert first == []
    assert "has no OSRA" in second[0]


def test_a_class_that_a_variant_lacks_is_said_where_its_own_is_explained():
    cell = shown(Session(), column(target="tench"))["columns"][0]["cell"]
    assert "has no class “tench”" in cell["lines"][0]


def test_a_region_outside_what_a_variant_sees_is_said_and_changes_nothing():
    margin = np.zeros((8, 10), bool)
    margin[:, 0] = True  # the view begins at column 10 of 100
    asked = {"mask": format_mask(margin)}
    cell = shown(Session(**asked), column(**asked))["columns"][0]["cell"]
    assert cell["lines"] == ["The occluded region lies outside the input crop of pico."]
    assert not cell["changed"]


def test_a_change_that_cannot_be_read_does_not_stop_the_panel():
    panel = shown(Session(edits=("nonsense", "no_osra@3.0")), column())
    assert [one["name"] for one in panel["on"]] == ["no_osra"]
    assert panel["edits"] == ["nonsense", "no_osra@3.0"]  # so that it can be taken back


def test_while_a_variant_is_on_its_way_nothing_can_be_painted_yet():
    panel = shown(Session(), Column("pico"))
    assert panel["painting"] is None
    assert panel["columns"][0]["cell"]["kind"] == "pending"
    assert [one["value"] for one in panel["scopes"]] == ["0.0"]


@pytest.mark.parametrize(
    ("p", "text"), [(0.347, "35%"), (0.0996, "10%"), (0.041, "4.1%"), (0.0004, "< 0.1%"), (0.0, "0%")]
)
def test_shares_as_people_read_them(p, text):
    assert share(p) == text


def test_a_logit_and_its_change_have_a_true_minus():
    assert (logit(-1.234), change(-0.5), change(0.5)) == ("\u22121.23", "\u22120.50", "+0.50")


# ---- the table below ------------------------------------------------------------------------------------------

ANN = Session(image="key", variants=("pico",), active="ablation")


def test_the_table_is_made_when_it_is_asked_for_only():
    assert below(ANN, 3) == Below(ANN)
    asked = below(changed(ANN, {"every": True}), 3)
    assert (asked.draw, asked.clear) == (True, False)
    assert asked.session.every != EVERY_ASKED
    again = below(replace(asked.session, edits=EDITS), 3)  # overtaken by a switch: it is still wanted
    assert again.draw


def test_a_table_that_stands_is_left_alone_by_switches_and_the_crosshair():
    there = standing(below(changed(ANN, {"every": True}), 3).session, 3)
    for session in (there, replace(there, edits=EDITS, mask=MASK, fill="blur"), replace(there, position=(5, 5))):
        found = below(session, 3)
        assert (found.draw, found.clear, found.session) == (False, False, session)
    assert below(there, 2).draw  # its heads are another stage's


@pytest.mark.parametrize("other", [{"image": "two"}, {"target": "n1"}, {"variants": ("pico", "t")}, {"other": 2}])
def test_a_table_goes_with_what_it_is_about(other):
    asked = below(changed(ANN, {"every": True}), 3).session
    for every in (asked, standing(asked, 3)):
        found = below(replace(every, **other), 3)
        assert (found.draw, found.clear, found.session.every) == (False, True, "")
