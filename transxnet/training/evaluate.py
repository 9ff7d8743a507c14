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

from ..images import decode, prepare
from ..labels import label_set
from ..weights import LoadedModel
from .data import Sample, find_samples


@dataclass(frozen=True)
class Accuracy:
    """Shares of `pictures` whose label was the first answer, and among the first five; Wilson's 95 % intervals."""

    model: str
    image_size: int
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
    """Top-1 and top-5 on folders or zips (see training.data). image_size None takes the variant's own."""
    spec = loaded.spec
    side = image_size or spec.image_size
    index = {wnid: i for i, wnid in enumerate(label_set(spec.label_set).wnids)}
    everything = find_samples(paths)
    samples = [s for s in everything if s.wnid in index]
    hits1 = hits5 = 0
    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(samples), batch):
            part = samples[start : start + batch]
            views = list(pool.map(lambda s: _view(s, side, spec.crop_pct), part))
            ranks = _ranks(loaded, torch.cat(views), [index[s.wnid] for s in part])
            hits1, hits5 = hits1 + int((ranks < 1).sum()), hits5 + int((ranks < 5).sum())
            progress(start + len(part), len(samples))
    n = len(samples)
    return Accuracy(
        loaded.name, side, spec.crop_pct, n, len(everything) - n, hits1 / max(n, 1), hits5 / max(n, 1),
        wilson(hits1, n), wilson(hits5, n),
    )  # fmt: skip


def wilson(hits: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval for a share of n (95 % by default); (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    share, weight = hits / n, z * z / n
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * (share * (1 - share) / n + weight / (4 * n)) ** 0.5
    return middle - half, middle + half


def _view(sample: Sample, side: int, crop_pct: float) -> torch.Tensor:  # -> (1, 3, side, side)
    return prepare(decode(sample.read(), name=sample.name), image_size=side, crop_pct=crop_pct).tensor


@torch.no_grad()
def _ranks(loaded: LoadedModel, x: torch.Tensor, labels: list[int]) -> torch.Tensor:  # -> (B,): 0 is the best answer
    logits = loaded.model(x.to(loaded.device))
    own = logits.gather(1, torch.tensor(labels, device=logits.device)[:, None])
    return (logits > own).sum(dim=1)
