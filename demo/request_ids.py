"""Which request of a page is its newest: older ones stop, and the visitor may stop the newest as well.

The browser numbers its requests (web/js/core/store.js) and names its page by a random text, so nothing here says who
the visitor is. Requests may arrive out of order; one that is older than the newest is superseded from the start.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from cachetools import LRUCache

MAX_PAGES = 4096  # pages whose newest request is remembered


class RequestIds:
    """The newest request of each page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: LRUCache[str, tuple[int, bool]] = LRUCache(MAX_PAGES)  # its number, and whether it was stopped

    def begin(self, page: str, number: int) -> RequestId:
        """Register a request; all older ones of this page are superseded."""
        with self._lock:
            if number >= self._newest.get(page, (0, False))[0]:
                self._newest[page] = (number, False)
        return RequestId(self, page, number)

    def stop(self, page: str, number: int) -> None:
        """Stop a request that is still the newest of its page."""
        with self._lock:
            if self._newest.get(page, (0, False))[0] == number:
                self._newest[page] = (number, True)

    def state(self, page: str) -> tuple[int, bool]:
        """The newest request's number, and whether it was stopped."""
        with self._lock:
            return self._newest.get(page, (0, False))


@dataclass(frozen=True)
class RequestId:
    """One request of one page."""

    requests: RequestIds
    page: str
    number: int

    def is_current(self) -> bool:
        """Whether it is its page's newest request and was not stopped."""
        return self.requests.state(self.page) == (self.number, False)

    def is_stopped(self) -> bool:
        """Whether the visitor stopped it and has requested nothing since."""
        return self.requests.state(self.page) == (self.number, True)
