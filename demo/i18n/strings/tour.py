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
    "tour.images_title": "Two images, two sets of kernels",
    "tour.images": (
        "Images A and B pass through the same layer with the same weights. {model} generates 7 × 7 kernels for "
        "each image: the grids show the nine channels whose kernels differ most, and their difference.\n"
        "“Median relative distance” is the median over all channels of the layer: the distance between a "
        "channel's two kernels ÷ the norm of its static kernel. Learned kernels would be the same for both "
        "images, at distance 0.\n"
        "Select another “Image B”: the weights stay the same, the kernels for B and the distance change."
    ),
    "tour.images_source": (
        "TransXNet, arXiv 2310.19380, section 3 (IDConv). The comparison is an addition of this project."
    ),
    "tour.idconv_title": "What IDConv generates",
    "tour.idconv": (
        "IDConv pools the features it receives to 7 × 7; they determine for every channel and tap how a few "
        "learned kernels are mixed. “Mixing weights of the first group” shows the weights of learned kernel 1.\n"
        "Read their normalized entropy below: 1 = uniform mixing, near 0 = a single learned kernel.\n"
        "Uniform mixing gives the static kernel. “Difference from the static kernel”, one row above: red where "
        "the kernel for this image is larger, blue where it is smaller.\n"
        "Select another image: both rows change. All spatial positions of an image share its kernels."
    ),
    "tour.idconv_source": "arXiv 2310.19380, section 3 (IDConv)",
    "tour.osra_title": "Where OSRA attends",
    "tour.osra": (
        "The other half of the channels attends over the whole image. Move over the image, or tap it: the map "
        "shows the attention weights of the query there.\n"
        "“All heads”: normalized entropy below each head. 0 = one key, 1 = uniform.\n"
        "“All stages”: from stage 1 to stage 4 the units become coarser, but the number of keys stays the same."
    ),
    "tour.osra_source": "arXiv 2310.19380, section 3 (OSRA)",
    "tour.mixer_title": "How D-Mixer combines them",
    "tour.mixer": (
        "In every block half of the channels passes through IDConv and half through OSRA; STE mixes the two.\n"
        "Switch “IDConv half” off and read how far the logit moves. Then switch it on again, and “OSRA half” off.\n"
        "Importance is not magnitude: “The two pathways of D-Mixer”, a figure of the Attention tab, measures the "
        "energy of each half's output, not how the prediction depends on it."
    ),
    "tour.mixer_source": (
        "arXiv 2310.19380, section 3 (D-Mixer and STE). Switching halves off is an addition of this project."
    ),
    "tour.erf_title": "What the receptive field shows",
    "tour.erf": (
        "The map shows how strongly each pixel affects the unit at the query position: the absolute gradient of "
        "its features. The caption gives the areas of the smallest squares around the unit that hold 20, 30, 50 "
        "and 99% of the gradient.\n"
        "Select stage 1 at “Layer”, then stage 3 again, and compare the areas.\n"
        "Below, “Receptive field, decomposed” detaches generated kernels, attention weights and normalization "
        "statistics, each in turn and all together. The more a map differs from the full one, the more depends on "
        "what was detached; the caption gives the numbers."
    ),
    "tour.erf_source": (
        "arXiv 2310.19380, figure 1, averages many images; this is one. The decomposition is an addition of this "
        "project."
    ),
    "tour.checks_title": "How far to rely on the maps",
    "tour.checks": (
        "A map is a hypothesis. The tests remove pixels in the order of a map, and randomize the model's "
        "parameters: a map that stays the same then does not explain the model.\n"
        "“Run sanity checks” starts them. Then read the table first: one outcome per map and test.\n"
        "Then explore: your own image, a larger model next to {model}, or “pico (random weights)”; compare its "
        "maps with those of {model}."
    ),
    "tour.checks_source": "arXiv 1806.07421, section 4.1 (RISE); arXiv 1810.03292, section 3.1 (Adebayo et al.)",
}
