"""Limitations of what each tab shows: the sentences below its maps."""

from __future__ import annotations

STRINGS = {
    "limits.overview": (
        "Attention weights show what was mixed in, not why the model predicted a class. Grad-CAM shows the evidence "
        "for this class at the resolution of its layer. Maps are aligned to the units' positions and overlaid on the "
        "full-resolution image; More > model input shows the {sizes} pixels that the model received. Each column "
        "shares one color scale."
    ),
    "limits.attention": (
        "Weights of one block and half of its channels: the other half passes through IDConv, and a residual "
        "connection bypasses both. Keys have already aggregated their neighborhood, so do not interpret the map as a "
        "map of causes. Weights after the softmax, quantized to 0.2% of each head's maximum; keys are spatially "
        "reduced."
    ),
    "limits.kernels": (
        "Kernels of the released models differ by image, channel and tap, and are the same at every spatial position "
        "of an image; texts that call them spatially varying refer to the taps. The static kernel (uniform mixing) is "
        "the mean of the learned kernels."
    ),
    "limits.grad_cam": (
        "A first-order estimate at the resolution of its stage. The map is raw: red contributes positively, blue "
        "negatively, and nothing is normalized per image. Early stages respond to edges and colors, not to objects."
    ),
    "limits.erf": (
        "IDConv's mixing weights and the normalization statistics let every pixel influence every unit, so the map "
        "combines local input and global modulation. Each pixel's gradient is shown relative to the image mean; the "
        "highest 0.5% of pixels share one color. The areas below a map are measured on raw values."
    ),
    "limits.compare": (
        "A probability is the softmax over the model's own classes: a model that knows nothing in the image still "
        "distributes 100% over its classes. Maps that agree may both be wrong, and maps that differ need not be worse: "
        "two models may use different evidence for the same prediction."
    ),
    "limits.sequence": (
        "The middle frames of a crossfade are unlike the photographs that the model was trained on, so read their "
        "predictions with care. Kernels that change do not show that the prediction depends on them; Ablation tests "
        "that. Colors have 255 steps; the command line writes the exact values."
    ),
    "limits.live": (
        "A frame is the middle square of the video as a JPEG of the model’s input size. Maps have 255 steps of their "
        "maximum, so brightness does not compare between frames; kernels share the scale of the largest weight since "
        "the layer was chosen."
    ),
    "limits.ablation": (
        "The model was not trained with these changes. A large change shows that the part is used for this image, not "
        "that a model trained without it would be worse by as much; a small change may mean that another part "
        "compensates."
    ),
    "limits.sanity_checks": (
        "Passing a test does not prove that a map explains the model; a map that fails should not be reported."
    ),
}
