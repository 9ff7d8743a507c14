"""Ways to bring an image onto the page, read by the browser."""

from __future__ import annotations

STRINGS = {
    "images_in.upload": "Upload",
    "images_in.camera": "Camera",
    "images_in.paste": "Paste",
    "images_in.hint": "or drop one",
    "images_in.drop": "Drop the image to explain it",
    "images_in.drop_second": "Drop the image to compare with it",
    "images_in.no_file": (
        "There is no image file in what was dropped. Save the image first, then drop or upload the file."
    ),
    "images_in.nothing_copied": "There is no image in the clipboard. Copy an image first, then press Ctrl+V.",
    "images_in.no_clipboard": (
        "The browser does not let this page read the clipboard. Press Ctrl+V, or allow clipboard access in the "
        "browser's site settings."
    ),
    "images_in.take": "Take photo",
    "images_in.cancel": "Cancel",
    "images_in.busy": "The previous image is still being uploaded. Wait until it is shown, then try again.",
}
