"""Korean."""

from __future__ import annotations

from . import (
    architecture,
    attention,
    common,
    compare,
    display,
    everyone,
    exports,
    familiar,
    kernels,
    library,
    links,
    models,
    page,
    parameters,
    stopping,
    tour,
    what_if,
)

WORDS: dict[str, str] = {
    **architecture.WORDS,
    **attention.WORDS,
    **common.WORDS,
    **compare.WORDS,
    **display.WORDS,
    **everyone.WORDS,
    **exports.WORDS,
    **familiar.WORDS,
    **kernels.WORDS,
    **library.WORDS,
    **links.WORDS,
    **models.WORDS,
    **page.WORDS,
    **parameters.WORDS,
    **stopping.WORDS,
    **tour.WORDS,
    **what_if.WORDS,
}
