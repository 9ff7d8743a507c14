"""Whether the Hub has newer revisions than the loaded weights: looked up once a day, in the background.

The page changes nothing while it runs; it says that a newer revision exists. Without an answer, for example offline,
nothing is said.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from transxnet.errors import SourceFailed
from transxnet.weights.load import Provenance
from transxnet.weights.namespace import HUB_PREFIX
from transxnet.weights.revisions import DAY, newest_commit


class Revisions:
    """The newest commits of Hub repositories, as far as they are known."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: dict[str, str] = {}  # repository -> commit
        self._look_ups: dict[str, float] = {}  # repository -> time.monotonic of the last look-up

    def has_newer(self, provenance: Provenance) -> bool:
        """Whether a newer revision is known. Looks it up in the background where the last look-up is a day old."""
        if provenance.kind != "hub" or provenance.pinned:
            return False
        repository, now = provenance.location.removeprefix(HUB_PREFIX), time.monotonic()
        with self._lock:
            due = now - self._look_ups.get(repository, -DAY) >= DAY
            if due:
                self._look_ups[repository] = now
            newest = self._newest.get(repository, provenance.revision)
        if due:
            threading.Thread(target=self._look_up, args=(repository,), name="newest revision", daemon=True).start()
        return newest != provenance.revision

    def _look_up(self, repository: str) -> None:
        with suppress(SourceFailed):
            commit = newest_commit(repository, max_age=DAY)
            with self._lock:
                self._newest[repository] = commit
