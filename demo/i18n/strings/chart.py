"""Tab Compare: accuracy against cost."""

from __future__ import annotations

STRINGS = {
    "chart.title": "Accuracy vs. cost",
    "chart.hint": "published values, each with its source",
    "chart.set": "Source of values",
    "chart.axis": "Cost",
    "chart.size": "Input size",
    "chart.set_authors": "reported by authors",
    "chart.set_timm": "measured by timm",
    "chart.axis_gmacs": "GMACs",
    "chart.axis_params_m": "parameters",
    "chart.log_gmacs": "GMACs per image (log scale)",
    "chart.log_params_m": "Parameters in millions (log scale)",
    "chart.size_224": "224 px",
    "chart.size_all": "all sizes",
    "chart.y": "ImageNet-1K top-1 accuracy (%)",
    "chart.family_cnn": "convolutional",
    "chart.family_transformer": "transformer",
    "chart.family_hybrid": "hybrid",
    "chart.here": "selected models",
    "chart.note": (
        "Trained on ImageNet-1K only, according to the sources. Training recipes differ (epochs, augmentation, "
        "distillation), so a higher point does not mean a better architecture. Values reported by authors and measured "
        "by timm are separate sets, except that {timm} rows of the authors' set take GMACs from timm. {absent}"
    ),
    "chart.absent": {
        "one": "Not shown: {names}. Its accuracy is on Tiny-ImageNet (200 classes, 64 × 64 images).",
        "other": "Not shown: {names}. Their accuracy is on Tiny-ImageNet (200 classes, 64 × 64 images).",
    },
    "chart.alt": "{count} models: accuracy vs. cost. Arrow keys move between points, Enter pins one.",
    "chart.point": "{name}, {family}: {top1}% top-1, {gmacs} GMACs, {params} M parameters, {size} px",
    "chart.v2": "{v2}% on ImageNet-V2",
    "chart.source": "Source:",
    "chart.table": "Data table",
    "chart.table_head": ("Model\nFamily\nPixels\nParameters (M)\nGMACs\nTop-1 (%)\nImageNet-V2 (%)\nSources"),
    "chart.missing": "Published values are unavailable: assets/published.csv is missing or damaged.",
}
