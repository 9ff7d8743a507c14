"""Tab Sanity checks."""

from __future__ import annotations

STRINGS = {
    "sanity_checks.intro": (
        "Whether to believe the maps: what happens to the answer when their highest pixels go, what happens to a map "
        "when the model forgets what it learned, and how far the maps agree."
    ),
    "sanity_checks.limits": (
        "Passing a test is no proof that a map explains; failing one is a reason not to show it to anybody."
    ),
    "sanity_checks.computed": "{part} took {seconds:.0f} s on this machine.",
    "sanity_checks.tested": "Tested",
    "sanity_checks.tested_hint": "the answer whose maps are tested",
}
