"""How often the faithfulness test passes Grad-CAM, and maps that know nothing of the image.

Two kinds of maps that know nothing: the Grad-CAM of another image, which shares the preference of photos for the
center, and a random field on Grad-CAM's grid with the amplitude spectrum of this image's Grad-CAM and random phases
(Theiler et al., "Testing for nonlinearity in time series: the method of surrogate data", Physica D 58, 1992), which is
as smooth. What is counted, and how, is this project's own.

Limitations: both kinds are models of a map that knows nothing, and rates hold for these images and this model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...images import ModelInput
from ...results import Explanation
from ...results.sanity_checks import Faithfulness, Outcome
from ...results.verdict_rates import GRAD_CAM, OTHER_IMAGE, RANDOM_FIELD
from ...weights.load import LoadedModel
from ..attribution.grad_cam import grad_cam
from ..observe import observe
from ..predict import activate
from .faithfulness import FaithfulnessTest
from .verdicts import LOW_PROBABILITY, faithfulness_outcome

STAGE = 4


@dataclass(frozen=True)
class Candidate:
    """An image with its top prediction and that prediction's Grad-CAM.

    Attributes:
        model_input: The prepared image.
        class_index: The top prediction.
        probability: Of the top prediction, 0 to 1.
        grad_cam: At stage 4.
    """

    model_input: ModelInput
    class_index: int
    probability: float
    grad_cam: Explanation


def make_candidate(loaded: LoadedModel, model_input: ModelInput) -> Candidate:
    """Predict and explain one image.

    Args:
        loaded: The model.
        model_input: The prepared image.

    Returns:
        Its top prediction, and the Grad-CAM of that class, in logits.
    """
    observation = observe(loaded.model, model_input, ("stage",), grad=True)
    logits = observation.logits.detach()
    best = int(logits[0].argmax())
    probability = float(activate(logits, loaded.spec.activation)[0, best])
    return Candidate(model_input, best, probability, grad_cam(observation, best, STAGE))


def select_candidates(
    loaded: LoadedModel, images: Iterable[tuple[int, Callable[[], ModelInput]]], pairs: int
) -> list[Candidate]:
    """The first images that the model gets right, until those that can have a verdict make enough pairs.

    Args:
        loaded: The model.
        images: (class index of the label, function that prepares the image), in random order.
        pairs: Number of pairs of an image and a map that knows nothing; two per image.

    Returns:
        The images, in their order; fewer where there are not enough.
    """
    chosen: list[Candidate] = []
    for label, prepare in images:
        candidate = make_candidate(loaded, prepare())
        if candidate.class_index == label:
            chosen.append(candidate)
        if 2 * sum(c.probability >= LOW_PROBABILITY for c in chosen) >= pairs:
            break
    return chosen


def random_field(heatmap: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random map with the amplitude spectrum and the mean of another.

    Args:
        heatmap: (rows, columns).
        rng: Draws the phases: those of white noise, so that the field is real.

    Returns:
        (rows, columns) float32.
    """
    phases = np.exp(1j * np.angle(np.fft.fft2(rng.standard_normal(heatmap.shape))))
    phases[0, 0] = np.sign(heatmap.mean()) or 1
    return np.fft.ifft2(np.abs(np.fft.fft2(heatmap)) * phases).real.astype(np.float32)


def run_tests(loaded: LoadedModel, candidates: Sequence[Candidate], seed: int = 0) -> Iterator[dict[str, Faithfulness]]:
    """Test Grad-CAM and both maps that know nothing of every image.

    Args:
        loaded: The model.
        candidates: At least two.
        seed: Of the moved copies and of the random fields; each image has its own copies.

    Yields:
        Insertion and deletion by kind of map, image by image.
    """
    for i, candidate in enumerate(candidates):
        original, rng = candidate.grad_cam, np.random.default_rng((seed, i))
        other = candidates[(i + 1) % len(candidates)].grad_cam.heatmap
        maps = {GRAD_CAM: original.heatmap, OTHER_IMAGE: other, RANDOM_FIELD: random_field(original.heatmap, rng)}
        copies_seed = int(rng.integers(2**31))
        test = FaithfulnessTest(loaded.model, candidate.model_input, candidate.class_index, seed=copies_seed)
        yield {kind: test.run(replace(original, heatmap=heatmap), stop_early=True) for kind, heatmap in maps.items()}


def count_outcomes(
    tested: Iterable[Faithfulness], maps_tested: int, minimum_probability: float = LOW_PROBABILITY
) -> dict[Outcome, int]:
    """Outcomes as they are if each map is the best of `maps_tested` maps (the first step of Holm's correction).

    Args:
        tested: Insertion and deletion, one a pair.
        maps_tested: From 1.
        minimum_probability: As in `faithfulness_outcome`.

    Returns:
        Number of pairs by outcome.
    """
    counts = dict.fromkeys(Outcome, 0)
    for faithfulness in tested:
        p_value = faithfulness.p_value(1 if faithfulness.gain >= 0 else -1)
        uniform = Outcome.UNIFORM if faithfulness.is_uniform else None
        counts[uniform or faithfulness_outcome(faithfulness, maps_tested * p_value, minimum_probability)] += 1
    return counts
