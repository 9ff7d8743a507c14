"""Presentation mode: one figure at a time."""

from __future__ import annotations

STRINGS = {
    "presentation.present": "Present",
    "presentation.hint": "Show one figure at a time, for a projector. Page Up and Page Down: previous or next figure.",
    "presentation.name": "Presentation",
    "presentation.previous": "Previous",
    "presentation.next": "Next",
    "presentation.exit": "Exit",
    "presentation.number": "{index} of {count}",
}
