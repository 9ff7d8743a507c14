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
def test_numbers_show_three_digits_that_matter(value, words):
    assert number(value) == words


def test_lines_are_no_wider_than_asked_and_lose_no_word():
    text = "OSRA, stage 3, last block, mean of 4 heads, raw weights"
    lines = wrap(text, 100, 8)
    assert len(lines) > 1
    assert max(width(line, 8) for line in lines) <= 100
    assert " ".join(lines) == text


def test_a_word_wider_than_the_line_is_cut_and_says_so():
    (line,) = wrap("n02165456_ladybug_" * 10, 100, 8)
    assert line.startswith("n02165456_ladybug")
    assert line.endswith("…")
    assert width(line, 8) <= 100
    assert shorten("ladybug", 500, 8) == "ladybug"


def test_what_the_font_cannot_show_becomes_a_question_mark_on_one_line():
    assert printable("Löwe\n瓢虫 $5$") == "Löwe ?? $5$"


def test_no_text_is_no_line():
    assert wrap("", 100, 8) == []
