"""The page with models without a classifier or with fewer than four stages: maps, and reasons for the others."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from demo import replies
from demo.cells import predictions
from demo.columns import Column
from demo.figures import backbone_figures, figures_of
from demo.state import ViewState
from demo.views import Scene, tab_options, view
from tests.fixtures.small_model import image
from transxnet.errors import PartMissing
from transxnet.study import study
from transxnet.weights.load import LoadedModel, load

IMAGE = image(3, 140, 110)
DINO, LEVIT = "timm:vit_small_patch16_dinov3@untrained", "timm:levit_128s@untrained"
NO_CLASSIFIER = "has no classifier, so there is no class to explain."
NO_STAGE = "has no stage 1. Its stages: 2, 3, 4."


@pytest.fixture(scope="module")
def models() -> dict[str, LoadedModel]:
    return {DINO: load(DINO, device="cpu", image_size=64), LEVIT: load(LEVIT, device="cpu")}


def columns_of(tab: str, models: dict[str, LoadedModel], stage: int) -> list[Column]:
    options = tab_options(ViewState(tab=tab, stage=stage))
    return [Column(name, study(loaded, IMAGE, options)) for name, loaded in models.items()]


def cells(content: object) -> Iterator[tuple[str, str]]:
    """Kind, and text or caption, of every cell."""
    if isinstance(content, dict):
        if content.get("kind") in ("map", "text"):
            yield content["kind"], content.get("text") or content["caption"]
        for value in content.values():
            yield from cells(value)
    elif isinstance(content, list):
        for value in content:
            yield from cells(value)


@pytest.mark.parametrize(
    ("tab", "texts"),
    [
        ("overview", ["no OSRA", "generates no kernels", NO_CLASSIFIER, "no OSRA", "generates no kernels", NO_STAGE]),
        ("grad_cam", [NO_CLASSIFIER, NO_CLASSIFIER, NO_CLASSIFIER, NO_CLASSIFIER]),
        ("erf", [NO_STAGE]),
        ("ablation", [NO_CLASSIFIER]),
    ],
)
def test_tabs_show_maps_and_reasons(models, tab, texts):
    columns = columns_of(tab, models, stage=1)
    shown = list(cells(json.loads(json.dumps(view(tab, Scene(columns, IMAGE, ViewState(tab=tab, stage=1)))))))
    reasons = [text for kind, text in shown if kind == "text" and text]
    assert len(reasons) == len(texts)
    assert all(text in reason for text, reason in zip(texts, reasons, strict=True)), reasons
    assert sum(kind == "map" for kind, _ in shown) == {"overview": 2, "grad_cam": 4, "erf": 1, "ablation": 0}[tab]


def test_default_stage_shows_both_receptive_fields(models):
    columns = columns_of("erf", models, stage=ViewState().stage)
    shown = list(cells(view("erf", Scene(columns, IMAGE, ViewState(tab="erf")))))
    assert [caption.split(",")[0] for _, caption in shown] == ["stage 3 (blocks.8)", "stage 3 (stages.1)"]


def test_features_have_no_predictions(models):
    content = predictions(columns_of("erf", models, stage=3))
    assert content["predictions"] == []
    assert content["note"] == (
        "vit_small_patch16_dinov3 (timm) (random weights) has no classifier: its outputs are features."
    )
    with pytest.raises(PartMissing, match=NO_CLASSIFIER):
        replies.predictions(study(models[DINO], IMAGE))


def test_figures_leave_out_missing_stages(models):
    dino, levit = columns_of("erf", models, stage=1)
    titles = [figure["title"] for figure in figures_of("erf", [dino], IMAGE, backbones=[levit])]
    assert titles[0] == "Receptive fields compared with other backbones"
    assert backbone_figures([], [levit.study], IMAGE) == []
