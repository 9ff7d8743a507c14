"""Numbers as text on the page. demo/web/js/core/format.js has the same functions for what the browser formats.

Zero never has a sign, and a percentage that is not zero is never written as 0%.
"""

from __future__ import annotations

import math

from transxnet.draw.text import number as format_number

__all__ = ["format_fixed", "format_number", "format_percent"]
NOT_A_NUMBER = "not a number"


def format_fixed(value: float, decimals: int) -> str:
    """A fixed number of decimals, thousands separated by commas: 1,234.50, -0.25, 0.00."""
    if not math.isfinite(value):
        return NOT_A_NUMBER
    text = f"{value:,.{decimals}f}"
    return text if _has_nonzero_digit(text) else text.removeprefix("-")


def format_percent(share: float, decimals: int | None = None) -> str:
    """A share as a percentage: 0%, < 0.1%, 3.4%, 12%.

    Args:
        share: 1 is 100%.
        decimals: digits after the point. Default: one below 9.95%, none from there on.
    """
    value = 100 * share
    if not math.isfinite(value):
        return NOT_A_NUMBER
    if value == 0:
        return "0%"
    places = (1 if abs(value) < 9.95 else 0) if decimals is None else decimals
    text = format_fixed(value, places)
    if _has_nonzero_digit(text):
        return f"{text}%"
    smallest = format_fixed(10**-places, places)
    return f"< {smallest}%" if value > 0 else f"> -{smallest}%"


def _has_nonzero_digit(text: str) -> bool:
    return any(digit in "123456789" for digit in text)
