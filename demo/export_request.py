"""What a downloaded file shows, and the display settings that it is drawn with. No gradio here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from transxnet.draw.scale import Tone
from transxnet.draw.styles import MAP_STYLES
from transxnet.export.images import Style
from transxnet.export.map_options import MapFileOptions
from transxnet.export.rows import Shot
from transxnet.images import SourceImage

from .columns import Column
from .timing import Run


@dataclass(frozen=True)
class Display:
    """Display settings. model_resolution: of the image. direction: "from" or "to"."""

    style: Style = field(default_factory=Style)
    model_resolution: bool = False
    direction: str = "from"


@dataclass(frozen=True)
class ChosenMap:
    """One map of a tab, as a cell's `file` names it (cells.in_files).

    Attributes:
        row: Name of its row.
        column: Its model, "second/MODEL" for the reference image, or "A/B" for a difference of models.
        options: How it is written.
    """

    row: str
    column: str
    options: MapFileOptions = field(default_factory=MapFileOptions)


@dataclass(frozen=True)
class ExportRequest:
    """What a file shows.

    Attributes:
        view: The tab.
        shots: The models' studies.
        images: What they explain, and labels: of the images, an example's, "" for an upload.
        options: What was computed, for the manifest.
        display: How it is drawn.
        compared: The map that Compare shows.
        second: The reference image's shots, where two images are compared.
        columns: Of the shots, with what they cost; timings: what was measured of them.
        left_out: Model -> why it is left out.
        link: The page's query, and notes: what it does not hold.
    """

    view: str
    shots: Sequence[Shot]
    images: Sequence[SourceImage]
    labels: Sequence[str]
    options: Mapping[str, Any]
    display: Display
    compared: str = "attention"
    second: Sequence[Shot] = ()
    columns: Sequence[Column] = ()
    timings: Run = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    notes: Sequence[str] = ()


def identity(image: SourceImage) -> dict[str, Any]:
    """By which a manifest knows an image."""
    return {"sha256": image.sha256, "of": "size and upright pixels", "size": image.size}


def display_of(
    head: int | str = 0, direction: str = "from", colormap: str = "", diverging: str = "",
    opacity: float = Style.opacity, gamma: float = 1.0, threshold: float = 0.0, scale: str = "raw",
    model_resolution: bool = False,
) -> Display:  # fmt: skip
    """Display settings of the values of ViewState's fields.

    Args:
        head: From 1; 0 for the mean, "max" for the maximum.
        direction: And all others, as the fields of these names.
    """
    colormaps = {name: diverging if style.signed else colormap for name, style in MAP_STYLES.items()}
    style = Style(
        head, opacity, {name: chosen for name, chosen in colormaps.items() if chosen}, Tone(gamma, threshold, scale)
    )
    return Display(style, model_resolution, direction)
