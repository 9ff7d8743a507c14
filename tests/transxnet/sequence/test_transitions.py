"""The frames of transitions: what the first and the last show, and where windows move."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.fixtures.small_model import SPEC, image
from transxnet.errors import LensError, OutOfRange, UnknownName
from transxnet.images import decode, prepare_for
from transxnet.sequence import TRANSITIONS, transition


def spec(image_size: int = 64, crop_pct: float = 1.0, crop_mode: str = "center") -> SimpleNamespace:
    return SimpleNamespace(
        image_size=image_size, crop_pct=crop_pct, crop_mode=crop_mode, interpolation="bicubic", mean=SPEC.mean,
        std=SPEC.std,
    )  # fmt: skip


@pytest.mark.parametrize("size", [(100, 80), (81, 97), (150, 60), (64, 64)])
@pytest.mark.parametrize("crop", [(64, 1.0, "center"), (64, 0.875, "center"), (65, 0.9, "center"), (64, 0.9, "squash")])
def test_crossfade_starts_and_ends_with_the_model_inputs(size, crop):
    model, first, second = spec(*crop), image(0, *size), image(1, 90, 120)
    frames = list(transition("crossfade", model, first, second, 3))
    for frame, source in ((frames[0], first), (frames[-1], second)):
        assert np.array_equal(prepare_for(frame, model).crop, prepare_for(source, model).crop)


def test_crossfade_is_the_mean_in_the_middle():
    first, middle, last = (frame.rgb.astype(int) for frame in transition("crossfade", spec(), image(0), image(1), 3))
    assert np.abs(2 * middle - first - last).max() <= 1


@pytest.mark.parametrize("name", TRANSITIONS)
def test_frames_are_squares_that_preparing_does_not_resize(name):
    frames = list(transition(name, spec(64, 0.8), image(0), image(1), 4))
    assert [frame.size for frame in frames] == [(80, 80)] * 4


def ramp(width: int, height: int, axis: int) -> np.ndarray:
    """Gray levels that rise by one a pixel along an axis."""
    values = np.arange((height, width)[axis], dtype=np.uint8)
    gray = np.broadcast_to(values[:, None] if axis == 0 else values, (height, width))
    return decode(np.stack([gray] * 3, axis=2))


@pytest.mark.parametrize(("size", "axis"), [((200, 90), 1), ((90, 200), 0)])
def test_pan_moves_along_the_long_side(size, axis):
    frames = list(transition("pan", spec(60), ramp(*size, axis), count=3))
    centers = [frame.rgb[30, 30, 0] for frame in frames]
    np.testing.assert_allclose(centers, [30, 99.5, 169.5], atol=1)  # a window of 60 in 200


def test_zoom_shows_the_middle_third_at_the_end():
    first, last = (
        frame.rgb[30, :, 0].astype(int) for frame in transition("zoom", spec(60), ramp(180, 180, 1), count=2)
    )
    assert (first.min(), first.max()) == (pytest.approx(1, abs=1), pytest.approx(178, abs=1))
    assert (last.min(), last.max()) == (pytest.approx(60, abs=1), pytest.approx(119, abs=1))


def test_rotation_turns_once_and_shows_no_outside():
    white = decode(np.full((90, 140, 3), 255, np.uint8))
    assert min(frame.rgb.min() for frame in transition("rotate", spec(), white, count=9)) == 255
    frames = [frame.rgb.astype(int) for frame in transition("rotate", spec(64), image(3, 100, 100), count=5)]
    assert np.abs(frames[0] - frames[4]).mean() < 0.1
    for turns in (1, 2, 3):  # quarter turns, clockwise
        assert np.abs(np.rot90(frames[0], -turns) - frames[turns]).mean() < 3


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (("spin", 4), UnknownName, "There is no transition called 'spin'."),
        (("zoom", 1), OutOfRange, "A sequence cannot have 1 frames. Choose 2 to 600."),
        (("zoom", 601), OutOfRange, "A sequence cannot have 601 frames."),
        (("crossfade", 4), LensError, "A crossfade needs two images."),
    ],
)
def test_impossible_transitions_are_refused(arguments, error, text):
    name, count = arguments
    with pytest.raises(error, match=text.replace(".", r"\.")):
        transition(name, spec(), image(), None, count)
