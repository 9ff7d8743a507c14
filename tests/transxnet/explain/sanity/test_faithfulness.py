"""Insertion and deletion on models whose answers can be written down."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from tests.tiny import leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import LensError, OutOfRange, UnknownName
from transxnet.explain.sanity.faithfulness import Bench, bare, faithfulness, moved
from transxnet.images import ModelInput
from transxnet.results import Explanation, Geometry

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


def explanation(heatmap: np.ndarray, stride: float, side: int, origin: float = 0.0) -> Explanation:
    geometry = Geometry(heatmap.shape, stride, (side, side), (0, 0, side, side), (side, side), origin)
    return Explanation("cam", "stub", "stage 4", "class 0", heatmap.astype(np.float32), True, "logit", geometry)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_linear_model_in_closed_form():
    heatmap = WEIGHTS.sum(axis=0)  # what a pixel adds to the logit, with its colors together
    found = faithfulness(Linear(WEIGHTS).eval(), ones(), heatmap, class_index=0, steps=8)
    falling = np.sort(heatmap.ravel())[::-1]
    gone = np.rint(found.shares * 16).astype(int)
    assert gone[0] == 0
    assert gone[-1] == 16
    assert found.deletion == pytest.approx(sigmoid(np.array([falling[n:].sum() for n in gone])), abs=1e-5)
    assert found.insertion == pytest.approx(sigmoid(np.array([falling[:n].sum() for n in gone])), abs=1e-5)
    y = found.deletion.astype(np.float64)
    by_hand = sum((b - a) / 16 * (y[i] + y[i + 1]) / 2 for i, (a, b) in enumerate(pairwise(gone)))
    assert found.deletion_auc == pytest.approx(by_hand, abs=1e-9)


def test_signed_maps_are_ranked_by_signed_value():
    heatmap = WEIGHTS.sum(axis=0)
    model = Linear(WEIGHTS).eval()
    signed, size = (faithfulness(model, ones(), h, 0, steps=16) for h in (heatmap, np.abs(heatmap)))
    assert signed.deletion_auc < size.deletion_auc  # by size, what speaks against the class goes early, too
    assert signed.insertion_auc > size.insertion_auc


def test_one_pixel_holds_the_answer():
    side = 8
    weights = np.zeros((3, side, side), np.float32)
    weights[:, 2, 5] = 1
    found = faithfulness(Share(weights).eval(), ones(side), weights[0], steps=8)
    assert found.class_index == 0
    assert found.deletion.tolist() == [1, *[0] * 8]
    assert found.insertion.tolist() == [0, *[1] * 8]
    assert found.deletion_auc == pytest.approx(found.shares[1] / 2)
    assert found.insertion_auc == pytest.approx(1 - found.shares[1] / 2)
    against = faithfulness(Share(weights).eval(), ones(side), -weights[0], steps=8)
    assert against.deletion_auc == pytest.approx(1 - (1 - against.shares[-2]) / 2)  # it goes last of all


def test_even_weights_give_a_half_in_any_order():
    model = Share(np.ones((3, 8, 8), np.float32)).eval()
    found = faithfulness(model, ones(8), RNG.random((8, 8)), steps=8)
    assert found.deletion == pytest.approx(1 - found.shares, abs=1e-6)
    assert [found.deletion_auc, found.insertion_auc, found.chance_auc] == pytest.approx([0.5] * 3, abs=1e-6)
    assert found.chance_margin == pytest.approx(0, abs=1e-6)


def test_moved_copies_are_the_reference():
    weights = np.zeros((3, 8, 8), np.float32)
    weights[:, :4, :4] = 1  # the answer is in one quarter
    found = faithfulness(Share(weights).eval(), ones(8), weights[0], steps=12, orders=200)
    assert found.chance.shape == found.chance_insertion.shape == (200, len(found.shares))
    assert found.start == 1
    assert found.deletion_auc <= found.chance_aucs.min()
    assert found.insertion_gain > 0.3
    assert found.chance[:, 0].tolist() == found.chance_insertion[:, -1].tolist() == [1] * 200
    # a copy's quarter, and the lots among the rest, share few pixels with the answer: at least 0.25 of a side away
    assert found.chance_auc == pytest.approx(0.5, abs=0.05)
    again = faithfulness(Share(weights).eval(), ones(8), weights[0], steps=12, orders=200)
    assert (again.chance == found.chance).all()
    assert found.chance_margin == pytest.approx(1.812 * found.chance_aucs.std(ddof=1) * np.sqrt(1 + 1 / 200))
    assert found.chance_insertion_margin > 0


def test_insertion_has_a_chance_of_its_own():
    """One peak on an uneven ground: inserting the moved copies' peaks is not deleting them backwards."""
    side = 16
    weights = np.zeros((3, side, side), np.float32)
    weights[:, :, 8:] = 1
    heatmap = np.arange(side * side, dtype=float).reshape(side, side) ** 4
    bench = Bench(Share(weights).eval(), ones(side))
    found = bench.test(heatmap)
    copy = moved(heatmap, np.random.default_rng(0))
    by_hand = bench.test(copy)
    np.testing.assert_array_equal(found.chance[0], by_hand.deletion)
    np.testing.assert_array_equal(found.chance_insertion[0], by_hand.insertion)


def blob(side: int, y: float, x: float) -> np.ndarray:
    """A smooth bump around a place; distances go around the edges."""
    down, across = (np.abs((np.arange(side) - at + side / 2) % side - side / 2) for at in (y, x))
    return np.exp(-(down[:, None] ** 2 + across**2) / (2 * (side / 6) ** 2))


def test_a_smooth_map_somewhere_else_is_chance():
    """Grains of noise all give the mean of the weights; a bump gives what lies under it, and so must its reference."""
    side, rng = 32, np.random.default_rng(5)
    field = sum(blob(side, *rng.uniform(0, side, 2)) for _ in range(6))
    model, finds = Share(np.float32(np.stack([field] * 3))).eval(), []
    bench = Bench(model, ones(side), 0)
    for y, x in rng.uniform(0, side, (40, 2)):
        found = bench.test(blob(side, y, x))
        finds.append(abs(found.deletion_gain) <= found.chance_margin)
    assert sum(finds) >= 32  # nine in ten are expected
    right = bench.test(blob(side, *np.unravel_index(blurred_top(field), field.shape)))
    assert right.deletion_gain > 0


def blurred_top(field: np.ndarray) -> int:
    """Where a bump covers most of the field."""
    side = len(field)
    covered = [(blob(side, y, x) * field).sum() for y in range(side) for x in range(side)]
    return int(np.argmax(covered))


def test_moved_maps_are_the_same_values_elsewhere():
    rng, places = np.random.default_rng(0), set()
    peak = np.zeros((8, 12))
    peak[0, 0] = 1
    for _ in range(200):
        there = moved(peak, rng)
        assert sorted(there.ravel()) == sorted(peak.ravel())
        places.add(tuple(int(i[0]) for i in there.nonzero()))
    assert len(places) > 60
    small = np.arange(16.0).reshape(4, 4)
    steps = [moved(small, rng) for _ in range(50)]
    assert not any((step == small).all() for step in steps)  # no flip undoes a shift: rows and columns are not alike
    neighbors = {abs(step[0, 0] - step[0, 1]) for step in steps}
    assert neighbors == {1, 3}  # next to each other still, or around the edge
    assert moved(np.ones((1, 1)), rng).tolist() == [[1]]


def test_a_map_lies_where_its_units_are():
    """One unit of stride 4 whose center is pixel (4, 4): its neighborhood goes first."""
    weights = np.zeros((3, 8, 8), np.float32)
    weights[:, 4, 4] = 1
    heatmap = np.array([[0, 0], [0, 1]])
    found = faithfulness(Share(weights).eval(), ones(8), explanation(heatmap, 4, 8), steps=8)
    assert found.model == "stub"
    edge = 16 / 64  # rows and columns 4 to 7 share the unit's value, as edge values extend outwards
    assert found.deletion[found.shares >= edge].tolist() == [0] * int((found.shares >= edge).sum())
    assert not found.blank
    assert faithfulness(Share(weights).eval(), ones(8), explanation(np.ones((2, 2)), 4, 8)).blank


def test_baselines():
    x = model_input(32, 48).tensor
    assert bare(x, "gray").abs().sum() == 0
    blurred = bare(x, "blur")
    assert blurred.shape == x.shape
    assert blurred.std() < 0.5 * x.std()
    flat = torch.full((1, 3, 32, 48), 1.5)
    assert bare(flat, "blur") == pytest.approx(1.5, abs=1e-5)
    ramp = torch.arange(48.0).expand(1, 3, 32, 48)  # rows differ not at all, so only the other axis is at work
    assert bare(ramp, "blur")[..., 24] == pytest.approx(24, abs=1e-3)
    with pytest.raises(UnknownName, match="gray, blur"):
        bare(x, "black")


def test_the_model_is_asked_in_batches_and_left_as_it_was():
    model, sizes = recipe_model(), []
    image, heatmap = model_input(64, 64), RNG.random((64, 64))

    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, x):
            sizes.append(len(x))
            return self.model(x)

    found = faithfulness(Counting().eval(), image, heatmap, steps=12, orders=2, batch_size=8)
    assert sizes == [1, 1, *[8] * 8, 2]  # 11 images a curve: deletion and insertion, of the map and two moved copies
    alone = faithfulness(model, image, heatmap, steps=12, orders=2, batch_size=1)
    assert found.deletion == pytest.approx(alone.deletion, abs=1e-6)
    assert found.class_index == int(model(image.tensor).argmax())
    assert leftovers(model) == []


def test_what_is_refused():
    model = Linear(WEIGHTS).eval()
    with pytest.raises(OutOfRange, match="0 to 1"):
        faithfulness(model, ones(), WEIGHTS[0], class_index=2)
    with pytest.raises(OutOfRange, match="step"):
        faithfulness(model, ones(), WEIGHTS[0], steps=0)
    with pytest.raises(OutOfRange, match="does not fit"):
        Bench(model, ones()).test(explanation(np.eye(2), 4, 8))
    with pytest.raises(LensError, match="training"):
        faithfulness(model.train(), ones(), WEIGHTS[0])
