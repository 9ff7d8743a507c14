"""Studies -> rows of maps on one scale, a column a study: what a downloaded figure is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan

import numpy as np

from ..draw.compose import Cell, ColorScale, Heading
from ..draw.kernels import kernel_part
from ..draw.overlay import crop_source, interpolate, mark, overlay
from ..draw.scale import NORMALIZED, Tone, shared_range
from ..draw.styles import (
    MAP_STYLES,
    Result,
    display_range,
    displayed_values,
    key_numbers,
    layer_and_target,
    marked_position,
    result_geometry,
)
from ..draw.text import number, percent
from ..results import AttentionFrom, Geometry
from ..results.attention import AttentionTo
from ..results.differences import Comparison
from ..study import Study
from .images import Style, capitalized, channels_of, kernels_caption, provenance_line, results, source_crop, tiles_cell

LARGEST = "max"  # Style.head of the largest weight of any head
NOT_AVAILABLE = "This model has no such map."
KERNEL_PARTS = {
    "kernels": ("Kernels", MAP_STYLES["kernels"].description),
    "static": ("Static kernels", "Kernels of uniform mixing, the mean of the learned ones. Same scale."),
    "difference": ("Difference", "Generated minus static, on its own scale."),
    "gates": ("Mixing weights", "Weight of the first learned kernel at each tap."),
}


@dataclass(frozen=True)
class Shot:
    """A column.

    Attributes:
        title: Its heading.
        study: Of one model on one image.
        upload: uint8 (H, W, 3), the upright source image; None draws the model's crop.
    """

    title: str
    study: Study
    upload: np.ndarray | None

    def photo(self, side: int) -> np.ndarray:
        return source_crop(self.study, self.upload, side)

    def heading(self) -> Heading:
        """What the model predicts, and whose weights it has."""
        study, best = self.study, next(iter(self.study.predictions.top), None)
        text = f"Predicts {best.label}, {percent(best.probability, 1)}." if best else "No classifier: no predictions."
        if best and study.target.index != best.index:
            text += f" Target class: {study.target.label}, {percent(study.target_probability, 1)}."
        return Heading(self.title, [text, *study.notes, provenance_line(study)], study.untrained)


@dataclass(frozen=True)
class Row:
    """One kind of map.

    Attributes:
        name: For the manifest.
        title, caption: Above the row.
        cells: One a column; a string says why there is no map.
        scale: Shared by the row; None where there is no color bar.
        scaling: What the colors stand for.
    """

    name: str
    title: str
    caption: str
    cells: Sequence[Cell | str] = ()
    scale: ColorScale | None = None
    scaling: str = "raw"

    def heading(self, tone: Tone) -> Heading:
        """Title, caption and color bar with these display settings."""
        scale = self.scale and replace(self.scale, tone=tone)
        return Heading(self.title, [f"{self.caption} {tone.description}".strip()], scale=scale)

    def as_json(self) -> dict[str, object]:
        """For the manifest."""
        scale = self.scale or ColorScale((0.0, 0.0))
        return {
            "name": self.name, "title": self.title, "range": self.scale and scale.value_range,
            "colormap": scale.colormap, "signed": scale.signed, "root": scale.root, "units": scale.units,
            "scaling": self.scaling,
        }  # fmt: skip


def map_row(name: str, shots: Sequence[Shot], style: Style) -> Row:
    """One map of MAP_STYLES except kernels, of every column that has it."""
    map_style = MAP_STYLES[name]
    maps = [results(shot.study).get(name) for shot in shots]
    limits = [display_range([result], available_head(result, style.head)) for result in maps if result is not None]
    value_range = (min(low for low, _ in limits), max(high for _, high in limits)) if limits else None
    scale = value_range and ColorScale(
        value_range, map_style.units, style.colormaps.get(name, map_style.colormap), map_style.signed, map_style.root
    )
    caption = f"{map_style.description} Colors: {map_style.scaling}."
    row = Row(name, map_style.title, caption, scale=scale, scaling=map_style.scaling)

    def cell(shot: Shot, result: Result) -> Cell:
        head = available_head(result, style.head)
        values, limits = displayed_values(result, head), display_range([result], head)
        caption, position = _caption(result, head), marked_position(result)
        return _map_cell(shot, values, result_geometry(result), row, style, caption, position, limits)

    return _filled(row, shots, [r and cell(s, r) for s, r in zip(shots, maps, strict=True)])


def available_head(result: Result | AttentionTo, head: int | str) -> int | str:
    """The head that is drawn of a result: the mean of all (0) where it has no such head, as on the page."""
    heads = getattr(result, "heads", None)
    return 0 if heads is not None and isinstance(head, int) and head > len(heads) else head


def attention_to_row(shots: Sequence[Shot], style: Style) -> Row:
    """Attention to the query position: the weights that its key receives from all queries."""
    maps = [shot.study.position_attention and shot.study.position_attention.attention_to for shot in shots]
    values = [result and result.head(available_head(result, style.head)) for result in maps]
    limits = shared_range([v for v in values if v is not None])
    row = Row(
        "attention_to", "Attention to the query position", "Which positions attend to the marked one. Colors: raw "
        "weights, which sum to 1 over the keys of each query, not over this map.",
        scale=ColorScale(limits, "weight", style.colormaps.get("attention", "magma")),
    )  # fmt: skip

    def cell(shot: Shot, result: AttentionTo, values: np.ndarray) -> Cell:
        head = available_head(result, style.head)
        heads = f"head {head}" if head not in (0, LARGEST) else "largest of the heads" if head else "mean of the heads"
        key = f"key at row {result.key[0]}, column {result.key[1]}"
        caption = f"Stage {result.stage}, block {result.block}, {heads}, {key}."
        return _map_cell(shot, values, result.queries, row, style, caption, result.keys.center(*result.key))

    cells = [r and cell(s, r, v) for s, r, v in zip(shots, maps, values, strict=True)]
    return _filled(row, shots, cells, "attention")


def signed_grad_cam_row(shots: Sequence[Shot], style: Style) -> Row:
    """Grad-CAM without ReLU: contributions to the logit, positive and negative."""
    maps = [shot.study.grad_cam for shot in shots]
    limits = shared_range([m.heatmap for m in maps if m is not None], True)
    row = Row(
        "grad_cam_raw", "Signed Grad-CAM", "Contribution to the logit of the target class: positive values raise it, "
        "negative values lower it.", scale=ColorScale(limits, "logit", style.colormaps.get("contrast", "RdBu_r"), True),
    )  # fmt: skip
    cells = [
        m and _map_cell(s, m.heatmap, m.geometry, row, style, f"{capitalized(layer_and_target(m))}.")
        for s, m in zip(shots, maps, strict=True)
    ]
    return _filled(row, shots, cells, "grad_cam")


def kernel_rows(shots: Sequence[Shot], style: Style) -> list[Row]:
    """Kernels, static kernels, difference and mixing weights, of the same channels; one row if all are learned."""
    available = [shot.study.kernels for shot in shots if shot.study.kernels is not None]
    channels: dict[str, list[int]] = {}  # of each model: of several images those of the first
    for shot in shots:
        if shot.study.kernels is not None:
            channels.setdefault(shot.study.model, channels_of(shot.study.kernels))
    shown = [(shot.study.kernels, channels.get(shot.study.model)) for shot in shots]
    parts = {name: [kernel_part(k, name)[indices] for k, indices in shown if k] for name in KERNEL_PARTS}
    both = shared_range([*parts["kernels"], *parts["static"]], True)
    limits = {"kernels": both, "static": both, "difference": shared_range(parts["difference"], True)}
    limits["gates"] = 0.0, 1.0
    rows = []
    for part, (title, caption) in KERNEL_PARTS.items():
        if part != "kernels" and not any(len(kernels.gates) > 1 for kernels in available):
            continue
        signed = part != "gates"
        colormap = style.colormaps.get("kernels", "RdBu_r") if signed else "viridis"
        scale = ColorScale(limits[part], "weight", colormap, signed, tone=style.tone)
        row = Row(part, title, caption, scale=scale if available else None)
        cells = [k and tiles_cell(kernel_part(k, part)[c], scale, kernels_caption(k, c)) for k, c in shown]
        rows.append(_filled(row, shots, cells, "kernels"))
    return rows


def difference_row(comparison: Comparison, title: str, units: str, shots: Sequence[Shot], style: Style) -> Row:
    """The difference of every pair of maps on the region that all models see."""
    colormap = style.colormaps.get("contrast", "RdBu_r")
    row = Row(
        "difference", f"{title}: differences", "Second minus first, on the region of the image that all models see.",
        scale=ColorScale((-comparison.largest, comparison.largest), units, colormap, True),
    )  # fmt: skip
    upload, titles = shots[0].upload, {shot.study.model: shot.title for shot in shots}

    def cell(difference) -> Cell:
        def draw(side: int) -> np.ndarray:
            rows, columns = comparison.geometry.grid
            photo = crop_source(upload, comparison.geometry.crop_box, (round(side * rows / columns), side))
            return _overlaid(photo, difference.values, comparison.geometry, row, style, None, None)

        sentences = ["No difference beyond rounding."] if difference.only_rounding else []
        sentences.append(f"Mean absolute difference {number(difference.mean_absolute)} {units}.")
        if not isnan(difference.correlation):
            share, overlap = f"{100 * difference.chance_overlap:.0f}%", f"{100 * difference.overlap:.0f}%"
            sentences.insert(0, f"Rank correlation {difference.correlation:.2f}; overlap of the top {share} {overlap}.")
        return Cell(draw, " ".join(sentences), f"{titles[difference.second]} minus {titles[difference.first]}")

    return replace(row, cells=[cell(difference) for difference in comparison.differences])


# ---- one cell -----------------------------------------------------------------------------------------------


def _filled(row: Row, shots: Sequence[Shot], cells: Sequence[Cell | None], part: str = "") -> Row:
    """The row with its cells, or the reason where there is no map."""
    reasons = [shot.study.missing.get(part or row.name, NOT_AVAILABLE) for shot in shots]
    return replace(row, cells=[reason if c is None else c for c, reason in zip(cells, reasons, strict=True)])


def _map_cell(
    shot: Shot, values: np.ndarray, geometry: Geometry, row: Row, style: Style, caption: str,
    position: tuple[float, float] | None = None, limits: tuple[float, float] | None = None,
) -> Cell:  # fmt: skip
    """A map over its column's photo. limits: its own range, for a normalized tone."""
    limits = limits or shared_range([values], row.scale.signed)
    return Cell(lambda side: _overlaid(shot.photo(side), values, geometry, row, style, limits, position), caption)


def _overlaid(
    photo: np.ndarray, values: np.ndarray, geometry: Geometry, row: Row, style: Style,
    limits: tuple[float, float] | None, position: tuple[float, float] | None,
) -> np.ndarray:  # fmt: skip
    scale, value_range = row.scale, row.scale.value_range
    if style.tone.mode == NORMALIZED:
        value_range = limits or shared_range([values], scale.signed)
    heatmap = interpolate(values, geometry, photo.shape[:2])
    rgb = overlay(photo, heatmap, value_range, scale.colormap, style.opacity, scale.signed, scale.root, style.tone)
    return rgb if position is None else mark(rgb, position, geometry.input_size)


def _caption(result: Result, head: int | str) -> str:
    """Layer, target and the most important numbers."""
    if head == LARGEST and isinstance(result, AttentionFrom):
        layer = f"Stage {result.stage}, block {result.block}, largest of {len(result.heads)} heads"
        return f"{layer}; these weights do not sum to 1."
    return f"{capitalized(layer_and_target(result, head))}. {key_numbers(result, head)}."
