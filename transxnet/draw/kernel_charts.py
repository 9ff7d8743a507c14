"""IDConv's kernels as curves: which frequencies they pass, and how far the image moved them block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes

from ..results.kernels import KernelDepth, KernelSpectrum
from .figure import StudyFigure, Table
from .kernel_canvas import AMOUNT, BAR, HAIRLINE, LINE, MARGIN, SERIES, SMALL, WIDE, Canvas, legend, plain, under
from .scale import colorize
from .text import ACCENT, GRAY, number

CYCLES = "cycles per unit"


def spectrum_figure(
    generated: Sequence[KernelSpectrum], static: Sequence[KernelSpectrum], names: Sequence[str]
) -> StudyFigure:
    """Each variant's mean |FFT| of generated and of static kernels as images, and both radial profiles.

    generated, static: `kernel_spectrum(kernel_set, "generated")` and `kernel_spectrum(kernel_set, "static")` of the
    same blocks.
    """
    each = list(zip(generated, static, names, strict=True))
    both = [(part, f"{name}/{what}") for g, s, name in each for part, what in ((g, "generated"), (s, "static"))]
    parts, labels = zip(*both, strict=True)
    medians = {f"{label}/centroid": float(np.nanmedian(part.centroid)) for part, label in both}
    return StudyFigure(
        "kernel_spectrum", "Which frequencies the kernels pass",
        "Frequency response of one block's kernels: |FFT| of each, mean over channels, frequency 0 in the middle, "
        "directions as in the kernels; beside it the mean over rings of equal frequency (past 0.5 only slanting ones "
        "are left), the middle half of the generated channels shaded. A response that falls with frequency smooths, "
        "one that rises takes differences. Median centroid: "
        + ", ".join(f"{label.replace('/', ', ')} {number(medians[f'{label}/centroid'])}" for label in labels)
        + f" {CYCLES} (a single tap, which passes all alike, has 0.383).",
        "Square images of frequency responses, generated beside static, and curves of response over frequency.",
        "A unit is a step of the stage's grid, not a pixel, and the kernels act on normalized features: this says "
        "nothing about frequencies of the image itself. It is the response of these kernels alone: the block's "
        "residual paths and the layers after them pass frequencies of their own.",
        _draw_spectra(each), _spectrum_table(parts, labels), medians,
        under(("response", "frequencies", "radii", "profiles", "dc_gain", "centroid"), labels, parts),
    )  # fmt: skip


def _draw_spectra(each: Sequence[tuple[KernelSpectrum, KernelSpectrum, str]]) -> np.ndarray:
    canvas, parts = Canvas(), [part for g, s, _ in each for part in (g, s)]
    top = max(float(part.response.max()) for part in parts)
    drawn = [np.quantile(part.profiles, 0.75, axis=0) for part in parts] + [part.profile for part in parts]
    high = 1.05 * max(float(line.max()) for line in drawn)
    for g, s, name in each:
        canvas.heading(name, _spectrum_words(g, s))
        _spectrum_row(canvas, g, s, top, high)
    canvas.bar((0.0, top), "mean |FFT| over channels", AMOUNT)
    canvas.down += BAR
    return canvas.rgb()


def _spectrum_words(generated: KernelSpectrum, static: KernelSpectrum) -> str:
    pixels = 2 ** (generated.stage + 1)  # strides 4, 8, 16, 32 in every variant
    words = (
        f"stage {generated.stage}, block {generated.block}: {len(generated.profiles)} channels; a unit is {pixels} "
        f"view pixels; median centroid {number(np.nanmedian(generated.centroid))} {CYCLES}"
    )
    if np.array_equal(generated.profiles, static.profiles):
        return words + "; learned kernels, so generated and static are the same"
    return words + f" generated, {number(np.nanmedian(static.centroid))} static"


def _spectrum_row(canvas: Canvas, generated: KernelSpectrum, static: KernelSpectrum, top: float, high: float) -> None:
    side, gap, words = 300, 70, SMALL * LINE + 6
    for i, part in enumerate((generated, static)):
        x = MARGIN + 50 + i * (side + gap)
        canvas.text(x, canvas.down, ("generated", "static")[i], SMALL, GRAY)
        canvas.chart(x, canvas.down + words, side, side, lambda axes, part=part: _response(axes, part, top))
    x = MARGIN + 50 + 2 * (side + gap) + 50
    canvas.chart(x, canvas.down + words, WIDE - MARGIN - x, side, lambda axes: _profiles(axes, generated, static, high))
    canvas.down += words + side + 94


def _response(axes: Axes, part: KernelSpectrum, top: float) -> None:
    """Row 0 on top, so that a slanting kernel and its response slant as they do."""
    n = len(part.frequencies)
    low, high = -0.5 - 0.5 / n, 0.5 - 0.5 / n  # samples are 1 / n apart, their centres at the frequencies
    axes.imshow(colorize(part.response, (0.0, top), AMOUNT), extent=(low, high, high, low), aspect="auto")
    axes.set_xticks((low, 0, high), ("−0.5", "0", "0.5"))
    axes.set_yticks((low, 0, high), ("−0.5", "0", "0.5"))
    plain(axes, CYCLES)


def _profiles(axes: Axes, generated: KernelSpectrum, static: KernelSpectrum, high: float) -> None:
    low, up = np.quantile(generated.profiles, (0.25, 0.75), axis=0)
    axes.axvline(0.5, color=HAIRLINE, linewidth=0.8)
    axes.fill_between(generated.radii, low, up, color=ACCENT, alpha=0.15, linewidth=0)
    axes.plot(static.radii, static.profile, color=GRAY, linewidth=1.6, linestyle=(0, (4, 2)), label="static")
    axes.plot(generated.radii, generated.profile, color=ACCENT, linewidth=1.8, label="generated")
    axes.set(xlim=(0, float(generated.radii[-1])), ylim=(0, high), xticks=(0, 0.25, 0.5))
    plain(axes, f"{CYCLES}, in any direction", "mean |FFT|")
    legend(axes)


def _spectrum_table(parts: Sequence[KernelSpectrum], labels: Sequence[str]) -> Table:
    head = ("Kernels", "Median |sum of taps|", "Median centroid, cycles per unit", "Response at 0", "Response at 0.5")
    rows = [
        (
            label.replace("/", ", "), number(np.median(np.abs(p.dc_gain))), number(np.nanmedian(p.centroid)),
            number(p.profile[0]), number(p.profile[np.abs(p.radii - 0.5).argmin()]),
        )
        for p, label in zip(parts, labels, strict=True)
    ]  # fmt: skip
    return Table(head, rows)


def kernel_depth_figure(results: Sequence[KernelDepth], names: Sequence[str]) -> StudyFigure:
    """Distance from the static kernel and gate entropy over depth, a line a variant."""
    canvas, places = Canvas(), sorted({place for r in results for place in _places(r)})
    left, wide = MARGIN + 80, WIDE - 2 * MARGIN - 80
    canvas.text(MARGIN, canvas.down, "Distance from the static kernel, as a share of its size (median; shaded: the "
                "middle half of the channels)", SMALL, GRAY)  # fmt: skip
    canvas.chart(left, canvas.down + 32, wide, 300, lambda axes: _distances(axes, results, names, places))
    canvas.down += 32 + 300 + 76
    canvas.text(
        MARGIN,
        canvas.down,
        "Gate entropy. 1: even gates, the static kernel; 0: one learned kernel chosen",
        SMALL,
        GRAY,
    )
    canvas.chart(left, canvas.down + 32, wide, 220, lambda axes: _entropies(axes, results, places))
    canvas.down += 32 + 220 + 60
    peaks = {name: int(np.nanargmax(r.median_static_distance)) for r, name in zip(results, names, strict=True)}
    each = list(zip(results, names, strict=True))
    return StudyFigure(
        "kernel_depth", "Where in the network the image moves the kernels",
        "How far this image moved the kernels of every block from the static ones, and how decided the gates were. "
        + " ".join(_depth_words(r, name, peaks[name]) for r, name in each),
        "Two charts over the blocks from first to last: distance from the static kernel, and gate entropy.",
        "One image. A block whose kernels move much need not matter much: the what-ifs measure that. Entropy counts "
        "the gates, distance what they did: where learned kernels are alike, decided gates move nothing.",
        canvas.rgb(), _depth_table(results, names, places),
        {f"{name}/largest_distance": float(r.median_static_distance[peaks[name]]) for r, name in each}
        | {f"{name}/mean_entropy": float(r.gate_entropy.mean()) for r, name in each},
        under(("stages", "blocks", "groups", "static_distance", "gate_entropy"), names, results),
    )  # fmt: skip


def _places(result: KernelDepth) -> list[tuple[int, int]]:
    return list(zip(result.stages.tolist(), result.blocks.tolist(), strict=True))


def _depth_words(result: KernelDepth, name: str, peak: int) -> str:
    if (result.groups == 1).all():
        return f"{name}: learned kernels, the same for every image."
    where = f"stage {result.stages[peak]}, block {result.blocks[peak]}"
    return f"{name}: most in {where}, {number(result.median_static_distance[peak])} of the static kernel's size."


def _distances(axes: Axes, results: Sequence[KernelDepth], names: Sequence[str], places: list) -> None:
    for result, name, color in zip(results, names, _colors(len(results)), strict=True):
        static = " (learned, not generated)" if (result.groups == 1).all() else ""
        for at, part in _stages(result, places):
            low, median, up = result.static_distance[part].T
            axes.fill_between(at, low, up, color=color, alpha=0.13, linewidth=0)
            _line(axes, at, median, color, label=None if part[0] else name + static)
    axes.set_ylim(0, 1.2 * (axes.get_ylim()[1] or 1))  # room for the names
    _over_depth(axes, places)
    legend(axes, columns=3, place="upper left")


def _entropies(axes: Axes, results: Sequence[KernelDepth], places: list) -> None:
    for result, color in zip(results, _colors(len(results)), strict=True):
        mixed = np.where(
            result.groups > 1, result.gate_entropy, np.nan
        )  # where there is nothing to mix, nothing is drawn
        for at, part in _stages(result, places):
            _line(axes, at, mixed[part], color)
    axes.set_ylim(0, 1)
    _over_depth(axes, places)


def _stages(result: KernelDepth, places: list) -> Iterator[tuple[list[int], np.ndarray]]:
    """Stage by stage: where its blocks stand along the axis, and which they are among the result's."""
    at = [places.index(place) for place in _places(result)]
    for stage in np.unique(result.stages):
        part = np.flatnonzero(result.stages == stage)
        yield [at[i] for i in part], part


def _line(axes: Axes, at: Sequence[int], values: np.ndarray, color: str, label: str | None = None) -> None:
    axes.plot(at, values, color=color, linewidth=1.8, marker="o", markersize=4, label=label, clip_on=False, zorder=3)


def _over_depth(axes: Axes, places: Sequence[tuple[int, int]]) -> None:
    for i in range(1, len(places)):
        if places[i][0] != places[i - 1][0]:
            axes.axvline(i - 0.5, color=HAIRLINE, linewidth=0.8, zorder=0)
    axes.set_xlim(-0.5, len(places) - 0.5)
    axes.set_xticks(range(len(places)), [f"{stage}.{block}" for stage, block in places])
    plain(axes, "stage.block")


def _colors(n: int) -> list[str]:
    return [SERIES[i % len(SERIES)] for i in range(n)]


def _depth_table(results: Sequence[KernelDepth], names: Sequence[str], places: Sequence[tuple[int, int]]) -> Table:
    found = [
        dict(zip(_places(r), zip(r.median_static_distance, r.gate_entropy, r.groups, strict=True), strict=True))
        for r in results
    ]
    rows = []
    for place in places:
        cells: list[str] = []
        for by_place in found:
            distance, entropy, groups = by_place.get(place, (None, None, 0))
            cells += [number(distance) if groups else "", number(entropy) if groups > 1 else ""]
        rows.append((f"stage {place[0]}, block {place[1]}", *cells))
    return Table(("Block", *(f"{name}: {what}" for name in names for what in ("distance", "entropy"))), rows)
