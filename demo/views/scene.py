"""What a view is rendered from: the models' columns, the image and the view state."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from transxnet.images import SourceImage
from transxnet.study import Study

from ..columns import Column
from ..state import ViewState, center
from ..timing import Run


@dataclass(frozen=True)
class Scene:
    """What a view is rendered from.

    Attributes:
        columns: One per model, finished or not.
        image: What they explain, and `image_key`, by which the browser knows it.
        state: The resolved view state.
        cached_tables: Keys of the attention tables that the browser has.
        model_names: The models that some source has.
        reference_columns: The same models on the reference image, if it is compared.
        reference_image: None if nothing is compared.
        reference_label: Label of the example that the reference image is.
        timings: What a pass of each model costs here; None while it is measured, empty where it cannot be.
    """

    columns: Sequence[Column]
    image: SourceImage
    state: ViewState = field(default_factory=ViewState)
    image_key: str = ""
    cached_tables: Collection[str] = ()
    model_names: Collection[str] = ()
    reference_columns: Sequence[Column] = ()
    reference_image: SourceImage | None = None
    reference_label: str = ""
    timings: Run | None = None

    @property
    def position(self) -> tuple[int, int]:
        """The query position in pixels of the image."""
        return self.state.position or center(self.image.size)

    @property
    def studies(self) -> list[Study]:
        return [column.study for column in self.columns if column.study is not None]
