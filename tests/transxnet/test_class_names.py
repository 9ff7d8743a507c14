"""Class names from text, JSON and CSV files."""

from __future__ import annotations

import json

import pytest

from transxnet.class_names import MAX_LENGTH, class_names, read_class_names
from transxnet.errors import InvalidValue

NAMES = ("robin", "great tit", "박새")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "robin\ngreat tit\n박새\n"),
        ("a.txt", "\ufeffrobin\r\ngreat  tit\r\n박새"),
        ("names", "robin\ngreat tit\n박새"),
        ("a.json", json.dumps(NAMES)),
        ("a.json", json.dumps({"1": "great tit", "0": "robin", "2": "박새"})),
        ("a.json", json.dumps({"great tit": 1, "robin": 0, "박새": 2})),
        ("a.json", json.dumps({"0": ["n01", "robin"], "1": ["n02", "great tit"], "2": ["n03", "박새"]})),
        ("a.csv", "robin\ngreat tit\n박새\n"),
        ("a.csv", "name\nrobin\ngreat tit\n박새\n"),
        ("a.csv", "index,name\n2,박새\n0,robin\n1,great tit\n"),
        ("a.csv", "label,id\nrobin,0\ngreat tit,1\n박새,2\n"),
        ("a.csv", "0,robin\n1,great tit\n2,박새\n"),
        ("a.csv", 'robin,0\n"great tit",1\n박새,2\n'),
    ],
)
def test_forms_of_class_names(name, text, tmp_path):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_class_names(tmp_path / name) == NAMES


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("a.txt", b"a\n\nb", "its entry 1 is not a name"),
        ("a.txt", b"", "it holds no list of names"),
        ("a.txt", b"caf\xe9", "it is not UTF-8 text"),
        ("a.txt", b"a\x1b[31m", "its entry 0 is not a name"),
        ("a.txt", b"x" * (MAX_LENGTH + 1), "its entry 0 is not a name"),
        ("a.json", b"{", "it is not valid JSON"),
        ("a.json", b"[" * 100_000, "it is not valid JSON"),
        ("a.json", b"3", "it holds no list of names"),
        ("a.json", b'["a", 3]', "its entry 1 is not a name: 3"),
        ("a.json", b'{"0": "a", "2": "b"}', "its indices are not 0, 1, 2"),
        ("a.json", b'{"a": true}', "its indices are not 0, 1, 2"),
        ("a.csv", b"index,name\n0,a\n0,b\n", "an index occurs twice"),
        ("a.csv", b"index,name\n0,a\n1\n", "its rows have different numbers of columns"),
    ],
)
def test_unusable_files_are_refused(name, data, problem, tmp_path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InvalidValue) as caught:
        read_class_names(tmp_path / name)
    assert str(caught.value).startswith(f"'{name}' holds no usable class names: {problem}")


def test_missing_file_is_reported_without_its_folder(tmp_path):
    with pytest.raises(InvalidValue, match="cannot be read") as caught:
        read_class_names(tmp_path / "nowhere.txt")
    assert str(tmp_path) not in str(caught.value)


def test_names_from_a_checkpoint():
    assert class_names({"cat": 0, "dog": 1}, "class_to_idx") == ("cat", "dog")
    assert class_names(("a", "b"), "classes") == ("a", "b")
