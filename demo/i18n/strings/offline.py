"""The notice of a lost connection, read by the browser."""

from __future__ import annotations

STRINGS = {
    "offline.gone": (
        "Connection lost. Hovering, display settings and numbers still work; your selections are sent when the "
        "connection is back."
    ),
    "offline.back": "Connection restored.",
}
