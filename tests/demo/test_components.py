"""What our Gradio components change of Gradio's."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr

from demo.ui.components import Blocks


def test_a_generators_values_are_sent_whole_and_only_when_they_have_changed():
    """Differences inside a value would be worked into the object that the browser was told before."""
    blocks, function = Blocks(analytics_enabled=False), SimpleNamespace(outputs=[None] * 3)

    def told(*values: object, final: bool = False) -> list:
        return blocks.handle_streaming_diffs(function, list(values), "visitor", "run", final)

    first = {"step": 5}
    assert told(first, "a", [1]) == [{"step": 5}, "a", [1]]
    assert told({"step": 5, "of": 6}, "a", [1]) == [[["replace", [], {"step": 5, "of": 6}]], [], []]
    assert told(gr.skip(), "ab", [1]) == [[["replace", [], gr.skip()]], [["replace", [], "ab"]], []]
    assert first == {"step": 5}
    assert told(None, None, None, final=True) == [gr.skip()] * 3  # nothing is sent twice
    assert not blocks.pending_diff_streams["visitor"]
