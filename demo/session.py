"""What one visitor looks at, and the values of the page's controls: ids and numbers only, never tensors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from transxnet.errors import OutOfRange, UnknownName
from transxnet.explain.painting import FILLS, read_mask
from transxnet.explain.switches import read_switches

from .captions import VIEWS

EVERY_ASKED = "asked"  # Session.every when the button was pressed
OWN = -2  # Session.other: the visitor's last own picture but the one that is looked at
UPLOADS = 2  # kept in mind
KEY = 12  # letters of a picture's key by which the browser says which one it means


@dataclass(frozen=True)
class Session:
    """picture: the key under which Studio keeps it. example: its number among the examples, -1 for an upload."""

    picture: str = ""
    example: int = -1
    point: tuple[int, int] = (0, 0)  # in pixels of the upright picture
    target: str | None = None  # a WNID, so that variants with other label sets can look it up
    active: str = "overview"
    clicks: int = 0  # of tabs on this page, by its own count
    variants: tuple[str, ...] = ("pico",)
    other: int = -1  # the second picture: an example, -1 the one after the picture's own, OWN the visitor's
    language: str = "en"  # of the words the server makes (demo/languages.py)
    tour: int = 0  # step of the guided tour, from 1; 0: none
    compared: str = "attention"  # the map that Compare sets side by side
    photographs: bool = False  # Compare: two photographs on one variant, instead of variants on one photograph
    edits: tuple[str, ...] = ()  # What if: parts switched off
    mask: str = ""  # What if: the painted region
    held: tuple[str, ...] = ()  # keys of the attention tables that this visitor's browser was sent (demo/tables.py)
    fill: str = "grey"  # What if: what stands in the painted region
    every: str = ""  # What if: whether every change stands below, one at a time (demo/below.py)
    shown: tuple[str, str] = ("", "")  # the picture and the view whose answer stands on the page
    visitor: str = ""  # whose it is (demo/visitors.py)
    asked_language: str = ""  # by the address; "" is the browser's own
    gone: tuple[int, ...] = ()  # what the last `go` set: its number, stage, Grad-CAM's stage, block
    went: float = 0.0  # when, by time.monotonic
    uploads: tuple[str, ...] = ()  # keys of the visitor's own pictures, the last first, to come back to

    def on_upload(self, key: str) -> Session:
        """The session with one more picture of the visitor's own."""
        return replace(self, uploads=(key, *(one for one in self.uploads if one != key))[:UPLOADS])


@dataclass(frozen=True)
class Controls:
    """Values of the components that every event gets, in the order of Page.inputs after the session."""

    variants: list[str]
    stage: int
    cam_stage: int
    block: int  # of attention and kernels, from 1; 0 is the stage's last
    slower: bool = False
    beside: bool = False


def _edits(value: Any) -> tuple[str, ...]:
    """Raises LensError for what is no list of changes."""
    return tuple(str(switch) for switch in read_switches(_listed(value)))


def _mask(value: Any) -> str:
    if value:
        read_mask(str(value)[:MASK_TEXT])
    return str(value or "")


def _one_of(value: Any, names: Collection[str], words: str) -> str:
    """words: what is said of another value, {name} in them."""
    if not isinstance(value, str) or value not in names:
        raise UnknownName(words.format(name=repr(str(value)[:40])), remedy=f"Choose one of: {', '.join(names)}.")
    return value


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _listed(value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)):
        raise OutOfRange("The page sent no list where one was expected.", remedy=AGAIN)
    return [str(one)[:80] for one in value[:64]]


MASK_TEXT = 20_000  # characters of a painted region that are read
AGAIN = "Load the page again."
CHANGES: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "active": lambda value: _one_of(value, VIEWS, "There is no view {name}."),
        "clicks": _count,
        "compared": lambda value: str(value)[:40],
        "photographs": bool,
        "edits": _edits,
        "mask": _mask,
        "fill": lambda value: _one_of(value, FILLS, "Nothing is filled with {name}."),
        "every": lambda value: EVERY_ASKED if value else "",
        "held": lambda value: (),  # a browser that lost its tables says so
    }
)  # what a view's own script may change, and what it becomes


def changed(session: Session, change: Any) -> Session:
    """The session after a view's script asked for this; fields that are none of CHANGES stay as they are.

    Raises LensError for what cannot be used; nothing is changed then.
    """
    if not isinstance(change, Mapping):
        raise OutOfRange("The page sent no change where one was expected.", remedy=AGAIN)
    return replace(session, **{name: CHANGES[name](value) for name, value in change.items() if name in CHANGES})
