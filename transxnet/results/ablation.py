"""Results of one ablation: a model's predictions before and after parts of it were changed or a region was occluded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .predictions import Prediction


@dataclass(frozen=True)
class AppliedAblation:
    """One change that was applied to the model.

    Attributes:
        key: The change as it was requested, "NAME[:HEAD][@STAGE.BLOCK]".
        description: What was changed, in words.
        scope: Where it was changed, in words.
    """

    key: str
    description: str
    scope: str


@dataclass(frozen=True)
class Ablation:
    """Predictions before and after all changes at once.

    Entries of `predictions_before` and `predictions_after` at the same index are of the same class. Without any change
    both are equal, bit for bit.

    Attributes:
        model: The model's name.
        target: The target class, before and after.
        predictions_before: The top classes of the unchanged pass, then those that enter the top afterwards.
        predictions_after: The same classes after the changes.
        new_top: The top prediction afterwards, if it is another class than before.
        logits_before: (classes,) float32.
        logits_after: (classes,) float32.
        applied: The changes that were applied.
        skipped: Key of a change -> why this model cannot be changed so.
        crop: What the model received, occluded region included: uint8 (H, W, 3).
        fill: What fills the occluded region, one of `explain.ablation.masking.FILLS`.
        masked_share: Share of the input's pixels that are occluded, 0 to 1.
        mask_effect: Logit of the target class with the region occluded, minus that without; None without a mask.
        control_effects: (n,) float32, the same for the same shape at n other positions; n may be 0.
    """

    model: str
    target: tuple[Prediction, Prediction]
    predictions_before: tuple[Prediction, ...]
    predictions_after: tuple[Prediction, ...]
    new_top: Prediction | None
    logits_before: np.ndarray
    logits_after: np.ndarray
    applied: tuple[AppliedAblation, ...]
    skipped: Mapping[str, str]
    crop: np.ndarray
    fill: str
    masked_share: float = 0.0
    mask_effect: float | None = None
    control_effects: np.ndarray | None = None

    @property
    def logit_change(self) -> float:
        """Change of the target class's logit, after minus before."""
        before, after = self.target
        return after.logit - before.logit
