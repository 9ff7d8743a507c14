"""Errors of the page."""

from __future__ import annotations

STRINGS = {
    "errors.analysis_failed": "{title} could not explain this image: something unexpected went wrong here.",
    "errors.analysis_failed_remedy": "Try again, or choose another variant; the server's log has the details.",
    "errors.part_missing_remedy": "Choose another variant, or another view.",
    "errors.not_uploaded": (
        "Only uploaded images can be used: paths and addresses are not opened. Upload the image, then send it again."
    ),
    "errors.not_served": "This file is not available here, or no longer. Create it again, then download it.",
    "errors.no_room": "There is no room for this file: the server's temporary storage is full.",
    "errors.no_room_remedy": "Try again in a few minutes.",
    "errors.image_gone": "This image is no longer held here. Drop it again, or pick an example.",
}
