"""Which request of each visitor is the newest one: older ones stop, and a visitor may stop the newest, too."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

KEPT = 4096  # visitors that are remembered


class Turns:
    """The newest request of every visitor."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: OrderedDict[str, tuple[int, str, bool]] = OrderedDict()  # its number, what it asks for, stopped
        self._met: OrderedDict[str, None] = OrderedDict()

    def begin(self, visitor: str, what: str = "") -> Turn:
        """A new request, after which all older ones of this visitor are overtaken. what: `asked` gives it back."""
        return self._put(visitor, what, False)

    def stop(self, visitor: str) -> None:
        """The newest request is wanted no more, and nothing takes its place."""
        self._put(visitor, self.asked(visitor), True)

    def asked(self, visitor: str) -> str:
        """What this visitor's newest request asks for; '' before the first."""
        return self.look(visitor)[1]

    def look(self, visitor: str) -> tuple[int, str, bool]:
        with self._lock:
            return self._newest.get(visitor, (0, "", False))

    def first_time(self, visitor: str) -> bool:
        """Whether this was never asked of that visitor."""
        with self._lock:
            new = visitor not in self._met
            self._met[visitor] = None
            while len(self._met) > KEPT:
                self._met.popitem(last=False)
        return new

    def _put(self, visitor: str, what: str, stopped: bool) -> Turn:
        with self._lock:
            number = self._newest.pop(visitor, (0,))[0] + 1
            self._newest[visitor] = (number, what, stopped)
            while len(self._newest) > KEPT:
                self._newest.popitem(last=False)
        return Turn(self, visitor, number)


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
        number, _, stopped = self.turns.look(self.visitor)
        return stopped and number == self.number + 1
