"""Tab Compare: the table of costs."""

from __future__ import annotations

STRINGS = {
    "costs.title": "Cost",
    "costs.hint": "one image, without gradients",
    "costs.row_parameters": "Parameters",
    "costs.row_macs": "Multiply-adds",
    "costs.row_time": "Time per forward pass",
    "costs.row_weights": "Weight memory",
    "costs.row_activations": "Peak activation memory",
    "costs.row_size": "Input size",
    "costs.row_accuracy": "Top-1 accuracy",
    "costs.millions": "{amount} M",
    "costs.gmacs": "{amount} GMACs",
    "costs.megabytes": "{amount} MB",
    "costs.pixels": "{side} × {side} pixels",
    "costs.milliseconds": "{amount} ms",
    "costs.times": "{ratio} × {first}",
    "costs.measuring": "measuring…",
    "costs.not_measured": (
        "Not measured: another computation is running, or the measurement failed. Open Compare again to retry."
    ),
    "costs.note": (
        "Time: median of {passes} interleaved runs, batch size 1. Other work on this server slows all models alike: "
        "compare ratios, not milliseconds. Activation memory is computed, not measured: the maximum over one forward "
        "pass, without operator workspaces."
    ),
    "costs.note_counted": "Activation memory is computed: the maximum over one forward pass.",
    "costs.top1": "{top1}%",
    "costs.accuracy_card": "{images} held-out images of Tiny-ImageNet (200 classes) at {side} px; from the model card",
    "costs.accuracy_paper": "ImageNet-1K (1,000 classes); published, not measured here",
    "costs.accuracy_timm": "ImageNet-1K (1,000 classes); measured by timm",
    "costs.accuracy_random": "n/a (random weights)",
    "costs.accuracy_unknown": "unknown",
}
