"""Links: a state as a query string and back, and what becomes of queries that nobody should sanity_checks."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from urllib.parse import parse_qsl, urlencode

import pytest
from starlette.datastructures import QueryParams

from demo.examples import examples
from demo.i18n.tabs import TABS
from demo.i18n.translate import tr
from demo.links import MOST_VARIANTS, WHAT, State, from_query, query_of, to_query, updated
from demo.places import arrived, link, middle, state_of
from demo.session import Controls, Session
from demo.turns import KEPT, Turns
from demo.web import HERE
from transxnet.labels import label_set

FIRST, LION = (example.label for example in examples()[:2])
LADYBUG = label_set("tiny-imagenet-200").wnids[12]
FULL = State(
    image="toy figure", variants=("pico", "pico@untrained", "timm:resnet50"), view="kernels", stage=2, block=1, cam=3,
    position=(120, 0), target=LADYBUG, compared="grad_cam", second=LION, tour=4, language="ko",
    edits=("head_off:2@3.2", "no_osra@0.0"), photos=True,
    display=(
        ("colors", "viridis"), ("direction", "to"), ("gamma", "0.5"), ("head", "3"), ("opacity", "0.4"), ("seen", "1"),
        ("show", "masked"), ("signed", "coolwarm"), ("threshold", "0.25"),
    ),
)  # fmt: skip


def read(text: str) -> tuple[State, list[str]]:
    return from_query(QueryParams(text))


# ---- there and back ---------------------------------------------------------------------------------------------


def test_a_query_is_short_and_can_be_read():
    assert to_query(State()) == ""
    assert to_query(State(view="erf", stage=4)) == "view=erf&stage=4"
    few = State(image=LION, variants=("pico", "t@untrained"), view="attention", position=(12, 34), target=LADYBUG)
    assert to_query(few) == f"image=lion&variants=pico,t@untrained&view=attention&x=12&y=34&class={LADYBUG}"
    assert "timm:resnet50" in to_query(FULL)
    assert "image=toy%20figure" in to_query(FULL)


def test_every_field_differs_in_the_full_state_so_that_the_next_test_means_something():
    assert [f.name for f in fields(State) if getattr(FULL, f.name) == getattr(State, f.name)] == []


@pytest.mark.parametrize("name", [f.name for f in fields(State)] + ["all"])
def test_what_is_written_is_read_again_exactly(name):
    state = FULL if name == "all" else replace(State(), **{name: getattr(FULL, name)})
    if name == "block":
        state = replace(state, variants=("pico",))
    assert read(to_query(state)) == (state, [])
    assert from_query(dict(parse_qsl(to_query(state)))) == (state, [])  # Gradio may hand over a plain dict
    assert from_query(query_of(state)) == (state, [])


@pytest.mark.parametrize("view", TABS)
def test_every_view_and_stage_can_be_linked(view):
    for stage in (1, 2, 3, 4):
        state = State(view=view, stage=stage, cam=stage)
        assert read(to_query(state)) == (state, [])


def test_names_of_variants_become_canonical_and_stand_once():
    assert read("variants=TransXNet-T,t,,TIMM:resnet50")[0].variants == ("t", "timm:resnet50")
    assert read("variants=transxnet_pico@UNTRAINED")[0].variants == ("pico@untrained",)


# ---- nothing is trusted -----------------------------------------------------------------------------------------


def unused(key: str, value: str) -> str:
    return tr("links.unused", what=tr(WHAT[key]), value=value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("stage", "9"), ("stage", "0"), ("stage", "-1"), ("stage", "2.5"), ("stage", "NaN"), ("stage", "1e1"),
        ("stage", "٣"), ("stage", " 3"), ("stage", "3\n"), ("stage", "+3"), ("cam", "5"), ("cam", "inf"),
        ("block", "-2"),
        ("tour", "100"), ("tour", "one"), ("view", "overview "), ("view", "../attention"), ("view", "Attention"),
        ("view", "__class__"), ("image", "dog"), ("image", "/etc/passwd"), ("image", "0"),
        ("with", "{0.__class__}"),
        ("class", "n99999999"), ("class", "ladybug"), ("class", "12"), ("class", "class 12"), ("compared", "a b"),
        ("compared", "<b>"), ("lang", "xx"), ("lang", "en-GB"), ("x", "NaN"), ("colors", "jet"), ("colors", "RdBu_r"),
        ("signed", "magma"), ("opacity", "1.1"), ("opacity", "nan"), ("opacity", "-0"), ("opacity", "85 %"),
        ("gamma", "0"), ("gamma", "inf"), ("gamma", "3.5"), ("threshold", "1"), ("show", "nothing"), ("seen", "true"),
        ("off", "everything"), ("off", "head_off"), ("photos", "yes"),
        ("head", "0"), ("head", "100"), ("head", "1.0"), ("direction", "up"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_and_left_at_its_default(key, value):
    query = {key: value} | ({"y": "1"} if key == "x" else {})
    assert read(urlencode(query)) == (State(), [unused(key, value.replace("\n", " "))])


def test_what_can_be_used_beside_it_is_used():
    state, said = read("stage=9&view=erf&opacity=2&x=3&y=4&gamma=2")
    assert state == State(view="erf", position=(3, 4), display=(("gamma", "2"),))
    assert said == [unused("stage", "9"), unused("opacity", "2")]


def test_unknown_variants_go_and_the_others_stay():
    state, said = read("variants=pico,nosuch,timm:resnet5000,timm:,pico@trained,t")
    assert state.variants == ("pico", "t")
    assert said == [tr("links.unknown_model", value=v) for v in ("nosuch", "timm:resnet5000", "timm:", "pico@trained")]
    state, said = read("variants=t,s,b,pico")
    assert state.variants == ("t", "s", "b")
    assert said == [tr("links.many_models", most=MOST_VARIANTS)]
    assert read("variants=,,") == (State(), [])


def test_a_key_that_is_repeated_is_not_used():
    assert read("stage=2&view=erf&stage=4&stage=4") == (State(view="erf"), [tr("links.repeated", what="stage")])
    assert read("x=1&x=2&y=3") == (State(), [tr("links.repeated", what="position")])


def test_a_position_needs_both_its_numbers():
    assert read("x=5") == read("y=5") == (State(), [tr("links.half_position")])
    assert read("x=&y=") == (State(), [])
    assert read("x=99999999&y=1") == (State(), [unused("x", "99999999")])


def test_a_block_is_one_that_all_variants_have():
    assert read("variants=pico&stage=1&block=2") == (State(variants=("pico",), stage=1, block=2), [])
    state, said = read("variants=pico,t&stage=3&block=9")  # T has nine blocks there, pico four
    assert (state.block, said) == (0, [tr("links.no_block", block=9, stage=3)])
    assert read("variants=t&stage=3&block=9")[1] == []


def test_a_class_belongs_to_somebody():
    everybody = label_set("imagenet-1k").wnids
    assert read(f"class={everybody[5]}") == (State(target=everybody[5]), [])
    assert read("class=" + everybody[5] + "%00")[0].target == ""


def test_a_huge_or_strange_value_gives_a_short_sentence():
    for value in ("9" * 100_000, "\x00\x1b[2J" * 5000, "é😀" * 9999, "{value}{0}%s", "'; DROP TABLE", "a" * 41):
        for key in WHAT:
            state, said = from_query({key: value})
            assert state == State()
            assert len(said) == 1
            assert all(len(one) < 200 and "\x1b" not in one for one in said)
    state, said = from_query({"variants": ",".join(["x" * 99] * 5000)})
    assert len(said) < 10


def test_other_peoples_keys_and_gradios_own_pages_are_nobodys_business():
    assert read("utm_source=mail&__theme=dark&fbclid=1&view=api&X=1") == (State(), [])
    assert read("view=settings&stage=2") == (State(stage=2), [])
    assert read("&&=&%zz&stage") == (State(), [])


def test_some_keys_can_be_changed_and_the_rest_stays():
    state, said = updated(FULL, {"view": "erf", "variants": ["pico"], "x": 7, "y": 8.0, "class": "", "stage": None})
    assert state == replace(FULL, view="erf", variants=("pico",), position=(7, 8), target="")
    assert said == []
    assert updated(FULL, {}) == (FULL, [])
    assert updated(FULL, {"stage": 7, "head": "max"})[0].stage == State.stage


# ---- a page's state -----------------------------------------------------------------------------------------------


def test_a_session_becomes_a_state_and_a_state_a_session():
    session = Session(
        image="key", example=3, position=(120, 0), target=LADYBUG, active="kernels", variants=FULL.variants, other=1,
        language="ko", asked_language="ko", tour=4, compared="grad_cam", edits=FULL.edits, photos=True,
    )  # fmt: skip
    controls = Controls(list(FULL.variants), stage=2, cam_layer=3, block=1, slower=True)
    state = state_of(session, controls, (400, 300), "pico")
    assert state == replace(FULL, display=())
    assert arrived(state, replace(Session(), image="key", example=3, position=(120, 0)), controls, "pico") == (
        session, controls,
    )  # fmt: skip


def test_what_the_page_opens_on_needs_no_link():
    session = Session(image="key", example=0, position=middle((400, 300)))
    state = state_of(session, Controls(["pico"], 3, 4, 0), (400, 300), "pico")
    assert state == State(image=FIRST)
    assert link(state, upload=False)["query"] == {}
    assert link(replace(state, stage=2), upload=False)["query"] == {"image": FIRST, "stage": "2"}
    assert arrived(State(), session, Controls(["t"], 3, 4, 0), "pico")[0].variants == ("pico",)


def test_an_upload_and_its_position_are_not_in_the_link_which_says_so():
    made = link(State(view="erf", position=(3, 4)), upload=True)
    assert made["query"] == {"view": "erf"}
    assert made["upload"] == tr("links.upload", example=FIRST)
    assert link(State(), upload=False)["upload"] == ""
    assert link(State(), upload=False, painted=True)["upload"] == tr("links.mask")


def test_the_script_knows_the_same_keys():
    script = (HERE / "js/widgets/address_bar.js").read_text(encoding="utf-8")
    pairs = dict(re.findall(r"(\w+): \"(\w+)\"", script[script.index("FIELDS") : script.index("};")]))
    assert set(pairs) == {key for key, _ in FULL.display}


# ---- turns --------------------------------------------------------------------------------------------------------


def test_the_newest_request_is_the_one_and_can_be_stopped():
    turns = Turns()
    first, bob = turns.begin("ann"), turns.begin("bob")
    second = turns.begin("ann")
    assert [first(), second(), bob()] == [False, True, True]
    assert not any(turn.stopped for turn in (first, second, bob))
    turns.stop("ann")
    assert [first.stopped, second.stopped, bob.stopped] == [False, True, False]
    assert (second(), bob()) == (False, True)
    third = turns.begin("ann")
    assert (second.stopped, third()) == (False, True)  # overtaken, not stopped


def test_no_more_than_so_many_visitors_are_remembered():
    turns = Turns()
    first = turns.begin("ann")
    for number in range(KEPT):
        last = turns.begin(str(number))
    assert (first(), last(), len(turns._newest)) == (False, True, KEPT)
