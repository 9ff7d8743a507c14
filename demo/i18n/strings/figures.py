"""Figures below a tab."""

from __future__ import annotations

STRINGS = {
    "figures.numbers": "Data table",
    "figures.table": "{title}, table",
    "figures.image": "{title}, image",
    "figures.save": "Save figure (PNG)",
    "figures.save_table": "Save data (CSV)",
}
