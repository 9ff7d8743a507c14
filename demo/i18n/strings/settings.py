"""The settings of a narrow screen, read by the browser."""

from __future__ import annotations

STRINGS = {
    "settings.settings": "Settings",
    "settings.block": "block {block}",
    "settings.last": "last block",
}
