"""The server's environment, its temporary folder, and the options that it is launched with.

* `set_offline_env` and `private_temp_dir` set the environment; call both before gradio is imported.
  `leave` ends the program.
* `launch_options` are the keyword arguments of `gradio.Blocks.launch` (6.x): limits, middleware, and what is shown.

Nothing here imports gradio, and nothing is written outside the temporary folder.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from starlette.middleware import Middleware

from transxnet.errors import LensError, OutOfRange

from .address import bracket_ipv6, is_loopback
from .http_policy import FRAMED_BY, AllowedHosts, BodyLimit, SecurityHeaders
from .memory import SESSIONS, expiring_sessions
from .requests import RequestCheck
from .uploads import FileRoutes

MAX_FILE_SIZE = "10mb"  # as Gradio writes it; equals transxnet.images.UPLOAD_LIMITS.max_bytes
FRAMED_BY_LOCAL = ("http://localhost:*", "http://127.0.0.1:*")  # for a server that only this machine reaches
_ROOT_PATH = re.compile(r"(https?://[^/\s?#]+)?(/[\w.~%!$&*+,;=:@-]+)*/?", re.ASCII)
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:([0-9]{1,5}|\*))?", re.IGNORECASE)

# --- the environment -------------------------------------------------------------------------------------------------


def set_offline_env() -> None:
    """No analytics, no version check, no telemetry. Call before gradio and huggingface_hub are imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"  # else its queue remembers 10,000 events with their session hashes
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**9)  # and summarizes them after every one
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_DISABLE_XET"] = "1"  # its downloads cannot be stopped by their progress, and it keeps a cache


def private_temp_dir() -> Path:
    """Make a folder for uploads and results that only this process' user can read, and point GRADIO_TEMP_DIR at it.

    A GRADIO_TEMP_DIR that is already set says where: the folder is made inside it, because demo/temporary_files.py
    empties it and must not touch what was there before. Removed when the program ends. Called again, returns the same
    folder. Call before gradio is imported. Raises LensError if the folder cannot be made.
    """
    preset = os.environ.get("GRADIO_TEMP_DIR")
    if preset and Path(preset).name.startswith(_PREFIX) and Path(preset).is_dir():
        return Path(preset)
    try:
        if preset:
            Path(preset).mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=preset or None)).resolve()  # mkdtemp: mode 0700
    except OSError as error:
        raise LensError(
            "The folder for temporary files cannot be made.",
            remedy="Set GRADIO_TEMP_DIR to a folder that this user may write to, or free some disk space.",
            detail=f"{preset or 'system temporary folder'}: {error!r}",
        ) from error
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    atexit.register(_remove_if_ours, folder, os.getpid())
    return folder


_PREFIX = "transxnet-lens-"


def _remove_if_ours(folder: Path, pid: int) -> None:
    """At exit, in the process that made the folder and not in a fork of it."""
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def mounted_lifespan(app: Any, folder: Path) -> AsyncIterator[None]:
    """Lifespan of a page inside another application, with the folder of private_temp_dir.

    The folder is removed at its end: uvicorn then ends the process by the signal that it received, without atexit.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        async with expiring_sessions(app):
            yield
    finally:
        _remove_if_ours(folder, os.getpid())


def leave(folder: Path, code: int = 0) -> NoReturn:
    """End the program at once with this exit code; `folder`, of private_temp_dir, goes first.

    A pass that is under way in another thread is left where it is: taking the interpreter down while a thread is inside
    torch aborts the process.
    """
    _remove_if_ours(folder, os.getpid())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


# --- options of the server -------------------------------------------------------------------------------------------


def launch_options(args: Any, routes: Sequence[Middleware] = ()) -> dict[str, Any]:
    """Keyword arguments for `Blocks.launch`. The page adds theme, css, js and head.

    args: anything with the attributes host, port, root_path, share, quiet, allowed_host and frame_ancestors (each may
    be missing or None), as argparse gives. Host, port and root path fall back to GRADIO_SERVER_NAME, GRADIO_SERVER_PORT
    and GRADIO_ROOT_PATH, then to Gradio's own: this machine only, the first free port from 7860, and "/". Port 0 has to
    be replaced before Gradio gets it (address.find_port). Raises OutOfRange for a port, an origin or a root path that
    is none.
    routes: the page's own middleware, in front of what checks Gradio's requests; it limits bodies by itself.
    """
    option = vars(args).get
    host = bracket_ipv6(option("host") or os.environ.get("GRADIO_SERVER_NAME") or "") or None
    loopback = is_loopback(host)
    frames = frame_sources(loopback, option("frame_ancestors") or ())
    hosts = Middleware(AllowedHosts, names=[*(option("allowed_host") or ()), host or "localhost"])
    return {
        "server_name": host,
        "server_port": _port(option("port")),
        "root_path": _root_path(option("root_path")),
        "share": bool(option("share")),
        "quiet": bool(option("quiet")),
        "ssr_mode": False,  # would need Node 24
        "show_error": False,  # shows any exception's text, paths of the server included
        "max_file_size": MAX_FILE_SIZE,
        "strict_cors": True,
        "enable_monitoring": False,
        "run_history": False,  # would store every visitor's calls, images included, in their browser
        "footer_links": [],
        "state_session_capacity": SESSIONS,
        "app_kwargs": {
            "middleware": [  # the outermost first
                Middleware(SecurityHeaders, frame_ancestors=frames),
                *([hosts] if loopback else []),
                *routes,
                Middleware(BodyLimit),
                Middleware(FileRoutes),
                Middleware(RequestCheck),
            ],
            "lifespan": expiring_sessions,
        },
    }


def frame_sources(loopback: bool, more: Sequence[str] = ()) -> tuple[str, ...]:
    """The sources of `frame-ancestors`.

    Args:
        loopback: Whether the server listens on loopback, so that pages of this machine may show it.
        more: Origins to add, such as https://example.org, https://*.example.org or http://example.org:8080.

    Raises:
        OutOfRange: One of `more` is not an origin.
    """
    for origin in more:
        if not _ORIGIN.fullmatch(origin):
            raise OutOfRange(
                f"{origin[:80]!r} is not an origin.",
                remedy="Give --frame-ancestors a scheme and a host, such as https://example.org.",
            )
    return (*FRAMED_BY, *(FRAMED_BY_LOCAL if loopback else ()), *more)


def _root_path(option: str | None) -> str:
    """The option, else GRADIO_ROOT_PATH, without a slash at its end. Raises OutOfRange for text that is no path."""
    path = os.environ.get("GRADIO_ROOT_PATH", "") if option is None else option
    if not _ROOT_PATH.fullmatch(path) or ".." in path.split("/"):
        raise OutOfRange(
            f"{path[:80]!r} is not a path.",
            remedy="Give --root-path or GRADIO_ROOT_PATH a path such as /lens, or an address: https://example.org/lens.",
        )
    return path.rstrip("/")


def _port(option: int | str | None) -> int | None:
    """The option, else GRADIO_SERVER_PORT, else None: Gradio then looks for a free one."""
    value = os.environ.get("GRADIO_SERVER_PORT") if option is None else option
    if value is None or value == "":
        return None
    if not str(value).isdecimal() or int(value) > 65535:
        raise OutOfRange(
            f"{value} is not a port.",
            remedy="Give --port or GRADIO_SERVER_PORT a number from 1 to 65535, or 0 for any free port.",
        )
    return int(value)
