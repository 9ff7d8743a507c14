"""Ablation study of one image: the prediction with one part changed at a time, block by block.

The trained model stays as it is; tensors inside it are replaced during the forward pass (edits.py), in one block, in
all blocks of a stage, or everywhere. The ablations, catalog.ABLATIONS, are this project's own.

Measured: probability and logit of the target class, its margin over the class that was second before, and how far the
prediction moved, KL(before || after) in nats.

Limitations: the model was not trained with a part changed, so later layers receive inputs unlike those of training. A
large change shows that the part is used for this image; not that a model trained without it would be worse by as much
(pico_static, pico_noosra and pico_noste were trained without; compare with them). A small change may mean that another
part does the same. Changes of single blocks do not add up to the change of their stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ...errors import OutOfRange, check_name
from ...images import ModelInput
from ...labels import LabelSet
from ...messages import Message
from ...model import TransXNet
from ...results import Prediction
from ...results.ablation_table import AblationRow, AblationTable, Head
from ...trace import Trace
from ...variants import SIGMOID
from ..observe import check_class_index, observe
from ..predict import activation_of, predict
from .catalog import ABLATIONS, AblationInputs, available_ablations, describe_ablation
from .edits import EVERYWHERE, Edits, Scope, edits_by_image, mute_head

Progress = Callable[[int, int], None]  # (images done, images in total)
SCOPE_LEVELS = ("everywhere", "stages", "blocks")  # each includes those before it
GRAY = Message("a plain gray image")  # ImageNet's mean color: zeros once normalized
MAX_BATCH_PIXELS = 16 * 128**2  # of one batch: more are not faster, and need more memory


@dataclass(frozen=True)
class _Run:
    """One edited image: which ablation, where, and how."""

    ablation: str
    scope: Scope
    edits: Edits
    heads: tuple[Head, ...] = ()


def ablation_table(
    model: TransXNet,
    model_input: ModelInput,
    labels: LabelSet,
    class_index: int | None = None,
    reference_input: ModelInput | None = None,
    scopes: str | Iterable[Scope] = "blocks",
    ablations: Iterable[str] = tuple(ABLATIONS),
    reference_name: str = Message("another image"),
    progress: Progress | None = None,
) -> AblationTable:
    """Apply every ablation in every scope, one edited image each, several in a batch. Deterministic, no gradients.

    Args:
        model: In eval mode.
        model_input: The prepared image.
        labels: Names of the model's classes.
        class_index: The target class; None is the top prediction.
        reference_input: The image, prepared for this model, whose kernels are borrowed; None is plain gray.
        scopes: "blocks" (each block, each stage, everywhere), "stages" (each stage, everywhere), "everywhere", or
            Scopes.
        ablations: Keys of ABLATIONS. Those of a part that the variant lacks are in `missing`, with the reason.
        reference_name: The reference image in words.
        progress: Called with (images done, images in total). `one_head` first takes one image per head.

    Returns:
        Probabilities (0 to 1), logits, margins (in logits) and divergences (nats) of each ablation and scope.

    Raises:
        UnknownName: There is no such ablation or level of scopes.
        OutOfRange: The model has no such class or scope.
        PartMissing: The model is no TransXNet.
        WeightsMismatch: The labels are another model's.
        LensError: The model is in training mode.
    """
    available, missing = available_ablations(model, ablations)
    scopes = _scopes(model.spec.depths, scopes)
    runner = _Runner(model, model_input, labels, class_index, progress)
    single_heads = _single_heads(model, scopes) if "one_head" in available else []
    runner.total = len(single_heads) + len(available) * len(scopes)
    heads = runner.run(single_heads)
    kernels = reference_kernels(model, model_input, reference_input) if "other_kernels" in available else None
    inputs = AblationInputs(kernels, _strongest_heads(heads))
    runs = [
        _Run(name, scope, ABLATIONS[name].edits(scope, inputs), inputs.heads_in(scope) if name == "one_head" else ())
        for name in available
        for scope in scopes
    ]
    other = GRAY if reference_input is None else reference_name
    descriptions = {
        name: describe_ablation(model, name, other) for name in ABLATIONS if name in available or name in missing
    }
    return AblationTable(
        model.spec.name, model.spec.depths, runner.target, runner.runner_up, runner.before, other, descriptions,
        missing, tuple(runner.run(runs)), tuple(heads),
    )  # fmt: skip


def edited_logits(model: TransXNet, model_input: ModelInput, edits: Sequence[Edits]) -> np.ndarray:
    """The logits of one image under several edits, in one pass.

    Args:
        model: In eval mode.
        model_input: The prepared image.
        edits: Applied one at a time.

    Returns:
        (len(edits), classes) float32.
    """
    copies = replace(model_input, tensor=model_input.tensor.expand(len(edits), -1, -1, -1))  # (B, 3, H, W)
    return observe(model, copies, keep=(), edits=edits_by_image(edits)).logits.float().cpu().numpy()


class _Runner:
    """One image in one model: its predictions without and with edits."""

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
        index = int(self.before.argmax()) if class_index is None else check_class_index(model, class_index)
        others = np.where(np.arange(len(self.before)) == index, -np.inf, self.before)
        self.target = self._prediction(self.before, index)
        self.runner_up = self._prediction(self.before, int(others.argmax()))
        self.completed = self.total = 0

    def run(self, runs: Sequence[_Run]) -> list[AblationRow]:
        """One row per run, in their order."""
        height, width = self.model_input.tensor.shape[-2:]
        batch_size = max(1, MAX_BATCH_PIXELS // (height * width))
        rows: list[AblationRow] = []
        for start in range(0, len(runs), batch_size):
            batch = runs[start : start + batch_size]
            logits = edited_logits(self.model, self.model_input, [run.edits for run in batch])
            rows += [self._row(run, after.copy()) for run, after in zip(batch, logits, strict=True)]
            self.completed += len(batch)
            if self.progress:
                self.progress(self.completed, self.total)
        return rows

    def _row(self, run: _Run, after: np.ndarray) -> AblationRow:  # (classes,)
        c, r, top = self.target.index, self.runner_up.index, int(after.argmax())
        p, q = (self._probabilities(logits) for logits in (self.before, after))  # each (classes,)
        return AblationRow(
            run.ablation, run.scope.stage, run.scope.block,
            float(p[c]), float(q[c]), float(self.before[c]), float(after[c]),
            margin_change=(float(after[c]) - float(after[r])) - (float(self.before[c]) - float(self.before[r])),
            divergence=divergence(self.before, after, activation_of(self.model)),
            new_top=None if top == self.before.argmax() else self._prediction(after, top),
            logits=after, heads=run.heads,
        )  # fmt: skip

    def _prediction(self, logits: np.ndarray, index: int) -> Prediction:
        probability = float(self._probabilities(logits)[index])
        return Prediction(index, self.labels.wnids[index], self.labels.names[index], probability, float(logits[index]))

    def _probabilities(self, logits: np.ndarray) -> np.ndarray:  # (classes,) -> the same, float64
        return np.exp(_log_probabilities(logits, activation_of(self.model)))


def divergence(before: np.ndarray, after: np.ndarray, activation: str) -> float:
    """Kullback-Leibler divergence of the predictions after a change from those before.

    Args:
        before: (classes,), logits.
        after: Likewise.
        activation: Softmax compares two distributions over the classes; sigmoid adds up the divergences of all classes,
            each with two outcomes.

    Returns:
        Nats, at least 0.
    """
    log_p, log_q = (_log_probabilities(logits, activation) for logits in (before, after))
    total = (np.exp(log_p) * (log_p - log_q)).sum()
    if activation == SIGMOID:  # of the other outcome
        log_p, log_q = (_log_probabilities(-logits, activation) for logits in (before, after))
        total += (np.exp(log_p) * (log_p - log_q)).sum()
    return float(total)


def _log_probabilities(logits: np.ndarray, activation: str) -> np.ndarray:  # (classes,) -> the same, float64
    z = logits.astype(np.float64)
    if activation == SIGMOID:
        return -np.logaddexp(0, -z)
    z -= z.max()
    return z - np.log(np.exp(z).sum())


def _scopes(depths: Sequence[int], scopes: str | Iterable[Scope]) -> list[Scope]:
    """The scopes of a level, or those given, checked."""
    if isinstance(scopes, str):
        check_name(scopes, SCOPE_LEVELS, "There are no scopes called {name}.")
        stages = [Scope(stage) for stage in range(1, len(depths) + 1)]
        blocks = [Scope(stage, block) for stage, block in EVERYWHERE.blocks(depths)]
        return [EVERYWHERE, *(stages if scopes != "everywhere" else []), *(blocks if scopes == "blocks" else [])]
    scopes = list(scopes)
    for scope in scopes:
        if not scope.blocks(depths):
            raise OutOfRange(
                "The model has no {scope}.", remedy="Blocks a stage: {depths}.", scope=scope.description,
                depths=", ".join(map(str, depths)),
            )  # fmt: skip
    return scopes


def _single_heads(model: TransXNet, scopes: Sequence[Scope]) -> list[_Run]:
    """Every head muted alone, of the blocks in these scopes."""
    return [
        _Run("one_head", Scope(stage, block), mute_head(head, Scope(stage, block)), ((stage, block, head),))
        for stage, block in EVERYWHERE.blocks(model.spec.depths)
        if any(scope.covers(stage, block) for scope in scopes)
        for head in range(1, model.spec.heads[stage - 1] + 1)
    ]


def _strongest_heads(rows: Sequence[AblationRow]) -> dict[tuple[int, int], int]:
    """(stage, block) -> the head that alone moves the target logit most, up or down; the lower one of equals."""
    strongest: dict[tuple[int, int], AblationRow] = {}
    for row in rows:
        best = strongest.setdefault((row.stage, row.block), row)
        if abs(row.logit_change) > abs(best.logit_change):
            strongest[row.stage, row.block] = row
    return {layer: row.heads[0][2] for layer, row in strongest.items()}


def reference_kernels(model: TransXNet, model_input: ModelInput, reference_input: ModelInput | None) -> Trace:
    """Trace the kernels and biases of every block for the image that lends them.

    Args:
        model: In eval mode.
        model_input: The prepared image, which gives the size.
        reference_input: The reference image, prepared for this model; None is an image of ImageNet's mean color.

    Returns:
        A trace with both kinds.
    """
    if reference_input is None:
        reference_input = replace(model_input, tensor=torch.zeros_like(model_input.tensor))
    return observe(model, reference_input, keep=("kernels", "biases")).trace
