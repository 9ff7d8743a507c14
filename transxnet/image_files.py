"""Image files in folders, recognized by their content.

Folders are searched below links as well, wherever these lead, but each folder only once (by device and inode), so that
a link to a folder above ends no search. Hidden files are ignored. A file whose suffix is that of an image is taken for
one without being opened, so that a damaged image is reported by its decoder; any other file by its first bytes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path, PurePath

from .image_structure import HEAD, file_format

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".gif", ".avif", ".tif", ".tiff")
)
RAW_SUFFIXES = frozenset(  # cameras' raw files that begin as a TIFF does
    (".dng", ".nef", ".nrw", ".arw", ".sr2", ".srf", ".cr2", ".pef", ".dcr", ".kdc", ".3fr", ".iiq", ".erf", ".raw")
)
FORMATS_TEXT = "JPEG, PNG, WebP, GIF, BMP, AVIF and TIFF, and HEIC with pillow-heif"
MAX_LISTED = 20  # names in a sentence


@dataclass
class ImageFiles:
    """What was found.

    Attributes:
        paths: The images, sorted for each folder that was searched.
        skipped: (path inside the folder that was searched, why) of every other file.
        visited: (device, inode) of the folders searched so far.
    """

    paths: list[Path] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    visited: set[tuple[int, int]] = field(default_factory=set)

    def search(self, root: Path, exclude: Path | None = None) -> list[Path]:
        """Add the images below a folder, and return those that were added.

        Args:
            root: The folder.
            exclude: Folder that is not searched, resolved.
        """
        images: list[Path] = []
        folders, links = [root], []
        while folders or links:
            # a folder is called by its own name where that is inside `root`, not by that of a link to it
            folder = folders.pop() if folders else links.pop(0)
            if not self._enter(folder, root, exclude):
                continue
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError as error:
                self._skip(folder, root, error.strerror or "cannot be opened")
                continue
            for entry in entries:
                path = folder / entry.name
                if _is_folder(entry):
                    (links if entry.is_symlink() else folders).append(path)
                elif not entry.name.startswith("."):
                    reason = reason_to_skip(path)
                    if reason:
                        self._skip(path, root, reason)
                    else:
                        images.append(path)
        images.sort()
        self.paths += images
        return images

    def _enter(self, folder: Path, root: Path, exclude: Path | None) -> bool:
        """Whether a folder is to be searched; it counts as visited from now on."""
        try:
            status = os.stat(folder)
            if exclude is not None and exclude in (real := folder.resolve(), *real.parents):
                return False
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
            self._skip(folder, root, getattr(error, "strerror", None) or "cannot be opened")
            return False
        identity = status.st_dev, status.st_ino
        if identity in self.visited:
            return False
        self.visited.add(identity)
        return True

    def _skip(self, path: Path, root: Path, reason: str) -> None:
        self.skipped.append((path.relative_to(root).as_posix(), reason))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def reason_to_skip(path: Path) -> str:
    """Why a file is not taken for an image; '' if it is."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "not a file"
        if has_image_suffix(path.name):
            return ""
        with path.open("rb") as file:
            return reason_of_content(path.name, file.read(HEAD))
    except (OSError, RuntimeError) as error:
        return "a broken link" if path.is_symlink() else getattr(error, "strerror", None) or "cannot be read"


def has_image_suffix(name: str) -> bool:
    """Whether a file is taken for an image without reading it."""
    return PurePath(name).suffix.lower() in SUFFIXES


def reason_of_content(name: str, head: bytes) -> str:
    """Why a file is not taken for an image, by its first HEAD bytes; '' if it is."""
    kind = file_format(head)
    if kind == "TIFF" and PurePath(name).suffix.lower() in RAW_SUFFIXES:
        return "a camera's raw file"
    if kind == "HEIF" and find_spec("pillow_heif") is None:
        return "HEIC, which needs pillow-heif"
    return "" if kind else "empty" if not head else "not an image"


def skipped_text(skipped: Iterable[tuple[str, str]]) -> str:
    """ "2 files were skipped: a.txt (not an image), b.heic (…)."; '' where none was."""
    skipped = list(skipped)
    if not skipped:
        return ""
    listed = ", ".join(f"{name} ({reason})" for name, reason in skipped[:MAX_LISTED])
    more = f" and {len(skipped) - MAX_LISTED} more" if len(skipped) > MAX_LISTED else ""
    return f"{len(skipped)} file{' was' if len(skipped) == 1 else 's were'} skipped: {listed}{more}."
