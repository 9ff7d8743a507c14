"""Words of the guided tour: its bar, its list, and each step's. They point at what the page shows, whichever image.

{first} and {second} are the titles of the step's variants.
"""

from __future__ import annotations

START, GO_ON = "Start the tour", "Go on with the tour"
LIST = "The steps"
HOW = "{count} steps. Everything can be moved meanwhile, and your image stays."
BAR = "Guided tour"
COUNT = "Step {step} of {count}"
BACK, NEXT, FINISH, LEAVE = "Back", "Next", "Finish", "Leave the tour"
AGAIN = "Show me again"
MORE = "What to do"  # on a phone, folds the words
SOURCE = "Source: {source}"

STATIC_TITLE = "Why a fixed kernel is not enough"
STATIC = (
    "Two small models, trained alike: {first} makes its 7 × 7 kernels for each image, {second} learned one set for "
    "all.",
    "Below, “Do the kernels move from image to image?” sets two photos side by side. Read the median distance "
    "between their kernels.",
    "Choose another photo at “Compare with”: only {first} follows. {second} meets every image with the same kernels.",
)
STATIC_ALONE = (
    "A usual convolution learns one set of kernels and uses it for all. {first} makes its 7 × 7 kernels anew.",
    "Below, “Do the kernels move from image to image?” sets two photos side by side. Read the median distance "
    "between their kernels; for a fixed set it would be zero.",
    "Choose another photo at “Compare with”, and the kernels follow.",
)
STATIC_SOURCE = "TransXNet, arXiv 2310.19380, section 3 (IDConv). The model without it is this project’s own."

IDCONV_TITLE = "What IDConv generates"
IDCONV = (
    "The image, pooled to 7 × 7, decides for every channel and every tap how a few learned kernels are mixed. These "
    "shares are the gates.",
    "“Difference from the static kernel”: red and blue are what this image changed. Even gates would give the static "
    "kernel.",
    "Read the gate entropy: at 1 the image chose nothing, near 0 one learned kernel alone. Then choose another image.",
    "All positions of an image share its kernels.",
)
IDCONV_SOURCE = "arXiv 2310.19380, section 3 (IDConv)"

OSRA_TITLE = "Where OSRA looks"
OSRA = (
    "The other half of the channels asks the whole image at once. Move over the photo: the map shows what the "
    "unit under the pointer mixes in.",
    "“All heads”: under each stands its entropy. 0 is a look at one key only, 1 at all alike.",
    "“All stages”: from stage 1 to stage 4 the unit grows coarser, but the keys it asks stay as many.",
)
OSRA_SOURCE = "arXiv 2310.19380, section 3 (OSRA)"

MIXER_TITLE = "How D-Mixer joins them"
MIXER = (
    "In every block half of the channels goes through IDConv and half through OSRA; STE joins the two.",
    "Switch “IDConv’s half” off, and read how far the answer’s logit moves. Then on again, and “OSRA’s half” off.",
    "Use is not size: “The two halves of D-Mixer”, a figure of Attention, measures how much each half puts in.",
)
MIXER_SOURCE = "arXiv 2310.19380, section 3 (D-Mixer and STE). Silencing halves is this project’s."

FIELD_TITLE = "What the receptive field shows"
FIELD = (
    "These are the pixels on which the unit under the crosshair depends. The words under the map say how much of the "
    "image the smallest square covers that holds half of the gradient.",
    "Look from stage 1, then from stage 3 again, and compare the two.",
    "Below, “Receptive field, taken apart” holds generated kernels, attention weights and norms still, one after the "
    "other: what goes away with them came through what the whole image had set.",
)
FIELD_SOURCE = "arXiv 2310.19380, figure 1, averages many images; this is one. Taking it apart is this project’s."

TRUST_TITLE = "How far to trust it"
TRUST = (
    "A map is a claim. The tests below take pixels away in a map’s order, and give the model random weights: a map "
    "that stays the same then does not explain the model.",
    "They take a while. Read the table first: for each map a word on the model and a word on the answer.",
    "Then go on: your own image, a larger variant beside {first}, or “pico, untrained”, whose maps look lively too.",
)
TRUST_SOURCE = "arXiv 1806.07421, section 4.1 (RISE); arXiv 1810.03292, section 3.1 (Adebayo et al.)"
