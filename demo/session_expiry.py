"""Drops what Gradio remembers about sessions that are not in use any more.

Gradio keeps the state of up to `state_session_capacity` sessions, results that were never fetched, and a set of
unfinished events for every session since the start. The page stores nothing in a session.

Nothing here imports gradio.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from .memory import return_free_memory

SESSIONS = 256  # sessions whose state is kept at most
INTERVAL = 30.0  # seconds; a session is dropped when it was unused for one to two intervals


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
        active = {*holder.session_data, *queue.pending_event_ids_session, *queue.pending_messages_per_session}
        idle = {session: holder.time_last_used.get(session) for session in active - busy}
        dropped = {session for session, used in idle.items() if (session, used) in self._unused.items()}
        for session in dropped:
            holder.session_data.pop(session, None)
            holder.time_last_used.pop(session, None)
            queue.pending_messages_per_session.pop(session, None)
            queue.pending_event_ids_session.pop(session, None)
        self._unused = {session: used for session, used in idle.items() if session not in dropped}
        for paths in blocks.temp_file_sets:  # of every file there ever was; only delete_cache, which is off, reads them
            if paths is not blocks.upload_file_set:  # demo/uploads.py looks uploads up in it, and bounds it
                paths.clear()
        return dropped


@contextlib.asynccontextmanager
async def expiring_sessions(app: Any) -> AsyncIterator[None]:
    """Lifespan of a Gradio App: sweeps while it runs."""
    task = asyncio.create_task(_sweep_forever(SessionExpiry(app)))
    try:
        yield
    finally:
        task.cancel()


async def _sweep_forever(expiry: SessionExpiry) -> None:
    while True:
        await asyncio.sleep(INTERVAL)
        expiry.sweep()
        await asyncio.to_thread(return_free_memory)
