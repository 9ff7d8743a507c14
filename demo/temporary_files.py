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
import json
import logging
import math
import os
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from transxnet.errors import LensError
from transxnet.output import explain_storage_error

from .i18n.translate import locale_of_page, message, tr_error, use_locale

MB = 2**20
MAX_AGE = 3600.0  # seconds
MAX_BYTES = 512 * MB
MAX_FILES = 20_000  # small files take a block and a folder each, and time to list
EMPTY_FOLDER_AGE = 60.0  # seconds; a younger one may be about to receive its file
INTERVAL = 60.0  # seconds between two sweeps

log = logging.getLogger(__name__)


# --- files of running requests ---------------------------------------------------------------------------------------


class _Lease:
    def __init__(self) -> None:
        self.paths: list[str] = []
        self.ended = False


_lease: ContextVar[_Lease | None] = ContextVar("lease", default=None)  # of the running request
_used: Counter[str] = Counter()  # running requests by path
_using = threading.Lock()


@contextlib.contextmanager
def lease() -> Iterator[None]:
    """A request runs in the block: what it marks with `use` is not removed before the end."""
    current = _Lease()
    token = _lease.set(current)
    try:
        yield
    finally:
        _lease.reset(token)
        with _using:
            current.ended = True
            for path in current.paths:
                _used[path] -= 1
                if not _used[path]:
                    del _used[path]


def use(path: str | os.PathLike[str]) -> None:
    """Keep a file until the running request ends, also from a thread that works for it. Without a `lease`, nothing."""
    current, path = _lease.get(), os.path.realpath(path)
    with _using:
        if current is not None and not current.ended:
            current.paths.append(path)
            _used[path] += 1


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
        self._adding = threading.Lock()  # nobody takes the room that was just made for somebody else
        self._sweeping = threading.Lock()
        self._counting = threading.Lock()  # of the three below; never held while files are listed
        self._bytes: float = math.inf  # what is there at most; exact after each sweep
        self._reserved = 0  # bytes of files that are being written
        self._written = 0  # bytes that were reserved and are written, ever
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def keep_present(self) -> None:
        """What is in the folder now is never removed. Call once, when the page is built and before it is launched:
        Gradio puts example images and first values there, and every later visitor needs them."""
        self._protected = frozenset(path for path, _ in self._files())

    # ---- adding

    @contextlib.contextmanager
    def room_for(self, size: int) -> Iterator[None]:
        """Files of at most `size` bytes are written in the block.

        Raises:
            LensError: If they do not fit, although everything that may be removed was removed.
        """
        self._reserve(size)
        try:
            yield
        finally:
            with self._counting:
                self._reserved -= size
                self._written += size
                self._bytes += size

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

    def _reserve(self, size: int) -> None:
        with self._adding:
            if self._fits(size):
                return
            self.sweep(needed=size)
            if not self._fits(size):
                raise LensError(message("errors.no_room"), remedy=message("errors.no_room_remedy"))

    def _fits(self, size: int) -> bool:
        """Whether there is room; it is reserved then."""
        with self._counting:
            fits = self._bytes + self._reserved + size <= self.max_bytes
            self._reserved += size if fits else 0
            return fits

    # ---- removing

    def sweep(self, now: float | None = None, needed: int = 0) -> Swept:
        """Remove what is too old, and the oldest files beyond the limits.

        What cannot be removed stays.

        Args:
            now: Seconds since the epoch (default: the clock).
            needed: Bytes to make room for. If that is impossible, no file goes for it.
        """
        now = time.time() if now is None else now
        with self._sweeping:
            with self._counting:
                written, limit = self._written, self.max_bytes - self._reserved - needed
            files, removed, freed = self._files(), 0, 0
            left = sum(entry.st_size for _, entry in files)
            loose = sorted(
                (_changed(entry), path, entry.st_size) for path, entry in files if path not in self._protected
            )
            limit = self._limit(limit, left, needed, loose)
            for changed, path, size in loose:  # oldest first
                if now - changed <= self.max_age and left <= limit and len(files) - removed <= self.max_files:
                    break
                if _removed(path):
                    removed, freed, left = removed + 1, freed + size, left - size
            self._remove_empty_folders(now)
            with self._counting:
                self._bytes = left + self._written - written
            return Swept(removed, freed, left)

    def _limit(self, limit: int, left: int, needed: int, loose: list[tuple[float, str, int]]) -> float:
        """The bytes to come down to. Below the limit where something has to go, or every new file would list all."""
        if not needed or left <= limit:
            return limit
        with _using:
            removable = sum(size for _, path, size in loose if path not in _used)
        return limit - self.max_bytes // 16 if left - removable <= limit else self.max_bytes

    def _files(self) -> list[tuple[str, os.stat_result]]:
        """Every file and link below the folder, with its own status; what vanishes meanwhile is left out."""
        entries = []
        for folder, folders, names in os.walk(self.folder):  # does not follow links
            for name in names + folders:
                path = os.path.join(folder, name)
                with contextlib.suppress(OSError):
                    if name in names or os.path.islink(path):
                        entries.append((path, os.lstat(path)))
        return entries

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
    with _using:
        if path in _used:
            return False
        with contextlib.suppress(OSError):
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
        if scope["type"] == "http" and scope["method"] == "POST" and _writes(path):
            await self._receive(scope, receive, send)
        elif "/file=" in path:
            with lease():
                use(path.partition("/file=")[2])
                await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _receive(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "")
        size = min(int(declared[:20]), self.longest) if declared.isdecimal() else self.longest
        room = self.files.room_for(size)
        try:
            await run_in_threadpool(room.__enter__)  # may list the whole folder
        except LensError as error:
            await _answer_507(error, scope, receive, send)
            return
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            with _full_disk_as_sentence():
                await self.app(scope, receive, noting)
        except LensError as error:  # the disk is full: Gradio wrote the body to it
            if started:
                raise
            await _answer_507(error, scope, receive, send)
        finally:
            room.__exit__(None, None, None)


async def _answer_507(error: LensError, scope: Scope, receive: Receive, send: Send) -> None:
    with use_locale(locale_of_page(Headers(scope=scope))):
        body = json.dumps({"error": tr_error(error)})
    closing = {"connection": "close"}  # the body was not read to its end
    await Response(body, 507, closing, "application/json")(scope, receive, send)


def _writes(path: str) -> bool:
    """Whether Gradio writes files from the body of a request to this path: uploads, and what is sent to MCP tools."""
    path = path.rstrip("/")
    return path.endswith("/upload") or "/mcp" in path
