"""Tab Kernels: the inspector of one kernel."""

from __future__ import annotations

STRINGS = {
    "kernel_inspector.inspector": "Kernel inspector",
    "kernel_inspector.hold": "Click a kernel to pin it here.",
    "kernel_inspector.held": "Pinned. Press Escape or click again to release it.",
    "kernel_inspector.generated": "Kernel generated for this image",
    "kernel_inspector.learnedTitle": "Kernel used for every image",
    "kernel_inspector.mixed": "Weighted sum of {groups} learned kernels",
    "kernel_inspector.notGenerated": (
        "This model generates no kernels: each kernel is learned once and used for every image. There are no mixing "
        "weights and no difference; frequency response and arithmetic are shown as usual."
    ),
    "kernel_inspector.learned": "learned {group}",
    "kernel_inspector.gates": "mixing weights {group}",
    "kernel_inspector.static": "static",
    "kernel_inspector.difference": "difference",
    "kernel_inspector.weight": "weight",
    "kernel_inspector.gate": "mixing weight",
    "kernel_inspector.pointMix": (
        "Point at a cell. At each tap the image determines the weight of each learned kernel; the weights sum to 100%. "
        "Uniform weights give the static kernel for any image."
    ),
    "kernel_inspector.mixTap": "{tap}: {terms} = {value}. Uniform weights give {static}.",
    "kernel_inspector.passes": "Frequency response",
    "kernel_inspector.passesGenerated": "generated",
    "kernel_inspector.passesStatic": "static",
    "kernel_inspector.passesLearned": "learned",
    "kernel_inspector.magnitude": "gain",
    "kernel_inspector.frequency": "cycles per unit",
    "kernel_inspector.chart": "Gain by frequency, 0 to 0.71 cycles per unit: {lines}",
    "kernel_inspector.passesNote": (
        "Center = zero frequency (constant input), edges = highest frequency. Curves: mean gain at one distance from "
        "the center. High gain at the center blurs; low gain detects edges."
    ),
    "kernel_inspector.apart": "One output value, step by step",
    "kernel_inspector.underCrosshair": (
        "At the query position: row {row}, column {column} of {rows} × {columns} units. Move over your image or these "
        "maps to inspect another unit."
    ),
    "kernel_inspector.underPointer": "At the pointer: row {row}, column {column} of {rows} × {columns} units.",
    "kernel_inspector.beyond": "Hatched cells lie outside the map (zero padding).",
    "kernel_inspector.input": "input",
    "kernel_inspector.patch": "7 × 7 patch",
    "kernel_inspector.kernel": "kernel",
    "kernel_inspector.products": "49 products",
    "kernel_inspector.output": "output",
    "kernel_inspector.pointApart": "Point at a cell to see its numbers.",
    "kernel_inspector.apartTap": "{tap}: {input} × {weight} = {product}",
    "kernel_inspector.tap": "Row {row}, column {column}",
    "kernel_inspector.scales": (
        "Blue: negative, red: positive. Full color: input ±{input}, kernel ±{kernel}, products ±{products}, output "
        "±{output}."
    ),
    "kernel_inspector.sum": "sum of the products",
    "kernel_inspector.bias": "mixed bias",
    "kernel_inspector.biasLearned": "bias",
    "kernel_inspector.mine": "sum computed here",
    "kernel_inspector.theirs": "model output",
    "kernel_inspector.apartBy": "difference",
    "kernel_inspector.rounding": "the model sums in 32-bit floats, in a different order",
    "kernel_inspector.named": "{what}, {channel}: color scale from −{high} to {high}",
    "kernel_inspector.namedSpectrum": "Gain by frequency, {channel}, {what}: from 0 to {high}",
    "kernel_inspector.namedGate": "{what}, {channel}: weights from 0 to 1",
    "kernel_inspector.numbers": "{channel}, 49 weights by row: {numbers}. Arrow keys move between them.",
}
