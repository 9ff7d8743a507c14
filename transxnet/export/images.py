"""Studies -> images: the photo, one map, the overview sheet, and the kernels of one block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..draw.bars import prediction_bars
from ..draw.canvas import DPI
from ..draw.compose import Cell, ColorScale, Composition, Heading, compose
from ..draw.fonts import numbered_classes
from ..draw.kernels import kernel_part, kernel_tiles, tile_layout
from ..draw.overlay import crop_source, mark
from ..draw.scale import PLAIN, Tone, shared_range
from ..draw.styles import MAP_STYLES, Result, display_range, draw_result, key_numbers, layer_and_target
from ..draw.text import percent
from ..explain.kernels.kernels import representatives
from ..results import Geometry, KernelSet
from ..study import Study

SIDE = 768  # pixels of a map in a file of its own
SHEET_CELL, SHEET_SIDE = 2.4, round(2.4 * DPI)  # of a map on a sheet: inches, pixels
LIMITS = (
    "Limitations: attention says what is mixed in, not why a class is predicted. Kernels are shared by all positions "
    "of the image and act on features, not on pixels. Grad-CAM says what raises the logit, at the resolution of its "
    "layer. A receptive field says what a small change would reach, not what the model attends to.",
    "Maps are aligned to the units' positions in the image. Each column shares one color scale.",
)


@dataclass(frozen=True)
class Style:
    """How studies are drawn.

    Attributes:
        head: Of attention, from 1; 0 is the mean of all.
        opacity: Of the strongest value, 0 to 1.
        colormaps: Map -> color map, where it is not that of its style.
        tone: Gamma, threshold, and raw, normalized or masked.
    """

    head: int = 0
    opacity: float = 0.85
    colormaps: Mapping[str, str] = field(default_factory=dict)
    tone: Tone = PLAIN


def results(study: Study) -> dict[str, Result]:
    """The study's maps by name, in the order of MAP_STYLES."""
    by_name = {name: getattr(study, name, None) for name in MAP_STYLES}
    return {name: result for name, result in by_name.items() if result is not None}


def ranges(studies: Sequence[Study], style: Style | None = None) -> dict[str, tuple[float, float]]:
    """One range of displayed values for each map that any of the studies holds."""
    by_name: dict[str, tuple[float, float]] = {}
    for name in MAP_STYLES:
        available = [results(study)[name] for study in studies if name in results(study)]
        if available:
            channels = [channels_of(result) for result in available]
            by_name[name] = display_range(available, (style or Style()).head, channels)
    return by_name


def channels_of(result: Result) -> list[int] | None:
    """The channels drawn of kernels, from 0; None for other results."""
    return representatives(result).tolist() if isinstance(result, KernelSet) else None


def source_crop(study: Study, image: np.ndarray | None = None, side: int = SIDE) -> np.ndarray:
    """What the model sees, `side` pixels wide.

    Args:
        study: Of one model.
        image: uint8 (H, W, 3), the upright source image; None enlarges the model's crop.
        side: Pixels.

    Returns:
        uint8 (height, side, 3), RGB.
    """
    height, width = study.crop.rgb.shape[:2]
    size = (round(side * height / width), side)
    if image is None:
        return crop_source(study.crop.rgb, (0.0, 0.0, float(width), float(height)), size)
    return crop_source(image, study.crop.crop_box, size)


def draw_map(
    study: Study, name: str, photo: np.ndarray, value_range: tuple[float, float], style: Style | None = None
) -> np.ndarray:
    """One map of one study over its photo, without text: uint8 (H, W, 3), RGB."""
    style, result = style or Style(), results(study)[name]
    colormap = style.colormaps.get(name, "")
    return draw_result(result, photo, value_range, style.head, channels_of(result), style.opacity, colormap, style.tone)


def overview_sheet(
    studies: Sequence[Study],
    image: np.ndarray | None = None,
    title: str = "",
    style: Style | None = None,
    names: Sequence[str] | None = None,
    with_predictions: bool = True,
) -> np.ndarray:
    """A row a study (of one image by several models), a column a map with one color scale: uint8 (H, W, 3), RGB.

    Args:
        studies: At least one.
        image: uint8 (H, W, 3), the upright source image, for sharper photos.
        title: Above all.
        style: Display settings.
        names: Of the maps; None takes all.
        with_predictions: Whether to begin with the image and the predictions, and to end with limitations.
    """
    with numbered_classes(class_numbers(studies)):
        return _overview_sheet(studies, image, title, style or Style(), names, with_predictions)


def class_numbers(studies: Sequence[Study]) -> dict[str, str]:
    """ "class 17" by name, for the classes of the studies' models whose names are not ASCII; the first model's win."""
    return {
        name: f"class {index}"
        for study in reversed(studies)
        for index, name in enumerate(study.spec.labels.names)
        if not name.isascii()
    }


def _overview_sheet(
    studies: Sequence[Study], image: np.ndarray | None, title: str, style: Style, names: Sequence[str] | None,
    with_predictions: bool,
) -> np.ndarray:  # fmt: skip
    drawn = {name: limits for name, limits in ranges(studies, style).items() if names is None or name in names}
    columns = [_column(name, value_range, style) for name, value_range in drawn.items()]
    rows = []
    for study in studies:
        cells = [_map_cell(study, name, image, value_range, style) for name, value_range in drawn.items()]
        first = [_photo_cell(study, image), _predictions_cell(study)] if with_predictions else []
        rows.append((_heading(study, study.notes), [*first, *cells]))
    if with_predictions:
        columns = [Heading("Image", ["The model input."]), Heading("Predictions", ["Probabilities."]), *columns]
    page = Composition(title, columns=columns, rows=rows, notes=LIMITS if with_predictions else ())
    return compose(page, SHEET_SIDE, SHEET_CELL).to_rgb()


def kernels_sheet(study: Study, channels: Sequence[int] | None = None, title: str = "") -> np.ndarray:
    """The kernels of one block: generated, static, their difference, and the gates of each learned kernel.

    Args:
        study: With kernels; of learned ones there is a single column.
        channels: Array indices, from 0; None takes representatives.
        title: Above all.

    Returns:
        uint8 (H, W, 3), RGB. Generated and static kernels share a scale.
    """
    kernels = study.kernels
    channels = channels_of(kernels) if channels is None else list(channels)
    values = {part: kernel_part(kernels, part)[channels] for part in ("kernels", "static", "difference")}
    both = ColorScale(shared_range([values["kernels"], values["static"]], True), "weight", "RdBu_r", True)
    if len(kernels.gates) == 1:  # nothing is mixed
        parts = [("Learned", "The same for every image. Raw.", both, values["kernels"])]
    else:
        difference = replace(both, value_range=shared_range([values["difference"]], True))
        share = ColorScale((0.0, 1.0), "weight", "viridis")
        parts = [
            ("Generated", "By IDConv for this image. Raw.", both, values["kernels"]),
            ("Static", "Of uniform mixing. Same scale.", both, values["static"]),
            ("Difference", "Generated minus static. Its own scale.", difference, values["difference"]),
            *((f"Gates {g}", f"Weight of learned kernel {g} at each tap.", share, gates[channels])
              for g, gates in enumerate(kernels.gates, 1)),
        ]  # fmt: skip
    columns = [Heading(heading, [caption], scale=scale) for heading, caption, scale, _ in parts]
    cells = [tiles_cell(part, scale, "") for _, _, scale, part in parts]
    page = Composition(
        title, columns=columns, rows=[(_heading(study, [*study.notes, kernels_caption(kernels, channels)]), cells)]
    )
    return compose(page, SHEET_SIDE, SHEET_CELL).to_rgb()


def kernels_caption(kernels: KernelSet, channels: Sequence[int]) -> str:
    """Layer, channels (counted from 1) and key numbers of a block's kernels, as a sentence."""
    names = ", ".join(str(channel + 1) for channel in channels)
    layer = capitalized(layer_and_target(kernels))
    return f"{layer}; channels {names} of {len(kernels.kernels)}. {key_numbers(kernels)}."


def tiles_cell(kernels: np.ndarray, scale: ColorScale, caption: str) -> Cell:
    """Kernels (n, K, K) as a square grid."""

    def draw(side: int) -> np.ndarray:
        columns, tap, gap = tile_layout(len(kernels), kernels.shape[-1], side)
        return kernel_tiles(kernels, scale.value_range, scale.colormap, scale.signed, columns, tap, gap, scale.tone)

    return Cell(draw, caption)


def provenance_line(study: Study) -> str:
    """Where the weights are from."""
    return f"{study.provenance.short()}. {study.provenance.note}".strip()


def capitalized(text: str) -> str:
    """With the first letter in upper case, the rest unchanged."""
    return text[:1].upper() + text[1:]


def _heading(study: Study, lines: Sequence[str]) -> Heading:
    return Heading(study.model, [*lines, provenance_line(study)], study.untrained)


def _column(name: str, value_range: tuple[float, float], style: Style) -> Heading:
    map_style = MAP_STYLES[name]
    scale = ColorScale(
        value_range, map_style.units, style.colormaps.get(name, map_style.colormap), map_style.signed, map_style.root,
        style.tone,
    )  # fmt: skip
    lines = [f"{map_style.description} Colors: {map_style.scaling}.", style.tone.description]
    return Heading(map_style.title, lines, scale=scale)


def _map_cell(
    study: Study, name: str, image: np.ndarray | None, value_range: tuple[float, float], style: Style
) -> Cell | str | None:
    result = results(study).get(name)
    if result is None:
        return study.missing.get(name)
    caption = f"{capitalized(layer_and_target(result, style.head))}. {key_numbers(result, style.head)}."
    return Cell(lambda side: draw_map(study, name, source_crop(study, image, side), value_range, style), caption)


def _photo_cell(study: Study, image: np.ndarray | None) -> Cell:
    size, (x, y) = study.crop.rgb.shape[:2], study.position
    position = Geometry(size, 1, size, study.crop.crop_box, study.crop.source_size).to_input(x, y)
    caption = f"Model input of {size[1]} × {size[0]} px; query position ({x:.0f}, {y:.0f})."
    return Cell(lambda side: mark(source_crop(study, image, side), position, size), caption)


def _predictions_cell(study: Study) -> Cell:
    target = study.target
    if study.target_probability is None:
        caption = "The model has no classifier: it predicts no classes."
    else:
        caption = f"Target class: {target.label} (class {target.index}), {percent(study.target_probability, 1)}."
    return Cell(lambda side: prediction_bars(study.predictions.top, target.index, side, DPI), caption)
