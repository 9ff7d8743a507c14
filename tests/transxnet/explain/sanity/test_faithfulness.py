"""Insertion and deletion on models with known probabilities."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from tests.fixtures.tiny_model import leftover_state, model_input, recipe_model
from transxnet.errors import LensError, OutOfRange, UnknownName
from transxnet.explain.sanity.faithfulness import COPIES, FaithfulnessTest, baseline_image, moved_copies
from transxnet.images import ModelInput
from transxnet.results import Explanation, Geometry
from transxnet.results.sanity_checks import Faithfulness

SIDE = 4
RNG = np.random.default_rng(3)
WEIGHTS = RNG.standard_normal((3, SIDE, SIDE)).astype(np.float32)


class Linear(nn.Module):
    """Two logits: the weighted sum of the pixels, and 0."""

    def __init__(self, weights: np.ndarray):
        super().__init__()
        self.weights = nn.Parameter(torch.from_numpy(weights))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        score = (x * self.weights).sum(dim=(1, 2, 3))
        return torch.stack((score, torch.zeros_like(score)), dim=1)


class Share(Linear):
    """The probability of class 0 is itself linear: the share of the weights' sum that is still there."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        share = (x * self.weights).sum(dim=(1, 2, 3)) / self.weights.sum()
        return torch.stack((share, 1 - share), dim=1).clamp(min=0).log()


def ones(side: int = SIDE) -> ModelInput:
    """Every value 1, so that gray (0) takes away exactly a pixel's weight."""
    return ModelInput(
        torch.ones(1, 3, side, side), np.zeros((side, side, 3), np.uint8), (0, 0, side, side), (side, side)
    )


def make_explanation(heatmap: np.ndarray, stride: float, side: int, origin: float = 0.0) -> Explanation:
    geometry = Geometry(heatmap.shape, stride, (side, side), (0, 0, side, side), (side, side), origin)
    return Explanation("cam", "stub", "stage 4", "class 0", heatmap.astype(np.float32), True, "logit", geometry)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def faithfulness(model, model_input, explanation, class_index=None, **options) -> Faithfulness:
    return FaithfulnessTest(model, model_input, class_index, **options).run(explanation)


def test_linear_model_matches_closed_form():
    heatmap = WEIGHTS.sum(axis=0)  # what a pixel adds to the logit, with its colors together
    result = faithfulness(Linear(WEIGHTS).eval(), ones(), heatmap, class_index=0, steps=8)
    falling = np.sort(heatmap.ravel())[::-1]
    removed = np.rint(result.shares * 16).astype(int)
    assert removed[0] == 0
    assert removed[-1] == 16
    assert result.deletion == pytest.approx(sigmoid(np.array([falling[n:].sum() for n in removed])), abs=1e-5)
    assert result.insertion == pytest.approx(sigmoid(np.array([falling[:n].sum() for n in removed])), abs=1e-5)
    y = result.deletion.astype(np.float64)
    by_hand = sum((b - a) / 16 * (y[i] + y[i + 1]) / 2 for i, (a, b) in enumerate(pairwise(removed)))
    assert result.deletion_auc == pytest.approx(by_hand, abs=1e-9)


def test_signed_maps_are_ranked_by_signed_value():
    heatmap = WEIGHTS.sum(axis=0)
    model = Linear(WEIGHTS).eval()
    signed, size = (faithfulness(model, ones(), h, 0, steps=16) for h in (heatmap, np.abs(heatmap)))
    assert signed.deletion_auc < size.deletion_auc  # by size, evidence against the class is removed early, too
    assert signed.insertion_auc > size.insertion_auc


def test_a_single_pixel_decides():
    side = 8
    weights = np.zeros((3, side, side), np.float32)
    weights[:, 2, 5] = 1
    result = faithfulness(Share(weights).eval(), ones(side), weights[0], steps=8)
    assert result.class_index == 0
    assert result.deletion.tolist() == [1, *[0] * 8]
    assert result.insertion.tolist() == [0, *[1] * 8]
    assert result.deletion_auc == pytest.approx(result.shares[1] / 2)
    assert result.insertion_auc == pytest.approx(1 - result.shares[1] / 2)
    negative = faithfulness(Share(weights).eval(), ones(side), -weights[0], steps=8)
    assert negative.deletion_auc == pytest.approx(1 - (1 - negative.shares[-2]) / 2)  # it is removed last


def test_equal_weights_give_half_in_any_order():
    model = Share(np.ones((3, 8, 8), np.float32)).eval()
    result = faithfulness(model, ones(8), RNG.random((8, 8)), steps=8)
    assert result.deletion == pytest.approx(1 - result.shares, abs=1e-6)
    assert [result.deletion_auc, result.insertion_auc, result.chance_auc] == pytest.approx([0.5] * 3, abs=1e-6)
    assert result.chance_margin == pytest.approx(0, abs=1e-6)


def test_moved_copies_define_chance():
    weights = np.zeros((3, 8, 8), np.float32)
    weights[:, :4, :4] = 1  # the answer is in one quarter
    result = faithfulness(Share(weights).eval(), ones(8), weights[0], steps=12, copies=200)
    assert result.chance.shape == result.chance_insertion.shape == (200, len(result.shares))
    assert result.initial_probability == 1
    assert result.deletion_auc <= result.chance_aucs.min()
    assert result.insertion_gain > 0.3
    assert result.chance[:, 0].tolist() == result.chance_insertion[:, -1].tolist() == [1] * 200
    # a copy's quarter, and the lots among the rest, share few pixels with the answer: at least 0.25 of a side away
    assert result.chance_auc == pytest.approx(0.5, abs=0.05)
    repeated = faithfulness(Share(weights).eval(), ones(8), weights[0], steps=12, copies=200)
    assert (repeated.chance == result.chance).all()
    assert result.chance_margin == pytest.approx(
        1.6525 * result.chance_aucs.std(ddof=1) * np.sqrt(1 + 1 / 200), rel=1e-4
    )
    assert result.chance_insertion_margin > 0


def test_insertion_has_separate_chance_curves():
    """One peak on an uneven ground: inserting the moved copies' peaks is not deleting them backwards."""
    side = 16
    weights = np.zeros((3, side, side), np.float32)
    weights[:, :, 8:] = 1
    heatmap = np.arange(side * side, dtype=float).reshape(side, side) ** 4
    test = FaithfulnessTest(Share(weights).eval(), ones(side))
    result = test.run(heatmap)
    copy = moved_copies(heatmap, COPIES, np.random.default_rng(0))[0]
    by_hand = test.run(copy)
    np.testing.assert_array_equal(result.chance[0], by_hand.deletion)
    np.testing.assert_array_equal(result.chance_insertion[0], by_hand.insertion)


def blob(side: int, y: float, x: float) -> np.ndarray:
    """A smooth bump around a place; distances go around the edges."""
    down, across = (np.abs((np.arange(side) - at + side / 2) % side - side / 2) for at in (y, x))
    return np.exp(-(down[:, None] ** 2 + across**2) / (2 * (side / 6) ** 2))


def test_random_smooth_maps_score_at_chance():
    """Noise gives the mean of the weights; a bump gives what lies under it, and so must its moved copies."""
    side, rng = 32, np.random.default_rng(5)
    field = sum(blob(side, *rng.uniform(0, side, 2)) for _ in range(6))
    model, within_chance = Share(np.float32(np.stack([field] * 3))).eval(), []
    test = FaithfulnessTest(model, ones(side), 0)
    for y, x in rng.uniform(0, side, (40, 2)):
        result = test.run(blob(side, y, x))
        within_chance.append(abs(result.deletion_gain) <= result.chance_margin)
    assert sum(within_chance) >= 32  # nine in ten are expected
    best = test.run(blob(side, *np.unravel_index(blurred_top(field), field.shape)))
    assert best.deletion_gain > 0


def blurred_top(field: np.ndarray) -> int:
    """Where a bump covers most of the field."""
    side = len(field)
    covered = [(blob(side, y, x) * field).sum() for y in range(side) for x in range(side)]
    return int(np.argmax(covered))


def test_moved_copies_keep_the_values():
    rng, positions = np.random.default_rng(0), set()
    peak = np.zeros((8, 12))
    peak[0, 0] = 1
    for copy in moved_copies(peak, 200, rng):
        assert sorted(copy.ravel()) == sorted(peak.ravel())
        positions.add(tuple(int(i[0]) for i in copy.nonzero()))
    assert len(positions) > 60
    small = np.arange(16.0).reshape(4, 4)
    copies = moved_copies(small, 50, rng)
    assert not any((copy == small).all() for copy in copies)  # no flip undoes a shift: rows and columns are not alike
    neighbors = {abs(copy[0, 0] - copy[0, 1]) for copy in copies}
    assert neighbors == {1, 3}  # next to each other still, or around the edge
    assert [copy.tolist() for copy in moved_copies(np.ones((1, 1)), 2, rng)] == [[[1]], [[1]]]


def test_no_two_copies_are_moved_alike():
    """4 × 4 values have 4 flips and 15 shifts: 60 moves, of which 12 must differ; more than 60 repeat some."""
    small = np.arange(16.0).reshape(4, 4)
    for seed in range(20):
        assert len({copy.tobytes() for copy in moved_copies(small, 12, np.random.default_rng(seed))}) == 12
    assert len({copy.tobytes() for copy in moved_copies(small, 60, np.random.default_rng(0))}) == 60
    assert len(moved_copies(small, 70, np.random.default_rng(0))) == 70


def test_maps_are_placed_by_their_units():
    """One unit of stride 4 whose center is pixel (4, 4): its neighborhood goes first."""
    weights = np.zeros((3, 8, 8), np.float32)
    weights[:, 4, 4] = 1
    heatmap = np.array([[0, 0], [0, 1]])
    result = faithfulness(Share(weights).eval(), ones(8), make_explanation(heatmap, 4, 8), steps=8)
    assert result.model == "stub"
    edge = 16 / 64  # rows and columns 4 to 7 share the unit's value, as edge values extend outwards
    assert result.deletion[result.shares >= edge].tolist() == [0] * int((result.shares >= edge).sum())
    assert not result.is_uniform
    assert faithfulness(Share(weights).eval(), ones(8), make_explanation(np.ones((2, 2)), 4, 8)).is_uniform


def test_baseline_images():
    x = model_input(32, 48).tensor
    assert baseline_image(x, "gray").abs().sum() == 0
    blurred = baseline_image(x, "blur")
    assert blurred.shape == x.shape
    assert blurred.std() < 0.5 * x.std()
    flat = torch.full((1, 3, 32, 48), 1.5)
    assert baseline_image(flat, "blur") == pytest.approx(1.5, abs=1e-5)
    ramp = torch.arange(48.0).expand(1, 3, 32, 48)  # rows differ not at all, so only the other axis is at work
    assert baseline_image(ramp, "blur")[..., 24] == pytest.approx(24, abs=1e-3)
    with pytest.raises(UnknownName, match="gray, blur"):
        baseline_image(x, "black")


def test_the_model_runs_in_batches_unchanged():
    model, sizes = recipe_model(), []
    image, heatmap = model_input(32, 32), RNG.random((32, 32))

    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, x):
            sizes.append(len(x))
            return self.model(x)

    result = faithfulness(Counting().eval(), image, heatmap, steps=12, copies=2, batch_size=8)
    assert sizes == [1, 1, *[8] * 8, 2]  # 11 images a curve: deletion and insertion, of the map and two moved copies
    unbatched = faithfulness(model, image, heatmap, steps=12, copies=2, batch_size=1)
    assert result.deletion == pytest.approx(unbatched.deletion, abs=1e-6)
    assert result.class_index == int(model(image.tensor).argmax())
    assert leftover_state(model) == []


def test_invalid_arguments_are_refused():
    model = Linear(WEIGHTS).eval()
    with pytest.raises(OutOfRange, match="0 to 1"):
        faithfulness(model, ones(), WEIGHTS[0], class_index=2)
    with pytest.raises(OutOfRange, match="step"):
        faithfulness(model, ones(), WEIGHTS[0], steps=0)
    with pytest.raises(OutOfRange, match="does not fit"):
        FaithfulnessTest(model, ones()).run(make_explanation(np.eye(2), 4, 8))
    with pytest.raises(LensError, match="training"):
        faithfulness(model.train(), ones(), WEIGHTS[0])
