"""What tests of maps gave: whether a map follows the model, finds what matters, and agrees with other maps.

None of it must be read as a proof: these are tests that bad maps fail, and some bad maps pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .explanation import Explanation

# Student's t that 95 in 100 stay under, for 1, 2, … degrees of freedom.
STUDENT_95 = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812)


def area_under(shares: np.ndarray, curve: np.ndarray) -> float:
    """Area under a curve by the trapezium rule, both ends counted: shares and curve (n,), shares rising from 0 to 1."""
    return float(np.trapezoid(np.asarray(curve, np.float64), np.asarray(shares, np.float64)))


@dataclass(frozen=True)
class Faithfulness:
    """Insertion and deletion along one map's ranking of the view's pixels. n steps, r moved copies of the map.

    Curves are probabilities of one class, (n + 1,) float32: deletion from the whole image to the bare baseline,
    insertion from the baseline to the image. chance, chance_insertion: (r, n + 1), both for the same map moved
    elsewhere. Areas must not be compared with those of another image, of which the model was more or less sure.
    """

    model: str
    class_index: int
    baseline: str  # "gray" or "blur"
    shares: np.ndarray  # (n + 1,) float64: share of the pixels changed, 0 to 1
    deletion: np.ndarray
    insertion: np.ndarray
    chance: np.ndarray
    chance_insertion: np.ndarray
    blank: bool = False  # the map ranks nothing: it is even, or not finite somewhere

    @property
    def start(self) -> float:
        """The class's probability for the whole image: what there is to lose."""
        return float(self.deletion[0])

    @property
    def deletion_auc(self) -> float:
        """0 to 1; the lower, the sooner the answer falls."""
        return area_under(self.shares, self.deletion)

    @property
    def insertion_auc(self) -> float:
        """0 to 1; the higher, the sooner the answer comes."""
        return area_under(self.shares, self.insertion)

    @property
    def chance_aucs(self) -> np.ndarray:
        """(r,): deletion, of each moved copy."""
        return _areas(self.shares, self.chance)

    @property
    def chance_auc(self) -> float:
        """Deletion: mean over the moved copies."""
        return float(self.chance_aucs.mean())

    @property
    def chance_margin(self) -> float:
        """Deletion: nine in ten further copies would have an area within this of `chance_auc`; infinite for one."""
        return _margin(self.chance_aucs)

    @property
    def chance_insertion_auc(self) -> float:
        """Insertion: mean over the moved copies."""
        return float(_areas(self.shares, self.chance_insertion).mean())

    @property
    def chance_insertion_margin(self) -> float:
        """Insertion: nine in ten further copies would lie within this of `chance_insertion_auc`."""
        return _margin(_areas(self.shares, self.chance_insertion))

    @property
    def deletion_gain(self) -> float:
        """How far deletion is better than chance: positive is better."""
        return self.chance_auc - self.deletion_auc

    @property
    def insertion_gain(self) -> float:
        """How far insertion is better than chance: positive is better."""
        return self.insertion_auc - self.chance_insertion_auc


def _areas(shares: np.ndarray, curves: np.ndarray) -> np.ndarray:  # (r, n + 1) -> (r,)
    return np.array([area_under(shares, curve) for curve in curves])


def _margin(aucs: np.ndarray) -> float:
    """Student's prediction interval, t s sqrt(1 + 1 / r) with r - 1 degrees of freedom: 90 %."""
    freedom = len(aucs) - 1
    if not freedom:
        return float("inf")
    t = STUDENT_95[min(freedom, len(STUDENT_95)) - 1]
    return float(t * aucs.std(ddof=1) * np.sqrt(1 + 1 / len(aucs)))


@dataclass(frozen=True)
class Randomization:
    """One map made again while the model loses what it learned. n steps; after the last nothing learned is left.

    signed, absolute: (n,) float64, Spearman's correlation with the original map, of the values and of their absolute
    values; NaN where either map is even. heats: (n, rows, columns) float32, the maps themselves, raw, each on its own
    scale. complete_signed, complete_absolute: (m,), the same with wholly random models, the cascade's last among them.
    """

    model: str
    steps: tuple[str, ...]  # the groups as they were replaced; a single "everything" for one complete randomization
    signed: np.ndarray
    absolute: np.ndarray
    heatmaps: np.ndarray
    complete_signed: np.ndarray
    complete_absolute: np.ndarray

    @property
    def blank(self) -> bool:
        """Whether no wholly random model has a map that ranks anything: each is even, or not finite somewhere."""
        return bool(np.isnan(self.complete_signed).all())

    @property
    def by_size(self) -> bool:
        """Whether more is left of the absolute values: a map that only changes its sign still draws the same edges."""
        signed, absolute = (abs(np.nan_to_num(r).mean()) for r in (self.complete_signed, self.complete_absolute))
        return bool(absolute > signed)

    @property
    def curve(self) -> np.ndarray:
        """(n,): the cascade's rank correlations, of absolute values where `by_size`; NaN where a map is even."""
        return self.absolute if self.by_size else self.signed

    @property
    def complete(self) -> np.ndarray:
        """(m,): rank correlations with wholly random models, of absolute values where `by_size`. Even maps count 0."""
        return np.nan_to_num(self.complete_absolute if self.by_size else self.complete_signed)

    @property
    def left(self) -> float:
        """What wholly random models keep of the map's ranking: the mean of `complete`, -1 to 1; near 0 is nothing.

        The mean, as two unrelated maps of few values correlate by luck, one way or the other.
        """
        return float(self.complete.mean())

    @property
    def luck(self) -> float:
        """Unrelated maps of as many independent values have `left` within this of 0 in 95 of 100 cases.

        A rank correlation of n unrelated values has a standard deviation of 1 / sqrt(n - 1) (Kendall), the mean of m
        of them 1 / sqrt(m (n - 1)). Smooth maps have fewer independent values than values, and more luck.
        """
        values = self.heatmaps[0].size
        return min(1.0, 1.96 / np.sqrt(len(self.complete) * max(1, values - 1)))


@dataclass(frozen=True)
class Agreement:
    """How alike maps rank the same pixels. names: of the n maps, methods or variants.

    correlation: (n, n) float64, Spearman's, of signed values, -1 to 1. overlap: (n, n) float64, intersection over union
    of the `share` of pixels that each ranks highest, 0 to 1. Rows and columns of even maps are NaN.
    values: (n, rows, columns) float32, the maps on the common pixels, raw. box: x0, y0, x1, y1, their edges in pixels
    of the upload.
    """

    names: tuple[str, ...]
    correlation: np.ndarray
    overlap: np.ndarray
    share: float
    values: np.ndarray
    box: tuple[float, float, float, float]

    @property
    def overlap_by_chance(self) -> float:
        """Expected of two random choices: they share share² of the pixels, about, and cover 2 share - share²."""
        return self.share / (2 - self.share)


@dataclass(frozen=True)
class SanityCheck:
    """What the tests say of one map; no proof that it explains.

    follows: "follows", "partly", "insensitive", "even".
    finds: "better", "chance", "worse", "even": deletion against the map's moved copies. words: sentences with their
    numbers: what it makes no claim about, on the model, on deletion, on insertion, on what there is to lose.
    remarks: what a table with the numbers beside it still has to say.
    """

    follows: str
    finds: str
    words: tuple[str, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class SanityChecks:
    """All tests of all maps of one image and one class. Mappings are by method, as METHODS names them.

    missing: why a method is not there. thorough: the dear methods took every step of the cascade, too.
    """

    model: str
    class_index: int
    target: str  # "ladybug (class 31)"
    maps: Mapping[str, Explanation]
    faithfulness: Mapping[str, Faithfulness]
    randomization: Mapping[str, Randomization]
    agreement: Agreement
    checks: Mapping[str, SanityCheck]
    missing: Mapping[str, str] = field(default_factory=dict)
    thorough: bool = False
