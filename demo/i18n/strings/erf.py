"""Tab Receptive field."""

from __future__ import annotations

STRINGS = {
    "erf.backbones_title": "Receptive fields compared with other backbones",
    "erf.backbones_caption": (
        "One map per model for the same position of this image: absolute gradient ÷ mean, six decades on one color "
        "scale. Figure 1 of the paper averages many images; this is one."
    ),
    "erf.backbones_random": (
        "Random weights, because no trained weights are on this server: {names}. Add a model by its name without "
        "@untrained to download them."
    ),
    "erf.backbones_alt": "Receptive field maps of {names}, side by side.",
    "erf.backbones_limits": (
        "Models receive different crops and sizes of the image. A large receptive field is no advantage in itself."
    ),
    "erf.areas": (
        "The smallest square around the unit that holds {shares} of the gradient covers {areas} of the model input."
    ),
    "erf.gradient": "Gradient of the unit",
}
