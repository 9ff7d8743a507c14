"""Each visitor's newest session, kept here: what is clicked before the last answer has come builds on it.

A session that only travelled with events would be the one before: of two quick clicks the second would undo the first.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace

from .session import Session

KEPT = 4096  # visitors that are remembered


@dataclass(frozen=True)
class Given:
    """What an event's handler starts from. told: the session that the browser was told last; newest: the one kept."""

    told: Session
    newest: Session


given: ContextVar[Given | None] = ContextVar("given", default=None)  # of the event that is being handled


class Visitors:
    """Sessions by visitor, the longest unused forgotten first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._answering: Counter[str] = Counter()  # events by visitor

    @contextmanager
    def answering(self, visitor: str) -> Iterator[bool]:
        """An event is answered in the block. Yields whether it began with no other event of this visitor in one."""
        with self._lock:
            self._answering[visitor] += 1
            alone = self._answering[visitor] == 1
        try:
            yield alone
        finally:
            with self._lock:
                self._answering[visitor] -= 1
                if not self._answering[visitor]:
                    del self._answering[visitor]

    def newest(self, visitor: str, otherwise: Session) -> Session:
        """What was kept last, else what came with the event."""
        with self._lock:
            return self._sessions.get(visitor, otherwise)

    def keep(self, visitor: str, session: Session, before: Session | None = None) -> Session:
        """Keep a session, and return what is kept. before: the one that it was made from, where only what differs from
        that one shall change, because others may have changed the rest meanwhile.
        """
        with self._lock:
            latest = self._sessions.pop(visitor, None)
            if before is not None and latest is not None:
                names = [field.name for field in fields(Session)]
                different = {n: getattr(session, n) for n in names if getattr(session, n) != getattr(before, n)}
                session = replace(latest, **different)
            self._sessions[visitor] = session
            while len(self._sessions) > KEPT:
                self._sessions.popitem(last=False)
        return session
