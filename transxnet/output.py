"""Files of results: the output folder is checked before anything is computed; files are written atomically."""

from __future__ import annotations

import errno
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import LensError, error_chain

PROBE_BYTES = 64 * 1024  # less than any command writes
_STARTED = time.time()  # of this process, or so: before it writes anything
_PART = re.compile(r"\..+\.\d+\.\d+\.part")  # as replace_atomically names unfinished files
_STORAGE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}  # only writing fails so


def check_output(path: Path | None, *, file: bool = False, resume: bool = False) -> None:
    """Refuse a folder that cannot be written to. Nothing is left in it.

    Args:
        path: The value of `--out`, which need not exist. None for a command that writes nothing.
        file: Whether `path` is a file.
        resume: Also remove unfinished files (.part) of an earlier, killed run.

    Raises:
        LensError: `path` cannot be created or written to, or its disk is full.
    """
    if path is None:
        return
    folder = path.absolute().parent if file else path.absolute()
    try:
        while not folder.exists():
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
    except OSError as error:
        raise LensError(
            "The results cannot be written to {name} ({reason}).",
            remedy="Choose another folder with --out, or free disk space.", detail=str(error), name=path.name,
            reason=error.strerror or type(error).__name__,
        ) from error  # fmt: skip
    if resume and path.is_dir():
        _remove_unfinished(path)


def _remove_unfinished(folder: Path) -> None:
    """Remove .part files older than this process: those of other processes of this run (torchrun) are younger."""
    for part in folder.rglob(".*.part"):
        try:
            if _PART.fullmatch(part.name) and part.stat().st_mtime < _STARTED:
                part.unlink()
        except OSError:
            continue  # removed by another process, or not permitted


@contextmanager
def replace_atomically(path: Path) -> Iterator[Path]:
    """Write a file completely or not at all.

    Yields:
        A temporary path, which replaces `path` at the end of the block, or is removed after an exception.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def explain_storage_error(error: BaseException) -> LensError | None:
    """An error to report instead of a full or read-only disk, whichever library raised it.

    Args:
        error: Any exception.

    Returns:
        The error with its remedy, or None for another cause.
    """
    for cause in error_chain(error):
        # safetensors raises its own class, whose text contains the system's error number.
        number = re.search(r"\(os error (\d+)\)", str(cause))
        code = cause.errno if isinstance(cause, OSError) else int(number[1]) if number else None
        if code in _STORAGE:
            return LensError(
                "The results could not be written ({reason}).",
                remedy="Free disk space, or choose another folder with --out.", detail=str(error),
                reason=os.strerror(code),
            )  # fmt: skip
    return None
