"""Tab Receptive field."""

from __future__ import annotations

STRINGS = {
    "erf.intro": (
        "The pixels on which the unit under the crosshair depends: the gradient of its features with respect to this "
        "image."
    ),
    "erf.limits": (
        "IDConv's gates and the norms' statistics let every pixel touch every unit, so this mixes what is seen with "
        "what modulates. Drawn is each pixel's gradient as a multiple of the image's average; the highest 0.5 % of "
        "pixels share one color. The squares under a map are measured on its raw values."
    ),
    "erf.backbones_title": "Receptive fields beside other backbones",
    "erf.backbones_caption": (
        "One map a model, the same unit of this image: absolute gradient over its own mean, colors over six powers of "
        "ten on one scale. The paper's Figure 1 averages many images; this is one."
    ),
    "erf.backbones_random": (
        "Random weights, as no trained ones are on this machine's disk: {names}. Add one by its name without "
        "@untrained to download them."
    ),
    "erf.backbones_alt": "Receptive field maps of {names}, side by side.",
    "erf.backbones_limits": (
        "Models see different crops and sizes of the image. A wide field is not a merit of its own."
    ),
    "erf.areas": "the smallest square about the unit that holds {shares} of the gradient covers {areas} of the image",
    "erf.gradient": "Gradient at the unit",
}
