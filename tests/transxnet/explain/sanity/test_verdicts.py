"""Outcomes of the sanity checks, from results with known numbers."""

from __future__ import annotations

import numpy as np
import pytest

from transxnet.explain.attribution.methods import METHODS
from transxnet.explain.sanity.verdicts import check_maps, faithfulness_outcome
from transxnet.results.sanity_checks import Faithfulness, Randomization, SanityCheck


def randomized(*complete: float, sizes: tuple[float, ...] | None = None, chance: float = 0.01) -> Randomization:
    """chance: standard deviation of the correlation of unrelated maps."""
    r, a = np.array(complete), np.array(sizes or complete)
    deviations = np.full(len(r), chance)
    return Randomization("tiny", ("everything",), r[:1], a[:1], np.zeros((1, 4, 4)), r, a, deviations, deviations)


def faithful(
    deletion: float, chances: tuple[float, ...], insertion: float | None = None, blank: bool = False, start: float = 0.5
) -> Faithfulness:
    """Flat curves, so that their areas equal their values; `start` has no width. Insertion is deletion mirrored."""
    shares = np.array([0.0, 0.0, 1.0])
    copies = np.repeat(np.array(chances)[:, None], 3, axis=1)
    falling = np.full(3, deletion)
    falling[0] = start
    rising = np.full(3, 1 - deletion if insertion is None else insertion)
    return Faithfulness("tiny", 3, "gray", shares, falling, rising, copies, 1 - copies, is_uniform=blank)


def check(randomization: Randomization, faithfulness: Faithfulness, method: str = "grad_cam") -> SanityCheck:
    """The outcomes of a map that is tested alone."""
    return check_maps(METHODS, {method: randomization}, {method: faithfulness})[method]


COPIES = (0.40, 0.42, 0.44, 0.42, 0.41, 0.43, 0.42)  # mean 0.42, standard deviation 0.0129


# --- Randomization ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("complete", "outcome", "sentence"),
    [
        ((0.08,), "passes", "Follows the model: rank correlation 0.08 with one random copy."),
        ((0.5, -0.5, 0.6), "passes", "correlation 0.20 with 3 random copies (mean)."),
        ((0.5,), "inconclusive", "Follows the model in part: rank correlation 0.50"),
        ((0.79, 0.79), "inconclusive", "the remainder comes from the image or the architecture"),
        ((0.8,), "fails", "Insensitive: rank correlation 0.80"),
        ((-0.97,), "fails", "-0.97 with one random copy; it would look the same for a model"),
        ((float("nan"),), "passes", "Follows the model: uniform to within 0.1% for one random copy."),
    ],
)
def test_randomization_outcomes(complete, outcome, sentence):
    result = check(randomized(*complete), faithful(0.2, COPIES))
    assert result.randomization_outcome == outcome
    assert sentence in result.sentences[0]


def test_absolute_values_are_named_if_higher():
    randomization = randomized(0.63, -0.6, sizes=(0.4, 0.24))
    assert randomization.mean_correlation == pytest.approx(0.32)
    result = check(randomization, faithful(0.2, COPIES))
    assert "rank correlation of absolute values 0.32 with 2 random copies (mean)." in result.sentences[0]
    assert result.remarks == ("Correlation of absolute values.",)


def test_what_smooth_maps_reach_by_chance_is_inconclusive():
    """A standard deviation of 0.27: 1.96 * 0.27 / sqrt(4) for the mean of four copies, 0.53 for one."""
    result = check(randomized(0.1, 0.1, 0.1, 0.1, chance=0.27), faithful(0.2, COPIES))
    assert result.sentences[0] == (
        "Follows the model: rank correlation 0.10 with 4 random copies (mean) "
        "(unrelated maps as smooth as these: abs(ρ) ≤ 0.26 in 95% of cases)."
    )
    assert result.remarks == ("Unrelated maps as smooth as these: abs(ρ) ≤ 0.26 in 95% of cases.",)
    outcomes = {}
    for chance, correlation in ((0.27, 0.52), (0.27, 0.6), (0.12, 0.52), (0.5, 0.9), (0.3, 0.9)):
        result = check(randomized(correlation, chance=chance), faithful(0.2, COPIES))
        outcomes[chance, correlation] = result.randomization_outcome, result.sentences[0].split(":")[0]
    assert outcomes == {
        (0.27, 0.52): ("inconclusive", "Too few independent values to tell"),
        (0.27, 0.6): ("inconclusive", "Follows the model in part"),
        (0.12, 0.52): ("inconclusive", "Follows the model in part"),
        (0.5, 0.9): ("inconclusive", "Too few independent values to tell"),
        (0.3, 0.9): ("fails", "Insensitive"),
    }


# --- Faithfulness ----------------------------------------------------------------------------------------------------


def test_better_and_worse_maps_pass_and_fail():
    result = check(randomized(0), faithful(0.35, COPIES))
    assert result.faithfulness_outcome == "passes"
    # t = 0.07 / (0.0129 sqrt(8 / 7)) = 5.07 with 6 degrees of freedom
    assert result.p_value == pytest.approx(0.0011, abs=1e-4)
    assert result.sentences[1] == (
        "Finds what the prediction depends on: insertion and deletion differ from those of the same map shifted "
        "elsewhere by +0.070 (p = 0.001)."
    )
    assert result.sentences[2] == (
        "Deletion area 0.350, shifted copies 0.420 ± 0.027; insertion area 0.650, shifted copies 0.580 ± 0.027; "
        "initial probability 50.0%."
    )
    worse = check(randomized(0), faithful(0.49, COPIES))
    assert (worse.faithfulness_outcome, worse.p_value) == ("fails", pytest.approx(0.0011, abs=1e-4))
    assert worse.sentences[1].startswith("Misses what the prediction depends on:")


def test_within_the_copies_a_map_is_inconclusive():
    for deletion in (0.41, 0.42, 0.44):
        result = check(randomized(0), faithful(deletion, COPIES))
        assert result.faithfulness_outcome == "inconclusive"
        assert result.sentences[1].startswith("Inconclusive for this image:")
    single = check(randomized(0), faithful(0.1, (0.43,)))
    assert (single.faithfulness_outcome, single.p_value) == ("inconclusive", 1)  # one copy: not how they vary


def test_insertion_and_deletion_count_equally():
    """Deletion better and insertion worse by as much: no gain."""
    result = check(randomized(0), faithful(0.32, COPIES, insertion=0.48))
    assert (result.faithfulness_outcome, result.p_value) == ("inconclusive", pytest.approx(0.5))


def test_a_verdict_needs_to_exceed_every_copy():
    """One good copy among many: significant by t, but the copies' scores are skewed."""
    copies = (*[0.42, 0.421, 0.419] * 6, 0.39)
    better = faithful(0.391, copies)
    assert better.p_value(1) < 0.05
    assert check(randomized(0), better).faithfulness_outcome == "inconclusive"
    assert check(randomized(0), faithful(0.38, copies)).faithfulness_outcome == "passes"


def test_low_initial_probability_has_no_verdict():
    uncertain = check(randomized(0), faithful(0.01, (0.02, 0.021, 0.022), start=0.099))
    assert uncertain.faithfulness_outcome == "no verdict"
    assert uncertain.sentences[1] == (
        "No verdict: the initial probability, 9.9%, is too low for deletion to change much."
    )
    assert uncertain.remarks == (uncertain.sentences[1],)
    assert check(randomized(0), faithful(0.01, (0.02, 0.021, 0.022), start=0.1)).faithfulness_outcome == "passes"
    measured = faithfulness_outcome(faithful(0.01, (0.02, 0.021, 0.022), start=0.099), 0.01, minimum_probability=0)
    assert measured == "passes"


def test_small_effects_are_inconclusive():
    """0.02 of the initial probability: 0.01 of 0.5."""
    copies = (0.4200, 0.4201, 0.4199)
    small, enough = (check(randomized(0), faithful(0.42 - gain, copies)) for gain in (0.0099, 0.0101))
    assert (small.faithfulness_outcome, enough.faithfulness_outcome) == ("inconclusive", "passes")
    assert small.p_value < 0.01
    assert small.remarks == ("Effect below 2% of the initial probability.",)
    assert enough.remarks == ()


def test_p_values_are_corrected_for_the_maps_tested():
    """The same map passes alone and not as one of six; maps without a claim, and uniform ones, are not counted."""
    good = faithful(0.388, COPIES)  # t = 2.32: p = 0.030
    assert check(randomized(0), good).faithfulness_outcome == "passes"
    claims = [name for name, method in METHODS.items() if method.about_class]
    assert len(claims) == 6
    chance = faithful(0.42, COPIES)
    maps = {name: good if name == "grad_cam" else chance for name in METHODS}
    results = check_maps(METHODS, dict.fromkeys(METHODS, randomized(0)), maps)
    assert results["grad_cam"].faithfulness_outcome == "inconclusive"
    assert results["grad_cam"].p_value == pytest.approx(6 * check(randomized(0), good).p_value)
    assert "corrected for 6 maps" in results["grad_cam"].sentences[1]
    blank = {name: f if name in ("grad_cam", "attention") else faithful(0.42, COPIES, blank=True)
             for name, f in maps.items()}  # fmt: skip
    results = check_maps(METHODS, dict.fromkeys(METHODS, randomized(0)), blank)
    assert results["grad_cam"].faithfulness_outcome == "passes"


def test_unit_maps_and_uniform_maps_have_no_verdict():
    result = check(randomized(0.1), faithful(0.21, COPIES), "attention")
    assert (result.faithfulness_outcome, result.p_value) == ("no verdict", None)
    assert result.sentences[1] == "It asks about one unit and makes no claim about the class."
    assert result.remarks == result.sentences[1:2]
    empty = check(randomized(float("nan")), faithful(0.21, COPIES, blank=True))
    assert (empty.randomization_outcome, empty.faithfulness_outcome, len(empty.sentences)) == ("uniform", "uniform", 1)
    assert empty.sentences[0].startswith("Uniform:")


def test_a_verdict_is_never_called_chance():
    words = [check(randomized(r), faithful(d, COPIES)) for r in (0, 0.6, 0.9) for d in (0.3, 0.42, 0.5)]
    assert not any(
        "chance" in sentence.lower() for result in words for sentence in (*result.sentences, *result.remarks)
    )
