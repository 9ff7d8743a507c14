"""Insertion and deletion: does the answer hang on what a map marks?

Petsiuk et al., "RISE", BMVC 2018 (arXiv 1806.07421), section 4.1: pixels ranked by the map, highest first, turn into a
baseline a step at a time (deletion), or appear on it (insertion), all colors together; the class's probability at each
step, and the area under it by the trapezium rule with both ends. Signed maps are ranked by signed value, so what speaks
against the class comes last; magnitudes by magnitude.

Where it differs: RISE's steps are equal; here they are finer at both ends, where a curve falls or rises fastest
(4 %, 15 %, 31 %, 50 %, … of the pixels for 8 steps), where a hundred equal ones would give little more.
RISE deletes to gray and inserts on a blurred image; here one baseline serves both and is named: "gray" is zeros after
normalization, the mean color of the model's own normalization; "blur" a Gaussian of RISE's width, 5 px of 224, not cut
off at 11 px. And RISE has no reference. Single pixels of noise destroy an image faster than any smooth map does, so
chance here is the same map, moved elsewhere: shifted at random by whole values of its own grid, what leaves at one edge
coming back at the other, and flipped or not. It is as smooth or grainy as the map, and knows nothing of what is where.

What it must not be read as: a proof that a map is right. Images with holes are images that the model was not
trained on, and part of every fall is the hole's doing. One image's areas depend on how sure the model was of it:
compare them with chance beside them, not with those of another image. Photos have their subject in the middle:
a map that always marks the middle beats its moved copies without knowing anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import OutOfRange, UnknownName, quote
from ...images import ModelInput
from ...process_settings import without_tf32
from ...results import Explanation, Geometry
from ...results.placement import interpolate
from ...results.sanity_checks import Faithfulness
from ..observe import geometry_of, need_eval
from ..ranks import blank, highest_first

STEPS = 8  # on pico, two photos and six maps: areas within 0.027 of those of 128 steps, 0.005 on average
ORDERS = 4  # moved copies of the map that make chance
BASELINES = ("gray", "blur")
BLUR = 5 / 224  # of the view's side


def faithfulness(
    model: nn.Module,
    model_input: ModelInput,
    explained: Explanation | np.ndarray,
    class_index: int | None = None,
    steps: int = STEPS,
    baseline: str = "gray",
    orders: int = ORDERS,
    batch_size: int = 32,
    seed: int = 0,
) -> Faithfulness:
    """Insertion and deletion along one map. 2 * (1 + orders) * (steps - 1) + 2 images go through the model.

    model: any classifier, (B, 3, H, W) -> (B, classes). explained: a map of this image, or float (H, W) on the view's
    pixels. class_index: whose probability; None is the model's own best. orders: moved copies of the map,
    which make chance. Equal values are taken in a random order.
    Raises OutOfRange for a class or a number of steps that cannot be, UnknownName for a baseline, LensError in
    training mode.
    """
    return Bench(model, model_input, class_index, steps, baseline, orders, batch_size, seed).test(explained)


class Bench:
    """One image and one class, made ready for many maps."""

    def __init__(
        self, model: nn.Module, model_input: ModelInput, class_index: int | None = None, steps: int = STEPS,
        baseline: str = "gray", orders: int = ORDERS, batch_size: int = 32, seed: int = 0,
    ):  # fmt: skip
        need_eval(model)
        if not 1 <= steps <= model_input.tensor[0, 0].numel() or orders < 1:
            raise OutOfRange("There must be a step, no more steps than pixels, and a moved copy.", remedy="Take 16.")
        self.model, self.model_input, self.baseline = model, model_input, baseline
        self.batch_size, self.orders, self.seed = batch_size, orders, seed
        self.x = model_input.tensor.detach().to(next(model.parameters()).device, torch.float32)  # (1, 3, H, W)
        self.bare = bare(self.x, baseline)
        pixels = self.x[0, 0].numel()
        # pixels changed after each step: as Chebyshev's points lie, since curves are steepest at their ends
        self.counts = np.rint(pixels * (1 - np.cos(np.linspace(0, np.pi, steps + 1))) / 2).astype(int)
        self.shares = self.counts / pixels
        ends = torch.cat([self._probabilities(x) for x in (self.x, self.bare)])  # (2, classes)
        self.class_index = int(ends[0].argmax()) if class_index is None else class_index
        if self.class_index not in range(ends.shape[1]):
            raise OutOfRange(f"The model has no class {class_index}.", remedy=f"Choose 0 to {ends.shape[1] - 1}.")
        self.whole, self.empty = ends[:, self.class_index].tolist()

    def test(self, explained: Explanation | np.ndarray) -> Faithfulness:
        """Both curves and chance for one map."""
        if isinstance(explained, Explanation):
            heatmap, geometry, variant = explained.heatmap, explained.geometry, explained.model
        else:
            heatmap, geometry, variant = explained, geometry_of(self.model_input, explained.shape, 1.0), ""
        rng = np.random.default_rng(self.seed)
        heatmaps = [heatmap, *(moved(heatmap, rng) for _ in range(self.orders))]
        deletion, insertion = self._curves([highest_first(self._on_pixels(h, geometry), self.seed) for h in heatmaps])
        return Faithfulness(
            variant, self.class_index, self.baseline, self.shares, deletion[0], insertion[0], deletion[1:],
            insertion[1:], blank(heatmap),
        )  # fmt: skip

    def _curves(self, orders: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Deletion and insertion along every order of the pixels, (orders, n + 1) each; all in full batches."""
        # what is inserted first is deleted last, so insertion is deletion in the reversed order, read backwards
        counts = self.counts, self.counts[-1] - self.counts[::-1]
        ways = [way for order in orders for way in zip((order, order[::-1]), counts, strict=True)]
        keeps = (keep for way in ways for keep in self._keeps(*way))
        between = [float(row[self.class_index]) for x in self._images(keeps) for row in self._probabilities(x)]
        curves = np.empty((len(ways), len(self.counts)), np.float32)
        curves[:, 0], curves[:, -1] = self.whole, self.empty
        curves[:, 1:-1] = np.reshape(between, (len(ways), len(self.counts) - 2))
        return curves[::2].copy(), curves[1::2, ::-1].copy()

    def _on_pixels(self, heatmap: np.ndarray, geometry: Geometry) -> np.ndarray:
        placed = interpolate(heatmap, geometry)
        if placed.shape != tuple(self.x.shape[-2:]):
            raise OutOfRange(
                f"A map over {placed.shape[1]} x {placed.shape[0]} px does not fit this view.",
                remedy="Test a map with the image that it was made for.",
            )
        return placed

    def _keeps(self, order: np.ndarray, counts: np.ndarray) -> Iterable[Tensor]:
        """After each step but the first and last: which pixels are still the image's, (H, W) bool."""
        place_of = torch.empty(len(order), dtype=torch.long)
        place_of[torch.from_numpy(order.copy())] = torch.arange(len(order))
        place_of = place_of.reshape(self.x.shape[-2:]).to(self.x.device)
        return (place_of >= count for count in counts[1:-1].tolist())

    def _images(self, keeps: Iterable[Tensor]) -> Iterable[Tensor]:  # (H, W) bool each -> (B, 3, H, W) a batch
        keeps = iter(keeps)
        while batch := list(islice(keeps, self.batch_size)):
            yield torch.where(torch.stack(batch)[:, None], self.x, self.bare)

    @without_tf32()
    @torch.no_grad()
    def _probabilities(self, x: Tensor) -> Tensor:  # (B, 3, H, W) -> (B, classes)
        return self.model(x).float().softmax(dim=1).cpu()


def moved(heatmap: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same map elsewhere: (rows, columns), flipped or not along each axis, then shifted around the edges.

    The shift is random, by a quarter of a side or more along one axis at least: less would leave a smooth map in place.
    """
    for axis in (0, 1):
        heatmap = np.flip(heatmap, axis) if rng.random() < 0.5 else heatmap
    down, across = (np.minimum(np.arange(side), side - np.arange(side)) / side for side in heatmap.shape)
    far = np.argwhere((down[:, None] >= 0.25) | (across >= 0.25))
    return np.roll(heatmap, far[rng.integers(len(far))], axis=(0, 1)) if len(far) else heatmap  # a single value stays


@without_tf32()
def bare(x: Tensor, baseline: str) -> Tensor:
    """What pixels turn into: (1, 3, H, W), like the normalized view x. Raises UnknownName."""
    if baseline == "gray":
        return torch.zeros_like(x)
    if baseline != "blur":
        raise UnknownName(f"There is no baseline {quote(baseline)}.", remedy=f"Choose one of: {', '.join(BASELINES)}.")
    for dim in (-2, -1):
        sigma = BLUR * x.shape[dim]
        reach = min(round(3 * sigma), x.shape[dim] - 1)
        taps = torch.exp(-(torch.arange(-reach, reach + 1, device=x.device) ** 2) / (2 * sigma**2))
        taps = (taps / taps.sum()).reshape(1, 1, -1, 1)
        column = F.pad(x.movedim(dim, -2).transpose(0, 1), (0, 0, reach, reach), mode="reflect")  # (3, 1, side, other)
        x = F.conv2d(column, taps).transpose(0, 1).movedim(-2, dim)
    return x
