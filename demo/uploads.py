"""Which files on the server's disk a visitor may name: only those that the upload route of this server has written.

* `UploadedFiles` holds the paths that the upload route returned. A file reference in a request is accepted by
  `check_upload`, and `contains_file` finds one where no file is expected.
* `FileRoutes` is the same rule for Gradio's routes that take a path or an address: `/file=` serves regular files of
  the upload folder, and `/proxy=` is closed. Gradio alone would fetch any public address for any visitor.

A refusal never depends on which files exist: a path that is not in the folder is not looked up on the disk, and there
is one message for all of them. Gradio puts an upload into a folder that is named by the SHA-256 of its content, so that
who has the same image could learn whether another visitor has uploaded it, and under which file name;
demo/ui/gradio_classes.py makes that name random.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from transxnet.errors import ImageError

from .i18n.translate import message, negotiate_locale, tr, use_locale

FILE_KEYS = frozenset({"path", "url", "meta"})  # a mapping with one of these is a file reference to Gradio
LONGEST_NAME = 255  # characters of an upload's own file name that are kept


class UploadedFiles(set[str]):
    """The paths that the upload route has returned; those whose file was removed are dropped from time to time."""

    def __init__(self) -> None:
        super().__init__()
        self._prune_at = 1000  # entries

    def update(self, *paths: Iterable[str]) -> None:
        super().update(*paths)
        if len(self) > self._prune_at:
            self.difference_update([path for path in self if not os.path.exists(path)])
            self._prune_at = max(1000, 2 * len(self))


def check_upload(value: Any, uploads: Collection[str], folder: Path) -> dict[str, Any]:
    """Reduce a file reference to the path and the name of an uploaded file; its `url` and all else are dropped.

    Args:
        value: what stands where a file should, as it came with the request.
        uploads: the paths that the upload route has returned.
        folder: the upload folder.

    Returns:
        The reference in the form that Gradio requires.

    Raises:
        ImageError: the value does not name an uploaded file. The message is the same whatever it names.
    """
    path = value.get("path") if isinstance(value, Mapping) else None
    if not isinstance(path, str) or path not in uploads or not is_file_inside(path, folder):
        raise ImageError(message("errors.not_uploaded"))
    name = value.get("orig_name")
    name = name[:LONGEST_NAME] if isinstance(name, str) else None
    return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


def contains_file(value: Any) -> bool:
    """Whether a file reference stands anywhere in a JSON value."""
    pending = [value]
    while pending:  # no recursion: a request decides how deep this goes
        item = pending.pop()
        if isinstance(item, Mapping):
            if not FILE_KEYS.isdisjoint(item):
                return True
            pending.extend(item.values())
        elif isinstance(item, (list, tuple)):
            pending.extend(item)
    return False


def is_file_inside(path: str, folder: Path) -> bool:
    """Whether an absolute path names a regular file in the folder, symbolic links resolved.

    A path that leads elsewhere by its text alone is refused without a look at the disk.
    """
    real_folder = os.path.realpath(folder)
    try:
        if not os.path.isabs(path) or not _is_below(os.path.normpath(path), os.path.abspath(folder), real_folder):
            return False
        real_path = os.path.realpath(path)
        return _is_below(real_path, real_folder) and os.path.isfile(real_path)
    except (OSError, ValueError):  # a null byte, a lone surrogate, a name that is too long
        return False


def _is_below(path: str, *folders: str) -> bool:
    return any(path.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


class FileRoutes:
    """ASGI middleware for Gradio's App: answers 403 where a path or an address is not a file of the upload folder.

    /process_recording, which would hand a visitor's video to ffmpeg, is closed as well: this page records nothing.
    """

    _ROUTE = re.compile(r"(?:/gradio_api)?/(?:file[=/](?P<path>.*)|proxy=.*|process_recording/?)", re.DOTALL)

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = None
        if scope["type"] == "http":
            route = self._ROUTE.fullmatch(scope["path"].removeprefix(scope.get("root_path", "")))
        if route is None or is_file_inside(route["path"] or "", Path(scope["app"].uploaded_file_dir)):
            await self.app(scope, receive, send)
            return
        with use_locale(negotiate_locale([], Headers(scope=scope).get("accept-language", ""))):
            answer = JSONResponse({"error": tr("errors.not_served")}, status_code=403)
        await answer(scope, receive, send)
