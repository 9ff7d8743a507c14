"""What one view is made of: the variants' columns, the image, and what else was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from transxnet.images import SourceImage
from transxnet.study import Study

from ..columns import Column
from ..session import Session
from ..timing import Run


@dataclass(frozen=True)
class Scene:
    """columns: one a variant, finished or not. second: the same variants' columns on the second image, if asked.

    other, other_label: that image and what it shows. timings: what a pass of each costs here; None while it is
    measured, empty where it cannot be.
    """

    columns: Sequence[Column]
    image: SourceImage
    session: Session = field(default_factory=Session)
    second: Sequence[Column] = ()
    other: SourceImage | None = None
    other_label: str = ""
    timings: Run | None = None

    @property
    def done(self) -> list[Study]:
        return [column.study for column in self.columns if column.study is not None]
