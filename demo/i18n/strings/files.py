"""Text of downloaded files, which are in English."""

from __future__ import annotations

STRINGS = {
    "files.left_out": "Not included: {names}.",
    "files.uploaded_reference": "The reference image was uploaded: the link opens an example in its place.",
    "files.edited": "Ablations: {changes}.",
    "files.occluded": "Occluded: {share} of the model input, filled with {fill}.",
    "files.given": "Model input",
    "files.given_caption": "Pixels that the model received, with the occluded region.",
    "files.predictions": "{title}: predictions before and after",
    "files.predictions_head": ("Class\nProbability before\nProbability after\nLogit before\nLogit after"),
    "files.pairs": "Agreement of the maps",
    "files.pairs_head": ("Pair\nRank correlation\nTop {share} overlap\nMean absolute difference"),
    "files.footer": (
        "TransXNet Lens, {made} UTC, code {source}. Image SHA-256 {images}; {where}. {link}Numbers and provenance are "
        "embedded in this file."
    ),
    "files.link": "Link: {link}. ",
    "files.position": "position ({x:.0f}, {y:.0f}), target class {label}",
    "files.uploaded_image": "uploaded image",
    "files.example": "example “{label}”",
    "files.subtitle": "{image}, {width} × {height} pixels",
    "files.uniform": "n/a (uniform map)",
    "files.limits_overview": (
        "Attention shows what was mixed in, not why the model predicted a class. Kernels are shared by all spatial "
        "positions of the image and act on features, not pixels. Grad-CAM shows contributions to the logit at the "
        "resolution of its layer. A receptive field shows what a small change would affect, not what the model attends "
        "to."
    ),
    "files.limits_attention": (
        "Weights of one block and half of its channels: the other half passes through IDConv, and a residual "
        "connection bypasses both. Keys have already aggregated their neighborhood, so do not interpret the map as a "
        "map of causes. Weights after the softmax; keys are spatially reduced."
    ),
}
