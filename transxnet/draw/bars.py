"""Color bars, and the answers of a model as bars."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..results import Prediction
from .scale import PLAIN, Tone, colorize
from .text import ACCENT, GRAY, INK, font, printable, shorten

SOFT = "#9cc4bc"  # bars of answers that are not being explained
SHORTEST = 0.006  # of the width: a bar that can still be seen


def colorbar(
    value_range: tuple[float, float],
    colormap: str = "magma",
    signed: bool = False,
    size: tuple[int, int] = (12, 384),
    root: bool = False,
    tone: Tone = PLAIN,
) -> np.ndarray:
    """A strip of the colors from low (left) to high (right), even in values: uint8 (height, width, 3), RGB.

    What lies under the threshold is gray. Its ends are the ends of value_range, so a range that is not symmetric shows
    only its part of a diverging map.
    """
    low, high = value_range
    if high <= low:  # one value only: show the whole map rather than one color
        low, high = (-1.0, 1.0) if signed else (0.0, 1.0)
    values = np.broadcast_to(np.linspace(low, high, size[1]), size)
    return colorize(values, (low, high), colormap, signed, root, tone)


def answers_bars(
    answers: tuple[Prediction, ...], explained: int | None = None, size: tuple[int, int] = (384, 384), dpi: int = 160
) -> np.ndarray:
    """The best answers, best at the top, as bars of their probabilities: uint8 (height, width, 3), RGB.

    A bar is as long as its probability is of the width, and never so short that it disappears.
    explained: the class index that the maps beside it explain; its bar is dark and its name bold.
    """
    figure = Figure(figsize=(size[1] / dpi, size[0] / dpi), dpi=dpi, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 1), ylim=(len(answers), 0))
    axes.set_axis_off()
    for row, answer in enumerate(answers):
        chosen = answer.index == explained
        length, percent = max(answer.probability, SHORTEST), f"{100 * answer.probability:.1f} %"
        axes.barh(row + 0.68, length, height=0.22, color=ACCENT if chosen else SOFT, align="center")
        name = shorten(printable(answer.label), 0.76 * size[1] / dpi * 72, 8, chosen)
        axes.text(0, row + 0.45, name, color=INK, fontproperties=font(8, chosen), va="bottom", parse_math=False)
        axes.text(1, row + 0.45, percent, color=GRAY, fontproperties=font(8), ha="right", va="bottom")
    return figure_rgb(figure)


def figure_rgb(figure: Figure) -> np.ndarray:
    """A Matplotlib Figure at its own size and dpi -> uint8 (height, width, 3), RGB."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
