"""Figures -> a folder that GitHub shows as a page: compressed images and a README.md."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..draw.figure import StudyFigure, Table
from ..draw.overlay import to_png
from .files import write_atomically, write_utf8
from .report import inline

SUFFIXES = {"png": ".png", "jpeg": ".jpg"}


def write_gallery(folder: Path, figures: Sequence[StudyFigure], about: Sequence[str]) -> Path:
    """Write every figure and the page that shows them.

    Args:
        folder: Other files in it stay as they are.
        figures: An image is written at most 1600 pixels wide, as PNG or JPEG, whichever is smaller.
        about: Markdown paragraphs for the head: the image, the models, the command.

    Returns:
        The page.

    Raises:
        OSError: If the folder cannot be written.
    """
    parts = ["# Gallery", *about]
    for figure in figures:
        parts += [f"## {figure.title}", figure.caption]
        if figure.image is not None:
            parts.append(f"![{_one_line(figure.alt)}]({_write(folder, figure)})")
        if figure.table:
            parts.append(_details(figure.table))
        parts.append(f"*{figure.limits}*")
    return write_utf8(folder / "README.md", "\n\n".join(parts) + "\n")


def provenance_lines(models: Mapping[str, str]) -> str:
    """A list of models and where their weights are from."""
    return "\n".join(f"* `{name}`: {provenance}" for name, provenance in models.items())


def _write(folder: Path, figure: StudyFigure) -> str:
    """The image's file, in the smaller format; an older one in the other format is deleted. Returns its name."""
    url, _, _ = inline(to_png(figure.image))
    kind, data = url.removeprefix("data:image/").split(";base64,")
    for suffix in SUFFIXES.values():
        (folder / f"{figure.name}{suffix}").unlink(missing_ok=True)
    return write_atomically(folder / f"{figure.name}{SUFFIXES[kind]}", base64.b64decode(data)).name


def _details(table: Table) -> str:
    rows = [table.head, ["---"] * len(table.head), *table.rows]
    lines = "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows)
    return f"<details><summary>Numbers</summary>\n\n{lines}\n\n</details>"


def _cell(text: str) -> str:
    return _one_line(text).replace("|", "\\|")


def _one_line(text: str) -> str:
    """On one line, without brackets, which would end an image's alt text."""
    return " ".join(text.split()).replace("[", "(").replace("]", ")")
