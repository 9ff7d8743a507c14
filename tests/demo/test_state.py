"""The view state: validation, and the query of a URL."""

from __future__ import annotations

import pytest

from demo.i18n.translate import tr, tr_group
from demo.state import (
    DISPLAY_FIELDS,
    OLD_KEYS,
    TABS,
    URL_FIELDS,
    ViewState,
    from_query,
    last_block,
    to_query,
    validate,
)
from transxnet.errors import InvalidValue, UnknownName

FULL = ViewState(
    image="tabby", models=("pico", "pico@untrained", "timm:resnet50"), tab="kernels", stage=2, block=1,
    cam_layer=3, image_size=224, position=(12, 34), target="n02165456", compared="grad_cam", reference="lion",
    previous_image="espresso", two_images=True, transition="zoom", frames=12, ablations=("no_osra@3.0",), tour=2,
    locale="ko", colormap="viridis", diverging="coolwarm", opacity=0.5, gamma=2.0, threshold=0.25, scale="masked",
    model_resolution=True, head="3", direction="to",
)  # fmt: skip


def test_full_state_differs_in_every_field_of_a_url():
    assert [name for name in URL_FIELDS if getattr(FULL, name) == getattr(ViewState(), name)] == []


@pytest.mark.parametrize("name", [*URL_FIELDS, "all"])
def test_query_gives_the_same_state_back(name):
    state = FULL if name == "all" else ViewState().changed(**{name: getattr(FULL, name)})
    assert from_query(to_query(state)) == (state, [])


def test_default_state_has_an_empty_query():
    assert to_query(ViewState()) == {}


def test_upload_and_its_position_are_in_no_query():
    state = ViewState(upload="a" * 32, position=(3, 4), previous_upload="b" * 32, mask="2x2:gA==", tab="erf")
    assert to_query(state) == {"tab": "erf"}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("tab", "trust"), ("stage", "9"), ("stage", "two"), ("block", "-1"), ("cam_layer", "0"), ("image", "zebra"),
        ("compared", "X" * 50), ("reference", "zebra"), ("tour", "100"), ("lang", "xx"), ("ablations", "no_such"),
        ("colormap", "jet2"), ("opacity", "2"), ("gamma", "nan"), ("threshold", "1"), ("scale", "loud"),
        ("head", "0"), ("direction", "up"),
    ],
)  # fmt: skip
def test_unusable_value_is_left_at_its_default_with_a_note(key, text):
    state, notes = from_query({key: text, "stage": "2"} if key != "stage" else {key: text, "tab": "erf"})
    name = {"lang": "locale"}.get(key, key)
    assert getattr(state, name) == getattr(ViewState(), name)
    assert notes == [
        tr("links.unused", name=tr_group("links.name_")[name], value=text[:40] + ("…" if len(text) > 40 else ""))
    ]
    assert state.stage == 2 or state.tab == "erf"


def test_half_a_position_is_no_position():
    assert from_query({"x": "3"}) == (ViewState(), [tr("links.half_position")])


def test_model_names_become_canonical_and_unique():
    state, notes = from_query({"models": "transxnet_pico,pico,foo,t,s,b"})
    assert state.models == ("pico", "t", "s")
    assert notes == [tr("links.unknown_model", name="foo"), tr("links.too_many_models", most=3)]


def test_repeated_key_is_not_used():
    state, notes = from_query([("stage", "2"), ("stage", "4"), ("tab", "erf")])
    assert (state.stage, state.tab) == (3, "erf")
    assert notes == [tr("links.repeated", name=tr("links.name_stage"))]


@pytest.mark.parametrize("key", sorted(OLD_KEYS))
def test_old_key_opens_overview_with_a_sentence(key):
    assert from_query({key: "attention", "stage": "2"}) == (ViewState(), [tr("links.old")])


def test_foreign_keys_and_gradios_pages_are_ignored():
    assert from_query({"utm_source": "x", "__theme": "dark", "view": "api"}) == (ViewState(), [])


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_is_valid(tab):
    assert validate(ViewState, {"tab": tab}).tab == tab


@pytest.mark.parametrize(
    "values",
    [
        None, [], "state", {"tab": 3}, {"stage": 0}, {"stage": "x"}, {"position": [1]}, {"position": [-1, 3]},
        {"position": [1e300, 3]}, {"models": ["pico"] * 4}, {"upload": "../../etc"}, {"upload": "A" * 32},
        {"mask": "x" * 30_000}, {"fill": "red"}, {"opacity": float("nan")}, {"opacity": 2}, {"session": "x"},
        {"head": "99999"}, {"image": "zebra"},
    ],
)  # fmt: skip
def test_invalid_state_is_refused(values):
    with pytest.raises(InvalidValue):
        validate(ViewState, values)


def test_refusal_names_the_field():
    with pytest.raises(InvalidValue, match=r"^'models' cannot be "):
        validate(ViewState, {"models": ["pico"] * 4})


def test_refusal_repeats_little_of_the_value():
    with pytest.raises(InvalidValue) as refusal:
        validate(ViewState, {"tab": "x" * 10_000})
    assert len(str(refusal.value)) < 400


def test_unknown_model_is_refused_by_name():
    with pytest.raises(UnknownName, match="foo"):
        validate(ViewState, {"models": ["foo"]})


def test_unknown_backbone_is_refused_by_name():
    with pytest.raises(UnknownName, match="timm has no backbone called 'resnet5000'"):
        validate(ViewState, {"models": ["timm:resnet5000"]})


def test_display_fields_are_in_the_url():
    assert set(DISPLAY_FIELDS) <= set(URL_FIELDS)


def test_last_block_is_one_that_all_models_have():
    assert last_block(3, ("t", "timm:resnet50")) == last_block(3, ("t",))
    assert last_block(3, ("t", "pico")) == min(last_block(3, ("t",)), last_block(3, ("pico",)))
    assert last_block(1, ("timm:resnet50",)) == 1
