"""Korean."""

from __future__ import annotations

from . import (
    ablation,
    architecture,
    attention,
    common,
    compare,
    display,
    everyone,
    exports,
    kernels,
    library,
    links,
    models,
    out_of_distribution,
    page,
    parameters,
    stopping,
    tour,
)

WORDS: dict[str, str] = {
    **architecture.WORDS,
    **attention.WORDS,
    **common.WORDS,
    **compare.WORDS,
    **display.WORDS,
    **everyone.WORDS,
    **exports.WORDS,
    **out_of_distribution.WORDS,
    **kernels.WORDS,
    **library.WORDS,
    **links.WORDS,
    **models.WORDS,
    **page.WORDS,
    **parameters.WORDS,
    **stopping.WORDS,
    **tour.WORDS,
    **ablation.WORDS,
}
