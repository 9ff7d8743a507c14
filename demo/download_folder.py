"""The folder for backbones that visitors had downloaded: a Hub cache of this program's own, bounded in bytes.

The least recently used repositories go first. Weights that the operator named are in the Hub client's own cache or in
a folder of theirs, which nothing here touches.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from transxnet.errors import OutOfRange
from transxnet.weights.download import repository_folder

from .i18n.translate import message
from .temporary_files import files_below

MAX_BYTES = 2 * 10**9


class DownloadFolder:
    """Repositories of the Hub in one folder.

    Args:
        path: the folder; made by the first download.
        max_bytes: of all files in it, those on their way included.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES):
        self.path, self.max_bytes = path, max_bytes

    def mark_used(self, repository: str) -> None:
        """Make a repository the most recently used one, if it is here."""
        with suppress(OSError):
            os.utime(repository_folder(repository, self.path))

    def make_room(self, repository: str, size: int) -> None:
        """Remove other repositories, the least recently used first, until `size` bytes of this one fit.

        Raises:
            OutOfRange: the repository is larger than the folder may be. Nothing is removed then.
        """
        if size > self.max_bytes:
            raise OutOfRange(
                message("models.download_too_large", size=f"{size / 1e9:.1f}", most=f"{self.max_bytes / 1e9:.1f}"),
                remedy=message("models.smaller"),
            )
        repository_path = repository_folder(repository, self.path)
        removable = sorted(
            (_last_used(folder), folder) for folder in self.path.glob("models--*") if folder != repository_path
        )
        sizes = {folder: _size(folder) for _, folder in removable}
        for _, folder in removable:
            if sum(sizes.values()) + size <= self.max_bytes:
                return
            shutil.rmtree(folder, ignore_errors=True)
            sizes[folder] = _size(folder)

    def watch(self, repository: str) -> Callable[[int, int], None]:
        """A download's progress callback, called with (bytes received, total bytes or 0), that bounds the folder."""
        admitted = 0

        def admit(received: int, total: int) -> None:
            nonlocal admitted
            if max(received, total) > admitted:
                admitted = max(received, total)
                self.make_room(repository, admitted)

        return admit


def _last_used(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0  # another process has removed it


def _size(folder: Path) -> int:
    """Bytes of the files below a folder; links count for themselves."""
    return sum(entry.st_size for _, entry in files_below(folder))
