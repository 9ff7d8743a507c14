"""A folder of studies: manifest.json at its top, written last; below it a folder an image, in it one a variant.

    manifest.json
    report.html
    ladybug/sheet.png, ablation_table.png, …: figures of all the variants, with the raw values of some as .npz
    ladybug/pico/attention.png, kernels.png, grad_cam.png, receptive_field.png, view.png, maps.npz

Every file appears whole or not at all. What the manifest names is complete; paths in it are relative to the folder.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..draw.figure import StudyFigure
from ..draw.png import to_png
from ..study import Study
from .figures import figures
from .images import Style, image, kernels_sheet, ranges, results, source_crop
from .records import arrays, clean, describe, describe_drawing, npz
from .report import report

IMAGES_A_REPORT = 12  # about 4 MB each


def write_image(
    folder: Path, place: str, studies: Sequence[Study], upload: np.ndarray, title: str, style: Style | None = None
) -> dict[str, object]:
    """Write the files of one image's studies under folder/place; returns its part of the manifest.

    upload: uint8 (H, W, 3), the upright image. title: its file name. Raises OSError where the folder cannot be
    written.
    """
    style = style or Style()
    shared = ranges(studies, style)
    models = [_write_study(folder, f"{place}/{folder_name(s.model)}", s, upload, shared, style) for s in studies]
    figure_entries = [_write_figure(folder, place, study_figure) for study_figure in figures(studies, upload, style)]
    return {
        "image": title,
        "name": title,
        "sha256": studies[0].image,
        "size": studies[0].crop.source_size,
        "sheet": f"{place}/sheet.png",
        "drawn": describe_drawing(studies, style),
        "models": models,
        "figures": figure_entries,
    }


def folder_name(variant: str) -> str:
    """A variant's name as every file system takes it: "timm-resnet50@untrained"."""
    return variant.replace(":", "-")


def _write_figure(folder: Path, place: str, study_figure: StudyFigure) -> dict[str, object]:
    """A study_figure's image and raw values as files, its words for the manifest."""
    png = f"{place}/{study_figure.name}.png" if study_figure.image is not None else None
    raw = f"{place}/{study_figure.name}.npz" if study_figure.arrays else None
    if png:
        write_atomically(folder / png, to_png(study_figure.image))
    if raw:
        write_atomically(folder / raw, npz(study_figure.arrays))
    words = {key: getattr(study_figure, key) for key in ("name", "title", "caption", "alt", "limits", "numbers")}
    return words | {"png": png, "npz": raw, "table": asdict(study_figure.table) if study_figure.table else None}


def _write_study(
    folder: Path,
    place: str,
    study: Study,
    upload: np.ndarray,
    shared: Mapping[str, tuple[float, float]],
    style: Style,
) -> dict[str, object]:
    entry, raw, photo = describe(study), arrays(study), source_crop(study, upload)
    for name in results(study):
        if name == "kernels":
            drawing = kernels_sheet(study)
        else:
            drawing = image(study, name, photo, shared[name], style)
        entry["maps"][name]["png"] = f"{place}/{name}.png"
        write_atomically(folder / place / f"{name}.png", to_png(drawing))
    write_atomically(folder / place / "view.png", to_png(study.crop.rgb))
    write_atomically(folder / place / "maps.npz", npz(raw))
    return entry | {"view_png": f"{place}/view.png", "npz": f"{place}/maps.npz", "arrays": sorted(raw)}


def files_of(entry: Mapping[str, Any]) -> list[str]:
    """Every file that an image's part of the manifest names, relative to the folder."""
    found = [entry["sheet"], *(figure[kind] for figure in entry["figures"] for kind in ("png", "npz"))]
    for model in entry["models"]:
        found += [model["view_png"], model["npz"], *(one["png"] for one in model["maps"].values())]
    return [name for name in found if name]


def write_reports(folder: Path, manifest: Mapping[str, Any]) -> list[Path]:
    """report.html, and report-2.html, … where there are more images than one file should hold; none for none."""
    plain = clean(manifest)
    images = plain["images"]
    parts = [images[i : i + IMAGES_A_REPORT] for i in range(0, len(images), IMAGES_A_REPORT)]
    written = []
    for number, part in enumerate(parts, 1):
        which = f"part {number} of {len(parts)}" if len(parts) > 1 else ""
        html = report({**plain, "images": part}, folder, which)
        written.append(write_utf8(folder / f"report{f'-{number}' if number > 1 else ''}.html", html))
    return written


def write_manifest(folder: Path, manifest: Mapping[str, object]) -> Path:
    """manifest.json, UTF-8."""
    return write_json(folder / "manifest.json", manifest)


def write_json(path: Path, value: Mapping[str, object]) -> Path:
    """Strict JSON, UTF-8: what is not finite becomes null."""
    text = json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return write_utf8(path, text)


def write_utf8(path: Path, text: str) -> Path:
    """UTF-8. Bytes of a file name that this machine's locale cannot decode appear as escapes, which JSON reads back."""
    return write_atomically(path, text.encode("utf-8", "backslashreplace"))


def write_atomically(path: Path, data: bytes) -> Path:
    """Write under a temporary name in the same folder, then rename: a reader of `path` finds all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path
