"""One map alone as a file for a paper: PNG, SVG or PDF, as wide as a column, with or without caption and color bar.

A PNG has width * dpi pixels across. Text stays text in SVG and PDF. Each file holds a manifest (manifest.py), and its
name says image, model, tab or analysis, map, layer and class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import cv2
import numpy as np

from ..draw.canvas import Canvas
from ..draw.compose import Cell, ColorScale
from ..draw.fonts import numbered_classes
from ..draw.styles import MAP_STYLES
from ..study import Study
from .images import Style, class_numbers, results
from .manifest import as_text, manifest, png_with
from .map_options import MapFileOptions
from .rows import Row, Shot, kernel_rows, map_row, signed_grad_cam_row

MAX_SIDE = 2100  # pixels across a drawn map, 3.5 in at 600 dpi; larger files enlarge it
GAP = 0.05  # inches between a map and what is below it
LONGEST_NAME = 160  # characters of a file name, without extension
OF_CAM_LAYER = ("grad_cam", "contrast")  # maps whose layer is that of Grad-CAM


def map_files(
    studies: Sequence[Study], image: np.ndarray | None, title: str, options: MapFileOptions, style: Style | None = None
) -> dict[str, bytes]:
    """Every map of one image's studies as a file of this kind, by name; all models share each map's scale.

    Args:
        studies: One a model.
        image: uint8 (H, W, 3), the upright source image; None takes the models' crops.
        title: The image's name.
        options: Of each file.
        style: Display settings.
    """
    style, shots = style or Style(), [Shot(study.model, study, image) for study in studies]
    files: dict[str, bytes] = {}
    about = [{"sha256": studies[0].image, "size": studies[0].crop.source_size}]
    with numbered_classes(class_numbers(studies)):
        for row in _rows(shots, style):
            for study, cell in zip(studies, row.cells, strict=True):
                if isinstance(cell, Cell):
                    name = file_stem(title, study.model, row.name, layer_name(study, row.name), class_name(study))
                    content = manifest({}, about, [study], [row.as_json()], style, map=asdict(options))
                    data = map_file(cell, row.scale, f"{row.title}, {study.model}.", content, options)
                    files[f"{name}.{options.format}"] = data
    return files


def _rows(shots: Sequence[Shot], style: Style) -> list[Row]:
    rows = []
    for name in MAP_STYLES:
        if any(name in results(shot.study) for shot in shots):
            rows += kernel_rows(shots, style) if name == "kernels" else [map_row(name, shots, style)]
            rows += [signed_grad_cam_row(shots, style)] if name == "grad_cam" else []
    return [row if row.scale is None else replace(row, scale=replace(row.scale, tone=style.tone)) for row in rows]


# ---- names ----------------------------------------------------------------------------------------------------------


def file_stem(*parts: str) -> str:
    """A file name without its extension, of ASCII letters and digits: "lion-pico-attention-stage3-lion"."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(filter(None, parts)))[:LONGEST_NAME].strip("-.")


def layer_name(study: Study, row: str) -> str:
    """ "stage3", or "stage3-block2" where a block is chosen."""
    options = study.options
    if row.startswith(OF_CAM_LAYER):
        return f"stage{options.cam_layer}"
    return f"stage{options.stage}" + (f"-block{options.block}" if options.block else "")


def class_name(study: Study) -> str:
    """The target class, by its number where its name is not ASCII; "" for a model without classes."""
    target = study.target
    return target.label if target.label.isascii() else f"class{target.index}"


# ---- one file -------------------------------------------------------------------------------------------------------


def map_file(
    cell: Cell, scale: ColorScale | None, caption: str, metadata: Mapping[str, Any], options: MapFileOptions
) -> bytes:
    """Draw one map.

    Args:
        cell: The map; its caption follows `caption`.
        scale: Of the color bar; None for a map without one.
        caption: What is drawn, of which model: the first sentence of the caption.
        metadata: The manifest, which the file holds.
        options: Size, format, and what is left out.

    Returns:
        The file. Its width is `options.width` inches; a PNG has width * dpi pixels and states its dpi.
    """
    pixels = round(options.width * options.dpi)
    rgb = cell.draw(min(pixels, MAX_SIDE))  # (H, W, 3)
    canvas = Canvas(options.width, options.dpi, margin=0, font_note=options.caption)
    canvas.y = canvas.image(0, 0, _enlarged(rgb, pixels, options.format == "png"), caption, options.width)
    if options.color_bar and scale is not None:
        canvas.y += GAP
        canvas.y += canvas.color_bar(**vars(scale))
    if options.caption:
        canvas.y += GAP
        canvas.paragraph(f"{caption} {cell.caption}".strip())
    if options.format == "png":
        return png_with(canvas.to_rgb(), metadata, options.dpi)
    if options.format == "pdf":
        return canvas.to_pdf(caption, as_text(metadata))
    return canvas.to_svg(caption, as_text(metadata)).encode()


def _enlarged(rgb: np.ndarray, pixels: int, is_raster: bool) -> np.ndarray:
    """Kernels keep whole pixels a tap, on white; other maps are as wide as the file."""
    height, width = rgb.shape[:2]
    target = pixels if is_raster else max(width, min(pixels, MAX_SIDE))
    if width < min(pixels, MAX_SIDE):  # a grid of kernels
        rgb = np.repeat(np.repeat(rgb, target // width, 0), target // width, 1)
        spare = target - rgb.shape[1]
        return np.pad(rgb, ((0, 0), (spare // 2, spare - spare // 2), (0, 0)), constant_values=255)
    size = target, round(target * height / width)
    return rgb if target == width else cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR)
