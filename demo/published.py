"""Accuracy and cost as published, each figure with its source: assets/published.csv.

Two kinds of rows, which do not belong into one chart: what authors report, and what timm measured of the weights it
serves (`variant` begins with "timm: "). Every model was trained on ImageNet-1K alone, as far as its source says.
"""

from __future__ import annotations

import csv
import logging
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from transxnet.assets import find_asset

FILE = find_asset("published.csv")
TIMM = "timm: "
SEPARATOR = " ; "
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """remark: which of the numbers it gives, or how it came by them; '' for all, first hand."""

    url: str
    remark: str = ""

    @property
    def label(self) -> str:
        """A link's text: "github.com/LMMMEng/TransXNet", "arxiv.org/abs/2204.01697"."""
        parts = self.url.removeprefix("https://").split("/")
        return "/".join(parts[:3])


@dataclass(frozen=True)
class Published:
    """One row. top1, v2_top1: percent, on ImageNet-1K's validation set and on ImageNet-V2; v2_top1 None if not said."""

    model: str
    variant: str
    family: str  # "cnn", "transformer" or "hybrid"
    resolution: int  # of the images, in pixels
    params_m: float  # millions
    gmacs: float
    top1: float
    v2_top1: float | None
    sources: tuple[Source, ...]

    @property
    def by_timm(self) -> bool:
        """Whether timm measured this, and not the authors."""
        return self.variant.startswith(TIMM)

    @property
    def has_gmacs_of_timm(self) -> bool:
        """Whether the authors' accuracy stands next to timm's GMACs."""
        return not self.by_timm and any("pytorch-image-models" in s.url and "GMACs" in s.remark for s in self.sources)

    @property
    def name(self) -> str:
        """As a person calls it: "TransXNet T", "resnet50.a1_in1k"."""
        return self.variant.removeprefix(TIMM) if self.by_timm else f"{self.model} {self.variant}"


@cache
def published(file: Path = FILE) -> tuple[Published, ...]:
    """All rows in the file's order; none where the file is missing or damaged, which the log says."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return tuple(_row(row) for row in csv.DictReader(lines))
    except (OSError, KeyError, TypeError, ValueError) as error:
        log.warning("no published numbers: %r", error)
        return ()


def _row(row: dict[str, str]) -> Published:
    v2 = row["imagenet_v2_top1"]
    return Published(
        row["model"], row["variant"], row["family"], int(row["resolution"]), float(row["params_m"]),
        float(row["gmacs"]), float(row["imagenet_top1"]), float(v2) if v2 else None,
        tuple(_source(part) for part in row["source_url"].split(SEPARATOR)),
    )  # fmt: skip


def _source(text: str) -> Source:
    match = re.fullmatch(r"(https://\S+)(?: \((.*)\))?", text.strip())
    if match is None:
        raise ValueError(f"no address: {text!r}")
    return Source(match[1], match[2] or "")
