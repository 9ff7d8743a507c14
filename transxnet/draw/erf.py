"""Receptive fields as figures: one taken apart, how far several reach, and the published figure of several models.

Gradients of two models are in units of their own features, so their raw values do not compare; how each spreads does.
Where variants stand together every map is drawn in multiples of a mean: for parts the mean of the same variant's full
map, so that within a row the raw values still compare. Colors stand for logarithms, because a field's far parts,
which the parts are about, are thousands of times fainter than its middle.

Two things carry a published name here: the published *protocol*, RepLKNet's average over images (protocol_figure), and
the published *formula* of r(t), which curves_figure applies to one image's absolute gradient at the model's own size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..results.erf import SHARES, ContainmentCurve, ErfCurves, ErfPathways, ErfProtocol
from .bars import figure_rgb
from .figure import StudyFigure, Table
from .panels import DPI, TEXT, WIDTH, Panels, fit, ring
from .scale import colorize
from .text import ACCENT, GRAY, INK, font, number, printable

DECADES = 6  # below the highest value
ALIKE = 0.98  # rank correlation: above it two maps look the same
LINES = (ACCENT, "#b3261e", "#3b5bb5", "#b8730a", "#7a3e9d", GRAY, "#1b1f23", "#5a8f3c")
LIMITS = (
    "A gradient speaks of small changes only, and every pixel reaches every unit through pooling and norms: a wide "
    "field is neither what the unit looks at nor a merit of its own."
)
COLORMAP = "viridis"
FORMULA, OURS = "published formula", "raw map"  # what the two r(t) are called
FAINTEST = 5e-4  # of the view: what is smaller is said to be


# --- Parts ------------------------------------------------------------------------------------------------------------


def parts_figure(results: Sequence[ErfPathways], names: Sequence[str], photos: Sequence[np.ndarray]) -> StudyFigure:
    """Every variant's field whole and with its modulators held, on one scale: multiples of its full map's mean.

    photos: uint8 (H, W, 3), RGB, what each view covers. A map that a variant cannot have says why.
    """
    pairs = list(zip(results, names, strict=True))
    return StudyFigure(
        "erf_pathways", "Receptive field, taken apart", _parts_caption(results, names),
        _parts_alt(results, names), LIMITS + " Shares do not add up: the ways multiply each other.",
        _parts_image(pairs, photos), _parts_table(results, names),
        {f"{name}/{key}": value for found, name in pairs for key, value in found.numbers.items()},
        {f"{name}/{part}": m.heatmap for found, name in pairs for part, m in found.maps.items()},
    )  # fmt: skip


def _parts_image(pairs: Sequence[tuple[ErfPathways, str]], photos: Sequence[np.ndarray]) -> np.ndarray:
    """A row a variant, the photo first; several rows where there is one variant only."""
    sheet = Panels(3 if len(pairs) == 1 else 1 + len(pairs[0][0].titles))
    logs = [
        {part: _log(m.heatmap, found.full.heatmap.mean(), sheet.pixels) for part, m in found.maps.items()}
        for found, _ in pairs
    ]
    high = max((values.max() for row in logs for values in row.values()), default=0.0)
    faint = min((float(np.quantile(values, 0.01)) for row in logs for values in row.values()), default=high)
    value_range = (max(high - DECADES, faint), high)  # no wider than the maps need
    for (found, name), photo, maps in zip(pairs, photos, logs, strict=True):
        sheet.heading(name, f"{found.full.layer}, {found.full.target}")
        _parts_row(sheet, found, photo, maps, value_range)
    sheet.bar(value_range, "times the mean of the variant's full map, logarithmic", COLORMAP, decades=True)
    return sheet.image()


def _parts_row(
    sheet: Panels,
    found: ErfPathways,
    photo: np.ndarray,
    maps: Mapping[str, np.ndarray],
    value_range: tuple[float, float],
) -> None:
    """One variant's photo and maps, or why it has none. maps: part -> what is colored."""
    full = found.full
    position, size = (full.numbers["x"], full.numbers["y"]), full.geometry.input_size
    ring(sheet.panel("Photo", fit(photo, sheet.pixels), size, ["the view"]), position)
    for part, title in found.titles.items():
        if part in maps:
            rgb = colorize(maps[part], value_range, COLORMAP)
            ring(sheet.panel(title, rgb, size, _part_words(found, part)), position)
        else:
            sheet.words(title, found.missing[part])
    sheet.new_row()


def _part_words(found: ErfPathways, part: str) -> list[str]:
    half = f"half within {_percent(found.numbers[f'{part}/r50'])}"
    if part == "full":
        return [half]
    rank = number(found.numbers[f"{part}/rank"])
    return [f"{_percent(found.numbers[f'{part}/share'])} of the total", half, f"rank correlation {rank}"]


def _alike(found: ErfPathways) -> bool:
    """Whether every map ranks the pixels as the full one does: there is nothing to take apart."""
    ranks = [found.numbers[f"{part}/rank"] for part in found.maps if part != "full"]
    return bool(ranks) and min(ranks) > ALIKE


def _parts_caption(results: Sequence[ErfPathways], names: Sequence[str]) -> str:
    said = "; ".join(
        f"{name}: with everything held {_percent(found.numbers['all/share'])} of the full map's total is left, "
        f"rank correlation {number(found.numbers['all/rank'])}"
        for found, name in zip(results, names, strict=True) if "all" in found.maps
    )  # fmt: skip
    return (
        "Absolute gradient of the ringed unit's features by pixel. In each map but the first something keeps its "
        "values and passes no gradient: IDConv's generated kernels and biases, OSRA's weights, GroupNorm's statistics, "
        "all of them. One scale, multiples of the same variant's full mean, as raw gradients of two models have no "
        f"common unit; colors logarithmic, over {DECADES} powers of ten at most: what is fainter is dark. {said}."
        + _alike_words(list(zip(results, names, strict=True)))
    )


def _alike_words(pairs: Sequence[tuple[ErfPathways, str]]) -> str:
    alike = [(found, name) for found, name in pairs if _alike(found)]
    if not alike:
        return ""
    early = all(found.full.layer.startswith("stage 1,") for found, _ in alike)
    return (
        f" {' and '.join(name for _, name in alike)}: here hardly anything modulates, all maps rank the pixels alike "
        f"(rank correlations above {ALIKE}), and what is seen is nearly all{'' if early else '; try stage 1'}."
    )


def _parts_alt(results: Sequence[ErfPathways], names: Sequence[str]) -> str:
    what = [f"{name} ({', '.join(found.titles[part].lower() for part in found.maps)})" for found, name in
            zip(results, names, strict=True)]  # fmt: skip
    return f"Rows of maps about a ringed unit beside the photo: {'; '.join(what)}."


def _parts_table(results: Sequence[ErfPathways], names: Sequence[str]) -> Table:
    head = ("model", "held", "of the full total", "half within", "99 % within", "rank correlation", "top 10 % overlap")
    rows = []
    for found, name in zip(results, names, strict=True):
        for part, title in found.titles.items():
            if part in found.missing:
                rows.append((name, title, found.missing[part], "–", "–", "–", "–"))
                continue
            one = {key: found.numbers.get(f"{part}/{key}", 1.0) for key in ("share", "r50", "r99", "rank", "overlap")}
            percents = [_percent(one[key]) for key in ("share", "r50", "r99")]
            rows.append((name, title, *percents, number(one["rank"]), number(one["overlap"])))
    return Table(head, rows)


# --- Curves -----------------------------------------------------------------------------------------------------------


def curves_figure(results: Sequence[ErfCurves], names: Sequence[str]) -> StudyFigure:
    """r(t) of several variants in one diagram: the raw map's solid, the published formula's dashed."""
    pairs = list(zip(results, names, strict=True))
    half = "; ".join(
        f"{n}: {_percent(f.raw_curve.area_at(0.5))} ({FORMULA} {_percent(f.published_curve.area_at(0.5))})"
        for f, n in pairs
    )
    return StudyFigure(
        "erf_curves", "How far the field reaches",
        f"r(t): area of the smallest square that holds a share t of the gradient. Solid, {OURS}: of the gradient as it "
        f"is, about the unit's own pixel. Dashes, {FORMULA}: of log10(gradient + 1) about the view's middle, but of "
        "this one image's absolute gradient at the model's own size; the published protocol averages many images "
        f"at 1024 px. Half within {half}. {'; '.join(dict.fromkeys(f.caption for f in results))}.",
        f"Rising curves of area against share of the gradient for {', '.join(names)}.",
        "No figure here is to be set beside published ones: that takes the published protocol. The published formula "
        "depends on the gradient's units: compare models by the solid curves. " + LIMITS,
        _curves_image(pairs), _r_table([(n, f.published_curve, f.raw_curve) for f, n in pairs], FORMULA),
        {f"{n}/{c.kind}/r{100 * t:g}": c.area_at(t)
         for f, n in pairs for c in (f.published_curve, f.raw_curve) for t in SHARES},
        {f"{n}/{c.kind}": np.stack((c.shares, c.areas)) for f, n in pairs for c in (f.published_curve, f.raw_curve)},
    )  # fmt: skip


def _curves_image(pairs: Sequence[tuple[ErfCurves, str]]) -> np.ndarray:
    """The diagram alone: two entries of the legend a variant, drawn as its curves are."""
    figure = Figure(figsize=(WIDTH, 3.4), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.075, 0.155, 0.9, 0.82))
    axes.plot((0, 100), (0, 100), color=GRAY, lw=0.8, ls=":", label="an even field")
    for i, (found, name) in enumerate(pairs):
        color, (sound, published) = LINES[i % len(LINES)], (found.raw_curve, found.published_curve)
        axes.plot(100 * sound.shares, 100 * sound.areas, color=color, lw=1.4, label=f"{printable(name)}, {OURS}")
        axes.plot(
            100 * published.shares, 100 * published.areas, color=color, ls=(0, (5, 3)), lw=1.1, alpha=0.6,
            label=f"{printable(name)}, {FORMULA}",
        )  # fmt: skip
    axes.set(xlim=(0, 100), ylim=(0, 100))
    axes.set_xlabel("t: share of the gradient held, %", color=INK, fontproperties=font(TEXT))
    axes.set_ylabel("r(t): area of the square, % of the view", color=INK, fontproperties=font(TEXT))
    _plain(axes)
    for text in axes.legend(frameon=False, loc="upper left", prop=font(TEXT)).get_texts():
        text.set_parse_math(False)
    return figure_rgb(figure)


def _plain(axes: Axes) -> None:
    """Hairlines on two sides, gray figures."""
    for side, spine in axes.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=GRAY, linewidth=0.6)
    axes.tick_params(colors=GRAY, width=0.6, length=3)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(font(TEXT))


def _r_table(rows: Sequence[tuple[str, ContainmentCurve, ContainmentCurve]], published: str = "published") -> Table:
    """published: what the first of both is called."""
    head = ("model", *(f"{kind} r({100 * t:g} %)" for t in SHARES for kind in (published, OURS)))
    cells = [
        (name, *(_percent(curve.area_at(t), "none found") for t in SHARES for curve in curves))
        for name, *curves in rows
    ]
    return Table(head, cells)


# --- Protocol ---------------------------------------------------------------------------------------------------------


def protocol_figure(results: Sequence[ErfProtocol], names: Sequence[str], state: str = "") -> StudyFigure:
    """The published figure of several models: A of each above its raw average, with both r(t).

    state: of a run that is not finished, e.g. "12 of 50 images so far"; stands in the image.
    """
    pairs = list(zip(results, names, strict=True))
    sheet = Panels(_columns(len(results)))
    sheet.heading("Effective receptive field, averaged over images", state)
    for line in _taken(pairs):
        sheet.line(line)
    rows = _protocol_rows(pairs, sheet.pixels)
    for kind, shown, value_range, _ in rows:
        for (found, name), values in zip(pairs, shown, strict=True):
            curve = found.published_curve if kind == "published" else found.raw_curve
            rgb = colorize(values, value_range, COLORMAP)
            words = ["A, as published" if kind == "published" else "Raw average", *_r_lines(curve)]
            _square(sheet.panel(name, rgb, (found.size, found.size), words), curve, found.size)
        if len(pairs) > 1:  # one model's two maps stand side by side
            sheet.new_row()
    for kind, _, value_range, words in rows:
        sheet.bar(value_range, words, COLORMAP, decades=kind == "raw")
    return StudyFigure(
        "erf", "Effective receptive field", _protocol_caption(pairs, state),
        f"For each of {', '.join(names)} a map of the field on a logarithmic scale, and below it the raw average.",
        "The published r(t) depends on the gradient's units. " + LIMITS, sheet.image(),
        _r_table([(name, found.published_curve, found.raw_curve) for found, name in pairs]),
        {f"{name}/{key}": value for found, name in pairs for key, value in found.numbers.items()},
        {f"{name}/heat": found.heatmap for found, name in pairs},
    )  # fmt: skip


def _columns(count: int) -> int:
    """Up to four side by side; more in two rows of the same length, as far as five fit."""
    return max(2, count) if count <= 4 else min(5, -(-count // 2))


def _protocol_rows(pairs: Sequence[tuple[ErfProtocol, str]], pixels: int) -> tuple:
    """(kind of r, maps as they are colored, their range, words for the bar), of A and of the raw average."""
    raws = [_log(found.heatmap, found.heatmap.mean(), pixels) for found, _ in pairs]
    high = max(values.max() for values in raws)
    ours = "raw average in multiples of its mean, logarithmic, one scale; square: holds half"
    theirs = "A = log10(mean gradient + 1) over its maximum, each model's own; square: holds half"
    return (
        ("published", [fit(found.log_heatmap, pixels) for found, _ in pairs], (0.0, 1.0), theirs),
        ("raw", raws, (high - DECADES, high), ours),
    )


def _taken(pairs: Sequence[tuple[ErfProtocol, str]]) -> list[str]:
    """Which images, how many, where in the models: a sentence for all where it is true of all."""
    images, places = [], []
    for found, _ in pairs:
        folders = f" from {', '.join(found.folders)}" if found.folders else ""
        count = "1 image" if found.count == 1 else f"{found.count} images"
        said = f"{count}{folders}, each warped to {found.size} x {found.size} px. {found.note}"
        images.append(said.strip())
        places.append(
            f"{found.layer.split(',')[0].split(' (')[0]}, unit at row {found.unit[0]}, column {found.unit[1]}"
        )
    return [_said_of(pairs, images), _said_of(pairs, [f"Seen from {place}." for place in places])]


def _said_of(pairs: Sequence[tuple[ErfProtocol, str]], sentences: Sequence[str]) -> str:
    """One sentence for all, or each with the names it is true of."""
    if len(set(sentences)) == 1:
        return sentences[0]
    whose = {said: [n for (_, n), own in zip(pairs, sentences, strict=True) if own == said] for said in sentences}
    return " ".join(f"{', '.join(names)}: {said}" for said, names in whose.items())


def _protocol_caption(pairs: Sequence[tuple[ErfProtocol, str]], state: str) -> str:
    half = "; ".join(
        f"{n}: {_percent(f.raw_curve.area_at(0.5))} (published {_percent(f.published_curve.area_at(0.5))})"
        for f, n in pairs
    )
    taken = " ".join(_taken(pairs))
    none = [
        f"{n}: no square of the protocol holds more than {100 * min(f.published_curve.unreached_shares):g} % of A."
        for f, n in pairs if f.published_curve.unreached_shares
    ]  # fmt: skip
    return " ".join(filter(None, (
        f"{state}." if state else "", taken,
        "A as RepLKNet's protocol shows it, and the raw average on one scale, in multiples of each model's mean.",
        f"Half lies within {half} of the view.", *none,
    )))  # fmt: skip


def _r_lines(curve: ContainmentCurve) -> list[str]:
    cells = " · ".join(_digits(curve.area_at(t)) for t in SHARES)
    return [f"{curve.kind} r({', '.join(f'{100 * t:g}' for t in SHARES)} %):", f"{cells} %"]


def _square(axes: Axes, curve: ContainmentCurve, size: int) -> None:
    """The square that holds half, where all of it lies inside the view."""
    side, (x, y) = np.sqrt(curve.area_at(0.5)) * size, curve.center
    low, high = min(x, y) - side / 2, max(x, y) + side / 2
    if np.isfinite(side) and low >= -0.5 and high <= size - 0.5:
        axes.add_patch(Rectangle((x - side / 2, y - side / 2), side, side, fill=False, ec="white", lw=1))


# --- What they share --------------------------------------------------------------------------------------------------


def _log(heatmap: np.ndarray, mean: float, pixels: int) -> np.ndarray:
    """log10 of the map, drawn so large, in multiples of a mean; what is nothing at all is as dark as the darkest."""
    return np.log10(np.maximum(fit(np.asarray(heatmap, np.float64) / (mean or 1.0), pixels), 1e-30))


def _percent(share: float, missing: str = "not a number") -> str:
    return f"{_digits(share)} %" if np.isfinite(share) else missing


def _digits(share: float) -> str:
    """A share in hundredths; three digits of a single pixel's area would say more than there is."""
    if not np.isfinite(share):
        return "none"
    return number(100 * share) if share == 0 or share >= FAINTEST else f"< {100 * FAINTEST:g}"
