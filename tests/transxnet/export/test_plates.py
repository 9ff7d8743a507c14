"""Which figures studies give, in which order, and that a variant without a part stands on none about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.small import picture, small_model
from transxnet.draw.plate import Plate
from transxnet.explain.agreement import agreement_between_variants
from transxnet.export.plates import PLATES, between_variants, plates, plates_of
from transxnet.study import DEFAULT, PARTS, Options, study

IN_ORDER = [
    "sheet", "maps", "attention_heads", "attention_depth", "rollout", "halves", "kernel_clusters", "kernel_gates",
    "kernel_spectrum", "kernel_change", "kernel_depth", "erf_parts", "erf_curves", "what_if", "what_if_heads",
    "verdicts", "faithfulness", "randomisation", "agreement", "variants",
]  # fmt: skip
QUICK = tuple(name for name in DEFAULT if name not in ("trust", "occlusion", "integrated_gradients", "smooth_grad"))


@pytest.fixture(scope="module")
def whole():
    return study(small_model(), picture(), Options(stage=2, only=DEFAULT), picture(3))


@pytest.fixture(scope="module")
def without():
    looked = study(small_model(osra=False), picture(), Options(stage=2, only=QUICK), picture(3))
    return replace(looked, variant="small without OSRA")


@pytest.fixture(scope="module")
def drawn(whole, without) -> dict[str, Plate]:
    return {plate.name: plate for plate in plates([whole, without], picture().rgb)}


def test_all_of_them_in_the_order_in_which_one_reads(drawn):
    assert list(drawn) == IN_ORDER


def test_every_part_that_is_drawn_is_one(whole):
    assert {row.part for row in PLATES} <= set(PARTS)
    shown = {row.part for row in PLATES}
    maps = {name for name in DEFAULT if name not in shown}
    assert maps == {
        "attention",
        "rollout",
        "grad_cam",
        "contrast",
        "cam_stages",
        "integrated_gradients",
        "smooth_grad",
        "occlusion",
    }  # on the two sheets of maps


def test_every_figure_is_said_in_words(drawn):
    for name, plate in drawn.items():
        assert len(plate.caption) > 30, name
        assert len(plate.alt) > 30, name
        assert len(plate.limits) > 30, name
        assert plate.picture is not None or plate.table is not None
        if plate.picture is not None:
            assert plate.picture.dtype == np.uint8
            assert plate.picture.shape[1] >= 1100 or name == "sheet"


def test_raw_values_are_those_of_the_study(drawn, whole):
    assert (drawn["erf_parts"].arrays["small/seen"] == whole.erf_parts.maps["seen"].heat).all()
    assert drawn["halves"].numbers


def test_a_variant_without_attention_stands_on_no_figure_about_it(drawn):
    alone = ("attention_heads", "attention_depth", "rollout", "halves")
    for name in alone:
        assert not any("without" in key for key in (*drawn[name].numbers, *drawn[name].arrays)), name
    assert any("without" in key for key in drawn["kernel_clusters"].arrays)
    assert any("without" in key for key in drawn["erf_parts"].arrays)


def test_variants_are_compared_by_the_maps_that_all_have(drawn, whole, without):
    plate = drawn["variants"]
    expected = agreement_between_variants({"small": whole.grad_cam, "small without OSRA": without.grad_cam})
    key = "small/small without OSRA/grad_cam"
    assert plate.numbers[f"{key}/correlation"] == expected.correlation[0, 1]
    assert plate.numbers[f"{key}/overlap"] == expected.overlap[0, 1]
    assert not any("occlusion" in name or "rollout" in name for name in plate.numbers)
    assert between_variants([whole]) == []


def test_of_a_part_that_nobody_has_there_is_no_figure(without):
    assert plates_of("trust", [without]) == []
    assert plates_of("attention_depth", [without]) == []
