"""What each part does, drawn: bars as long as the changes on one scale, words and tables that say the numbers."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes

from transxnet.draw.ablation_table import (
    LEGEND,
    NEGATIVE,
    POSITIVE,
    ablation_heads_figure,
    ablation_table_figure,
    logit_range,
    signed,
)
from transxnet.draw.canvas import DPI
from transxnet.results import Prediction
from transxnet.results.ablation_table import AblationRow, AblationTable

WORDS = {"uniform_gates": "Gates made uniform", "no_osra": "OSRA’s half zeroed"}
FOX, DOG = Prediction(3, "n3", "fox", 0.5, 2.0), Prediction(1, "n1", "dog", 0.25, 1.0)
LOGITS = np.zeros(4, np.float32)
PLACES = ((0, 0), (1, 0), (2, 0), (1, 1), (1, 2), (2, 1))


def change(question, at, by, new=None, heads=()) -> AblationRow:
    return AblationRow(question, *at, 0.5, 0.5 + by / 10, 2.0, 2.0 + by, 2 * by, by**2, new, LOGITS + by, heads)


def result(gates=-1.0, osra=0.5, missing=(), variant="transxnet_pico") -> AblationTable:
    """Two stages of two and one blocks; the same change in every place of a question. Four heads in stage 1."""
    changes = {"uniform_gates": gates, "no_osra": osra}
    rows = tuple(
        change(name, at, by, DOG if by < -0.9 and at in PLACES[:2] else None)
        for name, by in changes.items() if name not in missing for at in PLACES
    )  # fmt: skip
    head_changes = ((1, 1, 0.2), (1, 2, -0.4), (2, 1, 0.0), (2, 2, 0.1))
    heads = tuple(change("one_head", (1, block), by, heads=((1, block, head),)) for block, head, by in head_changes)
    why = dict.fromkeys(missing, f"{variant} lacks it, for a reason")
    return AblationTable(variant, (2, 1), FOX, DOG, LOGITS, "gray", WORDS, why, rows, () if missing else heads)


def pixels(image: np.ndarray, color: str) -> np.ndarray:
    """Where this color stands below the legend: bool (height, width)."""
    rgb = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return (image[round(LEGEND * DPI) :] == rgb).all(axis=-1)


def test_bars_are_proportional_to_the_changes():
    """Gates, on the left, fall by 1; OSRA, on the right, rises by half of it: half as many pixels."""
    image = ablation_table_figure([result()], ["pico"]).image
    assert image.shape[1] == 1200
    fell, rose = pixels(image, NEGATIVE), pixels(image, POSITIVE)
    assert not fell[:, 600:].any()
    assert not rose[:, :600].any()
    longest = [max(mask.sum(axis=0)) for mask in (fell, rose)]  # of each column
    assert longest[0] / longest[1] == pytest.approx(2, rel=0.08)
    assert min(longest) > 15


def test_models_share_the_scale():
    image = ablation_table_figure([result(-1, 0), result(-0.5, 0)], ["a", "b"]).image
    fell = pixels(image, NEGATIVE)
    upper, lower = fell[: len(fell) // 2], fell[len(fell) // 2 :]
    assert max(upper.sum(axis=0)) / max(lower.sum(axis=0)) == pytest.approx(2, rel=0.08)


def test_table_shows_probabilities_and_new_predictions():
    table = ablation_table_figure([result()], ["pico"]).table
    assert table.head == ("Ablation", "Whole model", "Stage 1", "Stage 2")
    assert list(table.rows) == [
        ("Unchanged", "50.0% fox", "", ""),
        ("Gates made uniform", "40.0%, predicts dog", "40.0%, predicts dog", "40.0%"),
        ("OSRA’s half zeroed", "55.0%", "55.0%", "55.0%"),
    ]
    several = ablation_table_figure([result(), result(missing=("no_osra",))], ["pico", "noosra"]).table
    assert several.rows[0][0] == "pico: Unchanged"
    assert several.rows[-1] == ("noosra: OSRA’s half zeroed", "not in this model", "", "")


def test_missing_parts_give_a_reason_instead_of_charts():
    with_it, without = (
        ablation_table_figure([r], ["pico"]).image for r in (result(osra=0), result(missing=("no_osra",)))
    )
    moved = without.shape[0] - with_it.shape[0]
    assert 0 < moved < 0.4 * DPI  # a line or two above the panels, and no empty place beside them
    fell = [pixels(image, NEGATIVE).sum() for image in (with_it, without)]
    assert fell[0] == pytest.approx(fell[1], rel=0.03)  # the other column is as it was, further down
    right = [(image[60:, 620:] < 200).all(axis=-1).sum(axis=1).max() for image in (with_it, without)]
    assert right[0] > 400 > 200 > right[1]  # a line at zero; no panel
    nothing_run = ablation_table_figure([result(missing=tuple(WORDS))], ["pico"])
    assert "nothing was changed in the whole model" in nothing_run.alt


def test_numbers_of_small_bars_are_next_to_them(monkeypatch):
    """Of each stage and of everywhere, in both panels: above where it rises, below where it falls."""
    annotations = []
    monkeypatch.setattr(
        Axes, "annotate", lambda _, text, xy, **how: annotations.append((text, round(xy[1], 6), how["va"]))
    )
    ablation_table_figure([result(-0.01, 0.5)], ["pico"])
    assert annotations == [("−0.01", -0.01, "top")] * 3 + [("+0.50", 0.5, "bottom")] * 3


def test_numbers_and_arrays_are_raw():
    figure = ablation_table_figure([result()], ["pico"])
    assert figure.title == "What does each part do for this image?"
    assert figure.numbers["pico/logit"] == 2
    assert figure.numbers["pico/uniform_gates/logit_change"] == -1
    assert figure.numbers["pico/uniform_gates/margin_change"] == -2
    assert figure.numbers["pico/no_osra/probability"] == 0.55
    assert figure.numbers["pico/no_osra/divergence"] == 0.25
    assert figure.arrays["pico/no_osra/stage"].tolist() == [0, 1, 2, 1, 1, 2]
    assert figure.arrays["pico/no_osra/block"].tolist() == [0, 0, 0, 1, 2, 1]
    assert figure.arrays["pico/no_osra/logit_change"].tolist() == [0.5] * 6
    assert figure.arrays["pico/no_osra/logits"].shape == (6, 4)
    assert "pico, fox, 50.0%" in figure.alt
    assert "−1.00 (Gates made uniform), then 40.0%, predicts dog" in figure.alt
    assert "not trained with a part changed" in figure.limits


def test_heads_figure_shows_changes_by_block_and_head():
    figure = ablation_heads_figure([result(), result(missing=("no_osra",))], ["pico", "noosra"], 1)
    assert figure.title == "What does each attention head of stage 1 do for this image?"
    assert figure.table.head == ("AblationRow of the logit", "Head 1", "Head 2")
    assert list(figure.table.rows) == [("pico, block 1", "+0.20", "−0.40"), ("pico, block 2", "0.00", "+0.10")]
    assert figure.numbers == {"pico/largest_change": pytest.approx(-0.4)}
    assert figure.arrays["pico/head"].tolist() == [1, 2, 1, 2]
    assert figure.arrays["pico/block"].tolist() == [1, 1, 2, 2]
    assert figure.arrays["pico/logit_change"].tolist() == pytest.approx([0.2, -0.4, 0, 0.1])
    assert "the largest change is that of head 2 of block 1, −0.40" in figure.alt
    assert "noosra: The heads of stage 1 were not ablated." in figure.alt
    fell, rose = pixels(figure.image, NEGATIVE), pixels(figure.image, POSITIVE)
    assert max(fell.sum(axis=0)) / max(rose.sum(axis=0)) == pytest.approx(2, rel=0.08)
    assert np.flatnonzero(fell.any(axis=0)).min() > np.flatnonzero(rose.any(axis=0)).min()  # head 2 right of head 1


def test_rounding_errors_do_not_set_the_range():
    assert logit_range([1e-6, -2e-6]) == logit_range([])
    assert logit_range([]) == pytest.approx((-0.0058, 0.0058))
    assert logit_range([-2, 0]) == pytest.approx((-2 - 0.08 * 2.005, 0.005 + 0.08 * 2.005))
    assert [signed(v) for v in (-1.254, 0.3, -0.004, 0)] == ["−1.25", "+0.30", "0.00", "0.00"]
