"""The ratio is of one run's own figures."""

from __future__ import annotations

import pytest

from tests.small import small_model
from transxnet.cli.study_timing import in_words, plain_forward, timing


def test_the_ratio_is_seconds_a_image_over_a_pass_of_every_model(monkeypatch):
    seconds = {"small": 0.02, "small@untrained": 0.03}
    monkeypatch.setattr("transxnet.cli.study_timing.plain_forward", lambda model: seconds[model.name])
    told = timing(30.0, 3, [small_model(), small_model("untrained")])
    assert told["plain_forward_seconds"] == seconds
    assert told["plain_forwards_a_image"] == pytest.approx(10 / 0.05)
    words = "3 images in 30.0 s: 10.0 s each, as long as 200 plain forward passes (50.0 ms of all models"
    assert in_words(told).startswith(words)


def test_a_pass_is_timed():
    assert 0 < plain_forward(small_model()) < 5
