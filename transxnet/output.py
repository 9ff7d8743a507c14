"""Files of results: the output folder is checked before anything is computed; files are written atomically."""

from __future__ import annotations

import errno
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import LensError

PROBE_BYTES = 64 * 1024  # every command writes more
_STARTED = time.time()  # start of this process, approximately: before it writes anything
_PART = re.compile(r"\..+\.\d+\.\d+\.part")  # as export.files.write_atomically names unfinished files
_STORAGE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}  # raised only by writing


def check_output(path: Path | None, *, file: bool = False, resume: bool = False) -> None:
    """Check that results can be written, before anything is computed. The folder is not changed.

    Args:
        path: Value of `--out`, which need not exist. None for a command that writes nothing.
        file: Whether `path` is a file, not a folder.
        resume: Whether to remove unfinished files (.part) of an earlier, killed run from the folder.

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
            f"The results cannot be written to {path.name} ({error.strerror or type(error).__name__}).",
            remedy="Choose another place with --out, or free space on its disk.",
            detail=str(error),
        ) from error
    if resume and path.is_dir():
        _remove_unfinished(path)


def _remove_unfinished(folder: Path) -> None:
    """Remove .part files older than this process: those of other processes of this run (torchrun's) are younger."""
    for part in folder.rglob(".*.part"):
        try:
            if _PART.fullmatch(part.name) and part.stat().st_mtime < _STARTED:
                part.unlink()
        except OSError:
            continue  # removed by another process, or protected


@contextmanager
def replace_atomically(path: Path) -> Iterator[Path]:
    """Write a file completely or not at all.

    Yields:
        A temporary path, which replaces `path` at the end of the block, or is removed after an exception.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def explain_storage_error(error: BaseException) -> LensError | None:
    """A full or read-only disk as a sentence, whichever library met it; None for any other error."""
    for cause in _chain(error):
        # safetensors raises its own class, with the system's number in its text.
        number = re.search(r"\(os error (\d+)\)", str(cause))
        code = cause.errno if isinstance(cause, OSError) else int(number[1]) if number else None
        if code in _STORAGE:
            return LensError(
                f"The results could not be written ({os.strerror(code)}).",
                remedy="Free space on the disk, or choose another folder with --out.",
                detail=str(error),
            )
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
