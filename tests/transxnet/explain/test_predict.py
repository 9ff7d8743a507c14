"""Answers: softmax, order and names, one image or many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.tiny import model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import LensError, WeightsMismatch
from transxnet.explain.observe import observe
from transxnet.explain.predict import predict, predict_batch
from transxnet.labels import LabelSet

WORDS = ("ant", "bee", "cat", "dog", "elk", "fox", "gnu")
LABELS = LabelSet("seven", tuple(f"n{i}" for i in range(7)), WORDS, WORDS)


@pytest.fixture(scope="module")
def model():
    return recipe_model()


def answered(model, *logits: float):
    """What one sees when the model answers with these logits."""
    return replace(observe(model, model_input(32, 32), ()), logits=torch.tensor([logits]))


def test_softmax_order_and_names(model):
    thirds = answered(model, 0.0, np.log(4), -50.0, np.log(2), -50.0, 0.0, -50.0)  # 1 : 4 : 0 : 2 : 0 : 1 : 0
    found = predict(thirds, LABELS, top=4)
    assert [(a.index, a.wnid, a.label) for a in found.top] == [
        (1, "n1", "bee"), (3, "n3", "dog"), (0, "n0", "ant"), (5, "n5", "fox"),  # a tie goes to the lower index
    ]  # fmt: skip
    assert [a.probability for a in found.top] == pytest.approx([1 / 2, 1 / 4, 1 / 8, 1 / 8])
    assert found.top[0].logit == pytest.approx(np.log(4))
    np.testing.assert_allclose(found.probabilities, [1 / 8, 1 / 2, 0, 1 / 4, 0, 1 / 8, 0], atol=1e-6)
    assert found.probabilities.dtype == found.logits.dtype == np.float32


def test_large_logits_do_not_overflow(model):
    found = predict(answered(model, 1000.0, 999.0, 0, 0, 0, 0, -1000.0), LABELS)
    assert found.top[0].probability == pytest.approx(1 / (1 + np.exp(-1)))


def test_an_observed_image_gets_the_models_answer(model):
    seen = observe(model, model_input(), grad=True)
    found = predict(seen, LABELS)
    assert np.array_equal(found.logits, seen.logits.detach()[0].numpy())
    assert len(found.top) == 5
    assert found.top[0].index == int(seen.logits.detach().argmax())
    assert found.probabilities.sum() == pytest.approx(1, rel=1e-5)
    assert len(predict(seen, LABELS, top=100).top) == 7


def test_a_batch_gets_the_answers_of_its_images(model):
    images = [model_input(64, 64, seed) for seed in range(7)]
    alone = [predict(observe(model, image), LABELS) for image in images]
    together = list(predict_batch(model, (p.tensor for p in images), LABELS, batch_size=3))
    assert len(together) == 7
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(other.logits, one.logits, rtol=1e-4, atol=1e-5)
        assert [a.index for a in one.top] == [a.index for a in other.top]
    assert np.ptp([p.logits[0] for p in alone]) > 0.1  # images differ, so their order shows


def test_a_batch_is_read_as_it_is_needed(model):
    taken = []

    def tensors():
        for seed in range(5):
            taken.append(seed)
            yield model_input(32, 32, seed).tensor

    answers = predict_batch(model, tensors(), LABELS, batch_size=2)
    assert taken == []
    next(answers)
    assert taken == [0, 1]
    assert torch.is_grad_enabled()  # between two answers the caller's own setting holds
    assert len(list(answers)) == 4
    assert list(predict_batch(model, [], LABELS)) == []


def test_autocast_is_for_cuda_only(model):
    tensors = [model_input(32, 32).tensor]
    (plain,), (asked) = (
        predict_batch(model, tensors, LABELS),
        list(predict_batch(model, tensors, LABELS, autocast=True)),
    )
    assert np.array_equal(plain.logits, asked[0].logits)


def test_labels_must_fit_the_model(model):
    six = LabelSet("six", LABELS.wnids[:6], WORDS[:6], WORDS[:6])
    with pytest.raises(WeightsMismatch, match="7 classes, six names 6"):
        predict(observe(model, model_input(32, 32), ()), six)


def test_a_model_in_training_is_refused(model):
    model.train()
    try:
        with pytest.raises(LensError, match="training mode"):
            next(predict_batch(model, [model_input(32, 32).tensor], LABELS))
    finally:
        model.eval()
