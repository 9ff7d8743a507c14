"""Studies -> rows of maps that stand side by side on one scale: what a downloaded figure is made of.

A column is a Shot: one study and its photo. A row is one kind of map; what a study lacks is said in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isnan

import numpy as np

from ..draw.kernels import fitting, grid, part_of
from ..draw.overlay import crop_view, interpolate, mark, overlay
from ..draw.scale import NORMALIZED, shared_range
from ..draw.text import number
from ..draw.views import MAP_STYLES, Result, geometry_of, range_of, shown, unit_of, what, worth_knowing
from ..results import AttentionFrom, Geometry, KernelSet
from ..results.attention import AttentionTo
from ..results.differences import Comparison
from ..study import Study
from .images import Style, channels_of, results, source_crop

LARGEST = "max"  # Style.head of the largest weight that any head gives
NOT_HERE = "There is no such map of this variant."
KERNEL_PARTS = {
    "kernels": ("Kernels", "What IDConv made for this image; learned ones where a variant generates none."),
    "static": ("Static kernels", "What uniform gates would give, the mean of the learned ones. Same scale."),
    "difference": ("Difference", "Generated less static, on its own scale."),
}


@dataclass(frozen=True)
class Shot:
    """title: of the column. upload: uint8 (H, W, 3), the upright image; None draws what the model saw of it."""

    title: str
    study: Study
    upload: np.ndarray | None

    def photo(self, side: int) -> np.ndarray:
        return source_crop(self.study, self.upload, side)


@dataclass(frozen=True)
class Cell:
    """paint: side in pixels -> uint8 (H, side, 3), RGB. title: over it, where it is not its column's."""

    paint: Callable[[int], np.ndarray]
    caption: str
    title: str = ""


@dataclass(frozen=True)
class Row:
    """cells: one a column, or a sentence that says why there is none. value_range: raw, None where there is no bar."""

    name: str
    title: str
    caption: str
    cells: Sequence[Cell | str] = ()
    value_range: tuple[float, float] | None = None
    colormap: str = "magma"
    signed: bool = False
    root: bool = False
    units: str = ""
    scaling: str = "raw"

    def as_json(self) -> dict[str, object]:
        """For the manifest."""
        return {
            "name": self.name, "title": self.title, "range": self.value_range, "colormap": self.colormap,
            "signed": self.signed, "root": self.root, "units": self.units, "scaling": self.scaling,
        }  # fmt: skip


def look_row(name: str, shots: Sequence[Shot], style: Style) -> Row:
    """One view of MAP_STYLES but kernels, of every shot that has it, on one scale."""
    look = MAP_STYLES[name]
    found = [results(shot.study).get(name) for shot in shots]
    there = [result for result in found if result is not None]
    row = Row(
        name, look.title, f"{look.shows} Drawn: {look.scaling}.", (), _common_range(there, style.head),
        style.colormaps.get(name, look.colormap), look.signed, look.root, look.units, look.scaling,
    )  # fmt: skip

    def cell(shot: Shot, result: Result) -> Cell:
        head = head_in(result, style.head)
        values, own, words = shown(result, head), range_of([result], head), _words(result, head)
        return _over(shot, values, geometry_of(result), row, style, words, unit_of(result), own)

    return _filled(row, shots, [r and cell(s, r) for s, r in zip(shots, found, strict=True)])


def head_in(result: Result | AttentionTo, head: int | str) -> int | str:
    """The head that is drawn of a result: the mean of all (0) where it has no such head, as on the page."""
    heads = getattr(result, "heads", None)
    return 0 if heads is not None and isinstance(head, int) and head > len(heads) else head


def _common_range(results: Sequence[Result], head: int | str) -> tuple[float, float] | None:
    """Of the heads that are drawn."""
    found = [range_of([result], head_in(result, head)) for result in results]
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None


def users_row(shots: Sequence[Shot], style: Style) -> Row:
    """Attention the other way round: which queries mix in the key at the point."""
    users = [shot.study.position_attention and shot.study.position_attention.attention_to for shot in shots]
    values = [one and one.head(head_in(one, style.head)) for one in users]
    row = Row(
        "attention_users", "Attention: who looks here", "Which places' queries mix in the marked one. Drawn: raw "
        "weights, which add up to 1 over the keys of each query and not over this map.",
        (), shared_range([v for v in values if v is not None]), style.colormaps.get("attention", "magma"),
        units="weight",
    )  # fmt: skip

    def cell(i: int) -> Cell | None:
        one = users[i]
        if one is None:
            return None
        head = head_in(one, style.head)
        which = f"head {head}" if head not in (0, LARGEST) else "largest" if head else "mean of heads"
        caption = f"Stage {one.stage}, block {one.block}, {which}, key at row {one.key[0]}, column {one.key[1]}."
        return _over(shots[i], values[i], one.queries, row, style, caption, one.keys.center(*one.key))

    return _filled(row, shots, [cell(i) for i in range(len(shots))], "attention")


def signed_cam_row(shots: Sequence[Shot], style: Style) -> Row:
    """Grad-CAM with its sign: what raised the score and what lowered it, in logits."""
    maps = [shot.study.grad_cam for shot in shots]
    row = Row(
        "grad_cam_raw", "Grad-CAM, raised and lowered", "Raw: above zero raised the explained answer's score, below "
        "zero lowered it.", (), shared_range([m.heatmap for m in maps if m is not None], True),
        style.colormaps.get("contrast", "RdBu_r"), True, units="logit",
    )  # fmt: skip
    cells = [
        m and _over(s, m.heatmap, m.geometry, row, style, f"{_upper(what(m))}.")
        for s, m in zip(shots, maps, strict=True)
    ]
    return _filled(row, shots, cells, "grad_cam")


def kernel_rows(shots: Sequence[Shot], style: Style) -> list[Row]:
    """Generated, static and their difference, the same channels in each; learned kernels alone where none differ."""
    sets = [shot.study.kernels for shot in shots]
    there = [one for one in sets if one is not None]
    generated = any(len(one.gates) > 1 for one in there)
    parts = list(KERNEL_PARTS) if generated else ["kernels"]
    both = [part_of(one, part)[channels_of(one)] for one in there for part in ("kernels", "static")]
    differ = [part_of(one, "difference")[channels_of(one)] for one in there]
    colormap, rows = style.colormaps.get("kernels", "RdBu_r"), []
    for part in parts:
        title, caption = KERNEL_PARTS[part]
        value_range = shared_range(differ if part == "difference" else both, True) if there else None
        row = Row(part, title, caption, (), value_range, colormap, True, units="weight")
        cells = [one and _kernel_cell(one, row, style) for one in sets]
        rows.append(_filled(row, shots, cells, "kernels"))
    return rows


def difference_row(
    found: Comparison, title: str, units: str, shots: Sequence[Shot], style: Style
) -> Row:  # fmt: skip
    """Every pair's difference on what all variants saw, over that part of the photo."""
    row = Row(
        "difference", f"{title}: differences", "Second minus first, on the part of the image that all of them saw.",
        (), (-found.largest, found.largest), style.colormaps.get("contrast", "RdBu_r"), True, units=units,
    )  # fmt: skip
    upload, titles = shots[0].upload, {shot.study.model: shot.title for shot in shots}

    def cell(d) -> Cell:
        def paint(side: int) -> np.ndarray:
            rows, columns = found.geometry.grid
            size = (round(side * rows / columns), side)
            photo = crop_view(upload, found.geometry.crop_box, size)
            return _overlaid(photo, d.values, found.geometry, row, style, None, None)

        told = ["No difference beyond rounding."] if d.only_rounding else []
        told.append(f"Mean absolute difference {number(d.mean_absolute)} {units}.")
        if not isnan(d.correlation):
            highest = f"{100 * d.overlap:.0f} % of the highest {100 * d.overlap_by_chance:.0f} % of pixels in common"
            told.insert(0, f"Rank correlation {d.correlation:.2f}; {highest}.")
        caption = " ".join(told)
        return Cell(paint, caption, f"{titles[d.second]} minus {titles[d.first]}")

    return replace(row, cells=[cell(d) for d in found.differences])


# ---- one cell -----------------------------------------------------------------------------------------------


def _filled(row: Row, shots: Sequence[Shot], cells: Sequence[Cell | None], part: str = "") -> Row:
    return replace(
        row,
        cells=[
            cell if cell is not None else shot.study.missing.get(part or row.name, NOT_HERE)
            for shot, cell in zip(shots, cells, strict=True)
        ],
    )


def _over(
    shot: Shot, values: np.ndarray, geometry: Geometry, row: Row, style: Style, caption: str,
    unit: tuple[float, float] | None = None, own: tuple[float, float] | None = None,
) -> Cell:  # fmt: skip
    """A map over its shot's photo. own: its range where each map has its own."""
    own = own or shared_range([values], row.signed)
    return Cell(lambda side: _overlaid(shot.photo(side), values, geometry, row, style, own, unit), caption)


def _overlaid(
    photo: np.ndarray, values: np.ndarray, geometry: Geometry, row: Row, style: Style,
    own: tuple[float, float] | None, unit: tuple[float, float] | None,
) -> np.ndarray:  # fmt: skip
    alone = style.tone.mode == NORMALIZED
    value_range = (own or shared_range([values], row.signed)) if alone else row.value_range
    heatmap = interpolate(values, geometry, photo.shape[:2])
    rgb = overlay(photo, heatmap, value_range, row.colormap, style.opacity, row.signed, row.root, style.tone)
    return rgb if unit is None else mark(rgb, unit, geometry.input_size)


def _kernel_cell(found: KernelSet, row: Row, style: Style) -> Cell:
    channels = channels_of(found)
    values = part_of(found, row.name)[channels]

    def paint(side: int) -> np.ndarray:
        across, tap, gap = fitting(len(values), values.shape[-1], side)
        return grid(values, row.value_range, row.colormap, True, across, tap, gap, style.tone)

    names = ", ".join(str(channel + 1) for channel in channels)
    return Cell(paint, f"{_upper(what(found))}; channels {names} of {len(found.kernels)}; {worth_knowing(found)}.")


def _words(result: Result, head: int | str) -> str:
    """What it is exactly, and the numbers to read beside it."""
    if head == LARGEST and isinstance(result, AttentionFrom):
        count = len(result.heads)
        return (
            f"Stage {result.stage}, block {result.block}, the largest weight of {count} heads; these do not sum to 1."
        )
    return f"{_upper(what(result, head))}: {worth_knowing(result, head)}."


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]
