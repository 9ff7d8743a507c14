"""What Gradio remembers about a session: its gr.State and updated components, not the values that events carried.

For its deep links, which this page does not offer, Gradio builds the configuration of every component when a session
begins (0.4 MB, 40 ms of the event loop) and then keeps the last value of each one, as large as it was sent. Every API
call without a session hash begins a session.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gradio.state_holder
from gradio.state_holder import SessionState


class LeanSessionState(SessionState):
    """A SessionState whose `config_values` stays empty."""

    def __init__(self, blocks: Any):
        # Gradio configures those components that are in blocks.blocks: none here.
        super().__init__(SimpleNamespace(default_config=blocks.default_config, blocks=()))

    def __setitem__(self, key: int, value: Any) -> None:
        super().__setitem__(key, value)
        self.config_values.clear()

    def _update_config(self, key: int) -> None:
        """Called after an event updated a component."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Called with every value that an event received or returned."""


def keep_no_values() -> None:
    """Make Gradio create LeanSessionState objects from now on; it has no option for it."""
    gradio.state_holder.SessionState = LeanSessionState
