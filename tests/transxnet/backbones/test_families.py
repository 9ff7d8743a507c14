"""Families with stages unlike a ResNet's: fewer of them, several outputs, tokens in another order, no classifier."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import timm
import torch

from tests.fixtures import tiny_model
from tests.fixtures.plain_net import plain_net
from tests.fixtures.small_model import image
from transxnet.backbones.cost import backbone_cost
from transxnet.backbones.module import Backbone, untrained_backbone
from transxnet.backbones.spec import find_backbone
from transxnet.errors import OutOfRange, PartMissing
from transxnet.explain.attribution.grad_cam import grad_cam
from transxnet.explain.erf.erf import receptive_field
from transxnet.explain.erf.protocol import published_erf
from transxnet.explain.observe import Observation, observe
from transxnet.explain.sanity.randomization import parameter_groups, random_model_like, replace_tensors
from transxnet.in_memory import wrap
from transxnet.study import StudyOptions, study
from transxnet.trace import Trace
from transxnet.weights.load import load

SMALLER = {"vit_small_patch14_dinov2": 112, "vit_small_patch14_reg4_dinov2": 112, "vit_small_patch16_dinov3": 128}
FEATURES = tuple(SMALLER)  # models without a classifier
UNUSED = "patch tokens; the last block's do not reach the "
FAMILIES = {  # name -> layers, strides, origins, remark
    "vit_small_patch14_dinov2": ("blocks.2 blocks.5 blocks.8 blocks.10", (14,) * 4, (6.5,) * 4, UNUSED + "features"),
    "vit_small_patch14_reg4_dinov2": (
        "blocks.2 blocks.5 blocks.8 blocks.10", (14,) * 4, (6.5,) * 4, UNUSED + "features",
    ),
    "vit_small_patch16_dinov3": ("blocks.2 blocks.5 blocks.8 blocks.11", (16,) * 4, (7.5,) * 4, ""),
    "levit_128s": ("stages.0 stages.1 stages.2", (16, 32, 64), (0, 0, 0), ""),
    "pit_ti_224": (
        "transformers.0 transformers.1 transformers.2.blocks.2", (8, 16, 32), (7.5,) * 3, UNUSED + "logits",
    ),
    "pit_s_distilled_224": (
        "transformers.0 transformers.1 transformers.2.blocks.2", (8, 16, 32), (7.5,) * 3, UNUSED + "logits",
    ),
    "crossvit_tiny_240": (
        "blocks.0 blocks.1", (12, 12), (5.5, 5.5), f"the first of 2 branches; {UNUSED}logits",
    ),
    "volo_d1_224": ("network.0 network.2 network.3 network.4", (8, 16, 16, 16), (3, 7, 7, 7), ""),
    "twins_pcpvt_small": (
        "blocks.0.2 blocks.1.3 blocks.2.5 blocks.3.2", (4, 8, 16, 32), (1.5, 3.5, 7.5, 15.5), "",
    ),
    "twins_svt_small": ("blocks.0.1 blocks.1.1 blocks.2.9 blocks.3.3", (4, 8, 16, 32), (1.5, 3.5, 7.5, 15.5), ""),
    "hiera_tiny_224": ("blocks.0 blocks.2 blocks.9 blocks.11", (4, 8, 16, 32), (0, 2, 6, 14), ""),
    "hrnet_w18_small": (
        "incre_modules.0 incre_modules.1 incre_modules.2 final_layer", (4, 8, 16, 32), (0,) * 4, "",
    ),
}  # fmt: skip


@cache
def backbone(name: str) -> Backbone:
    spec = find_backbone(name)
    model = untrained_backbone(replace(spec, image_size=SMALLER.get(name, spec.image_size)))
    if name == "hiera_tiny_224":  # its classifier starts with zeros
        torch.nn.init.normal_(model.net.head.fc.weight.data, generator=torch.Generator().manual_seed(0))
    return model


def observed(name: str) -> Observation:
    side = backbone(name).spec.image_size
    return observe(backbone(name), tiny_model.model_input(side, side), ("stage",), grad=True)


@pytest.mark.parametrize("name", FAMILIES)
def test_stages_end_in_the_expected_layers(name):
    layers, strides, origins, remark = FAMILIES[name]
    spec = backbone(name).spec
    assert (spec.layers, spec.strides, spec.origins) == (tuple(layers.split()), strides, origins)
    assert spec.remark == remark
    assert spec.layer_name(4) == f"stage 4 ({'; '.join(filter(None, (spec.layers[-1], remark)))})"


@pytest.mark.parametrize("name", FAMILIES)
def test_outputs_equal_those_of_timm_exactly(name):
    """Also while a trace records: the maps are taken out of tuples and sorted tokens, and put back."""
    model = backbone(name)
    plain = plain_net(model)
    x = tiny_model.model_input(model.spec.image_size, model.spec.image_size).tensor
    with torch.no_grad(), Trace(("stage",)) as trace:
        assert torch.equal(model(x), plain(x))
    count = len(model.spec.layers)
    assert [record.stage for record in trace.records] == [1, 2, 3, 4][-count:] == list(observed(name).stages)
    assert [tuple(r.tensor.shape[-2:]) for r in trace.records] == [
        observed(name).units(r.stage).grid for r in trace.records
    ]


@pytest.mark.parametrize("name", FAMILIES)
def test_cost_counts_timms_parameters(name):
    with torch.device("meta"):
        plain = timm.create_model(name)
    measured = backbone_cost(find_backbone(name))
    assert measured.parameters == sum(p.numel() for p in plain.parameters()) > 1e6
    assert measured.macs > 1e8


@pytest.mark.parametrize("name", ["hiera_tiny_224", "twins_svt_small", "hrnet_w18_small", "levit_128s", "pit_ti_224"])
def test_maps_equal_timms(name):
    """In the order of the image; the last ones of PiT and HRNet are maps that timm does not return."""
    model = backbone(name)
    x = tiny_model.model_input(model.spec.image_size, model.spec.image_size).tensor
    with torch.no_grad(), Trace(("stage",)) as trace:
        model(x)
    with torch.no_grad():
        expected = model.net.forward_intermediates(x, intermediates_only=True)[-len(model.spec.layers) :]
    count = len(expected) - (name in ("hrnet_w18_small", "pit_ti_224"))
    for record, feature_map in list(zip(trace.records, expected, strict=True))[:count]:
        torch.testing.assert_close(record.tensor, feature_map)


@pytest.mark.parametrize("name", FAMILIES)
def test_erf_is_largest_around_its_unit(name):
    """Of all units' surroundings, by the mean gradient in a square of one stride."""
    observation = observed(name)
    for stage in observation.stages[: 1 if name == "levit_128s" else None]:  # no shortcut leads to its later stages
        units = observation.units(stage)
        rows, cols = units.grid
        for unit in ((rows // 2, cols // 4), (rows // 4, cols // 2)):
            heatmap = receptive_field(observation, stage, unit=unit).heatmap
            edges = (units.origin + units.stride * (np.arange(rows + 1) - 0.5) + 0.5).round().astype(int)
            edges = edges.clip(0, heatmap.shape[0])
            heatmap, starts = heatmap[edges[0] : edges[-1], edges[0] : edges[-1]], edges[:-1] - edges[0]
            sums = np.add.reduceat(np.add.reduceat(heatmap, starts, axis=0), starts, axis=1)
            means = sums / np.outer(np.diff(edges), np.diff(edges))
            largest = np.unravel_index(means.argmax(), means.shape)
            assert np.abs(np.subtract(largest, unit)).max() <= (1 if units.stride == 4 else 0), (stage, unit, largest)


@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in FEATURES])
def test_grad_cam_is_on_the_way_to_the_logits(name):
    explanation = grad_cam(observed(name), 5)
    assert explanation.heatmap.shape == observed(name).units(4).grid
    assert np.abs(explanation.heatmap).max() > 0  # the tokens of an untrained LeViT are all alike


def test_missing_stage_has_a_reason():
    observation = observed("levit_128s")
    with pytest.raises(PartMissing, match=r"timm:levit_128s has no stage 1\. Its stages: 2, 3, 4\."):
        receptive_field(observation, 1)
    with pytest.raises(OutOfRange, match=r"has no stage 5\. Choose 1 to 4\."):
        receptive_field(observation, 5)
    with pytest.raises(PartMissing, match="has no stage 2"):
        published_erf(backbone("crossvit_tiny_240"), [image(3, 40, 40).rgb], 240, stage=2)


def test_study_of_a_model_with_three_stages():
    """At a stage that it lacks, only what shows that stage is missing."""
    loaded = load("timm:levit_128s@untrained", device="cpu")
    result = study(
        loaded, image(3, 140, 110), StudyOptions(stage=1, analyses=("grad_cam", "cam_stages", "receptive_field"))
    )
    assert result.missing == {"receptive_field": "timm:levit_128s has no stage 1. Its stages: 2, 3, 4."}
    assert [part.layer for part in result.cam_stages.stage_maps] == [f"stage {n} (stages.{n - 2})" for n in (2, 3, 4)]
    groups = parameter_groups(loaded.model)
    assert [name for name, _ in groups] == ["head", "stage 4", "stage 3", "stage 2", "stem"]
    assert len(result.predictions.top) == 5


def test_features_without_classifier_have_general_views():
    loaded = wrap(timm.create_model("vit_small_patch16_dinov3"), name="dino")
    options = StudyOptions(
        analyses=("grad_cam", "receptive_field", "attention", "sanity_checks", "integrated_gradients")
    )
    result = study(loaded, image(3, 140, 110), options)
    assert result.predictions.top == ()
    assert np.ptp(result.receptive_field.heatmap) > 0
    assert result.receptive_field.layer == "stage 3 (blocks.8)"
    assert {name: reason for name, reason in result.missing.items() if name != "attention"} == dict.fromkeys(
        ("grad_cam", "sanity_checks", "integrated_gradients"),
        "dino has no classifier, so there is no class to explain.",
    )


def test_features_are_noted():
    loaded = load("timm:vit_small_patch16_dinov3@untrained", device="cpu", image_size=64)
    assert "without a classifier: its outputs are features" in loaded.provenance.note
    assert loaded.model(torch.zeros(1, 3, 64, 64)).shape == (1, 384)


def test_randomization_renews_cached_attention_biases():
    """timm's LeViT computes them once in eval mode."""
    model = backbone.__wrapped__("levit_128s")  # not the shared one, which other tests have run
    x = torch.zeros(1, 3, 224, 224)
    random_model = random_model_like(model)
    with torch.no_grad():
        model(x)
        replace_tensors(model, random_model.state_dict(), tuple(random_model.state_dict()))
        assert torch.equal(model(x), random_model(x))
