"""Every test of every map for one image and one class: can what the maps say be believed?

Insertion and deletion (faithfulness.py), model randomization (randomization.py), agreement between the methods
(agreement.py), and what follows from them in words (checks.py); sources, formulas and limits stand there.

What the report must not be read as: a proof. These are tests that bad maps fail; a map that passes all may mislead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from ...errors import PartMissing
from ...images import ModelInput
from ...process_settings import without_tf32
from ...results import Explanation
from ...results.sanity_checks import Faithfulness, SanityChecks
from ...weights.load import LoadedModel
from ..attribution.grad_cam import class_caption
from ..attribution.methods import METHODS, AttributionTarget, Method
from ..observe import pick_class
from .agreement import agreement
from .faithfulness import STEPS, Bench
from .outcomes import sanity_check
from .randomization import COPIES, Progress, cascade, fresh_like, groups, make_maps


def sanity_checks(
    loaded: LoadedModel,
    model_input: ModelInput,
    question: AttributionTarget,
    methods: Mapping[str, Method] = METHODS,
    thorough: bool = False,
    progress: Progress | None = None,
    maps: Mapping[str, Explanation] | None = None,
    steps: int = STEPS,
    baseline: str = "gray",
    copies: int = COPIES,
) -> SanityChecks:
    """All tests of the maps that `methods` make of this image; what this model cannot have is in `missing`.

    thorough: the dear methods take every step of the cascade, not the last alone: several times the cost. copies: so
    many complete randomizations of the other maps. steps, baseline: of insertion and deletion.
    maps: those already made with this very question, by method; the others are made. progress: called with
    (done, total), by pieces of work of unequal length. The model is not changed; a copy of it is.
    Raises OutOfRange for a class, stage, block or point that does not exist, PartMissing where no method is left.
    """
    model, missing = loaded.model, {}
    question = _settled(loaded, model_input, question)
    count = _Count(progress, 1 + len(methods) + len(groups(model)) + copies)
    maps = _all_maps(loaded, model_input, question, methods, maps or {}, missing)
    count.more()
    bench = Bench(model, model_input, question.class_index, steps, baseline)
    faithful = {name: count.after(bench.test(found)) for name, found in maps.items()}
    randomized = cascade(
        model, lambda which: fresh_like(model, which), model_input, question, maps, methods, thorough, copies,
        lock=loaded.lock, progress=lambda done, total: count.more(),
    )  # fmt: skip
    checks = {name: sanity_check(methods[name], randomized[name], faithful[name]) for name in maps}
    agreed = agreement(maps)
    count.finish()
    return SanityChecks(
        loaded.name, question.class_index, class_caption(question.class_index, question.class_name), maps, faithful,
        randomized, agreed, checks, missing, thorough,
    )  # fmt: skip


def _all_maps(
    loaded: LoadedModel,
    model_input: ModelInput,
    question: AttributionTarget,
    methods: Mapping[str, Method],
    have: Mapping[str, Explanation],
    missing: dict[str, str],
) -> dict[str, Explanation]:
    """Those that are there and those made now, in the order of `methods`. Raises PartMissing where none is left."""
    lacking = {name: method for name, method in methods.items() if name not in have}
    found = {**have, **make_maps(loaded.model, loaded.lock, model_input, question, lacking, missing)}
    if not any(name in found for name in methods):
        raise PartMissing(f"{loaded.name} has none of these maps.", remedy="Choose others.")
    return {name: found[name] for name in methods if name in found}


@without_tf32()
@torch.no_grad()
def _settled(loaded: LoadedModel, model_input: ModelInput, question: AttributionTarget) -> AttributionTarget:
    """The question with nothing left for a model to choose: a random copy would choose another class to compare."""
    if loaded.model.training:
        return question  # observe will say what is wrong
    explained = pick_class(loaded.model, question.class_index)
    if question.contrast_index is not None or loaded.model.num_classes < 2:
        return question
    logits = loaded.model(model_input.tensor.to(loaded.device, torch.float32))[0].clone()
    logits[explained] = -torch.inf
    return replace(question, contrast_index=int(logits.argmax()))


class _Count:
    def __init__(self, progress: Progress | None, total: int):
        self.progress, self.total, self.done = progress, total, 0

    def more(self) -> None:
        self.done += 1
        if self.progress:
            self.progress(min(self.done, self.total), self.total)

    def after(self, found: Faithfulness) -> Faithfulness:
        """Counts a piece of work that has just been done."""
        self.more()
        return found

    def finish(self) -> None:
        self.done = self.total - 1
        self.more()
