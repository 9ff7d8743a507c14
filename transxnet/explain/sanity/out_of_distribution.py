"""Is this image like those the model learned from? A distance in the model's own features.

Features: the mean over positions of every stage's output, one number a channel, all stages in a row. Distance: of
Mahalanobis' kind (as Lee et al., arXiv 1807.03888, use it, but without classes: what matters here is whether the
image is like any of them). The training images' features are standardized and turned to their K main axes:

    d^2 = sum_k (p_k^2 / lambda_k) + |rest|^2 / sigma^2

p_k: along axis k, whose variance is lambda_k; rest: what the K axes leave, of mean variance sigma^2 a direction
(probabilistic PCA, Tipping and Bishop 1999). What a distance means is read off held-out images: the share of them
that is nearer.

What it must not be read as: a far image may be answered rightly, a near one wrongly; and a model whose features
do not see a difference cannot measure it. Logits alone are no substitute: noise gets confident answers.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from ...errors import PartMissing
from ...results.out_of_distribution import OutOfDistribution
from ...weights.sources import BUNDLED
from ..observe import Observation

AXES = 128
SUFFIX = ".familiar.npz"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """What was learned of the training images' F features, and held-out images' distances and best answers."""

    mean: np.ndarray  # (F,)
    spread: np.ndarray  # (F,): standard deviations
    axes: np.ndarray  # (K, F): of the standardized features, each of length 1
    variances: np.ndarray  # (K,): along the axes
    rest: float  # mean variance of a direction that is none of the axes
    distances: np.ndarray  # (N,): of held-out images, ascending
    best: np.ndarray  # (N,): shares of their best answers, ascending
    sha256: str  # of the weights that saw them

    def distance(self, features: np.ndarray) -> np.ndarray:
        """(..., F) -> (...)."""
        standard = (features - self.mean) / self.spread
        along = standard @ self.axes.T  # (..., K)
        left = np.maximum((standard**2).sum(-1) - (along**2).sum(-1), 0)
        return np.sqrt((along**2 / self.variances).sum(-1) + left / self.rest)

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """What its file holds; the axes in half precision."""
        exact = {name: np.asarray(getattr(self, name)) for name in self.__dataclass_fields__}
        return exact | {"axes": self.axes.astype(np.float16)}


def learn(training: np.ndarray, held_out: np.ndarray, best: np.ndarray, sha256: str, axes: int = AXES) -> Known:
    """training: (M, F) features. held_out: (N, F); best: (N,) shares of their best answers. At most M - 1 axes."""
    mean, spread = training.mean(axis=0), np.maximum(training.std(axis=0), 1e-6)
    _, singular, directions = np.linalg.svd((training - mean) / spread, full_matrices=False)
    variances = singular**2 / (len(training) - 1)
    axes = min(axes, len(variances) - 1)
    directions = directions[:axes].astype(np.float16).astype(np.float32)  # as the file will hold them
    rest = variances[axes:].sum() / (training.shape[1] - axes)
    known = Known(
        mean.astype(np.float32), spread.astype(np.float32), directions, variances[:axes].astype(np.float32),
        float(rest), np.zeros(0), np.sort(best).astype(np.float32), sha256,
    )  # fmt: skip
    distances = np.sort(known.distance(held_out)).astype(np.float32)
    return Known(**{name: getattr(known, name) for name in known.__dataclass_fields__} | {"distances": distances})


def features(observation: Observation) -> np.ndarray:
    """(B, F) float32: every stage's channel means, one row an image. The stages' outputs must have been kept."""
    means = [record.tensor.detach().float().mean(dim=(2, 3)) for record in observation.trace.find("stage")]
    return np.concatenate([one.cpu().numpy() for one in means], axis=1)


def out_of_distribution(observation: Observation, best: float, sha256: str) -> OutOfDistribution:
    """best: the share of the best answer. sha256: of the weights.

    Raises PartMissing where nothing is known of what these weights learned from.
    """
    known = known_of(observation.model_name, sha256)
    if known is None:
        raise PartMissing(
            f"It is not recorded which images {observation.model_name} learned from.",
            remedy="`python -m transxnet out-of-distribution` records it for a bundled model.",
        )
    row = features(observation)[0]
    if row.shape != known.mean.shape:
        raise PartMissing(
            f"The record of the images that {observation.model_name} learned from is of another model.",
            remedy="`python -m transxnet out-of-distribution` writes it again.",
        )
    distance = float(known.distance(row))
    nearer, less_sure = (float(np.searchsorted(held, value) / len(held)) for held, value in (
        (known.distances, distance), (known.best, best)
    ))  # fmt: skip
    return OutOfDistribution(observation.model_name, distance, nearer, best, less_sure, len(known.distances))


def known_of(name: str, sha256: str) -> Known | None:
    """What is recorded for a bundled model of these very weights.

    Returns:
        None where there is no record, where it is of other weights, and where its file is damaged.
    """
    known = _read(BUNDLED / f"{name}{SUFFIX}")
    return known if known is not None and known.sha256 == sha256 else None


@lru_cache(maxsize=8)
def _read(path: Path) -> Known | None:
    """The record in a file. It is optional, so a damaged one costs its own notice only, and a line in the log."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            return _checked(dict(file))
    except Exception as error:  # zipfile, zlib, struct and NumPy each raise classes of their own
        log.warning("%s is damaged and is not used: %r", path.name, error)
        return None


def _checked(arrays: Mapping[str, np.ndarray]) -> Known:
    """The record that these arrays hold. Raises KeyError, TypeError or ValueError where they hold none."""
    numbers = {name: np.asarray(arrays[name], np.float32) for name in Known.__dataclass_fields__ if name != "sha256"}
    known = Known(**numbers | {"rest": float(numbers["rest"]), "sha256": str(arrays["sha256"])})
    axes, features = known.axes.shape
    shapes = {"mean": (features,), "spread": (features,), "variances": (axes,)}
    if any(numbers[name].shape != shape for name, shape in shapes.items()):
        raise ValueError("its arrays do not belong together")
    if known.distances.ndim != 1 or known.distances.shape != known.best.shape or not known.distances.size:
        raise ValueError("it holds no distances of held-out images")
    if not all(np.isfinite(array).all() for array in numbers.values()):
        raise ValueError("it holds values that are not finite")
    if not all((numbers[name] > 0).all() for name in ("spread", "variances", "rest")):
        raise ValueError("its variances are not positive")
    return known
