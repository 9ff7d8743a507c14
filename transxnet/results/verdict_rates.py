"""How often the faithfulness test of the sanity checks passes maps, counted on many images: assets/verdict_rates.csv.

`python -m transxnet verdict-rates` writes the file; its first lines, which begin with "#", name the command.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from ..assets import find_asset

FILE = "verdict_rates.csv"
GRAD_CAM, OTHER_IMAGE, RANDOM_FIELD, UNRELATED = "grad_cam", "other_image", "random_field", "unrelated"


@dataclass(frozen=True)
class VerdictRate:
    """One row.

    Attributes:
        model: "pico", or "pico@untrained".
        weights: First digits of the SHA-256 of its weights.
        map: Grad-CAM at stage 4, or a map that knows nothing of the image: the Grad-CAM of another image, a random
            field with the spectrum of this image's Grad-CAM, or both kinds together (unrelated).
        maps_tested: Number of maps that p values are corrected for.
        minimum_probability: Of the class at the start, below which there is no verdict.
        pairs: Number of pairs of an image and a map.
        passes: Number of pairs that pass.
        fails: Number of pairs that fail.
        no_verdict: Number of pairs without a verdict.
        rate: passes / pairs, 0 to 1.
        low, high: 95% interval of the rate (Wilson).
    """

    model: str
    weights: str
    map: str
    maps_tested: int
    minimum_probability: float
    pairs: int
    passes: int
    fails: int
    no_verdict: int
    rate: float
    low: float
    high: float

    @property
    def percent(self) -> str:
        """ "38% [29, 48]": rate and interval."""
        return f"{100 * self.rate:.0f}% [{100 * self.low:.0f}, {100 * self.high:.0f}]"


COLUMNS = tuple(column.name for column in fields(VerdictRate))
_NUMBERS = {column.name: {"int": int, "float": float}.get(column.type, str) for column in fields(VerdictRate)}


@cache
def read_verdict_rates(path: Path | None = None) -> tuple[VerdictRate, ...]:
    """The rows of the table; none if the file is missing.

    Args:
        path: The file; None is that of the assets.
    """
    path = path or find_asset(FILE)
    if not path.is_file():
        return ()
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = csv.DictReader(lines)
    return tuple(VerdictRate(**{name: _NUMBERS[name](row[name]) for name in COLUMNS}) for row in rows)
