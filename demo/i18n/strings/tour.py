"""Tab Tour and the bar of the guided tour."""

from __future__ import annotations

STRINGS = {
    "tour.start": "Start the tour",
    "tour.resume": "Resume the tour",
    "tour.steps": "Steps",
    "tour.how": "{count} steps. You can use all controls during the tour; your image is kept.",
    "tour.bar": "Guided tour",
    "tour.count": "Step {step} of {count}",
    "tour.back": "Back",
    "tour.next": "Next",
    "tour.finish": "Finish",
    "tour.leave": "Leave the tour",
    "tour.again": "Show this step again",
    "tour.more": "Instructions",
    "tour.source": "Source: {source}",
    "tour.static_title": "Why fixed kernels are not enough",
    "tour.static": (
        "Two small models, trained the same way: {first} generates its 7 × 7 kernels for each image, {second} learned "
        "one set for all images.\n"
        "Below, “How do kernels differ between images?” compares two images. Read the median distance between their "
        "kernels.\n"
        "Select another image at “Reference image”: only the kernels of {first} change. {second} applies the same "
        "kernels to every image."
    ),
    "tour.static_without_second": (
        "An ordinary convolution learns one set of kernels for all images. {first} generates its 7 × 7 kernels for "
        "each image.\n"
        "Below, “How do kernels differ between images?” compares two images. Read the median distance between their "
        "kernels; for a fixed set it would be zero.\n"
        "Select another image at “Reference image”: the kernels change."
    ),
    "tour.static_source": (
        "TransXNet, arXiv 2310.19380, section 3 (IDConv). The model without IDConv was trained for this project."
    ),
    "tour.idconv_title": "What IDConv generates",
    "tour.idconv": (
        "The image, pooled to 7 × 7, determines for every channel and tap how a few learned kernels are mixed: these "
        "are the mixing weights.\n"
        "“Difference from the static kernel”: red and blue show what this image changed. Uniform mixing gives the "
        "static kernel.\n"
        "Read the normalized entropy of the mixing weights: 1 = uniform mixing, near 0 = a single learned kernel. Then "
        "select another image.\n"
        "All spatial positions of an image share its kernels."
    ),
    "tour.idconv_source": "arXiv 2310.19380, section 3 (IDConv)",
    "tour.osra_title": "Where OSRA attends",
    "tour.osra": (
        "The other half of the channels attends over the whole image. Move over the image: the map shows the attention "
        "weights of the query at the pointer.\n"
        "“All heads”: normalized entropy below each head. 0 = one key, 1 = uniform.\n"
        "“All stages”: from stage 1 to stage 4 the units become coarser, but the number of keys stays the same."
    ),
    "tour.osra_source": "arXiv 2310.19380, section 3 (OSRA)",
    "tour.mixer_title": "How D-Mixer combines them",
    "tour.mixer": (
        "In every block half of the channels passes through IDConv and half through OSRA; STE mixes the two.\n"
        "Switch “IDConv half” off and read how far the logit moves. Then switch it on again, and “OSRA half” off.\n"
        "Importance is not magnitude: “The two pathways of D-Mixer”, a figure of the Attention tab, measures how much "
        "each half contributes."
    ),
    "tour.mixer_source": (
        "arXiv 2310.19380, section 3 (D-Mixer and STE). Switching halves off is an addition of this project."
    ),
    "tour.erf_title": "What the receptive field shows",
    "tour.erf": (
        "These are the pixels that the unit at the query position depends on. The caption gives the area of the "
        "smallest square that holds half of the gradient.\n"
        "Select stage 1 at “Layer”, then stage 3 again, and compare the two.\n"
        "Below, “Receptive field, decomposed” detaches generated kernels, attention weights and normalization "
        "statistics, one after the other: what disappears was carried by image-wide modulation."
    ),
    "tour.erf_source": (
        "arXiv 2310.19380, figure 1, averages many images; this is one. The decomposition is an addition of this "
        "project."
    ),
    "tour.checks_title": "How far to rely on the maps",
    "tour.checks": (
        "A map is a hypothesis. The tests below remove pixels in the order of a map, and randomize the model's "
        "parameters: a map that stays the same then does not explain the model.\n"
        "They take a while. Read the table first: one outcome per map and test.\n"
        "Then explore: your own image, a larger model next to {first}, or “pico (random weights)”, whose maps can look "
        "plausible too (but check: here they are flat)."
    ),
    "tour.checks_source": "arXiv 1806.07421, section 4.1 (RISE); arXiv 1810.03292, section 3.1 (Adebayo et al.)",
}
