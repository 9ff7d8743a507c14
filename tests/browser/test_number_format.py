"""Numbers that the browser writes equal those that Python writes."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from transxnet.draw.text import fixed, number, percent

pytestmark = pytest.mark.browser
VALUES = [
    0, -0.0, 1, -1, 5e-5, -5e-5, 1.2e-7, 999.6, 999.4999, 999.5, 1234567, -1234567, -0.001, 0.001, 0.00099999,
    0.0004999, 0.0005, 0.00051, 1e-4, 0.125, 0.375, 1.125, 2.125, 2.5, 3.5, 0.5, 1.5, 12.25, 12.35, 99.95,
    0.0995, 0.09949, 0.999, 0.9995, 1.0005, 1e5, 999_999.4, 999_999.5, 1e6, 1.25e6, 1.35e6, 1e20, 1e-300,
    4_210.5, 4_211.5, 123_456.5, 1e-5, 1.0000000000000002, math.pi, -math.e,
]  # fmt: skip
SHARES = [
    0,
    -0.0,
    1,
    0.5,
    0.0004,
    -0.0004,
    0.0005,
    0.00049999,
    -0.00049999,
    1e-9,
    -1e-9,
    0.0995,
    0.09949999,
    0.125,
    0.005,
]


@pytest.fixture(scope="module")
def formatted(scripts):
    """formatted(function, values, *arguments): what a function of core/format.js makes of values."""

    def call(function: str, values: list[float], *arguments: int) -> list[str]:
        return scripts.evaluate(
            """async ([name, values, rest]) => {
              const format = (await importModule("core/format.js"))[name];
              return values.map((value) => format(Number(value), ...rest));
            }""",
            [
                function,
                [repr(float(value)).replace("inf", "Infinity").replace("nan", "NaN") for value in values],
                arguments,
            ],
        )

    return call


def random_values() -> list[float]:
    rng = np.random.default_rng(0)
    exponents = 10.0 ** rng.uniform(-9, 8, 400)
    ties = np.concatenate([rng.integers(0, 4000, 100) / 8, rng.integers(0, 4000, 100) / 2])
    return [*(exponents * rng.choice([-1, 1], 400)).tolist(), *ties.tolist(), math.inf, -math.inf, math.nan]


def test_numbers_equal_pythons(formatted):
    assert len(VALUES) == 50
    values = [*VALUES, *random_values()]
    texts = formatted("formatNumber", values)
    assert texts == [number(value) for value in values]
    assert not [text for text in texts if re.fullmatch(r"-0(\.0*)?", text)]


@pytest.mark.parametrize("decimals", [0, 1, 2, 6])
def test_fixed_decimals_equal_pythons(formatted, decimals):
    values = [value for value in [*VALUES, *random_values()] if not 1e15 < abs(value) < math.inf]
    texts = formatted("formatFixed", values, decimals)
    assert texts == [fixed(value, decimals) for value in values]
    assert not [text for text in texts if re.fullmatch(r"-0(\.0*)?", text)]


@pytest.mark.parametrize("decimals", [(), (0,), (1,), (2,)])
def test_percentages_equal_pythons(formatted, decimals):
    values = [value for value in [*SHARES, *VALUES, *random_values()] if not 1e13 < abs(value) < math.inf]
    texts = formatted("formatPercent", values, *decimals)
    assert texts == [percent(value, *decimals) for value in values]
    for value, text in zip(values, texts, strict=True):
        assert " %" not in text
        assert (text == "0%") == (value == 0)
        assert not re.fullmatch(r"-?0\.0+%", text)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0%"),
        (0.0004, "< 0.1%"),
        (-0.0004, "> -0.1%"),
        (0.034, "3.4%"),
        (0.0995, "10%"),
        (0.123, "12%"),
        (1, "100%"),
    ],
)
def test_percentages_on_the_page(share, text):
    assert percent(share) == text
