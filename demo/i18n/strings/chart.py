"""Tab Compare: accuracy against cost."""

from __future__ import annotations

STRINGS = {
    "chart.title": "Accuracy against cost",
    "chart.hint": "as published, each point with its source",
    "chart.sets": "Numbers",
    "chart.axes": "Cost",
    "chart.sizes": "Images",
    "chart.set_authors": "as authors report",
    "chart.set_timm": "as timm measured",
    "chart.axis_gmacs": "GMACs",
    "chart.axis_params_m": "parameters",
    "chart.axis_title_gmacs": "GMACs for one image, log scale",
    "chart.axis_title_params_m": "million parameters, log scale",
    "chart.size_224": "224 px",
    "chart.size_all": "every size",
    "chart.y": "top-1 on ImageNet-1K, %",
    "chart.family_cnn": "convolutional",
    "chart.family_transformer": "transformer",
    "chart.family_hybrid": "hybrid",
    "chart.here": "on this page",
    "chart.note": (
        "Trained on ImageNet-1K alone, as far as the sources say; recipes differ (epochs, augmentation, distillation), "
        "so a point higher is not an architecture better. What authors report and what timm measured are never mixed. "
        "{absent}"
    ),
    "chart.absent": "Not on this chart: {names}. Its accuracy is of Tiny-ImageNet-200, 200 classes of 64 x 64 images.",
    "chart.absent_more": (
        "Not on this chart: {names}. Their accuracy is of Tiny-ImageNet-200, 200 classes of 64 x 64 images."
    ),
    "chart.alt": "{count} models: accuracy against cost. Arrow keys go from point to point, Enter keeps one.",
    "chart.point": "{name}, {family}: {top1} % top-1, {gmacs} GMACs, {params} M parameters, {size} px",
    "chart.v2": "{v2} % on ImageNet-V2",
    "chart.source": "Source:",
    "chart.table": "The same numbers as a table",
    "chart.table_head": ("Model\nFamily\nPixels\nParameters (M)\nGMACs\nTop-1 (%)\nImageNet-V2 (%)\nSources"),
    "chart.missing": "The published numbers are not here: assets/published.csv is missing or damaged.",
}
