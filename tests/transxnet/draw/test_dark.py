"""Figures on a dark page: ground, text and lines change; photos, maps and color bars stay as they are."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.text import Text

from transxnet.draw.canvas import Canvas, style_axes
from transxnet.draw.dark import COLORS, CONTRAST, GROUND
from transxnet.draw.figure import StudyFigure
from transxnet.draw.text import SERIES, WARNING

PHOTO = np.full((40, 40, 3), 255, np.uint8)  # white, as a photo may be
GROUND_RGB = np.round(255 * np.asarray(to_rgb(GROUND)))


def luminance(color) -> float:
    rgb = np.asarray(to_rgb(color))
    return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722))


def contrast(color) -> float:
    return (luminance(color) + 0.05) / (luminance(GROUND) + 0.05)


@pytest.fixture
def canvas() -> Canvas:
    canvas = Canvas(3, dpi=100, margin=0)
    canvas.image(0, 0, PHOTO)
    canvas.tiles(1, 0, np.ones((2, 3, 3), np.float32), (-1, 1), tap=5, gap=10, columns=2)
    canvas.y = 0.5
    canvas.heading("A title", "and what it says")
    canvas.rule()
    axes = canvas.axes(0.5, 1.2, 2, 1)
    for i, color in enumerate((*SERIES, "none", WARNING)):
        axes.plot([0, 1], [i, i], color=color)
    axes.fill_between([0, 1], 0, 1, color=SERIES[0], alpha=0.2)
    style_axes(axes, "x", "y")
    canvas.y = 2.6
    return canvas


def test_everything_but_images_is_legible_on_the_ground(canvas):
    canvas.to_dark_rgb()
    texts = [text.get_color() for text in canvas.figure.findobj(Text) if text.get_text()]
    lines = [line.get_color() for line in canvas.figure.findobj(Line2D) if line.get_xdata() is not None]
    assert texts
    for color in texts:
        assert contrast(color) >= CONTRAST - 0.01, color
    thin = {COLORS[name] for name in COLORS} | {"none"}
    for color in lines:
        assert contrast(color) >= CONTRAST - 0.01 or tuple(color) in {(*to_rgb(one), 1.0) for one in thin - {"none"}}


def test_photos_stay_and_the_ground_is_dark(canvas):
    light, dark = canvas.to_rgb(), canvas.to_dark_rgb()
    assert light.shape == dark.shape
    assert (light[-1, -1] == 255).all()
    assert (dark[-1, -1] == GROUND_RGB).all()
    assert np.array_equal(dark[:40, :40], PHOTO)
    assert np.array_equal(dark[3:14, 103:114], light[3:14, 103:114])  # a kernel
    assert (dark[5, 119] == GROUND_RGB).all()  # between two kernels
    assert (light[5, 119] == 255).all()


def test_a_figure_of_a_canvas_is_white_and_keeps_the_canvas(canvas):
    figure = StudyFigure("name", "Title", "Caption", "alt", "", canvas)
    assert (figure.image[-1, -1] == 255).all()
    assert figure.canvas is canvas
    assert StudyFigure("name", "Title", "Caption", "alt", "", PHOTO).canvas is None
