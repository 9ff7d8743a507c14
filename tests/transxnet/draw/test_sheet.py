from __future__ import annotations

import cv2
import numpy as np

from transxnet.draw.bars import colorbar
from transxnet.draw.png import to_png
from transxnet.draw.sheet import CELL_PX, Cell, Column, Row, sheet

RED = [179, 38, 30]


def noise(seed: int, side: int = CELL_PX) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def places(page: np.ndarray, image: np.ndarray) -> list[tuple[int, int]]:
    """(row, column) of every exact copy of the image on the page."""
    corners = np.argwhere((page[..., 0] == image[0, 0, 0]) & (page[..., 1] == image[0, 0, 1]))
    high, wide = image.shape[:2]
    return [(y, x) for y, x in corners.tolist() if np.array_equal(page[y : y + high, x : x + wide], image)]


def test_png_keeps_every_pixel():
    image = noise(0, 17)
    decoded = cv2.imdecode(np.frombuffer(to_png(image), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert (decoded == image).all()


def test_images_stand_unchanged_one_row_a_variant_one_column_a_view():
    first, second, third = noise(1), noise(2), noise(3)
    columns = [Column("Attention", value_range=(0, 0.3)), Column("Grad-CAM")]
    page = sheet(columns, [Row("pico", [Cell(first), Cell(second)]), Row("t", [None, Cell(third)])])
    (a,), (b,), (c,) = places(page, first), places(page, second), places(page, third)
    assert a[0] == b[0] < c[0]
    assert a[1] < b[1] == c[1]
    (bar,) = places(page, colorbar((0, 0.3), "magma", False, (10, CELL_PX)))
    assert bar[1] == a[1]  # above its column
    assert bar[0] < a[0]


def test_random_weights_are_said_in_red():
    def red(untrained: bool) -> int:
        page = sheet([Column("Kernels")], [Row("pico", [Cell(np.zeros((8, 8, 3)))], untrained=untrained)])
        return int((np.abs(page.astype(int) - RED).sum(axis=2) < 30).sum())

    assert red(untrained=False) == 0
    assert red(untrained=True) > 100


def test_a_small_kernel_grid_is_enlarged_without_mixing_colors():
    grid = np.uint8([[[255, 0, 0], [0, 0, 255]]]).repeat(2, axis=0)
    page = sheet([Column("Kernels")], [Row("pico", [Cell(grid)])])
    enlarged = grid.repeat(CELL_PX // 2, axis=0).repeat(CELL_PX // 2, axis=1)
    assert len(places(page, enlarged)) == 1


def test_long_words_make_the_sheet_taller_not_wider():
    short = sheet([Column("A", "b")], [Row("pico", [Cell(noise(4))])])
    long = sheet(
        [Column("A", "what exactly " * 20)],
        [Row("pico", [Cell(noise(4), "and then " * 20)], note="note " * 30, provenance="$ somewhere " * 20)],
        title="a_name_that_goes_on_and_on_and_on_and_on.jpg",
        notes=["What this does not say. " * 10],
    )
    assert long.shape[1] == short.shape[1]
    assert long.shape[0] > short.shape[0] + 100
    assert len(places(long, noise(4))) == 1
