"""Results of an ablation study: a model's prediction with one part changed at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import OutOfRange
from .predictions import Prediction

Head = tuple[int, int, int]  # stage, block, head, all from 1


@dataclass(frozen=True)
class AblationRow:
    """One ablation in one scope. "Before" is the unchanged model on the same image.

    The margin is the logit of `AblationTable.target` minus that of `AblationTable.runner_up`, a fixed class.

    Attributes:
        ablation: A key of `AblationTable.ablations`.
        stage: From 1; 0 is all stages.
        block: From 1; 0 is all blocks of the stage.
        probability_before: Of the target class, 0 to 1.
        probability_after: Of the target class, 0 to 1.
        logit_before: Of the target class.
        logit_after: Of the target class.
        margin_change: In logits, after minus before; negative: the runner-up came closer.
        divergence: KL(before || after) = sum of p log(p / q) over all classes, in nats.
        new_top: The top prediction afterwards, if it is another class than before.
        logits: (classes,) float32, after.
        heads: The heads that were muted.
    """

    ablation: str
    stage: int
    block: int
    probability_before: float
    probability_after: float
    logit_before: float
    logit_after: float
    margin_change: float
    divergence: float
    new_top: Prediction | None
    logits: np.ndarray
    heads: tuple[Head, ...] = ()

    @property
    def logit_change(self) -> float:
        """After minus before; negative: the part supported the target class."""
        return self.logit_after - self.logit_before


@dataclass(frozen=True)
class AblationTable:
    """All ablations of one model for one image.

    Attributes:
        model: The model's name.
        depths: Number of blocks in each stage.
        target: The target class, before.
        runner_up: The best of the other classes, before.
        logits: (classes,) float32, before.
        reference_name: The image whose kernels `other_kernels` borrows, in words.
        ablations: Name -> description.
        missing: Name of an ablation that this model does not support -> reason.
        rows: Ablation by ablation: everywhere, stages, blocks, as far as requested; none of `missing`.
        heads: Each head muted alone, in the order of stages, blocks and heads.
    """

    model: str
    depths: tuple[int, ...]
    target: Prediction
    runner_up: Prediction
    logits: np.ndarray
    reference_name: str
    ablations: Mapping[str, str]
    missing: Mapping[str, str]
    rows: tuple[AblationRow, ...]
    heads: tuple[AblationRow, ...] = ()

    @property
    def available(self) -> tuple[str, ...]:
        """Names of the ablations that are not missing."""
        return tuple(name for name in self.ablations if name not in self.missing)

    def find(self, ablation: str, stage: int = 0, block: int = 0) -> AblationRow:
        """One row of the table.

        Args:
            ablation: A name of `available`.
            stage: From 1; 0 is all stages.
            block: From 1; 0 is all blocks of the stage.

        Returns:
            The row of this ablation and scope.

        Raises:
            OutOfRange: The table has no such row.
        """
        for row in self.rows:
            if (row.ablation, row.stage, row.block) == (ablation, stage, block):
                return row
        scope = {"stage": stage or "any", "block": block or "any"}
        raise OutOfRange(
            "{ablation} was not asked at stage {stage}, block {block}.",
            remedy="Name that question and a finer `scopes` when asking.", ablation=repr(ablation), **scope,
        )  # fmt: skip

    def scopes(self, ablation: str) -> list[tuple[int, int]]:
        """(stage, block) of every row of an ablation, in their order; (0, 0) is everywhere."""
        return [(row.stage, row.block) for row in self.rows if row.ablation == ablation]
