"""The axes that the plates of the trust tests are made of; places are inches from the upper left corner."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..results.trust import Faithfulness, TrustReport
from .scale import colorize, shared_range
from .text import ACCENT, GREY, INK, WARNING, font, printable, wrap
from .views import LOOKS

DPI, WIDE = 160, 7.5  # 1200 px across
STRIP, TILE, GAP = 2.3, 0.62, 0.11  # where the first small map begins, its side, and the space to the next
INSERTION = "#b26a00"  # beside ACCENT, which is deletion
HUES = (ACCENT, INSERTION, "#3b5fa8", WARNING, "#7a4fa3", "#5a7d1e", "#8c564b", "#00829b", INK)


def pairs(reports: Sequence[TrustReport], names: Sequence[str]) -> list[tuple[str, TrustReport]]:
    """(name, report) of every variant."""
    return list(zip(names, reports, strict=True))


def _title(method: str) -> str:
    return LOOKS[method].title if method in LOOKS else method.replace("_", " ").capitalize()


def called(method: str, name: str, names: Sequence[str]) -> str:
    """A map's title, after its variant's name where there are several."""
    return f"{printable(name)} · {_title(method)}" if len(names) > 1 else _title(method)


def ceiling(value: float) -> float:
    """The end of a probability axis: the next of 0.1, 0.2, 0.5, 1."""
    return next((end for end in (0.1, 0.2, 0.5) if value <= end), 1.0)


def blank_figure(height: float) -> Figure:
    """height in inches; 1200 pixels across."""
    return Figure(figsize=(WIDE, height), dpi=DPI, facecolor="white")


def place_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes by inches from the figure's upper left corner."""
    tall = figure.get_figheight()
    return figure.add_axes((left / WIDE, 1 - (top + height) / tall, width / WIDE, height / tall))


def _write(figure: Figure, left: float, top: float, words: str, colour: str = GREY, **how: object) -> None:
    """Text by inches from the figure's upper left corner."""
    how = {"fontproperties": font(8), "va": "center"} | how
    figure.text(left / WIDE, 1 - top / figure.get_figheight(), words, color=colour, parse_math=False, **how)


def _bare(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set(color=GREY, linewidth=0.5)
    axes.tick_params(colors=GREY, width=0.5, length=2, pad=2)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(font(8))


def legend(figure: Figure, entries: Sequence[tuple[str, str, str]]) -> None:
    """(words, colour, line style) each, along the top."""
    y, x = 1 - 0.16 / figure.get_figheight(), 0.42
    for words, colour, style in entries:
        figure.add_artist(Line2D((x / WIDE, (x + 0.28) / WIDE), (y, y), color=colour, linestyle=style, linewidth=1.3))
        _write(figure, x + 0.34, 0.16, words, INK)
        x += 1.15


def curves(axes: Axes, found: Faithfulness, top: float) -> None:
    """Deletion and insertion, and dashed what random orders gave on average."""
    for curve, chance, colour in (
        (found.deletion, found.chance, ACCENT), (found.insertion, found.chance_insertion, INSERTION)
    ):  # fmt: skip
        axes.plot(found.shares, chance.mean(axis=0), color=colour, linewidth=0.9, linestyle="--", alpha=0.6)
        axes.plot(found.shares, curve, color=colour, linewidth=1.4, clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, top), xticks=(0, 0.5, 1), yticks=(0, top / 2, top))
    axes.set_xticklabels(("0", "½", "1"))
    _bare(axes)


def forgetting(axes: Axes, report: TrustReport) -> None:
    """Rank correlation with the original map, step by step; names at the right, where the lines end."""
    steps = _steps(report)
    end = len(steps)
    ends = []
    for hue, (method, found) in zip(_hues(len(report.maps)), report.randomisation.items(), strict=True):
        if len(found.steps) > 1:
            axes.plot(range(end + 1), [1, *found.signed], color=hue, linewidth=1.3, clip_on=False)
        axes.plot(end, found.signed[-1], "o", color=hue, markersize=4, clip_on=False)
        ends.append((np.nan_to_num(found.signed[-1]), f"{_title(method)} {_two(found.signed[-1])}", hue))
    axes.axhline(0, color=GREY, linewidth=0.5)
    axes.set(xlim=(0, end), ylim=(-1, 1), yticks=(-1, 0, 1), xticks=_shown(end))
    axes.set_xticklabels([("original", *steps)[step] for step in _shown(end)])
    axes.set_ylabel("rank correlation", fontproperties=font(8), color=GREY, labelpad=1)
    _bare(axes)
    for y, (_, words, hue) in zip(_apart([e[0] for e in ends], 0.19), sorted(ends, key=lambda e: e[0]), strict=True):
        axes.text(end + 0.12, y, words, color=hue, fontproperties=font(8), va="center")


def _apart(values: Sequence[float], gap: float) -> list[float]:
    """The values, rising, moved as little as needed to be `gap` apart, inside -1.05 … 1.05 where they fit."""
    placed: list[float] = []
    for value in sorted(values):
        placed.append(max(value, placed[-1] + gap) if placed else value)
    over = max(0.0, placed[-1] - 1.05)
    return [value - over * (i + 1) / len(placed) for i, value in enumerate(placed)] if over else placed


def _hues(count: int) -> list[str]:
    return [HUES[i % len(HUES)] for i in range(count)]


def _two(value: float) -> str:
    return "blank" if value != value else f"{round(value, 2) + 0.0:.2f}"  # no "-0.00"


def _steps(report: TrustReport) -> tuple[str, ...]:
    """The cascade's, or "everything" where no map took it."""
    return max((found.steps for found in report.randomisation.values()), key=len)


def _shown(count: int) -> list[int]:
    """Which of `count` steps have a place, 0 being the original: all, or seven that lie evenly, both ends too."""
    return sorted({round(at) for at in np.linspace(0, count, min(count, 6) + 1)})


def strip_heads(figure: Figure, top: float, report: TrustReport) -> None:
    """What stands over the columns of maps."""
    steps = ("original", *_steps(report))
    for column, step in enumerate(_shown(len(steps) - 1)):
        _write(figure, STRIP + column * (TILE + GAP) + TILE / 2, top, steps[step], INK, ha="center")


def strip(figure: Figure, top: float, words: str, method: str, report: TrustReport) -> None:
    """One map as it was, and after the steps with its correlation below; a dear one only as it was and at the end."""
    original, found = report.maps[method], report.randomisation[method]
    lines = wrap(words, (STRIP - 0.2) * 72, 8)
    for i, line in enumerate(lines):
        _write(figure, 0.1, top + TILE / 2 + 0.15 * (i - (len(lines) - 1) / 2), line, INK)
    shown, full = _shown(len(_steps(report))), found.steps == _steps(report)
    for column, step in enumerate(shown):
        last = step == shown[-1]
        if step == 0:
            _tile(figure, column, top, original.heat, original.signed, "")
        elif full or last:
            at = -1 if last else step - 1
            _tile(figure, column, top, found.heats[at], original.signed, _two(found.signed[at]))


def _tile(figure: Figure, column: int, top: float, heat: np.ndarray, signed: bool, below: str) -> None:
    left, side = STRIP + column * (TILE + GAP), round(TILE * DPI)
    low, high = shared_range([heat], signed)
    if not signed:
        high = max(high, 2 * float(np.nanmean(heat)))  # an even map is of middling colour, not all at the top
    colours = colorize(heat, (low, high), "RdBu_r" if signed else "inferno", signed)
    pixels = cv2.resize(colours, (side, side), interpolation=cv2.INTER_NEAREST)
    bottom = round((figure.get_figheight() - top) * DPI) - side
    figure.figimage(pixels, round(left * DPI), bottom, origin="upper")  # axes for each would cost a second a figure
    _write(figure, left + TILE / 2, top + TILE + 0.09, below, ha="center")


def matrix(figure: Figure, report: TrustReport, top: float, cell: float, name: str = "") -> None:
    """Correlation above the diagonal, overlap below it, in numbers and colours of one scale."""
    found = report.agreement
    count = len(found.names)
    axes = place_axes(figure, 2.2, top, count * cell, count * cell)
    values = np.where(np.triu(np.ones((count, count), bool), 1), found.correlation, found.overlap)
    values[np.eye(count, dtype=bool)] = np.nan
    axes.imshow(colorize(values, (-1, 1), "RdBu_r", signed=True), extent=(0, count, count, 0), alpha=0.55)
    axes.set_axis_off()
    for row in range(count):
        at = top + (row + 0.5) * cell
        _write(figure, 2.1, at, f"{_title(found.names[row])}  {row + 1}", INK, ha="right")
        _write(figure, 2.2 + (row + 0.5) * cell, top - 0.12, str(row + 1), INK, ha="center")
        for column in range(count):
            words = "" if row == column else _two(values[row, column])
            _write(figure, 2.2 + (column + 0.5) * cell, at, words, INK, ha="center")
    if name:
        _write(figure, 0.1, top - 0.2, printable(name), INK, fontproperties=font(9, True))
