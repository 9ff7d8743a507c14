"""The predictions of a model as bars of their probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..results import Prediction
from .canvas import DPI, SIZE, Canvas
from .text import ACCENT, GRAY, INK, SOFT, percent, printable, shorten

MIN_LENGTH = 0.006  # of the width: a bar that can still be seen


def prediction_bars(
    predictions: Sequence[Prediction], target: int | None = None, width: int = 384, dpi: float = DPI
) -> np.ndarray:
    """Predictions as bars, the most probable at the top.

    Args:
        predictions: Best first; none leaves the image empty.
        target: Class index of the explained one, whose bar is dark and whose name is bold.
        width: Pixels of the square image; a bar of probability 1 fills it.
        dpi: Pixels an inch, which sets the size of the text.

    Returns:
        uint8 (width, width, 3), RGB.
    """
    side = width / dpi
    canvas, step = Canvas(side, dpi, margin=0, font_note=False), side / max(1, len(predictions))
    for row, prediction in enumerate(predictions):
        is_target, y = prediction.index == target, row * step
        color = ACCENT if is_target else SOFT
        length = max(prediction.probability, MIN_LENGTH) * side
        canvas.rectangle(0, y + 0.57 * step, length, 0.22 * step, color)
        label = shorten(printable(prediction.label), 0.76 * side * 72, SIZE, is_target)
        canvas.text(0, y + 0.5 * step, label, SIZE, INK, is_target, va="bottom")
        canvas.text(side, y + 0.5 * step, percent(prediction.probability, 1), SIZE, GRAY, align="right", va="bottom")
    canvas.y = side
    return canvas.to_rgb()
