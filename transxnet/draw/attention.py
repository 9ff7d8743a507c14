"""Figures of attention: how each head attends over depth, all heads at one position, rollout, and pathway energies.

Models that are compared share one image and one scale. Maps of queries and keys are drawn where their units are.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ..messages import Message
from ..results import AttentionFrom, Explanation, Geometry
from ..results.attention import FUSIONS, AttentionDepth, AttentionTo, PathwayEnergies, PositionAttention
from ..results.placement import interpolate
from . import strings
from .canvas import Canvas, Panel, axes_title, stage_axis, style_axes
from .figure import StudyFigure, Table, arrays_by_model, joined
from .overlay import mark, overlay, resized
from .scale import shared_range
from .text import ACCENT, GRAY, SOFT, number

BAND = 2.0  # inches: the charts of one model
COLORMAP = "magma"
MAX_PANELS = 6  # in a row
FAINTEST = -0.5  # log10 of a third of a uniform map: fainter values are not drawn
STEM_STRIDE = 4  # pixels from one window of the stem to the next
RING = 0.04  # radius over a panel's width
BLOCKS = "stage, its blocks from left to right"

# --- Over depth -------------------------------------------------------------------------------------------------------


def attention_depth_figure(results: Sequence[AttentionDepth], names: Sequence[str]) -> StudyFigure:
    """Entropy and mean distance of every block: a dot a head, a line through their means, dashes for uniform weights.

    Args:
        results: Of `attention_depth`, one a model; they share the scales.
        names: The models.
    """
    pairs = list(zip(results, names, strict=True))
    canvas = Canvas()
    canvas.legend([
        Line2D([], [], marker="o", ls="", mfc=SOFT, mec="none", ms=5, label="one head"),
        Line2D([], [], color=ACCENT, lw=1.4, marker="o", ms=3, label="mean of the heads"),
        Line2D([], [], color=GRAY, lw=0.9, ls="--", label="uniform attention"),
    ])  # fmt: skip
    farthest = 1.08 * max(max(b.distance.max(), b.uniform_distance) for r in results for b in r.blocks)
    for result, name in pairs:
        stages, uniform = [b.stage for b in result.blocks], [b.uniform_distance for b in result.blocks]
        left, right = _two_charts(
            canvas, stages, f"{name}: normalized entropy", f"{name}: mean distance (input pixels)"
        )
        _draw_heads(left, [b.entropy for b in result.blocks], [1.0] * len(stages), 1.08)
        _draw_heads(right, [b.distance for b in result.blocks], uniform, farthest)
    means = {name: (_mean_over_blocks(r, "entropy"), _mean_over_blocks(r, "distance")) for r, name in pairs}
    return StudyFigure(
        "attention_depth", strings.ATTENTION_DEPTH_TITLE,
        Message(
            strings.ATTENTION_DEPTH_CAPTION, models=joined([_depth_summary(result, name) for result, name in pairs]),
        ),
        f"Dots for heads over {len(results[0].blocks)} blocks, entropy left, distance right: " + "; ".join(
            f"{name}, entropy {number(r.blocks[0].entropy.mean())} in the first block and "
            f"{number(r.blocks[-1].entropy.mean())} in the last" for r, name in pairs
        ) + ".",
        strings.ATTENTION_DEPTH_LIMITS, canvas, _depth_table(pairs),
        {f"{name}/mean_{key}": value for name, both in means.items()
         for key, value in zip(("entropy", "distance"), both, strict=True)},
        {f"{name}/{key}": array for result, name in pairs for key, array in _depth_arrays(result).items()},
    )  # fmt: skip


def _two_charts(canvas: Canvas, stages: Sequence[int], *titles: str) -> list[Axes]:
    """Two charts side by side, a tick a block."""
    charts, half = [], canvas.width / 2
    for column, title in enumerate(titles):
        axes = canvas.axes(0.5 + column * half, canvas.y + 0.26, half - 0.62, BAND - 0.72)
        stage_axis(axes, stages)
        style_axes(axes, BLOCKS)
        axes_title(axes, title, half - 0.62)
        charts.append(axes)
    canvas.y += BAND
    return charts


def _draw_heads(axes: Axes, values: Sequence[np.ndarray], uniform: Sequence[float], top: float) -> None:
    blocks = np.arange(1, len(values) + 1)
    axes.plot(blocks, uniform, color=GRAY, lw=0.9, ls="--")
    for x, heads in zip(blocks, values, strict=True):
        axes.plot(np.full(len(heads), x), heads, "o", mfc=SOFT, mec="none", ms=5)
    axes.plot(blocks, [heads.mean() for heads in values], "o-", color=ACCENT, lw=1.4, ms=3)
    axes.set_ylim(0, top)


def _mean_over_blocks(result: AttentionDepth, key: str) -> float:
    """Every block has the same weight, whatever its number of heads."""
    return float(np.mean([getattr(block, key).mean() for block in result.blocks]))


def _depth_arrays(result: AttentionDepth) -> dict[str, np.ndarray]:
    """(blocks, heads), NaN where a block has fewer heads; (blocks,) and (blocks, 2)."""
    most = max(len(b.entropy) for b in result.blocks)
    padded = {
        key: np.array([
            np.pad(getattr(b, key), (0, most - len(b.entropy)), constant_values=np.nan) for b in result.blocks
        ]) for key in ("entropy", "distance")
    }  # fmt: skip
    return padded | {
        "places": np.array([(b.stage, b.block) for b in result.blocks]),
        "uniform_distance": np.array([b.uniform_distance for b in result.blocks]),
    }


def _depth_summary(result: AttentionDepth, name: str) -> Message:
    lowest = min(result.blocks, key=lambda b: b.entropy.min())
    return Message(
        strings.ATTENTION_DEPTH_MODEL, name=name, width=result.input_size[1], height=result.input_size[0],
        mean=number(_mean_over_blocks(result, "entropy")), lowest=number(lowest.entropy.min()), stage=lowest.stage,
        block=lowest.block, head=lowest.entropy.argmin() + 1,
    )  # fmt: skip


def _depth_table(pairs: Sequence[tuple[AttentionDepth, str]]) -> Table:
    rows = []
    for result, name in pairs:
        for b in result.blocks:
            cells = [text for v in (b.entropy, b.distance)
                     for text in (number(v.mean()), f"{number(v.min())} to {number(v.max())}")]  # fmt: skip
            label = f"{name}, stage {b.stage}, block {b.block}"
            rows.append((label, str(len(b.entropy)), *cells, number(b.uniform_distance)))
    entropy, distance = ("Mean entropy", "Entropy by head"), ("Mean distance, px", "Distance by head, px")
    return Table(("Block", "Heads", *entropy, *distance, "Uniform, px"), rows)


# --- Pathway energies -------------------------------------------------------------------------------------------------


def pathway_energy_figure(results: Sequence[PathwayEnergies], names: Sequence[str]) -> StudyFigure:
    """OSRA's share of the energy of D-Mixer's output, a bar a block: of all of it, and of its variation over positions.

    Args:
        results: Of `pathway_energies`, one a model.
        names: The models.
    """
    pairs = list(zip(results, names, strict=True))
    canvas = Canvas()
    canvas.legend([
        Line2D([], [], marker="s", ls="", color=ACCENT, ms=6, label="OSRA's share of the energy"),
        Line2D([], [], color=GRAY, lw=0.9, ls="--", label="both pathways equal"),
    ])  # fmt: skip
    for result, name in pairs:
        charts = _two_charts(
            canvas, result.stages.tolist(), f"{name}: whole output", f"{name}: variation over positions"
        )
        for axes, share in zip(charts, (result.osra_share, result.osra_varying_share), strict=True):
            axes.bar(np.arange(1, len(share) + 1), 100 * share, width=0.7, color=ACCENT)
            axes.axhline(50, color=GRAY, lw=0.9, ls="--")
            axes.set(ylim=(0, 100), yticks=(0, 50, 100), yticklabels=("0%", "50%", "100%"))
            style_axes(axes, BLOCKS)
    summaries = [
        Message(
            strings.PATHWAY_ENERGIES_MODEL, name=name,
            share=share_text(_mean(r.osra_share)), varying=share_text(_mean(r.osra_varying_share)),
        )
        for r, name in pairs
    ]  # fmt: skip
    shares = [(name, (("mean_share", r.osra_share), ("mean_varying_share", r.osra_varying_share))) for r, name in pairs]
    return StudyFigure(
        "pathway_energies", strings.PATHWAY_ENERGIES_TITLE,
        Message(strings.PATHWAY_ENERGIES_CAPTION, models=joined(summaries)),
        f"Bars for OSRA's share over {len(results[0].stages)} blocks: " + "; ".join(
            f"{name}, of the variation {share_text(r.osra_varying_share[0])} in the first block and "
            f"{share_text(r.osra_varying_share[-1])} in the last" for r, name in pairs
        ) + ".",
        strings.PATHWAY_ENERGIES_LIMITS, canvas, _energy_table(pairs),
        {f"{name}/{key}": _mean(share) for name, both in shares for key, share in both},
        arrays_by_model(("stages", "blocks", "idconv", "osra", "idconv_varying", "osra_varying"), names, results),
    )  # fmt: skip


def _mean(share: np.ndarray) -> float:
    finite = share[np.isfinite(share)]
    return float(finite.mean()) if finite.size else float("nan")


def share_text(share: float) -> str:
    """A share with three significant digits, down to 0.01%; "no energy" where it is undefined."""
    if not np.isfinite(share):
        return "no energy"
    return f"{number(100 * share)}%" if share == 0 or share >= 1e-4 else "< 0.01%"


def _energy_table(pairs: Sequence[tuple[PathwayEnergies, str]]) -> Table:
    rows = [
        (
            f"{name}, stage {r.stages[i]}, block {r.blocks[i]}", number(r.idconv[i]), number(r.osra[i]),
            share_text(r.osra_share[i]), number(r.idconv_varying[i]), number(r.osra_varying[i]),
            share_text(r.osra_varying_share[i]),
        )
        for r, name in pairs for i in range(len(r.stages))
    ]  # fmt: skip
    columns = "convolution", "OSRA", "OSRA's share"
    return Table(("Block", *columns, *(f"{column}, variation" for column in columns)), rows)


# --- All heads at one position ----------------------------------------------------------------------------------------


def attention_heads_figure(
    results: Sequence[PositionAttention], names: Sequence[str], photos: Sequence[np.ndarray]
) -> StudyFigure:
    """Mean, maximum and every head of one block: attention from the query at a position, and attention to its key.

    Args:
        results: Of `position_attention`, one a model.
        names: The models.
        photos: uint8 (H, W, 3), RGB: each model's crop. One range for all maps of a direction.
    """
    pairs = list(zip(results, names, strict=True))
    from_range = shared_range([r.attention_from.heads for r in results])
    to_range = shared_range([r.attention_to.heads for r in results])
    canvas, columns = Canvas(), _columns(max(len(_heads_drawn(r.attention_from)) for r in results))
    for (result, name), photo in zip(pairs, photos, strict=True):
        attention, users = result.attention_from, result.attention_to
        layer = f"{name}, stage {attention.stage}, block {attention.block}"
        (rows, cols), (query_rows, query_cols) = attention.keys.grid, users.queries.grid
        canvas.heading(
            f"{layer}: attention from the query",
            f"Query at row {attention.query[0]}, column {attention.query[1]}; {rows} × {cols} keys. Below each head: "
            "its normalized entropy (0 = one key, 1 = uniform) and its mean distance.",
        )
        position = attention.queries.center(*attention.query)
        canvas.panels(_head_panels(attention, attention.keys, position, photo, from_range, columns, canvas), columns)
        canvas.heading(
            f"{layer}: attention to the key",
            f"Key at row {users.key[0]}, column {users.key[1]}; {query_rows} × {query_cols} queries. Below each head: "
            "the sum of the weights that the key receives.",
        )
        position = users.keys.center(*users.key)
        canvas.panels(_head_panels(users, users.queries, position, photo, to_range, columns, canvas), columns)
    canvas.y += canvas.color_bar(from_range, "attention weight from the query to each key", COLORMAP)
    canvas.y += canvas.color_bar(to_range, "attention weight from each query to the key", COLORMAP)
    summaries = [
        Message(
            strings.ATTENTION_HEADS_MODEL, name=name,
            largest=number(r.attention_from.heads.max()), key=_uniform_multiple(_over_uniform(r)),
        )
        for r, name in pairs
    ]  # fmt: skip
    return StudyFigure(
        "attention_heads", strings.ATTENTION_HEADS_TITLE,
        Message(strings.ATTENTION_HEADS_CAPTION, models=joined(summaries)),
        "Small maps over the photo, mean, maximum and every head, in both directions: " + "; ".join(
            f"{name}: stage {r.attention_from.stage}, block {r.attention_from.block}, {len(r.attention_from.heads)} "
            "heads, the mean strongest at key row {}, column {}".format(
                *np.unravel_index(r.attention_from.mean.argmax(), r.attention_from.keys.grid)
            ) for r, name in pairs
        ) + ".",
        strings.ATTENTION_HEADS_LIMITS, canvas, _heads_table(pairs), _head_numbers(pairs),
        {f"{name}/{key}": array for r, name in pairs for key, array in
         (("query_to_keys", r.attention_from.heads), ("key_to_queries", r.attention_to.heads))},
    )  # fmt: skip


def _head_panels(
    attention: AttentionFrom | AttentionTo, grid: Geometry, position: tuple[float, float], photo: np.ndarray,
    value_range: tuple[float, float], columns: int, canvas: Canvas,
) -> list[Panel]:  # fmt: skip
    side, panels = canvas.panel_pixels(columns), []
    small = resized(photo, side)
    for head in _heads_drawn(attention):
        heatmap = interpolate(attention.head(head), grid, (side, side))
        rgb = mark(overlay(small, heatmap, value_range, COLORMAP), position, grid.input_size, RING)
        fused = isinstance(head, str)
        panels.append(Panel(head if fused else f"head {head}", rgb, () if fused else _head_caption(attention, head)))
    return panels


def _heads_drawn(attention: AttentionFrom | AttentionTo) -> tuple[int | str, ...]:
    """Every head, after the fusions of several."""
    heads = range(1, 1 + len(attention.heads))
    return (*FUSIONS, *heads) if len(heads) > 1 else (1,)


def _head_caption(attention: AttentionFrom | AttentionTo, head: int) -> list[str]:
    if isinstance(attention, AttentionTo):
        return [f"{number(attention.total[head - 1] / attention.uniform_total)} × uniform"]
    return [f"entropy {number(attention.entropy[head - 1])}", f"distance {number(attention.distance[head - 1])} px"]


def _over_uniform(result: PositionAttention) -> float:
    return float(result.attention_to.total.mean() / result.attention_to.uniform_total)


def _uniform_multiple(multiple: float) -> Message:
    if number(multiple) == "1":
        return Message(strings.ATTENTION_HEADS_KEY_UNIFORM)
    return Message(strings.ATTENTION_HEADS_KEY, multiple=number(multiple))


def _columns(panels: int) -> int:
    """As few rows as MAX_PANELS allows, filled evenly."""
    return max(4, -(-panels // -(-panels // MAX_PANELS)))


def _heads_table(pairs: Sequence[tuple[PositionAttention, str]]) -> Table:
    rows = []
    for result, name in pairs:
        maps, multiples = result.attention_from, result.attention_to.total / result.attention_to.uniform_total
        for head, heatmap in enumerate(maps.heads):
            values = maps.entropy[head], maps.distance[head], heatmap.max(), multiples[head]
            rows.append((f"{name}, head {head + 1}", *map(number, values)))
    return Table(("Head", "Entropy", "Mean distance, px", "Largest weight", "Weight of the key ÷ uniform"), rows)


def _head_numbers(pairs: Sequence[tuple[PositionAttention, str]]) -> dict[str, float]:
    numbers = {}
    for result, name in pairs:
        numbers[f"{name}/entropy"] = float(result.attention_from.entropy.mean())
        numbers[f"{name}/distance"] = float(result.attention_from.distance.mean())
        numbers[f"{name}/key_over_uniform"] = _over_uniform(result)
    return numbers


# --- Rollout ----------------------------------------------------------------------------------------------------------


def rollout_figure(
    results: Sequence[Sequence[Explanation]], names: Sequence[str], photos: Sequence[np.ndarray]
) -> StudyFigure:
    """Attention rollout at several layers, a row a model, in multiples of a uniform map on one scale.

    Args:
        results: Of each model its rollouts, a panel each.
        names: The models.
        photos: uint8 (H, W, 3), RGB: each model's crop.
    """
    logarithms = [[_log_multiple(r.heatmap) for r in row] for row in results]
    value_range = (FAINTEST, max(float(np.quantile(heatmap, 0.995)) for row in logarithms for heatmap in row))
    canvas, columns = Canvas(), _columns(max(map(len, results)))
    for row, heatmaps, name, photo in zip(results, logarithms, names, photos, strict=True):
        canvas.heading(name, "Attention rollout (approximation) over the named block and all blocks before it.")
        small, panels = resized(photo, canvas.panel_pixels(columns)), []
        for result, heatmap in zip(row, heatmaps, strict=True):
            input_size = result.geometry.input_size
            rgb = overlay(small, interpolate(heatmap, result.geometry, small.shape[:2]), value_range, COLORMAP)
            if "x" in result.numbers:
                rgb = mark(rgb, (result.numbers["x"], result.numbers["y"]), input_size, RING)
            moved = f"{share_text(result.numbers['from_uniform'])} moved by attention"
            panels.append(Panel(result.layer.partition(" and ")[0], rgb, [result.target, moved]))
        canvas.panels(panels, columns)
    canvas.y += canvas.color_bar(
        value_range, "× uniform (logarithmic, clipped at the 99.5th percentile)", COLORMAP, decades=True
    )
    summaries = [
        Message(strings.ROLLOUT_MODEL, name=name,
                share=share_text(row[-1].numbers["from_uniform"]))
        for row, name in zip(results, names, strict=True)
    ]  # fmt: skip
    pairs = [(f"{name}/{i}", r) for row, name in zip(results, names, strict=True) for i, r in enumerate(row, 1)]
    return StudyFigure(
        "rollout", strings.ROLLOUT_TITLE,
        Message(strings.ROLLOUT_CAPTION, stride=STEM_STRIDE, models=joined(summaries)),
        "Maps of attention rollout over the photo: " + "; ".join(
            f"{name}, {len(row)} maps" for row, name in zip(results, names, strict=True)
        ) + ".",
        strings.ROLLOUT_LIMITS, canvas, _rollout_table(results, names),
        {f"{place}/{key}": value for place, r in pairs for key, value in r.numbers.items()},
        {place: r.heatmap for place, r in pairs},
    )  # fmt: skip


def _log_multiple(heatmap: np.ndarray) -> np.ndarray:
    """log10 of multiples of a uniform map, averaged over the stem's stride to hide the overlap of its windows."""
    averaged = cv2.blur(heatmap * heatmap.size, (STEM_STRIDE, STEM_STRIDE), borderType=cv2.BORDER_REPLICATE)
    return np.log10(np.maximum(averaged, 10.0**FAINTEST))


def _rollout_table(results: Sequence[Sequence[Explanation]], names: Sequence[str]) -> Table:
    rows = []
    for row, name in zip(results, names, strict=True):
        for r in row:
            distance = number(r.numbers["distance"]) if "distance" in r.numbers else "–"
            shares = (share_text(r.numbers[key]) for key in ("from_uniform", "residual"))
            rows.append((f"{name}, {r.layer}", r.target, *shares, distance))
    return Table(("Rollout", "From", "Moved by attention", "By residual paths only", "Mean distance, px"), rows)
