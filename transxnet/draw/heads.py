"""Attention over the photo as figures: every head of one block at one point, and rollout from several stages.

Maps of queries and keys stand where their units are; all maps of one kind in a study_figure share one range of raw
values.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ..results import AttentionFrom, Explanation, Geometry
from ..results.attention import FUSIONS, AttentionTo, PositionAttention
from ..results.placement import interpolate
from .attention import percent
from .figure import StudyFigure, Table
from .overlay import overlay
from .panels import Panels, fit, ring
from .scale import shared_range
from .text import number

COLORMAP = "magma"
WIDEST = 6  # panels in a row
FAINT = -0.5  # log10 of a third of an even map: what is fainter is not drawn
STEM = 4  # pixels from one window of the stem to the next


# --- All heads at one point -------------------------------------------------------------------------------------------


def heads_figure(
    results: Sequence[PositionAttention], names: Sequence[str], photos: Sequence[np.ndarray]
) -> StudyFigure:
    """Mean, maximum and every head of one block: what the ringed query mixes in, then who uses the ringed key.

    photos: uint8 (H, W, 3), RGB, what each view covers. One range for all that queries mix in, one for all users.
    """
    asked = shared_range([r.attention_from.heads for r in results])
    used = shared_range([r.attention_to.heads for r in results])
    sheet = Panels(_columns(max(len(_maps_of(r.attention_from)) for r in results)))
    for found, name, photo in zip(results, names, photos, strict=True):
        maps, users = found.attention_from, found.attention_to
        where = f"{name}, stage {maps.stage}, block {maps.block}"
        sheet.heading(f"{where}: what the ringed query mixes in", _query_words(maps))
        _row(sheet, maps, maps.keys, maps.queries.center(*maps.query), photo, asked)
        sheet.heading(f"{where}: who uses the ringed key", _key_words(users))
        _row(sheet, users, users.queries, users.keys.center(*users.key), photo, used)
    sheet.bar(asked, "weight the ringed query gives each key", COLORMAP)
    sheet.bar(used, "weight each query gives the ringed key", COLORMAP)
    return StudyFigure(
        "attention_heads", "All heads at one point", _heads_caption(results, names), _heads_alt(results, names),
        "Weights say what was mixed into a position of one half of the channels, not why the answer was given. A key "
        "is no pixel: its window overlaps its neighbors', and it has seen far more than its window. A key that many "
        "use may be where there is nothing to see.",
        sheet.image(), _heads_table(results, names), _heads_numbers(results, names),
        {f"{name}/{key}": array for found, name in zip(results, names, strict=True) for key, array in
         (("query_to_keys", found.attention_from.heads), ("key_to_queries", found.attention_to.heads))},
    )  # fmt: skip


def _row(
    sheet: Panels, found: AttentionFrom | AttentionTo, grid: Geometry, at: tuple[float, float], photo: np.ndarray,
    value_range: tuple[float, float],
) -> None:  # fmt: skip
    side = sheet.pixels
    small = fit(photo, side)
    for head in _maps_of(found):
        heatmap = interpolate(found.head(head), grid, (side, side))
        title = head if isinstance(head, str) else f"head {head}"
        words = [] if isinstance(head, str) else _words_under(found, head)
        ring(sheet.panel(title, overlay(small, heatmap, value_range, COLORMAP), grid.input_size, words), at)
    sheet.new_row()


def _maps_of(found: AttentionFrom | AttentionTo) -> tuple[int | str, ...]:
    """What is drawn: every head, and the fused ones where there is something to fuse."""
    heads = range(1, 1 + len(found.heads))
    return (*FUSIONS, *heads) if len(heads) > 1 else (1,)


def _words_under(found: AttentionFrom | AttentionTo, head: int) -> list[str]:
    """head: from 1. What is worth knowing of a query's weights, or of those that a key gets."""
    if isinstance(found, AttentionTo):
        return [_even_share(found.total[head - 1] / found.uniform_total)]
    return [f"entropy {number(found.entropy[head - 1])}", f"{number(found.distance[head - 1])} px away"]


def _even_share(share: float) -> str:
    return "an even share" if number(share) == "1" else f"{number(share)} times an even share"


def _columns(panels: int) -> int:
    """As few rows as WIDEST allows, filled evenly."""
    rows = -(-panels // WIDEST)
    return max(4, -(-panels // rows))


def _query_words(maps: AttentionFrom) -> str:
    rows, cols = maps.keys.grid
    return (
        f"Query at row {maps.query[0]}, column {maps.query[1]}; {rows} × {cols} keys. Under each head its entropy, 0 "
        "(one key) to 1 (all alike), and how far away what it mixes in lies on average."
    )


def _key_words(users: AttentionTo) -> str:
    rows, cols = users.queries.grid
    return (
        f"Key at row {users.key[0]}, column {users.key[1]}; {rows} × {cols} queries. Under each head the weight that "
        "the key gets from all of them."
    )


def _heads_caption(results: Sequence[PositionAttention], names: Sequence[str]) -> str:
    said = [
        f"{name}: the largest weight any head of the query gives is {number(found.attention_from.heads.max())}, and "
        f"the key gets "
        f"{_even_share(found.attention_to.total.mean() / found.attention_to.uniform_total)}"
        for found, name in zip(results, names, strict=True)
    ]
    return (
        "OSRA's weights after the softmax, raw. Each query's weights sum to 1 over the keys, in every head and in the "
        "mean; the maximum over heads does not. Read the other way, the weights that queries give one key sum to "
        f"anything. {'; '.join(said)}."
    )


def _heads_alt(results: Sequence[PositionAttention], names: Sequence[str]) -> str:
    said = [
        f"{name}, stage {r.attention_from.stage}, block {r.attention_from.block}, {len(r.attention_from.heads)} "
        f"heads, the mean strongest at key row "
        "{}, column {}".format(*np.unravel_index(r.attention_from.mean.argmax(), r.attention_from.keys.grid))
        for r, name in zip(results, names, strict=True)
    ]
    return f"Small maps over the photo, mean, maximum and every head, forward and reverse: {'; '.join(said)}."


def _heads_table(results: Sequence[PositionAttention], names: Sequence[str]) -> Table:
    rows = []
    for found, name in zip(results, names, strict=True):
        maps, shares = found.attention_from, found.attention_to.total / found.attention_to.uniform_total
        for head, heatmap in enumerate(maps.heads):
            figures = (maps.entropy[head], maps.distance[head], heatmap.max(), shares[head])
            rows.append((f"{name}, head {head + 1}", *map(number, figures)))
    return Table(("head", "entropy", "mean distance, px", "largest weight", "key's weight over an even share"), rows)


def _heads_numbers(results: Sequence[PositionAttention], names: Sequence[str]) -> dict[str, float]:
    numbers = {}
    for found, name in zip(results, names, strict=True):
        numbers[f"{name}/entropy"] = float(found.attention_from.entropy.mean())
        numbers[f"{name}/distance"] = float(found.attention_from.distance.mean())
        numbers[f"{name}/key_over_even"] = float(found.attention_to.total.mean() / found.attention_to.uniform_total)
    return numbers


# --- Rollout ----------------------------------------------------------------------------------------------------------


def rollout_figure(
    results: Sequence[Sequence[Explanation]], names: Sequence[str], photos: Sequence[np.ndarray]
) -> StudyFigure:
    """Attention rollout of every variant, a row of several stages each, in multiples of an even map, on one scale.

    results: of each variant as many rollouts as there are to be panels. photos: what each view covers.
    """
    shown = [[_logarithm(r.heatmap) for r in row] for row in results]
    value_range = (FAINT, max(float(np.quantile(heatmap, 0.995)) for row in shown for heatmap in row))
    sheet = Panels(_columns(max(map(len, results))))
    for row, heatmaps, name, photo in zip(results, shown, names, photos, strict=True):
        sheet.heading(name, "Attention rollout, an approximation: down through the block named and all before it.")
        small = fit(photo, sheet.pixels)
        for found, heatmap in zip(row, heatmaps, strict=True):
            rgb = overlay(small, interpolate(heatmap, found.geometry, small.shape[:2]), value_range, COLORMAP)
            axes = sheet.panel(found.layer.partition(" and ")[0], rgb, found.geometry.input_size, [
                found.target, f"{percent(found.numbers['from_uniform'])} moved by attention",
            ])  # fmt: skip
            if "x" in found.numbers:
                ring(axes, (found.numbers["x"], found.numbers["y"]))
        sheet.new_row()
    sheet.bar(value_range, "times an even map, logarithmic; the highest 0.5 % alike", COLORMAP, decades=True)
    return StudyFigure(
        "rollout", "Attention rollout (approximation)", _rollout_caption(results, names),
        _rollout_alt(results, names),
        "An approximation: IDConv, DPE, MS-FFN's depthwise convolutions, STE, OSRA's local convolution, all norms and "
        "the weights of the residual branches are left out, and OSRA is half of the channels. It says where attention "
        "could have carried something from, not that it was used.",
        sheet.image(), _rollout_table(results, names),
        {f"{name}/{i}/{key}": value for row, name in zip(results, names, strict=True) for i, r in enumerate(row, 1)
         for key, value in r.numbers.items()},
        {f"{name}/{i}": r.heatmap for row, name in zip(results, names, strict=True) for i, r in enumerate(row, 1)},
    )  # fmt: skip


def _logarithm(heatmap: np.ndarray) -> np.ndarray:
    """log10 of multiples of an even map; means over the stem's stride, or its windows' overlap is a grid over all."""
    even = cv2.blur(heatmap * heatmap.size, (STEM, STEM), borderType=cv2.BORDER_REPLICATE)
    return np.log10(np.maximum(even, 10.0**FAINT))


def _rollout_caption(results: Sequence[Sequence[Explanation]], names: Sequence[str]) -> str:
    said = [
        f"{name}, last panel: {percent(row[-1].numbers['from_uniform'])} of the map moved by attention"
        for row, name in zip(results, names, strict=True)
    ]
    return (
        "In every block half of a unit's share stays on its residual path and half goes where OSRA's weights point, "
        "through the footprints of the reduction, of the steps between stages and of the stem, down to pixels. Drawn "
        f"as means over {STEM} × {STEM} pixels, the stem's stride. The coarse grid is where windows of keys overlap; "
        "the last rows and columns stay empty where no key's window reaches them. What attention moves is measured "
        f"against the same rollout with all weights alike. {'; '.join(said)}."
    )


def _rollout_alt(results: Sequence[Sequence[Explanation]], names: Sequence[str]) -> str:
    what = [f"{name}, {len(row)} maps" for row, name in zip(results, names, strict=True)]
    return f"Maps of attention rollout over the photo: {'; '.join(what)}."


def _rollout_table(results: Sequence[Sequence[Explanation]], names: Sequence[str]) -> Table:
    rows = []
    for row, name in zip(results, names, strict=True):
        for r in row:
            far = number(r.numbers["distance"]) if "distance" in r.numbers else "–"
            shares = (percent(r.numbers[key]) for key in ("from_uniform", "residual"))
            rows.append((f"{name}, {r.layer}", r.target, *shares, far))
    return Table(("rollout", "from", "moved by attention", "by residual paths only", "mean distance, px"), rows)
