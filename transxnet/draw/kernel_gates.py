"""IDConv's gates as a study_figure: for each tap how the image mixed the learned kernels, and how decided it was.

Gates are drawn less 1/G: light gray is a gate that chooses nothing, and such gates give the static kernel. The gate of
a tap comes from the part of the features at the same place of a K x K grid (IDConv pools to K x K, then uses 1x1
convolutions), so gates often look like the image. They are no saliency map for that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from ..results.kernels import KernelSet
from .figure import StudyFigure, Table
from .kernel_canvas import (
    ACROSS,
    AMOUNT,
    BAR,
    GATES,
    KERNELS,
    LINE,
    MARGIN,
    NOT_A_FILTER,
    SMALL,
    WIDE,
    Canvas,
    plain,
    under,
)
from .scale import shared_range
from .text import ACCENT, GRAY, number

TAP, GAP, LABEL = 9, 7, 116  # pixels: a tap, between tiles, for the words before them


def gates_figure(
    results: Sequence[KernelSet], names: Sequence[str], channels: Sequence[Sequence[int]] | None = None
) -> StudyFigure:
    """Gates per tap of chosen channels above the kernels they gave; gate entropy per tap and per channel.

    channels: for each variant up to 12, from 0; None takes 12 from the most decided gates to the most even.
    """
    each = list(zip(results, names, strict=True))
    chosen = [list(c)[:ACROSS] for c in channels] if channels else [_from_decided_to_even(r) for r in results]
    entropy = {name: float(r.gate_entropy.mean()) for r, name in each if len(r.gates) > 1}
    mean = ", ".join(f"{name} {number(value)}" for name, value in entropy.items())
    return StudyFigure(
        "kernel_gates", "How the image mixes the kernels",
        "For a dozen channels each tap's gate less 1/G (light gray: it chooses nothing), the kernel that came of it, "
        "and the static kernel of even gates. What lies at the same place of a 7 x 7 grid over the image decides a "
        "tap's gate. Beside them gate entropy, 0 (one learned kernel chosen) to 1 (even): mean over channels at each "
        "tap, and over taps in each channel." + (f" Mean: {mean}." if mean else ""),
        "Small squares of gates, blue below even and red above, over the kernels they gave; a histogram of entropy.",
        NOT_A_FILTER + "Gates may look like the image and are no saliency map: they say how kernels are mixed. Gates "
        "far from even move a kernel only where the learned kernels differ: see the distance from the static kernel.",
        _draw_gates(results, names, chosen), _gates_table(each),
        {f"{name}/entropy": value for name, value in entropy.items()},
        under(("gates", "gate_entropy", "tap_entropy"), names, results)
        | {f"{name}/channels": np.array(c) for name, c in zip(names, chosen, strict=True)},
    )  # fmt: skip


def _draw_gates(results: Sequence[KernelSet], names: Sequence[str], chosen: Sequence[Sequence[int]]) -> np.ndarray:
    pairs, canvas = list(zip(results, chosen, strict=True)), Canvas()
    weights = shared_range([part[some] for r, some in pairs for part in (r.kernels, r.static_kernels)], signed=True)
    gates = shared_range([_shown_gates(r)[:, some] for r, some in pairs], signed=True)
    for (result, some), name in zip(pairs, names, strict=True):
        canvas.heading(name, _gate_words(result))
        _gate_rows(canvas, result, some, gates, weights)
    canvas.bar(weights, "weight", KERNELS)
    if any(len(r.gates) > 1 for r in results):
        canvas.bar(gates, "gate less 1/G", GATES, x=MARGIN + 480)
        canvas.bar((0.0, 1.0), "entropy", AMOUNT, x=MARGIN + 960, wide=400)
    canvas.down += BAR
    return canvas.rgb()


def _gates_table(each: Sequence[tuple[KernelSet, str]]) -> Table:
    rows = []
    for r, name in each:
        found = (r.gate_entropy.mean(), r.tap_entropy.min(), r.tap_entropy.max())
        words = [number(v) for v in found] if len(r.gates) > 1 else ["nothing to mix", "", ""]
        rows.append((name, str(len(r.kernels)), str(len(r.gates)), *words))
    head = ("Variant", "Channels", "Learned kernels", "Mean gate entropy", "Most decided tap", "Most even tap")
    return Table(head, rows)


def _from_decided_to_even(result: KernelSet) -> list[int]:
    order = result.gate_entropy.argsort(kind="stable")
    return order[np.linspace(0, len(order) - 1, min(ACROSS, len(order))).round().astype(int)].tolist()


def _shown_gates(result: KernelSet) -> np.ndarray:
    """(shown groups, C, K, K): gates less 1/G; of two only the first, since the second is 1 - it; of one none."""
    groups = len(result.gates)
    return (result.gates - 1 / groups)[: groups - 1 if groups <= 2 else groups]


def _gate_words(result: KernelSet) -> str:
    groups = len(result.gates)
    words = f"stage {result.stage}, block {result.block}: {len(result.kernels)} channels, "
    if groups == 1:
        return words + "one learned kernel each: nothing to mix, the same for every image"
    more = ", the second's gate being 1 less the first's" if groups == 2 else ""
    return words + f"{groups} learned kernels each{more}; mean gate entropy {number(result.gate_entropy.mean())}"


def _gate_rows(canvas: Canvas, result: KernelSet, some: Sequence[int], gates: tuple, weights: tuple) -> None:
    side, top = result.kernels.shape[-1] * TAP, canvas.down
    rows = [(f"gate {g}", values[some], gates, GATES) for g, values in enumerate(_shown_gates(result), start=1)]
    rows += [("generated" if rows else "learned", result.kernels[some], weights, KERNELS)]
    rows += [("static", result.static_kernels[some], weights, KERNELS)] if len(rows) > 1 else []
    for name, values, scale, colors in rows:
        canvas.text(MARGIN, canvas.down + 24, name, SMALL, GRAY)
        canvas.down += canvas.tiles(MARGIN + LABEL, canvas.down, values, scale, TAP, GAP, ACROSS, colors) + GAP
    canvas.text(MARGIN, canvas.down, "channel", SMALL, GRAY)
    for i, channel in enumerate(some):
        x = MARGIN + LABEL + i * (side + GAP) + side / 2
        canvas.text(x, canvas.down, str(channel + 1), SMALL, GRAY, align="center")
    if len(result.gates) > 1:
        _entropies(canvas, result, MARGIN + LABEL + ACROSS * (side + GAP) + 20, top)
    canvas.down += 2 * SMALL * LINE


def _entropies(canvas: Canvas, result: KernelSet, x: float, y: float) -> None:
    """Entropy of each tap as a square, and a histogram of each channel's."""
    side = result.kernels.shape[-1] * 2 * TAP
    canvas.text(x, y, "entropy per tap", SMALL, GRAY)
    canvas.tiles(x, y + 28, result.tap_entropy[None], (0.0, 1.0), 2 * TAP, 1, 1, AMOUNT)
    x += side + 60
    canvas.text(x, y, "channels by entropy", SMALL, GRAY)
    canvas.chart(x, y + 28, WIDE - MARGIN - 16 - x, side, lambda axes: _histogram(axes, result.gate_entropy))


def _histogram(axes: Axes, entropy: np.ndarray) -> None:
    axes.hist(entropy, bins=np.linspace(0, 1, 21), color=ACCENT)
    axes.set(xlim=(0, 1), xticks=(0, 0.5, 1))
    plain(axes)
