"""Names of the tabs."""

from __future__ import annotations

STRINGS = {
    "tabs.overview": "Overview",
    "tabs.attention": "Attention",
    "tabs.kernels": "Kernels",
    "tabs.grad_cam": "Grad-CAM",
    "tabs.erf": "Receptive field",
    "tabs.compare": "Compare",
    "tabs.sequence": "Sequence",
    "tabs.live": "Live",
    "tabs.ablation": "Ablation",
    "tabs.sanity_checks": "Sanity checks",
    "tabs.tour": "Tour",
}
