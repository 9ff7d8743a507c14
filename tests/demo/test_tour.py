"""The tour's steps are states that the page has, and their words name what is on it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from demo.columns import Column, model_title
from demo.examples import examples
from demo.i18n.translate import tr, tr_lines
from demo.state import ViewState
from demo.tour import FINISH, MODEL, STEPS, bar, listed, step_changes
from demo.views import Scene
from demo.views.hero import CHANNELS
from demo.views.tour import tour
from demo.web import modules
from transxnet import load
from transxnet.explain.kernels.change import kernel_change
from transxnet.images import decode
from transxnet.study import StudyOptions, study

ROOT = Path(__file__).parents[2]
NUMBERS = range(1, len(STEPS) + 1)


@pytest.mark.parametrize("number", NUMBERS)
def test_step_sets_valid_fields_of_the_view_state(number):
    step, changes = STEPS[number - 1], step_changes(number)
    state = ViewState.model_validate(changes)
    assert (state.tour, state.tab, state.models) == (number, step.view, (MODEL,))
    assert (state.stage, state.block) == (3, 0)
    assert bar(number)["target"] == step.target != ""
    assert not any("{" in text for text in bar(number)["sentences"])
    assert 2 <= len(tr_lines(step.sentences)) <= 4
    assert not {"image", "upload"} & set(changes)  # the visitor's own stays


def test_steps_go_through_the_parts_of_the_model():
    assert [step.view for step in STEPS] == ["overview", "kernels", "attention", "ablation", "erf", "sanity_checks"]


def test_browser_knows_the_tab_of_each_step():
    views = ", ".join(f'"{step.view}"' for step in STEPS)
    assert f'"tour": [{views}]' in modules()["core/settings.js"].decode()


def test_first_step_claims_hold_for_every_image():
    """Generated kernels differ from image to image, learned ones do not; nine channels are shown."""

    def distances(model: str) -> list[np.ndarray]:
        loaded, options = load(model, device="cpu"), StudyOptions(analyses=("kernels",))
        first, *others = (study(loaded, decode(example.path), options).kernels for example in examples()[:3])
        return [kernel_change(first, other).distance for other in others]

    generated = [float(np.median(distance)) for distance in distances(MODEL)]
    assert min(generated) > 0
    assert generated[0] != generated[1]
    assert [distance.max() for distance in distances("pico_static")] == [0, 0]
    assert ("nine" in bar(1)["sentences"][0], CHANNELS) == (True, 9)


def test_number_of_keys_is_the_same_in_all_stages():
    tables = study(load(MODEL, device="cpu"), decode(examples()[0].path), StudyOptions(analyses=("stage_tables",)))
    assert len({table.weights.shape[-1] for table in tables.stage_tables}) == 1


def test_number_outside_the_tour_leaves_it():
    for number in (-1, 0, len(STEPS) + 1, 99):
        assert step_changes(number) == {"tour": 0}


def test_some_steps_move_the_position_to_the_center():
    centering = [number for number in NUMBERS if "position" in step_changes(number)]
    assert centering == [3, 5]
    assert step_changes(3)["position"] is None


def test_bar_leads_through_all_steps_and_out():
    bars = [bar(number) for number in NUMBERS]
    assert [step_bar["step"] for step_bar in bars] == list(NUMBERS)
    assert [step_bar["of"] for step_bar in bars] == [len(STEPS)] * len(STEPS)
    assert bars[0]["back"] is None
    steps = [step_changes(number) for number in NUMBERS]
    assert [step_bar["back"]["go"] for step_bar in bars[1:]] == steps[:-1]
    assert [step_bar["next"]["go"] for step_bar in bars[:-1]] == steps[1:]
    assert bars[-1]["next"]["go"] == FINISH == {"tour": 0, "tab": "tour"}
    assert [step_bar["again"]["go"] for step_bar in bars] == steps
    assert all(step_bar["leave"]["go"] == {"tour": 0} for step_bar in bars)
    assert bar(0) == bar(len(STEPS) + 1) == {}


def test_quoted_titles_are_on_the_page():
    """“…” in a step's text is the title of a figure, a row or a control."""
    files = [*ROOT.glob("transxnet/draw/**/*.py"), *ROOT.glob("demo/**/*.py")]
    sources = [path.read_text(encoding="utf-8") for path in files if path.name != "tour.py"]
    page = "\n".join([*sources, model_title("pico@untrained")])
    every = [tr(step.sentences) for step in STEPS]
    quoted = set(re.findall("“([^”]+)”", " ".join(every)))
    assert len(quoted) >= 5
    assert {title for title in quoted if title not in page} == set()


def test_tour_tab_draws_the_first_transxnet():
    def render(*names: str, step: int = 0) -> dict:
        columns = [Column(name) for name in names]
        return tour(Scene(columns, None, ViewState(tour=step)))

    assert render("pico_noste", "pico")["architecture"]["name"].startswith("Architecture of pico (no STE):")
    assert render("timm:resnet50", "t@untrained")["architecture"]["name"].startswith(
        "Architecture of T (random weights):"
    )
    pico_only = render("timm:resnet50")
    assert pico_only["architecture"]["name"].startswith("Architecture of pico:")
    assert pico_only["note"] == "The selected model is not a TransXNet; showing pico."
    assert render("pico")["tour"] == listed(0)
    assert render("pico")["tour"]["start"] == {"text": tr("tour.start"), "go": step_changes(1)}
    assert render("pico", step=4)["tour"]["start"] == {"text": tr("tour.resume"), "go": step_changes(4)}
    assert [step["href"] for step in listed(0)["steps"]] == [f"?tour={number}" for number in NUMBERS]
