"""A backbone's cost by its name is that of the model."""

from __future__ import annotations

import pytest

from transxnet.backbones.cost import backbone_cost, backbone_parameters
from transxnet.backbones.module import untrained_backbone
from transxnet.backbones.spec import find_backbone
from transxnet.cost import cost


@pytest.mark.parametrize("name", ["test_vit", "test_convnext", "test_resnet"])
def test_a_name_is_enough(name):
    spec = find_backbone(name)
    assert backbone_cost(spec) == cost(untrained_backbone(spec))
    assert backbone_parameters(spec) == backbone_cost(spec).parameters


@pytest.mark.parametrize(
    ("name", "millions", "gmacs"),  # as published: He et al.; Liu et al. 2021; Liu et al. 2022
    [
        ("resnet50", 25.6, 4.1), ("swin_tiny_patch4_window7_224", 28.3, 4.5), ("convnext_tiny", 28.6, 4.5),
    ],
)  # fmt: skip
def test_costs_equal_published_ones(name, millions, gmacs):
    measured = backbone_cost(find_backbone(name))
    assert round(measured.parameters / 1e6, 1) == millions
    assert round(measured.macs / 1e9, 1) == gmacs
