from __future__ import annotations

import numpy as np

from transxnet.draw.bars import SOFT, answers_bars, colorbar
from transxnet.draw.colormaps import lut
from transxnet.draw.text import ACCENT
from transxnet.results import Prediction


def rgb(hexadecimal: str) -> list[int]:
    return [int(hexadecimal[i : i + 2], 16) for i in (1, 3, 5)]


def run_of(line: np.ndarray, color: list[int]) -> int:
    return int((line == color).all(axis=-1).sum())


def test_a_color_bar_runs_through_the_whole_table():
    bar = colorbar((0.0, 0.3), "magma", size=(4, 256))
    assert bar.shape == (4, 256, 3)
    assert (bar == lut("magma")[None]).all()


def test_a_signed_color_bar_shows_the_part_of_the_map_that_its_range_covers():
    bar = colorbar((-1.0, 3.0), "RdBu_r", signed=True, size=(1, 5))[0, ::2]  # -1, 1 and 3 of -3 to 3
    assert (bar == lut("RdBu_r")[[85, 170, 255]]).all()


def test_the_colors_of_a_root_scale_stand_where_their_values_are():
    bar = colorbar((0.0, 4.0), "viridis", size=(1, 5), root=True)[0]  # values 0 1 2 3 4
    assert (bar[[0, 1, 4]] == lut("viridis")[[0, 128, 255]]).all()


def test_a_range_of_one_value_still_has_a_color_bar():
    assert (colorbar((0.0, 0.0), "magma", size=(1, 256)) == lut("magma")[None]).all()


def test_bars_are_as_long_as_their_probabilities_and_the_explained_one_is_dark():
    answers = (Prediction(31, "n02165456", "ladybug", 0.75, 3.0), Prediction(7, "n0", "be$e$", 0.25, 1.0))
    image = answers_bars(answers, explained=7, size=(200, 400))
    first, second = image[round(0.68 * 100)], image[round(1.68 * 100)]
    assert abs(run_of(first, rgb(SOFT)) - 300) <= 2
    assert abs(run_of(second, rgb(ACCENT)) - 100) <= 2
