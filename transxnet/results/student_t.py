"""Student's t distribution with whole degrees of freedom, in closed form, and Holm's correction for several tests.

The distribution function is a finite sum for every whole number of degrees of freedom (Abramowitz and Stegun, "Handbook
of Mathematical Functions", 26.7.3 and 26.7.4), so no library of statistics is needed. Holm, "A simple sequentially
rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import atan, inf, pi, sin


def upper_tail(t: float, freedom: int) -> float:
    """P(T > t).

    Args:
        t: Any number, infinite ones included.
        freedom: Degrees of freedom, from 1.
    """
    angle = atan(t / freedom**0.5)
    squared_cosine = freedom / (freedom + t * t)
    odd = freedom % 2
    term, total = (squared_cosine**0.5 if odd else 1.0), 0.0
    for i in range(freedom // 2):  # 1, 1/2, 1·3/(2·4), … for even degrees; cos, 2/3 cos³, … for odd ones
        total += term
        term *= squared_cosine * (2 * i + 1 + odd) / (2 * i + 2 + odd)
    within = sin(angle) * total  # P(-|t| < T < |t|), with the sign of t
    return (1 - (2 / pi * (angle + within) if odd else within)) / 2


def quantile(probability: float, freedom: int) -> float:
    """The t below which this share of the distribution lies; infinite without degrees of freedom.

    Args:
        probability: 0.5 to 1, both excluded.
        freedom: Degrees of freedom.
    """
    if freedom < 1:
        return inf
    low, high = 0.0, 1.0
    while upper_tail(high, freedom) > 1 - probability:
        high *= 2
    for _ in range(60):  # bisection: to the last bit of a float
        middle = (low + high) / 2
        low, high = (middle, high) if upper_tail(middle, freedom) > 1 - probability else (low, middle)
    return high


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjusted p values: the family-wise error rate is at most the level that they are compared with.

    Args:
        p_values: Of every test of the family, by name.

    Returns:
        By name, in the same order, each at least its p value and at most 1.
    """
    adjusted, highest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}
