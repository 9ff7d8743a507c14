"""transxnet/console.py: any terminal can be printed to, and a failed import says what to install."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from transxnet.__main__ import parser
from transxnet.console import escape_unencodable, explain_import_error, program_name


@pytest.mark.parametrize(
    ("encoding", "text", "printed"),
    [
        ("ascii", "大 – caf\udce9", rb"\u5927 \u2013 caf\udce9"),
        ("gbk", "大 – 사", "大 – ".encode("gbk") + rb"\uc0ac"),
        ("utf-8", "大 – caf\udce9", "大 – ".encode() + rb"caf\udce9"),
        ("cp949", "é 사 😀", rb"\u00e9 " + "사".encode("cp949") + rb" \ud83d\ude00"),
    ],
)
def test_unencodable_characters_are_printed_as_escapes(monkeypatch, encoding: str, text: str, printed: bytes):
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True))
    escape_unencodable()
    for stream in (sys.stdout, sys.stderr):
        print(text, end="", file=stream)
        assert stream.buffer.getvalue() == printed


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "cp936", "cp932", "cp1252", "utf-8"])
def test_json_stays_valid_in_every_encoding(monkeypatch, encoding: str):
    name = "é 사 大 😀 \udcff \x80.jpg"
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True))
    escape_unencodable()
    print(json.dumps({"image": name}, ensure_ascii=False))
    assert json.loads(sys.stdout.buffer.getvalue().decode(encoding)) == {"image": name}


CODE = """
import os, sys
from transxnet.console import decode_arguments
decode_arguments()
print([os.fsencode(argument) for argument in sys.argv[1:]])
sys.argv[1:] = ["another"]
decode_arguments()
print(sys.argv[1:])
"""


@pytest.mark.process
def test_arguments_are_names_of_files(tmp_path: Path):
    """Of any bytes, in an EUC-KR locale; arguments that a program has replaced stay."""
    subprocess.run(["localedef", "--quiet", "-i", "ko_KR", "-f", "EUC-KR", str(tmp_path / "ko_KR.EUC-KR")], check=True)
    environment = os.environ | {
        "LOCPATH": str(tmp_path), "LC_ALL": "ko_KR.EUC-KR", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0",
    }  # fmt: skip
    command = [sys.executable, "-c", CODE, "사".encode() + b" \x80", ""]
    output = subprocess.check_output(command, env=environment, encoding="ascii", timeout=200)
    assert output.splitlines() == ["[b'\\xec\\x82\\xac \\x80', b'']", "['another']"]


def test_replaced_and_missing_streams_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", None)
    escape_unencodable()
    print("大")
    assert sys.stdout.getvalue() == "大\n"


MISSING = "cannot open shared object file: No such file or directory"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ImportError(f"libGL.so.1: {MISSING}", name="cv2"), "OpenCV cannot load the shared library libGL.so.1."),
        (ImportError("/lib/libGL.so.1: file too short"),
         "A Python package cannot load the shared library libGL.so.1."),
        (ImportError(f"libgthread-2.0.so.0: {MISSING}", name="cv2"),
         "OpenCV cannot load the shared library libgthread-2.0.so.0."),
        (ImportError(f"libcudart.so.13: {MISSING}", name="torch._C"),
         "torch cannot load the shared library libcudart.so.13."),
        (ImportError("DLL load failed while importing cv2: The specified module could not be found.", name="cv2"),
         "OpenCV cannot load a DLL."),
        (ModuleNotFoundError("No module named 'gradio'", name="gradio"), "The Python package gradio is not installed."),
        (ModuleNotFoundError("No module named 'captum.attr'", name="captum.attr"),
         "The Python package captum is not installed."),
    ],
)  # fmt: skip
def test_failed_import_says_what_to_install(error: ImportError, sentence: str):
    explained = explain_import_error(error)
    assert explained.what == sentence
    opencv = "libG" in sentence or "libg" in sentence or "OpenCV" in sentence
    for remedy in ("apt-get install libgl1 libglib2.0-0", "pip install opencv-python-headless"):
        assert (remedy in explained.remedy) == opencv
    assert ('pip install "transxnet-lens[demo]"' in explained.remedy) == isinstance(error, ModuleNotFoundError)


@pytest.mark.parametrize(
    ("program", "name"),
    [
        ("bin/transxnet", "transxnet"),
        ("Scripts/transxnet.exe", "transxnet"),
        ("Scripts/transxnet-script.py", "transxnet"),
        ("transxnet/__main__.py", "python -m transxnet"),
        ("bin/pytest", "python -m transxnet"),
    ],
)
def test_program_is_named_as_it_was_started(monkeypatch, program: str, name: str):
    monkeypatch.setattr(sys, "argv", [program])
    assert program_name() == name
    assert parser().prog == name


@pytest.mark.parametrize(
    "error",
    [
        ImportError("cannot import name 'x' from 'timm'", name="timm"),
        ModuleNotFoundError("No module named 'demo.x'", name="demo.x"),
        ModuleNotFoundError("No module named 'transxnet.x'", name="transxnet.x"),
        ModuleNotFoundError("No module named 'transxnet_lens.x'", name="transxnet_lens.x"),
    ],
)
def test_programming_error_is_not_explained(error: ImportError):
    assert explain_import_error(error) is None
