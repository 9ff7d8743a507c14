"""The program of a process that decodes images for demo/decoding.py, which starts it and may kill it at any time.

It runs as a script in a separate interpreter: multiprocessing would import app.py again in the child, and a fork of
a process with torch's threads is not safe. It imports what decoding needs and no more. Its argument is the folder of
the package transxnet.

Standard input: one request a line, JSON with path, name and limit [s]. Standard output: for each request one line of
JSON, either `error`, `what`, `remedy` and `detail` of an ImageError or the fields of a SourceImage with the `shape`
of its pixels, which follow as bytes. The process ends with its input, so it does not outlive the server however that
ends.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import sys
import threading
import types
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

MEMORY = 2**30  # bytes; the limits of transxnet.images keep an image below 300 MB
GRACE = 2.0  # seconds after which a process ends itself that the server, killed in the meantime, cannot kill any more
AVIF_THREADS = 2  # one for each core would take address space for 64 stacks on a large machine


def main() -> None:
    """Answer requests until the input ends."""
    responses = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no response
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the server decides
    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read_requests, args=(sys.stdin.buffer, requests), daemon=True).start()
    _limit_memory()
    decode = _import_decode(sys.argv[1])
    with open(os.devnull, "w", encoding="utf-8") as devnull:
        while True:
            request = json.loads(requests.get())
            # a thread without the interpreter's lock, which some decoders hold
            faulthandler.dump_traceback_later(request["limit"] + GRACE, exit=True, file=devnull)
            header, pixels = _answer(decode, request)
            faulthandler.cancel_dump_traceback_later()
            responses.write(json.dumps(header).encode() + b"\n")
            responses.write(pixels)
            responses.flush()


def _limit_memory() -> None:
    """Let an allocation fail here, and the kernel choose this process where memory is short, before the server's."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # no such limit on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="utf-8")


def _import_decode(library: str) -> Callable[..., Any]:
    """transxnet.images.decode with the limits of uploads.

    Imported without transxnet/__init__.py, which imports torch: 2 s and 300 MB.
    """
    package = types.ModuleType("transxnet")
    package.__path__ = [library]
    sys.modules["transxnet"] = package
    from PIL import AvifImagePlugin

    from transxnet.images import UPLOAD_LIMITS, decode

    AvifImagePlugin.DEFAULT_MAX_THREADS = AVIF_THREADS
    return partial(decode, limits=UPLOAD_LIMITS)


def _read_requests(stream: BinaryIO, requests: SimpleQueue[bytes]) -> None:
    """In a thread, so that the end of the input also ends an import or a decode that is under way."""
    for line in stream:
        requests.put(line)
    os._exit(0)


def _answer(decode: Callable[..., Any], request: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    from transxnet.errors import ImageError

    try:
        image = decode(request["path"], name=request["name"])
    except ImageError as error:
        texts = {"what": _encode_message(error.what), "remedy": _encode_message(error.remedy), "detail": error.detail}
        return {"error": type(error).__name__, **texts}, b""
    notes = [_encode_message(note) for note in image.notes]
    header = {"shape": image.rgb.shape, "sha256": image.sha256, "notes": notes}
    return {**header, "original_size": image.original_size}, image.rgb


def _encode_message(text: Any) -> Any:
    """A Message as JSON that keeps its template and values; anything else as it is."""
    if not hasattr(text, "template"):
        return text
    return {"template": text.template, "values": {key: _encode_message(value) for key, value in text.values.items()}}


if __name__ == "__main__":
    main()
