"""What a killed evaluation goes on from: a folder with what is evaluated, and a line for every batch that is done.

* evaluation.json: model, weights, images, protocol. Only the very same evaluation is continued.
* outcomes-RANK.jsonl: {"batch": 7, "outcomes": [[place, answer, sha256, problem], …]}, appended by one process each.

A batch is kept whole or done again: the same images pass through the model together, whatever was interrupted
and however many processes there are, so that the numbers are the same to the last bit. A line that broke off
counts as never written.
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
REMEDY = "Give another folder to --out, or what it was begun with."


class OutcomeFolder:
    """The outcomes of one evaluation. `check` first, in every process; then `begin`, and `add` batch by batch."""

    def __init__(self, folder: Path, rank: int):
        self.folder, self.own = folder, folder / f"outcomes-{rank}.jsonl"
        self.temporary = folder / f"{SETTINGS}.{rank}.tmp"

    def check(self, settings: Mapping[str, Any], resume: bool) -> None:
        """Nobody's evaluation is overwritten or mixed with another.

        Raises WeightsError where the folder holds one and `resume` is False, WeightsMismatch where that one has other
        settings, SourceFailed where evaluation.json is damaged.
        """
        if not (self.folder / SETTINGS).exists():
            return
        if not resume:
            raise WeightsError(
                f"The folder {self.folder.name} holds an evaluation already.",
                remedy="Add --resume to continue it, or give another folder to --out.",
                detail=str(self.folder),
            )
        before, now = self._settings(), json.loads(json.dumps(settings))
        differ = [key for key in now if before.get(key) != now[key]]
        other = [f"{key} {_short(before.get(key))}, not {_short(now[key])}" for key in differ]
        if other:
            raise WeightsMismatch(
                f"The folder {self.folder.name} holds another evaluation: {'; '.join(other)}.", remedy=REMEDY
            )

    def _settings(self) -> dict[str, Any]:
        path = self.folder / SETTINGS
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise SourceFailed(
                f"The {SETTINGS} of {self.folder.name} is damaged.", remedy=REMEDY, detail=repr(error)
            ) from error

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Write evaluation.json, whole or not at all; a line that broke off is ended."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.temporary.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        os.replace(self.temporary, self.folder / SETTINGS)
        if self.own.exists() and not self.own.read_bytes().endswith(b"\n"):
            with self.own.open("ab") as file:
                file.write(b"\n")

    def done(self, sizes: Sequence[int]) -> dict[int, list[Outcome]]:
        """Batch -> its outcomes, of every process, where all its images (`sizes` says how many) could be read.

        One with an image that could not is done again: the disk may be back.
        """
        found: dict[int, list[Outcome]] = {}
        for path in sorted(self.folder.glob("outcomes-*.jsonl")):
            for batch, outcomes in _lines(path):
                fits = 0 <= batch < len(sizes) and len(outcomes) == sizes[batch]
                if fits and not any(outcome.problem for outcome in outcomes):
                    found[batch] = outcomes
        return found

    def add(self, batch: int, outcomes: Sequence[Outcome]) -> None:
        """Append a batch and have it on the disk."""
        with self.own.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"batch": batch, "outcomes": outcomes}) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _lines(path: Path) -> Iterator[tuple[int, list[Outcome]]]:
    """The lines that were written to their end."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
            yield int(entry["batch"]), [Outcome(*outcome) for outcome in entry["outcomes"]]
        except (ValueError, TypeError, KeyError):
            continue


def _short(value: object) -> str:
    """A setting in a message: digests by their beginning."""
    text = str(value)
    return f"{text[:16]}…" if len(text) == 64 else text
