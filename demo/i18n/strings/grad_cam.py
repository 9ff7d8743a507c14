"""Tab Grad-CAM."""

from __future__ import annotations

STRINGS = {
    "grad_cam.intro": (
        "Positions of a stage's output that contribute to the target class's logit, positively or negatively."
    ),
    "grad_cam.limits": (
        "A first-order estimate at the resolution of its stage. The map is raw: red contributes positively, blue "
        "negatively, and nothing is normalized per image. Early stages respond to edges and colors, not to objects."
    ),
    "grad_cam.signed": "Signed Grad-CAM",
    "grad_cam.signed_hint": "raw values",
    "grad_cam.positive": "Positive Grad-CAM (ReLU)",
    "grad_cam.caption": "{exactly}: from {low} to {high}, sum {sum}, not normalized",
    "grad_cam.alt": "Signed Grad-CAM of {title}",
    "grad_cam.drawn": "{shows} Shown: {scaling}.",
}
