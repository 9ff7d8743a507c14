"""Which request of each visitor is the newest one: older ones stop, and a visitor may stop the newest, too."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

KEPT = 4096  # visitors that are remembered
TURN = "turn"  # a step of an answer carries its Turn under this key, for `in_time`


class Turns:
    """The newest request of every visitor."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: OrderedDict[str, tuple[int, bool]] = OrderedDict()  # its number, and whether it is a stop

    def begin(self, visitor: str) -> Turn:
        """A new request, after which all older ones of this visitor are overtaken."""
        return self._put(visitor, stopped=False)

    def stop(self, visitor: str) -> None:
        """The newest request is wanted no more, and nothing takes its place."""
        self._put(visitor, stopped=True)

    def look(self, visitor: str) -> tuple[int, bool]:
        with self._lock:
            return self._newest.get(visitor, (0, False))

    def _put(self, visitor: str, stopped: bool) -> Turn:
        with self._lock:
            number = self._newest.pop(visitor, (0,))[0] + 1
            self._newest[visitor] = (number, stopped)
            while len(self._newest) > KEPT:
                self._newest.popitem(last=False)
        return Turn(self, visitor, number)


def in_time(step: Any) -> bool:
    """Whether a step of an answer may still be told. Asked last of all: a newer one may have come while it was made."""
    turn = step.get(TURN) if isinstance(step, dict) else None
    return turn is None or turn() or turn.stopped


@dataclass(frozen=True)
class Turn:
    """One request. Called, it says whether it is still its visitor's newest."""

    turns: Turns
    visitor: str
    number: int

    def __call__(self) -> bool:
        return self.turns.look(self.visitor)[0] == self.number

    @property
    def stopped(self) -> bool:
        """Whether its visitor stopped this very request and has asked for nothing since."""
        number, stopped = self.turns.look(self.visitor)
        return stopped and number == self.number + 1
