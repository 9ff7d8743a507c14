from __future__ import annotations

import cv2
import numpy as np
import pytest

from transxnet.draw.colormaps import lut
from transxnet.draw.overlay import crop_source, mark, overlay
from transxnet.draw.scale import MASKED, Tone


def test_overlay_pixels_equal_the_blend_by_hand():
    photo = np.full((1, 2, 3), (200, 100, 50), np.uint8)
    pixels = overlay(photo, np.float32([[1 / 16, 1.0]]), (0.0, 1.0), "viridis", opacity=0.8)
    gray = round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)  # 124
    faint, full = lut("viridis")[round(255 / 16)], lut("viridis")[255]
    assert pixels[0, 0].tolist() == [round(0.9 * gray + 0.1 * int(c)) for c in faint]  # alpha = 0.8 * (1/16)**0.75
    assert pixels[0, 1].tolist() == [round(0.2 * gray + 0.8 * int(c)) for c in full]


def test_full_opacity_reaches_the_ends_of_the_colormap():
    photo = np.random.default_rng(2).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    heatmap = np.zeros((4, 4), np.float32)
    heatmap[0, 0], heatmap[1, 1] = 3, -3
    pixels = overlay(photo, heatmap, (-3.0, 3.0), "RdBu_r", opacity=1, signed=True)
    assert (pixels[0, 0] == lut("RdBu_r")[255]).all()
    assert (pixels[1, 1] == lut("RdBu_r")[0]).all()
    assert (pixels[2:] == cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[2:, :, None]).all()


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
@pytest.mark.parametrize("signed", [False, True])
def test_empty_maps_leave_the_gray_photo(value, signed):
    photo = np.random.default_rng(3).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    pixels = overlay(photo, np.full((4, 4), value, np.float32), (0.0, 0.0), signed=signed)
    assert (pixels == cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None]).all()


def test_photos_may_be_read_only():
    photo = np.zeros((2, 2, 3), np.uint8)
    photo.setflags(write=False)
    assert overlay(photo, np.ones((2, 2)), (0.0, 1.0)).shape == (2, 2, 3)
    assert mark(photo, (0, 0), (2, 2)).flags.writeable


def test_source_crop_equals_its_box():
    upload = np.random.default_rng(4).integers(0, 256, (10, 20, 3), dtype=np.uint8)
    assert (crop_source(upload, (5.0, 0.0, 15.0, 10.0), (10, 10)) == upload[:, 5:15]).all()


def test_source_crop_enlarges_about_pixel_centers():
    upload = np.full((8, 8, 3), 100, np.uint8)
    upload[:, 4:] = 200
    pixels = crop_source(upload, (0.0, 0.0, 8.0, 8.0), (32, 32))[16, :, 0].astype(int)
    assert (np.abs(pixels + pixels[::-1] - 300) <= 1).all()  # symmetric about the edge between pixels 3 and 4


def test_marks_are_rings_about_their_position():
    image = np.full((400, 400, 3), 128, np.uint8)
    marked = mark(image, (24.5, 49.5), (100, 100))  # (99.5, 199.5) of the drawing
    changed = np.argwhere((marked != 128).any(axis=2))
    assert changed.mean(axis=0) == pytest.approx((199.5, 99.5), abs=0.6)
    assert (marked[199, 99] == 128).all()  # the inside of the ring shows the image
    assert (image == 128).all()


def test_masked_shows_the_photo_above_the_threshold():
    photo = np.uint8([[[200, 100, 50], [200, 100, 50], [200, 100, 50]]])
    pixels = overlay(
        photo, np.float32([[1, 4, np.nan]]), (0.0, 4.0), opacity=0.8, tone=Tone(threshold=0.5, mode=MASKED)
    )
    assert pixels[0].tolist() == [[40, 20, 10], [200, 100, 50], [40, 20, 10]]  # a fifth of the light is left


def test_values_below_the_threshold_show_the_photo():
    photo = np.full((1, 2, 3), (200, 100, 50), np.uint8)
    pixels = overlay(photo, np.float32([[0.2, 1.0]]), (0.0, 1.0), "viridis", opacity=1, tone=Tone(threshold=0.25))
    assert pixels[0].tolist() == [[124] * 3, lut("viridis")[255].tolist()]
