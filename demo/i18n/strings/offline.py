"""The notice of a lost connection, read by the browser."""

from __future__ import annotations

STRINGS = {
    "offline.gone": (
        "The connection is gone. You can go on looking: hovering, display and numbers work. What you choose now is "
        "asked as soon as the connection is back."
    ),
    "offline.back": "Connected again.",
}
