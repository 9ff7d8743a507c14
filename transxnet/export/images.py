"""Studies -> images: the photo, one view, the whole sheet, and the kernels of one block in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..draw import sheet as sheets
from ..draw.bars import answers_bars
from ..draw.kernels import fitting, grid, part_of
from ..draw.overlay import crop_view, mark
from ..draw.scale import PLAIN, Tone, shared_range
from ..draw.views import MAP_STYLES, Result, draw, range_of, what, worth_knowing
from ..explain.kernels.kernels import representatives
from ..results import Geometry, KernelSet
from ..study import Study

SIDE = 768  # pixels of an overlay in a file of its own
LIMITS = (
    "Attention says what was mixed in, not why the answer was given. Kernels are shared by all places of the image, "
    "and work on features, not on pixels. Grad-CAM says what raised the score, at the resolution of its layer. A "
    "receptive field says what a small change would reach, not what the model looks at.",
    "Maps are drawn where their units sit in the image. A column has one color scale.",
)


@dataclass(frozen=True)
class Style:
    """How studies are drawn. head: of attention, from 1; 0 is the mean of all.

    colormaps: view -> color map, where it is not the view's own. tone: gamma, threshold, and raw, normalized or
    masked.
    """

    head: int = 0
    opacity: float = 0.85
    colormaps: Mapping[str, str] = field(default_factory=dict)
    tone: Tone = PLAIN


def results(study: Study) -> dict[str, Result]:
    """What the study holds that can be drawn, by view, in the order of MAP_STYLES."""
    found = {name: getattr(study, name, None) for name in MAP_STYLES}
    return {name: result for name, result in found.items() if result is not None}


def ranges(studies: Sequence[Study], style: Style | None = None) -> dict[str, tuple[float, float]]:
    """One range of shown values for each view that any of the studies holds."""
    found: dict[str, tuple[float, float]] = {}
    for name in MAP_STYLES:
        there = [results(study)[name] for study in studies if name in results(study)]
        if there:
            found[name] = range_of(there, (style or Style()).head, [channels_of(result) for result in there])
    return found


def channels_of(result: Result) -> list[int] | None:
    """The channels that are drawn of kernels, from 0; None for other results."""
    return representatives(result).tolist() if isinstance(result, KernelSet) else None


def source_crop(study: Study, upload: np.ndarray | None = None, side: int = SIDE) -> np.ndarray:
    """What the model saw, `side` pixels wide: from the upload's own pixels, or from the view where there is none."""
    height, width = study.crop.rgb.shape[:2]
    size = (round(side * height / width), side)
    if upload is None:
        return crop_view(study.crop.rgb, (0.0, 0.0, float(width), float(height)), size)
    return crop_view(upload, study.crop.crop_box, size)


def image(
    study: Study, name: str, photo: np.ndarray, value_range: tuple[float, float], style: Style | None = None
) -> np.ndarray:
    """One view of one study over its photo: uint8 (H, W, 3), RGB, without words."""
    style, result = style or Style(), results(study)[name]
    colormap = style.colormaps.get(name, "")
    return draw(result, photo, value_range, style.head, channels_of(result), style.opacity, colormap, style.tone)


def sheet(
    studies: Sequence[Study],
    upload: np.ndarray | None = None,
    title: str = "",
    style: Style | None = None,
    names: Sequence[str] | None = None,
    answers: bool = True,
) -> np.ndarray:
    """A row a study (of one image by several variants), a column a view with one color scale: uint8 (H, W, 3), RGB.

    upload: uint8 (H, W, 3), the upright image, for sharper photos. names: which views; None takes all that
    there are. answers: begin with the image and the answers, end with what the maps do not say.
    """
    style, found = style or Style(), ranges(studies, style)
    views = {name: found[name] for name in found if names is None or name in names}
    columns = [_column(name, value_range, style) for name, value_range in views.items()]
    rows = []
    for study in studies:
        photo = source_crop(study, upload, sheets.CELL_PX)
        cells = [_cell(study, name, photo, value_range, style) for name, value_range in views.items()]
        rows.append(_row(study, [_photo_cell(study, photo), _answers_cell(study), *cells] if answers else cells))
    if answers:
        first = sheets.Column("SourceImage", "What the model saw."), sheets.Column("Answers", "Probabilities.")
        columns = [*first, *columns]
    return sheets.sheet(columns, rows, title, notes=LIMITS if answers else ())


def kernels_sheet(study: Study, channels: Sequence[int] | None = None, title: str = "") -> np.ndarray:
    """One block's kernels, uint8 (H, W, 3), RGB: generated, static, their difference, and each group's gates.

    channels: array indices, from 0; None takes a variety. Generated and static share a scale. Of a variant
    that generates none there is one column, the learned kernels.
    """
    found = study.kernels
    channels = channels_of(found) if channels is None else list(channels)
    columns, squares = _weights(found, channels)
    for group, gates in enumerate(found.gates if len(found.gates) > 1 else (), 1):
        caption = f"Share of learned kernel {group} of {len(found.gates)} at each tap."
        columns.append(sheets.Column(f"Gates {group}", caption, (0.0, 1.0), "viridis", units="share"))
        squares.append(_square(gates[channels], columns[-1]))
    names = ", ".join(str(channel + 1) for channel in channels)
    note = f"{what(found)}; channels {names} of {len(found.kernels)}; {worth_knowing(found)}."
    row = replace(_row(study, [sheets.Cell(square) for square in squares]), note=note[0].upper() + note[1:])
    return sheets.sheet(columns, [row], title)


def _weights(found: KernelSet, channels: Sequence[int]) -> tuple[list[sheets.Column], list[np.ndarray]]:
    """Columns and squares of what the kernels weigh: generated, static, difference."""
    values = {name: part_of(found, name)[channels] for name in ("kernels", "static", "difference")}
    both = shared_range([values["kernels"], values["static"]], signed=True)
    alone = shared_range([values["difference"]], signed=True)
    if len(found.gates) == 1:  # nothing to mix, and nothing to differ from
        learned = sheets.Column("Learned", "The same for every image. Raw.", both, "RdBu_r", True, "weight")
        return [learned], [_square(values["kernels"], learned)]
    columns = [
        sheets.Column("Generated", "What IDConv made for this image. Raw.", both, "RdBu_r", True, "weight"),
        sheets.Column("Static", "What uniform gates would give. Same scale.", both, "RdBu_r", True, "weight"),
        sheets.Column("Difference", "Generated less static. Its own scale.", alone, "RdBu_r", True, "weight"),
    ]
    return columns, [_square(v, column) for v, column in zip(values.values(), columns, strict=True)]


def _square(kernels: np.ndarray, column: sheets.Column) -> np.ndarray:
    across, tap, gap = fitting(len(kernels), kernels.shape[-1], sheets.CELL_PX)
    return grid(kernels, column.value_range, column.colormap, column.signed, across, tap, gap)


def _column(name: str, value_range: tuple[float, float], style: Style) -> sheets.Column:
    look = MAP_STYLES[name]
    caption, colormap = f"{look.shows} Drawn: {look.scaling}.", style.colormaps.get(name, look.colormap)
    return sheets.Column(look.title, caption, value_range, colormap, look.signed, look.units, look.root, style.tone)


def _cell(
    study: Study, name: str, photo: np.ndarray, value_range: tuple[float, float], style: Style
) -> sheets.Cell | None:
    result = results(study).get(name)
    if result is None:
        why = study.missing.get(name)
        return sheets.Cell(None, why) if why else None
    words = what(result, style.head)
    caption = f"{words[0].upper()}{words[1:]}: {worth_knowing(result, style.head)}."
    return sheets.Cell(image(study, name, photo, value_range, style), caption)


def _photo_cell(study: Study, photo: np.ndarray) -> sheets.Cell:
    size = study.crop.rgb.shape[:2]
    in_view = Geometry(size, 1, size, study.crop.crop_box, study.crop.source_size).to_input(*study.position)
    caption = f"Seen at {size[1]} x {size[0]} px; point ({study.position[0]:.0f}, {study.position[1]:.0f})."
    return sheets.Cell(mark(photo, in_view, size), caption)


def _answers_cell(study: Study) -> sheets.Cell:
    side = (sheets.CELL_PX, sheets.CELL_PX)
    bars = answers_bars(study.predictions.top, study.target.index, side, sheets.DPI)
    share = 100 * float(study.predictions.probabilities[study.target.index])
    return sheets.Cell(bars, f"Explained: {study.target.label} (class {study.target.index}), {share:.1f} %.")


def _row(study: Study, cells: Sequence[sheets.Cell | None]) -> sheets.Row:
    weights = f"Weights: {study.provenance.short()}. {study.provenance.note}".strip()
    return sheets.Row(study.model, cells, " ".join(study.notes), weights, study.untrained)
