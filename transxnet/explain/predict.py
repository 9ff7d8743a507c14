"""The model's answer in words: softmax over its logits, best classes first."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from itertools import islice

import torch
from torch import Tensor

from ..errors import WeightsMismatch
from ..labels import LabelSet
from ..model import TransXNet
from ..process_settings import without_tf32
from ..results import Prediction, Predictions
from .observe import Observation, need_eval


def predict(observation: Observation, labels: LabelSet, top: int = 5) -> Predictions:
    """The answers of one observed image.

    top: how many classes to name, at most all of them; ties go to the lower index.
    Probabilities are the softmax of the logits, (classes,) float32, over this model's own classes only: they
    always add up to 1, also for an image that shows none of them.
    Raises WeightsMismatch where the label set names another number of classes than the model has.
    """
    return _prediction(observation.logits[0].detach(), labels, top)


@torch.no_grad()
def predict_batch(
    model: TransXNet,
    tensors: Iterable[Tensor],
    labels: LabelSet,
    top: int = 5,
    batch_size: int = 32,
    autocast: bool = False,
) -> Iterator[Predictions]:
    """Answers for many images, in their order, a batch at a time; reads `tensors` lazily.

    tensors: normalized views, (1, 3, H, W) each as images.prepare gives them, all of one size.
    autocast: half precision, on CUDA only; elsewhere it changes nothing. Logits come back as float32, close to
    the float32 ones but not equal; explanations never use it.
    """
    need_eval(model)
    device = next(model.parameters()).device
    half = torch.autocast("cuda", torch.float16) if autocast and device.type == "cuda" else contextlib.nullcontext()
    tensors = iter(tensors)
    while batch := list(islice(tensors, batch_size)):
        with half, without_tf32():
            logits = model(torch.cat(batch).to(device))  # (B, classes)
        yield from (_prediction(row, labels, top) for row in logits.float().cpu())


def _prediction(logits: Tensor, labels: LabelSet, top: int) -> Predictions:  # (classes,)
    if len(logits) != len(labels):
        raise WeightsMismatch(
            f"The model answers with {len(logits)} classes, {labels.name} names {len(labels)}.",
            remedy="Use the label set that the weights were trained with.",
        )
    logits = logits.float().cpu().clone()  # its own memory: a view would keep the whole batch
    probabilities = logits.softmax(dim=0)
    best = logits.argsort(descending=True, stable=True)[: max(top, 1)].tolist()
    answers = (Prediction(i, labels.wnids[i], labels.names[i], float(probabilities[i]), float(logits[i])) for i in best)
    return Predictions(tuple(answers), probabilities.numpy(), logits.numpy())
