"""Results of the sanity checks of attribution maps: randomization, faithfulness, agreement.

Limitations: these are necessary conditions, not proofs. Wrong maps fail them, but some wrong maps pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from .explanation import Explanation
from .student_t import quantile, upper_tail


class Outcome(StrEnum):
    """Outcome of one test of a map."""

    PASSES = "passes"
    INCONCLUSIVE = "inconclusive"
    FAILS = "fails"
    UNIFORM = "uniform"  # the map ranks nothing
    NO_VERDICT = "no verdict"  # the test does not apply


def area_under(shares: np.ndarray, curve: np.ndarray) -> float:
    """Area under a curve by the trapezium rule.

    Args:
        shares: (n,), rising from 0 to 1.
        curve: (n,), both ends included.
    """
    return float(np.trapezoid(np.asarray(curve, np.float64), np.asarray(shares, np.float64)))


@dataclass(frozen=True)
class Faithfulness:
    """Insertion and deletion along one map's ranking of the input's pixels, in n steps, with r moved copies of the map.

    Curves are probabilities of one class, (n + 1,) float32: deletion from the image to the baseline, insertion from
    the baseline to the image. Do not compare areas of different images: they depend on the model's confidence.

    Attributes:
        model: The model's name.
        class_index: The class whose probability is measured.
        baseline: "gray" or "blur".
        shares: (n + 1,) float64: share of the pixels changed, 0 to 1.
        deletion: The deletion curve.
        insertion: The insertion curve.
        chance: (r, n + 1), deletion curves of moved copies of the map.
        chance_insertion: (r, n + 1), insertion curves of moved copies of the map.
        is_uniform: Whether the map ranks nothing: it is uniform, or not finite somewhere.
    """

    model: str
    class_index: int
    baseline: str
    shares: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    chance: np.ndarray
    chance_insertion: np.ndarray
    is_uniform: bool = False

    @property
    def initial_probability(self) -> float:
        """The class's probability for the complete image: what there is to lose."""
        return float(self.deletion[0])

    @property
    def deletion_auc(self) -> float:
        """0 to 1; lower: the probability falls sooner."""
        return area_under(self.shares, self.deletion)

    @property
    def insertion_auc(self) -> float:
        """0 to 1; higher: the probability rises sooner."""
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
        """Deletion: 90% of further copies have an area within this of `chance_auc`; infinite for one copy."""
        return _margin(self.chance_aucs)

    @property
    def chance_insertion_auc(self) -> float:
        """Insertion: mean over the moved copies."""
        return float(_areas(self.shares, self.chance_insertion).mean())

    @property
    def chance_insertion_margin(self) -> float:
        """Insertion: 90% of further copies have an area within this of `chance_insertion_auc`."""
        return _margin(_areas(self.shares, self.chance_insertion))

    @property
    def deletion_gain(self) -> float:
        """By how much deletion is better than chance; positive is better."""
        return self.chance_auc - self.deletion_auc

    @property
    def insertion_gain(self) -> float:
        """By how much insertion is better than chance; positive is better."""
        return self.insertion_auc - self.chance_insertion_auc

    @property
    def gain(self) -> float:
        """By how much the map is better than its moved copies: the mean of both gains; positive is better.

        Half of the difference in insertion area minus deletion area, the overall score of Group-CAM (Zhang et al.,
        arXiv 2103.13859).
        """
        return (self.deletion_gain + self.insertion_gain) / 2

    @property
    def _copies_scores(self) -> np.ndarray:  # (r,)
        return (_areas(self.shares, self.chance_insertion) - self.chance_aucs) / 2

    def exceeds_copies(self, sign: int) -> bool:
        """Whether the map is better (1) or worse (-1) than every moved copy."""
        return bool((sign * (self.insertion_auc - self.deletion_auc) / 2 > sign * self._copies_scores).all())

    def p_value(self, sign: int) -> float:
        """One-sided p value of `gain`: of one more moved copy being better (1) or worse (-1) by as much.

        Student's t of one observation against r others, gain / (s sqrt(1 + 1 / r)), with r - 1 degrees of freedom; 1
        for a single copy, which does not say how copies vary.
        """
        scores = self._copies_scores
        if len(scores) < 2:
            return 1.0
        gain, deviation = sign * self.gain, _prediction_deviation(scores)
        if deviation < 1e-9:  # rounding
            return 0.5 if abs(gain) < 1e-6 else float(gain < 0)
        return upper_tail(gain / deviation, len(scores) - 1)


def _areas(shares: np.ndarray, curves: np.ndarray) -> np.ndarray:  # (r, n + 1) -> (r,)
    return np.array([area_under(shares, curve) for curve in curves])


def _margin(aucs: np.ndarray) -> float:
    """Half width of Student's 90% prediction interval, t s sqrt(1 + 1 / r) with r - 1 degrees of freedom."""
    return quantile(0.95, len(aucs) - 1) * _prediction_deviation(aucs)


def _prediction_deviation(values: np.ndarray) -> float:
    """Standard deviation of the difference between one more value and the mean of r values; infinite for one value."""
    r = len(values)
    return float(values.std(ddof=1) * np.sqrt(1 + 1 / r)) if r > 1 else float("inf")


@dataclass(frozen=True)
class Randomization:
    """One map recomputed while the model's weights are randomized, in n steps; after the last all are random.

    Attributes:
        model: The model's name.
        steps: The parameter groups in the order of randomization; ("everything",) for one complete randomization.
        signed: (n,) float64, Spearman's correlation with the original map; NaN where either map is uniform.
        absolute: (n,) float64, the same of absolute values.
        heatmaps: (n, rows, columns) float32, the maps, raw, each on its own scale.
        complete_signed: (m,) like `signed`, with m completely random models, the cascade's last among them.
        complete_absolute: (m,) like `absolute`, with the same models.
        chance_signed: (m,), standard deviation of the correlation of unrelated maps as smooth as these (ranks.py), for
            `complete_signed`.
        chance_absolute: (m,), for `complete_absolute`.
    """

    model: str
    steps: tuple[str, ...]
    signed: np.ndarray
    absolute: np.ndarray
    heatmaps: np.ndarray
    complete_signed: np.ndarray
    complete_absolute: np.ndarray
    chance_signed: np.ndarray
    chance_absolute: np.ndarray

    @property
    def is_uniform(self) -> bool:
        """Whether every completely random model's map is uniform, or not finite somewhere."""
        return bool(np.isnan(self.complete_signed).all())

    @property
    def uses_absolute_values(self) -> bool:
        """Whether absolute values correlate more: a map that only changes its sign still shows the same edges."""
        signed, absolute = (abs(np.nan_to_num(r).mean()) for r in (self.complete_signed, self.complete_absolute))
        return bool(absolute > signed)

    @property
    def correlations(self) -> np.ndarray:
        """(n,): rank correlations of the cascade, absolute where `uses_absolute_values`; NaN where uniform."""
        return self.absolute if self.uses_absolute_values else self.signed

    @property
    def complete_correlations(self) -> np.ndarray:
        """(m,): rank correlations with completely random models, chosen likewise; 0 for uniform maps."""
        return np.nan_to_num(self.complete_absolute if self.uses_absolute_values else self.complete_signed)

    @property
    def mean_correlation(self) -> float:
        """Mean of `complete_correlations`, -1 to 1; near 0: completely random models keep nothing of the ranking.

        The mean, because two unrelated maps of few values correlate by chance, positively or negatively.
        """
        return float(self.complete_correlations.mean())

    @property
    def chance_limit(self) -> float:
        """The size that `mean_correlation` of unrelated maps stays below in 95% of cases.

        1.96 standard deviations of a mean of m correlations, of which each has its own from the smoothness of both
        maps: neighboring values of a smooth map are not independent.
        """
        deviations = self.chance_absolute if self.uses_absolute_values else self.chance_signed
        return min(1.0, 1.96 * float(np.sqrt(np.nansum(deviations**2))) / len(deviations))


@dataclass(frozen=True)
class Agreement:
    """How alike n maps rank the same pixels. Rows and columns of uniform maps are NaN.

    Attributes:
        names: Names of the maps: methods or models.
        correlation: (n, n) float64, Spearman's, of signed values, -1 to 1.
        overlap: (n, n) float64, intersection over union of the `share` of pixels that each ranks highest, 0 to 1.
        share: 0 to 1.
        values: (n, rows, columns) float32, the maps on the common pixels, raw.
        box: x0, y0, x1, y1, the edges of those pixels in pixels of the upload.
    """

    names: tuple[str, ...]
    correlation: np.ndarray
    overlap: np.ndarray
    share: float
    values: np.ndarray
    box: tuple[float, float, float, float]

    @property
    def chance_overlap(self) -> float:
        """Expected overlap of two random choices: they share about share² of the pixels and cover 2 share - share²."""
        return self.share / (2 - self.share)


@dataclass(frozen=True)
class SanityCheck:
    """Outcomes of both tests of one map.

    Attributes:
        randomization_outcome: Parameter randomization: passes if the map depends on the learned weights, inconclusive
            if part of it does, fails if it stays alike.
        faithfulness_outcome: Insertion and deletion against moved copies of the map: passes if better, fails if worse,
            inconclusive if the copies vary too much to tell; no verdict if the class starts below 10% or the map makes
            no claim about it.
        sentences: The outcomes with their numbers: randomization, faithfulness, areas.
        remarks: What a table that shows the numbers still has to say.
        p_value: Of the gain, one-sided, corrected for the number of maps tested; None if not tested.
    """

    randomization_outcome: Outcome
    faithfulness_outcome: Outcome
    sentences: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    p_value: float | None = None


@dataclass(frozen=True)
class SanityChecks:
    """All checks of all maps of one image and one class. Mappings are by method, as METHODS names them.

    Attributes:
        model: The model's name.
        class_index: The target class.
        target: The target class in words, such as "ladybug (class 31)".
        maps: The maps that were checked.
        faithfulness: Insertion and deletion of each map.
        randomization: Parameter randomization of each map.
        agreement: Between all maps.
        checks: The outcomes for each map.
        missing: Method that this model does not support -> reason.
        full_cascade: Whether multi-pass methods took every step of the cascade, too.
    """

    model: str
    class_index: int
    target: str
    maps: Mapping[str, Explanation]
    faithfulness: Mapping[str, Faithfulness]
    randomization: Mapping[str, Randomization]
    agreement: Agreement
    checks: Mapping[str, SanityCheck]
    missing: Mapping[str, str] = field(default_factory=dict)
    full_cascade: bool = False
