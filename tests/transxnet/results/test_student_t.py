"""Student's t and Holm's correction, against published tables."""

from __future__ import annotations

import math

import pytest

from transxnet.results.student_t import holm, quantile, upper_tail


@pytest.mark.parametrize(
    ("freedom", "t_95", "t_995"),
    [(1, 6.3138, 63.657), (2, 2.9200, 9.9248), (3, 2.3534, 5.8409), (4, 2.1318, 4.6041), (11, 1.7959, 3.1058),
     (30, 1.6973, 2.7500), (120, 1.6577, 2.6174)],
)  # fmt: skip
def test_quantiles_are_those_of_the_tables(freedom, t_95, t_995):
    assert quantile(0.95, freedom) == pytest.approx(t_95, abs=6e-5 * t_95)
    assert quantile(0.995, freedom) == pytest.approx(t_995, abs=6e-5 * t_995)
    assert upper_tail(t_95, freedom) == pytest.approx(0.05, abs=1e-5)
    assert upper_tail(-t_95, freedom) == pytest.approx(0.95, abs=1e-5)


def test_tails_are_symmetric_and_end_at_zero():
    for freedom in (1, 2, 7, 8):
        assert upper_tail(0, freedom) == 0.5
        assert upper_tail(math.inf, freedom) == pytest.approx(0, abs=1e-12)
        assert upper_tail(-math.inf, freedom) == pytest.approx(1)
        assert upper_tail(1.3, freedom) + upper_tail(-1.3, freedom) == pytest.approx(1)
    assert quantile(0.95, 0) == math.inf


def test_holm_multiplies_by_the_tests_left():
    assert holm({"a": 0.03, "b": 0.01, "c": 0.04}) == pytest.approx({"a": 0.06, "b": 0.03, "c": 0.06})
    assert holm({"a": 0.6, "b": 0.7}) == {"a": 1, "b": 1}
    assert list(holm({"z": 0.5, "a": 0.1})) == ["z", "a"]
    assert holm({}) == {}
