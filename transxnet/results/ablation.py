"""What became of one model's answer when a person changed it: parts switched off together, a region painted out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .predictions import Prediction


@dataclass(frozen=True)
class Changed:
    """One change that was made. key: as it was asked for; words: what was changed; where: in words."""

    key: str
    words: str
    where: str


@dataclass(frozen=True)
class Ablation:
    """The answer before and after all changes at once. Answers of one class stand at the same place of both tuples.

    before, after: the first answers of the untouched image, then those that enter them afterwards, best first.
    Where nothing was changed both are the same, bit for bit.
    """

    model: str
    explained: tuple[Prediction, Prediction]  # of the explained class, before and after
    before: tuple[Prediction, ...]
    after: tuple[Prediction, ...]
    new_top: Prediction | None  # the best answer after, where it is another class than before
    logits_before: np.ndarray  # (classes,) float32
    logits_after: np.ndarray  # (classes,) float32
    changes: tuple[Changed, ...]  # what was switched
    skipped: Mapping[str, str]  # key -> why this variant cannot be changed so
    view: np.ndarray  # uint8 (H, W, 3): what the model was given, painted region and all
    fill: str  # what stands in the painted region
    painted: float = 0.0  # share of the view's pixels, 0 to 1
    painted_change: float | None = None  # logit of the explained class with the region painted out, less without
    elsewhere: np.ndarray | None = None  # (n,) the same for the same shape at n other places; n may be 0

    @property
    def logit_change(self) -> float:
        """Of the explained class, after less before."""
        before, after = self.explained
        return after.logit - before.logit
