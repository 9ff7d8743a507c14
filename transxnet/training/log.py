"""A run's log: one row a saving, as CSV, and its plot for the model's card."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("step", "epoch", "rate", "loss", "seconds", "held_out_top1")


@dataclass(frozen=True)
class Row:
    """step: steps taken. loss: smoothed. seconds: of training. held_out_top1: a share, None where not measured."""

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

    def add(
        self, step: int, epoch: float, rate: float, loss: float, seconds: float, held_out_top1: float | None = None
    ) -> None:
        """Append a row; the file begins with the names of its columns."""
        new = not self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(COLUMNS)
            accuracy = "" if held_out_top1 is None else f"{held_out_top1:.4f}"
            writer.writerow((step, f"{epoch:.3f}", f"{rate:.4g}", f"{loss:.4f}", f"{seconds:.0f}", accuracy))

    def cut(self, step: int) -> None:
        """Forget the rows after a step: what a resumed run takes again is logged again."""
        if self.path.exists():
            with self.path.open(newline="") as file:
                header, *rows = list(csv.reader(file)) or [list(COLUMNS)]
            with self.path.open("w", newline="") as file:
                csv.writer(file).writerows([header, *(row for row in rows if int(row[0]) <= step)])


def read_log(path: Path) -> list[Row]:
    """The rows of a log.csv; [] where there is none. Logs of the first version lack rate and accuracy."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [
            Row(
                int(row["step"]), float(row["epoch"]), float(row.get("rate") or "nan"), float(row["loss"]),
                float(row["seconds"]), float(row["held_out_top1"]) if row.get("held_out_top1") else None,
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip
