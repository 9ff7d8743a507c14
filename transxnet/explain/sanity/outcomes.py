"""What the tests of a map say, in sentences with their numbers. The numbers stay beside them: thresholds are habits.

Two questions, answered apart. Does the map follow the model: how much of its ranking does a wholly random copy keep?
And does it find what matters: does the answer fall sooner in its order than in that of the same map moved elsewhere, by
more than its moved copies differ?

What a sanity_check must not be read as: a map that follows the model and finds what matters may still mislead, and one
image's checks are of that image only.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...results.sanity_checks import Faithfulness, Randomization, SanityCheck
from ..attribution.methods import Method

# The size of Randomization.left, a mean rank correlation with the same map of random copies. At 0.8 the two share two
# thirds of their ranks' variance (0.8² = 0.64): most of the map is not the model's doing. Below 0.5 under a quarter.
# A map of few values (9 for Grad-CAM at 96 px) correlates by luck: below INSENSITIVE, what is within Randomization.luck
# counts as following even above 0.5; and where luck reaches FEW, the words name the values and the luck.
INSENSITIVE, FOLLOWS, FEW = 0.8, 0.5, 0.2
LITTLE = 0.1  # a class of a lower probability has little to lose

NO_CLAIM = "It asks about one unit and makes no claim about the class."
EVEN = "Even: its values differ by less than a thousandth, or are not finite, so there is nothing to test."


def sanity_check(method: Method, randomized: Randomization, faithful: Faithfulness) -> SanityCheck:
    """Both answers for one map. A map that is even for random models counts as changed."""
    if faithful.blank:
        return SanityCheck("even", "even", (EVEN,))
    follows, on_model = _on_model(randomized)
    finds = _against(faithful.deletion_gain, faithful.chance_margin)
    claim = () if method.about_class else (NO_CLAIM,)
    words = (*claim, on_model, _on_deletion(faithful, finds), _on_insertion(faithful), _on_start(faithful))
    return SanityCheck(follows, finds, words, (*claim, *_remarks(randomized, faithful)))


def _remarks(randomized: Randomization, faithful: Faithfulness) -> Iterator[str]:
    if randomized.blank:
        yield "Even for random copies."
    elif randomized.by_size:
        yield "Left: of absolute values."
    if randomized.luck >= FEW and not randomized.blank:
        yield f"{_few(randomized)} by luck."
    if faithful.start < LITTLE:
        yield _on_start(faithful)


def _on_model(randomized: Randomization) -> tuple[str, str]:
    copies = len(randomized.complete_signed)
    random = "one random copy" if copies == 1 else f"{copies} random copies (mean)"
    if randomized.blank:
        return "follows", f"Follows the model: even, to a thousandth, for {random}."
    of = " of absolute values" if randomized.by_size else ""
    what = f"rank correlation{of} {randomized.left:.2f} with {random}{_by_luck(randomized)}"
    if abs(randomized.left) < max(FOLLOWS, min(INSENSITIVE, randomized.luck)):
        return "follows", f"Follows the model: {what}."
    if abs(randomized.left) < INSENSITIVE:
        return "partly", f"Follows the model in part: {what}; the rest is the image's or the architecture's doing."
    return "insensitive", f"Insensitive: {what}; it would look the same for a model that learned nothing."


def _by_luck(randomized: Randomization) -> str:
    return f" ({_few(randomized)} by luck)" if randomized.luck >= FEW else ""


def _few(randomized: Randomization) -> str:
    return f"{randomized.heatmaps[0].size} values reach ±{randomized.luck:.2f}"


def _against(gain: float, margin: float) -> str:
    """Beyond chance by more than chance varies, or not. No margin and no gain, as with one step, is chance."""
    if abs(gain) <= margin:
        return "chance"
    return "better" if gain > 0 else "worse"


def _on_deletion(faithful: Faithfulness, finds: str) -> str:
    how = {"better": "faster than", "chance": "no faster than", "worse": "more slowly than"}[finds]
    areas = _areas(faithful.deletion_auc, faithful.chance_auc, faithful.chance_margin)
    return f"Removing what it marks lowers the answer {how} the same map moved elsewhere (deletion {areas})."


def _on_insertion(faithful: Faithfulness) -> str:
    finds = _against(faithful.insertion_gain, faithful.chance_insertion_margin)
    how = {"better": "sooner than", "chance": "no sooner than", "worse": "later than"}[finds]
    areas = _areas(faithful.insertion_auc, faithful.chance_insertion_auc, faithful.chance_insertion_margin)
    return f"Showing it brings the answer back {how} the moved map (insertion {areas})."


def _areas(area: float, chance: float, margin: float) -> str:
    return f"{area:.3f}, chance {chance:.3f} ± {margin:.3f}"


def _on_start(faithful: Faithfulness) -> str:
    little = ": there is little to lose" if faithful.start < LITTLE else ""
    return f"The answer starts at {100 * faithful.start:.1f} %{little}."
