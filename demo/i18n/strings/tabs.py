"""Names of the tabs."""

from __future__ import annotations

STRINGS = {
    "tabs.overview": "Overview",
    "tabs.attention": "Attention",
    "tabs.kernels": "Kernels",
    "tabs.grad_cam": "Grad-CAM",
    "tabs.erf": "Receptive field",
    "tabs.compare": "Compare",
    "tabs.ablation": "What if",
    "tabs.sanity_checks": "Trust",
    "tabs.tour": "Tour",
}
