"""What `evaluate` says: shares with intervals, classes, confusions, what was left out, and how it was measured.

As JSON, whole; as lines of text, the worst of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ImageUnreadable
from ..labels import LabelSet, label_set
from .data import combined
from .protocol import Task
from .scores import Accuracy, ClassScore, Confusion, Outcome, class_scores, confusions, hits, paired_difference, wilson

WORST = 10  # lines of a list in the text
PAIRS = 100  # confusions in the JSON


@dataclass(frozen=True)
class Speed:
    """How many images passed in how many seconds, reading included. On a machine shared with others it is noise."""

    images: int
    seconds: float
    processes: int
    hardware: str

    @classmethod
    def together(cls, speeds: Sequence[Speed]) -> Speed:
        """Of processes that worked at the same time."""
        kinds = dict.fromkeys(speed.hardware for speed in speeds)
        return cls(sum(s.images for s in speeds), max(s.seconds for s in speeds), len(speeds), "; ".join(kinds))

    @property
    def rate(self) -> float:
        """Images a second; 0 where nothing was left to measure."""
        return self.images / self.seconds if self.images else 0.0


@dataclass(frozen=True)
class Report:
    """One evaluation. `unreadable` images, (name, problem), are in no share."""

    accuracy: Accuracy
    labels: LabelSet  # what the class indices below mean
    classes: tuple[ClassScore, ...]
    confusions: tuple[Confusion, ...]
    unreadable: tuple[tuple[str, str], ...]
    protocol: dict[str, Any]
    data: dict[str, Any]
    provenance: dict[str, str]
    speed: Speed
    outcomes: tuple[Outcome, ...] = field(default=(), repr=False)  # one an image, not in the JSON

    def as_json(self) -> dict[str, Any]:
        """All of it; of the confusions the first PAIRS, and how many pairs there are."""
        names = self.labels
        return {
            **self.accuracy.as_json(),
            "provenance": self.provenance,
            "protocol": self.protocol,
            "data": self.data,
            "unreadable": [{"name": name, "problem": problem} for name, problem in self.unreadable],
            "classes": [
                {
                    "index": score.index, "wnid": names.wnids[score.index], "label": names.names[score.index],
                    "images": score.images,
                    "top1": score.hits1 / score.images, "top5": score.hits5 / score.images,
                }
                for score in self.classes
            ],
            "confused_pairs": len(self.confusions),
            "confusions": [
                {"label": names.names[pair.label], "answer": names.names[pair.answer], "count": pair.count,
                 "label_wnid": names.wnids[pair.label], "answer_wnid": names.wnids[pair.answer]}
                for pair in self.confusions[:PAIRS]
            ],
            "speed": {
                "images_per_second": round(self.speed.rate, 1), "images": self.speed.images,
                "seconds": round(self.speed.seconds, 1), "processes": self.speed.processes,
                "hardware": self.speed.hardware, "note": "reading included; it means nothing on a shared machine",
            },
        }  # fmt: skip

    def lines(self) -> Iterator[str]:
        """For reading: the shares, how they were measured, the worst classes, the most frequent confusions."""
        yield from _shares(self.accuracy)
        yield from _how(self)
        yield from _unreadable(self.unreadable)
        yield from _classes(self)
        yield from _confusions(self)
        yield from ("", f"{self.speed.rate:.1f} images a second with {_hardware(self.speed)}, reading included")
        yield "(it means nothing on a shared machine)"


def table(reports: Sequence[Report]) -> Iterator[str]:
    """Several models on the same images, as a Markdown table; each compared with the first, image by image."""
    first = reports[0]
    yield ""
    yield f"| model | view | top-1 | 95 % interval | top-5 | 95 % interval | top-1 less {first.accuracy.model}'s |"
    yield "|---|---|---|---|---|---|---|"
    for report in reports:
        a = report.accuracy
        cells = [a.model, f"{a.image_size} px"]
        for share, (low, high) in ((a.top1, a.top1_interval), (a.top5, a.top5_interval)):
            cells += [f"{share:.1%}", f"{low:.1%} to {high:.1%}"]
        yield f"| {' | '.join(cells)} | {_less(report, first)} |"


def _less(report: Report, first: Report) -> str:
    if report is first or report.unreadable or first.unreadable or report.data["digest"] != first.data["digest"]:
        return ""
    share, (low, high) = paired_difference(report.outcomes, first.outcomes)
    return f"{100 * share:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}) points"


def make_report(task: Task, paths: Sequence[str | Path], outcomes: Sequence[Outcome], speed: Speed) -> Report:
    """Count. outcomes: one an image of the task, in its order. ImageUnreadable where none has an answer."""
    readable = [outcome for outcome in outcomes if not outcome.problem]
    if not readable:
        raise ImageUnreadable(
            f"None of the {len(outcomes)} images can be read.", remedy="Get them again.", detail=outcomes[0].problem
        )
    n, hits1, hits5 = len(readable), hits(readable, 1), hits(readable, 5)
    loaded, protocol, listing = task.loaded, task.protocol, task.listing
    accuracy = Accuracy(
        loaded.name, protocol.image_size, protocol.crop_pct, n, len(listing.samples) - len(task.samples),
        hits1 / n, hits5 / n, wilson(hits1, n), wilson(hits5, n),
    )  # fmt: skip
    whole = all(outcome.sha256 for outcome in outcomes)
    return Report(
        accuracy,
        label_set(loaded.spec.label_set),
        class_scores(task.labels, outcomes),
        confusions(task.labels, outcomes),
        tuple((s.name, o.problem) for s, o in zip(task.samples, outcomes, strict=True) if o.problem),
        _protocol(task),
        {
            "files": [Path(path).name for path in paths],
            "labels": list(listing.labels),
            "images": len(task.samples),
            "unlabeled": listing.unlabeled,
            "digest": combined(bytes.fromhex(outcome.sha256) for outcome in outcomes) if whole else None,
        },
        loaded.provenance.as_json(),
        speed,
        tuple(outcomes),
    )


def _protocol(task: Task) -> dict[str, Any]:
    protocol, spec = task.protocol, task.loaded.spec
    there = len(set(task.labels))
    return {
        "resize": f"short side to {int(protocol.image_size / protocol.crop_pct)} px, bicubic; center crop",
        "answers": f"among the {there} classes of the images" if protocol.restrict
        else f"among all {spec.num_classes} classes of the model",
        "classes_in_data": there,
        "precision": f"autocast {protocol.autocast}" if protocol.autocast else "float32",
        "batch": protocol.batch,
    }  # fmt: skip


def _shares(accuracy: Accuracy) -> Iterator[str]:
    for name, share, (low, high) in (
        ("top-1", accuracy.top1, accuracy.top1_interval),
        ("top-5", accuracy.top5, accuracy.top5_interval),
    ):
        yield f"{accuracy.model} {name}: {share:.1%} ({low:.1%} to {high:.1%}, 95 %)"
    yield f"{accuracy.images} images at {accuracy.image_size} px, {accuracy.left_out} of unknown classes left out"


def _how(report: Report) -> Iterator[str]:
    protocol, data = report.protocol, report.data
    yield f"{protocol['resize']}; {protocol['precision']}; answers {protocol['answers']}"
    yield f"labels: {'; '.join(data['labels'])}"
    if data["unlabeled"]:
        yield f"{data['unlabeled']} images without a label left out"


def _unreadable(unreadable: Sequence[tuple[str, str]]) -> Iterator[str]:
    if unreadable:
        yield from ("", f"{len(unreadable)} images could not be read, and are in no share:")
        yield from (f"  {name}: {problem}" for name, problem in unreadable[:WORST])
        if len(unreadable) > WORST:
            yield f"  … and {len(unreadable) - WORST} more: see the JSON"


def _classes(report: Report) -> Iterator[str]:
    worst = sorted(report.classes, key=lambda s: (s.hits1 / s.images, s.hits5 / s.images, s.index))
    yield from ("", f"worst {min(WORST, len(worst))} of {len(worst)} classes", "   top-1   top-5  images  class")
    for score in worst[:WORST]:
        shares = f"{score.hits1 / score.images:8.1%}{score.hits5 / score.images:8.1%}"
        yield f"{shares}{score.images:10d}  {report.labels.names[score.index]}"


def _confusions(report: Report) -> Iterator[str]:
    if not report.confusions:
        return
    images, words = {score.index: score.images for score in report.classes}, report.labels.names
    yield from ("", f"most frequent of {len(report.confusions)} confusions", "   count    of  label -> answer")
    for pair in report.confusions[:WORST]:
        yield f"{pair.count:8d}{images[pair.label]:6d}  {words[pair.label]} -> {words[pair.answer]}"


def _hardware(speed: Speed) -> str:
    return speed.hardware if speed.processes == 1 else f"{speed.processes} processes, each: {speed.hardware}"
