"""The folder of uploads and results: bounded in bytes, files and age, and checked whenever a file is added.

* `TemporaryFiles` makes room for new files by removing the oldest, and refuses what does not fit.
* `lease` and `use` protect the files that a running request reads or has just written.
* `UploadRoom`, ASGI middleware, makes room before an upload is read.

Gradio's delete_cache knows no limit in bytes, forgets aborted uploads, and can die unnoticed. Nothing here imports
gradio, and nothing outside the folder is touched.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from transxnet.errors import LensError
from transxnet.output import explain_storage_error

from .http_policy import MB, TrackedSend, declared_length
from .i18n.translate import locale_of_page, message, tr_error, use_locale

MAX_AGE = 3600.0  # seconds
MAX_BYTES = 512 * MB
MAX_FILES = 20_000  # small files take a block and a folder each, and time to list
EMPTY_FOLDER_AGE = 60.0  # seconds; a younger one may be about to receive its file
INTERVAL = 60.0  # seconds between two sweeps

log = logging.getLogger(__name__)


# --- files of running requests ---------------------------------------------------------------------------------------

_leases: dict[int, set[str]] = {}  # the files of each running request, by the identity of the set
_lease: ContextVar[set[str] | None] = ContextVar("lease", default=None)  # of the running request


@contextlib.contextmanager
def lease() -> Iterator[None]:
    """A request runs in the block: what it marks with `use` is not removed before the end."""
    paths: set[str] = set()
    token = _lease.set(paths)
    _leases[id(paths)] = paths
    try:
        yield
    finally:
        _lease.reset(token)
        del _leases[id(paths)]  # a thread that goes on marks files in vain


def use(path: str | os.PathLike[str]) -> None:
    """Keep a file until the running request ends, also from a thread that works for it. Without a `lease`, nothing."""
    if (paths := _lease.get()) is not None:
        paths.add(os.path.realpath(path))


def _is_used(path: str) -> bool:
    return any(path in paths for paths in list(_leases.values()))


# --- the folder ------------------------------------------------------------------------------------------------------


class Swept(NamedTuple):
    """What one sweep did: files removed, bytes freed, bytes still there."""

    removed: int
    freed: int
    left: int


class TemporaryFiles:
    """One folder of temporary files.

    The age of a file counts from the last change of its content or of its entry, whichever is later: Gradio's copies
    keep the date of what they were copied from. Symbolic links are removed like files and never followed.

    Args:
        folder: Used for nothing else, as `private_temp_dir` makes it.
        max_age: Seconds after which a file is removed.
        max_bytes: Of all files together.
        max_files: Their number after a sweep.
        every: Seconds between two sweeps of the thread.
    """

    def __init__(
        self, folder: Path, *, max_age: float = MAX_AGE, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES,
        every: float = INTERVAL,
    ):  # fmt: skip
        self.folder = Path(folder).resolve()  # as `use` names its files
        self.max_age = max_age
        self.max_bytes = max_bytes
        self.max_files = max_files
        self.every = every
        self._protected: frozenset[str] = frozenset()
        self._lock = threading.RLock()  # so that no other thread uses space freed for one file
        self._bytes: float = math.inf  # what is there and what is being written, at most; nearly exact after a sweep
        self._reserved: dict[object, int] = {}  # bytes of what is being written
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def keep_present(self) -> None:
        """What is in the folder now is never removed. Call once, when the page is built and before it is launched:
        Gradio puts example images and first values there, and every later visitor needs them."""
        self._protected = frozenset(path for path, _ in files_below(self.folder))

    # ---- adding

    @contextlib.contextmanager
    def room_for(self, size: int) -> Iterator[None]:
        """Files of at most `size` bytes are written in the block.

        Raises:
            LensError: If they do not fit, although everything that may be removed was removed.
        """
        reservation = object()
        with self._lock:
            if self._bytes + size > self.max_bytes:
                self.sweep(needed=size)
            if self._bytes + size > self.max_bytes:
                raise LensError(message("errors.no_room"), remedy=message("errors.no_room_remedy"))
            self._bytes += size
            self._reserved[reservation] = size
        try:
            yield
        finally:
            del self._reserved[reservation]  # without the lock, so that an event loop need not wait for a sweep

    def write(self, files: Mapping[str, bytes]) -> list[str]:
        """Write files into a new folder, protected until the running request ends.

        Args:
            files: Content by file name.

        Returns:
            Their paths, in order.

        Raises:
            LensError: If they do not fit, into the limit or onto the disk.
        """
        with self.room_for(sum(map(len, files.values()))), _full_disk_as_sentence():
            self.folder.mkdir(parents=True, exist_ok=True)
            folder = tempfile.mkdtemp(dir=self.folder)
            paths = [os.path.join(folder, name) for name in files]
            try:
                for path, data in zip(paths, files.values(), strict=True):
                    use(path)
                    Path(path).write_bytes(data)
            except OSError:
                shutil.rmtree(folder, ignore_errors=True)  # half of a file would keep a full disk full
                raise
        return paths

    # ---- removing

    def sweep(self, now: float | None = None, needed: int = 0) -> Swept:
        """Remove what is too old, and the oldest files beyond the limits.

        What cannot be removed stays.

        Args:
            now: Seconds since the epoch (default: the clock).
            needed: Bytes to make room for. If that is impossible, no file goes for it.
        """
        now = time.time() if now is None else now
        with self._lock:
            reserved = sum(list(self._reserved.values()))  # read first: what is written meanwhile counts twice
            files, removed, freed = files_below(self.folder), 0, 0
            left = sum(entry.st_size for _, entry in files)
            loose = sorted(
                (_changed(entry), path, entry.st_size) for path, entry in files if path not in self._protected
            )
            limit = self.max_bytes - reserved - needed
            if needed and left > limit:
                removable = sum(size for _, path, size in loose if not _is_used(path))
                # Below the limit where something has to go, or every new file would list all.
                limit = limit - self.max_bytes // 16 if left - removable <= limit else self.max_bytes
            for changed, path, size in loose:  # oldest first
                if now - changed <= self.max_age and left <= limit and len(files) - removed <= self.max_files:
                    break
                if _removed(path):
                    removed, freed, left = removed + 1, freed + size, left - size
            self._remove_empty_folders(now)
            self._bytes = left + reserved
            return Swept(removed, freed, left)

    def _remove_empty_folders(self, now: float) -> None:
        """Gradio makes one folder a file."""
        for folder, _, _ in os.walk(self.folder, topdown=False):
            with contextlib.suppress(OSError):  # not empty, most of the time
                if Path(folder) != self.folder and now - _changed(os.lstat(folder)) > EMPTY_FOLDER_AGE:
                    os.rmdir(folder)

    # ---- the thread

    def start(self) -> None:
        """Sweep now and then, in a daemon thread. Does nothing if it runs already."""
        if self._thread is None or not self._thread.is_alive():
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="temporary files", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread, and wait for a sweep under way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stop.wait(self.every):
            try:
                self.sweep(time.time() + self.every)  # what would be too old before the next sweep goes now
            except Exception:  # a thread that dies unnoticed fills the disk
                log.exception("sweeping the temporary folder failed; trying again in %g seconds", self.every)


@functools.cache
def temporary_files(folder: str) -> TemporaryFiles:
    """The one TemporaryFiles of a folder: everybody who adds files counts with the same numbers.

    Args:
        folder: As GRADIO_TEMP_DIR says it.
    """
    return TemporaryFiles(Path(folder))


def files_below(folder: Path) -> list[tuple[str, os.stat_result]]:
    """Every file and link below a folder, with its own status; what vanishes meanwhile is left out."""
    entries = []
    for parent, folders, names in os.walk(folder):  # does not follow links
        for name in names + folders:
            path = os.path.join(parent, name)
            with contextlib.suppress(OSError):
                if name in names or os.path.islink(path):
                    entries.append((path, os.lstat(path)))
    return entries


@contextlib.contextmanager
def _full_disk_as_sentence() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if explain_storage_error(error) is None:
            raise
        log.error("the disk of the temporary folder is full: %s", error)
        raise LensError(
            message("errors.no_room"), remedy=message("errors.no_room_remedy"), detail=str(error)
        ) from error


def _removed(path: str) -> bool:
    """Remove a file that no running request uses."""
    with contextlib.suppress(OSError):
        if not _is_used(path):
            os.unlink(path)
            return True
    return False


def _changed(entry: os.stat_result) -> float:
    return max(entry.st_mtime, entry.st_ctime)


# --- requests --------------------------------------------------------------------------------------------------------


class UploadRoom:
    """ASGI middleware: an upload that does not fit is answered 507, with a sentence as JSON, before its body is read;
    so is one that the disk has no room for, when that shows.

    A file that is being sent to a client is not removed meanwhile.

    Args:
        app: The application behind.
        files: The folder that uploads are written to.
        longest: Bytes of an upload that does not declare its length.
    """

    def __init__(self, app: ASGIApp, files: TemporaryFiles, longest: int):
        self.app = app
        self.files = files
        self.longest = longest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        is_written = path.rstrip("/").endswith("/upload") or "/mcp" in path  # by Gradio, from the request's body
        if is_written and scope["method"] == "POST":
            await self._receive(scope, receive, send)
        elif "/file=" in path:
            with lease():
                use(path.partition("/file=")[2])
                await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _receive(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared = declared_length(scope)
        room = self.files.room_for(self.longest if declared is None else min(declared, self.longest))
        tracked = TrackedSend(send)
        try:
            await run_in_threadpool(room.__enter__)  # may list the whole folder
            try:
                with _full_disk_as_sentence():  # Gradio writes the body to it
                    await self.app(scope, receive, tracked)
            finally:
                room.__exit__(None, None, None)
        except LensError as error:
            if tracked.started:
                raise
            with use_locale(locale_of_page(Headers(scope=scope))):
                response = JSONResponse({"error": tr_error(error)}, 507, {"connection": "close"})
            await response(scope, receive, send)  # the body was not read to its end
