"""Figures below a panel: text, exact images, tables, and what is shown while they are computed."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from demo.columns import Column
from demo.figures import figure, figures_of, finished_figures, none, waiting
from demo.i18n.translate import tr
from demo.views import VIEWS
from tests.fixtures.small_model import image, small_model
from transxnet import load
from transxnet.draw.figure import StudyFigure, Table
from transxnet.errors import SourceFailed
from transxnet.export.figures import figures_for
from transxnet.export.manifest import KEY
from transxnet.study import Study, StudyOptions, study

IMAGE, REFERENCE = image(), image(1)


def make_column(name: str, analyses: tuple[str, ...], kind: str = "folder") -> Column:
    return Column(name, study(small_model(kind), IMAGE, StudyOptions(stage=2, analyses=analyses), REFERENCE))


def pixels(data_url: str) -> np.ndarray:
    assert data_url.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data_url.partition("base64,")[2]))))


def test_figure_keeps_text_pixels_and_table():
    rgb = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    table = Table(("map", "sanity_check"), [("Grad-CAM", "follows")])
    payload = figure(StudyFigure("p", "Title", "Caption", "Alt", "Limits", rgb, table))
    assert (pixels(payload.pop("src")) == rgb).all()
    assert payload == {
        "name": "p", "title": "Title", "caption": "Caption", "alt": "Alt", "size": [30, 20], "limits": "Limits",
        "table": {"head": ["map", "sanity_check"], "rows": [["Grad-CAM", "follows"]]},
    }  # fmt: skip
    assert "src" not in figure(StudyFigure("p", "Title", "Caption", "Alt", "Limits", table=table))
    assert "table" not in figure(StudyFigure("p", "Title", "Caption", "Alt", "Limits", rgb))


@pytest.mark.parametrize(
    "tab", [name for name, analyses in VIEWS.items() if analyses.figures and name != "sanity_checks"]
)
def test_every_finished_column_is_in_every_figure(tab, monkeypatch):
    expected = VIEWS[tab].figures
    columns = [make_column("small", expected), make_column("small", expected, "untrained")]
    analyses: list[str] = []
    study_figures: list[StudyFigure] = []

    def record(analysis: str, studies: list[Study], rgb: np.ndarray) -> list[StudyFigure]:
        assert rgb is IMAGE.rgb
        figures = figures_for(analysis, studies, rgb)
        if studies:
            assert [study.model for study in studies] == ["small", "small@untrained"]
            analyses.append(analysis)
            study_figures.extend(figures)
        return figures

    monkeypatch.setattr("demo.figures.figures_for", record)
    figures = figures_of(tab, [columns[0], Column("t"), columns[1]], IMAGE, stage=2, reference_image=REFERENCE)
    assert analyses == list(expected)
    for payload, study_figure in zip(figures, study_figures, strict=True):
        assert payload["name"] == study_figure.name
        assert "small@untrained" in json.dumps([payload["caption"], payload["alt"], payload.get("table")])
        assert (pixels(payload["src"]) == study_figure.image).all()
        png = io.BytesIO(base64.b64decode(payload["src"].partition("base64,")[2]))
        manifest = json.loads(Image.open(png).text[KEY])
        assert (manifest["figure"]["title"], manifest["figure"]["caption"]) == (
            study_figure.title,
            study_figure.caption,
        )
        assert [model["provenance"]["kind"] for model in manifest["models"]] == ["folder", "untrained"]
        assert [source["sha256"] for source in manifest["images"]] == [IMAGE.sha256, REFERENCE.sha256]
        assert manifest["request"] == {"tab": tab, "stage": 2}
    assert figures_of(tab, [Column("t"), Column("s", error=SourceFailed("down"))], IMAGE) == []


def test_other_backbones_join_the_figures_of_receptive_fields():
    only = StudyOptions(analyses=("receptive_field",))
    backbones = [
        Column(name, study(load(name), IMAGE, only))
        for name in ("timm:test_resnet@untrained", "timm:test_convnext@untrained")
    ]
    columns = [make_column("small", VIEWS["erf"].figures)]
    maps, curves, parts = figures_of("erf", columns, IMAGE, backbones)
    assert (maps["name"], curves["name"], parts["name"]) == ("beside", "erf_curves", "erf_pathways")
    for payload in (maps, curves):
        for column in [*columns, *backbones]:
            assert column.study.model in payload["alt"]
    random = maps["caption"].split("Random weights")[1]
    assert "timm:test_resnet@untrained" in random  # of the other backbones only
    assert "small" not in random
    assert "timm" not in parts["alt"]
    assert figures_of("erf", [Column("t")], IMAGE, backbones) == []


def test_progress_names_the_next_model():
    finished, running = make_column("pico", ()), Column("timm:resnet18@untrained", steps=("erf_pathways", 2, 5))
    payload = waiting([finished, running, Column("t")], keep=True)
    text = tr("progress.models", title="resnet18 (timm) (random weights)", done=2, total=3)
    assert payload["keep"] is True
    assert payload["status"]["text"] == f"{text}, {tr('progress.step_erf_pathways')}"
    assert (payload["status"]["share"], payload["status"]["amount"]) == (0.4, "2 of 5")
    assert waiting([finished], keep=False) == {"keep": False, "status": {"text": tr("progress.drawing")}}
    assert finished_figures([])["serial"] < none()["serial"] < finished_figures([])["serial"]
    assert none("why")["status"] == {"text": "why"}


def test_ablation_draws_the_heads_of_the_chosen_stage():
    column = make_column("small", ("ablation_table",))
    rows = {}
    for stage in (1, 3):
        _, heads = figures_of("ablation", [column], IMAGE, stage=stage)
        assert f"stage {stage}" in heads["title"]
        rows[stage] = [row[1:] for row in heads["table"]["rows"]]
    assert [len(rows[1]), len(rows[3])] == [1, 2]  # blocks
    assert [len(row) for row in rows[3]] == [3, 3]  # heads
    assert (
        figures_of("ablation", [column], IMAGE)[1]["title"]
        == figures_of("ablation", [column], IMAGE, stage=2)[1]["title"]
    )
