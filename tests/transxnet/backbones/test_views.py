"""Explanations of backbones, and the reasons of those that they do not support."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.fixtures.tiny_model import leftover_state, model_input
from transxnet.backbones.module import Backbone, untrained_backbone
from transxnet.backbones.spec import find_backbone
from transxnet.errors import OutOfRange, PartMissing
from transxnet.explain.ablation.table import ablation_table
from transxnet.explain.attention.attention import attention_from, attention_tables
from transxnet.explain.attention.depth import attention_depth, pathway_energies
from transxnet.explain.attention.rollout import rollout
from transxnet.explain.attribution.cam_variants import combined_layers, contrast
from transxnet.explain.attribution.grad_cam import HEAD, grad_cam
from transxnet.explain.attribution.methods import KEEP
from transxnet.explain.erf.erf import receptive_field
from transxnet.explain.erf.pathways import erf_pathways
from transxnet.explain.kernels.change import kernel_depth
from transxnet.explain.kernels.kernels import kernels
from transxnet.explain.observe import Observation, observe
from transxnet.labels import label_set

LABELS = label_set("imagenet-1k")


@pytest.fixture(scope="module")
def convnext() -> Backbone:
    return untrained_backbone(find_backbone("test_convnext"))


@pytest.fixture(scope="module")
def observation(convnext) -> Observation:
    return observe(convnext, model_input(160, 160), KEEP, grad=True)


NO_OSRA, NO_KERNELS = "no OSRA to attend with", "generates no kernels"
SINGLE_PASS: dict[str, tuple[Callable[[Observation], object], str]] = {
    "attention": (lambda observation: attention_from(observation, 3), NO_OSRA),
    "all attention": (attention_tables, NO_OSRA),
    "attention over depth": (attention_depth, NO_OSRA),
    "halves": (pathway_energies, NO_OSRA),
    "rollout": (lambda observation: rollout(observation, 3), NO_OSRA),
    "kernels": (lambda observation: kernels(observation, 3), NO_KERNELS),
    "kernels over depth": (kernel_depth, NO_KERNELS),
    "grad_cam of the head": (lambda observation: grad_cam(observation, 3, HEAD), "its head has no map of its own"),
    "contrast at the head": (lambda observation: contrast(observation, 3, 5, HEAD), "its head has no map of its own"),
}


@pytest.mark.parametrize("name", SINGLE_PASS)
def test_unsupported_explanations_have_reasons(observation, name):
    compute, message = SINGLE_PASS[name]
    with pytest.raises(PartMissing) as caught:
        compute(observation)
    assert caught.value.what.startswith("test_convnext is no TransXNet: it")
    assert message in caught.value.what


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (
            lambda model, name: ablation_table(model, name, LABELS),
            "test_convnext is no TransXNet: it has no IDConv and no OSRA",
        ),
        (erf_pathways, "nothing to detach: neither generated kernels, nor OSRA, nor TransXNet's norms"),
    ],
)
def test_unsupported_multi_pass_explanations_leave_no_hooks(convnext, compute, message):
    with pytest.raises(PartMissing, match=message):
        compute(convnext, model_input(160, 160))
    assert {name.rpartition(".")[2] for name in leftover_state(convnext)} == {
        "_forward_hooks"
    }  # the backbone's own four


def test_layers_have_timms_names(observation):
    assert grad_cam(observation, 3, 2).layer == "stage 2 (stages.1)"
    assert contrast(observation, 3, 5, 4).layer == "stage 4 (stages.3)"
    assert receptive_field(observation, 1).layer == "stage 1 (stages.0)"
    assert [part.layer for part in combined_layers(observation, 3, (1, 3)).stage_maps] == [
        "stage 1 (stages.0)",
        "stage 3 (stages.2)",
    ]


def test_backbone_stages_have_one_block(observation):
    assert grad_cam(observation, 3, 2, block=1).layer == "stage 2 (stages.1)"
    with pytest.raises(OutOfRange, match="Stage 2 of timm:test_convnext has no block 2"):
        grad_cam(observation, 3, 2, block=2)


def test_combined_stages_align_units(observation):
    """test_convnext's units sit on pixels 1.5 + 4 i and 15.5 + 32 i: the coarse ones lie between the fine ones."""
    fine, coarse = (grad_cam(observation, 3, stage).heatmap.clip(min=0) for stage in (1, 4))
    fine, coarse = fine / fine.max(), coarse / coarse.max()

    def neighbors(u: float) -> tuple[int, int, float]:
        u = min(max(u, 0.0), 4.0)  # five rows and columns; edge values extend outwards
        return int(u), min(int(u) + 1, 4), u - int(u)

    expected = np.empty((40, 40))
    for row in range(40):
        top, bottom, down = neighbors((1.5 + 4 * row - 15.5) / 32)
        for col in range(40):
            left, right, along = neighbors((1.5 + 4 * col - 15.5) / 32)
            above = coarse[top, left] * (1 - along) + coarse[top, right] * along
            below = coarse[bottom, left] * (1 - along) + coarse[bottom, right] * along
            expected[row, col] = (fine[row, col] + above * (1 - down) + below * down) / 2
    combined = combined_layers(observation, 3, (1, 4))
    np.testing.assert_allclose(combined.heatmap, expected, atol=1e-5)
    assert np.ptp(coarse) > 0
    assert (combined.geometry.stride, combined.geometry.origin) == (4, 1.5)
