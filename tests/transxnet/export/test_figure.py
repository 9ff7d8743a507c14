"""One figure for a paper: its tables can be read."""

from __future__ import annotations

import pytest

from transxnet.draw.figure import StudyFigure, Table
from transxnet.draw.sanity_checks import HEAD
from transxnet.export.figure import Figure, laid_out
from transxnet.export.images import Style

VERDICTS = [
    ("Attention rollout (approximation)", "insensitive", "worse", "-0.96", "0.221", "0.115 ± 0.099", "0.106",
     "0.087 ± 0.024", "It asks about one unit and makes no claim about the class. Even for random copies."),
    ("Grad-CAM", "follows", "chance", "0.32", "0.037", "0.058 ± 0.035", "0.059", "0.054 ± 0.033", ""),
]  # fmt: skip


def svg(table: Table) -> str:
    study_figure = StudyFigure("checks", "Can these maps be believed?", "A caption.", "Words.", "Limits.", None, table)
    return laid_out(Figure("A title", "And a subtitle.", [], figures=[study_figure]), Style(), 400).to_svg("", "")


@pytest.mark.parametrize("rows", [VERDICTS, VERDICTS * 5])
def test_no_word_of_a_table_is_cut_while_another_column_has_room(rows):
    found = svg(Table(HEAD, rows))
    assert "…" not in found
    for word in {word for line in (HEAD, *rows) for text in line for word in text.split()}:
        assert word in found
