"""Memory that Python has freed goes back to the operating system.

glibc gives nearly every thread a separate heap (arena) and keeps freed memory in it. Measured over 450 mixed
requests: 285 MB stayed in use, while what was free in 16 arenas grew from 200 to 340 MB; with two arenas it was 140 MB.

Nothing happens where the C library is another one.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

ARENAS = 2
_M_ARENA_MAX = -8  # of malloc.h


def limit_arenas() -> None:
    """Let all threads share ARENAS heaps; call before threads are started."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


def return_free_memory() -> None:
    """Give whole free pages of every heap back; takes some milliseconds."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
