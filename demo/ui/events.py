"""What the page's own scripts send with an event, which anybody can send: read by demo/parameters.py's definitions."""

from __future__ import annotations

from typing import Any

from ..parameters import EVENTS


def sent(event: Any, name: str) -> Any:
    """A field of an event's data, unchecked; None where there is none, and where the data is no object."""
    try:
        return getattr(event, name, None)
    except TypeError:  # gr.EventData looks the name up in whatever was sent
        return None


def read(event: Any, name: str) -> Any:
    """A field of an event's data. Raises InvalidValue where it is not what EVENTS declares."""
    return EVENTS[name].validate(sent(event, name))
