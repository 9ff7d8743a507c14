"""What a backbone shows, and in which words it says that it has nothing to show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.tiny import leftovers, model_input, one_thread  # noqa: F401 - a fixture
from transxnet.backbones.module import Backbone, untrained_backbone
from transxnet.backbones.spec import find_backbone
from transxnet.errors import OutOfRange, PartMissing
from transxnet.explain.ablation.table import ablation_table, heads_off
from transxnet.explain.attention.attention import attention_from, attention_tables
from transxnet.explain.attention.depth import attention_depth, pathway_energies
from transxnet.explain.attention.rollout import keys_to_pixels, rollout
from transxnet.explain.attribution.cam_variants import combined_stages, contrast
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
def seen(convnext) -> Observation:
    return observe(convnext, model_input(160, 160), KEEP, grad=True)


NO_OSRA, NO_KERNELS = "no OSRA to attend with", "generates no kernels"
OF_ONE_PASS: dict[str, tuple[Callable[[Observation], object], str]] = {
    "attention": (lambda seen: attention_from(seen, 3), NO_OSRA),
    "all attention": (attention_tables, NO_OSRA),
    "attention over depth": (attention_depth, NO_OSRA),
    "halves": (pathway_energies, NO_OSRA),
    "rollout": (lambda seen: rollout(seen, 3), NO_OSRA),
    "keys on pixels": (lambda seen: keys_to_pixels(seen, 3, None, np.ones((5, 5))), NO_OSRA),
    "kernels": (lambda seen: kernels(seen, 3), NO_KERNELS),
    "kernels over depth": (kernel_depth, NO_KERNELS),
    "grad_cam of the head": (lambda seen: grad_cam(seen, 3, HEAD), "its head has no map of its own"),
    "contrast at the head": (lambda seen: contrast(seen, 3, 5, HEAD), "its head has no map of its own"),
}


@pytest.mark.parametrize("view", OF_ONE_PASS)
def test_views_of_parts_that_a_backbone_lacks_say_so(seen, view):
    look, words = OF_ONE_PASS[view]
    with pytest.raises(PartMissing) as caught:
        look(seen)
    assert caught.value.what.startswith("test_convnext is no TransXNet: it")
    assert words in caught.value.what


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (
            lambda model, view: ablation_table(model, view, LABELS),
            "test_convnext is no TransXNet: it has no IDConv and no OSRA",
        ),
        (lambda model, view: heads_off(model, view, LABELS, 3), "test_convnext is no TransXNet"),
        (erf_pathways, "nothing to detach: neither generated kernels, nor OSRA, nor TransXNet's norms"),
    ],
)
def test_views_of_multi_pass_say_so_too_and_leave_nothing(convnext, look, words):
    with pytest.raises(PartMissing, match=words):
        look(convnext, model_input(160, 160))
    assert {name.rpartition(".")[2] for name in leftovers(convnext)} == {"_forward_hooks"}  # its own four


def test_layers_are_called_by_timms_names(seen):
    assert grad_cam(seen, 3, 2).layer == "stage 2 (stages.1)"
    assert contrast(seen, 3, 5, 4).layer == "stage 4 (stages.3)"
    assert receptive_field(seen, 1).layer == "stage 1 (stages.0)"
    assert [part.layer for part in combined_stages(seen, 3, (1, 3)).stage_maps] == [
        "stage 1 (stages.0)",
        "stage 3 (stages.2)",
    ]


def test_a_backbones_stage_is_one_thing(seen):
    assert grad_cam(seen, 3, 2, block=1).layer == "stage 2 (stages.1)"
    with pytest.raises(OutOfRange, match="Stage 2 of timm:test_convnext has no block 2"):
        grad_cam(seen, 3, 2, block=2)


def test_stages_are_combined_where_their_units_are(seen):
    """test_convnext's units sit on pixels 1.5 + 4 i and 15.5 + 32 i: the coarse ones lie between the fine ones."""
    fine, coarse = (grad_cam(seen, 3, stage).heatmap.clip(min=0) for stage in (1, 4))
    fine, coarse = fine / fine.max(), coarse / coarse.max()

    def between(u: float) -> tuple[int, int, float]:
        u = min(max(u, 0.0), 4.0)  # five rows and columns; the edge ones reach outwards
        return int(u), min(int(u) + 1, 4), u - int(u)

    expected = np.empty((40, 40))
    for row in range(40):
        top, bottom, down = between((1.5 + 4 * row - 15.5) / 32)
        for col in range(40):
            left, right, along = between((1.5 + 4 * col - 15.5) / 32)
            above = coarse[top, left] * (1 - along) + coarse[top, right] * along
            below = coarse[bottom, left] * (1 - along) + coarse[bottom, right] * along
            expected[row, col] = (fine[row, col] + above * (1 - down) + below * down) / 2
    found = combined_stages(seen, 3, (1, 4))
    np.testing.assert_allclose(found.heatmap, expected, atol=1e-5)
    assert np.ptp(coarse) > 0
    assert (found.geometry.stride, found.geometry.origin) == (4, 1.5)
