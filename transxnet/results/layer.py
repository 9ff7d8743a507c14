"""What the results of one block have in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerResult:
    """A result of one block.

    Attributes:
        model: Name of the architecture.
        stage: From 1.
        block: From 1.
    """

    model: str
    stage: int
    block: int
