"""Pages of maps: images unchanged in rows and columns, color bars, warnings, tables."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from transxnet.draw.compose import GAP, PAGE_MARGIN, Cell, ColorScale, Composition, Heading, compose
from transxnet.draw.figure import StudyFigure, Table
from transxnet.draw.overlay import to_png
from transxnet.draw.sanity_checks import HEAD
from transxnet.draw.scale import colorbar

RED = [179, 38, 30]
SIDE = 160
OUTCOMES = [
    ("Attention rollout (approximation)", "insensitive", "worse", "-0.96", "0.221", "0.115 ± 0.099", "0.106",
     "0.087 ± 0.024", "0.012",
     "It asks about one unit and makes no claim about the class. Uniform for random copies as well."),
    ("Grad-CAM", "follows", "inconclusive", "0.32", "0.037", "0.058 ± 0.035", "0.059", "0.054 ± 0.033", "0.4", ""),
]  # fmt: skip


def noise(seed: int, side: int = SIDE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def cell(image: np.ndarray, caption: str = "") -> Cell:
    return Cell(lambda side: image, caption)


def page(columns, rows, **parts) -> np.ndarray:
    return compose(Composition(parts.pop("title", ""), columns=columns, rows=rows, **parts), SIDE, 2.0).to_rgb()


def places(page: np.ndarray, image: np.ndarray) -> list[tuple[int, int]]:
    """(row, column) of every exact copy of the image on the page."""
    corners = np.argwhere((page[..., 0] == image[0, 0, 0]) & (page[..., 1] == image[0, 0, 1]))
    high, wide = image.shape[:2]
    return [(y, x) for y, x in corners.tolist() if np.array_equal(page[y : y + high, x : x + wide], image)]


def test_png_keeps_every_pixel():
    image = noise(0, 17)
    decoded = cv2.imdecode(np.frombuffer(to_png(image), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert (decoded == image).all()


def test_images_stay_unchanged_in_rows_and_columns():
    first, second, third = noise(1), noise(2), noise(3)
    columns = [Heading("Attention", scale=ColorScale((0, 0.3))), Heading("Grad-CAM")]
    pixels = page(columns, [(Heading("pico"), [cell(first), cell(second)]), (Heading("t"), [None, cell(third)])])
    (a,), (b,), (c,) = places(pixels, first), places(pixels, second), places(pixels, third)
    assert a[0] == b[0] < c[0]
    assert a[1] < b[1] == c[1]
    (bar,) = places(pixels, colorbar((0, 0.3), "magma", False, (13, SIDE)))
    assert bar[1] == a[1]  # above its column
    assert bar[0] < a[0]
    assert pixels.shape[1] == round((2 * PAGE_MARGIN + 4 + GAP) * SIDE / 2)


def test_color_bars_may_belong_to_rows():
    image = noise(1)
    pixels = page([Heading("pico")], [(Heading("Attention", scale=ColorScale((0, 0.3))), [cell(image)])])
    (bar,) = places(pixels, colorbar((0, 0.3), "magma", False, (13, SIDE)))
    assert bar[0] < places(pixels, image)[0][0]


def test_random_weights_are_marked_in_red():
    def red_pixels(untrained: bool) -> int:
        pixels = page(
            [Heading("Kernels")], [(Heading("pico", untrained=untrained), [cell(np.zeros((8, 8, 3), np.uint8))])]
        )
        return int((np.abs(pixels.astype(int) - RED).sum(axis=2) < 30).sum())

    assert red_pixels(untrained=False) == 0
    assert red_pixels(untrained=True) > 100


def test_small_images_are_enlarged_by_whole_numbers():
    grid = np.uint8([[[255, 0, 0], [0, 0, 255]]]).repeat(2, axis=0)
    pixels = page([Heading("Kernels")], [(Heading("pico"), [cell(grid)])])
    assert len(places(pixels, grid.repeat(SIDE // 2, axis=0).repeat(SIDE // 2, axis=1))) == 1


def test_long_text_makes_pages_taller_not_wider():
    short = page([Heading("A", ["b"])], [(Heading("pico"), [cell(noise(4))])])
    long = page(
        [Heading("A", ["what exactly " * 20])],
        [(Heading("pico", ["note " * 30, "$ somewhere " * 20]), [cell(noise(4), "and then " * 20)])],
        title="a_name_that_goes_on_and_on_and_on_and_on.jpg",
        notes=["A limitation. " * 10],
    )
    assert long.shape[1] == short.shape[1]
    assert long.shape[0] > short.shape[0] + 100
    assert len(places(long, noise(4))) == 1


def test_cells_may_give_a_reason_instead():
    reason, empty = (page([Heading("A")], [(Heading("pico"), [text])]) for text in ("no OSRA here", None))
    assert (reason < 128).sum() > (empty < 128).sum()


@pytest.mark.parametrize("rows", [OUTCOMES, OUTCOMES * 5])
def test_tables_cut_no_word_while_columns_have_room(rows):
    figure = StudyFigure("checks", "Sanity checks", "A caption.", "Words.", "Limits.", None, Table(HEAD, rows))
    svg = compose(Composition("A title", "And a subtitle.", figures=[figure]), 400).to_svg("")
    assert "…" not in svg
    for word in {word for line in (HEAD, *rows) for text in line for word in text.split()}:
        assert word in svg


def test_figures_are_as_wide_as_the_page():
    figure = StudyFigure("a", "A", "Caption.", "Alt.", "Limits.", noise(5))
    canvas = compose(Composition("Title", figures=[figure]), SIDE, 2.0)
    pixels = canvas.to_rgb()
    side = round(canvas.room * canvas.dpi)
    assert len(places(pixels, cv2.resize(noise(5), (side, side), interpolation=cv2.INTER_NEAREST))) == 1
