"""Figures of IDConv's kernels: representatives, two images compared, mixing weights, frequencies, and depth.

Models are drawn below each other on one scale that diverges about zero, which is white.

Mixing weights (gates) are drawn minus 1/G: light gray is a gate that prefers no learned kernel, and such gates give the
static kernel. The gate of a tap comes from the features at the same place of a K x K grid (IDConv pools to K x K, then
applies 1x1 convolutions), so gates often resemble the image. They are not a saliency map.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from matplotlib.axes import Axes

from ..messages import Message
from ..results.kernels import KernelChange, KernelClusters, KernelDepth, KernelSet, KernelSpectrum
from . import strings
from .canvas import DPI, SIZE, Canvas, axes_legend, line_height, stage_axis, style_axes
from .figure import StudyFigure, Table, arrays_by_model, joined
from .scale import colorize, shared_range
from .text import ACCENT, GRAY, HAIRLINE, INK, SERIES, SOFT, number

WIDTH, MARGIN = 9.0, 0.25  # inches
IN_A_ROW = 12  # kernels
GATES, MAGNITUDE = "coolwarm", "viridis"
CHANGE_TAP, GATE_TAP, GATE_GAP = 18, 9, 7  # pixels
GATE_LABELS = 0.72  # inches, left of the kernels
CYCLES = "cycles per unit"
CHANGE_ARRAYS = ("first", "second", "static_kernels", "distance", "similarity", "gate_change", "static_distance")


def _canvas() -> Canvas:
    return Canvas(WIDTH, margin=MARGIN)


# --- Representatives --------------------------------------------------------------------------------------------------


def kernel_clusters_figure(
    results: Sequence[KernelClusters], names: Sequence[str], learned: Sequence[str] = ()
) -> StudyFigure:
    """The medoids of each model's clusters, each above a bar for the share of channels it represents.

    Args:
        results: Of `clusters`, one a model; all kernels share one scale.
        names: The models.
        learned: Those of the names whose kernels are learned, the same for every image, and not generated.
    """
    pairs = list(zip(results, names, strict=True))
    scale = shared_range([r.kernels for r in results], signed=True)
    return StudyFigure(
        "kernel_clusters", strings.KERNEL_CLUSTERS_TITLE,
        Message(
            strings.KERNEL_CLUSTERS_CAPTION, origin=_origin(names, learned), limit=number(scale[1]),
            models=joined([
                Message(strings.KERNEL_CLUSTERS_MODEL, name=name, share=number(100 * r.explained_ratio))
                for r, name in pairs
            ], " "),
        ),
        "Rows of small kernels, red above zero and blue below, with bars of how many channels each represents. "
        + " ".join(f"{name}: the largest represents {r.sizes[0]}." for r, name in pairs),
        strings.KERNEL_CLUSTERS_LIMITS, _draw_clusters(pairs, scale, learned),
        Table(("Medoid", "Channels", "Mean cosine similarity to it"), [
            (f"{name}, channel {medoid + 1}", str(size), number(cohesion))
            for r, name in pairs for medoid, size, cohesion in zip(r.medoids, r.sizes, r.cohesion, strict=True)
        ]),
        {f"{name}/explained": r.explained_ratio for r, name in pairs},
        arrays_by_model(("medoids", "kernels", "labels", "sizes", "similarity", "cohesion"), names, results),
    )  # fmt: skip


def _origin(names: Sequence[str], learned: Sequence[str]) -> Message:
    if not learned:
        return Message(strings.KERNEL_CLUSTERS_GENERATED)
    if set(names) <= set(learned):
        return Message(strings.KERNEL_CLUSTERS_LEARNED)
    return Message(strings.KERNEL_CLUSTERS_MIXED, models=", ".join(learned))


def _draw_clusters(
    pairs: Sequence[tuple[KernelClusters, str]], scale: tuple[float, float], learned: Sequence[str]
) -> Canvas:
    canvas, largest = _canvas(), max((r.sizes / len(r.labels)).max() for r, _ in pairs)
    for result, name in pairs:
        canvas.heading(
            name,
            f"{'learned kernels, ' if name in learned else ''}stage {result.stage}, block {result.block}: "
            f"{len(result.labels)} channels in {len(result.medoids)} clusters, which explain "
            f"{number(100 * result.explained_ratio)}% of the variation in shape",
        )
        for first in range(0, len(result.medoids), IN_A_ROW):
            _draw_cluster_row(canvas, result, slice(first, first + IN_A_ROW), scale, largest)
    canvas.text(WIDTH - MARGIN, canvas.y, "bars: share of the channels that each kernel represents", SIZE, GRAY,
                align="right")  # fmt: skip
    canvas.y += canvas.color_bar(scale, "weight", "RdBu_r", True, width=3)
    return canvas


def _draw_cluster_row(
    canvas: Canvas, result: KernelClusters, part: slice, scale: tuple[float, float], largest: float
) -> None:
    tap, gap, tall = 14, 16, 44 / DPI
    side = result.kernels.shape[-1] * tap / DPI
    bars = canvas.y + canvas.tiles(MARGIN, canvas.y, result.kernels[part], scale, tap, gap, IN_A_ROW) + 0.06
    for i, (medoid, size) in enumerate(zip(result.medoids[part], result.sizes[part], strict=True)):
        x, high = MARGIN + i * (side + gap / DPI), max(2, round(44 * size / len(result.labels) / largest)) / DPI
        canvas.rectangle(x, bars + tall - high, side, high, SOFT)
        for line, (label, color) in enumerate(((f"{size} of {len(result.labels)}", None), (f"ch. {medoid + 1}", GRAY))):
            y = bars + tall + 0.02 + line * line_height()
            canvas.text(x + side / 2, y, label, SIZE, color or INK, align="center")
    canvas.y = bars + tall + 2 * line_height() + 0.14


# --- Two images -------------------------------------------------------------------------------------------------------


def kernel_change_figure(
    results: Sequence[KernelChange],
    names: Sequence[str],
    photos: Sequence[tuple[np.ndarray, np.ndarray]],
    channels: Sequence[Sequence[int]] | None = None,
) -> StudyFigure:
    """The kernels of up to 12 channels for two images, and their differences, on one scale.

    Args:
        results: Of `kernel_change`, one a model.
        names: The models.
        photos: Each model's two crops, uint8 RGB.
        channels: Each model's channels, from 0, e.g. the medoids of its clusters; None takes those that differ most.
    """
    if channels:
        selected = [list(some)[:IN_A_ROW] for some in channels]
    else:
        order = [np.argsort(-np.nan_to_num(r.distance), kind="stable") for r in results]
        selected = [some[:IN_A_ROW].tolist() for some in order]
    medians = {name: _change_medians(result) for result, name in zip(results, names, strict=True)}
    triples = [np.stack([r.first, r.second, r.first - r.second])[:, c] for r, c in zip(results, selected, strict=True)]
    scale = shared_range(triples, signed=True)
    return StudyFigure(
        "kernel_change", strings.KERNEL_CHANGE_TITLE,
        Message(
            strings.KERNEL_CHANGE_CAPTION, limit=number(scale[1]),
            kernels=Message(strings.KERNEL_CHANGE_REPRESENTATIVE if channels else strings.KERNEL_CHANGE_MOST),
            models=", ".join(f"{name} {number(m['distance'])}" for name, m in medians.items()),
        ),
        "Two photos, each next to a dozen small kernels, red above zero and blue below, and a third dozen with their "
        "differences.",
        strings.KERNEL_CHANGE_LIMITS, _draw_change(results, names, photos, triples, selected, scale),
        Table(
            ("Model", "First to second", "First to static", "Second to static", "Between ÷ to static",
             "Cosine similarity", "Difference of gates"),
            [(name, *("n/a" if np.isnan(v) else number(v) for v in m.values())) for name, m in medians.items()],
        ),
        {f"{name}/{key}": value for name, m in medians.items() for key, value in m.items()},
        arrays_by_model(CHANGE_ARRAYS, names, results)
        | {f"{name}/channels": np.array(some) for name, some in zip(names, selected, strict=True)},
    )  # fmt: skip


def _change_medians(result: KernelChange) -> dict[str, float]:
    return {
        "distance": float(np.nanmedian(result.distance)),
        "first_from_static": float(np.nanmedian(result.static_distance[0])),
        "second_from_static": float(np.nanmedian(result.static_distance[1])),
        "against_static": result.relative_change,
        "similarity": float(np.nanmedian(result.similarity)),
        "gates": float(np.median(result.gate_change)),
    }


def _is_learned(result: KernelChange) -> bool:
    """Whether nothing can differ, because the kernels are learned and not generated."""
    return not np.nan_to_num(result.distance).any() and not np.nan_to_num(result.static_distance).any()


def _draw_change(
    results: Sequence[KernelChange], names: Sequence[str], photos: Sequence[tuple[np.ndarray, np.ndarray]],
    triples: Sequence[np.ndarray], selected: Sequence[Sequence[int]], scale: tuple[float, float],
) -> Canvas:  # fmt: skip
    canvas = _canvas()
    for result, name, crops, kernels, channels in zip(results, names, photos, triples, selected, strict=True):
        layer = f"stage {result.stage}, block {result.block}, {len(result.distance)} channels: "
        distance = number(np.nanmedian(result.distance))
        canvas.heading(name, layer + (
            "learned kernels, the same for both images" if _is_learned(result)
            else f"relative distance between the two {distance} (median over channels)"
        ))  # fmt: skip
        _draw_change_rows(canvas, result, crops, kernels, channels, scale)
    canvas.y += canvas.color_bar(scale, "weight or difference", "RdBu_r", True, width=3)
    return canvas


def _draw_change_rows(
    canvas: Canvas, result: KernelChange, crops: Sequence[np.ndarray], kernels: np.ndarray, channels: Sequence[int],
    scale: tuple[float, float],
) -> None:  # fmt: skip
    """Photos and numbers on the left, kernels in two lines each on the right, their differences below."""
    half, side, gap, step = IN_A_ROW // 2, kernels.shape[-1] * CHANGE_TAP, 24, 10  # pixels
    high, x = 2 * side + step, WIDTH - MARGIN - (half * (side + gap) - gap) / DPI

    def draw_kernels(values: np.ndarray, labels: Sequence[str]) -> None:
        below = line_height() if labels else 0.0
        for i, kernel in enumerate(values):
            left, top = x + i % half * (side + gap) / DPI, canvas.y + i // half * ((side + step) / DPI + below)
            canvas.tiles(left, top, kernel[None], scale, CHANGE_TAP, 1, 1)
            if labels:
                canvas.text(left + side / DPI / 2, top + side / DPI + 0.02, labels[i], SIZE, GRAY, align="center")

    for label, crop, values in zip(("first", "second"), crops, kernels[:2], strict=True):
        times = high / max(crop.shape[:2])
        size = [max(1, round(edge * times)) for edge in crop.shape[1::-1]]
        photo = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if times < 1 else cv2.INTER_CUBIC)
        canvas.image(MARGIN, canvas.y, photo, label)
        canvas.text(MARGIN + high / DPI + 0.1, canvas.y, label, SIZE, GRAY)
        draw_kernels(values, ())
        canvas.y += high / DPI + 0.15
    _draw_change_numbers(canvas, result, x - MARGIN - 0.25)
    draw_kernels(kernels[2], [f"ch. {channel + 1}: {result.distance[channel]:.2f}" for channel in channels])
    canvas.y += high / DPI + 2 * line_height() + 0.2


def _draw_change_numbers(canvas: Canvas, result: KernelChange, room: float) -> None:
    y = canvas.y
    for text in ("first minus second", "Below each kernel: its channel and the relative distance between the two."):
        y += canvas.wrapped(MARGIN, y, text, room) + 0.05
    if _is_learned(result):
        return
    medians = _change_medians(result)
    lines = {"first to second": "distance", "first to static": "first_from_static",
             "second to static": "second_from_static", "difference of gates": "gates"}  # fmt: skip
    canvas.text(MARGIN, y, "Median over channels", SIZE, GRAY)
    for label, key in lines.items():
        y += line_height()
        canvas.text(MARGIN, y, label)
        canvas.text(MARGIN + room, y, number(medians[key]), align="right")


# --- Mixing weights ---------------------------------------------------------------------------------------------------


def mixing_weights_figure(
    results: Sequence[KernelSet], names: Sequence[str], channels: Sequence[Sequence[int]] | None = None
) -> StudyFigure:
    """Gates of some channels above the kernels that they mix; gate entropy of each tap and of each channel.

    Args:
        results: Kernels of one block, one a model.
        names: The models.
        channels: Each model's up to 12 channels, from 0; None takes 12 from the most selective to the most uniform.
    """
    pairs = list(zip(results, names, strict=True))
    selected = [list(some)[:IN_A_ROW] for some in channels] if channels else [_by_entropy(r) for r in results]
    entropy = {name: float(r.gate_entropy.mean()) for r, name in pairs if len(r.gates) > 1}
    means = ", ".join(f"{name} {number(value)}" for name, value in entropy.items())
    rows = []
    for r, name in pairs:
        values = r.gate_entropy.mean(), r.tap_entropy.min(), r.tap_entropy.max()
        cells = [number(v) for v in values] if len(r.gates) > 1 else ["nothing to mix", "", ""]
        rows.append((name, str(len(r.kernels)), str(len(r.gates)), *cells))
    return StudyFigure(
        "kernel_gates", strings.KERNEL_GATES_TITLE,
        Message(strings.KERNEL_GATES_CAPTION, mean=Message(strings.KERNEL_GATES_MEAN, models=means) if means else ""),
        "Small squares of gates, blue below and red above uniform, over the kernels they mix; a histogram of entropy.",
        strings.KERNEL_GATES_LIMITS, _draw_gates(pairs, selected),
        Table(("Model", "Channels", "Learned kernels", "Mean gate entropy", "Most selective tap", "Most uniform tap"),
              rows),
        {f"{name}/entropy": value for name, value in entropy.items()},
        arrays_by_model(("gates", "gate_entropy", "tap_entropy"), names, results)
        | {f"{name}/channels": np.array(some) for name, some in zip(names, selected, strict=True)},
    )  # fmt: skip


def _by_entropy(result: KernelSet) -> list[int]:
    order = result.gate_entropy.argsort(kind="stable")
    return order[np.linspace(0, len(order) - 1, min(IN_A_ROW, len(order))).round().astype(int)].tolist()


def _gates_drawn(result: KernelSet) -> np.ndarray:
    """(groups drawn, C, K, K): gates - 1/G; only the first of two, since the second is 1 minus it; none of one."""
    groups = len(result.gates)
    return (result.gates - 1 / groups)[: groups - 1 if groups <= 2 else groups]


def _draw_gates(pairs: Sequence[tuple[KernelSet, str]], selected: Sequence[Sequence[int]]) -> Canvas:
    canvas, both = _canvas(), list(zip(pairs, selected, strict=True))
    weights = shared_range([part[some] for (r, _), some in both for part in (r.kernels, r.static_kernels)], signed=True)
    gates = shared_range([_gates_drawn(r)[:, some] for (r, _), some in both], signed=True)
    for (result, name), some in both:
        canvas.heading(name, _gates_subtitle(result))
        _draw_gate_rows(canvas, result, some, gates, weights)
    bars = [(weights, "weight", "RdBu_r", True)]
    if any(len(r.gates) > 1 for r, _ in pairs):
        bars += [(gates, "gate − 1/G", GATES, True), ((0.0, 1.0), "entropy", MAGNITUDE, False)]
    heights = [canvas.color_bar(*bar, x=MARGIN + 3 * i, width=2.5) for i, bar in enumerate(bars)]
    canvas.y += max(heights)
    return canvas


def _gates_subtitle(result: KernelSet) -> str:
    groups = len(result.gates)
    layer = f"stage {result.stage}, block {result.block}: {len(result.kernels)} channels, "
    if groups == 1:
        return layer + "one learned kernel each, the same for every image"
    second = " (the gate of the second is 1 minus that of the first)" if groups == 2 else ""
    return layer + f"{groups} learned kernels each{second}; mean gate entropy {number(result.gate_entropy.mean())}"


def _draw_gate_rows(canvas: Canvas, result: KernelSet, channels: Sequence[int], gates: tuple, weights: tuple) -> None:
    side, top, left = result.kernels.shape[-1] * GATE_TAP, canvas.y, MARGIN + GATE_LABELS
    rows = [(f"gate {g}", values[channels], gates, GATES) for g, values in enumerate(_gates_drawn(result), start=1)]
    rows += [("generated" if rows else "learned", result.kernels[channels], weights, "RdBu_r")]
    rows += [("static", result.static_kernels[channels], weights, "RdBu_r")] if len(rows) > 1 else []
    for label, values, scale, colormap in rows:
        canvas.text(MARGIN, canvas.y + 0.15, label, SIZE, GRAY)
        height = canvas.tiles(left, canvas.y, values, scale, GATE_TAP, GATE_GAP, IN_A_ROW, colormap)
        canvas.y += height + GATE_GAP / DPI
    for i, label in enumerate(("channel", *(str(channel + 1) for channel in channels))):
        x = left + ((i - 1) * (side + GATE_GAP) + side / 2) / DPI if i else MARGIN
        canvas.text(x, canvas.y, label, SIZE, GRAY, align="center" if i else "left")
    if len(result.gates) > 1:
        _draw_entropies(canvas, result, left + IN_A_ROW * (side + GATE_GAP) / DPI + 0.12, top)
    canvas.y += 2 * line_height()


def _draw_entropies(canvas: Canvas, result: KernelSet, x: float, y: float) -> None:
    """Entropy of each tap as a square, and a histogram of each channel's."""
    side = result.kernels.shape[-1] * 2 * GATE_TAP / DPI
    canvas.text(x, y, "entropy per tap", SIZE, GRAY)
    canvas.tiles(x, y + 0.18, result.tap_entropy[None], (0.0, 1.0), 2 * GATE_TAP, 1, 1, MAGNITUDE, signed=False)
    x += side + 0.38
    canvas.text(x, y, "channels by entropy", SIZE, GRAY)
    axes = canvas.axes(x, y + 0.18, WIDTH - MARGIN - 0.1 - x, side)
    axes.hist(result.gate_entropy, bins=np.linspace(0, 1, 21), color=ACCENT)
    axes.set(xlim=(0, 1), xticks=(0, 0.5, 1))
    style_axes(axes)


# --- Frequencies ------------------------------------------------------------------------------------------------------


def kernel_spectrum_figure(
    generated: Sequence[KernelSpectrum], static: Sequence[KernelSpectrum], names: Sequence[str]
) -> StudyFigure:
    """Mean |FFT| of each model's generated and static kernels as images, and the radial profiles of both.

    Args:
        generated: `kernel_spectrum(kernel_set, "generated")`, one a model.
        static: `kernel_spectrum(kernel_set, "static")` of the same blocks.
        names: The models.
    """
    triples = list(zip(generated, static, names, strict=True))
    labeled = {f"{name}/{kind}": part for g, s, name in triples for kind, part in (("generated", g), ("static", s))}
    medians = {f"{label}/centroid": float(np.nanmedian(part.centroid)) for label, part in labeled.items()}
    rows = [
        (
            label.replace("/", ", "), number(np.median(np.abs(p.dc_gain))), number(np.nanmedian(p.centroid)),
            number(p.profile[0]), number(p.profile[np.abs(p.radii - 0.5).argmin()]),
        )
        for label, p in labeled.items()
    ]  # fmt: skip
    return StudyFigure(
        "kernel_spectrum", strings.KERNEL_SPECTRUM_TITLE,
        Message(strings.KERNEL_SPECTRUM_CAPTION, models=", ".join(f"{row[0]} {row[2]}" for row in rows)),
        "Square images of frequency responses, generated next to static, and curves of response over frequency.",
        strings.KERNEL_SPECTRUM_LIMITS, _draw_spectra(triples),
        Table(("Kernels", "Median |sum of taps|", "Median centroid, cycles per unit", "Response at 0",
               "Response at 0.5"), rows),
        medians,
        arrays_by_model(("response", "frequencies", "radii", "profiles", "dc_gain", "centroid"), list(labeled),
                        list(labeled.values())),
    )  # fmt: skip


def _draw_spectra(triples: Sequence[tuple[KernelSpectrum, KernelSpectrum, str]]) -> Canvas:
    canvas, parts = _canvas(), [part for g, s, _ in triples for part in (g, s)]
    top = max(float(part.response.max()) for part in parts)
    lines = [np.quantile(part.profiles, 0.75, axis=0) for part in parts] + [part.profile for part in parts]
    high = 1.05 * max(float(line.max()) for line in lines)
    side, y_offset = 300 / DPI, line_height() + 0.04
    for g, s, name in triples:
        canvas.heading(name, _spectrum_subtitle(g, s))
        for i, (label, part) in enumerate((("generated", g), ("static", s))):
            x = MARGIN + 0.3 + i * (side + 0.45)
            canvas.text(x, canvas.y, label, SIZE, GRAY)
            _draw_response(canvas.axes(x, canvas.y + y_offset, side, side), part, top)
        x = MARGIN + 0.3 + 2 * (side + 0.45) + 0.3
        _draw_profiles(canvas.axes(x, canvas.y + y_offset, WIDTH - MARGIN - x, side), g, s, high)
        canvas.y += y_offset + side + 0.55
    canvas.y += canvas.color_bar((0.0, top), "mean |FFT| over channels", MAGNITUDE, width=3)
    return canvas


def _spectrum_subtitle(generated: KernelSpectrum, static: KernelSpectrum) -> str:
    pixels = 2 ** (generated.stage + 1)  # strides 4, 8, 16, 32 in every variant
    text = (
        f"stage {generated.stage}, block {generated.block}: {len(generated.profiles)} channels; a unit is {pixels} "
        f"input pixels; median centroid {number(np.nanmedian(generated.centroid))} {CYCLES}"
    )
    if np.array_equal(generated.profiles, static.profiles):
        return text + "; learned kernels, so generated and static are the same"
    return text + f" generated, {number(np.nanmedian(static.centroid))} static"


def _draw_response(axes: Axes, part: KernelSpectrum, top: float) -> None:
    """Row 0 on top, so that a diagonal kernel and its response have the same direction."""
    n = len(part.frequencies)
    low, high = -0.5 - 0.5 / n, 0.5 - 0.5 / n  # samples are 1 / n apart, their centers at the frequencies
    axes.imshow(colorize(part.response, (0.0, top), MAGNITUDE), extent=(low, high, high, low), aspect="auto")
    axes.set_xticks((low, 0, high), ("−0.5", "0", "0.5"))
    axes.set_yticks((low, 0, high), ("−0.5", "0", "0.5"))
    style_axes(axes, CYCLES)


def _draw_profiles(axes: Axes, generated: KernelSpectrum, static: KernelSpectrum, high: float) -> None:
    low, up = np.quantile(generated.profiles, (0.25, 0.75), axis=0)
    axes.axvline(0.5, color=HAIRLINE, linewidth=0.8)
    axes.fill_between(generated.radii, low, up, color=ACCENT, alpha=0.15, linewidth=0)
    axes.plot(static.radii, static.profile, color=GRAY, linewidth=1.6, linestyle=(0, (4, 2)), label="static")
    axes.plot(generated.radii, generated.profile, color=ACCENT, linewidth=1.8, label="generated")
    axes.set(xlim=(0, float(generated.radii[-1])), ylim=(0, high), xticks=(0, 0.25, 0.5))
    style_axes(axes, f"{CYCLES}, in any direction", "mean |FFT|")
    axes_legend(axes)


# --- Depth ------------------------------------------------------------------------------------------------------------


def kernel_depth_figure(results: Sequence[KernelDepth], names: Sequence[str]) -> StudyFigure:
    """Distance to the static kernel and gate entropy over depth, a line a model.

    Args:
        results: Of `kernel_depth`, one a model.
        names: The models.
    """
    pairs = list(zip(results, names, strict=True))
    blocks = sorted({block for result in results for block in _blocks(result)})
    peaks = {name: int(np.nanargmax(r.median_static_distance)) for r, name in pairs}
    return StudyFigure(
        "kernel_depth", strings.KERNEL_DEPTH_TITLE,
        Message(
            strings.KERNEL_DEPTH_CAPTION,
            models=joined([_depth_summary(r, name, peaks[name]) for r, name in pairs], " "),
        ),
        "Two charts over the blocks from first to last: distance to the static kernel, and gate entropy.",
        strings.KERNEL_DEPTH_LIMITS, _draw_depth(pairs, blocks), _depth_table(pairs, blocks),
        {f"{name}/largest_distance": float(r.median_static_distance[peaks[name]]) for r, name in pairs}
        | {f"{name}/mean_entropy": float(r.gate_entropy.mean()) for r, name in pairs},
        arrays_by_model(("stages", "blocks", "groups", "static_distance", "gate_entropy"), names, results),
    )  # fmt: skip


def _blocks(result: KernelDepth) -> list[tuple[int, int]]:
    return list(zip(result.stages.tolist(), result.blocks.tolist(), strict=True))


def _depth_summary(result: KernelDepth, name: str, peak: int) -> Message:
    if (result.groups == 1).all():
        return Message(strings.KERNEL_DEPTH_LEARNED, name=name)
    return Message(
        strings.KERNEL_DEPTH_MODEL, name=name, stage=result.stages[peak],
        block=result.blocks[peak], distance=number(result.median_static_distance[peak]),
    )  # fmt: skip


def _draw_depth(pairs: Sequence[tuple[KernelDepth, str]], blocks: list[tuple[int, int]]) -> Canvas:
    canvas, charts = _canvas(), []
    for title, height in (
        ("Relative distance to the static kernel (median over channels; shaded: interquartile range)", 1.9),
        ("Gate entropy: 1 = uniform (the static kernel), 0 = one learned kernel", 1.4),
    ):
        canvas.paragraph(title)
        charts.append(canvas.axes(MARGIN + 0.5, canvas.y + 0.05, WIDTH - 2 * MARGIN - 0.5, height))
        canvas.y += height + 0.5
    distances, entropies = charts
    for i, (result, name) in enumerate(pairs):
        color, learned = SERIES[i % len(SERIES)], (result.groups == 1).all()
        mixed = np.where(result.groups > 1, result.gate_entropy, np.nan)  # nothing is drawn where nothing is mixed
        line = {"color": color, "linewidth": 1.8, "marker": "o", "markersize": 4, "clip_on": False, "zorder": 3}
        for at, part in _stages(result, blocks):
            low, median, up = result.static_distance[part].T
            distances.fill_between(at, low, up, color=color, alpha=0.13, linewidth=0)
            label = None if part[0] else name + (" (learned, not generated)" if learned else "")
            distances.plot(at, median, label=label, **line)
            entropies.plot(at, mixed[part], **line)
    distances.set_ylim(0, 1.2 * (distances.get_ylim()[1] or 1))  # room for the names
    entropies.set_ylim(0, 1)
    for axes in charts:
        stage_axis(axes, [stage for stage, _ in blocks])
        style_axes(axes, "stage, its blocks from left to right")
    axes_legend(distances, columns=3, location="upper left")
    return canvas


def _stages(result: KernelDepth, blocks: list[tuple[int, int]]) -> Iterator[tuple[list[int], np.ndarray]]:
    """For each stage: where its blocks are on the axis, from 1, and which they are among the result's."""
    at = [1 + blocks.index(block) for block in _blocks(result)]
    for stage in np.unique(result.stages):
        part = np.flatnonzero(result.stages == stage)
        yield [at[i] for i in part], part


def _depth_table(pairs: Sequence[tuple[KernelDepth, str]], blocks: Sequence[tuple[int, int]]) -> Table:
    columns = [zip(r.median_static_distance, r.gate_entropy, r.groups, strict=True) for r, _ in pairs]
    values = [dict(zip(_blocks(r), column, strict=True)) for (r, _), column in zip(pairs, columns, strict=True)]
    rows = []
    for block in blocks:
        cells: list[str] = []
        for by_block in values:
            distance, entropy, groups = by_block.get(block, (None, None, 0))
            cells += [number(distance) if groups else "", number(entropy) if groups > 1 else ""]
        rows.append((f"stage {block[0]}, block {block[1]}", *cells))
    return Table(("Block", *(f"{name}: {what}" for _, name in pairs for what in ("distance", "entropy"))), rows)
