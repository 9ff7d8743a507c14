from __future__ import annotations

import pytest

from transxnet.draw.text import number, printable, shorten, width, wrap


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0"),
        (0.02134, "0.0213"),
        (-12.345, "-12.3"),
        (1.23e-7, "1.2e-07"),
        (4210.4, "4,210"),
        (999.6, "1,000"),
        (float("nan"), "not a number"),
        (float("-inf"), "not a number"),
    ],
)
def test_numbers_have_three_significant_digits(value, words):
    assert number(value) == words


def test_wrapping_keeps_width_and_words():
    text = "OSRA, stage 3, last block, mean of 4 heads, raw weights"
    lines = wrap(text, 100, 8)
    assert len(lines) > 1
    assert max(width(line, 8) for line in lines) <= 100
    assert " ".join(lines) == text


def test_too_long_words_end_with_an_ellipsis():
    (line,) = wrap("n02165456_ladybug_" * 10, 100, 8)
    assert line.startswith("n02165456_ladybug")
    assert line.endswith("…")
    assert width(line, 8) <= 100
    assert shorten("ladybug", 500, 8) == "ladybug"


def test_unsupported_characters_become_question_marks():
    assert printable("Löwe\n\U0010fffd\U0010fffc $5$") == "Löwe ?? $5$"


def test_empty_text_has_no_line():
    assert wrap("", 100, 8) == []
