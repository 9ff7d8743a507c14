"""Tab Kernels: the inspector of one kernel."""

from __future__ import annotations

STRINGS = {
    "kernel_inspector.inspector": "One kernel, looked at closely",
    "kernel_inspector.hold": "Press a kernel to hold it here.",
    "kernel_inspector.held": "Held. Escape, or a second press, lets it go.",
    "kernel_inspector.generated": "The kernel made for this image",
    "kernel_inspector.learnedTitle": "The kernel that every image gets",
    "kernel_inspector.mixed": "Mixed from {groups} learned kernels",
    "kernel_inspector.notGenerated": (
        "This variant generates nothing: the kernel is learned once, and every image gets it. So there are no gates "
        "and no difference; what it lets through, and the arithmetic, are the same."
    ),
    "kernel_inspector.learned": "learned {group}",
    "kernel_inspector.gates": "gates {group}",
    "kernel_inspector.static": "static",
    "kernel_inspector.difference": "difference",
    "kernel_inspector.weight": "weight",
    "kernel_inspector.gate": "share",
    "kernel_inspector.pointMix": (
        "Point at a square. At each of them the image decides which share of each learned kernel is taken; the shares "
        "add up to 100 %. Equal shares would give the static kernel, whatever the image."
    ),
    "kernel_inspector.mixTap": "{tap}: {terms} = {value}. Equal shares would give {static}.",
    "kernel_inspector.passes": "What it lets through",
    "kernel_inspector.passesGenerated": "generated",
    "kernel_inspector.passesStatic": "static",
    "kernel_inspector.passesLearned": "learned",
    "kernel_inspector.magnitude": "amplification",
    "kernel_inspector.frequency": "cycles per unit",
    "kernel_inspector.chart": "Amplification by frequency, 0 to 0.71 cycles per unit: {lines}",
    "kernel_inspector.passesNote": (
        "In the images the middle is an even surface, the edges are changes from one unit to the next. A line is the "
        "mean at one distance from the middle. A bright middle blurs, a dark one finds edges."
    ),
    "kernel_inspector.apart": "One output number, taken apart",
    "kernel_inspector.underCrosshair": (
        "Under the crosshair: row {row}, column {column} of {rows} x {columns} units. Move over your image or over "
        "these maps to look at another."
    ),
    "kernel_inspector.underPointer": "Under the pointer: row {row}, column {column} of {rows} x {columns} units.",
    "kernel_inspector.beyond": "Hatched squares lie beyond the edge and count as 0.",
    "kernel_inspector.input": "input",
    "kernel_inspector.patch": "7 x 7 of it",
    "kernel_inspector.kernel": "kernel",
    "kernel_inspector.products": "49 products",
    "kernel_inspector.output": "output",
    "kernel_inspector.pointApart": "Point at a square for its numbers.",
    "kernel_inspector.apartTap": "{tap}: {input} × {weight} = {product}",
    "kernel_inspector.tap": "Row {row}, column {column}",
    "kernel_inspector.scales": (
        "Blue below zero, red above. Darkest: input ±{input}, kernel ±{kernel}, products ±{products}, output ±{output}."
    ),
    "kernel_inspector.sum": "sum of the products",
    "kernel_inspector.bias": "bias, mixed likewise",
    "kernel_inspector.biasLearned": "bias",
    "kernel_inspector.mine": "added up here",
    "kernel_inspector.theirs": "the model computed",
    "kernel_inspector.apartBy": "apart by",
    "kernel_inspector.rounding": "the model adds in 32-bit numbers, in an order of its own",
    "kernel_inspector.named": "{what}, {channel}: colors from minus {high} to {high}",
    "kernel_inspector.namedSpectrum": "Amplification by frequency, {channel}, {what}: from 0 to {high}",
    "kernel_inspector.namedGate": "{what}, {channel}: shares from 0 to 1",
    "kernel_inspector.numbers": "{channel}, 49 weights row by row: {numbers}. Arrow keys go from one to the next.",
}
