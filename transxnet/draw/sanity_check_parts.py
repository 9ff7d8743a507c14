"""The axes that the figures of the trust tests are made of; places are inches from the upper left corner.

What they must not be read as stands with the figures (draw/sanity_checks.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..results.sanity_checks import Faithfulness, SanityChecks
from .scale import colorize, shared_range
from .text import ACCENT, GRAY, INK, WARNING, font, printable, width, wrap
from .views import MAP_STYLES

DPI, WIDE = 160, 7.5  # 1200 px across
TILE, PITCH = 0.44, 0.51  # a small map's side, and from one to the next
STRIPS, STRIP_WIDE, STRIP_TALL = 2, 3.72, 0.84  # of maps along the cascade: side by side, each's width and height
FEW, FEW_WIDE, FEW_TALL, TILE_2 = 3, 2.45, 1.0, 0.6  # maps with one random copy: a row's, their size, their tile's
TALL, LABELS = 0.3, 2.0  # of a matrix: a row's height, and what its names take
INSERTION = "#b26a00"  # beside ACCENT, which is deletion
HUES = (ACCENT, INSERTION, "#3b5fa8", WARNING, "#7a4fa3", "#5a7d1e", "#8c564b", "#00829b", INK)


def pairs(reports: Sequence[SanityChecks], names: Sequence[str]) -> list[tuple[str, SanityChecks]]:
    """(name, report) of every variant."""
    return list(zip(names, reports, strict=True))


def _title(method: str) -> str:
    return MAP_STYLES[method].title if method in MAP_STYLES else method.replace("_", " ").capitalize()


def called(method: str, name: str, names: Sequence[str]) -> str:
    """A map's title, after its variant's name where there are several."""
    return f"{printable(name)} · {_title(method)}" if len(names) > 1 else _title(method)


def ceiling(value: float) -> float:
    """The end of a probability axis."""
    return next((end for end in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8) if value <= end), 1.0)


def blank_figure(height: float) -> Figure:
    """height in inches; 1200 pixels across."""
    return Figure(figsize=(WIDE, height), dpi=DPI, facecolor="white")


def place_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes by inches from the figure's upper left corner."""
    tall = figure.get_figheight()
    return figure.add_axes((left / WIDE, 1 - (top + height) / tall, width / WIDE, height / tall))


def _write(figure: Figure, left: float, top: float, words: str, color: str = GRAY, **how: object) -> None:
    """Text by inches from the figure's upper left corner."""
    how = {"fontproperties": font(8), "va": "center"} | how
    figure.text(left / WIDE, 1 - top / figure.get_figheight(), words, color=color, parse_math=False, **how)


def _bare(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set(color=GRAY, linewidth=0.5)
    axes.tick_params(colors=GRAY, width=0.5, length=2, pad=2)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(font(8))


def legend(figure: Figure, entries: Sequence[tuple[str, str, str]]) -> None:
    """(words, color, line style) each, along the top."""
    y, x = 1 - 0.16 / figure.get_figheight(), 0.42
    for words, color, style in entries:
        figure.add_artist(Line2D((x / WIDE, (x + 0.28) / WIDE), (y, y), color=color, linestyle=style, linewidth=1.3))
        _write(figure, x + 0.34, 0.16, words, INK)
        x += 1.15


def curves(
    figure: Figure, left: float, top: float, words: str, found: Faithfulness, end: float, named: bool = True
) -> None:
    """Deletion and insertion, dashed what moved copies gave on average; above, title and areas. named: the x axis."""
    lines = wrap(words, 2.3 * 72, 8, bold=True)[:2]
    for i, line in enumerate(lines):
        _write(figure, left - 0.3, top + 0.15 * (i + 2 - len(lines)), line, INK, fontproperties=font(8, True))
    deletion = f"deletion {found.deletion_auc:.3f} vs {found.chance_auc:.3f} ± {found.chance_margin:.3f}"
    insertion = (
        f"insertion {found.insertion_auc:.3f} vs {found.chance_insertion_auc:.3f} ± {found.chance_insertion_margin:.3f}"
    )
    axes = place_axes(figure, left, top + 0.57, 1.95, 0.95)
    both = (
        (deletion, found.deletion, found.chance, ACCENT),
        (insertion, found.insertion, found.chance_insertion, INSERTION),
    )
    for i, (areas, curve, chance, color) in enumerate(both):
        _write(figure, left - 0.3, top + 0.32 + 0.14 * i, areas, color)
        axes.plot(found.shares, chance.mean(axis=0), color=color, linewidth=0.9, linestyle="--", alpha=0.6)
        axes.plot(found.shares, curve, color=color, linewidth=1.4, clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, end), xticks=(0, 0.5, 1), yticks=(0, end / 2, end))
    axes.set_xticklabels(("0", "½", "1"))
    axes.set_yticklabels([f"{tick:g}" for tick in (0, end / 2, end)])
    _bare(axes)
    if named:
        axes.set_xlabel("share of pixels changed", fontproperties=font(8), color=GRAY, labelpad=2)


def forgetting(axes: Axes, report: SanityChecks) -> None:
    """Rank correlation with the original map, step by step; at the right the mean of all random copies, and names."""
    steps = _steps(report)
    end = len(steps)
    ends = []
    for hue, (method, found) in zip(cycle(HUES), report.randomization.items(), strict=False):
        if len(found.steps) > 1:
            axes.plot(range(end + 1), [1, *found.curve], color=hue, linewidth=1.3, clip_on=False)
        axes.plot((end + 1, end + 1), (found.complete.min(), found.complete.max()), color=hue, linewidth=0.8)
        axes.plot(end + 1, found.left, "o", color=hue, markersize=4, clip_on=False)
        words = "even" if found.blank else f"{_two(found.left)}{' abs' if found.by_size else ''}"
        ends.append((found.left, f"{_title(method)} {words}", hue))
    axes.axhline(0, color=GRAY, linewidth=0.5)
    axes.set(xlim=(0, end + 1.1), ylim=(-1, 1), yticks=(-1, 0, 1), xticks=[*_shown(end), end + 1])
    axes.set_xticklabels([*(("original", *steps)[step] for step in _shown(end)), "copies"])
    axes.set_ylabel("rank correlation", fontproperties=font(8), color=GRAY, labelpad=1)
    _bare(axes)
    axes.tick_params(axis="x", pad=6)  # clear of "-1"
    for y, (_, words, hue) in zip(_apart([e[0] for e in ends], 0.19), sorted(ends, key=lambda e: e[0]), strict=True):
        axes.text(end + 1.25, y, words, color=hue, fontproperties=font(8), va="center")


def _apart(values: Sequence[float], gap: float) -> list[float]:
    """The values, rising, moved as little as needed to be `gap` apart, inside -1.05 … 1.05 where they fit."""
    placed: list[float] = []
    for value in sorted(values):
        placed.append(max(value, placed[-1] + gap) if placed else value)
    over = max(0.0, placed[-1] - 1.05)
    return [value - over * (i + 1) / len(placed) for i, value in enumerate(placed)] if over else placed


def _two(value: float) -> str:
    return "even" if value != value else f"{round(value, 2) + 0.0:.2f}"  # no "-0.00"


def _steps(report: SanityChecks) -> tuple[str, ...]:
    """The cascade's, or "everything" where no map took it."""
    return max((found.steps for found in report.randomization.values()), key=len)


def _shown(count: int) -> list[int]:
    """Which of `count` steps have a place, 0 being the original: all, or seven that lie evenly, both ends too."""
    return sorted({round(at) for at in np.linspace(0, count, min(count, 6) + 1)})


Cells = list[tuple[str, str, SanityChecks]]  # (variant's name, method, report)


def _cells(reports: Sequence[SanityChecks], names: Sequence[str]) -> tuple[Cells, Cells]:
    """Maps with every step of the cascade, method by method, absent ones too; and those with one random copy."""
    both = pairs(reports, names)
    methods = dict.fromkeys(method for report in reports for method in report.maps)
    full = [m for m in methods if any(len(r.randomization[m].steps) > 1 for r in reports if m in r.maps)]
    few = [(name, m, report) for name, report in both for m in methods if m not in full and m in report.maps]
    return [(name, m, report) for m in full for name, report in both], few


def _few_in_a_row(few: Cells, names: Sequence[str]) -> int:
    """As many as have room for their titles."""
    widest = max((width(called(method, name, names), 8, bold=True) / 72 + 0.1 for name, method, _ in few), default=0.1)
    return max(1, min(FEW, int(FEW * FEW_WIDE / widest)))


def strips_height(reports: Sequence[SanityChecks], names: Sequence[str]) -> float:
    """Inches that `strips` takes."""
    full, few = _cells(reports, names)
    return 0.2 + STRIP_TALL * -(-len(full) // STRIPS) + FEW_TALL * -(-len(few) // _few_in_a_row(few, names))


def strips(figure: Figure, top: float, reports: Sequence[SanityChecks], names: Sequence[str]) -> None:
    """Every map as it was and after the steps, two maps in a row; the dear ones as they were and at the end, three."""
    full, few = _cells(reports, names)
    for i, (name, method, report) in enumerate(full):
        row, column = divmod(i, STRIPS)
        left = 0.12 + STRIP_WIDE * column
        if row == 0:
            steps = ("original", *_steps(report))
            for at, step in enumerate(_shown(len(steps) - 1)):
                _write(figure, left + at * PITCH + TILE / 2, top, steps[step], INK, ha="center")
        if method in report.maps:
            _strip(figure, left, top + 0.2 + row * STRIP_TALL, called(method, name, names), method, report)
    top += 0.2 + STRIP_TALL * -(-len(full) // STRIPS)
    columns = _few_in_a_row(few, names)
    for i, (name, method, report) in enumerate(few):
        row, column = divmod(i, columns)
        left = 0.12 + FEW * FEW_WIDE / columns * column
        _two_tiles(figure, left, top + row * FEW_TALL, called(method, name, names), method, report)


def _strip(figure: Figure, left: float, top: float, words: str, method: str, report: SanityChecks) -> None:
    """One map's title, and below it the map as it was and after the steps, each with its correlation."""
    original, found = report.maps[method], report.randomization[method]
    _write(figure, left, top, words, INK, fontproperties=font(8, True))
    for column, step in enumerate(_shown(len(found.steps))):
        heatmap, below = (found.heatmaps[step - 1], _two(found.curve[step - 1])) if step else (original.heatmap, "")
        _tile(figure, left + column * PITCH, top + 0.1, TILE, heatmap, original.signed, below)


def _two_tiles(figure: Figure, left: float, top: float, words: str, method: str, report: SanityChecks) -> None:
    """One map's title, the map, and that of the random copy."""
    original, found = report.maps[method], report.randomization[method]
    _write(figure, left, top, words, INK, fontproperties=font(8, True))
    _tile(figure, left, top + 0.1, TILE_2, original.heatmap, original.signed, "original")
    _tile(figure, left + 0.8, top + 0.1, TILE_2, found.heatmaps[-1], original.signed, f"random {_two(found.curve[-1])}")


def _tile(figure: Figure, left: float, top: float, wide: float, heatmap: np.ndarray, signed: bool, below: str) -> None:
    side = round(wide * DPI)
    low, high = shared_range([heatmap], signed)
    if not signed:
        high = max(high, 2 * float(np.nanmean(heatmap)))  # an even map is of middling color, not all at the top
    colors = colorize(heatmap, (low, high), "RdBu_r" if signed else "inferno", signed)
    pixels = cv2.resize(colors, (side, side), interpolation=cv2.INTER_NEAREST)
    bottom = round((figure.get_figheight() - top) * DPI) - side
    figure.figimage(pixels, round(left * DPI), bottom, origin="upper")  # axes for each would cost a second a figure
    _write(figure, left + wide / 2, top + wide + 0.09, below, ha="center")


def matrix_heads(reports: Sequence[SanityChecks]) -> float:
    """Inches that the columns' names, written at 45 degrees, take above a matrix."""
    names = {name for report in reports for name in report.agreement.names}
    return 0.3 + max(width(_title(name), 8) for name in names) / 72 * 0.71


def matrix(figure: Figure, report: SanityChecks, top: float, name: str = "") -> None:
    """Correlation above the diagonal, overlap below it, in numbers and colors of one scale. top: of the first row."""
    found = report.agreement
    count = len(found.names)
    wide = min(0.6, (WIDE - LABELS - 0.9) / count)  # what is left at the right is for the last column's name
    axes = place_axes(figure, LABELS, top, count * wide, count * TALL)
    values = np.where(np.triu(np.ones((count, count), bool), 1), found.correlation, found.overlap)
    values[np.eye(count, dtype=bool)] = np.nan
    image = colorize(values, (-1, 1), "RdBu_r", signed=True)
    axes.imshow(image, extent=(0, count, count, 0), alpha=0.55, aspect="auto")
    axes.set_axis_off()
    for row, method in enumerate(found.names):
        at = top + (row + 0.5) * TALL
        _write(figure, LABELS - 0.1, at, _title(method), INK, ha="right")
        slant = {"rotation": 45, "rotation_mode": "anchor", "va": "baseline", "ha": "left"}
        _write(figure, LABELS + (row + 0.5) * wide, top - 0.05, _title(method), INK, **slant)
        for column in range(count):
            words = "" if row == column else _two(values[row, column])
            _write(figure, LABELS + (column + 0.5) * wide, at, words, INK, ha="center")
    if name:
        _write(figure, 0.1, top - 0.15, printable(name), INK, fontproperties=font(9, True))
