"""Arrays as bytes for the browser: 255 steps of one scale each, a quarter of float32. core/quantized.js reads them."""

from __future__ import annotations

import base64

import numpy as np

from .cells import Json

LEVELS = 127  # steps of a signed value from 0 to the end of the scale


def unsigned(values: np.ndarray, high: float | None = None) -> Json:
    """Values from 0 to `high`, their maximum by default; an error of at most half a step, high / 510."""
    high = float(values.max()) if high is None else high
    return {"base64": _bytes(values / (high or 1) * 255), "high": high, "signed": False}


def signed(values: np.ndarray) -> Json:
    """Values about zero; an error of at most half a step, high / 254."""
    high = float(np.abs(values).max())
    return {"base64": _bytes(values / (high or 1) * LEVELS + LEVELS + 1), "high": high, "signed": True}


def _bytes(values: np.ndarray) -> str:
    return base64.b64encode(np.rint(values).astype(np.uint8).tobytes()).decode()
