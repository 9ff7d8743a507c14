"""A folder of studies -> report.html: one self-contained file, to be read offline or sent by mail.

It is made from manifest.json and the figures that the manifest names, so an interrupted or distributed study gives the
same report as one that ran in a single process. Jinja2 (a dependency of torch and Gradio) escapes all text.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path, PurePath
from typing import Any

import cv2
import jinja2
import numpy as np

from ..draw.text import percent

Json = Mapping[str, Any]
TITLE = "Explanation report"
MAX_WIDTH = 1600  # pixels of a figure in the report; the file in the folder keeps its size
QUALITY = 90  # of JPEG, where that is smaller than PNG


def report(manifest: Json, folder: Path, part: str = "") -> str:
    """The report of a folder, as HTML.

    Args:
        manifest: As in `manifest.json`; a page's has `address` instead of `command`, a notebook's neither.
        folder: Where the figures are that it names.
        part: Of several files, e.g. "part 2 of 3".

    Returns:
        HTML without paths of this machine: images are called by their file names.

    Raises:
        OSError: If a figure cannot be read.
    """
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_template("report.html.jinja"))
    images = manifest["images"]
    return template.render(
        title=TITLE + (f", {part}" if part else ""),
        style=jinja2.utils.markupsafe.Markup(_template("report.css")),  # our own file: not escaped
        created=manifest["created"].replace("T", " ").replace("+00:00", " UTC"),
        models=_models(images),
        images=[_image(entry, folder) for entry in images],
        failed=[f"{PurePath(failure['image']).name}: {failure['error']}" for failure in manifest["failed"]],
        command=shlex.join(without_folders(manifest.get("command", []))),
        address=manifest.get("address", ""),
        versions=", ".join(f"{package} {version}" for package, version in manifest["versions"].items()),
    )


def inline(file: bytes, max_width: int = MAX_WIDTH) -> tuple[str, int, int]:
    """(data URL, width, height) of a PNG, at most `max_width` pixels across: as PNG or JPEG, whichever is smaller."""
    bgr = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    height, width = bgr.shape[:2]
    if width > max_width:
        height, width = round(height * max_width / width), max_width
        bgr = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA)
    full_color = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]  # thin colored lines stay
    png = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes()  # 9 saves 2% in six times the time
    jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY, *full_color])[1].tobytes()
    kind, data = min((("png", png), ("jpeg", jpeg)), key=lambda option: len(option[1]))
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}", width, height


def _template(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _models(images: Sequence[Json]) -> list[Json]:
    """Each model once, in the order of the rows."""
    rows: dict[str, Json] = {}
    for model in (model for entry in images for model in entry["models"]):
        row = {"name": model["model"], "untrained": model["untrained"], "sha256": model["provenance"]["sha256"]}
        rows.setdefault(model["model"], row | {"weights": _weights(model["provenance"])})
    return list(rows.values())


def _weights(provenance: Json) -> str:
    revision = f", revision {provenance['revision']}" if provenance.get("revision") else ""
    return f"{provenance['kind']}, {provenance['location']}{revision}. {provenance.get('note', '')}".strip()


def _image(entry: Json, folder: Path) -> Json:
    models, (width, height) = entry["models"], entry["size"]
    best = [(model["model"], next(iter(model["predictions"]), None)) for model in models]
    predictions = "; ".join(
        f"{name}: {top['label']} {percent(top['probability'], 1)}" if top else f"{name}: no classifier"
        for name, top in best
    )
    missing = ((m["model"], analysis, reason) for m in models for analysis, reason in m["missing"].items())
    return {
        "name": entry["name"],
        "predictions": predictions,
        "about": f"{width} × {height} px. Target class: {models[0]['target']['label']}. Predictions: {predictions}.",
        "notes": list(dict.fromkeys(f"{m['model']}: {note}" for m in models for note in m["notes"])),
        "figures": [_figure(figure, folder) for figure in entry["figures"]],
        "missing": [(f"{name}, {analysis.replace('_', ' ')}", reason) for name, analysis, reason in missing],
    }


def _figure(figure: Json, folder: Path) -> Json:
    src, width, height = inline((folder / figure["png"]).read_bytes()) if figure["png"] else ("", 0, 0)
    return {**figure, "src": src, "width": width, "height": height}


def without_folders(command: Sequence[str]) -> list[str]:
    """The command with file names only, since the report may be shared."""
    return [PurePath(argument).name if len(PurePath(argument).parts) > 1 else argument for argument in command]
