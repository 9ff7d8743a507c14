"""The page's components, and its one event in Python: an uploaded image."""

from __future__ import annotations

import json

import gradio as gr
import pytest

from demo.backbones import Backbones
from demo.controls import MODELS_WITHOUT
from demo.renderer import Renderer
from demo.service import StudyService
from demo.state import TABS
from demo.ui.layout import Layout
from demo.ui.page import Page
from tests.fixtures.small_model import image

LISTED = "timm:test_resnet"


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(StudyService(device="cpu"), backbones=(LISTED,))


def build_layout(renderer: Renderer) -> Layout:
    with gr.Blocks():
        return Layout(renderer)


def test_upload_is_kept_under_a_random_key(renderer):
    page = Page(renderer)
    key = page.open_upload(image())["key"]
    assert renderer.service.image(key).sha256 == image().sha256
    assert page.open_upload(image())["key"] != key
    assert page.open_upload(None) is None


def test_every_tab_has_its_panel(renderer):
    blocks = Page(renderer).blocks.blocks.values()
    ids = {getattr(block, "elem_id", None) for block in blocks}
    assert {f"tab-{name}" for name in TABS} | {f"panel-{name}" for name in TABS} <= ids


def test_parts_have_buttons_of_two_models(renderer):
    layout = build_layout(renderer)
    labels = {json.loads(button.value.removeprefix("__i18n__"))["key"]: pair for button, pair in layout.without.items()}
    assert labels == {
        "generated kernels": ("pico_matched", "pico_static"),
        "attention": ("pico_matched", "pico_noosra"),
        "STE": ("pico_matched", "pico_noste"),
    }
    assert list(labels.values()) == list(MODELS_WITHOUT.values())


def test_part_whose_models_have_no_weights_has_no_button(renderer, monkeypatch):
    monkeypatch.setattr(renderer, "model_names", ["pico", "pico_matched", "pico_static", "pico_noste@untrained"])
    assert list(build_layout(renderer).without.values()) == [("pico_matched", "pico_static")]


@pytest.mark.parametrize(
    ("policy", "is_visible", "placeholder"),
    [("none", False, ""), ("listed", True, LISTED), ("any", True, "convnext_tiny, resnet50@untrained, …")],
)
def test_backbones_are_offered_as_the_policy_allows(policy, is_visible, placeholder):
    service = StudyService(device="cpu", backbones=Backbones(policy, (LISTED,)))
    controls = build_layout(Renderer(service, backbones=(LISTED,))).controls
    assert (controls["backbone"].visible, controls["other_backbones"].visible) == (is_visible, is_visible)
    assert not is_visible or controls["backbone"].placeholder == placeholder
