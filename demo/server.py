"""What stands between visitors and the machine: sizes of requests, the temporary folder, options of the server.

* `set_offline_env` and `private_temp_dir` set the environment; call both before gradio is imported.
  `leave` ends the program.
* `BodyLimit` refuses large requests while they arrive. Gradio's own max_file_size counts one part of one upload;
  JSON bodies and other form fields are unlimited there.
* `launch_options` are the keyword arguments of `gradio.Blocks.launch` (6.x) that all this needs.

Nothing here imports gradio, and nothing is written outside the temporary folder.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from transxnet.errors import LensError, OutOfRange

from .address import bracket_ipv6
from .hosts import AllowedHosts, is_loopback
from .requests import RequestCheck
from .security_headers import SecurityHeaders, frame_sources
from .session_expiry import SESSIONS, expiring_sessions
from .uploads import FileRoutes

MB = 2**20
MAX_FILE_SIZE = "10mb"  # as Gradio writes it; equals transxnet.images.MAX_BYTES
MAX_UPLOAD_BODY = 12 * MB  # one image and its multipart wrapping
MAX_BODY = 4 * MB  # everything else: the browser posts the values of an event's input components back as JSON

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


def leave(folder: Path, code: int = 0) -> NoReturn:
    """End the program at once with this exit code; `folder`, of private_temp_dir, goes first.

    A pass that is under way in another thread is left where it is: taking the interpreter down while a thread is inside
    torch aborts the process.
    """
    _remove_if_ours(folder, os.getpid())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


# --- the size of a request -------------------------------------------------------------------------------------------


class BodyLimit:
    """ASGI middleware: a request body above its limit is answered 413, with a sentence as JSON, as soon as it is known.

    app: the application behind. uploads: bytes allowed where the path ends in /upload. others: bytes allowed elsewhere.
    A declared Content-Length is refused before anything is read; a body sent in chunks is counted as it comes, and the
    application behind sees its client hang up, so it holds no more than the limit. Smaller bodies pass untouched.
    """

    def __init__(self, app: ASGIApp, uploads: int = MAX_UPLOAD_BODY, default: int = MAX_BODY):
        self.app = app
        self.uploads = uploads
        self.others = default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.uploads if scope["path"].rstrip("/").endswith("/upload") else self.others
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > limit:  # 20 digits are plenty, and quick to read
            await _answer_413(send, limit)
            return
        await _Counted(limit, receive, send).run(self.app, scope)


class _Counted:
    """One request whose body is counted while the application reads it."""

    def __init__(self, limit: int, receive: Receive, send: Send):
        self.limit = limit
        self.received = 0
        self.started = False  # the application has begun to answer
        self.refused = False
        self._receive = receive
        self._send = send

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        try:
            await app(scope, self.receive, self.send)
        except Exception:
            if not self.refused:
                raise  # after a refusal it is the application's surprise at its client's disappearance

    async def receive(self) -> Message:
        if self.refused:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self.received += len(message.get("body", b""))
        if message["type"] != "http.request" or self.received <= self.limit:
            return message
        self.refused = True
        if not self.started:
            await _answer_413(self._send, self.limit)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.started = True
        if not self.refused:
            await self._send(message)


async def _answer_413(send: Send, limit: int) -> None:
    sentence = f"This request is larger than {limit / MB:g} MB, the most that is accepted here. Send a smaller image."
    body = json.dumps({"error": sentence}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
    raw = [(key.encode(), value.encode()) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": 413, "headers": raw})
    await send({"type": "http.response.body", "body": body})


# --- options of the server -------------------------------------------------------------------------------------------


def launch_options(args: Any, routes: Sequence[Middleware] = ()) -> dict[str, Any]:
    """Keyword arguments for `Blocks.launch`. The page adds theme, css, js and head.

    args: anything with the attributes host, port, share, quiet, allowed_host and frame_ancestors (each may be missing
    or None), as argparse gives. Host and port fall back to GRADIO_SERVER_NAME and GRADIO_SERVER_PORT, then to Gradio's
    own: this machine only, and the first free port from 7860. Port 0 has to be replaced before Gradio gets it
    (address.find_port). Raises OutOfRange for a port or an origin that is none.
    routes: the page's own middleware, in front of what checks Gradio's requests; it limits bodies by itself.
    """
    host = bracket_ipv6(getattr(args, "host", None) or os.environ.get("GRADIO_SERVER_NAME") or "") or None
    loopback = is_loopback(host)
    frames = frame_sources(loopback, getattr(args, "frame_ancestors", None) or ())
    names = [*(getattr(args, "allowed_host", None) or ()), host or "localhost"]
    return {
        "server_name": host,
        "server_port": _port(getattr(args, "port", None)),
        "share": bool(getattr(args, "share", False)),
        "quiet": bool(getattr(args, "quiet", False)),
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
                *([Middleware(AllowedHosts, names=names)] if loopback else []),
                *routes,
                Middleware(BodyLimit),
                Middleware(FileRoutes),
                Middleware(RequestCheck),
            ],
            "lifespan": expiring_sessions,
        },
    }


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
