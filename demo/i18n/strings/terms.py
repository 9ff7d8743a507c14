"""One-line definitions of terms, shown where the pointer rests on one. A word of a term is what is looked for."""

from __future__ import annotations

STRINGS = {
    "terms.OSRA": (
        "Overlapping spatial reduction attention: every position attends to an overlapping, spatially reduced map."
    ),
    "terms.IDConv": (
        "Input-dependent depthwise convolution: its kernels are generated from the image that they are applied to."
    ),
    "terms.STE": "Squeezed token enhancer: a bottleneck that fuses the channels of OSRA and IDConv.",
    "terms.D-Mixer": "Token mixer: half of the channels passes through OSRA, half through IDConv; STE fuses them.",
    "terms.gates": "Softmax weights, per channel and tap, by which IDConv mixes a few learned kernels into one.",
    "terms.gates_word": "mixing weights",
    "terms.layer": "A block of one of the model's four stages; deeper stages have fewer positions and more channels.",
    "terms.layer_word": "layer",
    "terms.erf": "Effective receptive field (ERF): the input pixels that one unit of a layer depends on, by gradient.",
    "terms.erf_word": "receptive field",
}
