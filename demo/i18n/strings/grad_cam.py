"""Tab Grad-CAM."""

from __future__ import annotations

STRINGS = {
    "grad_cam.signed": "Signed Grad-CAM",
    "grad_cam.signed_hint": "raw values",
    "grad_cam.positive": "Positive Grad-CAM (ReLU)",
    "grad_cam.caption": "{exactly}: from {low} to {high}, sum {sum}, not normalized",
    "grad_cam.alt": "Signed Grad-CAM of {title}",
    "grad_cam.drawn": "{shows} Shown: {scaling}.",
}
