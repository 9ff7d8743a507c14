"""Figures below a view: figures with words, images exact, tables, and what stands there while they are made."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from demo.columns import Column
from demo.figures import figure, figures_of, none, shown, waiting
from demo.i18n.translate import tr
from demo.wanted import WANTED
from tests.fixtures.small_model import image, small_model
from transxnet import load
from transxnet.draw.figure import StudyFigure, Table
from transxnet.errors import SourceFailed
from transxnet.export.figures import figures_for
from transxnet.export.manifest import KEY
from transxnet.study import Study, StudyOptions, study

ONE, TWO = image(), image(1)


def analyzed(name: str, parts: tuple[str, ...], kind: str = "folder") -> Column:
    return Column(name, study(small_model(kind), ONE, StudyOptions(stage=2, analyses=parts), TWO))


def pixels(data_url: str) -> np.ndarray:
    assert data_url.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data_url.partition("base64,")[2]))))


def test_figure_keeps_text_pixels_and_table():
    rgb = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    table = Table(("map", "sanity_check"), [("Grad-CAM", "follows")])
    content = figure(StudyFigure("p", "Title", "Caption", "Alt", "Limits", rgb, table))
    assert (pixels(content.pop("src")) == rgb).all()
    assert content == {
        "name": "p", "title": "Title", "caption": "Caption", "alt": "Alt", "size": [30, 20], "limits": "Limits",
        "table": {"head": ["map", "sanity_check"], "rows": [["Grad-CAM", "follows"]]},
    }  # fmt: skip
    assert "src" not in figure(StudyFigure("p", "Title", "Caption", "Alt", "Limits", table=table))
    assert "table" not in figure(StudyFigure("p", "Title", "Caption", "Alt", "Limits", rgb))


@pytest.mark.parametrize(
    "view", [name for name, wanted in WANTED.items() if wanted.figures and name != "sanity_checks"]
)
def test_figures_contain_every_finished_column(view, monkeypatch):
    columns = [analyzed("small", WANTED[view].figures), analyzed("small", WANTED[view].figures, "untrained")]
    parts: list[str] = []
    study_figures: list[StudyFigure] = []

    def record_figures(part: str, studies: list[Study], rgb: np.ndarray) -> list[StudyFigure]:
        assert rgb is ONE.rgb
        figures = figures_for(part, studies, rgb)
        if studies:
            assert [study.model for study in studies] == ["small", "small@untrained"]
            parts.append(part)
            study_figures.extend(figures)
        return figures

    monkeypatch.setattr("demo.figures.figures_for", record_figures)
    contents = figures_of(view, [columns[0], Column("t"), columns[1]], ONE, stage=2, reference_image=TWO)
    assert parts == list(WANTED[view].figures)
    for content_figure, study_figure in zip(contents, study_figures, strict=True):
        assert content_figure["name"] == study_figure.name
        assert "small@untrained" in json.dumps(
            [content_figure["caption"], content_figure["alt"], content_figure.get("table")]
        )
        assert (pixels(content_figure["src"]) == study_figure.image).all()
        embedded = json.loads(
            Image.open(io.BytesIO(base64.b64decode(content_figure["src"].partition("base64,")[2]))).text[KEY]
        )
        assert (embedded["figure"]["title"], embedded["figure"]["caption"]) == (
            study_figure.title,
            study_figure.caption,
        )
        assert [model["provenance"]["kind"] for model in embedded["models"]] == ["folder", "untrained"]
        assert [content_figure["sha256"] for content_figure in embedded["images"]] == [ONE.sha256, TWO.sha256]
        assert embedded["request"] == {"view": view, "stage": 2}
    assert figures_of(view, [Column("t"), Column("s", error=SourceFailed("down"))], ONE) == []


def test_erf_figures_contain_other_backbones():
    only = StudyOptions(analyses=("receptive_field",))
    backbones = [
        Column(name, study(load(name), ONE, only))
        for name in ("timm:test_resnet@untrained", "timm:test_convnext@untrained")
    ]
    columns = [analyzed("small", WANTED["erf"].figures)]
    maps, curves, parts = figures_of("erf", columns, ONE, backbones)
    assert (maps["name"], curves["name"], parts["name"]) == ("beside", "erf_curves", "erf_pathways")
    for content in (maps, curves):
        for column in [*columns, *backbones]:
            assert column.study.model in content["alt"]
    random = maps["caption"].split("Random weights")[1]
    assert "timm:test_resnet@untrained" in random  # said of those that this click brought
    assert "small" not in random
    assert "timm" not in parts["alt"]
    assert figures_of("erf", [Column("t")], ONE, backbones) == []


def test_progress_of_figures():
    finished, running = analyzed("pico", ()), Column("timm:resnet18@untrained", steps=("erf_pathways", 2, 5))
    content = waiting([finished, running, Column("t")], keep=True)
    progress_text = tr("progress.models", title="resnet18 (timm) (random weights)", done=2, total=3)
    assert content["keep"] is True
    assert content["status"]["text"] == f"{progress_text}, {tr('progress.step_erf_pathways')}"
    assert (content["status"]["share"], content["status"]["amount"]) == (0.4, "2 of 5")
    assert waiting([finished], keep=False) == {"keep": False, "status": {"text": tr("progress.drawing")}}
    assert shown([])["serial"] < none()["serial"] < shown([])["serial"]
    assert none("why")["status"] == {"text": "why"}


def test_ablation_figure_uses_the_selected_stage():
    column = analyzed("small", ("ablation_table",))
    rows = {}
    for stage in (1, 3):
        _, heads = figures_of("ablation", [column], ONE, stage=stage)
        assert f"stage {stage}" in heads["title"]
        rows[stage] = [row[1:] for row in heads["table"]["rows"]]
    assert [len(rows[1]), len(rows[3])] == [1, 2]  # blocks
    assert [len(row) for row in rows[3]] == [3, 3]  # heads
    assert (
        figures_of("ablation", [column], ONE)[1]["title"] == figures_of("ablation", [column], ONE, stage=2)[1]["title"]
    )
