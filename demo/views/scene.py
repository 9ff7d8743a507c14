"""What one view is made of: the variants' columns, the picture, and what else was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from transxnet.images import Picture
from transxnet.study import Study

from ..columns import Column
from ..session import Session
from ..timing import Run


@dataclass(frozen=True)
class Scene:
    """columns: one a variant, finished or not. second: the same variants' columns on the second picture, if asked.

    other, other_label: that picture and what it shows. timings: what a pass of each costs here; None while it is
    measured, empty where it cannot be.
    """

    columns: Sequence[Column]
    picture: Picture
    session: Session = field(default_factory=Session)
    second: Sequence[Column] = ()
    other: Picture | None = None
    other_label: str = ""
    timings: Run | None = None

    @property
    def done(self) -> list[Study]:
        return [column.study for column in self.columns if column.study is not None]
