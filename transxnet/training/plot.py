"""A run's log as an image: loss, and accuracy on the images held out, over epochs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .log import Row

LOSS, ACCURACY = "#3b6ea5", "#c8553d"


def plot_log(rows: Sequence[Row], path: Path, title: str = "") -> None:
    """Write a PNG of 1000 x 500 pixels."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([row.epoch for row in rows], [row.loss for row in rows], color=LOSS, label="training loss")
    _label(axes, "loss (smoothed, with label smoothing)", LOSS)
    axes.set_xlabel("epoch")
    axes.set_title(title, fontsize=11)
    axes.grid(alpha=0.3)
    measured = [row for row in rows if row.held_out_top1 is not None]
    if measured:
        other = axes.twinx()
        values = [100 * row.held_out_top1 for row in measured]
        other.plot([row.epoch for row in measured], values, "o-", color=ACCURACY, label="held-out top-1")
        other.set_ylim(0, max(10, 1.15 * max(values)))
        _label(other, "top-1 on training images held out of this run, %", ACCURACY)
    figure.savefig(path, dpi=100, metadata={"Software": None})


def _label(axes: Axes, text: str, color: str) -> None:
    axes.set_ylabel(text, color=color)
    axes.tick_params(axis="y", labelcolor=color)
