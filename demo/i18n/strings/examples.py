"""Notes below example images."""

from __future__ import annotations

STRINGS = {
    "examples.misclassified": "mis\u00adclassified",
}
