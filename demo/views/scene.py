"""Input of one tab: the models' columns, the image, and the session."""

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
    """What a tab is rendered from.

    Attributes:
        columns: One per model, finished or not.
        image: The source image.
        session: The visitor's settings.
        reference_columns: The same models on the reference image, if it is compared.
        reference_image: None if nothing is compared.
        reference_label: Label of the example that the reference image is; "" if it was uploaded.
        timings: Time of a forward pass by model; None while it is measured, empty if it cannot be measured.
    """

    columns: Sequence[Column]
    image: SourceImage
    session: Session = field(default_factory=Session)
    reference_columns: Sequence[Column] = ()
    reference_image: SourceImage | None = None
    reference_label: str = ""
    timings: Run | None = None

    @property
    def studies(self) -> list[Study]:
        return [column.study for column in self.columns if column.study is not None]
