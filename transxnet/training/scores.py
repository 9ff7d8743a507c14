"""From what a model answered for each image to shares, classes and confusions: counting, and nothing else.

Wilson's score interval: E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple


class Outcome(NamedTuple):
    """One image: the place of its label among the answers (0 is the first) and the class answered first.

    sha256: of its bytes, '' where they could not be read. problem: why it has no place, '' where it has one.
    """

    place: int
    answer: int
    sha256: str
    problem: str = ""


@dataclass(frozen=True)
class Accuracy:
    """Shares of `images` whose label was the first answer, and among the first five; Wilson's 95 % intervals."""

    model: str
    image_size: int  # side of the view, pixels
    crop_pct: float
    images: int
    left_out: int  # images of classes the model does not know
    top1: float
    top5: float
    top1_interval: tuple[float, float]
    top5_interval: tuple[float, float]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


class ClassScore(NamedTuple):
    """One class: its index, how many images it has, and how many of them are right at the first and in five."""

    index: int
    images: int
    hits1: int
    hits5: int


class Confusion(NamedTuple):
    """`count` images of class `label` were answered as class `answer`."""

    label: int
    answer: int
    count: int


def hits(outcomes: Iterable[Outcome], k: int) -> int:
    """How many have their label among the first k answers."""
    return sum(0 <= outcome.place < k for outcome in outcomes)


def class_scores(labels: Sequence[int], outcomes: Sequence[Outcome]) -> tuple[ClassScore, ...]:
    """Every class that has an image with an answer, by index."""
    found: dict[int, list[Outcome]] = {}
    for label, outcome in zip(labels, outcomes, strict=True):
        if not outcome.problem:
            found.setdefault(label, []).append(outcome)
    return tuple(ClassScore(label, len(own), hits(own, 1), hits(own, 5)) for label, own in sorted(found.items()))


def confusions(labels: Sequence[int], outcomes: Sequence[Outcome]) -> tuple[Confusion, ...]:
    """Which class was answered for which other, the most frequent first; alike ones by label, then by answer."""
    wrong = Counter(
        (label, outcome.answer)
        for label, outcome in zip(labels, outcomes, strict=True)
        if not outcome.problem and outcome.place > 0
    )
    ordered = sorted(wrong.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Confusion(label, answer, count) for (label, answer), count in ordered)


def wilson(hits: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval for a share of n (95 % by default); (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    share, weight = hits / n, z * z / n
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * (share * (1 - share) / n + weight / (4 * n)) ** 0.5
    return max(middle - half, 0.0), min(middle + half, 1.0)  # against rounding


def paired_difference(
    ours: Sequence[Outcome], others: Sequence[Outcome], z: float = 1.959964
) -> tuple[float, tuple[float, float]]:
    """How much larger the share of right first answers is than another model's on the same images, in their order.

    With the interval of Agresti and Min (Statistics in Medicine 24, 2005) for matched shares: half an image is added
    to each of the four cases. Narrower than two separate intervals, because both models meet the same difficulties.
    """
    pairs = [(a.place == 0, b.place == 0) for a, b in zip(ours, others, strict=True)]
    better, worse, n = sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs), len(pairs) + 2
    middle = (better - worse) / n
    half = z / n * (better + worse + 1 - (better - worse) ** 2 / n) ** 0.5
    return (better - worse) / max(1, len(pairs)), (middle - half, middle + half)
