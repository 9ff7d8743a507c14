"""The page's events, called as Gradio calls them: what each changes, what it shows, and when it says nothing."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest
import timm

from demo import studio as studio_module
from demo.backbones import Backbones
from demo.cells import TILES, floats
from demo.columns import LOOK_AGAIN
from demo.exports_views import figure_of
from demo.i18n.tabs import TABS
from demo.i18n.translate import tr
from demo.options import options_of
from demo.second import Second
from demo.session import KEY, Controls, Session
from demo.shots import shots_of
from demo.studio import Studio
from demo.turns import TURN
from demo.ui import showing
from demo.ui.api import Endpoints
from demo.ui.page import Page, _from_newest
from demo.ui.parts import SIBLINGS, pairs_of, part_buttons
from demo.wanted import ALWAYS, WANTED
from demo.web import STYLES, modules
from tests.fixtures.small_model import image, small_model
from transxnet import load
from transxnet.errors import InvalidValue, LensError, SourceFailed, UnknownName
from transxnet.explain.kernels.kernels import representatives
from transxnet.labels import label_set
from transxnet.study import StudyOptions

LABELS = label_set("tiny-imagenet-200")
ANN, BOB = SimpleNamespace(session_hash="ann"), SimpleNamespace(session_hash="bob")
MOST = 50  # steps after which a test gives up


class Models:
    """Stands for transxnet.load: small models at once, `s` after its gate is opened, `b` never."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    def __call__(self, name: str, **options: object):
        if name == "s":
            assert self.gate.wait(60)
        if name == "b":
            raise SourceFailed("No B here.", remedy="Take pico.")
        if name.startswith("timm:"):
            return load(name.partition("@")[0] + "@untrained")
        return small_model("untrained" if "@" in name else "folder")


@pytest.fixture(scope="module")
def models():
    with pytest.MonkeyPatch.context() as patch:
        stand_in = Models()
        patch.setattr(studio_module, "load", stand_in)
        yield stand_in
        stand_in.gate.set()


@pytest.fixture(scope="module")
def page(models) -> Page:
    return Page(Studio(device="cpu"))


def tab(title: str) -> SimpleNamespace:
    """What js/tabs.js sends of a tab that was clicked."""
    return SimpleNamespace(change={"active": next(name for name, found in TABS.items() if tr(found) == title)})


def controls(variants=("pico",), stage=3, cam_layer=4, block=0, slower=False, beside=False) -> list:
    """Values of the components that every event gets."""
    return [list(variants), stage, cam_layer, block, slower, beside]


def finish(steps) -> dict:
    """All that a handler's steps changed, the last value of each component."""
    changed: dict = {}
    for i, step in enumerate(steps):
        assert i < MOST
        for component, value in step.items():
            if isinstance(value, gr.CheckboxGroup) and not value.value and component in changed:
                value.value = changed[component].value  # only the arrows changed: the browser leaves the ticks alone
            changed[component] = value
    return changed


def is_nothing(page: Page, step: dict) -> bool:
    return set(step) == {page.crosshair} and step[page.crosshair] == gr.skip()


@pytest.fixture
def opened(page) -> Session:
    """Ann's session after the page has opened."""
    return finish(page.opened(ANN, Session(), *controls()))[page.session]


def shown(changed: dict, page: Page, view: str) -> dict:
    """The one panel that changed."""
    panels = {component: value for component, value in changed.items() if component in page.panels.values()}
    assert list(panels) == [page.panels[view]]
    return panels[page.panels[view]]


def kinds(panel: dict) -> list[list[str]]:
    return [[cell["kind"] for cell in row["cells"]] for row in panel["rows"]]


# ---- images -----------------------------------------------------------------------------------------------


def test_it_opens_on_the_first_example_explained(page):
    changed = finish(page.opened(ANN, Session(), *controls()))
    session = changed[page.session]
    width, height = page.studio.image(session.image).size
    assert session.position == ((width - 1) // 2, (height - 1) // 2)
    assert changed[page.crosshair]["size"] == [width, height]
    assert changed[page.thumbs]["chosen"] == 0
    assert len(changed[page.thumbs]["items"]) == len(page.examples)
    assert len(changed[page.answers]["answers"]) == 5
    assert kinds(shown(changed, page, "overview")) == [["map", "tiles", "map", "map"]]


def test_an_upload_takes_the_place_of_the_example(page, opened):
    moved = SimpleNamespace(x=1, y=1)
    opened = finish(page.moved(moved, ANN, opened, *controls()))[page.session]
    changed = finish(page.uploaded(ANN, opened, *controls(), image()))
    session = changed[page.session]
    assert (session.image, session.position, session.example) == (image().sha256, (49, 39), -1)
    assert changed[page.thumbs]["chosen"] == -1
    assert changed[page.upload] is None  # ready for the next one
    changed = finish(page.example_chosen(SimpleNamespace(index=1), ANN, session, *controls()))
    assert changed[page.session].example == changed[page.thumbs]["chosen"] == 1
    assert changed[page.session].image not in (opened.image, session.image)


def test_an_upload_taken_back_changes_nothing(page, opened):
    steps = list(page.uploaded(ANN, opened, *controls(), None))
    assert len(steps) == 1
    assert is_nothing(page, steps[0])


def test_a_image_that_is_gone_is_said_in_words(page, opened):
    events = [f for f in page.blocks.fns.values() if f.targets and f.targets[0][0] == page.crosshair._id]
    lost = Session(image="0" * 64)
    with pytest.raises(gr.Error) as caught:
        list(events[0].fn(SimpleNamespace(x=1, y=1), as_request("fay"), lost, *controls()))
    assert caught.value.message == tr("errors.image_gone")


@pytest.mark.parametrize(
    "sent",
    [
        {"go": 5}, {"go": {"example": "x"}}, {"go": {"fx": "abc", "fy": 0}}, {"go": {"fx": float("nan"), "fy": 0}},
        {"change": [1]}, {"change": {"edits": 5}}, {"change": {"edits": ["bogus"]}}, {"change": {"fill": "bogus"}},
        {"change": {"mask": "9"}}, {"x": "1", "y": 2}, {},
    ],
    ids=str,
)  # fmt: skip
def test_what_a_script_should_not_have_sent_gets_a_sentence_and_changes_nothing(page, opened, sent):
    with pytest.raises(LensError):
        list(page.acted(SimpleNamespace(**sent), ANN, opened, *controls()))
    assert page.studio.visitors.newest("ann", opened).edits == ()


@pytest.mark.parametrize("wnid", ["n" * 99, "n" * 999])
def test_a_class_that_nobody_has_is_not_kept(page, opened, wnid):
    with pytest.raises(LensError) as caught:
        list(page.answer_chosen(SimpleNamespace(wnid=wnid), ANN, opened, *controls()))
    assert len(str(caught.value)) < 150


def test_a_class_of_the_list_that_nobody_has_is_refused(page, opened):
    with pytest.raises(UnknownName):
        list(page.class_chosen(ANN, opened, *controls(), "n00000000"))


def test_another_image_has_no_hole_of_the_one_before(page, opened):
    painted = replace(opened, mask="2x2:8A==")
    assert finish(page.go({"example": 2}, painted, controls(), ANN))[page.session].mask == ""
    assert finish(page.example_chosen(SimpleNamespace(index=2), ANN, painted, *controls()))[page.session].mask == ""


def test_an_answer_that_is_overtaken_while_it_is_drawn_is_not_shown(page, opened, monkeypatch):
    draw = showing.view

    def overtaken(name, scene):
        page.studio.begin("ann")
        return draw(name, scene)

    monkeypatch.setattr(showing, "view", overtaken)
    steps = list(page.moved(SimpleNamespace(x=1, y=2), ANN, opened, *controls()))
    assert all(page.panels["overview"] not in step for step in steps)
    assert is_nothing(page, steps[-1])


# ---- quick hands --------------------------------------------------------------------------------------------


def test_what_is_clicked_before_the_last_answer_has_come_builds_on_it(page, opened):
    """Every event brings the session that the browser was told last; three clicks here, and no answer between."""
    dan = SimpleNamespace(session_hash="dan")
    told = finish(wrapped(page, page.opened)(as_request("dan"), Session(), *controls()))[page.session]
    clicked = [
        wrapped(page, page.example_chosen)(SimpleNamespace(index=2), as_request("dan"), told, *controls()),
        wrapped(page, page.moved)(SimpleNamespace(x=5, y=6), as_request("dan"), told, *controls()),
        wrapped(page, page.acted)(tab("Receptive field"), as_request("dan"), told, *controls(stage=2)),
    ]
    session = [next(steps) for steps in clicked][-1][page.session]
    assert (session.example, session.position, session.active) == (2, (5, 6), "erf")
    assert is_nothing(page, list(clicked[0])[-1])
    assert page.studio.visitors.newest(dan.session_hash, Session()) == session


def test_the_browser_is_told_what_an_overtaken_answer_would_have_told_it(page, opened):
    told = finish(wrapped(page, page.opened)(as_request("eve"), Session(), *controls()))[page.session]
    lost = wrapped(page, page.variants_chosen)(as_request("eve"), told, *controls(["pico", "t"]))
    next(lost)  # its answer never arrives
    again = wrapped(page, page.example_chosen)(SimpleNamespace(index=1), as_request("eve"), told, *controls())
    changed = finish(again)
    assert changed[page.session].variants == ("pico", "t")
    assert changed[page.variants].value == ["pico", "t"]


def test_where_a_script_went_is_told_again_if_the_answer_was_overtaken(page, opened):
    told = finish(wrapped(page, page.opened)(as_request("fay"), Session(), *controls()))[page.session]
    go = SimpleNamespace(go={"tour": 2, "stage": 1, "cam": 2, "block": 1})
    next(wrapped(page, page.acted)(go, as_request("fay"), told, *controls()))  # its answer never arrives
    click = SimpleNamespace(x=5, y=6)
    changed = finish(wrapped(page, page.moved)(click, as_request("fay"), told, *controls()))
    assert (changed[page.stage], changed[page.cam_layer], changed[page.block].value) == (1, 2, 1)
    assert changed[page.tour]["step"] == changed[page.session].tour == 2
    assert (changed[page.session].position, changed[page.link]["query"]["stage"]) == ((5, 6), "1")
    chosen = controls(stage=4, cam_layer=2)  # who knows is left alone
    later = finish(wrapped(page, page.refresh)(as_request("fay"), changed[page.session], *chosen))
    assert page.stage not in later
    assert later[page.link]["query"]["stage"] == "4"


def test_what_is_moved_by_hand_after_a_script_went_stays(page, opened):
    """Whether the answer that moves the controls is overtaken, or still on its way to the browser."""
    told = finish(wrapped(page, page.opened)(as_request("kim"), Session(), *controls()))[page.session]
    go = SimpleNamespace(go={"tour": 2, "stage": 1, "cam": 2, "block": 1})
    lost, by_hand = wrapped(page, page.acted)(go, as_request("kim"), told, *controls()), page._by_hand("stage")
    next(lost)
    lost = wrapped(page, by_hand)(as_request("kim"), told, *controls(stage=4))
    next(lost)
    changed = finish(wrapped(page, page.moved)(SimpleNamespace(x=5, y=6), as_request("kim"), told, *controls(stage=4)))
    assert (changed[page.stage], changed[page.cam_layer], changed[page.block].value) == (4, 2, 1)
    assert changed[page.link]["query"]["stage"] == "4"

    went = finish(wrapped(page, page.acted)(go, as_request("kim"), changed[page.session], *controls()))
    late = finish(wrapped(page, by_hand)(as_request("kim"), went[page.session], *controls(stage=2)))
    assert (late[page.stage], late[page.link]["query"]["stage"]) == (2, "2")
    assert page.cam_layer not in late
    session = replace(late[page.session], went=late[page.session].went - showing.ON_ITS_WAY)
    later = finish(by_hand(as_request("lou"), session, *controls(stage=3)))
    assert page.stage not in later  # it would take a quick hand back
    assert later[page.link]["query"].get("stage", "3") == "3"


def test_controls_stay_after_gradio_dropped_the_state(page, opened):
    told = finish(wrapped(page, page.opened)(as_request("mia"), Session(), *controls()))[page.session]
    finish(wrapped(page, page._by_hand("stage"))(as_request("mia"), told, *controls(stage=4)))
    click = SimpleNamespace(x=5, y=6)
    changed = finish(wrapped(page, page.moved)(click, as_request("mia"), Session(), *controls(stage=4)))
    assert page.stage not in changed
    assert page.thumbs not in changed
    assert (changed[page.session].position, changed[page.link]["query"]["stage"]) == ((5, 6), "4")


def test_a_first_answer_that_was_overtaken_is_told_again(page, opened):
    overtaken = wrapped(page, page.opened)(as_request("noa"), Session(), *controls())
    next(overtaken)
    next(overtaken)  # it chose its image, and nothing arrived
    click = SimpleNamespace(x=5, y=6)
    changed = finish(wrapped(page, page.moved)(click, as_request("noa"), Session(), *controls()))
    assert (changed[page.stage], page.thumbs in changed) == (3, True)


def wrapped(page: Page, handler):
    return _from_newest(handler, page.studio.visitors)


def as_request(visitor: str) -> gr.Request:
    return gr.Request(session_hash=visitor)


# ---- point, answer, view ------------------------------------------------------------------------------------


def test_a_position_of_a_image_that_was_left_is_dropped(page, opened):
    event = SimpleNamespace(x=3, y=4, image="0" * KEY)
    (step,) = page.moved(event, ANN, opened, *controls())
    assert is_nothing(page, step)
    event.image = opened.image[:KEY]
    assert finish(page.moved(event, ANN, opened, *controls()))[page.session].position == (3, 4)


def test_the_position_stays_on_the_image(page):
    session = finish(page.uploaded(ANN, Session(), *controls(), image()))[page.session]
    for event, position in (((30, 70), (30, 70)), ((-5, 200), (0, 79)), ((99.6, 0), (99, 0))):
        changed = finish(page.moved(SimpleNamespace(x=event[0], y=event[1]), ANN, session, *controls()))
        assert changed[page.session].position == position
        assert changed[page.crosshair]["position"] == list(position)


def test_an_answer_is_chosen_by_its_bar_by_name_and_given_up_again(page, opened):
    changed = finish(page.answer_chosen(SimpleNamespace(wnid=LABELS.wnids[7]), ANN, opened, *controls()))
    assert changed[page.session].target == LABELS.wnids[7]
    assert changed[page.answers]["chosen"] == 7
    changed = finish(page.class_chosen(ANN, changed[page.session], *controls(), LABELS.wnids[9]))
    assert changed[page.answers]["chosen"] == 9
    assert changed[page.answers]["answers"][-1]["label"] == LABELS.names[9]
    with pytest.raises(UnknownName, match="No model has a class 'a quark'"):
        finish(page.class_chosen(ANN, changed[page.session], *controls(), "a quark"))
    changed = finish(page.class_chosen(ANN, changed[page.session], *controls(), ""))
    assert changed[page.session].target is None
    assert changed[page.answers]["chosen"] == changed[page.answers]["answers"][0]["index"]


@pytest.mark.parametrize(("view", "title"), [("attention", "Attention"), ("erf", "Receptive field")])
def test_a_tab_computes_and_shows_its_own_view_only(page, opened, view, title):
    changed = finish(page.acted(tab(title), ANN, opened, *controls()))
    assert changed[page.session].active == view
    assert shown(changed, page, view)["view"] == view
    newest = next(reversed(page.studio._studies.values()))
    assert newest.options.analyses == WANTED[view].figures


def test_a_block_that_is_not_there_gives_way_to_the_last(page, opened):
    session = Session(**vars(opened) | {"active": "attention"})
    changed = finish(page.refresh(ANN, session, *controls(stage=1, block=2)))
    assert changed[page.block].value == 2
    assert [value for _, value in changed[page.block].choices] == [1, 2, 0]  # pico's stage 1 has two
    changed = finish(page.refresh(ANN, session, *controls(stage=2, block=4)))
    assert changed[page.block].value == 0


def test_a_variant_with_other_blocks_narrows_the_choice(page, opened):
    session = Session(**vars(opened) | {"active": "kernels", "variants": ("t", "pico")})
    changed = finish(page.refresh(ANN, session, *controls(["t", "pico"], stage=3)))
    assert [value for _, value in changed[page.block].choices] == [1, 2, 3, 4, 0]  # T has nine, pico four


def test_a_views_script_moves_the_position_and_changes_only_what_it_may(page, opened):
    changed = finish(page.acted(SimpleNamespace(x=3, y=4), ANN, opened, *controls()))
    assert changed[page.session].position == (3, 4)
    asked = SimpleNamespace(change={"photos": True, "edits": ["no_osra@3.0"], "image": "somebody else's"})
    changed = finish(page.acted(asked, ANN, changed[page.session], *controls()))
    session = changed[page.session]
    assert (session.photos, session.edits, session.image) == (True, ("no_osra@3.0",), opened.image)


# ---- variants -----------------------------------------------------------------------------------------------


def test_the_last_three_variants_stay_in_the_order_of_choice(page, opened):
    session = opened
    for ticked in (["t", "pico"], ["t", "pico", "pico@untrained"], ["t", "pico", "b_384", "pico@untrained"]):
        changed = finish(page.variants_chosen(ANN, session, *controls(ticked)))
        session = changed[page.session]
    assert session.variants == ("t", "pico@untrained", "b_384")
    assert changed[page.variants].value == ["t", "pico@untrained", "b_384"]
    assert [row["title"] for row in changed[page.panels["overview"]]["rows"]] == [
        "T",
        "pico (random weights)",
        "B (384 px)",
    ]
    assert [bool(row["badge"]) for row in changed[page.panels["overview"]]["rows"]] == [False, True, False]


def test_chips_keep_their_places_and_lose_their_arrow_when_loaded(page, opened, monkeypatch):
    monkeypatch.setattr(page.studio, "ready", lambda name: name in ("pico", "b"))
    before = [value for _, value in page.variants.choices]
    changed = finish(page.variants_chosen(ANN, opened, *controls(["pico"])))
    assert [value for _, value in changed[page.variants].choices] == before
    assert before == [name for name in page.names if name not in SIBLINGS]  # those have buttons of their own
    arrows = {value: label.endswith("\u2193") for label, value in changed[page.variants].choices}
    assert (arrows["pico"], arrows["b"], arrows["t"]) == (False, False, True)


def test_every_variant_that_is_chosen_has_a_chip(page):
    chosen = ["t@untrained", "pico", "s@untrained"]
    values = [value for _, value in page._chips(chosen)]
    assert set(chosen) <= set(values)
    assert len(values) == len(set(values))


def test_what_changes_without_a_part(page, opened):
    """A button sets the model without that part beside the one it was trained with; both can then be unticked."""
    assert {json.loads(button.value.removeprefix("__i18n__"))["key"]: pair for button, pair in page.parts.items()} == {
        "generated kernels": ("pico_matched", "pico_static"),
        "attention": ("pico_matched", "pico_noosra"),
        "STE": ("pico_matched", "pico_noste"),
    }
    changed = finish(page._without(("pico_matched", "pico_noosra"))(ANN, opened, *controls(["pico"])))
    assert changed[page.session].variants == ("pico_matched", "pico_noosra")
    chips = changed[page.variants]
    assert chips.value == ["pico_matched", "pico_noosra"]
    assert {"pico_matched", "pico_noosra"} <= {value for _, value in chips.choices}
    assert "pico_static" not in {value for _, value in chips.choices}
    changed = finish(page.variants_chosen(ANN, changed[page.session], *controls(["pico", "pico_matched"])))
    assert "pico_noosra" not in {value for _, value in changed[page.variants].choices}


def test_a_part_whose_models_are_not_here_has_no_button():
    pairs = pairs_of(["pico", "pico_matched", "pico_static", "pico_noste@untrained"])
    assert list(pairs) == ["page.without_generated_kernels"]
    with gr.Blocks():
        assert [button.value for button in part_buttons(pairs, tr)] == ["generated kernels"]


def test_one_variant_always_stays(page, opened):
    changed = finish(page.variants_chosen(ANN, opened, *controls([])))
    assert changed[page.session].variants == ("pico",)
    assert changed[page.variants].value == ["pico"]


def test_other_classes_come_with_the_first_variant(page, opened):
    changed = finish(page.variants_chosen(ANN, opened, *controls(["t"])))
    assert len(changed[page.other].choices) == 1001  # and "the answer chosen above"
    changed = finish(page.variants_chosen(ANN, changed[page.session], *controls(["pico", "t"])))
    assert changed[page.session].variants == ("t", "pico")
    assert page.other not in changed


def test_there_is_a_way_out_of_a_variant_that_cannot_be_had(page, opened):
    failed = finish(page.variants_chosen(ANN, opened, *controls(["b"])))
    assert "B" in failed[page.answers]["note"]
    session = failed[page.session]
    again = finish(page.acted(SimpleNamespace(retry="b"), ANN, session, *controls(["b"])))
    assert kinds(shown(again, page, "overview")) == [["error"]]
    other = finish(page.acted(SimpleNamespace(instead=["b", "pico"]), ANN, session, *controls(["b"])))
    assert other[page.session].variants == ("pico",)
    assert [chip["title"] for chip in other[page.answers]["weights"]] == ["pico"]
    assert len(other[page.answers]["answers"]) == 5


def test_a_variant_that_cannot_be_had_stands_beside_one_that_can(page, opened):
    changed = finish(page.variants_chosen(ANN, opened, *controls(["pico", "b"])))
    assert kinds(shown(changed, page, "overview")) == [["map", "tiles", "map", "map"], ["error"]]
    assert changed[page.panels["overview"]]["rows"][1]["cells"][0]["text"] == "No B here."


def test_what_is_there_is_shown_while_another_loads_until_something_newer_is_asked(page, models, opened):
    steps = page.variants_chosen(ANN, opened, *controls(["pico", "s"]))
    first = next(steps)
    assert kinds(first[page.panels["overview"]]) == [["map", "tiles", "map", "map"], ["pending"]]
    session = first[page.session]

    other = page.opened(BOB, Session(), *controls())
    panel = next(step[page.panels["overview"]] for step in other if page.panels["overview"] in step)
    assert kinds(panel) == [["map", "tiles", "map", "map"]]  # Bob does not wait

    newer = page.moved(SimpleNamespace(x=5, y=6), ANN, session, *controls(["pico", "s"]))
    assert next(newer)[page.session].position == (5, 6)
    rest = list(steps)  # overtaken: it must not put the old point back
    assert len(rest) == 1
    assert is_nothing(page, rest[0])

    entry = page.studio.preload("s")
    entry.progress(4_000_000, 16_000_000, "S's file")
    moved = next(newer)  # the maps stay as they are, only the bar moves
    assert set(moved) - {TURN} == {page.downloads}
    assert list(moved[page.downloads]) == ["s"]
    assert (moved[page.downloads]["s"]["share"], moved[page.downloads]["s"]["amount"]) == (0.25, "4.0 of 16.0 MB")

    models.gate.set()
    changed = finish(newer)
    assert [row["cells"][0]["kind"] for row in changed[page.panels["overview"]]["rows"]] == ["map", "map"]
    assert changed[page.downloads] == {}
    assert ("S", "s") in changed[page.variants].choices  # it is there: no arrow any more


def test_bars_are_chosen_by_what_they_say_not_by_the_number_of_another_variants_class(page, opened):
    changed = finish(page.variants_chosen(ANN, opened, *controls(["b"])))
    changed = finish(page.variants_chosen(ANN, changed[page.session], *controls(["b", "pico"])))
    bar = changed[page.answers]["answers"][2]  # pico's third: B, the first variant, is not there
    changed = finish(page.answer_chosen(SimpleNamespace(wnid=bar["wnid"]), ANN, changed[page.session], *controls()))
    assert changed[page.answers]["chosen"] == bar["index"] == LABELS.find(bar["wnid"])
    assert bar["label"] == LABELS.names[bar["index"]]


def test_an_event_before_the_page_has_opened_changes_nothing(page):
    (step,) = page.acted(tab("Overview"), ANN, Session(), *controls())
    assert is_nothing(page, step)


# ---- figures, backbones of timm, a second image -------------------------------------------------------------

BACKBONE = "timm:test_resnet@untrained"


def drawn(changed: dict, page: Page, view: str) -> list[str]:
    """Names of the figures below a view, which are complete."""
    value = changed[page.figures[view]]
    assert value["status"] is None
    return [figure["name"] for figure in value["figures"]]


def opened_on(page: Page, session: Session, title: str, *values) -> dict:
    return finish(page.acted(tab(title), ANN, session, *(values or controls())))


def test_a_view_that_is_new_says_that_it_works_and_one_that_is_there_keeps_its_maps(page, opened, monkeypatch):
    gate, study = threading.Event(), studio_module.study

    def slow(*asked):
        assert gate.wait(60)
        return study(*asked)

    monkeypatch.setattr(studio_module, "study", slow)
    session = replace(opened, position=(21, 22))  # which nobody has looked from
    steps = page.acted(tab("Receptive field"), ANN, session, *controls())
    first = next(steps)
    assert kinds(first[page.panels["erf"]]) == [["pending"]]
    assert page.answers not in first  # they stand, as the image is the same
    gate.set()
    session = finish(steps)[page.session]
    gate.clear()
    threading.Timer(2 * LOOK_AGAIN, gate.set).start()
    moved = list(page.moved(SimpleNamespace(x=23, y=24), ANN, session, *controls()))
    panels = [step[page.panels["erf"]] for step in moved if page.panels["erf"] in step]
    assert [kinds(panel) for panel in panels] == [[["map"]]]


def test_what_was_ticked_counts_although_the_chips_have_changed_since(page, opened):
    assert page.variants.preprocess(["pico", "pico_matched"]) == ["pico", "pico_matched"]
    assert page.block.preprocess(9) == 9
    changed = finish(page.refresh(ANN, opened, *controls(block=9)))
    assert changed[page.block].value == 0
    with pytest.raises(UnknownName):
        list(page.variants_chosen(ANN, opened, *controls(["pico", "x" * 50])))


def test_maps_come_first_and_their_figures_follow(page, opened):
    steps = page.acted(tab("Attention"), ANN, opened, *controls())
    first = next(steps)
    assert page.panels["attention"] in first
    assert page.figures["attention"] not in first
    assert next(steps)[page.figures["attention"]]["keep"]
    assert drawn(finish(steps), page, "attention") == [
        "attention_heads", "attention_depth", "rollout", "pathway_energies",
    ]  # fmt: skip


def test_ablation_answers_at_once_and_its_table_comes_when_it_is_asked_for(page, opened):
    assert not any(
        {"ablation_table", "sanity_checks"} & set(study.options.analyses) for study in page.studio._studies.values()
    )
    changed = opened_on(page, opened, "Ablation")
    assert page.figures["ablation"] not in changed
    assert not any("ablation" in study.options.analyses for study in page.studio._studies.values())
    cell = changed[page.panels["ablation"]]["columns"][0]["cell"]
    assert cell["rows"][0]["label"] == changed[page.answers]["answers"][0]["label"]

    ask = SimpleNamespace(change={"every": True})
    asked = finish(page.acted(ask, ANN, changed[page.session], *controls()))
    assert drawn(asked, page, "ablation") == ["ablation_table", "ablation_heads"]
    there, made = asked[page.session], len(page.studio._ablations)
    edited = SimpleNamespace(change={"edits": ["no_osra@3.0"], "mask": "2x2:gA==", "fill": "blur"})
    switched = finish(page.acted(edited, ANN, there, *controls()))
    assert page.figures["ablation"] not in switched  # it stands as it is
    now = switched[page.panels["ablation"]]["columns"][0]["cell"]
    assert now["rows"][0]["after"] != cell["rows"][0]["after"] == cell["rows"][0]["before"]
    assert len(page.studio._ablations) == made + 1
    again = finish(page.refresh(ANN, there, *controls(stage=1)))
    titles = [one[page.figures["ablation"]]["figures"][1]["title"] for one in (asked, again)]
    assert "stage 3" in titles[0]
    assert "stage 1" in titles[1]  # only which heads are drawn: nothing is computed again
    other = finish(page.answer_chosen(SimpleNamespace(wnid=LABELS.wnids[7]), ANN, there, *controls()))
    assert (drawn(other, page, "ablation"), other[page.session].every) == ([], "")  # of another answer


def test_a_moved_crosshair_sends_no_attention_table_again(page, opened):
    first = opened_on(page, opened, "Attention")
    panel, asked = page.panels["attention"], controls()
    assert all(first[panel]["tables"].values())
    again = finish(page.moved(SimpleNamespace(x=9, y=9), ANN, first[page.session], *asked))
    assert again[panel]["position"] == [9, 9]
    assert set(again[panel]["tables"]) == set(first[panel]["tables"])
    assert set(again[panel]["tables"].values()) == {None}
    newest = next(reversed(page.studio._studies.values()))
    assert (newest.options.analyses, newest.options.position) == (WANTED["attention"].figures, (9, 9))  # of the figures
    lost = SimpleNamespace(change={"held": []})
    assert all(finish(page.acted(lost, ANN, again[page.session], *asked))[panel]["tables"].values())


def test_sanity_checks_says_how_far_it_is_until_something_newer_is_asked(page, opened, monkeypatch):
    go = threading.Event()

    def slow(loaded, shown, options, other, progress):
        if options.analyses == ():  # the answer alone
            return quick(loaded, shown, options, other, progress)
        for done in range(41):
            progress("sanity_checks", done, 40)
            assert done < 12 or go.wait(60)

    quick = studio_module.study
    monkeypatch.setattr(studio_module, "study", slow)
    steps = page.acted(tab("Sanity checks"), ANN, opened, *controls())
    assert kinds(next(steps)[page.panels["sanity_checks"]]) == [["pending"]]
    assert len(next(steps)[page.answers]["answers"]) == 5  # the answer does not wait for the maps
    cells = (next(steps)[page.downloads]["pico"] for _ in range(MOST))
    assert next(cell for cell in cells if cell.get("amount") == "12 of 40")["text"] == "testing the maps"
    page.studio.begin("ann")
    rest = list(steps)
    assert is_nothing(page, rest[-1])
    assert not page.studio._jobs._running  # it was Ann's alone
    go.set()


def test_a_backbone_of_timm_becomes_a_column(page, opened):
    changed = finish(page.backbone_added(ANN, opened, *controls(), " test_resnet@untrained "))
    assert changed[page.session].variants == ("pico", BACKBONE)
    assert changed[page.variants].value == ["pico", BACKBONE]
    assert ("test_resnet (timm) (random weights)", BACKBONE) in changed[page.variants].choices
    assert changed[page.backbone] == ""  # ready for the next one
    rows = changed[page.panels["overview"]]["rows"]
    assert [cell["kind"] for cell in rows[1]["cells"]] == ["text", "text", "map", "map"]
    assert "no TransXNet" in rows[1]["cells"][0]["text"]
    session = changed[page.session]
    for title, view in (("Attention", "attention"), ("Kernels", "kernels")):
        changed = opened_on(page, session, title, *controls(["pico", BACKBONE], stage=2))
        assert "no TransXNet" in changed[page.panels[view]]["rows"][0]["cells"][1]["text"]
        assert drawn(changed, page, view)  # the other column's
    changed = opened_on(page, session, "Attention", *controls(["pico", BACKBONE], stage=1, block=2))
    assert changed[page.block].value == 2  # of blocks a backbone has none
    changed = finish(page.variants_chosen(ANN, session, *controls(["pico"])))
    assert BACKBONE not in [value for _, value in changed[page.variants].choices]


def test_a_name_that_timm_does_not_have_is_said(page, opened):
    event = next(f for f in page.blocks.fns.values() if f.targets and f.targets[0][0] == page.backbone._id)
    with pytest.raises(gr.Error, match="timm has no backbone called 'resnet5000'"):
        list(event.fn(ANN, opened, *controls(), "resnet5000"))
    (step,) = page.backbone_added(ANN, opened, *controls(), "")
    assert is_nothing(page, step)


def test_a_request_that_names_many_models_loads_none(page, opened):
    event = next(f for f in page.blocks.fns.values() if f.targets == [(page.variants._id, "input")])
    many = [f"timm:{name}@untrained" for name in timm.list_models("test_*")]
    assert len(many) > 3
    before = page.studio._models._in_use.keys() | set(page.studio._models._idle)
    for names in (many, ["pico", *many], ["pico", "nano@untrained", "timm:zeta"]):
        with pytest.raises(gr.Error, match=r"At most 3 models|timm has no backbone"):
            list(event.fn(ANN, opened, *controls(names)))
    assert page.studio._models._in_use.keys() | set(page.studio._models._idle) == before
    changed = finish(page.variants_chosen(ANN, opened, *controls(["pico", BACKBONE, "pico@untrained"])))
    assert changed[page.session].variants == ("pico", BACKBONE, "pico@untrained")


@pytest.fixture(scope="module")
def listed(models) -> Page:
    """A page whose visitors may name one backbone."""
    name = BACKBONE.partition("@")[0]
    return Page(Studio(device="cpu", backbones=Backbones("listed", (name,))), beside=(name,))


def test_backbones_that_are_not_listed_are_refused_everywhere(listed):
    page, sentence = listed, "This page does not offer that timm backbone. Available backbones: timm:test_resnet."
    query = {"variants": f"timm:test_vit@untrained,pico,{BACKBONE}"}
    changed = finish(page.opened(SimpleNamespace(session_hash="ida", query_params=query), Session(), *controls()))
    session = changed[page.session]
    assert session.variants == ("pico", BACKBONE)
    assert changed[page.note]["sentences"] == [sentence]
    for steps in (
        page.backbone_added(ANN, session, *controls(), "test_vit"),
        page.variants_chosen(ANN, session, *controls(["pico", "timm:test_vit"])),
        page.acted(SimpleNamespace(instead=["pico", "timm:test_vit@untrained"]), ANN, session, *controls()),
    ):
        with pytest.raises(UnknownName) as caught:
            list(steps)
        assert str(caught.value) == sentence
    for name in ("timm:test_vit", "timm:zeta@untrained"):  # programs, whether timm has it or not
        with pytest.raises(UnknownName) as caught:
            Endpoints(page.studio).predict(image(), name, 5, False)
        assert str(caught.value) == sentence
    gone = finish(page.go({"variants": ["timm:test_vit"]}, session, controls(), ANN))
    assert (gone[page.session].variants, gone[page.note]["sentences"]) == (("pico",), [sentence])
    assert page.backbone.placeholder == "timm:test_resnet"


def test_a_page_without_backbones_has_no_field_for_them(models):
    page = Page(Studio(device="cpu", backbones=Backbones("none", ("timm:test_resnet",))), beside=("timm:test_resnet",))
    assert (page.backbone.visible, page.beside.visible, page._beside()) == (False, False, [])


def test_one_click_sets_backbones_beside_the_receptive_fields(page, opened, monkeypatch):
    monkeypatch.setattr(page, "beside_names", ("timm:test_resnet", "timm:test_convnext"))
    monkeypatch.setattr(page.studio, "ready", lambda name: name == "timm:test_convnext")
    changed = opened_on(page, opened, "Receptive field", *controls(beside=True))
    assert drawn(changed, page, "erf") == ["beside", "erf_curves", "erf_pathways"]
    for name in (BACKBONE, "timm:test_convnext"):  # whose weights are not on this disk come untrained
        assert page.studio.peek(name).loaded is not None
    assert changed[page.session].variants == ("pico",)
    assert drawn(opened_on(page, opened, "Receptive field"), page, "erf") == ["erf_curves", "erf_pathways"]


def test_slower_maps_come_when_they_are_asked_for(page, opened):
    quick = opened_on(page, opened, "Grad-CAM")[page.panels["grad_cam"]]["rows"]
    slow = opened_on(page, opened, "Grad-CAM", *controls(slower=True))[page.panels["grad_cam"]]["rows"]
    titles = ["Integrated gradients", "SmoothGrad", "Occlusion"]
    assert [row["title"] for row in slow] == [*(row["title"] for row in quick), *titles]
    assert {row["cells"][0]["kind"] for row in slow} == {"map"}


def test_the_answer_to_a_tick_unticks_nothing_that_was_ticked_meanwhile(page, opened):
    """It says what is ticked only where that is not what the visitor ticked: of four boxes the oldest goes."""
    named = ["pico", "pico@untrained", "t@untrained"]
    changed = finish(page.variants_chosen(ANN, opened, *controls(named)))
    assert "value" not in changed[page.variants].constructor_args
    changed = finish(page.variants_chosen(ANN, changed[page.session], *controls([*named, "t"])))
    assert changed[page.variants].constructor_args["value"] == [*named[1:], "t"]


def test_all_that_changes_a_session_stands_in_one_line(page):
    """Of several lines, Gradio's queue begins with any: the later of two clicks might come first."""
    changing = [fn for fn in page.blocks.fns.values() if page.session in fn.outputs]
    assert len(changing) > 20
    assert {(fn.concurrency_id, fn.concurrency_limit) for fn in changing} == {("page", None)}


def test_the_second_image_is_the_next_example_until_another_is_chosen(page, opened):
    changed = opened_on(page, opened, "Kernels")
    assert changed[page.others["kernels"]]["chosen"] == 1
    assert "kernel_change" in drawn(changed, page, "kernels")
    session = changed[page.session]
    changed = finish(page.other_chosen(SimpleNamespace(index=3), ANN, session, *controls()))
    assert changed[page.others["kernels"]]["chosen"] == 3
    lion = finish(page.example_chosen(SimpleNamespace(index=3), ANN, changed[page.session], *controls()))
    assert lion[page.others["kernels"]]["chosen"] == 4  # never the image itself


def test_the_second_image_may_be_the_visitors_own_before_this_one(page, opened):
    """Offered once there is one; never the image itself, and never in a link."""
    first, last = image(1), image(2)
    session = finish(page.uploaded(ANN, replace(opened, active="compare", photos=True), *controls(), first))
    assert len(session[page.others["compare"]]["items"]) == len(page.examples)  # the only one is looked at
    changed = finish(page.uploaded(ANN, session[page.session], *controls(), last))
    thumbs = changed[page.others["compare"]]
    assert (len(thumbs["items"]), thumbs["chosen"]) == (len(page.examples) + 1, 0)
    assert thumbs["items"][-1]["alt"] == tr("page.your_image")

    asked = SimpleNamespace(index=len(page.examples))
    changed = finish(page.other_chosen(asked, ANN, changed[page.session], *controls()))
    session = changed[page.session]
    assert page._second(session) == Second(first.sha256)
    assert changed[page.others["compare"]]["chosen"] == len(page.examples)
    panel = shown(changed, page, "compare")
    assert panel["heads"][1]["title"] == "Reference image: your image"
    mine, theirs = (
        page.studio.study(one.sha256, "pico", StudyOptions(analyses=("kernels",))).kernels for one in (last, first)
    )
    tiles = panel["rows"][0]["cells"][1]["tiles"]["base64"]
    assert tiles == floats(theirs.kernels[representatives(mine, TILES)])
    assert tr("links.reference_image") in changed[page.link]["upload"]
    assert "with" not in linked(changed, page)

    asked = page._asked(session, Controls(*controls()), SimpleNamespace())
    assert [one.sha256 for one in asked.images] == [last.sha256, first.sha256]
    assert (list(asked.labels), len(asked.second)) == (["", ""], 1)
    assert tr("files.uploaded_reference") in figure_of(asked).notes  # its address cannot hold it

    away = finish(page.example_chosen(SimpleNamespace(index=2), ANN, session, *controls()))[page.session]
    assert page._second(away).key == last.sha256  # the last of both, now that neither is looked at
    gone = replace(away, uploads=("0" * 64,))
    assert page._second(gone).example == 3


# ---- links, going somewhere, stopping ---------------------------------------------------------------------------

LION = "lion"


def asking(**query: str) -> SimpleNamespace:
    """Ann's request of an address with this query."""
    return SimpleNamespace(session_hash="ann", query_params=query)


def linked(changed: dict, page: Page) -> dict:
    return changed[page.link]["query"]


def test_an_address_gives_its_state_back_in_one_answer(page):
    query = {
        "image": LION, "variants": "pico,pico@untrained", "view": "attention", "stage": "2", "block": "1", "cam": "3",
        "x": "30", "y": "40", "class": LABELS.wnids[7], "with": "tower", "compared": "kernels", "head": "2",
    }  # fmt: skip
    changed = finish(page.opened(asking(**query, stray="1"), Session(), *controls()))
    session = changed[page.session]
    assert page.examples[session.example].label == LION
    assert page.examples[session.other].label == "tower"
    assert (session.position, session.target, session.active) == ((30, 40), LABELS.wnids[7], "attention")
    assert (session.variants, session.compared) == (("pico", "pico@untrained"), "kernels")
    assert changed[page.variants].value == ["pico", "pico@untrained"]
    assert (changed[page.stage], changed[page.cam_layer], changed[page.block].value) == (2, 3, 1)
    assert changed[page.view_choice]["view"] == "attention"
    assert changed[page.thumbs]["chosen"] == session.example
    assert changed[page.answers]["chosen"] == 7
    assert shown(changed, page, "attention")["view"] == "attention"  # and no other
    assert linked(changed, page) == {key: text for key, text in query.items() if key != "head"}  # the browser's own
    assert changed[page.note]["sentences"] == []


def test_a_broken_address_opens_a_page_that_says_what_is_missing(page):
    changed = finish(page.opened(asking(stage="9", x="30", y="99999", variants="foo"), Session(), *controls()))
    width, height = page.studio.image(changed[page.session].image).size
    assert changed[page.session].position == ((width - 1) // 2, (height - 1) // 2)
    assert changed[page.session].variants == ("pico",)
    assert changed[page.stage] == 3
    assert kinds(shown(changed, page, "overview")) == [["map", "tiles", "map", "map"]]
    assert changed[page.note]["sentences"] == [
        tr("links.unknown_model", value="foo"), tr("links.unused", what="stage", value="9"),
        tr("links.outside", x=30, y=99999),
    ]  # fmt: skip
    assert linked(changed, page) == {}  # the address is mended


def test_the_address_follows_what_is_looked_at_and_leaves_an_upload_out(page, opened):
    assert linked(finish(page.moved(SimpleNamespace(x=5, y=6), ANN, opened, *controls())), page) == {
        "image": page.examples[0].label, "x": "5", "y": "6",
    }  # fmt: skip
    changed = finish(page.uploaded(ANN, opened, *controls(stage=1), image()))
    changed = finish(page.moved(SimpleNamespace(x=5, y=6), ANN, changed[page.session], *controls(stage=1)))
    assert linked(changed, page) == {"stage": "1"}
    assert changed[page.link]["upload"] == tr("links.upload", example=page.examples[0].label)


def test_a_script_goes_to_a_state_and_what_it_does_not_name_stays(page, opened):
    session = Session(**vars(opened) | {"position": (30, 40), "target": LABELS.wnids[7], "tour": 2})
    go = {"view": "erf", "stage": 2, "cam": 3, "variants": ["pico@untrained"], "tour": 3}
    changed = finish(page.acted(SimpleNamespace(go=go), ANN, session, *controls(slower=True)))
    there = changed[page.session]
    assert (there.active, there.variants, there.tour) == ("erf", ("pico@untrained",), 3)
    assert (there.position, there.target, there.image) == ((30, 40), LABELS.wnids[7], opened.image)
    assert (changed[page.stage], changed[page.cam_layer], changed[page.view_choice]["view"]) == (2, 3, "erf")
    assert shown(changed, page, "erf")["rows"]

    changed = finish(page.go({"example": 1, "fx": 1, "fy": 0}, there, controls(["pico@untrained"], stage=2), ANN))
    width, _ = page.studio.image(changed[page.session].image).size
    assert (changed[page.session].example, changed[page.session].position) == (1, (width - 1, 0))
    assert (changed[page.session].target, changed[page.stage]) == (None, 2)  # another image has its own answer
    again = finish(page.go({"example": 1, "fx": 0.5, "fy": 0.5}, there, controls(["pico@untrained"]), ANN))
    assert "x" not in again[page.link]["query"]  # the same middle as that of a page that opens

    changed = finish(page.go({"image": LION, "x": 3, "y": 4, "class": LABELS.wnids[9]}, there, controls(), ANN))
    assert (changed[page.session].position, changed[page.session].target) == ((3, 4), LABELS.wnids[9])
    changed = finish(page.go({"class": "", "tour": 0}, changed[page.session], controls(), ANN))
    assert (changed[page.session].position, changed[page.session].target) == ((3, 4), None)
    assert changed[page.session].tour == 0


def test_a_script_leaves_an_upload_where_it_is_and_what_cannot_be_used_is_said(page, opened):
    session = finish(page.uploaded(ANN, opened, *controls(), image()))[page.session]
    changed = finish(page.go({"stage": 1, "view": "nothing"}, session, controls(), ANN))
    assert (changed[page.session].image, changed[page.stage]) == (image().sha256, 1)
    assert changed[page.note]["sentences"] == [tr("links.unused", what="tab", value="nothing")]
    (step,) = page.go({"stage": 1}, Session(), controls(), ANN)  # before the page has opened
    assert is_nothing(page, step)


def test_back_from_an_example_is_ones_own_image_again(page, opened):
    mine = finish(page.uploaded(ANN, opened, *controls(), image()))[page.session]
    away = finish(page.example_chosen(SimpleNamespace(index=1), ANN, mine, *controls()))[page.session]
    back = finish(page.go({"image": "", "view": "erf"}, away, controls(), ANN))[page.session]
    assert (back.image, back.example, back.active) == (image().sha256, -1, "erf")
    never = finish(page.go({"image": ""}, replace(away, uploads=()), controls(), ANN))[page.session]
    assert never.example == 1


def test_a_file_explains_what_the_page_explains(page, opened, monkeypatch):
    """Beside others a variant explains the first one's answer, there as here."""
    asked = []
    study = page.studio.study
    monkeypatch.setattr(page.studio, "study", lambda *some: asked.append(some[2]) or study(*some))
    names = ["pico", "pico@untrained"]
    session = replace(opened, variants=tuple(names), active="grad_cam", visitor="gil")
    for name in names:
        assert page.studio.preload(name).done.wait(60)
    shots_of(page.studio, session.image, names, options_of(session, Controls(*controls(names)), 0))
    shown = finish(page.refresh(as_request("gil"), session, *controls(names)))
    first = shown[page.answers]["answers"][0]["wnid"]
    assert [(options.target, options.allow_missing_target) for options in asked][:2] == [(None, False), (first, True)]


def test_a_step_of_the_tour_on_a_tab_of_ones_own_comes_back_so(page):
    """An address without a view opens the step's own."""
    for asked, view in (({"tour": "2"}, "kernels"), ({"tour": "2", "view": "overview"}, "overview")):
        request = SimpleNamespace(session_hash="hal", query_params=asked)
        changed = finish(page.opened(request, Session(), *controls()))
        assert (changed[page.session].tour, changed[page.session].active) == (2, view)
        assert changed[page.link]["query"]["view"] == view


def test_an_answer_chosen_by_its_bar_empties_the_field_of_any_class(page, opened):
    changed = finish(page.answer_chosen(SimpleNamespace(wnid=LABELS.wnids[3]), ANN, opened, *controls()))
    assert (changed[page.session].target, changed[page.other]) == (LABELS.wnids[3], "")


def test_of_two_tabs_the_later_one_counts(page, opened):
    attention = page.acted(tab("Attention"), ANN, opened, *controls())
    next(attention)  # not answered in full when the other is chosen, whose session still is the one before
    assert shown(finish(page.acted(tab("Receptive field"), ANN, opened, *controls())), page, "erf")
    assert is_nothing(page, list(attention)[-1])
    with pytest.raises(InvalidValue, match="not 'elsewhere'"):
        list(page.acted(SimpleNamespace(change={"active": "elsewhere"}), ANN, opened, *controls()))
    with pytest.raises(InvalidValue, match=r"not \['erf'\]"):
        list(page.acted(SimpleNamespace(change={"active": ["erf"]}), ANN, opened, *controls()))


def test_only_clicks_of_tabs_are_listened_to(page):
    """Gradio also tells of a tab that an answer opens: come late, it would take the visitor away from the next view."""
    heard = [page.blocks.blocks.get(number) for fn in page.blocks.fns.values() for number, _ in fn.targets]
    assert page.view_choice in heard
    assert not [block for block in heard if isinstance(block, gr.Tab | gr.Tabs)]


def test_what_takes_long_can_be_stopped_and_started_again(page, opened, monkeypatch):
    begun = []

    def slow(loaded, shown, options, other, progress):
        if options.analyses == ():
            return quick(loaded, shown, options, other, progress)
        begun.append(options.analyses)
        while True:
            progress("sanity_checks", 12, 40)
            threading.Event().wait(0.01)

    quick = studio_module.study
    monkeypatch.setattr(studio_module, "study", slow)
    running = page.acted(tab("Sanity checks"), ANN, opened, *controls())
    first = next(running)
    (cell,) = first[page.panels["sanity_checks"]]["rows"][0]["cells"]
    assert (cell["kind"], cell["stop"]) == ("pending", tr("progress.stop"))
    answered = next(running)[page.answers]
    assert len(answered["answers"]) == 5  # the answer does not wait for the maps
    session = first[page.session]

    (step,) = page.long_asked(SimpleNamespace(ask="stop"), ANN, session, *controls())
    assert is_nothing(page, step)
    rest = list(running)
    assert is_nothing(page, rest[-1])
    (cell,) = rest[-2][page.panels["sanity_checks"]]["rows"][0]["cells"]
    assert (cell["text"], cell["again"]) == (tr("progress.stopped"), tr("progress.start_again"))
    assert "stop" not in cell
    assert rest[-2][page.answers] == answered
    assert rest[-2][page.downloads] == {}
    assert not page.studio._jobs._running

    again = page.long_asked(SimpleNamespace(ask="again"), ANN, session, *controls())
    assert kinds(next(again)[page.panels["sanity_checks"]]) == [["pending"]]
    assert next(step for step in again if step.get(page.downloads, {}).get("pico", {}).get("amount") == "12 of 40")
    assert begun == [(*WANTED["sanity_checks"].maps, ALWAYS)] * 2
    page.studio.turns.stop("ann")
    overtaking = page.moved(SimpleNamespace(x=1, y=1), ANN, session, *controls())
    next(overtaking)
    assert all(
        page.panels["sanity_checks"] not in step for step in again
    )  # something newer is asked: no word of the stop
    page.studio.begin("ann")
    list(overtaking)


def test_figures_that_take_long_can_be_stopped_while_their_maps_stay(page, opened, monkeypatch):
    go = threading.Event()

    def slow(loaded, shown, options, other, progress):
        if "erf_pathways" not in options.analyses:
            return quick(loaded, shown, options, other, progress)
        for done in range(9):
            progress("erf_pathways", done, 8)
            assert done < 2 or go.wait(60)

    quick = studio_module.study
    monkeypatch.setattr(studio_module, "study", slow)
    place = page.figures["erf"]
    moved = Session(**vars(opened) | {"active": "erf", "position": (11, 12)})  # nobody has looked there
    steps = page.refresh(ANN, moved, *controls())
    panels = (step[page.panels["erf"]] for step in steps if page.panels["erf"] in step)
    assert next(kinds(panel)[0] for panel in panels if kinds(panel) != [["pending"]]) == ["map"]
    until = (step for step in steps if (step.get(place, {}).get("status") or {}).get("stop"))
    assert next(until)[place]["status"]["stop"] == tr("progress.stop")
    page.studio.turns.stop("ann")
    left = list(steps)
    assert left[-2][place]["figures"] == []
    assert left[-2][place]["status"]["again"] == tr("progress.start_again")
    assert kinds(left[-2][page.panels["erf"]])[0] == ["map"]
    go.set()


# ---- T in the background ------------------------------------------------------------------------------------


def test_t_is_offered_once_it_is_there(page, opened, monkeypatch):
    timers = [f for f in page.blocks.fns.values() if any(target[1] == "tick" for target in f.targets)]
    look = timers[0].fn
    entry = page.studio.preload("t")
    assert entry.done.wait(60)
    button, timer, chips = look(["pico"])
    assert (button.visible, timer.active) == (True, False)
    assert ("T", "t") in chips.choices  # and no arrow beside it
    assert look(["pico", "t"])[0].visible is False
    changed = finish(page.offered(ANN, opened, *controls()))
    assert changed[page.session].variants == ("pico", "t")
    assert changed[page.offer].visible is False

    monkeypatch.setattr(entry, "loaded", None)  # as if no source had it
    button, timer, _ = look(["pico"])
    assert (button.visible, timer.active) == (False, False)
    monkeypatch.setattr(entry, "done", threading.Event())  # as if it was still on its way
    assert look(["pico"]) == (gr.skip(), gr.skip(), gr.skip())


# ---- what the browser is given ------------------------------------------------------------------------------


def test_scripts_and_styles_name_no_other_machine():
    given = b"".join(modules().values()).decode() + "".join(path.read_text(encoding="utf-8") for path in STYLES)
    given = given.replace("http://www.w3.org/2000/svg", "")  # a name, which nobody fetches
    assert not re.search(r"https?:|//[a-z]+\.[a-z]", given)
    assert "@import" not in given


def test_only_the_endpoints_are_public(page):
    public = [f.api_name for f in page.blocks.fns.values() if f.api_visibility == "public"]
    assert public == [
        "predict", "attention", "kernels", "grad_cam", "erf", "explain", "ablation_table", "sanity_checks", "compare",
        "ablation",
        "export",
    ]  # fmt: skip
