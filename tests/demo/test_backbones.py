"""Which timm backbones visitors may name, and that all refusals are alike."""

from __future__ import annotations

import pytest

from demo.backbones import Backbones
from demo.i18n.translate import tr_error, use_locale
from transxnet.errors import OutOfRange, UnknownName

LISTED = ("timm:resnet50", "timm:convnext_tiny")
HOSTILE = ("timm:zeta", "timm:", "TIMM:resnet18", "timm:resnet50.gluon_in1k", "timm:../../etc", "timm:" + "a" * 9999)


def refusal(backbones: Backbones, name: str) -> str:
    with pytest.raises(UnknownName) as caught:
        backbones.check(name)
    return tr_error(caught.value)


@pytest.mark.parametrize("name", ["timm:resnet50", " Timm: resnet50 ", "timm:resnet50@untrained"])
def test_listed_backbones_are_offered(name):
    Backbones("listed", LISTED).check(name)
    Backbones("any").check(name)
    assert Backbones("any", LISTED).lists(name)
    assert not Backbones("any").lists(name)


def test_others_are_refused_alike():
    """Whether timm has them or not."""
    listed, none = Backbones("listed", LISTED), Backbones("none", LISTED)
    assert {refusal(listed, name) for name in HOSTILE} == {
        "This page does not offer that timm backbone. Available backbones: timm:resnet50, timm:convnext_tiny."
    }
    assert {refusal(none, name) for name in (*HOSTILE, *LISTED)} == {
        "This page does not offer timm backbones. Select a TransXNet model."
    }
    assert refusal(Backbones("listed"), LISTED[0]) == refusal(none, LISTED[0])
    for name in HOSTILE:
        Backbones("any").check(name)  # timm says what it thinks of it


def test_refusals_speak_the_visitors_language():
    with use_locale("ko"):
        assert refusal(Backbones("none"), "timm:resnet50").startswith("이 페이지에서는 timm 백본을")


def test_an_unknown_policy_is_refused():
    with pytest.raises(OutOfRange, match=r"cannot be 'some'\. Choose one of: none, listed, any"):
        Backbones("some")
