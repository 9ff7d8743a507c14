"""The tour's steps are states that the page has, and their words name what is on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from demo.columns import Column, model_title
from demo.i18n.translate import tr, tr_lines
from demo.state import ViewState
from demo.tour import FALLBACK, FINISH, STEPS, bar, listed, step_changes
from demo.views import Scene
from demo.views.tour import tour
from transxnet.variants import VARIANTS, find_variant

ROOT = Path(__file__).parents[2]
ALL = [spec.short for spec in VARIANTS.values()]
NUMBERS = range(1, len(STEPS) + 1)


@pytest.mark.parametrize("number", NUMBERS)
def test_step_sets_valid_fields_of_the_view_state(number):
    step, changes = STEPS[number - 1], step_changes(number, ALL)
    for name in step.variants:
        assert find_variant(name).short == name
        assert 0 <= step.block <= find_variant(name).depths[step.stage - 1]
    state = ViewState.model_validate(changes)
    assert (state.tour, state.tab, state.models) == (number, step.view, step.variants)
    assert (state.stage, state.block) == (step.stage, step.block)
    assert 2 <= len(tr_lines(step.sentences)) <= 4
    assert not {"image", "upload"} & set(changes)  # the visitor's own stays


def test_steps_go_through_the_parts_of_the_model():
    assert [step.view for step in STEPS] == ["kernels", "kernels", "attention", "ablation", "erf", "sanity_checks"]
    assert [find_variant(name).idconv for name in STEPS[0].variants] == [True, False]


def test_pico_replaces_models_without_weights():
    assert step_changes(1, ["pico"])["models"] == list(FALLBACK) == ["pico"]
    with_both, pico_only = bar(1, ALL)["sentences"], bar(1, ["pico"])["sentences"]
    assert "pico (static)" in with_both[0]
    assert not any("static" in text for text in pico_only)
    for number in NUMBERS:
        for names in (ALL, ["pico"]):
            assert not any("{" in text for text in bar(number, names)["sentences"]), number


def test_number_outside_the_tour_leaves_it():
    for number in (-1, 0, len(STEPS) + 1, 99):
        assert step_changes(number, ALL) == {"tour": 0}


def test_some_steps_move_the_position_to_the_center():
    centering = [number for number in NUMBERS if "position" in step_changes(number, ALL)]
    assert centering == [3, 5]
    assert step_changes(3, ALL)["position"] is None


def test_bar_leads_through_all_steps_and_out():
    bars = [bar(number, ALL) for number in NUMBERS]
    assert [step_bar["step"] for step_bar in bars] == list(NUMBERS)
    assert [step_bar["of"] for step_bar in bars] == [len(STEPS)] * len(STEPS)
    assert bars[0]["back"] is None
    steps = [step_changes(number, ALL) for number in NUMBERS]
    assert [step_bar["back"]["go"] for step_bar in bars[1:]] == steps[:-1]
    assert [step_bar["next"]["go"] for step_bar in bars[:-1]] == steps[1:]
    assert bars[-1]["next"]["go"] == FINISH == {"tour": 0, "tab": "tour"}
    assert [step_bar["again"]["go"] for step_bar in bars] == steps
    assert all(step_bar["leave"]["go"] == {"tour": 0} for step_bar in bars)
    assert bar(0, ALL) == bar(len(STEPS) + 1, ALL) == {}


def test_quoted_titles_are_on_the_page():
    """“…” in a step's text is the title of a figure, a row or a control."""
    files = [*ROOT.glob("transxnet/draw/**/*.py"), *ROOT.glob("demo/**/*.py")]
    sources = [path.read_text(encoding="utf-8") for path in files if path.name != "tour.py"]
    page = "\n".join([*sources, model_title("pico@untrained")])
    every = [tr(key) for step in STEPS for key in (step.sentences, step.sentences_for_one) if key]
    quoted = set(re.findall("“([^”]+)”", " ".join(every)))
    assert len(quoted) >= 5
    assert {title for title in quoted if title not in page} == set()


def test_tour_tab_draws_the_first_transxnet():
    def render(*names: str, step: int = 0) -> dict:
        columns = [Column(name) for name in names]
        return tour(Scene(columns, None, ViewState(tour=step), model_names=ALL))

    assert render("pico_noste", "pico")["architecture"]["name"].startswith("Architecture of pico (no STE):")
    assert render("timm:resnet50", "t@untrained")["architecture"]["name"].startswith(
        "Architecture of T (random weights):"
    )
    pico_only = render("timm:resnet50")
    assert pico_only["architecture"]["name"].startswith("Architecture of pico:")
    assert pico_only["note"] == "The selected model is not a TransXNet; showing pico."
    assert render("pico")["tour"] == listed(0, ALL)
    assert render("pico")["tour"]["start"] == {"text": tr("tour.start"), "go": step_changes(1, ALL)}
    assert render("pico", step=4)["tour"]["start"] == {"text": tr("tour.resume"), "go": step_changes(4, ALL)}
    assert [step["href"] for step in listed(0, ALL)["steps"]] == [f"?tour={number}" for number in NUMBERS]
