"""Accuracies, class scores and confusions, counted from the outcome of each image.

Wilson's score interval: E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

Z_95 = 1.959964  # quantile of the normal distribution for 95% intervals


class Outcome(NamedTuple):
    """Outcome for one image.

    Attributes:
        label_rank: Rank of its label among the predictions, from 0; -1 if the image cannot be read.
        prediction: Class index of the top prediction, or -1.
        sha256: Of the file's bytes, '' if they cannot be read.
        error: Why there is no prediction.
    """

    label_rank: int
    prediction: int
    sha256: str
    error: str = ""


@dataclass(frozen=True)
class Accuracy:
    """Accuracy of a model.

    Attributes:
        model: Name of the model.
        image_size: Input size in pixels.
        crop_pct: Input size / resized short side.
        images: Number of images.
        left_out: Number of images of classes that the model does not have.
        top1, top5: Accuracies, 0 to 1.
        top1_interval, top5_interval: Their 95% intervals (Wilson).
    """

    model: str
    image_size: int
    crop_pct: float
    images: int
    left_out: int
    top1: float
    top5: float
    top1_interval: tuple[float, float]
    top5_interval: tuple[float, float]

    def as_card(self) -> dict[str, Any]:
        """The fields as a model card names them: committed cards call the number of images "pictures"."""
        return {"pictures" if key == "images" else key: value for key, value in asdict(self).items()}


class ClassScore(NamedTuple):
    """Number of images of the class `index`, and of those with their label in the top 1 and in the top 5."""

    index: int
    images: int
    hits1: int
    hits5: int


class Confusion(NamedTuple):
    """`count` images of class `label` were predicted as class `prediction`."""

    label: int
    prediction: int
    count: int


def hits(outcomes: Iterable[Outcome], k: int) -> int:
    """Number of images with their label in the top k."""
    return sum(0 <= outcome.label_rank < k for outcome in outcomes)


def class_scores(labels: Sequence[int], outcomes: Sequence[Outcome]) -> tuple[ClassScore, ...]:
    """Scores of the classes of readable images, by index."""
    by_class: dict[int, list[Outcome]] = {}
    for label, outcome in zip(labels, outcomes, strict=True):
        if not outcome.error:
            by_class.setdefault(label, []).append(outcome)
    return tuple(
        ClassScore(label, len(group), hits(group, 1), hits(group, 5)) for label, group in sorted(by_class.items())
    )


def confusions(labels: Sequence[int], outcomes: Sequence[Outcome]) -> tuple[Confusion, ...]:
    """Wrong top predictions, most frequent first; of equal frequency by label, then by prediction."""
    counts = Counter(
        (label, outcome.prediction)
        for label, outcome in zip(labels, outcomes, strict=True)
        if not outcome.error and outcome.label_rank > 0
    )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Confusion(label, prediction, count) for (label, prediction), count in ordered)


def wilson(hits: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of the proportion hits / n; (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    proportion, weight = hits / n, z * z / n
    middle = (proportion + weight / 2) / (1 + weight)
    half = z / (1 + weight) * (proportion * (1 - proportion) / n + weight / (4 * n)) ** 0.5
    return max(middle - half, 0.0), min(middle + half, 1.0)  # against rounding


def paired_difference(
    outcomes: Sequence[Outcome], reference: Sequence[Outcome], z: float = Z_95
) -> tuple[float, tuple[float, float]]:
    """Difference of a model's top-1 accuracy to a reference model's on the same images.

    Args:
        outcomes: Of the model.
        reference: Of the other model, in the same order of images.
        z: Quantile of the normal distribution.

    Returns:
        The difference in -1 to 1, and its interval by Agresti and Min (Statistics in Medicine 24, 2005) for matched
        proportions: half an image is added to each of the four cases. It is narrower than two separate intervals,
        because both models see the same difficult images.
    """
    pairs = [(a.label_rank == 0, b.label_rank == 0) for a, b in zip(outcomes, reference, strict=True)]
    better, worse, n = sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs), len(pairs) + 2
    middle = (better - worse) / n
    half = z / n * (better + worse + 1 - (better - worse) ** 2 / n) ** 0.5
    return (better - worse) / max(1, len(pairs)), (middle - half, middle + half)
