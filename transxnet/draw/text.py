"""Text and numbers in figures and on the page: colors, characters that the font has, line breaks and digits.

The font is DejaVu Sans, which ships inside Matplotlib, so figures are the same on every machine. Text is never parsed
as mathematics, so a `$` in a file's name stays one. demo/web/js/core/format.js has the same functions of numbers.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import text_to_path

FAMILY = "DejaVu Sans"
INK, GRAY, ACCENT, WARNING = "#1b1f23", "#5b6570", "#0f6b5c", "#b3261e"  # as on the page
SOFT, HAIRLINE, ORANGE = "#9cc4bc", "#d5dae0", "#c08a2e"  # bars that are not highlighted, thin lines, a second hue
SERIES = (ACCENT, "#b4552d", "#4a5fa5", "#8a6a00", "#8b3a7a", "#4c7a1f", WARNING, "#00829b", INK)  # lines, in order
NOT_A_NUMBER = "not a number"


def font(size: float, bold: bool = False) -> FontProperties:
    """DejaVu Sans at `size` points."""
    return FontProperties(family=FAMILY, size=size, weight="bold" if bold else "normal")


def printable(text: str) -> str:
    """The text on one line, with "?" for every character that the font lacks."""
    supported = _characters()
    return "".join(c if ord(c) in supported else "?" for c in " ".join(str(text).split()))


@cache
def _characters() -> frozenset[int]:
    return frozenset(get_font(findfont(font(10))).get_charmap())


@lru_cache(8192)  # the same words are measured often, and Matplotlib lays them out each time
def width(text: str, size: float, bold: bool = False) -> float:
    """Width of one line in points."""
    return text_to_path.get_text_width_height_descent(text, font(size, bold), ismath=False)[0] if text else 0.0


def wrap(text: str, points: float, size: float, bold: bool = False) -> list[str]:
    """Lines no wider than `points`, broken at spaces; a single word that is wider is cut with "…"."""
    lines: list[str] = []
    for word in printable(text).split():
        word = shorten(word, points, size, bold)
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width(joined, size, bold) <= points:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def shorten(text: str, points: float, size: float, bold: bool = False) -> str:
    """The text, or as much of it as fits before a "…"."""
    if width(text, size, bold) <= points:
        return text
    while text and width(text + "…", size, bold) > points:
        text = text[:-1]
    return text.rstrip() + "…"


def number(value: float) -> str:
    """Three significant digits: 0, 0.0213, 12.3, 1.2e-07, 4,210."""
    size = abs(value)
    if not math.isfinite(value):
        return NOT_A_NUMBER
    if size == 0:
        return "0"
    if size < 1e-3 or size >= 1e6:
        return f"{value:.2g}"
    if size >= 999.5:  # three digits would round to 1e+03
        return f"{value:,.0f}"
    return f"{value:.3g}"


def fixed(value: float, decimals: int) -> str:
    """A fixed number of decimals, thousands separated by commas: 1,234.50, -0.25. Zero has no sign: 0.00."""
    if not math.isfinite(value):
        return NOT_A_NUMBER
    text = f"{value:,.{decimals}f}"
    return text if _has_nonzero_digit(text) else text.removeprefix("-")


def percent(share: float, decimals: int | None = None) -> str:
    """A share as a percentage: 0%, < 0.1%, 3.4%, 12%. Only an exact zero is 0%.

    Args:
        share: 1 is 100%.
        decimals: Digits after the point. Default: one below 9.95%, none from there on.
    """
    value = 100 * share
    if not math.isfinite(value):
        return NOT_A_NUMBER
    if value == 0:
        return "0%"
    places = (1 if abs(value) < 9.95 else 0) if decimals is None else decimals
    text = fixed(value, places)
    if _has_nonzero_digit(text):
        return f"{text}%"
    smallest = fixed(10**-places, places)
    return f"< {smallest}%" if value > 0 else f"> -{smallest}%"


def _has_nonzero_digit(text: str) -> bool:
    return any(digit in "123456789" for digit in text)
