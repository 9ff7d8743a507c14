"""Accuracies, class scores, confusions and intervals of outcomes written by hand."""

from __future__ import annotations

import math

import pytest

from transxnet.training.scores import (
    ClassScore,
    Confusion,
    Outcome,
    class_scores,
    confusions,
    hits,
    paired_difference,
    wilson,
)  # fmt: skip

UNREADABLE = Outcome(-1, -1, "", "cannot be read")
LABELS = [7, 7, 7, 2, 2, 9, 9]
OUTCOMES = [
    Outcome(0, 7, "a"),
    Outcome(4, 2, "b"),
    Outcome(5, 2, "c"),
    Outcome(1, 7, "d"),
    UNREADABLE,
    UNREADABLE,
    UNREADABLE,
]


def test_hits():
    assert [hits(OUTCOMES, k) for k in (1, 2, 5, 6)] == [1, 2, 3, 4]  # unreadable images are never correct


def test_classes_are_sorted_by_index():
    assert class_scores(LABELS, OUTCOMES) == (ClassScore(2, 1, 0, 1), ClassScore(7, 3, 1, 2))  # 9 has no readable image


def test_confusions_are_sorted_by_frequency():
    assert confusions(LABELS, OUTCOMES) == (Confusion(7, 2, 2), Confusion(2, 7, 1))
    equal = [Outcome(1, prediction, "") for prediction in (5, 3, 8)]
    assert confusions([4, 4, 1], equal) == (Confusion(1, 8, 1), Confusion(4, 3, 1), Confusion(4, 5, 1))


def test_every_image_needs_an_outcome():
    with pytest.raises(ValueError, match="shorter"):
        class_scores(LABELS, OUTCOMES[:-1])


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [  # the roots of (p - count/n)^2 = z^2 p (1 - p) / n, z = 1.95996: E. B. Wilson, 1927
        (50, 100, 0.40383153, 0.59616847),
        (0, 10, 0.0, 0.27753279),
        (10, 10, 0.72246721, 1.0),
        (2155, 5000, 0.41733170, 0.44477424),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_interval(count, n, low, high):
    assert wilson(count, n) == pytest.approx((low, high), abs=5e-6)
    assert 0 <= wilson(count, n)[0] <= wilson(count, n)[1] <= 1


def test_paired_difference_of_a_known_case():
    """100 images: correct 30 by both, 20 and 10 by one, 40 by none. (20 - 10) / 102, by Agresti and Min."""
    right, wrong = Outcome(0, 1, "", ""), Outcome(3, 1, "", "")
    ours = [right] * 30 + [right] * 20 + [wrong] * 10 + [wrong] * 40
    reference = [right] * 30 + [wrong] * 20 + [right] * 10 + [wrong] * 40
    difference, (low, high) = paired_difference(ours, reference)
    assert difference == 0.1
    half = 1.959964 / 102 * math.sqrt(20.5 + 10.5 - 10**2 / 102)
    assert (low, high) == pytest.approx((10 / 102 - half, 10 / 102 + half))
    assert paired_difference(reference, ours)[1] == pytest.approx((-high, -low))
    same = paired_difference(ours, ours)
    assert same[0] == 0
    assert same[1][0] == pytest.approx(-same[1][1])  # an interval, although they never differ
