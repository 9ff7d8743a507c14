"""The gallery: the page shows every image it names, tables are tables, and the command makes all of it."""

from __future__ import annotations

import re

import numpy as np

from tests.fixtures.small_model import image
from transxnet.__main__ import main
from transxnet.draw.figure import StudyFigure, Table
from transxnet.draw.overlay import to_png
from transxnet.export.gallery import write_gallery

NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
FIGURES = [
    StudyFigure("noise", "Noise", "What noise is.", "Dots [of\nnoise]", "Nothing.", NOISE),
    StudyFigure("words", "Words", "A table.", "Words.", "Not | an image.", None, Table(("a", "b|c"), [("1", "2")])),
]


def test_page_shows_the_files_next_to_it(tmp_path):
    (tmp_path / "noise.png").write_bytes(b"of an earlier run")
    page = write_gallery(tmp_path, FIGURES, ["One photo."]).read_text(encoding="utf-8")
    assert page.startswith("# Gallery\n\nOne photo.\n\n## Noise\n\nWhat noise is.\n\n![Dots (of noise)](noise.jpg)")
    assert "| a | b\\|c |\n| --- | --- |\n| 1 | 2 |" in page
    assert sorted(p.name for p in tmp_path.iterdir()) == ["README.md", "noise.jpg"]


def test_command_writes_every_figure(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("transxnet.study.FIGURE_ANALYSES", ("grad_cam", "pathway_energies"))
    monkeypatch.setattr("transxnet.cli.gallery.SIZE", 64)
    (tmp_path / "photo.png").write_bytes(to_png(image().rgb))
    out = tmp_path / "gallery"
    assert main(["gallery", str(tmp_path / "photo.png"), "--models", "pico@untrained", "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out / "README.md")
    page = (out / "README.md").read_text(encoding="utf-8")
    images = re.findall(r"!\[[^]]+\]\(([^)]+)\)", page)
    assert [name.rpartition(".")[0] for name in images] == ["sheet", "pathway_energies", "erf"]
    assert set(images) | {"README.md"} == {p.name for p in out.iterdir()}
    assert "Random weights, not trained" in page
    assert str(tmp_path) not in page
