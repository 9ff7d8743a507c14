"""Masks in the text form of requests."""

from __future__ import annotations

import base64

import numpy as np


def format_mask(grid: np.ndarray) -> str:
    """The inverse of `transxnet.explain.ablation.masking.parse_mask`: (rows, columns) bool -> "ROWSxCOLS:BASE64"."""
    packed = np.packbits(np.asarray(grid, bool)).tobytes()
    return f"{grid.shape[0]}x{grid.shape[1]}:{base64.b64encode(packed).decode()}"
