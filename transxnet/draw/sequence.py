"""The frames of a sequence as pictures of one size: the model input, kernels, mixing weights, and predictions.

All frames share one color scale, and rows and columns are the same channels, so that only what the model computes
changes from frame to frame.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..results.sequence import KernelSequence
from .bars import MIN_LENGTH
from .canvas import SIZE, Canvas, line_height
from .kernels import tile_layout
from .overlay import resized
from .scale import shared_range
from .text import GRAY, INK, SOFT, number, percent, printable, shorten

WIDTH, DPI, MARGIN, GAP = 7.2, 100, 0.15, 0.2  # inches; pixels an inch
TOP = 3  # predictions
GATE_RANGE, GATE_COLORMAP = (0.0, 1.0), "viridis"


def kernel_range(sequence: KernelSequence) -> tuple[float, float]:
    """The color scale of the kernels of all frames, symmetric about zero."""
    return shared_range([sequence.kernels], signed=True)


def sequence_frames(sequence: KernelSequence, title: str = "") -> Iterator[np.ndarray]:
    """Draw every frame.

    Args:
        sequence: The results.
        title: Of all frames; the model and its layer by default.

    Yields:
        uint8 (H, W, 3), RGB.
    """
    title = title or f"{sequence.model}, stage {sequence.stage}, block {sequence.block}"
    for i in range(len(sequence)):
        yield _draw(sequence, i, title)


def panel_side() -> int:
    """Pixels of each side of a frame's image and grids."""
    return int((WIDTH - 2 * MARGIN - 2 * GAP) / 3 * DPI)


def tile_places(count: int, size: int) -> tuple[int, int, int]:
    """(columns, tap, gap) of the grids of `count` kernels of size x size taps, in pixels."""
    return tile_layout(count, size, panel_side())


def origin(column: int) -> tuple[int, int]:
    """(x, y) of the upper left pixel of a frame's image (column 0), kernels (1) or mixing weights (2)."""
    return round((MARGIN + column * (panel_side() / DPI + GAP)) * DPI), round(_images_y() * DPI)


def _images_y() -> float:
    return MARGIN + 2 * line_height() + 0.1


def _draw(sequence: KernelSequence, i: int, title: str) -> np.ndarray:
    canvas, side = Canvas(WIDTH, DPI, MARGIN, font_note=False), panel_side()
    canvas.text(MARGIN, MARGIN, shorten(printable(title), (WIDTH - 1.5) * 72, SIZE, True), SIZE, INK, True)
    canvas.text(WIDTH - MARGIN, MARGIN, f"frame {i + 1} of {len(sequence)}", SIZE, GRAY, align="right")
    headings = ("model input", f"{len(sequence.channels)} kernels", "mixing weights (first learned kernel)")
    for column, heading in enumerate(headings):
        canvas.text(origin(column)[0] / DPI, MARGIN + line_height() + 0.05, heading, SIZE, GRAY)
    columns, tap, gap = tile_places(len(sequence.channels), sequence.kernels.shape[-1])
    canvas.image(origin(0)[0] / DPI, _images_y(), resized(sequence.crops[i], side), "model input")
    x, y = origin(1)[0] / DPI, _images_y()
    canvas.tiles(x, y, sequence.kernels[i], kernel_range(sequence), tap, gap, columns)
    x = origin(2)[0] / DPI
    canvas.tiles(x, y, sequence.gates[i], GATE_RANGE, tap, gap, columns, GATE_COLORMAP, False)
    canvas.y = _images_y() + side / DPI + 0.12
    _draw_bars(canvas, sequence, i)
    return canvas.to_rgb()


def _draw_bars(canvas: Canvas, sequence: KernelSequence, i: int) -> None:
    """The predictions left; the color bars and the distance to the first frame's kernels right of them."""
    top, width, step = canvas.y, panel_side() / DPI, 0.26
    for row, prediction in enumerate(sequence.predictions[i].top[:TOP]):
        y = top + row * step
        label = shorten(printable(prediction.label), 0.74 * width * 72, SIZE)
        canvas.text(MARGIN, y, label)
        canvas.text(MARGIN + width, y, percent(prediction.probability, 1), SIZE, GRAY, align="right")
        canvas.rectangle(MARGIN, y + 0.15, max(prediction.probability, MIN_LENGTH) * width, 0.05, SOFT)
    bars = ((kernel_range(sequence), "weight", "RdBu_r", True), (GATE_RANGE, "gate", GATE_COLORMAP, False))
    for column, (value_range, units, colormap, signed) in enumerate(bars, 1):
        x = origin(column)[0] / DPI
        height = canvas.color_bar(value_range, units, colormap, signed, x=x, width=width)
    text = f"relative distance to the first frame's kernels: {number(sequence.distance[i])}"
    canvas.text(origin(1)[0] / DPI, top + height + 0.04, text, SIZE, GRAY)
    canvas.y = top + max(TOP * step, height + 0.04 + line_height())
