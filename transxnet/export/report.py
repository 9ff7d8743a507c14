"""A folder of studies -> report.html: one file with every image inside it, to be read offline or sent by mail.

It is made from manifest.json and the figures that the manifest names, so a study that was resumed, or shared among
processes, gives the same report as one that ran through. Jinja2 (which torch and Gradio bring) escapes every word.
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

Json = Mapping[str, Any]
TITLE = "How the models got to their answers"
WIDEST = 1600  # pixels of a figure in the report; the file in the folder keeps its own size
QUALITY = 90  # of JPEG, where that is smaller than PNG


def report(manifest: Json, folder: Path, which: str = "") -> str:
    """The report of a folder, as HTML.

    manifest: as `manifest.json` holds it; the page's has `address` in the place of `command`. folder: where the figures
    that it names lie. which: of several files, e.g. "part 2 of 3". Paths of this machine stay out: images are called
    by their file names. Raises OSError where a figure cannot be read.
    """
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_own_file("report.html.jinja"))
    images = manifest["images"]
    return template.render(
        title=TITLE + (f", {which}" if which else ""),
        style=jinja2.utils.markupsafe.Markup(_own_file("report.css")),  # ours: quotes in it are no markup
        made=manifest["made"].replace("T", " ").replace("+00:00", " UTC"),
        models=_models(images),
        images=[_image(entry, folder) for entry in images],
        failed=[f"{PurePath(one['image']).name}: {one['error']}" for one in manifest["failed"]],
        command=shlex.join(without_folders(manifest.get("command", []))),
        address=manifest.get("address", ""),
        versions=", ".join(f"{package} {version}" for package, version in manifest["versions"].items()),
    )


def inline(file: bytes, widest: int = WIDEST) -> tuple[str, int, int]:
    """(data URL, width, height) of a PNG, at most `widest` pixels across: as PNG or JPEG, whichever is smaller."""
    bgr = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    height, width = bgr.shape[:2]
    if width > widest:
        height, width = round(height * widest / width), widest
        bgr = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA)
    full_color = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]  # thin colored lines stay
    png = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes()  # 9: 2 % less in 6 times as long
    jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY, *full_color])[1].tobytes()
    kind, data = min((("png", png), ("jpeg", jpeg)), key=lambda one: len(one[1]))
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}", width, height


def _own_file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _models(images: Sequence[Json]) -> list[Json]:
    """Each model once, in the order of the rows."""
    found: dict[str, Json] = {}
    for model in (model for entry in images for model in entry["models"]):
        row = {"name": model["model"], "untrained": model["untrained"], "sha256": model["provenance"]["sha256"]}
        found.setdefault(model["model"], row | {"weights": _weights(model["provenance"])})
    return list(found.values())


def _weights(provenance: Json) -> str:
    revision = f", revision {provenance['revision']}" if provenance.get("revision") else ""
    return f"{provenance['kind']}, {provenance['location']}{revision}. {provenance.get('note', '')}".strip()


def _image(entry: Json, folder: Path) -> Json:
    models, (width, height) = entry["models"], entry["size"]
    best = [(m["model"], m["top"][0]) for m in models]
    answers = "; ".join(f"{model}: {top['label']} {100 * top['probability']:.0f} %" for model, top in best)
    lacking = ((m["model"], part, why) for m in models for part, why in m["missing"].items())
    return {
        "name": entry["name"],
        "answers": answers,
        "about": f"{width} x {height} px. Explained: {models[0]['class']['label']}. Answers: {answers}.",
        "notes": list(dict.fromkeys(f"{m['model']}: {note}" for m in models for note in m["notes"])),
        "figures": [_figure(figure, folder) for figure in entry["figures"]],
        "missing": [(f"{model}, {part.replace('_', ' ')}", why) for model, part, why in lacking],
    }


def _figure(figure: Json, folder: Path) -> Json:
    src, width, height = inline((folder / figure["png"]).read_bytes()) if figure["png"] else ("", 0, 0)
    return {**figure, "src": src, "width": width, "height": height}


def without_folders(command: Sequence[str]) -> list[str]:
    """The command with file names only: the report may be sent to anybody."""
    return [PurePath(word).name if len(PurePath(word).parts) > 1 else word for word in command]
