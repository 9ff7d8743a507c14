"""Examples that need no network: each is what it says, and the bundled model's answer is the one that is claimed."""

from __future__ import annotations

import pytest

from demo.examples import Example, examples
from demo.i18n.translate import tr
from transxnet import load
from transxnet.images import decode
from transxnet.study import StudyOptions, study


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_prediction_is_the_true_class_unless_marked(example: Example):
    pico = load("pico", device="cpu")
    top = study(pico, decode(example.path), StudyOptions(analyses=())).predictions.top[0]
    assert (top.wnid != example.wnid) == example.misclassified
    if example.wnid is not None:
        assert pico.spec.labels.names[pico.spec.labels.wnids.index(example.wnid)] == example.name
    else:
        assert example.name not in pico.spec.labels.names  # a class that the model does not know


def test_first_three_are_classified_correctly_and_failures_are_labeled():
    assert not any(example.misclassified for example in examples()[:3])
    failures = [example for example in examples() if example.misclassified]
    assert failures
    assert all(example.note == tr("examples.misclassified") for example in failures)


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_source_author_and_license_are_stated(example: Example):
    assert example.license in ("Apache-2.0", "CC0-1.0", "public domain")
    assert example.source
    assert example.author
    assert decode(example.path).notes == ()
