"""Tab Kernels: its rows."""

from __future__ import annotations

STRINGS = {
    "kernels.intro": (
        "The 7 x 7 depthwise kernels that IDConv composed for this very image: {shown} channels of each variant, "
        "chosen to show their variety."
    ),
    "kernels.limits": (
        "The released model's kernels differ by image, channel and tap, and are the same at every position of an "
        "image: texts that call them spatially varying mean the taps. The static kernel is what uniform gates would "
        "give: the mean of the learned kernels."
    ),
    "kernels.static_kernels": "learned, the same for every image",
    "kernels.not_generated": (
        "Nothing is generated here: every image gets these learned kernels. So there is no difference, and no gates."
    ),
    "kernels.row_kernels": "Generated kernels",
    "kernels.row_kernels_hint": "point at one to look at it closely, press it to hold it",
    "kernels.row_difference": "Difference from the static kernel",
    "kernels.row_difference_hint": "generated minus uniform gates",
    "kernels.row_gates": "Gates of the first group",
    "kernels.row_gates_hint": "the share each tap takes from learned kernel 1",
    "kernels.alt_kernels": "Kernels of {title}",
    "kernels.alt_difference": "Differences from the static kernels of {title}",
    "kernels.alt_gates": "Gates of the first group of {title}",
    "kernels.tile": "channel {channel}",
    "kernels.of_channels": "{what}: {shown} of {all} channels",
    "kernels.gate_entropy": "gate entropy {entropy:.3f} of 1 (1: static), {groups} groups",
    "kernels.channel": "Channel {channel} of {title}",
    "kernels.layer": "stage {stage}, block {block}",
}
