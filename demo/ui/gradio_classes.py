"""Classes of Gradio that this page replaces, where Gradio has no option for what they do.

Each function replaces one from now on, in every Gradio app of this process. Calling it again changes nothing.
"""

from __future__ import annotations

import secrets
import sys
from types import SimpleNamespace
from typing import Any

import gradio.state_holder
import uvicorn
from gradio import http_server, route_utils
from gradio.state_holder import SessionState

from ..http_policy import set_timeouts


class _TimedServer(http_server.Server):
    """A server with time-outs: Gradio builds the uvicorn.Config by itself, and hands it over before it is loaded."""

    def __init__(self, config: uvicorn.Config, *args: Any, **kwargs: Any):
        set_timeouts(config)
        super().__init__(config, *args, **kwargs)


def limit_connections() -> None:
    """Servers close connections that wait for nothing."""
    http_server.Server = _TimedServer


class _RandomlyNamedUpload(route_utils.GradioUploadFile):
    """Gradio names an upload's folder by the digest of its content; with a salt, the path is known to its sender only.

    Without it, who has an image could upload it too, see the digest, and ask whether there is a file of another name in
    that folder: whether another visitor has uploaded the same image, and under which file name.

    The file in that folder has the visitor's name for it, as far as file names here can hold it.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.sha.update(secrets.token_bytes(32))
        if self.filename is not None:
            self.filename = _encodable(self.filename, sys.getfilesystemencoding())


def _encodable(name: str, encoding: str) -> str:
    """The name with "_" in place of characters that an encoding lacks, and of "?", which no file name should have."""
    return name.encode(encoding, "replace").decode(encoding).replace("?", "_")


def name_uploads_randomly() -> None:
    """Store every upload under an unpredictable path."""
    route_utils.GradioUploadFile = _RandomlyNamedUpload


class LeanSessionState(SessionState):
    """Gradio's memory of a session, with its gr.State and updated components, but `config_values` stays empty.

    For its deep links, which this page does not offer, Gradio builds the configuration of every component when a
    session begins (0.4 MB, 40 ms of the event loop) and then keeps the last value of each one, as large as it was sent.
    Every API call without a session hash begins a session.
    """

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
    """Sessions remember no values that events carried."""
    gradio.state_holder.SessionState = LeanSessionState
