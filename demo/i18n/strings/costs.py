"""Tab Compare: the table of costs."""

from __future__ import annotations

STRINGS = {
    "costs.title": "What they cost",
    "costs.hint": "one image, without gradients",
    "costs.row_parameters": "Parameters",
    "costs.row_macs": "Multiply-adds",
    "costs.row_time": "One pass here",
    "costs.row_weights": "Weights in memory",
    "costs.row_activations": "Activations at their peak",
    "costs.row_size": "SourceImage it sees",
    "costs.row_accuracy": "Top-1 accuracy",
    "costs.millions": "{amount} M",
    "costs.gmacs": "{amount} GMACs",
    "costs.megabytes": "{amount} MB",
    "costs.pixels": "{side} x {side} pixels",
    "costs.milliseconds": "{amount} ms",
    "costs.times": "{ratio} times {first}",
    "costs.measuring": "measuring",
    "costs.not_measured": (
        "not measured: something long runs here, or measuring failed; open Compare again to try once more"
    ),
    "costs.note": (
        "Time: at batch 1, the median of so many passes: {passes}; the variants take turns. Other work on this machine "
        "slows all of them alike: read the ratio, not the milliseconds. Activations are counted, not measured: the "
        "most that the tensors of a pass take at one moment, without what an operator uses inside."
    ),
    "costs.note_counted": "Activations are counted: the most that the tensors of a pass take at one moment.",
    "costs.top1": "{top1} %",
    "costs.accuracy_card": (
        "on {images} held-out images of Tiny-ImageNet-200 at {side} px, 200 classes. Its model card."
    ),
    "costs.accuracy_paper": "on ImageNet-1K, 1000 classes. As published, not measured here.",
    "costs.accuracy_timm": "on ImageNet-1K, 1000 classes. As timm measured.",
    "costs.accuracy_random": "None: random weights answer by chance.",
    "costs.accuracy_unknown": "Not known here.",
}
