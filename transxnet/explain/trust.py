"""Every test of every map for one picture and one class: can what the maps say be believed?

Insertion and deletion (faithfulness.py), model randomisation (randomisation.py), agreement between the methods
(agreement.py), and what follows from them in words (verdicts.py); sources, formulas and limits stand there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from ..errors import PartMissing
from ..images import Prepared
from ..results import Explanation
from ..results.trust import TrustReport
from ..weights import LoadedModel
from .agreement import agreement
from .faithfulness import STEPS, Bench
from .grad_cam import class_words
from .methods import METHODS, Method, Question
from .observe import pick_class
from .randomisation import COPIES, Progress, cascade, fresh_like, groups, make_maps
from .verdicts import verdict


def trust(
    loaded: LoadedModel,
    prepared: Prepared,
    question: Question,
    methods: Mapping[str, Method] = METHODS,
    thorough: bool = False,
    progress: Progress | None = None,
    maps: Mapping[str, Explanation] | None = None,
    steps: int = STEPS,
    baseline: str = "grey",
    copies: int = COPIES,
) -> TrustReport:
    """All tests of the maps that `methods` make of this picture; what this model cannot have is in `missing`.

    thorough: the dear methods take every step of the cascade, not the last alone: several times the cost. copies: so
    many complete randomisations of the other maps. steps, baseline: of insertion and deletion.
    maps: those already made with this very question, by method; the others are made. progress: called with
    (done, total), by pieces of work of unequal length. The model is not changed; a copy of it is.
    Raises OutOfRange for a class, stage, block or point that does not exist, PartMissing where no method is left.
    """
    model, missing = loaded.model, {}
    question = _settled(loaded, prepared, question)
    count = _Count(progress, 1 + len(methods) + len(groups(model)) + copies)
    have = {name: maps[name] for name in methods if name in maps} if maps else {}
    made = make_maps(
        model, loaded.lock, prepared, question, {k: v for k, v in methods.items() if k not in have}, missing
    )
    maps = {name: (have | made)[name] for name in methods if name in have or name in made}
    if not maps:
        raise PartMissing(f"{loaded.name} has none of these maps.", remedy="Choose others.")
    count.more()
    bench = Bench(model, prepared, question.class_index, steps, baseline)
    faithful = {}
    for name, found in maps.items():
        faithful[name] = bench.test(found)
        count.more()
    randomised = cascade(
        model, lambda which: fresh_like(model, which), prepared, question, maps, methods, thorough, copies,
        lock=loaded.lock, progress=lambda done, total: count.more(),
    )  # fmt: skip
    verdicts = {name: verdict(methods[name], randomised[name], faithful[name]) for name in maps}
    report = TrustReport(
        loaded.name, question.class_index, class_words(question.class_index, question.words), maps, faithful,
        randomised, agreement(maps), verdicts, missing, thorough,
    )  # fmt: skip
    count.finish()
    return report


@torch.no_grad()
def _settled(loaded: LoadedModel, prepared: Prepared, question: Question) -> Question:
    """The question with nothing left for a model to choose: a random copy would choose another class to compare."""
    if loaded.model.training:
        return question  # observe will say what is wrong
    explained = pick_class(loaded.model, question.class_index)
    if question.other_index is not None or loaded.model.num_classes < 2:
        return question
    logits = loaded.model(prepared.tensor.to(loaded.device, torch.float32))[0].clone()
    logits[explained] = -torch.inf
    return replace(question, other_index=int(logits.argmax()))


class _Count:
    def __init__(self, progress: Progress | None, total: int):
        self.progress, self.total, self.done = progress, total, 0

    def more(self) -> None:
        self.done += 1
        if self.progress:
            self.progress(min(self.done, self.total), self.total)

    def finish(self) -> None:
        self.done = self.total - 1
        self.more()
