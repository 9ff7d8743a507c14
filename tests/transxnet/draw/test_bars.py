from __future__ import annotations

import numpy as np

from transxnet.draw.bars import prediction_bars
from transxnet.draw.text import ACCENT, SOFT
from transxnet.results import Prediction


def rgb(hexadecimal: str) -> list[int]:
    return [int(hexadecimal[i : i + 2], 16) for i in (1, 3, 5)]


def length(line: np.ndarray, color: list[int]) -> int:
    return int((line == color).all(axis=-1).sum())


def test_bars_show_probabilities_and_mark_the_target():
    predictions = (Prediction(31, "n02165456", "ladybug", 0.75, 3.0), Prediction(7, "n0", "be$e$", 0.25, 1.0))
    image = prediction_bars(predictions, target=7, width=400)
    assert image.shape == (400, 400, 3)
    first, second = image[round(0.68 * 200)], image[round(1.68 * 200)]
    assert abs(length(first, rgb(SOFT)) - 300) <= 2
    assert abs(length(second, rgb(ACCENT)) - 100) <= 2
