"""One forward pass while a trace listens: what every explanation starts from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..images import Prepared
from ..model import TransXNet
from ..results import Geometry
from ..trace import Edit, Trace

EVERYTHING = ("stage", "attention", "gates", "kernels", "bias_gates", "biases", "head")


@dataclass(frozen=True)
class Observation:
    """One picture seen by one model. Tensors are on the model's device; with grad they carry their graph."""

    model: TransXNet
    prepared: Prepared
    x: Tensor  # (1, 3, H, W), the normalised view; a leaf that requires grad if grad was asked for
    logits: Tensor  # (1, classes)
    trace: Trace

    @property
    def variant(self) -> str:
        return self.model.spec.name

    def geometry(self, grid: tuple[int, int], stride: float, origin: float = 0.0) -> Geometry:
        """Where a grid of this stride sits in this picture's view and upload."""
        view = self.prepared.view.shape[:2]
        return Geometry(tuple(grid), stride, view, self.prepared.crop_box, self.prepared.upload_size, origin)


def observe(
    model: TransXNet,
    prepared: Prepared,
    keep: Iterable[str] = EVERYTHING,
    grad: bool = False,
    edits: Mapping[str, Edit] | None = None,
) -> Observation:
    """Run the model once on a prepared picture, in float32, recording `keep`.

    grad: build the graph, so that explanations can differentiate the logits or any record, with
    torch.autograd.grad and never .backward(): models are shared between threads.
    """
    x = prepared.tensor.to(next(model.parameters()).device, torch.float32, copy=True)
    with torch.set_grad_enabled(grad), Trace(keep, edits) as trace:
        x.requires_grad_(grad)
        logits = model(x)
    return Observation(model, prepared, x, logits, trace)
