"""Maps of several stages combined on one grid, together with the maps they were made of."""

from __future__ import annotations

from dataclasses import dataclass

from .explanation import Explanation


@dataclass(frozen=True)
class CombinedMaps(Explanation):
    """An Explanation whose heatmap combines the scaled `stage_maps`.

    Attributes:
        stage_maps: The raw map of each stage.
    """

    stage_maps: tuple[Explanation, ...] = ()
