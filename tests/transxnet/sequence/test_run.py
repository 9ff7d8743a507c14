"""A sequence's numbers are those of the frames, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fixtures.small_model import image, small_model
from transxnet.errors import OutOfRange
from transxnet.explain.kernels.kernels import kernels
from transxnet.explain.observe import observe
from transxnet.explain.predict import predict
from transxnet.images import prepare_for
from transxnet.sequence import analyze


@pytest.fixture(scope="module")
def frames():
    return [image(seed, 80, 80) for seed in (0, 1, 0)]


@pytest.fixture(scope="module")
def sequence(frames):
    return analyze(small_model(), frames, stage=3, block=1)


def test_every_frame_has_its_own_kernels_gates_and_predictions(sequence, frames):
    loaded = small_model()
    for i, frame in enumerate(frames):
        observation = observe(loaded.model, prepare_for(frame, loaded.spec))
        expected = kernels(observation, 3, 1)
        np.testing.assert_array_equal(sequence.kernels[i], expected.kernels[sequence.channels])
        np.testing.assert_array_equal(sequence.gates[i], expected.gates[0, sequence.channels])
        assert sequence.predictions[i].top == predict(observation, loaded.spec.labels).top
        np.testing.assert_array_equal(sequence.crops[i], observation.model_input.crop)


def test_channels_are_those_that_change_most(sequence, frames):
    loaded = small_model()
    first, second = (kernels(observe(loaded.model, prepare_for(f, loaded.spec)), 3, 1) for f in frames[:2])
    norm = np.linalg.norm(first.static_kernels, axis=(1, 2))
    change = np.linalg.norm(second.kernels - first.kernels, axis=(1, 2)) / norm
    assert sequence.channels.tolist() == np.argsort(-change, kind="stable")[:16].tolist()
    np.testing.assert_allclose(sequence.distance, [0, np.median(change), 0], rtol=1e-6)


def test_learned_kernels_do_not_change(frames):
    sequence = analyze(small_model(idconv=False), frames[:2])
    assert sequence.distance.tolist() == [0, 0]
    assert (sequence.gates == 1).all()


def test_progress_counts_frames(frames):
    finished: list[int] = []
    analyze(small_model(), frames, progress=finished.append)
    assert finished == [1, 2, 3]


def test_missing_layer_is_an_error(frames):
    with pytest.raises(OutOfRange, match="has no stage 5"):
        analyze(small_model(), frames, stage=5)
