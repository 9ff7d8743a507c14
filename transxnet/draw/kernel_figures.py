"""Plates of IDConv's kernels: the shapes that stand for all channels, and two images' kernels side by side.

Several variants stand below each other on one scale, which diverges about zero: white is zero. Gates are drawn by
kernel_gates.py, frequencies and depth by kernel_charts.py; all five figures are to be had here.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ..results.kernels import KernelChange, KernelClusters
from .bars import SOFT
from .figure import StudyFigure, Table
from .kernel_canvas import ACROSS, BAR, LINE, MARGIN, NOT_A_FILTER, SMALL, TEXT, WIDE, Canvas, under
from .kernel_charts import kernel_depth_figure, spectrum_figure
from .kernel_gates import gates_figure
from .scale import shared_range
from .text import GRAY, number

TAP = 18  # pixels, of the change study_figure

__all__ = ["change_figure", "clusters_figure", "gates_figure", "kernel_depth_figure", "spectrum_figure"]


def clusters_figure(
    results: Sequence[KernelClusters], names: Sequence[str], learned: Sequence[str] = ()
) -> StudyFigure:
    """The medoids of each variant's clusters, and under each a bar: the share of channels it stands for.

    learned: those of the names whose kernels are learned, the same for every image, and not generated.
    """
    each = list(zip(results, names, strict=True))
    scale = shared_range([r.kernels for r in results], signed=True)
    return StudyFigure(
        "kernel_clusters", "A dozen kernels for all channels",
        f"Kernels {_origin(names, learned)}, sorted by shape (k-medoids on 1 - cosine similarity) and drawn on one "
        f"scale, ±{number(scale[1])}. Each stands for the channels counted under it. "
        + " ".join(f"{name}: {number(100 * r.explained_ratio)} % of the variety of shapes." for r, name in each),
        "Rows of small kernels, red above zero and blue below, with bars of how many channels each stands for. "
        + " ".join(f"{name}: the largest stands for {r.sizes[0]}." for r, name in each),
        NOT_A_FILTER + "Sorting is by shape: a cluster may hold weak kernels and strong ones, and the number of "
        "clusters is a choice.",
        _draw_clusters(each, scale, learned),
        Table(("Medoid", "Channels", "Mean cosine similarity to it"), _cluster_rows(each)),
        {f"{name}/explained": r.explained_ratio for r, name in each},
        under(("medoids", "kernels", "labels", "sizes", "similarity", "cohesion"), names, results),
    )  # fmt: skip


def _origin(names: Sequence[str], learned: Sequence[str]) -> str:
    """What made the kernels of all variants, in words."""
    if not learned:
        return "generated for this image"
    if set(names) <= set(learned):
        return "learned, the same for every image"
    return f"generated for this image (of {', '.join(learned)}: learned, the same for every image)"


def _draw_clusters(
    each: Sequence[tuple[KernelClusters, str]], scale: tuple[float, float], learned: Sequence[str]
) -> np.ndarray:
    canvas, most = Canvas(), max((r.sizes / len(r.labels)).max() for r, _ in each)
    for result, name in each:
        canvas.heading(name, ("learned kernels, " if name in learned else "") + _cluster_words(result))
        for first in range(0, len(result.medoids), ACROSS):
            _cluster_line(canvas, result, slice(first, first + ACROSS), scale, most)
    canvas.bar(scale, "weight")
    words = "bars: share of the channels that each kernel stands for"
    canvas.text(WIDE - MARGIN, canvas.down + 16, words, SMALL, GRAY, align="right")
    canvas.down += BAR
    return canvas.rgb()


def _cluster_rows(each: Sequence[tuple[KernelClusters, str]]) -> list[tuple[str, ...]]:
    return [
        (f"{name}, channel {medoid + 1}", str(size), number(cohesion))
        for result, name in each
        for medoid, size, cohesion in zip(result.medoids, result.sizes, result.cohesion, strict=True)
    ]


def _cluster_words(result: KernelClusters) -> str:
    return (
        f"stage {result.stage}, block {result.block}: {len(result.labels)} channels in {len(result.medoids)} clusters, "
        f"which explain {number(100 * result.explained_ratio)} % of the variety of shapes"
    )


def _cluster_line(canvas: Canvas, result: KernelClusters, part: slice, scale: tuple[float, float], most: float) -> None:
    tap, gap, tall = 14, 16, 44
    side = result.kernels.shape[-1] * tap
    kernels, sizes = result.kernels[part], result.sizes[part]
    top = canvas.down
    top += canvas.tiles(MARGIN, top, kernels, scale, tap, gap, ACROSS) + 10
    for i, (medoid, size) in enumerate(zip(result.medoids[part], sizes, strict=True)):
        x = MARGIN + i * (side + gap)
        high = max(2, round(tall * size / len(result.labels) / most))
        canvas.rectangle(x, top + tall - high, side, high, SOFT)
        canvas.text(x + side / 2, top + tall + 4, f"{size} of {len(result.labels)}", TEXT, align="center")
        canvas.text(x + side / 2, top + tall + 4 + TEXT * LINE, f"ch. {medoid + 1}", SMALL, GRAY, align="center")
    canvas.down = top + tall + 4 + 2 * TEXT * LINE + 22


def change_figure(
    results: Sequence[KernelChange],
    names: Sequence[str],
    photos: Sequence[tuple[np.ndarray, np.ndarray]],
    channels: Sequence[Sequence[int]] | None = None,
) -> StudyFigure:
    """Two photos, a dozen channels' kernels for each, and what changed, on one scale for all.

    photos: for each variant the two views, uint8 RGB. channels: for each variant up to 12, from 0, e.g. the medoids of
    its clusters; None takes the 12 that change most.
    """
    chosen = [list(c)[:ACROSS] for c in channels] if channels else [_most_changed(r) for r in results]
    medians = {name: _medians(result) for result, name in zip(results, names, strict=True)}
    arrays = under(
        ("first", "second", "static_kernels", "distance", "similarity", "gate_change", "static_distance"),
        names,
        results,
    )
    image, largest = _draw_change(results, names, photos, chosen)
    return StudyFigure(
        "kernel_change", "Do the kernels move from image to image?",
        f"The kernels of {'chosen channels' if channels else 'the channels that change most'} for two images, and "
        f"the first's less the second's, all on one scale, ±{number(largest)}. Median distance between the two, as a "
        "share of the static kernel's size: "
        + ", ".join(f"{name} {number(m['distance'])}" for name, m in medians.items()) + ".",
        "Two photos, each beside a dozen small kernels, red above zero and blue below, and a third dozen: "
        "their differences.",
        NOT_A_FILTER + "That kernels move does not say that the answer depends on it, and another pair of images "
        "moves them more or less.",
        image, _change_table(results, names),
        {f"{name}/{key}": value for name, m in medians.items() for key, value in m.items()},
        arrays | {f"{name}/channels": np.array(c) for name, c in zip(names, chosen, strict=True)},
    )  # fmt: skip


def _draw_change(
    results: Sequence[KernelChange], names: Sequence[str], photos: Sequence[tuple[np.ndarray, np.ndarray]],
    chosen: Sequence[Sequence[int]],
) -> tuple[np.ndarray, float]:  # fmt: skip
    """The image, and the end of its scale."""
    shown = [_three(r)[:, c] for r, c in zip(results, chosen, strict=True)]  # each (3, n, K, K)
    scale, canvas = shared_range(shown, signed=True), Canvas()
    for result, name, pair, kernels, some in zip(results, names, photos, shown, chosen, strict=True):
        canvas.heading(name, _change_words(result))
        _change_rows(canvas, result, pair, kernels, some, scale)
    canvas.bar(scale, "weight or difference")
    canvas.down += BAR
    return canvas.rgb(), scale[1]


def _most_changed(result: KernelChange) -> list[int]:
    return np.argsort(-np.nan_to_num(result.distance), kind="stable")[:ACROSS].tolist()


def _three(result: KernelChange) -> np.ndarray:  # (3, C, K, K)
    return np.stack([result.first, result.second, result.first - result.second])


def _medians(result: KernelChange) -> dict[str, float]:
    """The change in numbers, medians over channels."""
    return {
        "distance": float(np.nanmedian(result.distance)),
        "first_from_static": float(np.nanmedian(result.static_distance[0])),
        "second_from_static": float(np.nanmedian(result.static_distance[1])),
        "against_static": result.relative_change,
        "similarity": float(np.nanmedian(result.similarity)),
        "gates": float(np.median(result.gate_change)),
    }


def _change_table(results: Sequence[KernelChange], names: Sequence[str]) -> Table:
    head = (
        "Variant", "Between the two", "First from static", "Second from static", "Between / from static",
        "Cosine similarity", "Change of gates",
    )  # fmt: skip
    rows = []
    for result, name in zip(results, names, strict=True):
        rows.append((name, *("none" if np.isnan(v) else number(v) for v in _medians(result).values())))
    return Table(head, rows)


def _still(result: KernelChange) -> bool:
    """Whether there was nothing to move: kernels that are learned, not generated."""
    return not np.nan_to_num(result.distance).any() and not np.nan_to_num(result.static_distance).any()


def _change_words(result: KernelChange) -> str:
    where = f"stage {result.stage}, block {result.block}, {len(result.distance)} channels: "
    if _still(result):
        return where + "learned kernels, exactly the same for both images"
    return where + f"kernels {number(np.nanmedian(result.distance))} of the static kernel's size apart (median)"


def _change_rows(
    canvas: Canvas, result: KernelChange, pair: Sequence[np.ndarray], kernels: np.ndarray, some: Sequence[int],
    scale: tuple[float, float],
) -> None:  # fmt: skip
    """Left the photos and the numbers, right the kernels in two lines each, and below them the differences."""
    gap, step = 24, 10
    side = kernels.shape[-1] * TAP
    x, high = WIDE - MARGIN - ACROSS // 2 * (side + gap) + gap, 2 * side + step
    for words, photo, part in zip(("first", "second"), pair, kernels[:2], strict=True):
        canvas.image(MARGIN, canvas.down, _square(photo, high))
        canvas.text(MARGIN + high + 16, canvas.down, words, SMALL, GRAY)
        for i, kernel in enumerate(part):
            canvas.tiles(*_at(i, x, canvas.down, side + gap, side + step), kernel[None], scale, TAP, 1, 1)
        canvas.down += high + 24
    _change_numbers(canvas, result, x - MARGIN - 40)
    for i, (kernel, channel) in enumerate(zip(kernels[2], some, strict=True)):
        left, top = _at(i, x, canvas.down, side + gap, side + step + SMALL * LINE)
        canvas.tiles(left, top, kernel[None], scale, TAP, 1, 1)
        canvas.text(left + side / 2, top + side + 4, f"ch. {channel + 1}: {result.distance[channel]:.2f}", SMALL, GRAY,
                    align="center")  # fmt: skip
    canvas.down += 2 * (side + step + SMALL * LINE) + 24


def _at(i: int, x: float, y: float, across: float, down: float) -> tuple[float, float]:
    return x + i % (ACROSS // 2) * across, y + i // (ACROSS // 2) * down


def _change_numbers(canvas: Canvas, result: KernelChange, room: float) -> None:
    y = canvas.down
    canvas.text(MARGIN, y, "first less second", SMALL, GRAY)
    y += SMALL * LINE
    y += canvas.block(MARGIN, y, "Under each kernel its channel and how far the two lie apart, as a share of the "
                      "static kernel's size.", room, SMALL) + 14  # fmt: skip
    if _still(result):
        return
    m = _medians(result)
    words = ("between the two", "first from static", "second from static", "gates differ by")
    canvas.text(MARGIN, y, "Median channel", SMALL, GRAY)
    for word, key in zip(words, ("distance", "first_from_static", "second_from_static", "gates"), strict=True):
        y += TEXT * LINE
        canvas.text(MARGIN, y, word, TEXT)
        canvas.text(MARGIN + room, y, number(m[key]), TEXT, align="right")


def _square(photo: np.ndarray, side: int) -> np.ndarray:
    share = side / max(photo.shape[:2])
    size = tuple(max(1, round(edge * share)) for edge in photo.shape[1::-1])
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC)
