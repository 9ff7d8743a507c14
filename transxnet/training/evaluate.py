"""Accuracy of a model on labelled pictures, by the protocol its variant states (resize, crop, bicubic).

Labels are matched by WNID, so a model is asked only about classes it knows; its answers still compete
with all its classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..images import prepare
from ..labels import label_set
from ..weights import LoadedModel
from .data import THREADS, Sample, known_samples


@dataclass(frozen=True)
class Accuracy:
    """Shares of `pictures` whose label was the first answer, and among the first five; Wilson's 95 % intervals."""

    model: str
    image_size: int  # side of the view, pixels
    crop_pct: float
    pictures: int
    left_out: int  # pictures of classes the model does not know
    top1: float
    top5: float
    top1_interval: tuple[float, float]
    top5_interval: tuple[float, float]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def evaluate(
    loaded: LoadedModel,
    paths: Sequence[str | Path],
    *,
    image_size: int | None = None,
    batch: int = 64,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Accuracy:
    """Top-1 and top-5 on folders or zips (see training.data). image_size None takes the variant's own.

    progress: called with (pictures done, pictures in all).
    Raises UnknownName where no picture is of a class the model knows, PictureError for one that cannot be read.
    """
    spec, side = loaded.spec, loaded.spec.image_size if image_size is None else image_size
    wnids = label_set(spec.label_set).wnids
    samples, left_out = known_samples(paths, wnids)
    n, hits1, hits5 = len(samples), 0, 0
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, n, batch):
            part = samples[start : start + batch]
            views = torch.cat(list(pool.map(lambda sample: _view(sample, side, spec.crop_pct), part)))
            ranks = _ranks(loaded, views, torch.tensor([wnids.index(sample.wnid) for sample in part]))
            hits1, hits5 = hits1 + int((ranks < 1).sum()), hits5 + int((ranks < 5).sum())
            progress(start + len(part), n)
    return Accuracy(
        loaded.name, side, spec.crop_pct, n, left_out, hits1 / n, hits5 / n, wilson(hits1, n), wilson(hits5, n)
    )


def wilson(hits: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval for a share of n (95 % by default); (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    share, weight = hits / n, z * z / n
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * (share * (1 - share) / n + weight / (4 * n)) ** 0.5
    return max(middle - half, 0.0), min(middle + half, 1.0)  # against rounding


def _view(sample: Sample, side: int, crop_pct: float) -> Tensor:  # -> (1, 3, side, side)
    return prepare(sample.decode(sample.read()), image_size=side, crop_pct=crop_pct).tensor


@torch.no_grad()
def _ranks(loaded: LoadedModel, x: Tensor, labels: Tensor) -> Tensor:  # (B, 3, S, S), (B,) -> (B,): 0 is the best
    """The place of each label among the answers. Ties go to the lower index, as in explain.predict."""
    answers = loaded.model(x.to(loaded.device)).argsort(dim=1, descending=True, stable=True).cpu()  # (B, classes)
    return (answers == labels[:, None]).int().argmax(dim=1)
