"""The side of the model input."""

from __future__ import annotations

STRINGS = {
    "image_size.label": "Input size",
    "image_size.own": "the model's own ({sides} px)",
    "image_size.side": "{side} px",
    "image_size.disabled": "{side} px (needs {needed} GB)",
    "image_size.too_large": "{name} at {side} px needs about {needed} GB of memory.",
    "image_size.too_large_remedy": "This page allows {most} GB for a request. Select a smaller size.",
}
