"""What the tests of a map say, in sentences with their numbers. The numbers stay beside them: thresholds are habits.

Two questions, answered apart. Does the map follow the model: how much of its ranking does a wholly random copy keep?
And does it find what matters: does the answer fall sooner in its order than in random ones, by more than they differ?
"""

from __future__ import annotations

from ..results.trust import Faithfulness, Randomisation, Verdict
from .methods import Method

# Randomisation.left, a mean rank correlation with the same map of wholly random copies. At 0.8 the two share two thirds
# of their ranks' variance (0.8² = 0.64): most of the map is not the model's doing. Below 0.5 less than a quarter; and
# two unrelated maps of 16 values, the coarsest here, pass 0.5 by luck no more than once in twenty times.
INSENSITIVE, FOLLOWS = 0.8, 0.5

NO_CLAIM = "It asks about one unit and makes no claim about the class."
BLANK = "Blank: the map is the same everywhere, or not finite, so there is nothing to test."


def verdict(method: Method, randomised: Randomisation, faithful: Faithfulness) -> Verdict:
    """Both answers for one map. A map of a random model that is blank counts as changed."""
    if faithful.blank:
        return Verdict("blank", "blank", (BLANK,))
    follows, on_model = _on_model(randomised)
    finds = _against(faithful.deletion_gain, faithful.chance_margin)
    words = (on_model, _on_deletion(faithful, finds), _on_insertion(faithful))
    return Verdict(follows, finds, words if method.about_class else (NO_CLAIM, *words))


def _on_model(randomised: Randomisation) -> tuple[str, str]:
    copies = len(randomised.complete_signed)
    random = "a fully randomised copy" if copies == 1 else f"fully randomised copies (mean of {copies})"
    if randomised.blank:
        return "follows", f"Follows the model: blank for {random}."
    left = randomised.left
    if left < FOLLOWS:
        return "follows", f"Follows the model: rank correlation {left:.2f} with the same map of {random}."
    if left < INSENSITIVE:
        return "partly", (
            f"Follows the model in part: rank correlation {left:.2f} with the same map of {random}, "
            "so some of it is the picture's or the architecture's doing."
        )
    return "insensitive", (
        f"Insensitive: its rank correlation stays at {left:.2f} with {random}; "
        "it would look the same for a model that learnt nothing."
    )


def _against(gain: float, margin: float) -> str:
    """Beyond chance by more than chance varies, or not. No margin and no gain, as with one step, is chance."""
    if abs(gain) <= margin:
        return "chance"
    return "better" if gain > 0 else "worse"


def _on_deletion(faithful: Faithfulness, finds: str) -> str:
    how = {
        "better": "lowers the answer faster than chance",
        "chance": "lowers the answer no faster than chance",
        "worse": "lowers the answer more slowly than chance",
    }[finds]
    return f"Removing what it marks {how} (deletion AUC {faithful.deletion_auc:.3f}, {_chance(faithful)})."


def _on_insertion(faithful: Faithfulness) -> str:
    how = {
        "better": "brings the answer back sooner than chance",
        "chance": "brings the answer back no sooner than chance",
        "worse": "brings the answer back later than chance",
    }[_against(faithful.insertion_gain, faithful.chance_margin)]
    return f"Showing what it marks {how} (insertion AUC {faithful.insertion_auc:.3f}, {_chance(faithful)})."


def _chance(faithful: Faithfulness) -> str:
    return f"chance {faithful.chance_auc:.3f} ± {faithful.chance_margin:.3f}"
