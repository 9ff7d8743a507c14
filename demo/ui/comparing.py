"""What Compare shows after its maps: the second photograph's columns, or what a pass of each variant costs here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from transxnet.images import decode

from ..columns import LOOK_AGAIN, Column
from ..second import gather_second
from ..session import Session
from ..timing import Run
from .layout import Layout


class Comparing(Layout):
    """Needs Showing's `_shown` and `_other_example`."""

    def _scene(self, session: Session, columns: list[Column]) -> dict[str, Any]:
        """What Scene gets besides, of what is there already."""
        if session.active != "compare":
            return {}
        if session.photographs:
            key, label = self._second(session)
            return {"other": self.studio.picture(key), "other_label": label}
        return {"timings": self.studio.timer.found(_loaded(columns))}

    def _compare(
        self, session: Session, options: Any, columns: list[Column], newest: Callable[[], bool]
    ) -> Iterator[dict]:
        """The panel again, when what takes longer than its maps is there."""
        if session.photographs:
            key, _ = self._second(session)
            for second in gather_second(self.studio, session, key, options, newest):
                if newest() and all(column.finished for column in second):
                    yield from self._if_newest(self._shown(session, columns, second=second), newest)
        elif self.studio.timer.found(_loaded(columns)) is None:
            run = self._timed(columns, newest)
            if newest():
                yield from self._if_newest(self._shown(session, columns, timings=run), newest)

    def _if_newest(self, found: dict, newest: Callable[[], bool]) -> Iterator[dict]:
        """What was made, unless it was overtaken meanwhile."""
        if newest():
            yield found

    def _timed(self, columns: list[Column], newest: Callable[[], bool]) -> Run:
        """Empty where something long runs, or the measuring fails."""
        job = self.studio.timer.begin(_loaded(columns)) if _loaded(columns) else None
        if job is None:
            return {}
        try:
            while newest() and not job.wait(LOOK_AGAIN):
                pass
            return job.future.result() if job.future.done() and job.future.exception() is None else {}
        finally:
            self.studio.timer.leave(job)

    def _second(self, session: Session) -> tuple[str, str]:
        """The second picture's key, and what it shows."""
        example = self.examples[self._other_example(session)]
        return self.studio.add(decode(example.path, name=example.label)), example.label


def _loaded(columns: list[Column]) -> list[str]:
    return [column.name for column in columns if column.study is not None]
