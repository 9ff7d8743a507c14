"""The button that copies a link."""

from __future__ import annotations

STRINGS = {
    "link.copy": "Copy link",
    "link.copied": "Copied",
    "link.selected": "Copy it from here",
    "link.address": "Link to this view",
    "link.close": "Close",
}
