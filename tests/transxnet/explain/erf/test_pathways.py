"""ERF by pathway: detaching changes no value, and with all detached the field stays within the windows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from transxnet.errors import OutOfRange, PartMissing
from transxnet.explain.ablation.edits import combine, detach, zero_half
from transxnet.explain.erf import pathways as erf_pathways_module
from transxnet.explain.erf.erf import receptive_field
from transxnet.explain.erf.pathways import TITLES, erf_pathways
from transxnet.explain.observe import observe

MODULATORS = ("norm_statistics", "kernels", "biases")


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def pathways(model):
    return erf_pathways(model, model_input(), 2, unit=(2, 3))


# --- The theoretical field --------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["transxnet_t", "transxnet_pico"])
def model_at_224(request):
    return recipe_model(request.param)


def last_reached_pixel(depth: int, unit: int) -> int:
    """The last pixel that a unit of stage 1 can see, along one axis, through its convolutions alone.

    Half a window, in units of stage 1, of the sequence of layers in a block (residuals only add shorter paths):
    DPE 7x7: 3; IDConv 7x7: 3, STE 3x3: 1; MS-FFN's largest, 7x7: 3. Together 10 a block.
    The stem, 7x7 with stride 4 and padding 3, gives unit i the pixels 4 i - 3 to 4 i + 3.
    T has three blocks: unit 1 + 30 = 31, pixel 127. pico has two: unit 21, pixel 87.
    """
    return 4 * (unit + (3 + (3 + 1) + 3) * depth) + 3


def compute_erf(model, detached_kinds: tuple[str, ...]) -> np.ndarray:
    """The field of stage 1, unit (1, 1), at 224 px, without OSRA, these kinds detached."""
    edits = combine(zero_half("osra"), detach(detached_kinds))
    observation = observe(model, model_input(224, 224), ("stage",), grad=True, edits=edits)
    return receptive_field(observation, 1, unit=(1, 1), keep_graph=False).heatmap


def outside_theoretical_field(model, heatmap: np.ndarray) -> np.ndarray:
    last_pixel = last_reached_pixel(model.spec.depths[0], 1)
    assert last_pixel == {"transxnet_t": 127, "transxnet_pico": 87}[model.spec.name]
    outside = np.ones(heatmap.shape, bool)
    outside[: last_pixel + 1, : last_pixel + 1] = False
    return heatmap[outside]


def test_all_detached_stays_within_the_theoretical_field(model_at_224):
    heatmap = compute_erf(model_at_224, MODULATORS)
    last_pixel = last_reached_pixel(model_at_224.spec.depths[0], 1)
    assert np.array_equal(
        outside_theoretical_field(model_at_224, heatmap), np.zeros(heatmap.size - (last_pixel + 1) ** 2, np.float32)
    )  # exactly zero
    assert heatmap[last_pixel].any()  # and the field reaches their last row
    assert heatmap[:, last_pixel].any()
    assert leftover_state(model_at_224) == []


@pytest.mark.parametrize("attached", MODULATORS)
def test_any_attached_modulator_reaches_beyond_it(model_at_224, attached):
    heatmap = compute_erf(model_at_224, tuple(kind for kind in MODULATORS if kind != attached))
    assert (outside_theoretical_field(model_at_224, heatmap) > 0).mean() > 0.9


# --- The parts --------------------------------------------------------------------------------------


def test_full_map_equals_receptive_field(model, pathways):
    plain = receptive_field(observe(model, model_input(), grad=True), 2, unit=(2, 3))
    assert np.array_equal(pathways.full.heatmap, plain.heatmap)
    assert list(pathways.maps) == list(TITLES) == ["full", "kernels", "attention", "norm", "all"]
    assert pathways.missing == {}
    assert (pathways.numbers["full/ratio"], pathways.numbers["full/logit_change"]) == (1, 0)


@pytest.mark.parametrize(
    ("name", "detached_kinds"),
    [
        ("kernels", ("kernels", "biases")),
        ("attention", ("attention",)),
        ("norm", ("norm_statistics",)),
        ("all", ("kernels", "biases", "attention", "norm_statistics")),
    ],
)
def test_detached_maps_by_hand(pathways, name, detached_kinds):
    """Detach the tensors in another model by replacing the modules' taps, not through a trace."""
    model = recipe_model()
    for module in model.modules():
        if getattr(module, "kind", "") in detached_kinds:
            module.forward = lambda x: x.detach()
        if hasattr(module, "statistics") and "norm_statistics" in detached_kinds:
            module.statistics.is_edited = lambda: True
    image = model_input()
    x = image.tensor.clone().requires_grad_()
    score = model.forward_intermediates(x, [1], intermediates_only=True)[0][0, :, 2, 3].relu().sum()
    (gradient,) = torch.autograd.grad(score, x)
    expected = gradient.abs().sum(dim=1)[0].numpy()
    np.testing.assert_allclose(pathways.maps[name].heatmap, expected, rtol=1e-4, atol=1e-6 * expected.max())
    assert not np.allclose(pathways.maps[name].heatmap, pathways.full.heatmap, rtol=1e-2, atol=1e-6 * expected.max())


def test_detaching_changes_no_logit(pathways):
    logit_changes = {name: pathways.numbers[f"{name}/logit_change"] for name in pathways.maps}
    assert max(logit_changes.values()) < 1e-5
    assert logit_changes["kernels"] == logit_changes["attention"] == 0


def test_numbers_compare_with_full_map(pathways):
    full, all_detached = pathways.full.heatmap, pathways.maps["all"].heatmap
    assert pathways.numbers["all/ratio"] == pytest.approx(all_detached.sum() / full.sum(), rel=1e-5)
    ranks = [np.argsort(np.argsort(heatmap.ravel())) for heatmap in (full, all_detached)]
    assert pathways.numbers["all/rank"] == pytest.approx(np.corrcoef(*ranks)[0, 1], abs=1e-4)
    count = round(0.1 * full.size)
    full_top, detached_top = (set(np.argsort(-heatmap.ravel())[:count].tolist()) for heatmap in (full, all_detached))
    assert pathways.numbers["all/overlap"] == pytest.approx(len(full_top & detached_top) / len(full_top | detached_top))
    assert pathways.numbers["norm/r50"] == pathways.maps["norm"].numbers["r50"]


def test_missing_modulators_are_explained():
    without_idconv = erf_pathways(recipe_model(replace(SPEC, idconv=False)), model_input(32, 32), 1)
    assert list(without_idconv.maps) == ["full", "attention", "norm", "all"]
    assert "generates no kernels" in without_idconv.missing["kernels"]
    without_osra = erf_pathways(recipe_model(replace(SPEC, osra=False)), model_input(32, 32), 1)
    assert "no attention" in without_osra.missing["attention"]
    without_both = erf_pathways(recipe_model(replace(SPEC, idconv=False, osra=False)), model_input(32, 32), 1)
    assert list(without_both.maps) == ["full", "norm"]
    assert "same map" in without_both.missing["all"]
    with pytest.raises(PartMissing, match="neither"):
        erf_pathways(torch.nn.Conv2d(3, 3, 1), model_input(32, 32))


def test_progress_and_cleanup(model, monkeypatch):
    calls = []
    erf_pathways(model, model_input(32, 32), 1, progress=lambda count, total: calls.append((count, total)))
    assert calls == [(i, 5) for i in range(1, 6)]
    with pytest.raises(OutOfRange):
        erf_pathways(model, model_input(32, 32), 9)

    def broken(*args, **options):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(erf_pathways_module, "receptive_field", broken)
    with pytest.raises(RuntimeError, match="middle"):
        erf_pathways(model, model_input(32, 32), 1)
    assert leftover_state(model) == []
