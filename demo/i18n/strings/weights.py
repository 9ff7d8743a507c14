"""Sources of weights."""

from __future__ import annotations

STRINGS = {
    "weights.source_folder": "Weights folder",
    "weights.source_hub": "Hugging Face Hub",
    "weights.source_bundled": "Bundled here",
    "weights.source_release": "The author's release",
    "weights.none": "The other variants go on working. Untrained ones show an architecture with random weights.",
    "weights.try_again": "Try again",
    "weights.instead": "{title} instead",
}
