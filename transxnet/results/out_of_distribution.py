"""How far an image lies from a model's training images, in the model's own features."""

from __future__ import annotations

from dataclasses import dataclass

OOD_THRESHOLD = 0.95  # share of held-out images that are nearer, above which an image is out of distribution
LOW_CONFIDENCE_THRESHOLD = 0.05  # share of held-out images predicted less confidently, below which confidence is low


@dataclass(frozen=True)
class OutOfDistribution:
    """Out-of-distribution score of one image.

    Attributes:
        model: The model's name.
        ood_score: Distance of the image's features from the training images', in standard deviations along their axes.
        nearer_share: Share of held-out images that lie nearer to the training images than this one.
        confidence: Probability of the image's top prediction.
        less_confident_share: Share of held-out images whose top prediction has a lower probability.
        held_out_count: Number of held-out images compared with.
    """

    model: str
    ood_score: float
    nearer_share: float
    confidence: float
    less_confident_share: float
    held_out_count: int

    @property
    def is_out_of_distribution(self) -> bool:
        """Whether the image lies farther away than OOD_THRESHOLD of the held-out images."""
        return self.nearer_share > OOD_THRESHOLD

    @property
    def is_low_confidence(self) -> bool:
        """Whether fewer than LOW_CONFIDENCE_THRESHOLD of the held-out images are predicted with lower confidence."""
        return self.less_confident_share < LOW_CONFIDENCE_THRESHOLD
