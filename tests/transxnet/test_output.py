"""transxnet/output.py: unwritable folders are refused early, unfinished files are removed, full disks explained."""

from __future__ import annotations

import argparse
import errno
import io
import os
import tempfile
from pathlib import Path

import pytest

from tests.torchrun import Forked
from transxnet import __main__, output
from transxnet.errors import LensError
from transxnet.export.files import write_atomically
from transxnet.output import check_output, explain_storage_error


def test_check_changes_nothing(tmp_path: Path):
    check_output(tmp_path / "new" / "folder")
    check_output(tmp_path)
    check_output(tmp_path / "new" / "file.npz", file=True)
    check_output(None)
    assert list(tmp_path.iterdir()) == []


def test_existing_file_is_not_a_folder(tmp_path: Path):
    (tmp_path / "out").write_bytes(b"x")
    check_output(tmp_path / "out", file=True)
    with pytest.raises(LensError, match="cannot be written to out \\(Not a directory\\)"):
        check_output(tmp_path / "out")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_reason_of_the_system_is_reported(monkeypatch, tmp_path: Path, code: int):
    def refuse(**_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(LensError) as caught:
        check_output(tmp_path / "out")
    assert os.strerror(code) in caught.value.what
    assert str(tmp_path) not in str(caught.value)


def test_full_disk_is_detected_by_writing(monkeypatch, tmp_path: Path):
    """/dev/full takes no byte, as a full disk does."""
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda dir: io.FileIO("/dev/full", "w"))
    with pytest.raises(LensError, match="No space left on device"):
        check_output(tmp_path)


def unfinished(folder: Path, name: str, age: float) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    os.utime(path, (output._STARTED - age,) * 2)
    return path


def test_resume_removes_unfinished_files(tmp_path: Path):
    stale = [unfinished(tmp_path, "lion/.sheet.png.12.34.part", 1), unfinished(tmp_path, ".report.html.1.2.part", 999)]
    remaining = [
        unfinished(tmp_path, "lion/.maps.npz.13.35.part", -5),  # written by another process of this run
        unfinished(tmp_path, "lion/.mine.part", 999), unfinished(tmp_path, "lion/a.12.34.part", 999),
        unfinished(tmp_path, "lion/sheet.png", 999),
    ]  # fmt: skip
    check_output(tmp_path)
    assert all(path.exists() for path in stale)
    check_output(tmp_path, resume=True)
    assert not any(path.exists() for path in stale)
    assert all(path.exists() for path in remaining)


KILLED = """
import os, signal, sys
from pathlib import Path
from transxnet.export.files import write_atomically
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
write_atomically(Path(sys.argv[1]), b"x")
"""


@pytest.mark.process
def test_file_left_by_sigkill_is_removed(monkeypatch, tmp_path: Path):
    """The pattern matches the temporary names of write_atomically."""
    (tmp_path / "script.py").write_text(KILLED, encoding="utf-8")
    killed = Forked(tmp_path / "script.py", tmp_path / "lion" / "sheet.png", module=False)
    killed.communicate()
    assert killed.returncode == -9
    (part,) = (tmp_path / "lion").iterdir()
    monkeypatch.setattr(output, "_STARTED", part.stat().st_mtime + 1)
    check_output(tmp_path, resume=True)
    assert list((tmp_path / "lion").iterdir()) == []


# --- A disk that fills up while a command runs ------------------------------------------------------------------------


def raise_from(cause: Exception, error: Exception) -> Exception:
    error.__context__ = cause
    return error


FULL = OSError(errno.ENOSPC, "No space left on device", "/home/somebody/out")


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        raise_from(FULL, RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 768 vs 662")),
        Exception("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
    ids=["python", "torch", "safetensors"],
)
def test_full_disk_is_explained_for_each_library(error: Exception):
    explained = explain_storage_error(error)
    assert explained.what == "The results could not be written (No space left on device)."
    assert "/home" not in str(explained)


@pytest.mark.parametrize("error", [ValueError("x"), FileNotFoundError(errno.ENOENT, "x"), RuntimeError("(os error 2)")])
def test_other_errors_are_not_explained(error: Exception):
    assert explain_storage_error(error) is None


def test_every_command_reports_a_full_disk(monkeypatch, capsys):
    def fill(args: argparse.Namespace) -> int:
        raise FULL

    parser = argparse.ArgumentParser()
    parser.set_defaults(run=fill)
    monkeypatch.setattr(__main__, "parser", lambda: parser)
    assert __main__.main([]) == 2
    assert capsys.readouterr().err.startswith("transxnet: The results could not be written (No space left on device).")


COMMANDS = {
    "study": ["x.jpg"],
    "erf": ["x.jpg"],
    "gallery": ["x.jpg"],
    "out-of-distribution": ["--data", "d", "--held-out", "h"],
    "sequence": ["x.jpg", "y.jpg"],
    "verdict-rates": ["--data", "d"],
    "train": ["--recipe", "smoke", "--data", "d"],
    "evaluate": ["--data", "d"],
    "bundle": ["--run", "r", "--data", "d", "--val", "v", "--photos", "p"],
    "publish": ["--model", "pico=c", "--to", "n", "--dry-run"],
}


def test_every_command_with_out_is_listed():
    (subparsers,) = __main__.parser()._subparsers._group_actions
    with_out = {name for name, command in subparsers.choices.items() if "--out" in command._option_string_actions}
    assert with_out == COMMANDS.keys()


@pytest.mark.parametrize("command", COMMANDS)
def test_command_checks_out_first(monkeypatch, capsys, tmp_path: Path, command: str):
    """The input files do not exist: a command that read them first would report that."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    assert __main__.main([command, *COMMANDS[command], "--out", "file/out"]) == 2
    assert capsys.readouterr().err.startswith("transxnet: The results cannot be written to out (Not a directory).")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_failed_write_leaves_no_part_file(tmp_path: Path, monkeypatch):
    def refuse(*_):
        raise FULL

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(OSError):
        write_atomically(tmp_path / "a.png", b"x")
    assert list(tmp_path.iterdir()) == []
