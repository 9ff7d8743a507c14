"""Tab Tour and the bar of the guided tour."""

from __future__ import annotations

STRINGS = {
    "tour.intro": (
        "Each block of TransXNet looks at an image in two ways at once: through kernels made for this very image, and "
        "through attention over all of it. Press a box to open the view that shows it, or take the tour."
    ),
    "tour.start": "Start the tour",
    "tour.go_on": "Go on with the tour",
    "tour.list": "The steps",
    "tour.how": "{count} steps. Everything can be moved meanwhile, and your image stays.",
    "tour.bar": "Guided tour",
    "tour.count": "Step {step} of {count}",
    "tour.back": "Back",
    "tour.next": "Next",
    "tour.finish": "Finish",
    "tour.leave": "Leave the tour",
    "tour.again": "Show me again",
    "tour.more": "What to do",
    "tour.source": "Source: {source}",
    "tour.static_title": "Why a fixed kernel is not enough",
    "tour.static": (
        "Two small models, trained alike: {first} makes its 7 × 7 kernels for each image, {second} learned one set for "
        "all.\n"
        "Below, “Do the kernels move from image to image?” sets two photos side by side. Read the median distance "
        "between their kernels.\n"
        "Choose another photo at “Compare with”: only {first} follows. {second} meets every image with the same "
        "kernels."
    ),
    "tour.static_alone": (
        "A usual convolution learns one set of kernels and uses it for all. {first} makes its 7 × 7 kernels anew.\n"
        "Below, “Do the kernels move from image to image?” sets two photos side by side. Read the median distance "
        "between their kernels; for a fixed set it would be zero.\n"
        "Choose another photo at “Compare with”, and the kernels follow."
    ),
    "tour.static_source": (
        "TransXNet, arXiv 2310.19380, section 3 (IDConv). The model without it is this project’s own."
    ),
    "tour.idconv_title": "What IDConv generates",
    "tour.idconv": (
        "The image, pooled to 7 × 7, decides for every channel and every tap how a few learned kernels are mixed. "
        "These shares are the gates.\n"
        "“Difference from the static kernel”: red and blue are what this image changed. Even gates would give the "
        "static kernel.\n"
        "Read the gate entropy: at 1 the image chose nothing, near 0 one learned kernel alone. Then choose another "
        "image.\n"
        "All positions of an image share its kernels."
    ),
    "tour.idconv_source": "arXiv 2310.19380, section 3 (IDConv)",
    "tour.osra_title": "Where OSRA looks",
    "tour.osra": (
        "The other half of the channels asks the whole image at once. Move over the photo: the map shows what the unit "
        "under the pointer mixes in.\n"
        "“All heads”: under each stands its entropy. 0 is a look at one key only, 1 at all alike.\n"
        "“All stages”: from stage 1 to stage 4 the unit grows coarser, but the keys it asks stay as many."
    ),
    "tour.osra_source": "arXiv 2310.19380, section 3 (OSRA)",
    "tour.mixer_title": "How D-Mixer joins them",
    "tour.mixer": (
        "In every block half of the channels goes through IDConv and half through OSRA; STE joins the two.\n"
        "Switch “IDConv’s half” off, and read how far the answer’s logit moves. Then on again, and “OSRA’s half” off.\n"
        "Use is not size: “The two halves of D-Mixer”, a figure of Attention, measures how much each half puts in."
    ),
    "tour.mixer_source": "arXiv 2310.19380, section 3 (D-Mixer and STE). Silencing halves is this project’s.",
    "tour.field_title": "What the receptive field shows",
    "tour.field": (
        "These are the pixels on which the unit under the crosshair depends. The words under the map say how much of "
        "the image the smallest square covers that holds half of the gradient.\n"
        "Look from stage 1, then from stage 3 again, and compare the two.\n"
        "Below, “Receptive field, taken apart” holds generated kernels, attention weights and norms still, one after "
        "the other: what goes away with them came through what the whole image had set."
    ),
    "tour.field_source": (
        "arXiv 2310.19380, figure 1, averages many images; this is one. Taking it apart is this project’s."
    ),
    "tour.trust_title": "How far to trust it",
    "tour.trust": (
        "A map is a claim. The tests below take pixels away in a map’s order, and give the model random weights: a map "
        "that stays the same then does not explain the model.\n"
        "They take a while. Read the table first: for each map a word on the model and a word on the answer.\n"
        "Then go on: your own image, a larger variant beside {first}, or “pico, untrained”, whose maps look lively too."
    ),
    "tour.trust_source": "arXiv 1806.07421, section 4.1 (RISE); arXiv 1810.03292, section 3.1 (Adebayo et al.)",
}
