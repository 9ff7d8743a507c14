"""Decoding of what visitors upload, in processes that can be killed: `POOL.decode` is transxnet.images.decode there.

A decoder that runs too long, crashes or exhausts memory fails its own image with a message; other requests go on.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from importlib.resources import files
from typing import Any

import numpy as np

from transxnet.errors import Busy, ImageError, ImageTooLarge, ImageUnreadable
from transxnet.images import SourceImage, message_subject
from transxnet.messages import Message

from .i18n.translate import message

WORKERS = 2
LIMIT = 10.0  # seconds: of one decode, and of waiting for a free worker
_PROGRAM = str(files(__package__) / "decode_worker.py")
_LIBRARY = str(files("transxnet"))
_SETTINGS = {  # glibc gives freed memory back, at no cost in time; no pool of threads is prepared for linear algebra
    "MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**23),
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
}  # fmt: skip
_RAISED = {kind.__name__: kind for kind in (ImageTooLarge, ImageUnreadable)}


class DecodeWorker:
    """One process of decode_worker.py. For one thread at a time."""

    def __init__(self) -> None:
        # -P: modules of this package are not to stand in for the standard library's
        self.process = subprocess.Popen(
            [sys.executable, "-P", _PROGRAM, _LIBRARY],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **_SETTINGS},
        )  # fmt: skip
        with contextlib.suppress(ImportError, AttributeError, OSError):  # Linux: fewer turns to pass 10 MB of pixels
            import fcntl

            fcntl.fcntl(self.process.stdout, fcntl.F_SETPIPE_SZ, 2**20)

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def decode(self, path: str, name: str, limit: float) -> SourceImage:
        """Decode the file at `path`; `name` is what messages call it.

        Raises:
            ImageError: As transxnet.images.decode does. ImageUnreadable also where the process ended, ImageTooLarge
                where it was killed after `limit` seconds; it cannot be used again.
        """
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self.process.kill()

        timer = threading.Timer(limit, expire)
        timer.daemon = True
        timer.start()
        try:
            header, pixels = self._exchange({"path": path, "name": name, "limit": limit})
        except (OSError, ValueError) as error:  # a broken pipe; half a response
            self.close()
            header, cause = None, error
        finally:
            timer.cancel()
            timer.join()  # from here on it is known whether the process was killed at the last moment
        if expired.is_set():
            raise ImageTooLarge(
                message("errors.decoding_timeout", subject=message_subject(name), seconds=f"{limit:.0f}"),
                remedy=message("errors.decoding_timeout_remedy"),
                detail="killed after its time was up",
            )
        if header is None:
            raise ImageUnreadable(
                message("errors.decoder_lost", subject=message_subject(name)),
                remedy=message("errors.decoder_lost_remedy"),
                detail="ended by itself",
            ) from cause
        if "error" in header:
            kind = _RAISED.get(header["error"], ImageError)
            what, remedy = _decode_message(header["what"]), _decode_message(header["remedy"])
            raise kind(what, remedy=remedy, detail=header["detail"])
        notes = tuple(_decode_message(note) for note in header["notes"])
        return SourceImage(pixels, header["sha256"], notes, tuple(header["original_size"]))

    def _exchange(self, request: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray]:
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        header = json.loads(self.process.stdout.readline())
        pixels = np.empty(header.get("shape", 0), np.uint8)
        if self.process.stdout.readinto(memoryview(pixels.reshape(-1))) != pixels.size:
            raise ValueError("the pixels ended early")
        pixels.setflags(write=False)
        return header, pixels

    def close(self) -> None:
        """End the process at once."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):  # the process has ended and does not read the rest
                pipe.close()
        self.process.wait()


class DecodePool:
    """At most `workers` processes, started when they are needed and kept for the next image.

    Args:
        workers: How many images are decoded at the same moment; others wait.
        limit: Seconds after which a decode is killed, and after which waiting for a free worker ends.
    """

    def __init__(self, workers: int = WORKERS, limit: float = LIMIT):
        self.limit = limit
        self._idle: queue.LifoQueue[DecodeWorker | None] = queue.LifoQueue()  # the last one used is warm
        for _ in range(workers):
            self._idle.put(None)

    def warm_up(self) -> None:
        """Start a first worker, without waiting for it, so that no visitor has to."""
        with contextlib.suppress(queue.Empty):
            self._idle.put(_replace(self._idle.get_nowait()))

    def decode(self, path: str | os.PathLike[str], *, name: str = "image") -> SourceImage:
        """Decode a file as transxnet.images.decode does, to the same pixels.

        Args:
            path: The file.
            name: What messages call it.

        Raises:
            ImageError: The image was refused, took longer than the limit, or ended the process.
            Busy: No worker became free, or none could be started.
        """
        try:
            worker = self._idle.get(timeout=self.limit)
        except queue.Empty:
            raise Busy(message("errors.decoders_busy"), remedy=message("errors.decoders_busy_remedy")) from None
        try:
            worker = _replace(worker)
            if worker is None:
                raise Busy(message("errors.no_decoder"), remedy=message("errors.decoders_busy_remedy"))
            return worker.decode(os.fspath(path), name, self.limit)
        finally:
            self._idle.put(_replace(worker))

    def close(self) -> None:
        """End the idle workers. The pool can still be used: it starts new ones."""
        for worker in filter(None, self._idle.queue):
            worker.close()


def _replace(worker: DecodeWorker | None) -> DecodeWorker | None:
    """The worker if it is alive, else a new one; None if none can be started."""
    if worker is not None and worker.is_alive:
        return worker
    if worker is not None:
        worker.close()
    try:
        return DecodeWorker()
    except OSError:
        return None


POOL = DecodePool()


def _decode_message(value: Any) -> Any:
    """The Message that decode_worker.py encoded; anything else as it is."""
    if not isinstance(value, dict):
        return value
    return Message(value["template"], **{key: _decode_message(item) for key, item in value["values"].items()})
