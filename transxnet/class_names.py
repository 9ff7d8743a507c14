"""Class names from files and from what lies in checkpoints: a list of names in the order of a model's outputs.

Text (one name a line), JSON (a list, or a dictionary between indices and names), CSV (names, or two columns with
indices). Everything is validated: the content comes from outside.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import InvalidValue, quote
from .messages import Message

SUFFIXES = (".txt", ".json", ".csv")
MAX_BYTES = 10 * 2**20
MAX_CLASSES = 100_000
MAX_LENGTH = 120  # characters of a name
_INDEX_COLUMNS = ("index", "id", "class_id", "class_index", "idx", "target", "number")
_NAME_COLUMNS = ("name", "label", "class", "class_name", "classname", "names", "labels")
_REMEDY = "Pass a text file with one name a line, a JSON list or dictionary, or a CSV with the columns index and name."


def read_class_names(path: Path) -> tuple[str, ...]:
    """Read class names.

    Args:
        path: A .txt, .json or .csv file in UTF-8; any other suffix is read as text.

    Returns:
        The names, in the order of the model's outputs.

    Raises:
        InvalidValue: The file is missing, too large, not UTF-8, or has another form.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise InvalidValue(
            "The file of class names {name} cannot be read ({reason}).", remedy="Check the path.", detail=str(path),
            name=quote(path.name), reason=error.strerror or type(error).__name__,
        ) from error  # fmt: skip
    except UnicodeDecodeError as error:
        raise _invalid(path.name, Message("it is not UTF-8 text")) from error
    if len(data) > MAX_BYTES:
        raise _invalid(path.name, Message("it is larger than {size} MB", size=MAX_BYTES // 2**20))
    suffix = path.suffix.lower()
    if suffix == ".json":
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _invalid(path.name, Message("it is not valid JSON")) from error
    elif suffix == ".csv":
        content = _from_csv(text, path.name)
    else:
        content = text.strip("\r\n").splitlines()
    return class_names(content, path.name)


def class_names(content: object, where: str) -> tuple[str, ...]:
    """Names from a list, or from a dictionary index -> name or name -> index.

    Args:
        content: Parsed content. A value of a dictionary may also be a pair such as ["n01440764", "tench"], whose last
            entry is the name.
        where: What holds it, as an error names it.

    Raises:
        InvalidValue: It has another form.
    """
    if isinstance(content, Mapping):
        content = _in_order(content, where)
    if isinstance(content, str) or not isinstance(content, Sequence) or not content:
        raise _invalid(where, Message("it holds no list of names"))
    if len(content) > MAX_CLASSES:
        raise _invalid(where, Message("it holds more than {count} names", count=MAX_CLASSES))
    return tuple(_name(value, number, where) for number, value in enumerate(content))


def _name(value: object, number: int, where: str) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not text or len(text) > MAX_LENGTH or not text.isprintable():
        raise _invalid(where, Message("its entry {number} is not a name: {value}", number=number, value=quote(value)))
    return text


def _in_order(content: Mapping[object, object], where: str) -> list[object]:
    """The names of a dictionary by their indices, which must be 0, 1, 2, …"""
    pairs = [(_index(key), value) for key, value in content.items()]
    if any(index is None for index, _ in pairs):
        pairs = [(_index(value), key) for key, value in content.items()]
    names = {index: value[-1] if isinstance(value, (list, tuple)) and value else value for index, value in pairs}
    if sorted(index for index in names if index is not None) != list(range(len(content))):
        raise _invalid(where, Message("its indices are not 0, 1, 2, … up to the number of classes"))
    return [names[index] for index in range(len(content))]


def _index(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 9 else None


def _from_csv(text: str, where: str) -> object:
    """The names of a CSV: its column of names, in the order of its column of indices if it has one."""
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text)) if any(row)]
    except csv.Error as error:
        raise _invalid(where, Message("it is not valid CSV")) from error
    if not rows:
        return []
    head = [cell.lower() for cell in rows[0]]
    index_column = next((i for i, cell in enumerate(head) if cell in _INDEX_COLUMNS), None)
    name_column = next((i for i, cell in enumerate(head) if cell in _NAME_COLUMNS), None)
    if name_column is not None:
        rows = rows[1:]
    elif len(head) == 1:
        name_column = 0
    else:  # without a head: the column of numbers holds the indices
        columns = list(zip(*rows, strict=False))  # of the shortest row
        numbered = (i for i, column in enumerate(columns[:2]) if all(_index(cell) is not None for cell in column))
        index_column = next(numbered, None)
        name_column = 1 if index_column == 0 else 0
    if any(len(row) <= max(name_column, index_column or 0) for row in rows):
        raise _invalid(where, Message("its rows have different numbers of columns"))
    if index_column is None:
        return [row[name_column] for row in rows]
    indices = [_index(row[index_column]) for row in rows]
    if len(set(indices)) != len(indices):
        raise _invalid(where, Message("an index occurs twice"))
    return dict(zip(indices, (row[name_column] for row in rows), strict=True))


def _invalid(where: str, why: str) -> InvalidValue:
    return InvalidValue("{where} holds no usable class names: {why}.", remedy=_REMEDY, where=quote(where), why=why)
