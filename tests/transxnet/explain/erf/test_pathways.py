"""The field taken apart: what is held changes no value, and once all is held nothing reaches beyond the windows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import OutOfRange, PartMissing
from transxnet.explain.ablation.edits import detached, half_off, together
from transxnet.explain.erf import pathways as erf_pathways_module
from transxnet.explain.erf.erf import receptive_field
from transxnet.explain.erf.pathways import TITLES, erf_pathways
from transxnet.explain.observe import observe

HELD = ("norm_statistics", "kernels", "biases")


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def parts(model):
    return erf_pathways(model, model_input(), 2, unit=(2, 3))


# --- The theoretical field --------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["transxnet_t", "transxnet_pico"])
def large(request):
    return recipe_model(request.param)


def reach(depth: int, unit: int) -> int:
    """The last pixel that a unit of stage 1 can see, along one axis, through its convolutions alone.

    Half a window, in units of stage 1, of what follows each other in a block (residuals only add shorter ways):
    DPE 7x7: 3; IDConv 7x7: 3, STE 3x3: 1; MS-FFN's largest, 7x7: 3. Together 10 a block.
    The stem, 7x7 with stride 4 and padding 3, gives unit i the pixels 4 i - 3 to 4 i + 3.
    T has three blocks: unit 1 + 30 = 31, pixel 127. pico has two: unit 21, pixel 87.
    """
    return 4 * (unit + (3 + (3 + 1) + 3) * depth) + 3


def field_of(model, held: tuple[str, ...]) -> np.ndarray:
    """The field of stage 1, unit (1, 1), at 224 px, without OSRA, these kinds held."""
    edits = together(half_off("osra"), detached(held))
    seen = observe(model, model_input(224, 224), ("stage",), grad=True, edits=edits)
    return receptive_field(seen, 1, unit=(1, 1), keep_graph=False).heatmap


def outside_of(model, heatmap: np.ndarray) -> np.ndarray:
    last = reach(model.spec.depths[0], 1)
    assert last == {"transxnet_t": 127, "transxnet_pico": 87}[model.spec.name]
    beyond = np.ones(heatmap.shape, bool)
    beyond[: last + 1, : last + 1] = False
    return heatmap[beyond]


def test_with_all_held_nothing_reaches_beyond_the_windows(large):
    heatmap = field_of(large, HELD)
    last = reach(large.spec.depths[0], 1)
    assert np.array_equal(
        outside_of(large, heatmap), np.zeros(heatmap.size - (last + 1) ** 2, np.float32)
    )  # exactly zero
    assert heatmap[last].any()  # and the windows are used to their last row
    assert heatmap[:, last].any()
    assert leftovers(large) == []


@pytest.mark.parametrize("attached", HELD)
def test_any_one_attached_reaches_beyond_the_windows(large, attached):
    heatmap = field_of(large, tuple(kind for kind in HELD if kind != attached))
    assert (outside_of(large, heatmap) > 0).mean() > 0.9


# --- The parts --------------------------------------------------------------------------------------


def test_the_full_map_is_the_receptive_field(model, parts):
    plain = receptive_field(observe(model, model_input(), grad=True), 2, unit=(2, 3))
    assert np.array_equal(parts.full.heatmap, plain.heatmap)
    assert list(parts.maps) == list(TITLES) == ["full", "kernels", "attention", "norm", "seen"]
    assert parts.missing == {}
    assert (parts.numbers["full/share"], parts.numbers["full/logit_change"]) == (1, 0)


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("kernels", ("kernels", "biases")),
        ("attention", ("attention",)),
        ("norm", ("norm_statistics",)),
        ("seen", ("kernels", "biases", "attention", "norm_statistics")),
    ],
)
def test_each_part_by_hand(parts, name, held):
    """The tensors detached inside a model of our own, by replacing the modules' taps, not through a trace."""
    other = recipe_model()
    for module in other.modules():
        if getattr(module, "kind", "") in held:
            module.forward = lambda x: x.detach()
        if hasattr(module, "statistics") and "norm_statistics" in held:
            module.statistics.edited = lambda: True
    image = model_input()
    x = image.tensor.clone().requires_grad_()
    score = other.forward_intermediates(x, [1], intermediates_only=True)[0][0, :, 2, 3].relu().sum()
    (slope,) = torch.autograd.grad(score, x)
    expected = slope.abs().sum(dim=1)[0].numpy()
    np.testing.assert_allclose(parts.maps[name].heatmap, expected, rtol=1e-4, atol=1e-6 * expected.max())
    assert not np.allclose(parts.maps[name].heatmap, parts.full.heatmap, rtol=1e-2, atol=1e-6 * expected.max())


def test_holding_changes_no_logit(parts):
    changes = {name: parts.numbers[f"{name}/logit_change"] for name in parts.maps}
    assert max(changes.values()) < 1e-5
    assert changes["kernels"] == changes["attention"] == 0


def test_numbers_compare_with_the_full_map(parts):
    full, seen = parts.full.heatmap, parts.maps["seen"].heatmap
    assert parts.numbers["seen/share"] == pytest.approx(seen.sum() / full.sum(), rel=1e-5)
    ranks = [np.argsort(np.argsort(heatmap.ravel())) for heatmap in (full, seen)]
    assert parts.numbers["seen/rank"] == pytest.approx(np.corrcoef(*ranks)[0, 1], abs=1e-4)
    count = round(0.1 * full.size)
    top, other = (set(np.argsort(-heatmap.ravel())[:count].tolist()) for heatmap in (full, seen))
    assert parts.numbers["seen/overlap"] == pytest.approx(len(top & other) / len(top | other))
    assert parts.numbers["norm/r50"] == parts.maps["norm"].numbers["r50"]


def test_a_variant_says_what_it_has_not():
    static = erf_pathways(recipe_model(replace(SPEC, idconv=False)), model_input(32, 32), 1)
    assert list(static.maps) == ["full", "attention", "norm", "seen"]
    assert "generates no kernels" in static.missing["kernels"]
    local = erf_pathways(recipe_model(replace(SPEC, osra=False)), model_input(32, 32), 1)
    assert "no attention" in local.missing["attention"]
    bare = erf_pathways(recipe_model(replace(SPEC, idconv=False, osra=False)), model_input(32, 32), 1)
    assert list(bare.maps) == ["full", "norm"]
    assert "same map" in bare.missing["seen"]
    with pytest.raises(PartMissing, match="neither"):
        erf_pathways(torch.nn.Conv2d(3, 3, 1), model_input(32, 32))


def test_progress_and_nothing_left_behind(model, monkeypatch):
    told = []
    erf_pathways(model, model_input(32, 32), 1, progress=lambda done, total: told.append((done, total)))
    assert told == [(i, 5) for i in range(1, 6)]
    with pytest.raises(OutOfRange):
        erf_pathways(model, model_input(32, 32), 9)

    def broken(*args, **options):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(erf_pathways_module, "receptive_field", broken)
    with pytest.raises(RuntimeError, match="middle"):
        erf_pathways(model, model_input(32, 32), 1)
    assert leftovers(model) == []
