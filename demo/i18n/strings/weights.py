"""Sources of weights."""

from __future__ import annotations

STRINGS = {
    "weights.source_folder": "Weights folder",
    "weights.source_hub": "Hugging Face Hub",
    "weights.source_bundled": "Bundled weights",
    "weights.source_release": "Authors' release",
    "weights.none": "The other models are not affected. Models with random weights show the architecture only.",
    "weights.try_again": "Try again",
    "weights.instead": "Use {title}",
    "weights.newer": "A newer revision of {location} exists. Restart with --refresh to use it.",
}
