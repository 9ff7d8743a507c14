"""Examples that need no network."""

from __future__ import annotations

from demo import examples as module
from demo.examples import Example, examples
from transxnet.images import decode


def test_examples_are_in_the_installed_packages_and_can_be_shown():
    found = examples()
    assert len(found) >= 4
    assert len({decode(example.path, name=example.label).sha256 for example in found}) == len(found)
    assert all(example.label for example in found)


def test_what_is_not_there_is_left_out(monkeypatch):
    there = examples()[0]
    monkeypatch.setattr(module, "_EXAMPLES", (Example("gradio", "media_assets/images/gone.jpg", "gone", ""), there))
    examples.cache_clear()
    try:
        assert examples() == (there,)
    finally:
        examples.cache_clear()
