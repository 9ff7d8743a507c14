"""Each visitor's stream of answers, so that one whose connection went can be given up before another is opened.

Gradio's server sends all answers of a session through GET …/queue/data (gradio/routes.py). Where a connection goes
without a word, as when a phone leaves its Wi-Fi, the server goes on writing into it: a second stream of that session
would get only some of the answers, and when the first is found dead at last, Gradio forgets what is being answered on
both. So before it asks again, js/stream.js sends POST …/queue/leave with the same query.

Nothing here imports gradio: it is reached by `scope["app"]`, which is its App.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

END = {"type": "http.response.body", "body": b"", "more_body": False}
PATIENCE = 5.0  # seconds in which a stream that is given up should have ended


class Streams:
    """ASGI middleware: knows the streams that are open, and answers /queue/leave."""

    def __init__(self, app: ASGIApp):
        self.app = app
        self._open: dict[str, set[asyncio.Task]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/") if scope["type"] == "http" else ""
        if path.endswith("/queue/leave") and scope["method"] == "POST":
            await self._leave(Request(scope).query_params.get("session_hash", ""), scope["app"])
            await Response(status_code=204)(scope, receive, send)
        elif path.endswith("/queue/data"):
            await self._listen(Request(scope).query_params.get("session_hash", ""), scope, receive, send)
        elif "/call/" in path and scope["method"] == "GET":
            await self._listen(path.rpartition("/")[2], scope, receive, send)  # by event, not by session
        else:
            await self.app(scope, receive, send)

    async def _listen(self, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        streams = self._open.setdefault(session, set())
        streams.add(task)
        scope["app"].state.open_streams = self._open  # for demo/session_expiry.py
        try:
            await self.app(scope, receive, send)
        except asyncio.CancelledError:
            if task in streams:
                raise  # the server stops
            task.uncancel()  # given up
            with contextlib.suppress(Exception):  # nobody may be there any more
                await send(END)
        finally:
            streams.discard(task)
            if not streams and self._open.get(session) is streams:
                del self._open[session]

    async def _leave(self, session: str, app: Any) -> None:
        """End the session's streams, and whatever is being answered."""
        streams = self._open.pop(session, set())
        given_up = list(streams)
        streams.clear()
        for task in given_up:
            task.cancel()
        if given_up:
            await asyncio.wait(given_up, timeout=PATIENCE)
        queue = app.get_blocks()._queue
        await queue.clean_events(session_hash=session)
        queue.pending_messages_per_session.pop(session, None)
        queue.pending_event_ids_session.pop(session, None)  # of what is running Gradio keeps the number for ever
