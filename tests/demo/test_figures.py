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


def looked(name: str, parts: tuple[str, ...], kind: str = "folder") -> Column:
    return Column(name, study(small_model(kind), ONE, StudyOptions(stage=2, analyses=parts), TWO))


def pixels(data_url: str) -> np.ndarray:
    assert data_url.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data_url.partition("base64,")[2]))))


def test_a_figure_keeps_its_words_its_pixels_and_its_table():
    rgb = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    table = Table(("map", "sanity_check"), [("Grad-CAM", "follows")])
    found = figure(StudyFigure("p", "Title", "Caption", "Alt", "Limits", rgb, table))
    assert (pixels(found.pop("src")) == rgb).all()
    assert found == {
        "name": "p", "title": "Title", "caption": "Caption", "alt": "Alt", "size": [30, 20], "limits": "Limits",
        "table": {"head": ["map", "sanity_check"], "rows": [["Grad-CAM", "follows"]]},
    }  # fmt: skip
    assert "src" not in figure(StudyFigure("p", "Title", "Caption", "Alt", "Limits", table=table))
    assert "table" not in figure(StudyFigure("p", "Title", "Caption", "Alt", "Limits", rgb))


@pytest.mark.parametrize(
    "view", [name for name, wanted in WANTED.items() if wanted.figures and name != "sanity_checks"]
)
def test_every_finished_column_stands_in_every_figure_of_a_view(view, monkeypatch):
    columns = [looked("small", WANTED[view].figures), looked("small", WANTED[view].figures, "untrained")]
    parts: list[str] = []
    drawn: list[StudyFigure] = []

    def noted(part: str, studies: list[Study], rgb: np.ndarray) -> list[StudyFigure]:
        assert rgb is ONE.rgb
        figures = figures_for(part, studies, rgb)
        if studies:
            assert [study.model for study in studies] == ["small", "small@untrained"]
            parts.append(part)
            drawn.extend(figures)
        return figures

    monkeypatch.setattr("demo.figures.figures_for", noted)
    found = figures_of(view, [columns[0], Column("t"), columns[1]], ONE, stage=2, reference_image=TWO)
    assert parts == list(WANTED[view].figures)
    for one, study_figure in zip(found, drawn, strict=True):
        assert one["name"] == study_figure.name
        assert "small@untrained" in json.dumps([one["caption"], one["alt"], one.get("table")])
        assert (pixels(one["src"]) == study_figure.image).all()
        told = json.loads(Image.open(io.BytesIO(base64.b64decode(one["src"].partition("base64,")[2]))).text[KEY])
        assert (told["figure"]["title"], told["figure"]["caption"]) == (study_figure.title, study_figure.caption)
        assert [model["provenance"]["kind"] for model in told["models"]] == ["folder", "untrained"]
        assert [one["sha256"] for one in told["images"]] == [ONE.sha256, TWO.sha256]
        assert told["request"] == {"view": view, "stage": 2}
    assert figures_of(view, [Column("t"), Column("s", error=SourceFailed("down"))], ONE) == []


def test_other_backbones_stand_with_the_variants_in_the_receptive_fields_figures():
    only = StudyOptions(analyses=("receptive_field",))
    backbones = [
        Column(name, study(load(name), ONE, only))
        for name in ("timm:test_resnet@untrained", "timm:test_convnext@untrained")
    ]
    columns = [looked("small", WANTED["erf"].figures)]
    maps, curves, parts = figures_of("erf", columns, ONE, backbones)
    assert (maps["name"], curves["name"], parts["name"]) == ("beside", "erf_curves", "erf_pathways")
    for one in (maps, curves):
        for column in [*columns, *backbones]:
            assert column.study.model in one["alt"]
    random = maps["caption"].split("Random weights")[1]
    assert "timm:test_resnet@untrained" in random  # said of those that this click brought
    assert "small" not in random
    assert "timm" not in parts["alt"]
    assert figures_of("erf", [Column("t")], ONE, backbones) == []


def test_what_stands_there_meanwhile():
    done, going = looked("pico", ()), Column("timm:resnet18@untrained", steps=("erf_pathways", 2, 5))
    told = waiting([done, going, Column("t")], keep=True)
    words = tr("progress.models", title="resnet18 (timm) (random weights)", done=2, total=3)
    assert told["keep"] is True
    assert told["status"]["text"] == f"{words}, {tr('progress.step_erf_pathways')}"
    assert (told["status"]["share"], told["status"]["amount"]) == (0.4, "2 of 5")
    assert waiting([done], keep=False) == {"keep": False, "status": {"text": tr("progress.drawing")}}
    assert shown([])["serial"] < none()["serial"] < shown([])["serial"]
    assert none("why")["status"] == {"text": "why"}


def test_ablation_draws_the_heads_of_the_stage_that_is_looked_from():
    column = looked("small", ("ablation_table",))
    seen = {}
    for stage in (1, 3):
        _, heads = figures_of("ablation", [column], ONE, stage=stage)
        assert f"stage {stage}" in heads["title"]
        seen[stage] = [row[1:] for row in heads["table"]["rows"]]
    assert [len(seen[1]), len(seen[3])] == [1, 2]  # blocks
    assert [len(row) for row in seen[3]] == [3, 3]  # heads
    assert (
        figures_of("ablation", [column], ONE)[1]["title"] == figures_of("ablation", [column], ONE, stage=2)[1]["title"]
    )
