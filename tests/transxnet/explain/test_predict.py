"""Predictions: softmax, order and names, one image or many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.fixtures.tiny_model import model_input, recipe_model
from transxnet.errors import LensError, WeightsMismatch
from transxnet.explain.observe import observe
from transxnet.explain.predict import predict, predict_batch
from transxnet.labels import LabelSet

NAMES = ("ant", "bee", "cat", "dog", "elk", "fox", "gnu")
LABELS = LabelSet("seven", tuple(f"n{i}" for i in range(7)), NAMES, NAMES)


@pytest.fixture(scope="module")
def model():
    return recipe_model()


def observation_with_logits(model, *logits: float):
    """An observation with these logits."""
    return replace(observe(model, model_input(32, 32), ()), logits=torch.tensor([logits]))


def test_softmax_order_and_names(model):
    observation = observation_with_logits(
        model, 0.0, np.log(4), -50.0, np.log(2), -50.0, 0.0, -50.0
    )  # 1 : 4 : 0 : 2 : 0 : 1 : 0
    predictions = predict(observation, LABELS, top=4)
    assert [(a.index, a.wnid, a.label) for a in predictions.top] == [
        (1, "n1", "bee"), (3, "n3", "dog"), (0, "n0", "ant"), (5, "n5", "fox"),  # a tie goes to the lower index
    ]  # fmt: skip
    assert [a.probability for a in predictions.top] == pytest.approx([1 / 2, 1 / 4, 1 / 8, 1 / 8])
    assert predictions.top[0].logit == pytest.approx(np.log(4))
    np.testing.assert_allclose(predictions.probabilities, [1 / 8, 1 / 2, 0, 1 / 4, 0, 1 / 8, 0], atol=1e-6)
    assert predictions.probabilities.dtype == predictions.logits.dtype == np.float32


def test_large_logits_do_not_overflow(model):
    predictions = predict(observation_with_logits(model, 1000.0, 999.0, 0, 0, 0, 0, -1000.0), LABELS)
    assert predictions.top[0].probability == pytest.approx(1 / (1 + np.exp(-1)))


def test_predictions_equal_the_models_logits(model):
    observation = observe(model, model_input(), grad=True)
    predictions = predict(observation, LABELS)
    assert np.array_equal(predictions.logits, observation.logits.detach()[0].numpy())
    assert len(predictions.top) == 5
    assert predictions.top[0].index == int(observation.logits.detach().argmax())
    assert predictions.probabilities.sum() == pytest.approx(1, rel=1e-5)
    assert len(predict(observation, LABELS, top=100).top) == 7


def test_batches_equal_single_images(model):
    images = [model_input(64, 64, seed) for seed in range(7)]
    single = [predict(observe(model, image), LABELS) for image in images]
    batched = list(predict_batch(model, (p.tensor for p in images), LABELS, batch_size=3))
    assert len(batched) == 7
    for expected, predictions in zip(single, batched, strict=True):
        np.testing.assert_allclose(predictions.logits, expected.logits, rtol=1e-4, atol=1e-5)
        assert [a.index for a in expected.top] == [a.index for a in predictions.top]
    assert np.ptp([p.logits[0] for p in single]) > 0.1  # images differ, so their order matters


def test_batches_are_read_lazily(model):
    consumed = []

    def tensors():
        for seed in range(5):
            consumed.append(seed)
            yield model_input(32, 32, seed).tensor

    predictions = predict_batch(model, tensors(), LABELS, batch_size=2)
    assert consumed == []
    next(predictions)
    assert consumed == [0, 1]
    assert torch.is_grad_enabled()  # between two batches the caller's setting applies
    assert len(list(predictions)) == 4
    assert list(predict_batch(model, [], LABELS)) == []


def test_autocast_is_for_cuda_only(model):
    tensors = [model_input(32, 32).tensor]
    (plain,), (autocast) = (
        predict_batch(model, tensors, LABELS),
        list(predict_batch(model, tensors, LABELS, autocast=True)),
    )
    assert np.array_equal(plain.logits, autocast[0].logits)


def test_labels_must_match_the_model(model):
    six = LabelSet("six", LABELS.wnids[:6], NAMES[:6], NAMES[:6])
    with pytest.raises(WeightsMismatch, match="7 classes, but six names 6"):
        predict(observe(model, model_input(32, 32), ()), six)


def test_training_mode_is_refused(model):
    model.train()
    try:
        with pytest.raises(LensError, match="training mode"):
            next(predict_batch(model, [model_input(32, 32).tensor], LABELS))
    finally:
        model.eval()
