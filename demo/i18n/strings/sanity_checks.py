"""Tab Sanity checks."""

from __future__ import annotations

STRINGS = {
    "sanity_checks.intro": (
        "Tests of the maps: how the prediction changes when a map's highest pixels are removed, how a map changes when "
        "the model's parameters are randomized, and how far the maps agree."
    ),
    "sanity_checks.limits": (
        "Passing a test does not prove that a map explains the model; a map that fails should not be reported."
    ),
    "sanity_checks.computed": "{part} took {seconds:.0f} s on this server.",
    "sanity_checks.tested": "Target class",
    "sanity_checks.tested_hint": "the class whose maps are tested",
}
