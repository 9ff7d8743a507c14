"""What a name says, before anything is built or downloaded."""

from __future__ import annotations

import pytest

from transxnet.backbones.spec import is_backbone, parse_backbone, spec_of
from transxnet.errors import LensError, UnknownName
from transxnet.variants import VARIANTS


def test_spec_comes_from_timms_registry():
    spec, untrained = spec_of("timm:vit_small_patch16_224")
    assert not untrained
    assert (spec.name, spec.short, spec.architecture) == (*["timm:vit_small_patch16_224"] * 2, "vit_small_patch16_224")
    assert (spec.num_classes, spec.label_set, spec.image_size, spec.crop_pct) == (1000, "imagenet-1k", 224, 0.9)
    assert (spec.mean, spec.std, spec.interpolation) == ((0.5,) * 3, (0.5,) * 3, "bicubic")
    assert spec.hub_id == "timm/vit_small_patch16_224.augreg_in21k_ft_in1k"
    assert spec.fixed_size
    assert (spec.depths, spec.osra, spec.idconv) == ((1, 1, 1, 1), False, False)
    assert (spec.strides, spec.origins, spec.layers) == ((), (), ())  # not known before there is a model


def test_tag_selects_weights_and_preprocessing():
    default, tagged = spec_of("timm:resnet50")[0], spec_of("timm:resnet50.gluon_in1k")[0]
    assert (default.tag, tagged.tag) == ("a1_in1k", "gluon_in1k")
    assert (default.crop_pct, tagged.crop_pct) == (0.95, 0.875)
    assert tagged.hub_id == "timm/resnet50.gluon_in1k"
    assert tagged.architecture == default.architecture == "resnet50"


def test_untrained_is_requested_by_name():
    spec, untrained = parse_backbone(" TIMM:resnet50@untrained ")
    assert untrained
    assert spec == spec_of("timm:resnet50")[0]


def test_variant_names_still_work():
    assert spec_of("pico@untrained") == (VARIANTS["transxnet_pico"], True)
    assert not is_backbone("t")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timm:resnet5O", "timm has no backbone called 'resnet5O'. Similar names: timm:resnet50,"),
        (
            "timm:resnet50.a1_in2k",
            "timm has no backbone called 'resnet50.a1_in2k'. Similar names: timm:resnet50.a1_in1k,",
        ),
        ("timm:zzzz", "timm has no backbone called 'zzzz'. Choose one such as timm:resnet50,"),
        ("timm:", "timm has no backbone called ''. Choose one such as timm:resnet50,"),
        ("timm:transxnet_t", "transxnet_t is a model of this project. Name t alone."),
        (
            "timm:resnet50@v1",
            "'timm:resnet50@v1' is not a valid name of a backbone. Write timm:resnet50, timm:resnet50.TAG or",
        ),
    ],
)
def test_unknown_names_list_similar_ones(name, message):
    with pytest.raises(UnknownName) as caught:
        spec_of(name)
    assert str(caught.value).startswith(message)


def test_backbone_without_classes_has_no_labels():
    spec = spec_of("timm:vit_small_patch14_dinov2")[0]
    assert (spec.num_classes, len(spec.labels)) == (0, 0)


def test_name_without_configuration_is_refused():
    with pytest.raises(LensError, match="timm:jx_nest_tiny cannot be explained: timm has no configuration of it"):
        spec_of("timm:jx_nest_tiny")


def test_unnamed_classes_are_numbered():
    spec = spec_of("timm:convnext_tiny.in12k")[0]
    labels = spec.labels
    assert (len(labels), spec.num_classes) == (11821, 11821)
    assert (labels.names[17], labels.find("17"), labels.find("class 17")) == ("class 17", 17, 17)
