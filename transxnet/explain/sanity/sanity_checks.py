"""All sanity checks of all maps of one image and one class, and their outcomes in sentences with numbers.

Insertion and deletion (faithfulness.py), parameter randomization (randomization.py), agreement between the methods
(agreement.py); sources, formulas and limits are described there. Two separate outcomes for each map (`check_map`):

* Randomization: does the map depend on the learned weights? By the rank correlation that is left with completely
  random copies of the model.
* Faithfulness: does it localize what the prediction depends on? By whether the probability falls sooner in its order
  than in that of the same map moved elsewhere, by more than the moved copies vary.

The thresholds are conventions, so the numbers are always reported with the outcomes. This project's own.

Limitations: necessary conditions, not proofs. A map that passes all may mislead, and one image's checks hold for that
image only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count

from ...errors import PartMissing
from ...images import ModelInput
from ...messages import Message
from ...results import Explanation
from ...results.sanity_checks import Faithfulness, Outcome, Randomization, SanityCheck, SanityChecks
from ...weights.load import LoadedModel
from ..attribution.grad_cam import class_caption
from ..attribution.methods import METHODS, AttributionTarget, Method
from ..observe import check_class_index
from .agreement import agreement
from .faithfulness import STEPS, FaithfulnessTest
from .randomization import COPIES, Progress, cascading_randomization, compute_maps, parameter_groups, random_model_like

# Bounds on the size of Randomization.mean_correlation. At 0.8 the two maps share two thirds of their ranks' variance
# (0.8² = 0.64): most of the map does not depend on the weights. Below 0.5 they share less than a quarter. A map of few
# values (9 for Grad-CAM at 96 px) correlates by chance: below INSENSITIVE, what is within Randomization.chance_limit
# passes even above 0.5; and from FEW_VALUES on, the sentences name the number of values and the limit.
INSENSITIVE, SENSITIVE, FEW_VALUES = 0.8, 0.5, 0.2
LOW_PROBABILITY = 0.1  # a class of a lower probability has little to lose

NO_CLAIM = Message("It asks about one unit and makes no claim about the class.")
EVEN = Message("Uniform: its values differ by less than 0.1%, or are not finite, so there is nothing to test.")


def sanity_checks(
    loaded: LoadedModel,
    model_input: ModelInput,
    target: AttributionTarget,
    methods: Mapping[str, Method] = METHODS,
    full_cascade: bool = False,
    progress: Progress | None = None,
    maps: Mapping[str, Explanation] | None = None,
    steps: int = STEPS,
    baseline: str = "gray",
    copies: int = COPIES,
) -> SanityChecks:
    """Run all checks of the maps that `methods` compute for an image. The model is not changed; a copy of it is.

    Args:
        loaded: The model.
        model_input: The prepared image.
        target: What the maps explain.
        methods: Name -> method.
        full_cascade: Whether multi-pass methods take every step of the cascade, not only the last: several times the
            cost.
        progress: Called with (done, total), by pieces of work of unequal length.
        maps: Maps already computed with this very target, by method; the others are computed.
        steps: Of insertion and deletion.
        baseline: Of insertion and deletion, "gray" or "blur".
        copies: Completely random models for the maps of single-pass methods.

    Returns:
        All checks; methods that this model does not support are in `missing`.

    Raises:
        OutOfRange: The model has no such class, stage, block or position.
        PartMissing: The model supports none of the methods.
    """
    model, missing = loaded.model, {}
    total, completed = 1 + len(methods) + len(parameter_groups(model)) + copies, count(1)

    def advance(*_: int) -> None:
        if progress:
            progress(min(next(completed), total), total)

    check_class_index(model, target.class_index)
    test = FaithfulnessTest(model, model_input, target.class_index, steps, baseline)
    if target.contrast_index is None:  # the same for random copies, whose best classes are others
        target = replace(target, contrast_index=test.best_other_class)
    maps = _all_maps(loaded, model_input, target, methods, maps or {}, missing)
    advance()
    faithfulness: dict[str, Faithfulness] = {}
    for name, explanation in maps.items():
        faithfulness[name] = test.run(explanation)
        advance()
    randomization = cascading_randomization(
        model, lambda number: random_model_like(model, number), model_input, target, maps, methods, full_cascade,
        copies, lock=loaded.lock, progress=advance,
    )  # fmt: skip
    checks = {name: check_map(methods[name], randomization[name], faithfulness[name]) for name in maps}
    agreement_of_maps = agreement(maps)
    if progress:
        progress(total, total)
    return SanityChecks(
        loaded.name, target.class_index, class_caption(target.class_index, target.class_name), maps, faithfulness,
        randomization, agreement_of_maps, checks, missing, full_cascade,
    )  # fmt: skip


def _all_maps(
    loaded: LoadedModel,
    model_input: ModelInput,
    target: AttributionTarget,
    methods: Mapping[str, Method],
    computed: Mapping[str, Explanation],
    missing: dict[str, str],
) -> dict[str, Explanation]:
    """The maps that are there and those computed now, in the order of `methods`.

    Raises PartMissing if there is none.
    """
    remaining = {name: method for name, method in methods.items() if name not in computed}
    maps = {**computed, **compute_maps(loaded.model, loaded.lock, model_input, target, remaining, missing)}
    if not any(name in maps for name in methods):
        raise PartMissing("{model} has none of these maps.", remedy="Choose others.", model=loaded.name)
    return {name: maps[name] for name in methods if name in maps}


# ---- Outcomes -------------------------------------------------------------------------------------------------------


def check_map(method: Method, randomization: Randomization, faithfulness: Faithfulness) -> SanityCheck:
    """Both outcomes for one map. A map that is uniform for random models counts as changed.

    Args:
        method: The method that computed the map.
        randomization: Correlations with the maps of random models, -1 to 1.
        faithfulness: Insertion and deletion.

    Returns:
        Outcomes, with sentences that state the numbers.
    """
    if faithfulness.is_uniform:
        return SanityCheck(Outcome.UNIFORM, Outcome.UNIFORM, (EVEN,))
    on_weights, weights_sentence = _randomization_outcome(randomization)
    on_deletion = _against_chance(faithfulness.deletion_gain, faithfulness.chance_margin)
    claim = () if method.about_class else (NO_CLAIM,)
    sentences = (
        *claim, weights_sentence, _deletion_sentence(faithfulness, on_deletion), _insertion_sentence(faithfulness),
        _initial_sentence(faithfulness),
    )  # fmt: skip
    return SanityCheck(on_weights, on_deletion, sentences, (*claim, *_remarks(randomization, faithfulness)))


def _remarks(randomization: Randomization, faithfulness: Faithfulness) -> Iterator[str]:
    if randomization.is_uniform:
        yield Message("Uniform for random copies as well.")
    elif randomization.uses_absolute_values:
        yield Message("Correlation of absolute values.")
    if randomization.chance_limit >= FEW_VALUES and not randomization.is_uniform:
        yield Message("Within chance: {values}.", values=_chance_values(randomization))
    if faithfulness.initial_probability < LOW_PROBABILITY:
        yield _initial_sentence(faithfulness)


def _randomization_outcome(randomization: Randomization) -> tuple[Outcome, Message]:
    number, correlation = len(randomization.complete_signed), abs(randomization.mean_correlation)
    copies = Message("one random copy" if number == 1 else "{count} random copies (mean)", count=number)
    if randomization.is_uniform:
        return Outcome.PASSES, Message("Follows the model: uniform to within 0.1% for {copies}.", copies=copies)
    kind = "rank correlation of absolute values" if randomization.uses_absolute_values else "rank correlation"
    by_chance = "" if randomization.chance_limit < FEW_VALUES else " (within chance: {values})"
    finding = Message(
        f"{kind} {{correlation}} with {{copies}}{by_chance}", correlation=f"{randomization.mean_correlation:.2f}",
        copies=copies, values=_chance_values(randomization),
    )  # fmt: skip
    if correlation < max(SENSITIVE, min(INSENSITIVE, randomization.chance_limit)):
        return Outcome.PASSES, Message("Follows the model: {finding}.", finding=finding)
    if correlation < INSENSITIVE:
        template = "Follows the model in part: {finding}; the remainder comes from the image or the architecture."
        return Outcome.INCONCLUSIVE, Message(template, finding=finding)
    template = "Insensitive: {finding}; it would look the same for a model that learned nothing."
    return Outcome.FAILS, Message(template, finding=finding)


def _chance_values(randomization: Randomization) -> Message:
    limit = f"{randomization.chance_limit:.2f}"
    return Message("abs(ρ) ≤ {limit} for {count} values", count=randomization.heatmaps[0].size, limit=limit)


def _against_chance(gain: float, margin: float) -> Outcome:
    """Better or worse than chance by more than chance varies. No margin and no gain, as with one step, is chance."""
    if abs(gain) <= margin:
        return Outcome.INCONCLUSIVE
    return Outcome.PASSES if gain > 0 else Outcome.FAILS


def _deletion_sentence(faithfulness: Faithfulness, outcome: Outcome) -> Message:
    speed = dict(zip(Outcome, ("faster than", "no faster than", "more slowly than"), strict=False))[outcome]
    template = f"Deletion lowers the probability {speed} the same map shifted elsewhere (area {{areas}})."
    areas = _areas(faithfulness.deletion_auc, faithfulness.chance_auc, faithfulness.chance_margin)
    return Message(template, areas=areas)


def _insertion_sentence(faithfulness: Faithfulness) -> Message:
    chance, margin = faithfulness.chance_insertion_auc, faithfulness.chance_insertion_margin
    outcome = _against_chance(faithfulness.insertion_gain, margin)
    speed = dict(zip(Outcome, ("sooner than", "no sooner than", "later than"), strict=False))[outcome]
    template = f"Insertion restores the probability {speed} the shifted map (area {{areas}})."
    return Message(template, areas=_areas(faithfulness.insertion_auc, chance, margin))


def _areas(area: float, chance: float, margin: float) -> Message:
    values = {"area": f"{area:.3f}", "chance": f"{chance:.3f}", "margin": f"{margin:.3f}"}
    return Message("{area}, chance {chance} ± {margin}", **values)


def _initial_sentence(faithfulness: Faithfulness) -> Message:
    ending = ": too low for deletion to change much" if faithfulness.initial_probability < LOW_PROBABILITY else ""
    percent = f"{100 * faithfulness.initial_probability:.1f}"
    return Message(f"Initial probability {{percent}}%{ending}.", percent=percent)
