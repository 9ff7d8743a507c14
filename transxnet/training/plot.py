"""A run's log as a plot: loss and accuracy over epochs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .log import Row

LOSS_COLOR, ACCURACY_COLOR = "#3b6ea5", "#c8553d"


def plot_log(rows: Sequence[Row], path: Path, title: str = "") -> None:
    """Write a PNG of 1000 x 500 pixels."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([row.epoch for row in rows], [row.loss for row in rows], color=LOSS_COLOR, label="training loss")
    _label_y_axis(axes, "loss (smoothed, with label smoothing)", LOSS_COLOR)
    axes.set_xlabel("epoch")
    axes.set_title(title, fontsize=11)
    axes.grid(alpha=0.3)
    measured = [row for row in rows if row.held_out_top1 is not None]
    if measured:
        accuracy_axes = axes.twinx()
        percent = [100 * row.held_out_top1 for row in measured]
        epochs = [row.epoch for row in measured]
        accuracy_axes.plot(epochs, percent, "o-", color=ACCURACY_COLOR, label="held-out top-1")
        accuracy_axes.set_ylim(0, max(10, 1.15 * max(percent)))
        _label_y_axis(accuracy_axes, "top-1 accuracy on held-out images [%]", ACCURACY_COLOR)
    figure.savefig(path, dpi=100, metadata={"Software": None})


def _label_y_axis(axes: Axes, text: str, color: str) -> None:
    axes.set_ylabel(text, color=color)
    axes.tick_params(axis="y", labelcolor=color)
