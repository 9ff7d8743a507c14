"""Messages: the English text, and what a translation needs."""

from __future__ import annotations

import pickle

from transxnet.messages import Message


def test_message_is_text_with_template_and_values():
    message = Message("{model} has no stage {stage}.", model="pico", stage=5)
    assert message == "pico has no stage 5."
    assert (message.template, message.values) == ("{model} has no stage {stage}.", {"model": "pico", "stage": 5})


def test_text_without_values_keeps_its_braces():
    assert Message("a {brace}") == "a {brace}"


def test_pickled_message_keeps_its_template():
    restored = pickle.loads(pickle.dumps(Message("{n} keys", n=Message("seven"))))
    assert (restored, restored.template, restored.values["n"].template) == ("seven keys", "{n} keys", "seven")
