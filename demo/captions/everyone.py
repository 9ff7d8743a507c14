"""Words that help everyone along the page: past the controls, back to the image, through a lost connection."""

from __future__ import annotations

SKIP = "Skip to the maps"
BACK = "Back to the image"
SETTINGS = {  # of js/settings.js
    "settings": "Settings",
    "block": "block {block}",
    "last": "last block",
}
OFFLINE = {  # of js/offline.js
    "gone": "The connection is gone. You can go on looking: hovering, display and numbers work. What you choose now is "
    "asked as soon as the connection is back.",
    "back": "Connected again.",
}
HIGHEST = "Highest: {where}."
PLACES = (  # of an image, three by three
    ("upper left", "top", "upper right"),
    ("left", "center", "right"),
    ("lower left", "bottom", "lower right"),
)
