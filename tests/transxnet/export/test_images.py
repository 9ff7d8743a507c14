from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.fixtures.small_model import image, small_model
from transxnet.draw.canvas import DPI, GAP
from transxnet.draw.compose import PAGE_MARGIN
from transxnet.draw.overlay import crop_source
from transxnet.draw.scale import NORMALIZED, RAW, Tone, colorbar
from transxnet.draw.styles import draw_result
from transxnet.explain.kernels.kernels import representatives
from transxnet.export.images import (
    SHEET_CELL,
    SHEET_SIDE,
    Style,
    channels_of,
    draw_map,
    kernels_sheet,
    overview_sheet,
    ranges,
    results,
    source_crop,
)
from transxnet.study import StudyOptions, study

SIDE = SHEET_SIDE


def sheet_width(columns: int) -> int:
    return round((2 * PAGE_MARGIN + columns * SHEET_CELL + (columns - 1) * GAP) * DPI)


@pytest.fixture(scope="module")
def small_study():
    return study(small_model(), image(), StudyOptions(stage=2))


@pytest.fixture(scope="module")
def untrained():
    """The same, as a model that nobody trained; its maps are an eighth as large, to the last bit."""
    each_study = study(small_model("untrained"), image(), StudyOptions(stage=2))
    return dataclasses.replace(
        each_study, grad_cam=dataclasses.replace(each_study.grad_cam, heatmap=each_study.grad_cam.heatmap / 8)
    )


def stands_on(page: np.ndarray, part: np.ndarray) -> bool:
    corners = np.argwhere((page == part[0, 0]).all(axis=-1))
    high, wide = part.shape[:2]
    return any(np.array_equal(page[y : y + high, x : x + wide], part) for y, x in corners)


def test_source_crop_uses_the_uploads_pixels(small_study):
    upload = image().rgb
    assert (source_crop(small_study, upload, 80) == upload[:, 10:90]).all()
    assert (source_crop(small_study, side=64) == small_study.crop.rgb).all()
    assert (source_crop(small_study, upload) == crop_source(upload, (10, 0, 90, 80), (768, 768))).all()


def test_compared_studies_share_each_range(small_study, untrained):
    single, both = ranges([untrained]), ranges([untrained, small_study])
    assert list(both) == ["attention", "kernels", "grad_cam", "receptive_field"]
    assert both["grad_cam"] == (0, pytest.approx(small_study.grad_cam.heatmap.max()))
    assert single["grad_cam"][1] == pytest.approx(both["grad_cam"][1] / 8)
    chosen = np.abs(small_study.kernels.kernels[representatives(small_study.kernels, 16)]).max()
    assert both["kernels"] == (pytest.approx(-chosen), pytest.approx(chosen))


def test_drawn_head_sets_the_range(small_study):
    assert ranges([small_study], Style(head=2))["attention"][1] == small_study.attention.heads[1].max()
    assert ranges([small_study])["attention"][1] == small_study.attention.mean.max()


def test_overview_shows_every_map_on_one_scale(small_study, untrained):
    page, both = (overview_sheet([small_study, untrained], image().rgb, "a.png")), ranges([small_study, untrained])
    for each_study in (small_study, untrained):
        photo = source_crop(each_study, image().rgb, SIDE)
        for name, result in results(each_study).items():
            assert stands_on(page, draw_result(result, photo, both[name], channels=channels_of(result))), name
    assert page.shape[1] == sheet_width(6)


def test_overview_follows_the_style(small_study):
    style = Style(head=1, opacity=0.4, colormaps={"attention": "viridis"})
    page = overview_sheet([small_study], None, style=style, names=["attention"], with_predictions=False)
    photo = source_crop(small_study, None, SIDE)
    expected = draw_result(
        small_study.attention, photo, (0, float(small_study.attention.heads[0].max())), 1, None, 0.4, "viridis"
    )
    assert stands_on(page, expected)
    assert (
        draw_map(small_study, "attention", photo, ranges([small_study], style)["attention"], style) == expected
    ).all()
    assert page.shape[1] == sheet_width(1)


def test_missing_maps_are_left_empty(small_study):
    without = dataclasses.replace(small_study, grad_cam=None)
    assert (overview_sheet([small_study, without])).shape == (overview_sheet([small_study, small_study])).shape
    assert "grad_cam" not in ranges([without])


def test_kernels_sheet_shows_kernels_difference_and_gates(small_study):
    page = kernels_sheet(small_study, [0, 3])
    assert page.shape[1] == sheet_width(5)  # G = 2
    chosen = small_study.kernels.kernels[[0, 3]]
    largest = max(np.abs(chosen).max(), np.abs(small_study.kernels.static_kernels[[0, 3]]).max())
    assert stands_on(
        page, draw_result(small_study.kernels, np.zeros((SIDE, SIDE, 3)), (-largest, largest), channels=[0, 3])[:50]
    )


def test_unavailable_maps_give_a_reason(small_study):
    """Gray words at the top of the empty cell, and nothing else there."""
    without = dataclasses.replace(small_study, attention=None, missing={"attention": "no OSRA here"})
    silent = dataclasses.replace(without, missing={})
    views = ("attention", "grad_cam")
    with_reason, empty = (
        (overview_sheet([small_study, other], names=views, with_predictions=False)) for other in (without, silent)
    )
    rows, columns = np.nonzero((with_reason != empty).any(axis=-1))
    assert len(rows) > 0
    assert rows.max() - rows.min() < SIDE / 10  # one line
    assert columns.max() < SIDE  # in the first of the two cells


def test_learned_kernels_have_a_single_column():
    learned = study(small_model(idconv=False), image(), StudyOptions(stage=2, analyses=("kernels",)))
    assert len(learned.kernels.gates) == 1
    page = kernels_sheet(learned, [0, 3])
    assert page.shape[1] == sheet_width(1)


def test_tone_applies_to_images_and_bars(small_study, untrained):
    photo, limits = source_crop(small_study, side=SIDE), ranges([small_study])
    tone = Tone(gamma=0.5, threshold=0.3, mode=NORMALIZED)
    for each_study in (small_study, untrained):  # eight times weaker, and the same image on its own scale
        assert (
            draw_map(each_study, "grad_cam", photo, limits["grad_cam"], Style(tone=tone))
            == draw_result(small_study.grad_cam, photo, limits["grad_cam"], tone=dataclasses.replace(tone, mode=RAW))
        ).all()
    page = overview_sheet([small_study], None, style=Style(tone=tone), names=["grad_cam"], with_predictions=False)
    size = (13, SIDE)
    assert stands_on(page, colorbar(limits["grad_cam"], "inferno", size=size, tone=tone))
    assert not stands_on(page, colorbar(limits["grad_cam"], "inferno", size=size))
