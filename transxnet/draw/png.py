"""Images to bytes: PNG, because lossy formats would change the colors that stand for values."""

from __future__ import annotations

import cv2
import numpy as np


def to_png(rgb: np.ndarray) -> bytes:
    """uint8 (H, W, 3), RGB -> PNG bytes, lossless."""
    ok, data = cv2.imencode(".png", cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2BGR))
    if not ok:
        raise RuntimeError(f"OpenCV could not encode an array of shape {rgb.shape} as PNG")
    return data.tobytes()
