"""Rollout: on paper, against matrices written out, and what it must never lose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import transxnet
from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from tests.transxnet.explain.attention.test_footprint import written_out
from transxnet.errors import OutOfRange, PartMissing, UnknownName
from transxnet.explain.ablation.edits import head_off
from transxnet.explain.attention.footprint import key_footprint, keys_to_pixels, step_footprint
from transxnet.explain.attention.rollout import rollout
from transxnet.explain.attribution.methods import KEEP, METHODS, AttributionTarget
from transxnet.explain.observe import observe

EVEN = {"attention": lambda tap, a: torch.full_like(a, 1 / a.shape[-1])}


def look(model, side: int = 96, edits=None):
    return observe(model, model_input(side, side), ("attention",), edits=edits)


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def seen(model):
    return look(model)


def corner(seen, stage: int) -> tuple[float, float]:
    """The upload point of a stage's last unit."""
    rows, cols = seen.units(stage).grid
    return seen.units(stage).center_in_upload(rows - 1, cols - 1)


def test_on_paper(model):
    """32 px: stage 1 has 8 x 8 units and one key, whose window (-5 … 5) lies on the first 6 x 6 units, 1/36 each.

    The last unit keeps 1/2, then 1/4, by the residual path; 3/4 is the key's. It sees pixels 25 … 31 each way, 1/49
    each; pixels from 29 on lie in no other unit's window that has a share, and unit 5's ends at pixel 23.
    """
    seen = look(model, 32)
    heatmap = rollout(seen, 1, corner(seen, 1), uniform_windows=True).heatmap
    np.testing.assert_allclose(heatmap[25:, 25:], 0.25 / 49, rtol=1e-6)
    assert heatmap[:24, :24].sum() == pytest.approx(0.75, rel=1e-6)
    assert heatmap[24].sum() == heatmap[:, 24].sum() == 0
    # pixel (10, 10) lies in the windows of units 2 and 3 each way (5 … 11 and 9 … 15): four of 36 units
    assert heatmap[10, 10] == pytest.approx(0.75 / 36 * 4 / 49, rel=1e-6)


@pytest.mark.parametrize("fusion", ["mean", "max"])
def test_against_matrices_written_out(model, fusion):
    """64 px, stages 1 and 2, every R as a matrix."""
    seen = look(model, 64)
    found = rollout(seen, 2, corner(seen, 2), fusion=fusion)
    row = np.zeros(64)
    row[-1] = 1
    for stage, blocks in ((2, 1), (1, 2)):
        for block in range(blocks, 0, -1):
            attention = seen.trace.one("attention", stage, block).tensor[0].double().numpy()
            fused = getattr(attention, fusion)(axis=0)
            fused = fused / fused.sum(axis=1, keepdims=True)
            window = written_out(key_footprint(seen, stage, block), (2, 2))
            row = row @ (np.eye(len(fused)) / 2 + fused @ window / 2)
        row = row @ written_out(step_footprint(seen, stage), (16 // 2 ** (stage - 1),) * 2)
    np.testing.assert_allclose(found.heatmap.reshape(-1), row, rtol=1e-5, atol=1e-9)
    assert found.numbers["blocks"] == 3
    assert found.numbers["residual"] == 1 / 8


def test_attention_on_one_key_adds_that_keys_footprint(model):
    """Stage 1, block 1: half the unit's own pixels, half the key's."""

    def one_key(tap, a):
        return torch.nn.functional.one_hot(torch.full(a.shape[:-1], 4), a.shape[-1]).float()

    seen = look(model, edits={"attention": one_key})
    key = np.zeros((3, 3))
    key[1, 1] = 1
    start = np.zeros((24, 24))
    start[-1, -1] = 1
    own = step_footprint(seen, 1).spread(start)
    found = rollout(seen, 1, corner(seen, 1), block=1)
    np.testing.assert_allclose(found.heatmap, (own + keys_to_pixels(seen, 1, 1, key)) / 2, atol=1e-8)
    assert (found.numbers["x"], found.numbers["y"]) == (92, 92)


def test_it_is_never_negative_and_sums_to_one(model, seen):
    for edits in (None, EVEN, head_off(1)):
        looked = look(model, edits=edits)
        for stage in (1, 2, 3, 4):
            for position in (None, corner(looked, stage)):
                for fusion in ("mean", "max"):
                    heatmap = rollout(looked, stage, position, fusion=fusion).heatmap
                    assert heatmap.min() >= 0
                    assert heatmap.sum(dtype=np.float64) == pytest.approx(1, abs=1e-5)
    assert leftovers(model) == []


def test_all_units_are_the_mean_of_each(seen):
    units = seen.units(4)
    each = [rollout(seen, 4, units.center_in_upload(row, col)).heatmap for row, col in np.ndindex(3, 3)]
    np.testing.assert_allclose(rollout(seen, 4).heatmap, np.mean(each, axis=0), atol=1e-8)
    assert rollout(seen, 4).target == "mean over all units"


def test_numbers_say_how_far_and_how_much_attention_decided(model, seen):
    even = rollout(look(model, edits=EVEN), 3, corner(seen, 3))
    assert even.numbers["from_uniform"] == pytest.approx(0, abs=1e-6)
    found = rollout(seen, 3, corner(seen, 3))
    assert found.numbers["from_uniform"] == pytest.approx(np.abs(found.heatmap - even.heatmap).sum() / 2, rel=1e-4)
    assert found.numbers["from_uniform"] > 0.01
    away = sum(found.heatmap[y, x] * np.hypot(x - 80, y - 80) for y, x in np.ndindex(96, 96))
    assert found.numbers["distance"] == pytest.approx(away, rel=1e-4)


def test_it_says_what_it_is(seen):
    found = rollout(seen, 3, (10, 20), block=2)
    assert (found.method, found.model, found.signed) == ("rollout", "transxnet_tiny", False)
    assert found.layer == "stage 3, block 2 and all before it (approximation)"
    assert found.target == "unit at row 0, column 0"
    assert (found.geometry.grid, found.geometry.stride) == ((96, 96), 1)
    assert found.numbers["blocks"] == 5


def test_the_registry_asks_for_the_questions_unit(model):
    seen = observe(model, model_input(), KEEP)
    found = METHODS["rollout"].single_pass(seen, AttributionTarget(0, stage=3, block=2, position=(10, 20)))
    assert np.array_equal(found.heatmap, rollout(seen, 3, (10, 20), block=2).heatmap)
    assert not METHODS["rollout"].about_class


def test_what_cannot_be_rolled_out_is_refused(model, seen):
    with pytest.raises(OutOfRange, match="no stage 5"):
        rollout(seen, 5)
    with pytest.raises(UnknownName, match="mean, max"):
        rollout(seen, 1, fusion="sum")
    with pytest.raises(OutOfRange, match="keep that kind"):
        rollout(observe(model, model_input(32, 32), ("stage",)), 1)
    with pytest.raises(PartMissing, match="no OSRA"):
        rollout(look(recipe_model(replace(SPEC, osra=False)), 32), 1)


def test_trained_pico_differs_from_untrained():
    trained, untrained = (
        rollout(observe(transxnet.load(name).model, model_input(128, 128), ("attention",)), 4).numbers["from_uniform"]
        for name in ("pico", "pico@untrained")
    )
    assert trained > 100 * untrained
