"""The kernels view's words. Braces of INSPECTOR are filled in the browser, as the pointer moves: js/inspector.js."""

from __future__ import annotations

ROWS = {  # row -> its title and its hint
    "kernels": ("Generated kernels", "point at one to look at it closely, press it to hold it"),
    "difference": ("Difference from the static kernel", "generated minus uniform gates"),
    "gates": ("Gates of the first group", "the share each tap takes from learned kernel 1"),
}
ALTS = {
    "kernels": "Kernels of {title}", "difference": "Differences from the static kernels of {title}",
    "gates": "Gates of the first group of {title}",
}  # fmt: skip
TILE = "channel {channel}"
OF_CHANNELS = "{what}: {shown} of {all} channels"
GATE_ENTROPY = "gate entropy {entropy:.3f} of 1 (1: static), {groups} groups"
CHANNEL = "Channel {channel} of {title}"
LAYER = "stage {stage}, block {block}"

INSPECTOR = {
    "inspector": "One kernel, looked at closely",
    "hold": "Press a kernel to hold it here.",
    "held": "Held. Escape, or a second press, lets it go.",
    # what it is made of
    "generated": "The kernel made for this image",
    "learnedTitle": "The kernel that every image gets",
    "mixed": "Mixed from {groups} learned kernels",
    "notGenerated": "This variant generates nothing: the kernel is learned once, and every image gets it. So there "
    "are no gates and no difference; what it lets through, and the arithmetic, are the same.",
    "learned": "learned {group}",
    "gates": "gates {group}",
    "static": "static",
    "difference": "difference",
    "weight": "weight",
    "gate": "share",
    "pointMix": "Point at a square. At each of them the image decides which share of each learned kernel is taken; "
    "the shares add up to 100 %. Equal shares would give the static kernel, whatever the image.",
    "mixTap": "{tap}: {terms} = {value}. Equal shares would give {static}.",
    # what it lets through
    "passes": "What it lets through",
    "passesGenerated": "generated",
    "passesStatic": "static",
    "passesLearned": "learned",
    "magnitude": "amplification",
    "frequency": "cycles per unit",
    "chart": "Amplification by frequency, 0 to 0.71 cycles per unit: {lines}",
    "passesNote": "In the images the middle is an even surface, the edges are changes from one unit to the next. A "
    "line is the mean at one distance from the middle. A bright middle blurs, a dark one finds edges.",
    # one output number
    "apart": "One output number, taken apart",
    "underCrosshair": "Under the crosshair: row {row}, column {column} of {rows} x {columns} units. Move over your "
    "image or over these maps to look at another.",
    "underPointer": "Under the pointer: row {row}, column {column} of {rows} x {columns} units.",
    "beyond": "Hatched squares lie beyond the edge and count as 0.",
    "input": "input",
    "patch": "7 x 7 of it",
    "kernel": "kernel",
    "products": "49 products",
    "output": "output",
    "pointApart": "Point at a square for its numbers.",
    "apartTap": "{tap}: {input} × {weight} = {product}",
    "tap": "Row {row}, column {column}",
    "scales": "Blue below zero, red above. Darkest: input ±{input}, kernel ±{kernel}, products ±{products}, output "
    "±{output}.",
    "sum": "sum of the products",
    "bias": "bias, mixed likewise",
    "biasLearned": "bias",
    "mine": "added up here",
    "theirs": "the model computed",
    "apartBy": "apart by",
    "rounding": "the model adds in 32-bit numbers, in an order of its own",
    # for who hears the page
    "named": "{what}, {channel}: colors from minus {high} to {high}",
    "namedSpectrum": "Amplification by frequency, {channel}, {what}: from 0 to {high}",
    "namedGate": "{what}, {channel}: shares from 0 to 1",
    "numbers": "{channel}, 49 weights row by row: {numbers}. Arrow keys go from one to the next.",
}
