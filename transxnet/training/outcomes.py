"""Outcomes of an evaluation on disk, so that a killed evaluation can be resumed.

* evaluation.json: model, weights, images, protocol. Only the same evaluation is resumed.
* outcomes-RANK.jsonl: {"batch": 7, "outcomes": [[label_rank, prediction, sha256, error], …]}, one file per process.

A batch is stored completely or computed again: the same images pass through the model together, whatever was
interrupted and with any number of processes, so that the numbers are equal to the last bit. Incomplete lines are
skipped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import SourceFailed, WeightsError, WeightsMismatch
from .scores import Outcome

SETTINGS = "evaluation.json"
_REMEDY = "Use another folder for --out, or the arguments it was started with."


class OutcomeFolder:
    """The folder of one evaluation. Call `check` in every process, then `start`, then `append` for each batch."""

    def __init__(self, folder: Path, rank: int):
        self.folder, self.file = folder, folder / f"outcomes-{rank}.jsonl"
        self.temporary = folder / f"{SETTINGS}.{rank}.tmp"

    def check(self, settings: Mapping[str, Any], resume: bool) -> None:
        """Refuse to overwrite an evaluation or to mix it with another.

        Raises:
            WeightsError: The folder holds an evaluation, and `resume` is False.
            WeightsMismatch: That evaluation has other settings.
            SourceFailed: evaluation.json is damaged.
        """
        if not (self.folder / SETTINGS).exists():
            return
        if not resume:
            raise WeightsError(
                f"The folder {self.folder.name} already holds an evaluation.",
                remedy="Add --resume to continue it, or use another folder for --out.",
                detail=str(self.folder),
            )
        stored, settings = self._read_settings(), json.loads(json.dumps(settings))
        differences = [
            f"{key.replace('_', ' ')} {_abbreviate(stored.get(key))}, not {_abbreviate(value)}"
            for key, value in settings.items()
            if stored.get(key) != value
        ]
        if differences:
            raise WeightsMismatch(
                f"The folder {self.folder.name} holds another evaluation: {'; '.join(differences)}.", remedy=_REMEDY
            )

    def _read_settings(self) -> dict[str, Any]:
        path = self.folder / SETTINGS
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise SourceFailed(
                f"The {SETTINGS} of {self.folder.name} is damaged.", remedy=_REMEDY, detail=repr(error)
            ) from error

    def start(self, settings: Mapping[str, Any]) -> None:
        """Write evaluation.json completely or not at all; end a line that was not completed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.temporary.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        os.replace(self.temporary, self.folder / SETTINGS)
        if self.file.exists() and not self.file.read_bytes().endswith(b"\n"):
            with self.file.open("ab") as file:
                file.write(b"\n")

    def finished_batches(self, sizes: Sequence[int]) -> dict[int, list[Outcome]]:
        """Outcomes by batch, of all processes.

        Args:
            sizes: Number of images of each batch.

        Returns:
            The batches without unreadable images: the others are computed again, as the disk may be available again.
        """
        finished: dict[int, list[Outcome]] = {}
        for path in sorted(self.folder.glob("outcomes-*.jsonl")):
            for batch, outcomes in _read_lines(path):
                has_size = 0 <= batch < len(sizes) and len(outcomes) == sizes[batch]
                if has_size and not any(outcome.error for outcome in outcomes):
                    finished[batch] = outcomes
        return finished

    def append(self, batch: int, outcomes: Sequence[Outcome]) -> None:
        """Append a batch and flush it to the disk."""
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"batch": batch, "outcomes": outcomes}) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _read_lines(path: Path) -> Iterator[tuple[int, list[Outcome]]]:
    """The complete lines of a file."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
            yield int(entry["batch"]), [Outcome(*outcome) for outcome in entry["outcomes"]]
        except (ValueError, TypeError, KeyError):
            continue


def _abbreviate(value: object) -> str:
    """A setting in a message; of digests the beginning."""
    text = str(value)
    return f"{text[:16]}…" if len(text) == 64 else text
