"""A run's log: one row a saving, as CSV, and its plot for the model's card."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("step", "epoch", "rate", "loss", "seconds", "held_out_top1")


@dataclass(frozen=True)
class Row:
    """step: steps taken. loss: smoothed, of the first worker's images. seconds: of training.

    held_out_top1: a share, None where it was not measured.
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

    def add(self, row: Row) -> None:
        """Append a row; the file begins with the names of its columns."""
        new = not self.path.exists()
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([COLUMNS, _cells(row)] if new else [_cells(row)])

    def cut(self, step: int) -> None:
        """Forget the rows after a step: what a resumed run takes again is logged again."""
        if not self.path.exists():
            return
        rows = [_cells(row) for row in read_log(self.path) if row.step <= step]
        temporary = self.path.with_suffix(".tmp")
        with temporary.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
        os.replace(temporary, self.path)


def read_log(path: Path) -> list[Row]:
    """The rows of a log.csv; [] where there is none.

    Logs of the first version lack rate and accuracy. A line that a killed run left unfinished is passed over.
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
