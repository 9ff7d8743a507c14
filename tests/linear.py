"""A model whose every explanation has a closed form: each logit a weighted sum of the image's values."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, nn


class LinearModel(nn.Module):
    """y_c = sum over colors and pixels of w_c x, plus b_c. weights: (classes, 3, H, W). No TransXNet."""

    def __init__(self, weights: Tensor, bias: float = 0.5):
        super().__init__()
        self.spec, self.num_classes = SimpleNamespace(name="linear"), len(weights)
        self.weights = nn.Parameter(weights)
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:  # (B, 3, H, W) -> (B, classes)
        return torch.einsum("bchw,nchw->bn", x, self.weights) + self.bias


def linear_model(classes: int, height: int, width: int) -> LinearModel:
    source = torch.Generator().manual_seed(7)
    return LinearModel(torch.randn(classes, 3, height, width, generator=source)).eval()
