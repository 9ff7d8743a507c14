"""Text and numbers in figures and on the page: colors, characters that the font has, line breaks and digits.

The font is DejaVu Sans, which ships inside Matplotlib, so figures are the same on every machine; only characters that
it lacks are taken from other fonts, see fonts.py. Text is never parsed as mathematics, so a `$` in a file's name stays
one. demo/web/js/core/format.js has the same functions of numbers.
"""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from .fonts import FAMILY, fallback_families, replace_unprintable

INK, GRAY, ACCENT, WARNING = "#1b1f23", "#5b6570", "#0f6b5c", "#b3261e"  # as on the page
SOFT, HAIRLINE, ORANGE = "#9cc4bc", "#d5dae0", "#c08a2e"  # bars that are not highlighted, thin lines, a second hue
SERIES = (ACCENT, "#b4552d", "#4a5fa5", "#8a6a00", "#8b3a7a", "#4c7a1f", WARNING, "#00829b", INK)  # lines, in order
NOT_A_NUMBER = "not a number"


def font(size: float, bold: bool = False, text: str = "") -> FontProperties:
    """DejaVu Sans at `size` points, and the fonts for what it lacks of the characters of `text`."""
    fallbacks = fallback_families(text)
    family = [FAMILY, *fallbacks] if fallbacks else FAMILY
    return FontProperties(family=family, size=size, weight="bold" if bold else "normal")


def printable(text: str) -> str:
    """The text on one line; for characters that no font has see fonts.py."""
    return replace_unprintable(" ".join(str(text).split()))


@lru_cache(8192)  # the same words are measured often, and Matplotlib lays them out each time
def width(text: str, size: float, bold: bool = False) -> float:
    """Width of one line in points."""
    return text_to_path.get_text_width_height_descent(text, font(size, bold, text), ismath=False)[0] if text else 0.0


def wrap(text: str, points: float, size: float, bold: bool = False) -> list[str]:
    """Lines no wider than `points`, broken at spaces; a single word that is wider is cut with "…".

    A word that is wider is also broken between the characters of East Asian scripts.
    """
    lines: list[str] = []
    words = printable(text).split()
    if any(_breaks(word) and width(word, size, bold) > points for word in words):
        return _wrap_characters(words, points, size, bold)
    for word in words:
        word = shorten(word, points, size, bold)
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width(joined, size, bold) <= points:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def _breaks(word: str) -> bool:
    return not word.isascii() and any(unicodedata.east_asian_width(c) in "WF" for c in word)


def _wrap_characters(words: list[str], points: float, size: float, bold: bool) -> list[str]:
    """Lines that may also be broken next to a wide character."""
    pieces: list[tuple[str, bool]] = []  # and whether a space precedes it
    for word in words:
        space = bool(pieces)
        for part in re.findall(r"[^\u1100-\U0003ffff]+|.", word) if _breaks(word) else [word]:
            pieces.append((part, space))
            space = False
    lines: list[str] = []
    for piece, space in pieces:
        piece = shorten(piece, points, size, bold)
        joined = f"{lines[-1]}{' ' * space}{piece}" if lines else piece
        if lines and width(joined, size, bold) <= points:
            lines[-1] = joined
        else:
            lines.append(piece)
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
