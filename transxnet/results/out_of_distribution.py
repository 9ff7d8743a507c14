"""How far a picture is from those a model learned from, as the model itself sees them."""

from __future__ import annotations

from dataclasses import dataclass

LIMIT = 0.95  # share of held-out pictures that are nearer, above which a picture counts as unlike
UNSURE = 0.05  # share of held-out pictures whose best answer got less, below which an answer counts as unsure


@dataclass(frozen=True)
class Familiarity:
    """distance: of the picture's features from the training pictures', in standard deviations along their own axes.

    nearer: share of held-out pictures that are nearer to the training pictures than this one. less_sure: share of them
    whose best answer got a smaller share than this one's.
    """

    variant: str
    distance: float
    nearer: float
    best: float  # share of the picture's best answer
    less_sure: float
    pictures: int  # held-out pictures compared with

    @property
    def unlike(self) -> bool:
        return self.nearer > LIMIT

    @property
    def unsure(self) -> bool:
        return self.less_sure < UNSURE
