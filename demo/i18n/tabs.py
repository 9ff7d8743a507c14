"""Keys of the text that belongs to each tab: its name, the sentence above its maps, the limitations below them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TABS: Mapping[str, str] = MappingProxyType(
    {
        "overview": "tabs.overview", "attention": "tabs.attention", "kernels": "tabs.kernels",
        "grad_cam": "tabs.grad_cam", "erf": "tabs.erf", "compare": "tabs.compare", "ablation": "tabs.ablation",
        "sanity_checks": "tabs.sanity_checks", "tour": "tabs.tour",
    }
)  # fmt: skip # tab, in the order of the page -> key of its name
INTROS: Mapping[str, str] = MappingProxyType(
    {
        "overview": "overview.intro", "attention": "attention.intro", "kernels": "kernels.intro",
        "grad_cam": "grad_cam.intro", "erf": "erf.intro", "compare": "compare.intro", "ablation": "ablation.intro",
        "sanity_checks": "sanity_checks.intro", "tour": "tour.intro",
    }
)  # fmt: skip
LIMITS: Mapping[str, str] = MappingProxyType(
    {
        "overview": "overview.limits", "attention": "attention.limits", "kernels": "kernels.limits",
        "grad_cam": "grad_cam.limits", "erf": "erf.limits", "compare": "compare.limits", "ablation": "ablation.limits",
        "sanity_checks": "sanity_checks.limits",
    }
)  # fmt: skip
