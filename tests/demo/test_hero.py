"""The comparison of two images on the first screen: which channels, on which scale, and what is said of it."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
import pytest

from demo.columns import Column
from demo.i18n.translate import tr
from demo.views.hero import CHANNELS, first_with_kernels, hero
from transxnet import load
from transxnet.explain.kernels.change import kernel_change
from transxnet.images import SourceImage
from transxnet.study import Study, StudyOptions, study

RANDOM = np.random.default_rng(0)
FIRST, SECOND = (
    SourceImage(RANDOM.integers(0, 256, (90, 120, 3), dtype=np.uint8), f"{i:064x}", (), (120, 90)) for i in range(2)
)


def analyzed(image: SourceImage, model: str = "pico") -> Study:
    return study(load(model, device="cpu"), image, StudyOptions(analyses=("kernels",)))


def values(payload: dict, name: str) -> np.ndarray:
    """(9, K, K), the kernels of a cell."""
    tiles = payload["cells"][name]["tiles"]
    flat = np.frombuffer(base64.b64decode(tiles["base64"]), "<f4")
    return flat.reshape(len(tiles["names"]), tiles["rows"], tiles["cols"])


@pytest.fixture(scope="module")
def studies() -> tuple[Study, Study]:
    return analyzed(FIRST), analyzed(SECOND)


def test_channels_that_differ_most_on_one_scale(studies):
    first, second = studies
    payload = hero(Column("pico", first), second, FIRST, SECOND)
    change = kernel_change(first.kernels, second.kernels)
    channels = [int(i) - 1 for i in payload["data"]["channels"].split(",")]
    assert channels == sorted(np.argsort(-change.distance)[:CHANNELS])
    assert float(payload["data"]["distance"]) == np.nanmedian(change.distance)
    np.testing.assert_array_equal(values(payload, "first"), change.first[channels])
    np.testing.assert_array_equal(values(payload, "second"), change.second[channels])
    np.testing.assert_array_equal(values(payload, "difference"), (change.second - change.first)[channels])
    largest = max(abs(values(payload, name)).max() for name in ("first", "difference", "second"))
    assert payload["scale"]["range"] == pytest.approx([-largest, largest])
    assert payload["title"] == tr("hero.title")


def test_swapped_images_swap_the_kernels(studies):
    first, second = studies
    one = hero(Column("pico", first), second, FIRST, SECOND)
    other = hero(Column("pico", second), first, SECOND, FIRST)
    assert one["data"] == other["data"]
    np.testing.assert_array_equal(values(one, "first"), values(other, "second"))
    np.testing.assert_array_equal(values(one, "difference"), -values(other, "difference"))


def test_identical_images_and_learned_kernels_differ_by_zero(studies):
    same = hero(Column("pico", studies[0]), studies[0], FIRST, FIRST)
    assert (float(same["data"]["distance"]), same["sentence"]) == (0, tr("hero.same_image"))
    first, second = (analyzed(image, "pico_static") for image in (FIRST, SECOND))
    learned = hero(Column("pico_static", first), second, FIRST, SECOND)
    assert (float(learned["data"]["distance"]), learned["sentence"]) == (0, tr("hero.learned"))
    assert learned["title"] == tr("hero.title_learned")


def test_first_model_with_kernels_is_compared(studies):
    without = Column("timm:resnet50", replace(studies[0], missing={"kernels": "none"}))
    with_kernels = Column("pico", studies[0])
    assert first_with_kernels([Column("t"), without, with_kernels]) is with_kernels
    assert first_with_kernels([without]) is None
