"""What the server remembers of sessions, and memory that goes back to the operating system.

* `SessionExpiry` drops what Gradio remembers about sessions that are not in use any more: the state of up to
  `state_session_capacity` sessions, results that were never fetched, and a set of unfinished events for every session
  since the start. The page stores nothing in a session.
* glibc gives nearly every thread a separate heap (arena) and keeps freed memory in it. Measured over 450 mixed
  requests: 285 MB stayed in use, while what was free in 16 arenas grew from 200 to 340 MB; with two arenas it was
  140 MB. Nothing happens where the C library is another one.

Nothing here imports gradio.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import sys
from collections.abc import AsyncIterator
from typing import Any

SESSIONS = 256  # sessions whose state is kept at most
INTERVAL = 30.0  # seconds; a session is dropped when it was unused for one to two intervals
ARENAS = 2
_M_ARENA_MAX = -8  # of malloc.h


def limit_arenas() -> None:
    """Let all threads share ARENAS heaps; call before threads are started."""
    _call("mallopt", _M_ARENA_MAX, ARENAS)


def return_free_memory() -> None:
    """Give whole free pages of every heap back; takes some milliseconds."""
    _call("malloc_trim", 0)


def _call(function: str, *arguments: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            getattr(ctypes.CDLL(None), function)(*arguments)


class SessionExpiry:
    """Finds the sessions of one Gradio App that stayed unused since the last sweep. For the App's event loop.

    Args:
        app: gradio.routes.App, launched.
    """

    def __init__(self, app: Any):
        self._app = app
        self._unused: dict[str, Any] = {}  # session -> when it was used last, of the sessions found idle by `sweep`

    def sweep(self) -> set[str]:
        """Drop sessions that were idle at the last sweep, too, and not used in between; returns their hashes."""
        holder, blocks = self._app.state_holder, self._app.get_blocks()
        queue = blocks._queue
        busy = {event.session_hash for event in queue.event_ids_to_events.values()}
        pending = queue.pending_event_ids_session, queue.pending_messages_per_session
        active = set().union(holder.session_data, *pending)
        idle = {session: holder.time_last_used.get(session) for session in active - busy}
        dropped = {session for session, used in idle.items() if (session, used) in self._unused.items()}
        for record in (holder.session_data, holder.time_last_used, *pending):
            for session in dropped:
                record.pop(session, None)
        self._unused = {session: used for session, used in idle.items() if session not in dropped}
        for paths in blocks.temp_file_sets:  # of every file there ever was; only delete_cache, which is off, reads them
            if paths is not blocks.upload_file_set:  # demo/uploads.py looks uploads up in it, and bounds it
                paths.clear()
        return dropped


@contextlib.asynccontextmanager
async def expiring_sessions(app: Any) -> AsyncIterator[None]:
    """Lifespan of a Gradio App: sweeps while it runs."""
    expiry = SessionExpiry(app)

    async def sweep_forever() -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            expiry.sweep()
            await asyncio.to_thread(return_free_memory)

    task = asyncio.create_task(sweep_forever())
    try:
        yield
    finally:
        task.cancel()
