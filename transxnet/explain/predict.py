"""Predictions: probabilities from the model's logits, best classes first.

softmax: one distribution over all classes. sigmoid: an independent probability for each class, for models trained with
binary cross-entropy on several labels or on one logit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import WeightsMismatch
from ..labels import LabelSet
from ..model import TransXNet
from ..process_settings import without_tf32
from ..results import Prediction, Predictions
from ..variants import SIGMOID, SOFTMAX
from .observe import Observation, require_eval


def predict(observation: Observation, labels: LabelSet, top: int = 5) -> Predictions:
    """Predictions for one observed image.

    Args:
        observation: The image's forward pass.
        labels: Names of the model's classes.
        top: How many classes to name, at most all of them; ties go to the lower index.

    Returns:
        Probabilities, (classes,) float32, over this model's own classes only. Those of a softmax always add up to 1,
        also for an image that shows none of them. A model without a classifier has no predictions.

    Raises:
        WeightsMismatch: The label set has another number of classes than the model.
    """
    return predictions_of(observation.logits[0].detach(), labels, top, activation_of(observation.model))


@torch.no_grad()
def predict_batch(
    model: TransXNet,
    tensors: Iterable[Tensor],
    labels: LabelSet,
    top: int = 5,
    batch_size: int = 32,
    autocast: bool = False,
) -> Iterator[Predictions]:
    """Predictions for many images, in their order, batch by batch.

    Args:
        model: In eval mode.
        tensors: Normalized images, (1, 3, H, W) each as images.prepare returns them, all of one size; read lazily.
        labels: Names of the model's classes.
        top: How many classes to name.
        batch_size: Images in one pass.
        autocast: Half precision, on CUDA only. Logits are returned as float32, close to the float32 ones but not equal;
            explanations never use it.

    Yields:
        Predictions, as `predict` returns them.

    Raises:
        LensError: The model is in training mode.
        WeightsMismatch: The label set has another number of classes than the model.
    """
    require_eval(model)
    device = next(model.parameters()).device
    half = torch.autocast("cuda", torch.float16) if autocast and device.type == "cuda" else contextlib.nullcontext()
    tensors = iter(tensors)
    while batch := list(islice(tensors, batch_size)):
        with half, without_tf32():
            logits = model(torch.cat(batch).to(device))  # (B, classes)
        yield from (predictions_of(row, labels, top, activation_of(model)) for row in logits.float().cpu())


def activation_of(model: nn.Module) -> str:
    """What turns a model's logits into probabilities.

    Args:
        model: Any classifier.

    Returns:
        The activation of its spec; softmax for a model without one.
    """
    return getattr(getattr(model, "spec", None), "activation", SOFTMAX)


def activate(logits: Tensor, activation: str) -> Tensor:  # (..., classes) -> the same
    """The probabilities of logits.

    Args:
        logits: (..., classes).
        activation: One of variants.ACTIVATIONS.

    Returns:
        Probabilities of the same shape.
    """
    return logits.sigmoid() if activation == SIGMOID else logits.softmax(dim=-1)


def predictions_of(logits: Tensor, labels: LabelSet, top: int, activation: str = SOFTMAX) -> Predictions:
    """Predictions for the logits of one image.

    Args:
        logits: (classes,).
        labels: Names of the model's classes.
        top: How many classes to name, at least one; ties go to the lower index.
        activation: One of variants.ACTIVATIONS.

    Returns:
        Probabilities and the best classes first; nothing for an empty label set, whose model returns features.

    Raises:
        WeightsMismatch: The label set has another number of classes than logits.
    """
    if not len(labels):
        return Predictions((), np.zeros(0, np.float32), np.zeros(0, np.float32))
    if len(logits) != len(labels):
        template = "The model has {classes} classes, but {labels} names {count}."
        raise WeightsMismatch(
            template, remedy="Use the label set that the weights were trained with.", classes=len(logits),
            labels=labels.name, count=len(labels),
        )  # fmt: skip
    logits = logits.float().cpu().clone()  # its own memory: a view would keep the whole batch
    probabilities = activate(logits, activation)
    best = logits.argsort(descending=True, stable=True)[: max(top, 1)].tolist()
    return Predictions(
        tuple(Prediction(i, labels.wnids[i], labels.names[i], float(probabilities[i]), float(logits[i])) for i in best),
        probabilities.numpy(),
        logits.numpy(),
    )
