"""A folder of studies: manifest.json, written last; below it a folder an image, with a folder a model.

    manifest.json
    report.html
    ladybug/sheet.png, ablation_table.png, …: figures of all models, with the raw values of some as .npz
    ladybug/maps/ladybug-pico-attention-stage3-ladybug.pdf, …: one map each, on request
    ladybug/pico/attention.png, kernels.png, grad_cam.png, receptive_field.png, crop.png, maps.npz

Every file appears complete or not at all. What the manifest names is complete; paths in it are relative to the folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..draw.figure import StudyFigure
from ..draw.overlay import to_png
from ..output import replace_atomically
from ..study import Study
from .axes import describe_arrays
from .figures import figures
from .images import Style, draw_map, kernels_sheet, ranges, results, source_crop
from .manifest import FORMAT
from .map_file import map_files
from .map_options import MapFileOptions
from .records import arrays, clean, describe, describe_scales, npz
from .report import report

IMAGES_A_REPORT = 12  # about 4 MB each


def write_image(
    folder: Path, place: str, studies: Sequence[Study], image: np.ndarray | None, title: str,
    style: Style | None = None, map_options: MapFileOptions | None = None,
) -> dict[str, object]:  # fmt: skip
    """Write the files of one image's studies.

    Args:
        folder: Of all images.
        place: The image's folder in it.
        studies: One a model.
        image: uint8 (H, W, 3), the upright source image; None takes the models' crops.
        title: Its file name.
        style: Display settings.
        map_options: Of files that hold one map each, in a folder maps/; None writes none.

    Returns:
        The image's entry of the manifest.

    Raises:
        OSError: If the folder cannot be written.
    """
    style = style or Style()
    shared = ranges(studies, style)
    models = [_write_study(folder, f"{place}/{folder_name(s.model)}", s, image, shared, style) for s in studies]
    entries = [_write_figure(folder, place, figure) for figure in figures(studies, image, style)]
    maps = map_files(studies, image, place, map_options, style) if map_options else {}
    for name, data in maps.items():
        write_atomically(folder / place / "maps" / name, data)
    return {
        "image": title,
        "name": title,
        "sha256": studies[0].image,
        "size": studies[0].crop.source_size,
        "sheet": f"{place}/sheet.png",
        "scales": describe_scales(studies, style),
        "models": models,
        "figures": entries,
        "maps": [f"{place}/maps/{name}" for name in maps],
    }


def folder_name(model: str) -> str:
    """A model's name that is valid in every file system: "timm-resnet50@untrained"."""
    return model.replace(":", "-")


def _write_figure(folder: Path, place: str, figure: StudyFigure) -> dict[str, object]:
    """A figure's image and raw values as files, its text for the manifest."""
    png = f"{place}/{figure.name}.png" if figure.image is not None else None
    raw = f"{place}/{figure.name}.npz" if figure.arrays else None
    if png:
        write_atomically(folder / png, to_png(figure.image))
    if raw:
        write_atomically(folder / raw, npz(figure.arrays))
    entry = {key: getattr(figure, key) for key in ("name", "title", "caption", "alt", "limits", "numbers")}
    entry["arrays"] = describe_arrays(figure.arrays, figure.name)
    return entry | {"png": png, "npz": raw, "table": asdict(figure.table) if figure.table else None}


def _write_study(
    folder: Path,
    place: str,
    study: Study,
    image: np.ndarray | None,
    shared: Mapping[str, tuple[float, float]],
    style: Style,
) -> dict[str, object]:
    entry, raw, photo = describe(study), arrays(study), source_crop(study, image)
    for name in results(study):
        rgb = kernels_sheet(study) if name == "kernels" else draw_map(study, name, photo, shared[name], style)
        entry["heatmaps"][name]["png"] = f"{place}/{name}.png"
        write_atomically(folder / place / f"{name}.png", to_png(rgb))
    write_atomically(folder / place / "crop.png", to_png(study.crop.rgb))
    write_atomically(folder / place / "maps.npz", npz(raw))
    return entry | {"crop_png": f"{place}/crop.png", "npz": f"{place}/maps.npz", "arrays": describe_arrays(raw)}


def files_of(entry: Mapping[str, Any]) -> list[str]:
    """Every file that an image's entry names, relative to the folder."""
    names = [entry["sheet"], *entry["maps"], *(figure[kind] for figure in entry["figures"] for kind in ("png", "npz"))]
    for model in entry["models"]:
        names += [model["crop_png"], model["npz"], *(heatmap["png"] for heatmap in model["heatmaps"].values())]
    return [name for name in names if name]


def write_reports(folder: Path, manifest: Mapping[str, Any]) -> list[Path]:
    """report.html, and report-2.html, … for more images than one file should hold; none without images."""
    plain = clean(manifest)
    images = plain["images"]
    parts = [images[i : i + IMAGES_A_REPORT] for i in range(0, len(images), IMAGES_A_REPORT)]
    written = []
    for number, part in enumerate(parts, 1):
        part_of = f"part {number} of {len(parts)}" if len(parts) > 1 else ""
        html = report({**plain, "images": part}, folder, part_of)
        written.append(write_utf8(folder / f"report{f'-{number}' if number > 1 else ''}.html", html))
    return written


def write_manifest(folder: Path, manifest: Mapping[str, object]) -> Path:
    """manifest.json, UTF-8, with the number of its format."""
    return write_json(folder / "manifest.json", {"format": FORMAT, **manifest})


def write_json(path: Path, value: Mapping[str, object]) -> Path:
    """Strict JSON, UTF-8; numbers that are not finite become null."""
    text = json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return write_utf8(path, text)


def write_utf8(path: Path, text: str) -> Path:
    """UTF-8; bytes of a file name that the locale cannot decode become escapes, which JSON reads back."""
    return write_atomically(path, text.encode("utf-8", "backslashreplace"))


def write_atomically(path: Path, data: bytes) -> Path:
    """Write under a temporary name in the same folder, then rename: a reader of `path` sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_atomically(path) as temporary:
        temporary.write_bytes(data)
    return path
