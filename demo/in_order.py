"""Events of one visitor begin one after the other, in the order in which they were asked.

Gradio starts them in that order, each in a thread of its own; which thread is the first to change the visitor's session
is for the machine to decide, and of two clicks the earlier one could count.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar

# Called where an event has changed what later ones build on: from then on the next one may begin.
begun: ContextVar[Callable[[], None]] = ContextVar("begun", default=lambda: None)


class InOrder:
    """Every visitor's line of events that have not begun yet. For one event loop."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Event] = {}

    @asynccontextmanager
    async def beginning(self, visitor: str) -> AsyncIterator[None]:
        """Waits until the event before has begun. This one has when `begun` is called within, or at the block's end."""
        before, mine = self._last.get(visitor), asyncio.Event()
        self._last[visitor] = mine
        loop = asyncio.get_running_loop()
        token = begun.set(lambda: loop.call_soon_threadsafe(mine.set))
        try:
            if before is not None:
                await before.wait()
            yield
        finally:
            begun.reset(token)
            mine.set()
            if self._last.get(visitor) is mine:
                del self._last[visitor]
