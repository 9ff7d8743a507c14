"""Names of models, and why one is refused."""

from __future__ import annotations

STRINGS = {
    "models.title_t": "T",
    "models.title_s": "S",
    "models.title_b": "B",
    "models.title_b_384": "B (384 px)",
    "models.title_pico_matched": "pico (matched)",
    "models.title_pico_static": "pico (static)",
    "models.title_pico_noosra": "pico (no OSRA)",
    "models.title_pico_noste": "pico (no STE)",
    "models.title_backbone": "{name} (timm)",
    "models.random_weights": "random weights",
    "models.too_many": "At most {most} models can be selected; none was loaded.",
    "models.too_many_remedy": "Select fewer models.",
    "models.not_listed": "This page does not offer that timm backbone.",
    "models.not_listed_remedy": "Available backbones: {names}.",
    "models.no_backbones": "This page does not offer timm backbones.",
    "models.no_backbones_remedy": "Select a TransXNet model.",
    "models.too_large": "{name} has {millions} million parameters, more than this page allows.",
    "models.too_large_remedy": "Select a backbone with at most {millions} million parameters.",
    "models.no_memory": "{name} needs more memory than this page allows for one model.",
    "models.download_too_large": "The download is {size} GB; this page stores at most {most} GB of downloads.",
    "models.smaller": "Select a smaller model.",
    "models.busy": "{name} has to be downloaded first, and other requests are already waiting for downloads.",
    "models.busy_remedy": "Try again in a minute.",
    "models.cancelled": "Loading was canceled because no request was waiting for this model.",
    "models.cancelled_remedy": "Select it again.",
    "models.unexpected": "Loading {name} failed because of an unexpected error.",
    "models.unexpected_remedy": "Select another model.",
    "models.title_random": "{title} (random weights)",
}
