"""Out-of-distribution score of an image: its distance from the training images in the model's own features.

Features: the mean over positions of every stage's output, one number per channel, all stages concatenated. Distance: a
Mahalanobis distance (as in Lee et al., arXiv 1807.03888, but without classes: what matters here is whether the image
is like any of them). The training images' features are standardized and projected on their K main axes:

    d^2 = sum_k (p_k^2 / lambda_k) + |rest|^2 / sigma^2

p_k: along axis k, whose variance is lambda_k; rest: what the K axes leave, of mean variance sigma^2 per direction
(probabilistic PCA, Tipping and Bishop 1999). A distance is interpreted by the share of held-out images that are nearer.

Limitations: a far image may be predicted correctly, a near one incorrectly; and a model whose features ignore a
difference cannot measure it. Logits alone are no substitute: noise gets confident predictions.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
class FeatureStatistics:
    """Statistics of the training images' F features, and scores of held-out images. Its fields are the file's keys.

    Attributes:
        mean: (F,).
        spread: (F,), standard deviations.
        axes: (K, F), of the standardized features, each of length 1.
        variances: (K,), along the axes.
        rest: Mean variance of a direction orthogonal to the axes.
        distances: (N,), of held-out images, ascending.
        best: (N,), probabilities of their top predictions, ascending.
        sha256: Of the model's weights.
    """

    mean: np.ndarray
    spread: np.ndarray
    axes: np.ndarray
    variances: np.ndarray
    rest: float
    distances: np.ndarray
    best: np.ndarray
    sha256: str

    def distance(self, features: np.ndarray) -> np.ndarray:
        """Distances of features (..., F): (...), in standard deviations."""
        standardized = (features - self.mean) / self.spread
        projected = standardized @ self.axes.T  # (..., K)
        residual = np.maximum((standardized**2).sum(-1) - (projected**2).sum(-1), 0)
        return np.sqrt((projected**2 / self.variances).sum(-1) + residual / self.rest)

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of its file; the axes in half precision."""
        exact = {name: np.asarray(getattr(self, name)) for name in self.__dataclass_fields__}
        return exact | {"axes": self.axes.astype(np.float16)}


def fit_statistics(
    training: np.ndarray, held_out: np.ndarray, best: np.ndarray, sha256: str, axes: int = AXES
) -> FeatureStatistics:
    """Fit the statistics of a model's features.

    Args:
        training: (M, F) features of training images.
        held_out: (N, F) features of held-out images.
        best: (N,) probabilities of their top predictions.
        sha256: Of the model's weights.
        axes: Number of main axes, at most M - 1.

    Returns:
        Statistics, with the distances of the held-out images.
    """
    mean, spread = training.mean(axis=0), np.maximum(training.std(axis=0), 1e-6)
    _, singular, directions = np.linalg.svd((training - mean) / spread, full_matrices=False)
    variances = singular**2 / (len(training) - 1)
    axes = min(axes, len(variances) - 1)
    directions = directions[:axes].astype(np.float16).astype(np.float32)  # as the file will hold them
    rest = variances[axes:].sum() / (training.shape[1] - axes)
    statistics = FeatureStatistics(
        mean.astype(np.float32), spread.astype(np.float32), directions, variances[:axes].astype(np.float32),
        float(rest), np.zeros(0), np.sort(best).astype(np.float32), sha256,
    )  # fmt: skip
    return replace(statistics, distances=np.sort(statistics.distance(held_out)).astype(np.float32))


def features(observation: Observation) -> np.ndarray:
    """Channel means of every stage.

    Args:
        observation: B images, with the stages' outputs recorded.

    Returns:
        (B, F) float32.
    """
    means = [record.tensor.detach().float().mean(dim=(2, 3)) for record in observation.trace.find("stage")]
    return np.concatenate([mean.cpu().numpy() for mean in means], axis=1)


def out_of_distribution(observation: Observation, confidence: float, sha256: str) -> OutOfDistribution:
    """Score an image.

    Args:
        observation: One image, with the stages' outputs recorded.
        confidence: Probability of its top prediction, 0 to 1.
        sha256: Of the model's weights.

    Returns:
        Its distance in standard deviations, and shares of held-out images, 0 to 1.

    Raises:
        PartMissing: There are no statistics for these weights.
    """
    statistics = load_statistics(observation.model_name, sha256)
    if statistics is None:
        raise PartMissing(
            "It is not recorded which images {model} learned from.",
            remedy="`python -m transxnet out-of-distribution` records it for a bundled model.",
            model=observation.model_name,
        )
    row = features(observation)[0]
    if row.shape != statistics.mean.shape:
        template = "The record of the images that {model} learned from is of another model."
        raise PartMissing(
            template, remedy="`python -m transxnet out-of-distribution` writes it again.", model=observation.model_name
        )
    distance = float(statistics.distance(row))
    nearer, less_confident = (float(np.searchsorted(scores, value) / len(scores)) for scores, value in (
        (statistics.distances, distance), (statistics.best, confidence)
    ))  # fmt: skip
    count = len(statistics.distances)
    return OutOfDistribution(observation.model_name, distance, nearer, confidence, less_confident, count)


def load_statistics(name: str, sha256: str) -> FeatureStatistics | None:
    """Load the statistics of a bundled model.

    Args:
        name: The model's name.
        sha256: Of its weights.

    Returns:
        None if there is no file, if it belongs to other weights, or if it is damaged.
    """
    statistics = _read(BUNDLED / f"{name}{SUFFIX}")
    return statistics if statistics is not None and statistics.sha256 == sha256 else None


@lru_cache(maxsize=8)
def _read(path: Path) -> FeatureStatistics | None:
    """The statistics in a file. They are optional, so a damaged file is logged and ignored."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            return _validated(dict(file))
    except Exception as error:  # zipfile, zlib, struct and NumPy each raise classes of their own
        log.warning("%s is damaged and is not used: %r", path.name, error)
        return None


def _validated(arrays: Mapping[str, np.ndarray]) -> FeatureStatistics:
    """The statistics of these arrays. Raises KeyError, TypeError or ValueError if they are malformed."""
    fields = FeatureStatistics.__dataclass_fields__
    numbers = {name: np.asarray(arrays[name], np.float32) for name in fields if name != "sha256"}
    statistics = FeatureStatistics(**numbers | {"rest": float(numbers["rest"]), "sha256": str(arrays["sha256"])})
    axes, features = statistics.axes.shape
    shapes = {"mean": (features,), "spread": (features,), "variances": (axes,)}
    if any(numbers[name].shape != shape for name, shape in shapes.items()):
        raise ValueError("its arrays do not belong together")
    distances = statistics.distances
    if distances.ndim != 1 or distances.shape != statistics.best.shape or not distances.size:
        raise ValueError("it holds no distances of held-out images")
    if not all(np.isfinite(array).all() for array in numbers.values()):
        raise ValueError("it holds values that are not finite")
    if not all((numbers[name] > 0).all() for name in ("spread", "variances", "rest")):
        raise ValueError("its variances are not positive")
    return statistics
