"""Tab Compare: two photos on one model."""

from __future__ import annotations

STRINGS = {
    "compare_photos.first_photo": "This image",
    "compare_photos.second_photo": "Reference image: {label}",
    "compare_photos.second_minus_first": "Reference minus this image",
    "compare_photos.yours": "your image",
    "compare_photos.kernels_row": "{title}: kernels",
    "compare_photos.kernels_row_hint": (
        "the same {count} channels of both, one scale; separate scale for the difference"
    ),
    "compare_photos.gates_row": "{title}: mixing weights of the first group",
    "compare_photos.gates_row_hint": "weight of learned kernel 1 at each tap",
    "compare_photos.attention_row": "{title}: attention",
    "compare_photos.attention_row_hint": "of the unit at the same position of both model inputs",
    "compare_photos.kernels_moved": (
        "Relative distance between the kernels of the two images: {apart} (median over channels, relative to the norm "
        "of the static kernel); distance to the static kernel: {first} and {second}. Kernels are generated for each "
        "image."
    ),
    "compare_photos.kernels_fixed": (
        "Exactly 0: these kernels are learned, not generated, so they are the same for every image. Attention still "
        "differs, because it is computed from the image."
    ),
    "compare_photos.kernels_random": (
        "With random weights this shows how an untrained generator responds, not what was learned."
    ),
    "compare_photos.gates_moved": (
        "Mean absolute difference {gates} over all channels, groups and taps (0 = same mixing weights)"
    ),
    "compare_photos.attention_moved": "Rank correlation {correlation}, mean absolute difference {mean}",
    "compare_photos.attention_uniform": "Mean absolute difference {mean}; no rank correlation (uniform map)",
    "compare_photos.same_photo": "The reference image is the same as this image. Select another one above.",
    "compare_photos.of_first": "{what}, this image",
    "compare_photos.of_second": "{what}, reference image",
    "compare_photos.limits": (
        "One pair only: other pairs may differ more or less. Different kernels show that the kernels depend on the "
        "image, not that the prediction does; Ablation measures that with kernels borrowed from another image."
    ),
}
