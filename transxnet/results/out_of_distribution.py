"""How far an image is from those a model learned from, as the model itself sees them."""

from __future__ import annotations

from dataclasses import dataclass

LIMIT = 0.95  # share of held-out images that are nearer, above which an image counts as unlike
UNSURE = 0.05  # share of held-out images whose best answer got less, below which an answer counts as unsure


@dataclass(frozen=True)
class OutOfDistribution:
    """distance: of the image's features from the training images', in standard deviations along their own axes.

    nearer: share of held-out images that are nearer to the training images than this one. less_sure: share of them
    whose best answer got a smaller share than this one's.
    """

    model: str
    distance: float
    nearer: float
    best: float  # share of the image's best answer
    less_sure: float
    images: int  # held-out images compared with

    @property
    def unlike(self) -> bool:
        return self.nearer > LIMIT

    @property
    def unsure(self) -> bool:
        return self.less_sure < UNSURE
