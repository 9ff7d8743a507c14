"""Errors of the page."""

from __future__ import annotations

STRINGS = {
    "errors.analysis_failed": "{title} could not analyze this image because of an unexpected error.",
    "errors.analysis_failed_remedy": "Try again, or select another model. Details are in the server's log.",
    "errors.part_missing_remedy": "Select another model or another tab.",
    "errors.not_uploaded": (
        "Only uploaded images are accepted; paths and URLs are not opened. Upload the image, then send the request "
        "again."
    ),
    "errors.not_served": "This file is not or no longer available. Create it again, then download it.",
    "errors.no_room": "The server's temporary storage is full.",
    "errors.no_room_remedy": "Try again in a few minutes.",
    "errors.image_gone": "This image is no longer stored on the server. Upload it again, or select an example.",
    "errors.decoders_busy": "Too many images are being decoded.",
    "errors.decoders_busy_remedy": "Try again in a few seconds.",
    "errors.no_decoder": "The server could not start a decoder.",
    "errors.decoding_timeout": "{subject} took longer than {seconds} seconds to decode.",
    "errors.decoding_timeout_remedy": "Reduce its size and upload it again.",
    "errors.decoder_lost": "{subject} could not be decoded: the decoder stopped or ran out of memory.",
    "errors.decoder_lost_remedy": "Convert it to JPEG or PNG and upload it again.",
}
