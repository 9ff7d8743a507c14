"""The tour's steps are states that the page has, and their words name what is on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from demo.columns import Column, variant_title
from demo.i18n.tabs import TABS
from demo.i18n.translate import tr, tr_lines
from demo.session import Session
from demo.tour import FALLBACK, STEPS, bar, expanded, listed, state
from demo.views import Scene
from demo.views.tour import tour
from transxnet.variants import VARIANTS, find_variant

ROOT = Path(__file__).parents[2]
ALL = [spec.short for spec in VARIANTS.values()]
NUMBERS = range(1, len(STEPS) + 1)


@pytest.mark.parametrize("number", NUMBERS)
def test_step_is_a_valid_state(number):
    step, page_state = STEPS[number - 1], state(number, ALL)
    assert step.view in TABS
    for name in step.variants:
        assert find_variant(name).short == name
        assert 1 <= step.stage <= 4
        assert 0 <= step.block <= find_variant(name).depths[step.stage - 1]
    assert page_state["variants"] == list(step.variants)
    assert (page_state["tour"], page_state["view"], page_state["stage"], page_state["block"]) == (
        number, step.view, step.stage, step.block,
    )  # fmt: skip
    assert 2 <= len(tr_lines(step.sentences)) <= 4
    assert "image" not in page_state  # the visitor's own stays
    assert "example" not in page_state


def test_steps_visit_every_part():
    assert [step.view for step in STEPS] == ["kernels", "kernels", "attention", "ablation", "erf", "sanity_checks"]
    assert [find_variant(name).idconv for name in STEPS[0].variants] == [True, False]


def test_pico_replaces_unavailable_models():
    assert state(1, ["pico"])["variants"] == list(FALLBACK) == ["pico"]
    with_both, single = bar(1, ALL)["words"], bar(1, ["pico"])["words"]
    assert "pico, static" in with_both[0]
    assert not any("static" in text for text in single)
    for number in NUMBERS:
        for names in (ALL, ["pico"]):
            assert not any("{" in text for text in bar(number, names)["words"]), number


def test_step_state_is_added_unless_overridden():
    assert expanded({"tour": 3}, ALL) == state(3, ALL)
    assert expanded({"tour": "3", "lang": "ko"}, ALL) == {**state(3, ALL), "lang": "ko"}
    assert expanded({"tour": "3", "image": "lion"}, ALL) == {**state(3, ALL), "image": "lion"}
    moved = {"tour": "3", "view": "erf", "stage": "1"}
    assert expanded(moved, ALL) == moved
    assert expanded({"tour": 0}, ALL) == {"tour": 0}
    assert expanded({"tour": 0, "view": "tour"}, ALL) == {"tour": 0, "view": "tour"}
    assert expanded({"tour": "99"}, ALL) == {"tour": 0}
    assert expanded({"tour": "three"}, ALL) == {"tour": "three"}  # said to be of no use where links are read
    assert expanded({}, ALL) == {}


def test_bar_leads_through_all_steps():
    bars = [bar(number, ALL) for number in NUMBERS]
    assert [step_bar["step"] for step_bar in bars] == list(NUMBERS)
    assert [step_bar["of"] for step_bar in bars] == [len(STEPS)] * len(STEPS)
    assert bars[0]["back"] is None
    assert [step_bar["back"]["go"] for step_bar in bars[1:]] == [{"tour": number - 1} for number in NUMBERS[1:]]
    assert [step_bar["next"]["go"] for step_bar in bars[:-1]] == [{"tour": number + 1} for number in NUMBERS[:-1]]
    assert bars[-1]["next"]["go"] == {"tour": 0, "view": "tour"}
    assert all(step_bar["again"]["go"] == {"tour": step_bar["step"]} for step_bar in bars)
    assert all(step_bar["leave"]["go"] == {"tour": 0} for step_bar in bars)
    assert bar(0, ALL) == bar(len(STEPS) + 1, ALL) == {}


def test_quoted_titles_exist():
    """“…” in a step's words is the title of a figure, a row or a control; if that is renamed, this fails."""
    files = [*ROOT.glob("transxnet/draw/**/*.py"), *ROOT.glob("demo/**/*.py")]
    sources = [path.read_text(encoding="utf-8") for path in files if path.name != "tour.py"]
    page = "\n".join([*sources, variant_title("pico@untrained")])
    every = [tr(key) for step in STEPS for key in (step.sentences, step.sentences_for_one) if key]
    quoted = set(re.findall("“([^”]+)”", " ".join(every)))
    assert len(quoted) >= 5
    assert {title for title in quoted if title not in page} == set()


def test_tour_draws_the_first_transxnet():
    def render(*names: str, step: int = 0) -> dict:
        return tour(Scene([Column(name) for name in names], None, Session(tour=step)))

    assert render("pico_noste", "pico")["architecture"]["name"].startswith("Architecture of pico, no STE:")
    assert render("timm:resnet50", "t@untrained")["architecture"]["name"].startswith(
        "Architecture of T (random weights):"
    )
    single = render("timm:resnet50")
    assert single["architecture"]["name"].startswith("Architecture of pico:")
    assert single["note"] == "The selected model is not a TransXNet; showing pico."
    assert render("pico")["tour"] == listed()
    assert render("pico")["tour"]["start"] == {"text": tr("tour.start"), "go": {"tour": 1}}
    assert render("pico", step=4)["tour"]["start"] == {"text": tr("tour.resume"), "go": {"tour": 4}}
    assert [step["href"] for step in listed()["steps"]] == [f"?tour={number}" for number in NUMBERS]
