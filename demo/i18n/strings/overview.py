"""Tab Overview."""

from __future__ import annotations

STRINGS = {
    "overview.intro": (
        "Four views of one forward pass. Move the crosshair on the image: attention and receptive field follow it. "
        "Pick another answer: Grad-CAM follows that."
    ),
    "overview.limits": (
        "Attention weights say what was mixed in, not why the answer was given. Grad-CAM says what raised this "
        "answer's score, at the resolution of its layer. All maps are drawn where their units really sit, over the "
        "image at its own sharpness; More > as the model saw it shows the {sizes} pixels it was given. A column has "
        "one color scale, so equal colors are equal values."
    ),
    "overview.column_attention": "OSRA, stage {stage}, mean of heads",
    "overview.column_kernels": "{tiles} that IDConv made for this image, stage {stage}",
    "overview.column_grad_cam": "what raised {answer}, stage {cam_layer}",
    "overview.column_receptive_field": "of the crosshair's unit, stage {stage}",
    "overview.prediction": "the answer",
}
