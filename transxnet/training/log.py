"""The log of a training run: a CSV file with one row per checkpoint."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..output import replace_atomically

COLUMNS = ("step", "epoch", "rate", "loss", "seconds", "held_out_top1")


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        step: Number of steps taken.
        epoch: The same in epochs.
        rate: Learning rate of the last step.
        loss: Smoothed, of the main process's images.
        seconds: Duration of the training.
        held_out_top1: Accuracy in 0 to 1; None if it was not measured.
    """

    step: int
    epoch: float
    rate: float
    loss: float
    seconds: float
    held_out_top1: float | None = None


class Log:
    """The file log.csv of a run's folder."""

    def __init__(self, path: Path):
        self.path = path

    def append(self, row: Row) -> None:
        """Append a row; a new file starts with the names of the columns."""
        is_new = not self.path.exists()
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([COLUMNS, _cells(row)] if is_new else [_cells(row)])

    def truncate(self, step: int) -> None:
        """Remove the rows after a step: a resumed run takes and logs those steps again."""
        if not self.path.exists():
            return
        rows = [_cells(row) for row in read_log(self.path) if row.step <= step]
        with replace_atomically(self.path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([COLUMNS, *rows])


def read_log(path: Path) -> list[Row]:
    """The rows of a log.csv; [] if it does not exist.

    Logs of the first version have no rate and accuracy. Incomplete lines, of a killed run, are skipped.
    """
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = [_row(line) for line in csv.DictReader(file)]
    return [row for row in rows if row is not None]


def _row(line: Mapping[str, str | None]) -> Row | None:
    accuracy = line.get("held_out_top1")
    try:
        return Row(
            int(line["step"]), float(line["epoch"]), float(line.get("rate") or "nan"), float(line["loss"]),
            float(line["seconds"]), float(accuracy) if accuracy else None,
        )  # fmt: skip
    except (TypeError, ValueError):
        return None


def _cells(row: Row) -> tuple[str, ...]:
    accuracy = "" if row.held_out_top1 is None else f"{row.held_out_top1:.4f}"
    return (
        str(row.step), f"{row.epoch:.3f}", f"{row.rate:.4g}", f"{row.loss:.4f}", f"{row.seconds:.0f}", accuracy
    )  # fmt: skip
