"""Outcomes of the sanity checks of all maps of one image, in sentences with their numbers.

Two separate outcomes for each map:

* Randomization: does the map depend on the learned weights? By the rank correlation that is left with completely
  random copies of the model.
* Faithfulness: does it find what the prediction depends on? By whether the probability falls sooner (deletion) and
  rises sooner (insertion) in its order than in that of copies of the same map moved elsewhere: `Faithfulness.gain`. The
  copies are a sample of what such a map reaches without knowing the image, and the map is one more observation: t =
  gain / (s sqrt(1 + 1 / r)) with r - 1 degrees of freedom (Student's prediction interval). One-sided p values are
  corrected for the number of maps tested (Holm). An outcome other than "inconclusive" needs p <= 0.05, a map that is
  better (or worse) than every one of its copies, because their scores are skewed and not normal, and a gain of at least
  0.02 of the initial probability. There is no verdict where the class starts below 10%, because it has little to lose,
  and none on maps that make no claim about the class.

The thresholds are conventions, so the numbers are always reported with the outcomes. This project's own.

Limitations: the test of one image has little power, so "inconclusive" is not a result against a map. With 12 copies the
t test detects a gain of twice the copies' standard deviation with a probability of 56%, and as one of six maps with 24%
(40% and 10% with 4 copies; 64% and 35% with any number). How often verdicts are wrong: `python -m transxnet
verdict-rates`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...messages import Message
from ...results.sanity_checks import Faithfulness, Outcome, Randomization, SanityCheck
from ...results.student_t import holm
from ..attribution.methods import Method

# Bounds on the size of Randomization.mean_correlation. At 0.8 the two maps share two thirds of their ranks' variance
# (0.8² = 0.64): most of the map does not depend on the weights. Below 0.5 they share less than a quarter. Smooth maps,
# and those of few values, correlate by chance: what is within Randomization.chance_limit is inconclusive from SENSITIVE
# on, and from NOTEWORTHY on the sentences name the limit.
INSENSITIVE, SENSITIVE, NOTEWORTHY = 0.8, 0.5, 0.2
LEVEL = 0.05  # of all maps together, in each direction
MINIMUM_EFFECT = 0.02  # of the initial probability
LOW_PROBABILITY = 0.1  # a class of a lower probability has little to lose

NO_CLAIM = Message("It asks about one unit and makes no claim about the class.")
EVEN = Message("Uniform: its values differ by less than 0.1%, or are not finite, so there is nothing to test.")


def check_maps(
    methods: Mapping[str, Method], randomization: Mapping[str, Randomization], faithfulness: Mapping[str, Faithfulness]
) -> dict[str, SanityCheck]:
    """Both outcomes for each map. A map that is uniform for random models counts as changed.

    Args:
        methods: The method of each map.
        randomization: Correlations of each map with those of random models, -1 to 1.
        faithfulness: Insertion and deletion of each map.

    Returns:
        By map, in the order of `faithfulness`.
    """
    tested = {name: f for name, f in faithfulness.items() if methods[name].about_class and not f.is_uniform}
    p_values = corrected_p_values(tested)
    return {
        name: SanityCheck(Outcome.UNIFORM, Outcome.UNIFORM, (EVEN,))
        if result.is_uniform
        else _check(methods[name], randomization[name], result, p_values.get(name), len(tested))
        for name, result in faithfulness.items()
    }


def corrected_p_values(tested: Mapping[str, Faithfulness]) -> dict[str, float]:
    """One-sided p values of the gains, each in the direction of its gain, corrected within each direction (Holm).

    Args:
        tested: Insertion and deletion of all maps that are tested together.

    Returns:
        0 to 1, by map.
    """
    better, worse = (holm({name: f.p_value(sign) for name, f in tested.items()}) for sign in (1, -1))
    return {name: better[name] if f.gain >= 0 else worse[name] for name, f in tested.items()}


def faithfulness_outcome(
    faithfulness: Faithfulness, p_value: float, minimum_probability: float = LOW_PROBABILITY
) -> Outcome:
    """Better or worse than the moved copies, or no verdict.

    Args:
        faithfulness: Insertion and deletion of the map.
        p_value: One-sided, corrected.
        minimum_probability: Of the class at the start, 0 to 1.

    Returns:
        PASSES, FAILS, INCONCLUSIVE or NO_VERDICT.
    """
    start = faithfulness.initial_probability
    if start < minimum_probability:
        return Outcome.NO_VERDICT
    gain, sign = faithfulness.gain, 1 if faithfulness.gain > 0 else -1
    if p_value > LEVEL or abs(gain) < MINIMUM_EFFECT * start or not faithfulness.exceeds_copies(sign):
        return Outcome.INCONCLUSIVE
    return Outcome.PASSES if gain > 0 else Outcome.FAILS


def _check(
    method: Method, randomization: Randomization, faithfulness: Faithfulness, p_value: float | None, maps: int
) -> SanityCheck:
    """p_value: corrected for the number of maps; None for a map without a claim."""
    on_weights, weights_sentence = _randomization_outcome(randomization)
    if p_value is None:
        on_prediction, finding = Outcome.NO_VERDICT, NO_CLAIM
    else:
        on_prediction = faithfulness_outcome(faithfulness, p_value)
        finding = _faithfulness_sentence(faithfulness, on_prediction, p_value, maps)
    areas = _areas_sentence(faithfulness)
    remarks = tuple(_remarks(randomization, faithfulness, on_prediction, finding))
    return SanityCheck(on_weights, on_prediction, (weights_sentence, finding, areas), remarks, p_value)


def _remarks(
    randomization: Randomization, faithfulness: Faithfulness, on_prediction: Outcome, finding: Message
) -> Iterator[Message]:
    """What a table that shows the numbers still has to say."""
    if on_prediction == Outcome.NO_VERDICT:
        yield finding
    elif abs(faithfulness.gain) < MINIMUM_EFFECT * faithfulness.initial_probability:
        yield Message("Effect below {percent}% of the initial probability.", percent=f"{100 * MINIMUM_EFFECT:.0f}")
    if randomization.is_uniform:
        yield Message("Uniform for random copies as well.")
    elif randomization.uses_absolute_values:
        yield Message("Correlation of absolute values.")
    if randomization.chance_limit >= NOTEWORTHY and not randomization.is_uniform:
        yield Message("Unrelated maps as smooth as these: {limit}.", limit=_chance_limit(randomization))


def _randomization_outcome(randomization: Randomization) -> tuple[Outcome, Message]:
    number, correlation = len(randomization.complete_signed), abs(randomization.mean_correlation)
    copies = Message("one random copy" if number == 1 else "{count} random copies (mean)", count=number)
    if randomization.is_uniform:
        return Outcome.PASSES, Message("Follows the model: uniform to within 0.1% for {copies}.", copies=copies)
    kind = "rank correlation of absolute values" if randomization.uses_absolute_values else "rank correlation"
    by_chance = "" if randomization.chance_limit < NOTEWORTHY else " (unrelated maps as smooth as these: {limit})"
    finding = Message(
        f"{kind} {{correlation}} with {{copies}}{by_chance}", correlation=f"{randomization.mean_correlation:.2f}",
        copies=copies, limit=_chance_limit(randomization),
    )  # fmt: skip
    if correlation < SENSITIVE:
        return Outcome.PASSES, Message("Follows the model: {finding}.", finding=finding)
    if correlation <= randomization.chance_limit:
        template = "Too few independent values to tell: {finding}."
        return Outcome.INCONCLUSIVE, Message(template, finding=finding)
    if correlation < INSENSITIVE:
        template = "Follows the model in part: {finding}; the remainder comes from the image or the architecture."
        return Outcome.INCONCLUSIVE, Message(template, finding=finding)
    template = "Insensitive: {finding}; it would look the same for a model that learned nothing."
    return Outcome.FAILS, Message(template, finding=finding)


def _chance_limit(randomization: Randomization) -> Message:
    return Message("abs(ρ) ≤ {limit} in 95% of cases", limit=f"{randomization.chance_limit:.2f}")


def _faithfulness_sentence(faithfulness: Faithfulness, outcome: Outcome, p_value: float, maps: int) -> Message:
    start = faithfulness.initial_probability
    if outcome == Outcome.NO_VERDICT:
        template = "No verdict: the initial probability, {percent}%, is too low for deletion to change much."
        return Message(template, percent=f"{100 * start:.1f}")
    for_maps = "" if maps == 1 else ", corrected for {count} maps"
    finding = Message(
        f"insertion and deletion differ from those of the same map shifted elsewhere by {{gain}} (p = {{p}}{for_maps})",
        gain=f"{faithfulness.gain:+.3f}", p=f"{p_value:.3f}", count=maps,
    )  # fmt: skip
    if outcome == Outcome.PASSES:
        return Message("Finds what the prediction depends on: {finding}.", finding=finding)
    if outcome == Outcome.FAILS:
        return Message("Misses what the prediction depends on: {finding}.", finding=finding)
    return Message("Inconclusive for this image: {finding}.", finding=finding)


def _areas_sentence(faithfulness: Faithfulness) -> Message:
    f = faithfulness
    template = "Deletion area {deletion}; insertion area {insertion}; initial probability {percent}%."
    return Message(
        template, deletion=_areas(f.deletion_auc, f.chance_auc, f.chance_margin),
        insertion=_areas(f.insertion_auc, f.chance_insertion_auc, f.chance_insertion_margin),
        percent=f"{100 * f.initial_probability:.1f}",
    )  # fmt: skip


def _areas(area: float, chance: float, margin: float) -> Message:
    values = {"area": f"{area:.3f}", "chance": f"{chance:.3f}", "margin": f"{margin:.3f}"}
    return Message("{area}, shifted copies {chance} ± {margin}", **values)
