"""Names of models, and why one is refused."""

from __future__ import annotations

STRINGS = {
    "models.title_t": "T",
    "models.title_s": "S",
    "models.title_b": "B",
    "models.title_b_384": "B at 384",
    "models.title_pico_matched": "pico, matched",
    "models.title_pico_static": "pico, static",
    "models.title_pico_noosra": "pico, no OSRA",
    "models.title_pico_noste": "pico, no STE",
    "models.title_backbone": "{name} (timm)",
    "models.random_weights": "random weights, not trained",
    "models.too_many": "More than {most} models were chosen at once; none was loaded.",
    "models.too_many_remedy": "Choose fewer.",
    "models.not_listed": "This page does not offer that timm backbone.",
    "models.listed_only": "It offers {names}.",
    "models.no_backbones": "This page offers no timm backbones.",
    "models.variants_only": "Choose one of the TransXNet variants.",
    "models.too_large": "{name} has {millions} million parameters, too many for this page.",
    "models.too_large_remedy": "Choose a backbone of up to {millions} million.",
    "models.no_memory": "{name} needs more memory than this page has for one model.",
    "models.download_too_large": "The download has {size} GB; this page keeps {most} GB of downloads.",
    "models.smaller": "Choose a smaller model.",
    "models.busy": "{name} is still to be downloaded, and other requests wait for downloads already.",
    "models.busy_remedy": "Try again in a minute.",
    "models.unwanted": "Nobody waited for this model any more.",
    "models.again": "Choose it again.",
    "models.unexpected": "Loading {name} failed unexpectedly.",
    "models.another": "Pick another variant.",
    "models.title_random": "{title}, untrained",
}
