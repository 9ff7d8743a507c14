"""What Compare shows after its maps: the second photo's columns, or what a pass of each variant costs here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..columns import Column
from ..second import Second, gather_second, second_of
from ..session import Session
from .layout import Layout


class Comparing(Layout):
    """Needs Showing's `_shown` and `_keep`."""

    def _scene(self, session: Session, columns: list[Column]) -> dict[str, Any]:
        """What Scene gets besides, of what is there already."""
        if session.active != "compare":
            return {}
        if session.photos:
            second = self._second(session)
            return {"reference_image": self.studio.image(second.key), "reference_label": second.label}
        return {"timings": self.studio.timer.found(_loaded(columns))}

    def _compare(
        self, session: Session, options: Any, columns: list[Column], newest: Callable[[], bool]
    ) -> Iterator[dict]:
        """The panel again, when what takes longer than its maps is there."""
        if session.photos:
            key = self._second(session).key
            for second in gather_second(self.studio, session, key, options, newest):
                if newest() and all(column.finished for column in second):
                    yield from self._if_newest(self._shown(session, columns, reference_columns=second), session, newest)
        elif self.studio.timer.found(_loaded(columns)) is None:
            run = self.studio.timer.run(_loaded(columns), newest)
            if newest():
                yield from self._if_newest(self._shown(session, columns, timings=run), session, newest)

    def _if_newest(self, found: dict, session: Session, newest: Callable[[], bool]) -> Iterator[dict]:
        """What was made, unless it was overtaken meanwhile."""
        if newest():
            yield {**found, self.session: self._keep(found[self.session], session)}

    def _second(self, session: Session) -> Second:
        return second_of(session, self.studio, self.examples)


def _loaded(columns: list[Column]) -> list[str]:
    return [column.name for column in columns if column.study is not None]
