"""Attention over the depth of the model as figures: how wide each head looks, and how large the halves are.

What is compared stands in one image on one scale: variants below each other, blocks from left to right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..results.attention import AttentionDepth, PathwayEnergies
from .bars import SOFT, figure_rgb
from .figure import StudyFigure, Table
from .panels import DPI, TEXT, WIDTH
from .sheet import HAIRLINE
from .text import ACCENT, GRAY, INK, font, number, printable, shorten

BAND, HEAD, FOOT = 2.0, 0.26, 0.0  # inches: one variant's panels, the legend above all, what is left below

# --- Over depth -------------------------------------------------------------------------------------------------------


def depth_figure(results: Sequence[AttentionDepth], names: Sequence[str]) -> StudyFigure:
    """Entropy and mean distance of every block: a dot a head, a line through their means, dashes for uniform weights.

    One row a variant, entropy on the left from 0 to 1, distance on the right in view pixels, one scale for all.
    """
    figure = _figure(len(results))
    farthest = 1.08 * max(max(b.distance.max(), b.uniform_distance) for r in results for b in r.blocks)
    for row, (found, name) in enumerate(zip(results, names, strict=True)):
        stages = [b.stage for b in found.blocks]
        left = _panel(figure, len(results), row, 0, stages, f"{name}: entropy over log Nk")
        _dots(left, [b.entropy for b in found.blocks], [1.0] * len(stages), 1.08)
        right = _panel(figure, len(results), row, 1, stages, f"{name}: mean distance, view pixels")
        _dots(right, [b.distance for b in found.blocks], [b.uniform_distance for b in found.blocks], farthest)
    _legend(figure, [
        Line2D([], [], marker="o", ls="", mfc=SOFT, mec="none", ms=5, label="one head"),
        Line2D([], [], color=ACCENT, lw=1.4, marker="o", ms=3, label="mean of the heads"),
        Line2D([], [], color=GRAY, lw=0.9, ls="--", label="if every query weighed all keys alike"),
    ])  # fmt: skip
    return StudyFigure(
        "attention_depth", "Attention over depth", _depth_caption(results, names), _depth_alt(results, names),
        "A narrow head is not a good head, and a far one not one that matters: these are weights, not what was done "
        "with them. Only OSRA's half of the channels has attention.",
        figure_rgb(figure), _depth_table(results, names),
        {f"{name}/{key}": value for found, name in zip(results, names, strict=True) for key, value in
         (("mean_entropy", _mean_entropy(found)), ("mean_distance", _mean_distance(found)))},
        {f"{name}/{key}": array for found, name in zip(results, names, strict=True) for key, array in
         _depth_arrays(found).items()},
    )  # fmt: skip


def _dots(axes: Axes, values: Sequence[np.ndarray], uniform: Sequence[float], top: float) -> None:
    at = np.arange(1, len(values) + 1)
    axes.plot(at, uniform, color=GRAY, lw=0.9, ls="--")
    for x, heads in zip(at, values, strict=True):
        axes.plot(np.full(len(heads), x), heads, "o", mfc=SOFT, mec="none", ms=5)
    axes.plot(at, [heads.mean() for heads in values], "o-", color=ACCENT, lw=1.4, ms=3)
    axes.set_ylim(0, top)


def _mean_entropy(found: AttentionDepth) -> float:
    """Every block counts alike, whatever its number of heads."""
    return float(np.mean([b.entropy.mean() for b in found.blocks]))


def _mean_distance(found: AttentionDepth) -> float:
    return float(np.mean([b.distance.mean() for b in found.blocks]))


def _depth_arrays(found: AttentionDepth) -> dict[str, np.ndarray]:
    """(blocks, heads), NaN where a block has fewer heads; (blocks,) and (blocks, 2)."""
    heads = max(len(b.entropy) for b in found.blocks)

    def table(values: Callable) -> np.ndarray:
        return np.array([np.pad(values(b), (0, heads - len(values(b))), constant_values=np.nan) for b in found.blocks])

    return {
        "places": np.array([(b.stage, b.block) for b in found.blocks]),
        "entropy": table(lambda b: b.entropy),
        "distance": table(lambda b: b.distance),
        "uniform_distance": np.array([b.uniform_distance for b in found.blocks]),
    }


def _depth_caption(results: Sequence[AttentionDepth], names: Sequence[str]) -> str:
    said = []
    for found, name in zip(results, names, strict=True):
        narrow = min(found.blocks, key=lambda b: b.entropy.min())
        said.append(
            f"{name} (view {found.input_size[1]} × {found.input_size[0]} px): mean entropy "
            f"{number(_mean_entropy(found))}, lowest {number(narrow.entropy.min())} in stage {narrow.stage}, block "
            f"{narrow.block}, head {narrow.entropy.argmin() + 1}"
        )
    return (
        "Every block from left to right, each head the mean over all queries. Entropy of a query's weights over log "
        "Nk: 1 is all keys alike, 0 a single key. Distance: from the query to its keys in pixels of the view, "
        f"weighted. {'; '.join(said)}."
    )


def _depth_alt(results: Sequence[AttentionDepth], names: Sequence[str]) -> str:
    said = [
        f"{name}, entropy {number(found.blocks[0].entropy.mean())} in the first block and "
        f"{number(found.blocks[-1].entropy.mean())} in the last"
        for found, name in zip(results, names, strict=True)
    ]
    return f"Dots for heads over {len(results[0].blocks)} blocks, entropy left, distance right: {'; '.join(said)}."


def _depth_table(results: Sequence[AttentionDepth], names: Sequence[str]) -> Table:
    head = (
        "block",
        "heads",
        "entropy, mean",
        "lowest to highest head",
        "distance, px",
        "nearest to farthest",
        "uniform",
    )
    rows = []
    for found, name in zip(results, names, strict=True):
        for b in found.blocks:
            means = [(number(v.mean()), f"{number(v.min())} to {number(v.max())}") for v in (b.entropy, b.distance)]
            where = f"{name}, stage {b.stage}, block {b.block}"
            rows.append((where, str(len(b.entropy)), *means[0], *means[1], number(b.uniform_distance)))
    return Table(head, rows)


# --- Halves -----------------------------------------------------------------------------------------------------------


def halves_figure(results: Sequence[PathwayEnergies], names: Sequence[str]) -> StudyFigure:
    """OSRA's share of the energy of D-Mixer's output, a bar a block: all of it, and what varies over positions."""
    figure = _figure(len(results))
    for row, (found, name) in enumerate(zip(results, names, strict=True)):
        parts = ("all of the output", found.osra_share), ("what varies over positions", found.osra_varying_share)
        for column, (what, share) in enumerate(parts):
            axes = _panel(figure, len(results), row, column, found.stages.tolist(), f"{name}: {what}")
            axes.bar(np.arange(1, len(share) + 1), 100 * share, width=0.7, color=ACCENT)
            axes.axhline(50, color=GRAY, lw=0.9, ls="--")
            axes.set(ylim=(0, 100), yticks=(0, 50, 100), yticklabels=("0 %", "50 %", "100 %"))
    _legend(figure, [
        Line2D([], [], marker="s", ls="", color=ACCENT, ms=6, label="OSRA's share of the energy, a bar a block"),
        Line2D([], [], color=GRAY, lw=0.9, ls="--", label="both halves equally large"),
    ])  # fmt: skip
    return StudyFigure(
        "halves", "The two halves of D-Mixer", _halves_caption(results, names), _halves_alt(results, names),
        "A size, not an importance: taken before STE joins the halves, before LayerScale, and far from the classifier. "
        "What the answer loses without a half is another question, which the what-if answers.",
        figure_rgb(figure), _halves_table(results, names),
        {f"{name}/{key}": _mean(share) for found, name in zip(results, names, strict=True) for key, share in
         (("mean_share", found.osra_share), ("mean_varying_share", found.osra_varying_share))},
        {f"{name}/{key}": getattr(found, key) for found, name in zip(results, names, strict=True) for key in
         ("stages", "blocks", "idconv", "osra", "idconv_varying", "osra_varying")},
    )  # fmt: skip


def _mean(share: np.ndarray) -> float:
    known = share[np.isfinite(share)]
    return float(known.mean()) if known.size else float("nan")


def percent(share: float) -> str:
    """Three digits, down to a hundredth of a percent; "silent" where there is nothing to have a share of."""
    if not np.isfinite(share):
        return "silent"
    return f"{number(100 * share)} %" if share == 0 or share >= 1e-4 else "under 0.01 %"


def _halves_caption(results: Sequence[PathwayEnergies], names: Sequence[str]) -> str:
    said = [
        f"{name}: {percent(_mean(found.osra_share))} over all blocks, "
        f"{percent(_mean(found.osra_varying_share))} of what varies"
        for found, name in zip(results, names, strict=True)
    ]
    return (
        "Energy is the mean squared value of each half's output in every block. What is not OSRA's is IDConv's, or a "
        "static convolution's in a variant that generates no kernels. Right: after "
        "each channel's mean over positions is taken off, since a constant says nothing of places. OSRA's share, "
        f"{'; '.join(said)}."
    )


def _halves_alt(results: Sequence[PathwayEnergies], names: Sequence[str]) -> str:
    said = [
        f"{name}, of what varies {percent(found.osra_varying_share[0])} in the first block and "
        f"{percent(found.osra_varying_share[-1])} in the last"
        for found, name in zip(results, names, strict=True)
    ]
    return f"Bars for OSRA's share over {len(results[0].stages)} blocks: {'; '.join(said)}."


def _halves_table(results: Sequence[PathwayEnergies], names: Sequence[str]) -> Table:
    rows = []
    for found, name in zip(results, names, strict=True):
        for i, (stage, block) in enumerate(zip(found.stages, found.blocks, strict=True)):
            energies = (found.idconv[i], found.osra[i], found.idconv_varying[i], found.osra_varying[i])
            idconv, osra, idconv_varying, osra_varying = map(number, energies)
            rows.append((
                f"{name}, stage {stage}, block {block}", idconv, osra, percent(found.osra_share[i]),
                idconv_varying, osra_varying, percent(found.osra_varying_share[i]),
            ))  # fmt: skip
    head = (
        "block", "convolution", "OSRA", "OSRA's share",
        "convolution, varying", "OSRA, varying", "OSRA's share, varying",
    )  # fmt: skip
    return Table(head, rows)


# --- Panels over blocks -----------------------------------------------------------------------------------------------


def _figure(rows: int) -> Figure:
    return Figure(figsize=(WIDTH, HEAD + rows * BAND + FOOT), dpi=DPI, facecolor="white")


def _panel(figure: Figure, rows: int, row: int, column: int, stages: Sequence[int], title: str) -> Axes:
    """One place a block from left to right, stages parted by hairlines and numbered below."""
    high = HEAD + rows * BAND + FOOT
    left, wide = 0.5 + column * WIDTH / 2, WIDTH / 2 - 0.62
    top = HEAD + row * BAND + 0.26
    axes = figure.add_axes((left / WIDTH, 1 - (top + BAND - 0.72) / high, wide / WIDTH, (BAND - 0.72) / high))
    starts = [i for i, stage in enumerate(stages) if not i or stage != stages[i - 1]]
    ends = [*starts[1:], len(stages)]
    for start in starts[1:]:
        axes.axvline(start + 0.5, color=HAIRLINE, lw=0.8, zorder=0)
    axes.set(xlim=(0.5, len(stages) + 0.5), xticks=[(a + b + 1) / 2 for a, b in zip(starts, ends, strict=True)])
    axes.set_xticklabels([stages[start] for start in starts])
    axes.set_xlabel("stage, its blocks from left to right", color=GRAY, fontproperties=font(TEXT), labelpad=1)
    title = shorten(printable(title), wide * 72, TEXT, bold=True)
    axes.set_title(title, color=INK, fontproperties=font(TEXT, bold=True), loc="left", parse_math=False)
    axes.tick_params(colors=GRAY, length=0)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(font(TEXT))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set(color=HAIRLINE, linewidth=0.8)
    return axes


def _legend(figure: Figure, handles: Sequence[Line2D]) -> None:
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncol=len(handles), frameon=False,
        prop=font(TEXT), labelcolor=GRAY, borderaxespad=0.2, handletextpad=0.5, columnspacing=1.6,
    )  # fmt: skip
