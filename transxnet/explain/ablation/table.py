"""What if a part had done nothing, or something else: the answer with a part changed, block by block.

An ablation at the time of looking: the trained model stays as it is, tensors on the way are replaced (edits.py) and
the answer is read again. In one block, in all blocks of a stage, or everywhere. The questions, ablations.QUESTIONS,
are this project's own.

Measured: probability and logit of the explained class, its margin over the class that was second before, and how far
all answers moved, KL(before || after) in nats.

What it must not be read as: the model was never trained with a part changed, so what follows answers to features it
has not met. A large change says that the part is used here, for this image; not that a model trained without it
would be worse by as much: pico_static, pico_noosra and pico_noste were trained without, and are the ones to compare
with. A small change may mean that another part does the same. Changes of single blocks do not add up to the change of
their stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ...errors import OutOfRange, PartMissing, UnknownName, quote
from ...images import ModelInput
from ...labels import LabelSet
from ...model import TransXNet
from ...results import Prediction
from ...results.ablation_table import AblationTable, Change, Head
from ...trace import Trace
from ..observe import observe, pick_class
from ..predict import predict
from .catalog import QUESTIONS, AblationSpec, Given, answerable, words_of
from .edits import EVERYWHERE, Edits, Scope, head_off, rows

Progress = Callable[[int, int], None]  # (looks done, looks in all)
LEVELS = ("everywhere", "stages", "blocks")  # each with those before it
GRAY = "a plain gray image"  # ImageNet's mean color: zeros once normalized
PIXELS = 16 * 128**2  # of views looked at as one batch: more are no faster, and hold more memory


@dataclass(frozen=True)
class _AblationRun:
    """One edited look: what is asked, where, and how."""

    question: str
    scope: Scope
    edits: Edits
    heads: tuple[Head, ...] = ()


def ablation_table(
    model: TransXNet,
    model_input: ModelInput,
    labels: LabelSet,
    class_index: int | None = None,
    other: ModelInput | None = None,
    scopes: str | Iterable[Scope] = "blocks",
    questions: Iterable[str] = tuple(QUESTIONS),
    other_words: str = "another image",
    progress: Progress | None = None,
) -> AblationTable:
    """Ask every question in every scope: an edited look each, several as one batch. No randomness, no gradients.

    class_index: whose probability, logit and margin are told; None takes the best answer.
    other: the image, prepared for this model, whose kernels are lent, and other_words its name; None lends those of
        a plain gray view of the same size.
    scopes: "blocks" (each block, each stage, everywhere), "stages" (each stage, everywhere), "everywhere", or Scopes.
    questions: names of QUESTIONS. Those about a part that the variant does without are in `missing`, with the reason.
    progress: called with (looks done, looks in all). `one_head` first takes one a head: AblationTable.heads.
    Probabilities are 0 to 1, logits and margins in logits, divergences in nats; see results.ablation_table.Change.
    Raises UnknownName (questions, scopes), OutOfRange (class, Scope), PartMissing for a model that is no TransXNet,
    WeightsMismatch where labels are another model's, LensError in training mode.
    """
    asked, missing = answerable(model, questions)
    places = _places(model.spec.depths, scopes)
    looks = _Looks(model, model_input, labels, class_index, progress)
    alone = _single_heads(model, places) if "one_head" in asked else []
    looks.total = len(alone) + len(asked) * len(places)
    heads = looks.take(alone)
    lent = lent_kernels(model, model_input, other) if "other_kernels" in asked else None
    given = Given(lent, _loudest(heads))
    words = GRAY if other is None else other_words
    found = looks.take([_ablation(QUESTIONS[name], scope, given) for name in asked for scope in places])
    names = {name: words_of(model, name, words) for name in QUESTIONS if name in asked or name in missing}
    return looks.result(words, names, missing, found, heads)


def heads_off(
    model: TransXNet,
    model_input: ModelInput,
    labels: LabelSet,
    stage: int,
    class_index: int | None = None,
    progress: Progress | None = None,
) -> AblationTable:
    """Every head of every block of a stage off alone: AblationTable.heads, and no other rows. Else as ablation_table.

    Raises OutOfRange for a stage that does not exist, PartMissing for a variant without OSRA.
    """
    missing = answerable(model, ("one_head",))[1]
    if missing:
        raise PartMissing(missing["one_head"])
    if stage not in range(1, len(model.spec.depths) + 1):
        raise OutOfRange(f"{model.spec.name} has no stage {stage}.", remedy=f"Choose 1 to {len(model.spec.depths)}.")
    ablations = _single_heads(model, [Scope(stage)])
    looks = _Looks(model, model_input, labels, class_index, progress)
    looks.total = len(ablations)
    return looks.result("", {"one_head": words_of(model, "one_head")}, {}, [], looks.take(ablations))


def edited_logits(model: TransXNet, model_input: ModelInput, edits: Sequence[Edits]) -> np.ndarray:
    """The logits of one image under each of these edits, (len(edits), classes) float32, in one pass."""
    copies = replace(model_input, tensor=model_input.tensor.expand(len(edits), -1, -1, -1))  # (B, 3, H, W)
    return observe(model, copies, keep=(), edits=rows(edits)).logits.float().cpu().numpy()


class _Looks:
    """One image in one model: what it answers untouched, and under edits."""

    def __init__(
        self,
        model: TransXNet,
        model_input: ModelInput,
        labels: LabelSet,
        class_index: int | None,
        progress: Progress | None,
    ):
        self.model, self.model_input, self.labels, self.progress = model, model_input, labels, progress
        self.before = predict(observe(model, model_input, keep=()), labels, top=1).logits  # (classes,)
        index = int(self.before.argmax()) if class_index is None else pick_class(model, class_index)
        others = np.where(np.arange(len(self.before)) == index, -np.inf, self.before)
        self.explained = self._answer(self.before, index)
        self.runner_up = self._answer(self.before, int(others.argmax()))
        self.done = self.total = 0

    def take(self, ablations: Sequence[_AblationRun]) -> list[Change]:
        """One Change a ablation, in their order."""
        height, width = self.model_input.tensor.shape[-2:]
        together = max(1, PIXELS // (height * width))
        changes: list[Change] = []
        for start in range(0, len(ablations), together):
            batch = ablations[start : start + together]
            after = edited_logits(self.model, self.model_input, [ablation.edits for ablation in batch])
            changes += [self._change(ablation, logits.copy()) for ablation, logits in zip(batch, after, strict=True)]
            self.done += len(batch)
            if self.progress:
                self.progress(self.done, self.total)
        return changes

    def _change(self, ablation: _AblationRun, after: np.ndarray) -> Change:  # (classes,)
        c, r, top = self.explained.index, self.runner_up.index, int(after.argmax())
        p, q = _log_softmax(self.before), _log_softmax(after)  # each (classes,)
        return Change(
            ablation.question, ablation.scope.stage, ablation.scope.block,
            float(np.exp(p[c])), float(np.exp(q[c])), float(self.before[c]), float(after[c]),
            margin_change=(float(after[c]) - float(after[r])) - (float(self.before[c]) - float(self.before[r])),
            divergence=float((np.exp(p) * (p - q)).sum()),
            new_top=None if top == self.before.argmax() else self._answer(after, top),
            logits=after, heads=ablation.heads,
        )  # fmt: skip

    def _answer(self, logits: np.ndarray, index: int) -> Prediction:
        probability = float(np.exp(_log_softmax(logits)[index]))
        return Prediction(index, self.labels.wnids[index], self.labels.names[index], probability, float(logits[index]))

    def result(
        self, other: str, questions: Mapping[str, str], missing: Mapping[str, str],
        found: Sequence[Change], heads: Sequence[Change],
    ) -> AblationTable:  # fmt: skip
        return AblationTable(
            self.model.spec.name, self.model.spec.depths, self.explained, self.runner_up, self.before, other,
            questions, missing, tuple(found), tuple(heads),
        )  # fmt: skip


def _log_softmax(logits: np.ndarray) -> np.ndarray:  # (classes,) -> the same, float64
    z = logits.astype(np.float64) - logits.max()
    return z - np.log(np.exp(z).sum())


def _places(depths: Sequence[int], scopes: str | Iterable[Scope]) -> list[Scope]:
    """What a person asked for as Scopes that the model has."""
    if isinstance(scopes, str):
        if scopes not in LEVELS:
            raise UnknownName(
                f"There are no scopes called {quote(scopes)}.", remedy=f"Choose one of: {', '.join(LEVELS)}."
            )
        stages = [Scope(stage) for stage in range(1, len(depths) + 1)]
        blocks = [Scope(stage, block) for stage, block in _blocks(depths)]
        return [EVERYWHERE, *(stages if scopes != "everywhere" else []), *(blocks if scopes == "blocks" else [])]
    chosen = list(scopes)
    for scope in chosen:
        if not any(scope.covers(stage, block) for stage, block in _blocks(depths)):
            raise OutOfRange(f"The model has no {scope}.", remedy=f"Blocks a stage: {', '.join(map(str, depths))}.")
    return chosen


def _blocks(depths: Sequence[int]) -> list[tuple[int, int]]:
    """(stage, block) of every block, from 1."""
    return [(stage, block) for stage, depth in enumerate(depths, 1) for block in range(1, depth + 1)]


def _ablation(question: AblationSpec, scope: Scope, given: Given) -> _AblationRun:
    heads = given.heads_in(scope) if question.name == "one_head" else ()
    return _AblationRun(question.name, scope, question.edits(scope, given), heads)


def _single_heads(model: TransXNet, places: Sequence[Scope]) -> list[_AblationRun]:
    """Every head off alone, of the blocks in these places."""
    return [
        _AblationRun("one_head", Scope(stage, block), head_off(head, Scope(stage, block)), ((stage, block, head),))
        for stage, block in _blocks(model.spec.depths)
        if any(place.covers(stage, block) for place in places)
        for head in range(1, model.spec.heads[stage - 1] + 1)
    ]


def _loudest(heads: Sequence[Change]) -> dict[tuple[int, int], int]:
    """(stage, block) -> the head that alone moves the explained logit most, up or down; the lower one of equals."""
    loudest: dict[tuple[int, int], Change] = {}
    for change in heads:
        held = loudest.setdefault((change.stage, change.block), change)
        if abs(change.logit_change) > abs(held.logit_change):
            loudest[change.stage, change.block] = change
    return {place: change.heads[0][2] for place, change in loudest.items()}


def lent_kernels(model: TransXNet, model_input: ModelInput, other: ModelInput | None) -> Trace:
    """Kernels and biases of every block as they are made for `other`, or for a view of ImageNet's mean color."""
    lender = replace(model_input, tensor=torch.zeros_like(model_input.tensor)) if other is None else other
    return observe(model, lender, keep=("kernels", "biases")).trace
