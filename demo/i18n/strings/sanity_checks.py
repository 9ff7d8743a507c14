"""Tab Sanity checks."""

from __future__ import annotations

STRINGS = {
    "sanity_checks.tested": "Target class",
    "sanity_checks.tested_hint": "the class whose maps are tested",
}
