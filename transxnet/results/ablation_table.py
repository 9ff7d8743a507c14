"""What became of one model's answer when parts of it were changed, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import OutOfRange
from .predictions import Prediction

Head = tuple[int, int, int]  # stage, block, head, all from 1


@dataclass(frozen=True)
class Change:
    """One question in one place, and the answer it gave. Before is always the untouched model on the same image.

    The explained class is AblationTable.explained. Its margin is its logit less that of AblationTable.runner_up, a
    fixed class.
    """

    question: str  # a name of AblationTable.questions
    stage: int  # from 1; 0 is everywhere
    block: int  # from 1; 0 is all of the stage's
    probability_before: float  # of the explained class, 0 to 1
    probability_after: float
    logit_before: float
    logit_after: float
    margin_change: float  # logits, after less before; below zero: nearer to being overtaken
    divergence: float  # nats, KL(before || after) = sum of p log(p / q) over all classes; 0: the same answers
    new_top: Prediction | None  # the best answer after, where it is another class than before
    logits: np.ndarray  # (classes,) float32, after
    heads: tuple[Head, ...] = ()  # which heads were off

    @property
    def logit_change(self) -> float:
        """After less before; below zero: the part spoke for the explained class."""
        return self.logit_after - self.logit_before


@dataclass(frozen=True)
class AblationTable:
    """Everything that was asked of one model about one image."""

    model: str
    depths: tuple[int, ...]  # blocks a stage
    explained: Prediction  # before; the best answer, or the class that was asked for
    runner_up: Prediction  # before: the best of the other classes
    logits: np.ndarray  # (classes,) float32, before
    other: str  # in words: the image whose kernels were lent
    questions: Mapping[str, str]  # name -> words
    missing: Mapping[str, str]  # those that this variant cannot be asked: name -> why
    rows: tuple[Change, ...]  # question by question: everywhere, stages, blocks, as far as asked; none of `missing`
    heads: tuple[Change, ...] = ()  # every head off alone, in the order of stages, blocks and heads

    @property
    def answered(self) -> tuple[str, ...]:
        """Names of the questions that are not missing."""
        return tuple(name for name in self.questions if name not in self.missing)

    def find(self, question: str, stage: int = 0, block: int = 0) -> Change:
        """One row; stage and block from 1, 0 is any. Raises OutOfRange for what was not asked."""
        for row in self.rows:
            if (row.question, row.stage, row.block) == (question, stage, block):
                return row
        raise OutOfRange(
            f"{question!r} was not asked at stage {stage or 'any'}, block {block or 'any'}.",
            remedy="Name that question and a finer `scopes` when asking.",
        )

    def places(self, question: str) -> list[tuple[int, int]]:
        """(stage, block) of every row of a question, in their order; (0, 0) is everywhere."""
        return [(row.stage, row.block) for row in self.rows if row.question == question]
