"""The list of predictions."""

from __future__ import annotations

STRINGS = {
    "predictions.unlike": (
        "{title} has not learned from images like this one: it is further from its training images, in the model's own "
        "features, than {nearer} of {images} images held out from training. Read its answer and its maps with care."
    ),
    "predictions.unsure": "{title} is unsure: {more} of {images} images held out from training got a surer answer.",
    "predictions.classes": "{title} chooses among {classes} classes.",
    "predictions.none": "No answer: {titles} could not be had. The place of the maps says why, and what can be done.",
}
