"""Report of an evaluation: accuracies with intervals, classes, confusions, excluded images, protocol.

The JSON holds everything, the text the worst classes and most frequent confusions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..console import readable
from ..errors import ImageUnreadable
from ..image_files import skipped_text
from ..labels import LabelSet, wnid_or_none
from .data import combine_hashes
from .protocol import Task
from .samples import listed_text
from .scores import Accuracy, ClassScore, Confusion, Outcome, class_scores, confusions, hits, paired_difference, wilson

MAX_LINES = 10  # of a list in the text
MAX_CONFUSIONS = 100  # in the JSON


@dataclass(frozen=True)
class Speed:
    """Throughput, reading included. It is not meaningful on a machine shared with other work.

    Attributes:
        images: Number of images measured in this run.
        seconds: Duration.
        processes: Number of processes.
        hardware: Of each process.
    """

    images: int
    seconds: float
    processes: int
    hardware: str

    @classmethod
    def combine(cls, speeds: Sequence[Speed]) -> Speed:
        """Throughput of processes that ran at the same time."""
        hardware = "; ".join(dict.fromkeys(speed.hardware for speed in speeds))
        return cls(sum(s.images for s in speeds), max(s.seconds for s in speeds), len(speeds), hardware)

    @property
    def rate(self) -> float:
        """Images per second; 0 if there was nothing to measure."""
        return self.images / self.seconds if self.images else 0.0


@dataclass(frozen=True)
class Report:
    """One evaluation.

    Attributes:
        accuracy: Top-1 and top-5.
        labels: The model's classes, which the class indices refer to.
        classes: Score of each class.
        confusions: Most frequent first.
        unreadable: (image, error) of images that are not counted.
        protocol: Preprocessing, classes and precision in words.
        data: Files, labels and digest of the images.
        provenance: Of the weights.
        speed: Throughput.
        outcomes: Of each image; not in the JSON.
    """

    accuracy: Accuracy
    labels: LabelSet
    classes: tuple[ClassScore, ...]
    confusions: tuple[Confusion, ...]
    unreadable: tuple[tuple[str, str], ...]
    protocol: dict[str, Any]
    data: dict[str, Any]
    provenance: dict[str, str]
    speed: Speed
    outcomes: tuple[Outcome, ...] = field(default=(), repr=False)

    def as_json(self) -> dict[str, Any]:
        """Everything; of the confusions the first MAX_CONFUSIONS, and how many pairs there are."""
        return {
            **asdict(self.accuracy),
            "provenance": self.provenance,
            "protocol": self.protocol,
            "data": self.data,
            "unreadable": [{"image": name, "error": error} for name, error in self.unreadable],
            "classes": [
                self._class(score.index) | {
                    "images": score.images, "top1": score.hits1 / score.images, "top5": score.hits5 / score.images
                }
                for score in self.classes
            ],
            "confused_pairs": len(self.confusions),
            "confusions": [
                {"label": self._class(pair.label), "prediction": self._class(pair.prediction), "images": pair.count}
                for pair in self.confusions[:MAX_CONFUSIONS]
            ],
            "speed": {
                "images_per_second": round(self.speed.rate, 1), **asdict(self.speed),
                "note": "reading included; not meaningful on a shared machine",
            },
        }  # fmt: skip

    def _class(self, index: int) -> dict[str, Any]:
        return {"index": index, "wnid": wnid_or_none(self.labels.wnids[index]), "label": self.labels.names[index]}

    def lines(self) -> Iterator[str]:
        """Text: accuracies, protocol, unreadable images, worst classes, most frequent confusions, throughput."""
        a, protocol, data, names = self.accuracy, self.protocol, self.data, self.labels.names
        for name, value, (low, high) in (("top-1", a.top1, a.top1_interval), ("top-5", a.top5, a.top5_interval)):
            yield f"{a.model} {name}: {value:.1%} (95% interval {low:.1%} to {high:.1%})"
        others = listed_text(data["other_classes"])
        excluded = f"{a.left_out} images of other classes excluded" + (f" ({others})" if others else "")
        yield readable(f"{a.images} images at {a.image_size} px; {excluded}")
        yield f"{protocol['resize']}; {protocol['precision']}; predictions over {protocol['classes']}"
        yield f"labels: {'; '.join(data['labels'])}"
        if data["unlabeled"]:
            yield f"{data['unlabeled']} images without a label excluded"
        if data["skipped"]:
            yield readable(skipped_text((entry["file"], entry["reason"]) for entry in data["skipped"]))

        if self.unreadable:
            yield from ("", f"{len(self.unreadable)} images could not be read and are not counted:")
            yield from (readable(f"  {name}: {error}") for name, error in self.unreadable[:MAX_LINES])
            if len(self.unreadable) > MAX_LINES:
                yield f"  … and {len(self.unreadable) - MAX_LINES} more: see the JSON"

        classes = sorted(self.classes, key=lambda s: (s.hits1 / s.images, s.hits5 / s.images, s.index))[:MAX_LINES]
        yield from ("", f"worst {len(classes)} of {len(self.classes)} classes", "   top-1   top-5  images  class")
        for score in classes:
            accuracies = f"{score.hits1 / score.images:8.1%}{score.hits5 / score.images:8.1%}"
            yield f"{accuracies}{score.images:8d}  {names[score.index]}"

        if self.confusions:
            images = {score.index: score.images for score in self.classes}
            yield from (
                "",
                f"most frequent of {len(self.confusions)} confusions",
                "  images    of  label -> prediction",
            )
            for pair in self.confusions[:MAX_LINES]:
                yield f"{pair.count:8d}{images[pair.label]:6d}  {names[pair.label]} -> {names[pair.prediction]}"

        speed = self.speed
        hardware = f"{speed.processes} processes, each: {speed.hardware}" if speed.processes > 1 else speed.hardware
        yield from ("", f"{speed.rate:.1f} images per second with {hardware}, reading included")
        yield "(not meaningful on a shared machine)"


def comparison_table(reports: Sequence[Report]) -> Iterator[str]:
    """Several models on the same images as a Markdown table; each is compared with the first, image by image."""
    first = reports[0]
    difference = f"paired difference from {first.accuracy.model} (points)"
    yield ""
    yield f"| model | input | top-1 | 95% interval | top-5 | 95% interval | {difference} |"
    yield "|---|---|---|---|---|---|---|"
    for report in reports:
        a = report.accuracy
        cells = [a.model, f"{a.image_size} px"]
        for accuracy, (low, high) in ((a.top1, a.top1_interval), (a.top5, a.top5_interval)):
            cells += [f"{accuracy:.1%}", f"{low:.1%} to {high:.1%}"]
        yield f"| {' | '.join(cells)} | {_difference(report, first)} |"


def _difference(report: Report, first: Report) -> str:
    if report is first or report.unreadable or first.unreadable or report.data["digest"] != first.data["digest"]:
        return ""
    difference, (low, high) = paired_difference(report.outcomes, first.outcomes)
    return f"{100 * difference:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def make_report(task: Task, paths: Sequence[str | Path], outcomes: Sequence[Outcome], speed: Speed) -> Report:
    """Count the outcomes.

    Args:
        task: Model and images.
        paths: The folders and zips.
        outcomes: One for each sample of the task, in its order.
        speed: Throughput.

    Raises:
        ImageUnreadable: No image could be read.
    """
    readable = [outcome for outcome in outcomes if not outcome.error]
    if not readable:
        raise ImageUnreadable(
            f"None of the {len(outcomes)} images can be read.",
            remedy="Replace them with intact copies.",
            detail=outcomes[0].error,
        )
    n, hits1, hits5 = len(readable), hits(readable, 1), hits(readable, 5)
    loaded, protocol, listing = task.loaded, task.protocol, task.listing
    accuracy = Accuracy(
        loaded.name, protocol.image_size, protocol.crop_pct, n, len(listing.samples) - len(task.samples),
        hits1 / n, hits5 / n, wilson(hits1, n), wilson(hits5, n),
    )  # fmt: skip
    hashes = [bytes.fromhex(outcome.sha256) for outcome in outcomes]
    return Report(
        accuracy,
        loaded.spec.labels,
        class_scores(task.labels, outcomes),
        confusions(task.labels, outcomes),
        tuple((s.name, o.error) for s, o in zip(task.samples, outcomes, strict=True) if o.error),
        _protocol_json(task),
        {
            "files": [Path(path).name for path in paths],
            "labels": list(listing.labels),
            "images": len(task.samples),
            "unlabeled": listing.unlabeled,
            "other_classes": sorted(set(listing.classes) - {sample.label for sample in task.samples}),
            "skipped": [{"file": name, "reason": reason} for name, reason in listing.skipped],
            "digest": combine_hashes(hashes) if all(hashes) else None,
        },
        loaded.provenance.as_json(),
        speed,
        tuple(outcomes),
    )


def _protocol_json(task: Task) -> dict[str, Any]:
    protocol, num_classes = task.protocol, len(set(task.labels))
    return {
        "resize": f"short side to {int(protocol.image_size / protocol.crop_pct)} px, bicubic; center crop",
        "classes": f"restricted to the {num_classes} classes of the images" if protocol.restrict_classes
        else f"all {task.loaded.spec.num_classes} classes of the model",
        "classes_in_data": num_classes,
        "precision": f"autocast {protocol.autocast}" if protocol.autocast else "float32",
        "batch_size": protocol.batch_size,
    }  # fmt: skip
