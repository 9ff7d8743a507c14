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
def test_a_step_is_a_state_that_the_page_has(number):
    step, found = STEPS[number - 1], state(number, ALL)
    assert step.view in TABS
    for name in step.variants:
        assert find_variant(name).short == name
        assert 1 <= step.stage <= 4
        assert 0 <= step.block <= find_variant(name).depths[step.stage - 1]
    assert found["variants"] == list(step.variants)
    assert (found["tour"], found["view"], found["stage"], found["block"]) == (
        number, step.view, step.stage, step.block,
    )  # fmt: skip
    assert 2 <= len(tr_lines(step.sentences)) <= 4
    assert "image" not in found  # the visitor's own stays
    assert "example" not in found


def test_the_story_starts_without_generated_kernels_and_passes_every_part():
    assert [step.view for step in STEPS] == ["kernels", "kernels", "attention", "ablation", "erf", "sanity_checks"]
    assert [find_variant(name).idconv for name in STEPS[0].variants] == [True, False]


def test_where_a_variant_has_no_source_pico_stands_in_and_the_words_know():
    assert state(1, ["pico"])["variants"] == list(FALLBACK) == ["pico"]
    with_both, alone = bar(1, ALL)["words"], bar(1, ["pico"])["words"]
    assert "pico, static" in with_both[0]
    assert not any("static" in text for text in alone)
    for number in NUMBERS:
        for names in (ALL, ["pico"]):
            assert not any("{" in text for text in bar(number, names)["words"]), number


def test_a_number_is_the_whole_step_unless_something_of_it_was_moved():
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


def test_the_bar_leads_from_the_first_step_to_the_last_and_out():
    bars = [bar(number, ALL) for number in NUMBERS]
    assert [one["step"] for one in bars] == list(NUMBERS)
    assert [one["of"] for one in bars] == [len(STEPS)] * len(STEPS)
    assert bars[0]["back"] is None
    assert [one["back"]["go"] for one in bars[1:]] == [{"tour": number - 1} for number in NUMBERS[1:]]
    assert [one["next"]["go"] for one in bars[:-1]] == [{"tour": number + 1} for number in NUMBERS[:-1]]
    assert bars[-1]["next"]["go"] == {"tour": 0, "view": "tour"}
    assert all(one["again"]["go"] == {"tour": one["step"]} for one in bars)
    assert all(one["leave"]["go"] == {"tour": 0} for one in bars)
    assert bar(0, ALL) == bar(len(STEPS) + 1, ALL) == {}


def test_what_the_words_quote_is_on_the_page():
    """“…” in a step's words is the title of a figure, a row or a control; if that is renamed, this fails."""
    files = [*ROOT.glob("transxnet/draw/**/*.py"), *ROOT.glob("demo/**/*.py")]
    sources = [path.read_text(encoding="utf-8") for path in files if path.name != "tour.py"]
    page = "\n".join([*sources, variant_title("pico@untrained")])
    every = [tr(key) for step in STEPS for key in (step.sentences, step.sentences_for_one) if key]
    quoted = set(re.findall("“([^”]+)”", " ".join(every)))
    assert len(quoted) >= 5
    assert {title for title in quoted if title not in page} == set()


def test_the_tours_page_draws_the_first_transxnet():
    def drawn(*names: str, step: int = 0) -> dict:
        return tour(Scene([Column(name) for name in names], None, Session(tour=step)))

    assert drawn("pico_noste", "pico")["architecture"]["name"].startswith("Architecture of pico, no STE:")
    assert drawn("timm:resnet50", "t@untrained")["architecture"]["name"].startswith(
        "Architecture of T (random weights):"
    )
    alone = drawn("timm:resnet50")
    assert alone["architecture"]["name"].startswith("Architecture of pico:")
    assert alone["note"] == "The selected model is not a TransXNet; showing pico."
    assert drawn("pico")["tour"] == listed()
    assert drawn("pico")["tour"]["start"] == {"text": tr("tour.start"), "go": {"tour": 1}}
    assert drawn("pico", step=4)["tour"]["start"] == {"text": tr("tour.resume"), "go": {"tour": 4}}
    assert [step["href"] for step in listed()["steps"]] == [f"?tour={number}" for number in NUMBERS]
