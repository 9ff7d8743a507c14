from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.small import image, small_model
from transxnet.draw import sheet as sheets
from transxnet.draw.bars import colorbar
from transxnet.draw.overlay import crop_view
from transxnet.draw.scale import NORMALIZED, RAW, Tone
from transxnet.draw.views import draw
from transxnet.explain.kernels.kernels import representatives
from transxnet.export.images import Style, channels_of, kernels_sheet, ranges, results, sheet, source_crop
from transxnet.export.images import image as drawn
from transxnet.study import StudyOptions, study

SIDE = sheets.CELL_PX


@pytest.fixture(scope="module")
def looked():
    return study(small_model(), image(), StudyOptions(stage=2))


@pytest.fixture(scope="module")
def untrained():
    """The same, as a model that nobody trained; its maps are an eighth as large, to the last bit."""
    made = study(small_model("untrained"), image(), StudyOptions(stage=2))
    return dataclasses.replace(made, grad_cam=dataclasses.replace(made.grad_cam, heatmap=made.grad_cam.heatmap / 8))


def stands_on(page: np.ndarray, part: np.ndarray) -> bool:
    corners = np.argwhere((page == part[0, 0]).all(axis=-1))
    high, wide = part.shape[:2]
    return any(np.array_equal(page[y : y + high, x : x + wide], part) for y, x in corners)


def test_the_photo_is_what_the_view_covers_in_the_uploads_own_pixels(looked):
    upload = image().rgb
    assert (source_crop(looked, upload, 80) == upload[:, 10:90]).all()
    assert (source_crop(looked, side=64) == looked.crop.rgb).all()
    assert (source_crop(looked, upload) == crop_view(upload, (10, 0, 90, 80), (768, 768))).all()


def test_studies_that_stand_together_share_each_range(looked, untrained):
    alone, both = ranges([untrained]), ranges([untrained, looked])
    assert list(both) == ["attention", "kernels", "grad_cam", "receptive_field"]
    assert both["grad_cam"] == (0, pytest.approx(looked.grad_cam.heatmap.max()))
    assert alone["grad_cam"][1] == pytest.approx(both["grad_cam"][1] / 8)
    chosen = np.abs(looked.kernels.kernels[representatives(looked.kernels, 16)]).max()
    assert both["kernels"] == (pytest.approx(-chosen), pytest.approx(chosen))


def test_the_head_that_is_drawn_sets_the_range(looked):
    assert ranges([looked], Style(head=2))["attention"][1] == looked.attention.heads[1].max()
    assert ranges([looked])["attention"][1] == looked.attention.mean.max()


def test_a_sheet_holds_every_view_on_the_shared_scale(looked, untrained):
    page, both = (sheet([looked, untrained], image().rgb, "a.png")), ranges([looked, untrained])
    for made in (looked, untrained):
        photo = source_crop(made, image().rgb, SIDE)
        for name, result in results(made).items():
            assert stands_on(page, draw(result, photo, both[name], channels=channels_of(result))), name
    assert page.shape[1] == round((2 * sheets.MARGIN + 6 * sheets.CELL + 5 * sheets.GAP) * sheets.DPI)


def test_a_sheet_of_one_view_in_another_style(looked):
    style = Style(head=1, opacity=0.4, colormaps={"attention": "viridis"})
    page = sheet([looked], None, style=style, names=["attention"], answers=False)
    photo = source_crop(looked, None, SIDE)
    expected = draw(looked.attention, photo, (0, float(looked.attention.heads[0].max())), 1, None, 0.4, "viridis")
    assert stands_on(page, expected)
    assert (drawn(looked, "attention", photo, ranges([looked], style)["attention"], style) == expected).all()
    assert page.shape[1] == round((2 * sheets.MARGIN + sheets.CELL) * sheets.DPI)


def test_a_view_that_one_study_lacks_is_left_empty(looked):
    without = dataclasses.replace(looked, grad_cam=None)
    assert (sheet([looked, without])).shape == (sheet([looked, looked])).shape
    assert "grad_cam" not in ranges([without])


def test_kernels_in_full_one_square_for_generated_static_difference_and_each_groups_gates(looked):
    page = kernels_sheet(looked, [0, 3])
    assert page.shape[1] == round((2 * sheets.MARGIN + 5 * sheets.CELL + 4 * sheets.GAP) * sheets.DPI)  # G = 2
    chosen = looked.kernels.kernels[[0, 3]]
    largest = max(np.abs(chosen).max(), np.abs(looked.kernels.static_kernels[[0, 3]]).max())
    assert stands_on(page, draw(looked.kernels, np.zeros((SIDE, SIDE, 3)), (-largest, largest), channels=[0, 3])[:50])


def test_a_view_that_a_variant_cannot_give_says_why_in_its_place(looked):
    """Gray words at the top of the empty cell, and nothing else there."""
    without = dataclasses.replace(looked, attention=None, missing={"attention": "no OSRA here"})
    silent = dataclasses.replace(without, missing={})
    views = ("attention", "grad_cam")
    said, empty = ((sheet([looked, other], names=views, answers=False)) for other in (without, silent))
    rows, columns = np.nonzero((said != empty).any(axis=-1))
    assert len(rows) > 0
    assert rows.max() - rows.min() < SIDE / 10  # one line
    assert columns.max() < SIDE  # in the first of the two cells


def test_learned_kernels_in_full_are_one_column_that_does_not_call_them_generated():
    learned = study(small_model(idconv=False), image(), StudyOptions(stage=2, only=("kernels",)))
    assert len(learned.kernels.gates) == 1
    page = kernels_sheet(learned, [0, 3])
    assert page.shape[1] == round((2 * sheets.MARGIN + sheets.CELL) * sheets.DPI)


def test_a_style_sets_gamma_threshold_and_mode_of_images_and_bars(looked, untrained):
    photo, found = source_crop(looked, side=SIDE), ranges([looked])
    tone = Tone(gamma=0.5, threshold=0.3, mode=NORMALIZED)
    for made in (looked, untrained):  # eight times weaker, and the same image on its own scale
        assert (
            drawn(made, "grad_cam", photo, found["grad_cam"], Style(tone=tone))
            == draw(looked.grad_cam, photo, found["grad_cam"], tone=dataclasses.replace(tone, mode=RAW))
        ).all()
    page = sheet([looked], None, style=Style(tone=tone), names=["grad_cam"], answers=False)
    size = (round(0.06 * sheets.DPI), SIDE)
    assert stands_on(page, colorbar(found["grad_cam"], "inferno", size=size, tone=tone))
    assert not stands_on(page, colorbar(found["grad_cam"], "inferno", size=size))
