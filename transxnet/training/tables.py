"""Labeled images that a table lists: CSV files of paths and labels, and Hugging Face datasets saved to disk."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import LensError, SourceFailed, quote

TABLE_SUFFIXES = (".csv", ".tsv")
_PATH_COLUMNS = ("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "img")
_LABEL_COLUMNS = ("label", "labels", "class", "class_name", "classname", "category", "target", "wnid", "fine_label")
_MAX_BYTES = 1 << 30
_REMEDY = "Write a table with the columns path and label; paths are relative to its folder."


@dataclass(frozen=True)
class Entry:
    """One image, before its class is known.

    Attributes:
        name: Inside its folder, zip or table.
        size: Bytes of the file; 0 where it is not known before reading.
        read: Reads the file.
        label: What the table gives, '' for none.
    """

    name: str
    size: int
    read: Callable[[], bytes]
    label: str = ""


def read_table(path: Path) -> list[Entry]:
    """Read a CSV of paths, relative to its folder, and labels.

    Args:
        path: UTF-8, separated by commas, semicolons or tabs; with a heading, or of two columns without.

    Returns:
        One entry per image. A path that is listed twice with the same label is one image.

    Raises:
        SourceFailed: It cannot be read, or has other columns, or an image has two labels.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _invalid(path, "it is larger than 1 GB")
        text = path.read_text(encoding="utf-8-sig")
        heading = text.split("\n", 1)[0]
        delimiter = max("\t;,", key=heading.count)
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(map(str.strip, row))]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _invalid(path, "it is not a table in UTF-8", repr(error)) from error
    if not rows:
        raise _invalid(path, "it is empty")
    path_column, label_column, rows = _columns(path, rows)
    labels: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        if len(row) <= max(path_column, label_column):
            raise _invalid(path, f"row {number} has {len(row)} columns")
        name, label = row[path_column].strip(), row[label_column].strip()
        if labels.setdefault(name, label) != label:
            raise _invalid(path, f"it gives {quote(name)} two different labels")
    return [_entry_of_file(path.parent / name, name, label) for name, label in labels.items()]


def _columns(path: Path, rows: Sequence[Sequence[str]]) -> tuple[int, int, Sequence[Sequence[str]]]:
    """(column of paths, column of labels, the rows below the heading)."""
    heading = [cell.strip().lower() for cell in rows[0]]
    path_column = next((heading.index(name) for name in _PATH_COLUMNS if name in heading), None)
    label_column = next((heading.index(name) for name in _LABEL_COLUMNS if name in heading), None)
    if path_column is None and label_column is None and len(heading) == 2:
        return 0, 1, rows
    if path_column is not None and label_column is None and len(heading) == 2:
        label_column = 1 - path_column
    if path_column is None or label_column is None:
        raise _invalid(path, f"its columns are {', '.join(heading[:8])}")
    return path_column, label_column, rows[1:]


def _entry_of_file(file: Path, name: str, label: str) -> Entry:
    """A missing file is reported by its reader, as an image that cannot be read."""
    try:
        size = file.stat().st_size
    except OSError:
        size = 0
    return Entry(name, size, file.read_bytes, label)


def _invalid(path: Path, why: str, detail: str = "") -> SourceFailed:
    return SourceFailed(f"{path.name} is not a list of labeled images: {why}.", remedy=_REMEDY, detail=detail)


# --- Hugging Face datasets --------------------------------------------------------------------------------------------


def is_saved_dataset(path: Path) -> bool:
    """Whether a folder is one that `Dataset.save_to_disk` or `DatasetDict.save_to_disk` wrote."""
    return (path / "state.json").is_file() or (path / "dataset_dict.json").is_file()


def read_saved_dataset(path: Path) -> list[Entry]:
    """Read a folder that `Dataset.save_to_disk` wrote: its column of images and its column of labels.

    Raises:
        SourceFailed: The package is not installed; the folder is damaged, holds several splits, or lacks a column.
    """
    try:
        import datasets
    except ImportError as error:
        raise SourceFailed(
            f"The folder {path.name} was written by Hugging Face's datasets, which is not installed.",
            remedy="Run: pip install datasets.", detail=repr(error),
        ) from error  # fmt: skip
    if (path / "dataset_dict.json").is_file():
        splits = sorted(folder.name for folder in path.iterdir() if is_saved_dataset(folder))
        raise SourceFailed(
            f"The folder {path.name} holds the splits {', '.join(splits)}.",
            remedy=f"Name one of them, such as {path.name}/{splits[0] if splits else 'train'}.",
        )
    try:
        dataset = datasets.load_from_disk(str(path))
        return _entries_of_dataset(path, dataset, datasets)
    except LensError:
        raise
    except Exception as error:  # Arrow's and the package's own errors have no common class
        raise SourceFailed(
            f"The dataset {path.name} is damaged.", remedy="Save it again with Dataset.save_to_disk.",
            detail=repr(error)[:400],
        ) from error  # fmt: skip


def _entries_of_dataset(path: Path, dataset: Any, datasets: Any) -> list[Entry]:
    features = dataset.features
    images = [name for name, feature in features.items() if isinstance(feature, datasets.Image)]
    labels = [name for name, feature in features.items() if isinstance(feature, datasets.ClassLabel)]
    labels += [name for name in _LABEL_COLUMNS if name in features and name not in labels]
    if not images or not labels:
        raise SourceFailed(
            f"The dataset {path.name} has no column of {'labels' if images else 'images'}: {', '.join(features)}.",
            remedy="Save it with an Image column and a column label, of class ClassLabel or text.",
        )
    dataset = dataset.cast_column(images[0], datasets.Image(decode=False))  # the files as they are
    names = getattr(features[labels[0]], "names", None)  # None: text, or numbers without names
    values = dataset[labels[0]]
    digits = len(str(len(dataset)))
    return [
        Entry(f"{path.name}/{i:0{digits}}", 0, partial(_read_cell, dataset, images[0], i), _label(value, names))
        for i, value in enumerate(values)
    ]


def _label(value: object, names: Sequence[str] | None) -> str:
    if value is None or value == -1:  # -1: without a label, as test splits have it
        return ""
    return names[value] if names is not None and isinstance(value, int) else str(value)


def _read_cell(dataset: Any, column: str, row: int) -> bytes:
    cell = dataset[row][column]
    return cell["bytes"] if cell["bytes"] is not None else Path(cell["path"]).read_bytes()
