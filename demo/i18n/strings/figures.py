"""Figures below a tab."""

from __future__ import annotations

STRINGS = {
    "figures.numbers_of": "Its numbers",
    "figures.table_of": "{title}, table",
    "figures.image_of": "{title}, image",
    "figures.save": "Save figure (PNG)",
    "figures.save_table": "Save numbers (CSV)",
}
