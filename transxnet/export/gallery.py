"""Plates -> a folder that GitHub shows as a page: images small enough to travel with the code, and a README.md."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..draw.figure import StudyFigure, Table
from ..draw.png import to_png
from .files import write_atomically, write_utf8
from .report import inline

SUFFIXES = {"png": ".png", "jpeg": ".jpg"}


def write_gallery(folder: Path, figures: Sequence[StudyFigure], about: Sequence[str]) -> Path:
    """Write every study_figure and the page that shows them; returns the page.

    about: paragraphs of Markdown for its head: what was looked at, by which models, by which command. An image is
    at most 1600 pixels wide, PNG or JPEG, whichever is smaller; others of this folder stay as they are.
    Raises OSError where the folder cannot be written.
    """
    parts = ["# Gallery", *about]
    for study_figure in figures:
        parts += [f"## {study_figure.title}", study_figure.caption]
        if study_figure.image is not None:
            parts.append(f"![{_plain(study_figure.alt)}]({_write(folder, study_figure)})")
        if study_figure.table:
            parts.append(_details(study_figure.table))
        parts.append(f"*{study_figure.limits}*")
    return write_utf8(folder / "README.md", "\n\n".join(parts) + "\n")


def provenance_lines(models: Mapping[str, str]) -> str:
    """A list of models and where their weights came from."""
    return "\n".join(f"* `{name}`: {words}" for name, words in models.items())


def _write(folder: Path, study_figure: StudyFigure) -> str:
    """The image's file, of the smaller kind; an older one of the other kind goes. Returns its name."""
    url, _, _ = inline(to_png(study_figure.image))
    kind, data = url.removeprefix("data:image/").split(";base64,")
    for suffix in SUFFIXES.values():
        (folder / f"{study_figure.name}{suffix}").unlink(missing_ok=True)
    return write_atomically(folder / f"{study_figure.name}{SUFFIXES[kind]}", base64.b64decode(data)).name


def _details(table: Table) -> str:
    rows = [table.head, ["---"] * len(table.head), *table.rows]
    lines = "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows)
    return f"<details><summary>Numbers</summary>\n\n{lines}\n\n</details>"


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    """On one line, and no bracket that would end an image's text."""
    return " ".join(text.split()).replace("[", "(").replace("]", ")")
