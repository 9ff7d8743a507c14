"""Faithfulness by insertion and deletion: does the prediction depend on what a map highlights?

Petsiuk et al., "RISE", BMVC 2018 (arXiv 1806.07421), section 4.1: pixels are ranked by the map, highest first, and
replaced by a baseline step by step (deletion), or appear on it (insertion), all colors together. Measured are the
class's probability at each step and the area under it by the trapezium rule, both ends included. Signed maps are ranked
by signed value, so that evidence against the class comes last; magnitudes by magnitude.

Differences from RISE. Its steps are equal; here they are finer at both ends, where a curve changes fastest (4%, 15%,
31%, 50%, … of the pixels for 8 steps) and where a hundred equal ones would add little. RISE deletes to gray and inserts
on a blurred image; here one baseline serves both and is named: "gray" is zeros after normalization, the mean color of
the model's own normalization; "blur" a Gaussian of RISE's width, 5 px of 224, not truncated at 11 px. RISE has no
reference. Single pixels of noise destroy an image faster than any smooth map does, so chance here is the same map at
another position: shifted at random by whole values of its own grid, around the edges, and flipped or not. It is as
smooth or grainy as the map, but unrelated to the image's content.

Limitations: a good score does not prove a map right. Images with holes are unlike those of training, and part of every
fall is due to the hole. One image's areas depend on the model's confidence: compare them with that image's chance, not
with those of another image. Photos have their subject in the center: a map that always highlights the center beats its
moved copies without any information.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import OutOfRange, check_index, check_name
from ...images import ModelInput
from ...messages import Message
from ...process_settings import without_tf32
from ...results import Explanation, Geometry
from ...results.placement import interpolate
from ...results.sanity_checks import Faithfulness
from ..observe import grid_geometry, images_per_pass, require_eval
from ..predict import activate, activation_of
from ..ranks import descending_order, is_uniform

STEPS = 8  # on pico, two photos and six maps: areas within 0.027 of those of 128 steps, 0.005 on average
COPIES = 12  # moved copies of the map, the chance level; what more would add: verdicts.py
BASELINES = ("gray", "blur")
BLUR = 5 / 224  # of the input's side


class FaithfulnessTest:
    """Insertion and deletion for one image and one class, for any number of maps.

    2 * (1 + copies) * (steps - 1) images per map go through the model, and once two more.

    Args:
        model: Any classifier in eval mode, (B, 3, H, W) -> (B, classes).
        model_input: The prepared image.
        class_index: Whose probability; None is the top prediction.
        steps: From 1 to the number of pixels.
        baseline: "gray" or "blur".
        copies: Moved copies of the map, the chance level; from 1.
        batch_size: Images in one pass, at most.
        seed: Of the moved copies and of the order of equal values.

    Raises:
        OutOfRange: The class or the number of steps or copies is out of range.
        UnknownName: There is no such baseline.
        LensError: The model is in training mode.
    """

    def __init__(
        self, model: nn.Module, model_input: ModelInput, class_index: int | None = None, steps: int = STEPS,
        baseline: str = "gray", copies: int = COPIES, batch_size: int = 32, seed: int = 0,
    ):  # fmt: skip
        require_eval(model)
        if not 1 <= steps <= model_input.tensor[0, 0].numel() or copies < 1:
            message = "There must be a step, no more steps than pixels, and a moved copy."
            raise OutOfRange(message, remedy="Take 16.")
        self.model, self.model_input, self.baseline = model, model_input, baseline
        self.batch_size, self.copies, self.seed = images_per_pass(model_input, batch_size), copies, seed
        self.x = model_input.tensor.detach().to(next(model.parameters()).device, torch.float32)  # (1, 3, H, W)
        self.baseline_x = baseline_image(self.x, baseline)
        pixels = self.x[0, 0].numel()
        # pixels changed after each step: spaced like Chebyshev's points, since curves are steepest at their ends
        self.counts = np.rint(pixels * (1 - np.cos(np.linspace(0, np.pi, steps + 1))) / 2).astype(int)
        self.shares = self.counts / pixels
        ends = torch.cat([self._probabilities(x) for x in (self.x, self.baseline_x)])  # (2, classes)
        index = int(ends[0].argmax()) if class_index is None else class_index
        self.class_index = check_index(index, 0, ends.shape[1] - 1, "The model has no class {index}.")
        self.image_probability, self.baseline_probability = ends[:, self.class_index].tolist()
        classes = ends[0].argsort(descending=True, stable=True).tolist()
        self.best_other_class = next((i for i in classes if i != self.class_index), None)  # None: there is one class

    def run(self, explanation: Explanation | np.ndarray, stop_early: bool = False) -> Faithfulness:
        """Both curves, and those of the moved copies, for one map.

        Args:
            explanation: The map.
            stop_early: Whether to leave out the remaining copies once one was better and one worse than the map: its
                outcome is certain then (verdicts.py).
        """
        if isinstance(explanation, Explanation):
            heatmap, geometry, model = explanation.heatmap, explanation.geometry, explanation.model
        else:
            heatmap, geometry, model = explanation, grid_geometry(self.model_input, explanation.shape, 1.0), ""
        rng = np.random.default_rng(self.seed)
        heatmaps = [heatmap, *moved_copies(heatmap, self.copies, rng)]
        orders = [descending_order(self._on_pixels(values, geometry), self.seed) for values in heatmaps]
        size, deletion, insertion = 3 if stop_early else len(orders), [], []  # the map and two copies, then three
        for start in range(0, len(orders), size):
            for curves, more in zip((deletion, insertion), self._curves(orders[start : start + size]), strict=True):
                curves.extend(more)
            result = Faithfulness(
                model, self.class_index, self.baseline, self.shares, deletion[0], insertion[0],
                np.stack(deletion[1:]), np.stack(insertion[1:]), is_uniform(heatmap),
            )  # fmt: skip
            if not (result.exceeds_copies(1) or result.exceeds_copies(-1)):
                break
        return result

    def _curves(self, orders: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Deletion and insertion along every order of the pixels, (orders, n + 1) each; all in full batches."""
        # what is inserted first is deleted last, so insertion is deletion in the reversed order, read backwards
        counts = self.counts, self.counts[-1] - self.counts[::-1]
        runs = [run for order in orders for run in zip((order, order[::-1]), counts, strict=True)]
        masks = (mask for run in runs for mask in self._remaining(*run))
        inner = [float(row[self.class_index]) for x in self._images(masks) for row in self._probabilities(x)]
        curves = np.empty((len(runs), len(self.counts)), np.float32)
        curves[:, 0], curves[:, -1] = self.image_probability, self.baseline_probability
        curves[:, 1:-1] = np.reshape(inner, (len(runs), len(self.counts) - 2))
        return curves[::2].copy(), curves[1::2, ::-1].copy()

    def _on_pixels(self, heatmap: np.ndarray, geometry: Geometry) -> np.ndarray:
        placed = interpolate(heatmap, geometry)
        if placed.shape != tuple(self.x.shape[-2:]):
            template, (height, width) = "A map over {width} x {height} px does not fit this view.", placed.shape
            remedy = Message("Test a map with the image that it was made for.")
            raise OutOfRange(template, remedy=remedy, width=width, height=height)
        return placed

    def _remaining(self, order: np.ndarray, counts: np.ndarray) -> Iterable[Tensor]:
        """After each step but the first and last: which pixels are still the image's, (H, W) bool."""
        rank = torch.empty(len(order), dtype=torch.long)
        rank[torch.from_numpy(order.copy())] = torch.arange(len(order))
        rank = rank.reshape(self.x.shape[-2:]).to(self.x.device)
        return (rank >= count for count in counts[1:-1].tolist())

    def _images(self, masks: Iterable[Tensor]) -> Iterable[Tensor]:  # (H, W) bool each -> (B, 3, H, W) a batch
        masks = iter(masks)
        while batch := list(islice(masks, self.batch_size)):
            yield torch.where(torch.stack(batch)[:, None], self.x, self.baseline_x)

    @without_tf32()
    @torch.no_grad()
    def _probabilities(self, x: Tensor) -> Tensor:  # (B, 3, H, W) -> (B, classes)
        return activate(self.model(x).float(), activation_of(self.model)).cpu()


def moved_copies(heatmap: np.ndarray, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """The same map at other positions: flipped or not along each axis, then shifted around the edges.

    Shifts are random, by a quarter of a side or more along one axis at least: less would leave a smooth map in place.
    No two copies are moved alike while there are other moves left.

    Args:
        heatmap: (rows, columns).
        count: Number of copies.
        rng: Draws the flips and the shifts.

    Returns:
        Maps of the same shape; a map of one value stays as it is.
    """
    down, across = (np.minimum(np.arange(side), side - np.arange(side)) / side for side in heatmap.shape)
    shifts = np.argwhere((down[:, None] >= 0.25) | (across >= 0.25))
    if not len(shifts):  # of one value
        return [heatmap] * count
    flips = [heatmap[::down, ::across] for down in (1, -1) for across in (1, -1)]
    moves = rng.choice(len(flips) * len(shifts), count, replace=count > len(flips) * len(shifts))
    return [np.roll(flips[move % len(flips)], shifts[move // len(flips)], axis=(0, 1)) for move in moves]


@without_tf32()
def baseline_image(x: Tensor, baseline: str) -> Tensor:
    """What pixels are replaced by.

    Args:
        x: (1, 3, H, W), normalized.
        baseline: One of BASELINES.

    Returns:
        (1, 3, H, W), normalized.

    Raises:
        UnknownName: There is no such baseline.
    """
    check_name(baseline, BASELINES, "There is no baseline {name}.")
    if baseline == "gray":
        return torch.zeros_like(x)
    for dim in (-2, -1):
        sigma = BLUR * x.shape[dim]
        reach = min(round(3 * sigma), x.shape[dim] - 1)
        taps = torch.exp(-(torch.arange(-reach, reach + 1, device=x.device) ** 2) / (2 * sigma**2))
        taps = (taps / taps.sum()).reshape(1, 1, -1, 1)
        column = F.pad(x.movedim(dim, -2).transpose(0, 1), (0, 0, reach, reach), mode="reflect")  # (3, 1, side, other)
        x = F.conv2d(column, taps).transpose(0, 1).movedim(-2, dim)
    return x
