"""Tab Grad-CAM."""

from __future__ import annotations

STRINGS = {
    "grad_cam.intro": "Which places of a stage's output raised the chosen answer's score, and which lowered it.",
    "grad_cam.limits": (
        "A first-order estimate at the resolution of its stage. The raw map is kept: red raised the score, blue "
        "lowered it; nothing is scaled for each image. Early stages see edges and colors, not objects."
    ),
    "grad_cam.signed": "Raised and lowered",
    "grad_cam.signed_hint": "raw Grad-CAM",
    "grad_cam.positive": "Raised only",
    "grad_cam.caption": "{exactly}: raw {low} to {high}, sum {sum}, not normalized",
    "grad_cam.alt": "Raw Grad-CAM of {title}",
    "grad_cam.drawn": "{shows} Drawn: {scaling}.",
}
