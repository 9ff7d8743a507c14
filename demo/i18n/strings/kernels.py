"""Tab Kernels: its rows."""

from __future__ import annotations

STRINGS = {
    "kernels.static_kernels": "learned, the same for every image",
    "kernels.not_generated": (
        "This model does not generate kernels: its learned kernels are the same for every image, so there is no "
        "difference and there are no mixing weights."
    ),
    "kernels.row_kernels": "Generated kernels",
    "kernels.row_kernels_hint": "Hover to inspect, click to pin",
    "kernels.row_difference": "Difference from the static kernel",
    "kernels.row_difference_hint": "generated minus static (uniform mixing)",
    "kernels.row_gates": "Mixing weights of the first group",
    "kernels.row_gates_hint": "weight of learned kernel 1 at each tap",
    "kernels.alt_kernels": "Kernels of {title}",
    "kernels.alt_difference": "Differences from the static kernels of {title}",
    "kernels.alt_gates": "Mixing weights of the first group of {title}",
    "kernels.tile": "channel {channel}",
    "kernels.of_channels": "{what}: {shown} of {all} channels",
    "kernels.gate_entropy": (
        "normalized entropy of the mixing weights {entropy:.3f} (1 = static kernel), {groups} groups"
    ),
    "kernels.channel": "Channel {channel} of {title}",
    "kernels.layer": "stage {stage}, block {block}",
}
