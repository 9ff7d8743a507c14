"""The list of predictions."""

from __future__ import annotations

STRINGS = {
    "predictions.out_of_distribution": (
        "This image is unusual for {title}: its features lie further from the training set than those of {nearer} of "
        "{images} held-out images. Interpret the results with care. The check detects unusual colors, textures and "
        "noise; most images of classes unknown to the model look usual (15% of such photos were flagged, 3 of 20)."
    ),
    "predictions.low_confidence": (
        "Low confidence: {more} of {images} held-out images were predicted with higher confidence."
    ),
    "predictions.without_classifier": "{title} has no classifier: its outputs are features.",
    "predictions.classes": "{title} predicts one of {classes} classes.",
    "predictions.none": "No prediction: {titles} could not be loaded. See the maps panel for the cause and options.",
    "predictions.classes_of": "{title} predicts one of {classes} classes ({dataset}).",
}
