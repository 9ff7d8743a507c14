"""Figures of receptive fields: one decomposed, how far several reach, and the published figure of several models.

Gradients of two models have the units of their own features, so raw values do not compare, but their spread does. When
models are compared, every map is drawn in multiples of a mean: for pathways the mean of the same model's full map, so
that raw values compare within a row. Colors are logarithmic, because the far parts of a field, which pathways are
about, are thousands of times fainter than its center.

Two things are called "published": the published *protocol*, RepLKNet's average over images (erf_protocol_figure), and
the published *formula* of r(t), which erf_curves_figure applies to the absolute gradient of one image at the model's
own input size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from ..messages import Message
from ..results.erf import SHARES, ContainmentCurve, ErfCurves, ErfPathways, ErfProtocol
from . import strings
from .canvas import Canvas, Panel, axes_legend, style_axes
from .figure import StudyFigure, Table, joined
from .overlay import mark, resized
from .scale import colorize
from .text import GRAY, SERIES, number, printable

DECADES = 6  # below the highest value
SAME_RANK = 0.98  # rank correlation above which two maps look the same
COLORMAP, RING = "viridis", 0.04
FORMULA, RAW_MAP = "published formula", "raw map"  # the two r(t)
SMALLEST = 5e-4  # of the input: smaller areas are written as "< 0.05%"


# --- Pathways ---------------------------------------------------------------------------------------------------------


def erf_pathways_figure(
    results: Sequence[ErfPathways], names: Sequence[str], photos: Sequence[np.ndarray]
) -> StudyFigure:
    """The receptive field of one unit, whole and with parts detached, in multiples of its full map's mean.

    Args:
        results: Of `erf_pathways`, one a model; all maps share one scale.
        names: The models.
        photos: uint8 (H, W, 3), RGB: each model's crop.
    """
    pairs = list(zip(results, names, strict=True))
    summaries = [
        Message(
            strings.ERF_PATHWAYS_MODEL,
            name=name, ratio=number(r.numbers["all/ratio"]), rank=number(r.numbers["all/rank"]),
        )
        for r, name in pairs if "all" in r.maps
    ]  # fmt: skip
    return StudyFigure(
        "erf_pathways", strings.ERF_PATHWAYS_TITLE,
        Message(strings.ERF_PATHWAYS_CAPTION, decades=DECADES, models=joined(summaries), similar=_similar_maps(pairs)),
        "Rows of maps about a marked unit, next to the photo: " + "; ".join(
            f"{name} ({', '.join(r.titles[part].lower() for part in r.maps)})" for r, name in pairs
        ) + ".",
        strings.ERF_PATHWAYS_LIMITS, _draw_pathways(pairs, photos), _pathways_table(pairs),
        {f"{name}/{key}": value for result, name in pairs for key, value in result.numbers.items()},
        {f"{name}/{part}": m.heatmap for result, name in pairs for part, m in result.maps.items()},
    )  # fmt: skip


def _draw_pathways(pairs: Sequence[tuple[ErfPathways, str]], photos: Sequence[np.ndarray]) -> Canvas:
    """A row a model, the photo first; several rows for a single model."""
    canvas, columns = Canvas(), 3 if len(pairs) == 1 else 1 + len(pairs[0][0].titles)
    side = canvas.panel_pixels(columns)
    logarithms = [
        {part: log_multiple(m.heatmap, result.full.heatmap.mean(), side) for part, m in result.maps.items()}
        for result, _ in pairs
    ]
    high = max((values.max() for row in logarithms for values in row.values()), default=0.0)
    low = min((float(np.quantile(values, 0.01)) for row in logarithms for values in row.values()), default=high)
    value_range = (max(high - DECADES, low), high)  # no wider than the maps need
    for (result, name), photo, maps in zip(pairs, photos, logarithms, strict=True):
        canvas.heading(name, f"{result.full.layer}, {result.full.target}")
        canvas.panels(_pathway_panels(result, resized(photo, side), maps, value_range), columns)
    units = "multiples of the mean of the model's full map (logarithmic)"
    canvas.y += canvas.color_bar(value_range, units, COLORMAP, decades=True)
    return canvas


def _pathway_panels(
    result: ErfPathways, photo: np.ndarray, maps: Mapping[str, np.ndarray], value_range: tuple[float, float]
) -> list[Panel]:
    """The photo and every map, or why a model has none."""
    position, size = (result.full.numbers["x"], result.full.numbers["y"]), result.full.geometry.input_size
    panels = [Panel("Photo", mark(photo, position, size, RING), ["the model input"])]
    for part, title in result.titles.items():
        if part in maps:
            rgb = mark(colorize(maps[part], value_range, COLORMAP), position, size, RING)
            panels.append(Panel(title, rgb, _pathway_caption(result, part)))
        else:
            panels.append(Panel(title, None, [result.missing[part]]))
    return panels


def _pathway_caption(result: ErfPathways, part: str) -> list[str]:
    half = f"50% within {_area(result.numbers[f'{part}/r50'])} of the input"
    if part == "full":
        return [half]
    rank = number(result.numbers[f"{part}/rank"])
    return [f"total {number(result.numbers[f'{part}/ratio'])} × that of the full map", half, f"rank correlation {rank}"]


def _similar_maps(pairs: Sequence[tuple[ErfPathways, str]]) -> str:
    """A sentence about the models whose maps all rank the pixels as the full map does; '' where there is none."""
    similar = []
    for result, name in pairs:
        ranks = [result.numbers[f"{part}/rank"] for part in result.maps if part != "full"]
        if ranks and min(ranks) > SAME_RANK:
            similar.append((result, name))
    if not similar:
        return ""
    early = all(result.full.layer.startswith("stage 1,") for result, _ in similar)
    return Message(
        strings.ERF_PATHWAYS_SIMILAR, models=" and ".join(name for _, name in similar), rank=SAME_RANK,
        hint="" if early else Message(strings.ERF_PATHWAYS_HINT),
    )  # fmt: skip


def _pathways_table(pairs: Sequence[tuple[ErfPathways, str]]) -> Table:
    rows = []
    for result, name in pairs:
        for part, title in result.titles.items():
            if part in result.missing:
                rows.append((name, title, result.missing[part], "–", "–", "–", "–"))
                continue
            keys = "ratio", "r50", "r99", "rank", "overlap"
            ratio, r50, r99, rank, overlap = (result.numbers.get(f"{part}/{key}", 1.0) for key in keys)
            rows.append((name, title, number(ratio), _area(r50), _area(r99), number(rank), number(overlap)))
    areas = "50% within, of the input", "99% within, of the input"
    return Table(("Model", "Map", "Total ÷ full total", *areas, "Rank correlation", "Top 10% overlap"), rows)


# --- Curves -----------------------------------------------------------------------------------------------------------


def erf_curves_figure(results: Sequence[ErfCurves], names: Sequence[str]) -> StudyFigure:
    """r(t) of several models in one chart: solid for the raw map, dashed for the published formula.

    Args:
        results: Of `erf_curves`, one a model.
        names: The models.
    """
    pairs = list(zip(results, names, strict=True))
    curves = [(name, curve) for r, name in pairs for curve in (r.published_curve, r.raw_curve)]
    return StudyFigure(
        "erf_curves", strings.ERF_CURVES_TITLE,
        Message(
            strings.ERF_CURVES_CAPTION, models=_half_areas(strings.ERF_CURVES_MODEL, pairs),
            layers="; ".join(dict.fromkeys(r.caption for r in results)),
        ),
        f"Rising curves of area against share of the gradient for {', '.join(names)}.",
        strings.ERF_CURVES_LIMITS,
        _draw_curves(pairs), _r_table([(name, r.published_curve, r.raw_curve) for r, name in pairs], FORMULA),
        {f"{n}/{c.kind}/r{100 * t:g}": c.area_at(t) for n, c in curves for t in SHARES},
        {f"{n}/{c.kind}": np.stack((c.shares, c.areas)) for n, c in curves},
    )  # fmt: skip


def _half_areas(template: str, pairs: Sequence[tuple[ErfCurves | ErfProtocol, str]]) -> Message:
    """The areas that hold half of the gradient, by both formulas, a sentence a model."""
    curves = [(name, r.raw_curve.area_at(0.5), r.published_curve.area_at(0.5)) for r, name in pairs]
    return joined([Message(template, name=name, raw=_area(a), published=_area(b)) for name, a, b in curves])


def _draw_curves(pairs: Sequence[tuple[ErfCurves, str]]) -> Canvas:
    canvas = Canvas()
    axes = canvas.axes(0.6, 0.1, 7.0, 2.8)
    axes.plot((0, 100), (0, 100), color=GRAY, lw=0.8, ls=":", label="uniform field")
    for i, (result, name) in enumerate(pairs):
        color, name = SERIES[i % len(SERIES)], printable(name)
        for curve, label, style in (
            (result.raw_curve, RAW_MAP, {"lw": 1.4}),
            (result.published_curve, FORMULA, {"ls": (0, (5, 3)), "lw": 1.1, "alpha": 0.6}),
        ):
            axes.plot(100 * curve.shares, 100 * curve.areas, color=color, label=f"{name}, {label}", **style)
    axes.set(xlim=(0, 100), ylim=(0, 100))
    style_axes(axes, "t: share of the gradient, %", "r(t): area of the square, % of the input")
    axes_legend(axes, location="upper left")
    canvas.y = 3.4
    return canvas


def _r_table(rows: Sequence[tuple[str, ContainmentCurve, ContainmentCurve]], published: str = "published") -> Table:
    head = ("Model", *(f"{kind} r({100 * t:g}%)" for t in SHARES for kind in (published, RAW_MAP)))
    cells = [(name, *(_area(curve.area_at(t), "none") for t in SHARES for curve in curves)) for name, *curves in rows]
    return Table(head, cells)


# --- Protocol ---------------------------------------------------------------------------------------------------------


def erf_protocol_figure(results: Sequence[ErfProtocol], names: Sequence[str], progress: str = "") -> StudyFigure:
    """The published figure of several models: A of each above its raw average, with r(t) of both.

    Args:
        results: Of `published_erf`, one a model.
        names: The models.
        progress: Of a run that is not finished, e.g. "12 of 50 images so far"; part of the image.
    """
    pairs = list(zip(results, names, strict=True))
    canvas, columns = Canvas(), _columns(len(results))
    canvas.heading("Effective receptive field, averaged over images", progress)
    for line in _provenance(pairs):
        canvas.paragraph(line)
    panels, bars = _protocol_panels(pairs, canvas.panel_pixels(columns))
    if len(pairs) == 1:  # the two maps of one model side by side
        panels = [[*panels[0], *panels[1]]]
    for row in panels:
        canvas.panels(row, columns)
    for value_range, units, decades in bars:
        canvas.y += canvas.color_bar(value_range, units, COLORMAP, decades=decades)
    no_square = [
        Message(strings.ERF_NO_SQUARE, name=name,
                share=f"{100 * min(r.published_curve.unreached_shares):g}")
        for r, name in pairs if r.published_curve.unreached_shares
    ]  # fmt: skip
    return StudyFigure(
        "erf", strings.ERF_TITLE,
        Message(
            strings.ERF_CAPTION, progress=f"{progress}. " if progress else "", images=joined(_provenance(pairs), " "),
            models=_half_areas(strings.ERF_MODEL, pairs), no_square=joined(no_square, ""),
        ),
        f"For each of {', '.join(names)} a map of the field on a logarithmic scale, and below it the raw average.",
        strings.ERF_LIMITS, canvas,
        _r_table([(name, r.published_curve, r.raw_curve) for r, name in pairs]),
        {f"{name}/{key}": value for r, name in pairs for key, value in r.numbers.items()},
        {f"{name}/heatmap": r.heatmap for r, name in pairs},
    )  # fmt: skip


def _columns(count: int) -> int:
    """Up to four side by side; more in two rows of the same length, as far as five fit."""
    return max(2, count) if count <= 4 else min(5, -(-count // 2))


def _protocol_panels(pairs: Sequence[tuple[ErfProtocol, str]], side: int) -> tuple[list[list[Panel]], list[tuple]]:
    """A row of A and a row of raw averages, and (range, units, whether logarithmic) of both color bars."""
    logarithms = [log_multiple(r.heatmap, r.heatmap.mean(), side) for r, _ in pairs]
    high = max(values.max() for values in logarithms)
    bars = [
        ((0.0, 1.0), "A = log10(mean gradient + 1) ÷ its maximum, for each model; square: holds 50%", False),
        ((high - DECADES, high), "raw average ÷ its mean (logarithmic, one scale); square: holds 50%", True),
    ]
    rows: list[list[Panel]] = [[], []]
    for (result, name), raw in zip(pairs, logarithms, strict=True):
        published = resized(result.log_heatmap, side), result.published_curve, "A, as published"
        for row, bar, (values, curve, label) in zip(
            rows, bars, (published, (raw, result.raw_curve, "Raw average")), strict=True
        ):
            rgb = _with_square(colorize(values, bar[0], COLORMAP), curve, result.size)
            row.append(Panel(name, rgb, [label, *_r_lines(curve)]))
    return rows, bars


def _provenance(pairs: Sequence[tuple[ErfProtocol, str]]) -> list[str]:
    """The images and the units: one sentence where it is the same for all models."""
    images, units = [], []
    for r, _ in pairs:
        folders = f" from {', '.join(r.folders)}" if r.folders else ""
        count = "1 image" if r.count == 1 else f"{r.count} images"
        each = "each " if r.count > 1 else ""
        images.append(f"{count}{folders}, {each}resized to {r.size} × {r.size} px. {r.note}".strip())
        layer = r.layer.split(",")[0].split(" (")[0]
        units.append(f"Unit: {layer}, row {r.unit[0]}, column {r.unit[1]}.")
    return [_by_model(pairs, images), _by_model(pairs, units)]


def _by_model(pairs: Sequence[tuple[ErfProtocol, str]], sentences: Sequence[str]) -> str:
    """One sentence for all, or each with the models to which it applies."""
    if len(set(sentences)) == 1:
        return sentences[0]
    models: dict[str, list[str]] = {}
    for (_, name), sentence in zip(pairs, sentences, strict=True):
        models.setdefault(sentence, []).append(name)
    return " ".join(f"{', '.join(names)}: {sentence}" for sentence, names in models.items())


def _r_lines(curve: ContainmentCurve) -> list[str]:
    kind = "published" if curve.kind == "published" else RAW_MAP
    shares, areas = ", ".join(f"{100 * t:g}" for t in SHARES), " · ".join(_digits(curve.area_at(t)) for t in SHARES)
    return [f"{kind} r({shares}%), in %:", areas]


def _with_square(rgb: np.ndarray, curve: ContainmentCurve, size: int) -> np.ndarray:
    """The map with the square that holds half, where it lies inside the input."""
    half, (x, y), scale = np.sqrt(curve.area_at(0.5)) * size / 2, curve.center, len(rgb) / size
    if not (np.isfinite(half) and min(x, y) - half >= -0.5 and max(x, y) + half <= size - 0.5):
        return rgb
    corners = [tuple(round(scale * (c + offset + 0.5)) for c in (x, y)) for offset in (-half, half)]
    return cv2.rectangle(rgb.copy(), *corners, (255, 255, 255), 2)


# --- Shared -----------------------------------------------------------------------------------------------------------


def log_multiple(heatmap: np.ndarray, mean: float, side: int) -> np.ndarray:
    """log10 of a map in multiples of a mean, as (side, side); zeros become very small."""
    return np.log10(np.maximum(resized(np.asarray(heatmap, np.float64) / (mean or 1.0), side), 1e-30))


def _area(share: float, missing: str = "not a number") -> str:
    return f"{_digits(share)}%" if np.isfinite(share) else missing


def _digits(share: float) -> str:
    """A share in percent; three digits of the area of a single pixel would be too precise."""
    if not np.isfinite(share):
        return "none"
    return number(100 * share) if share == 0 or share >= SMALLEST else f"< {100 * SMALLEST:g}"
