"""What one visitor looks at, and the values of the page's controls: ids and numbers only, never tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from transxnet.errors import OutOfRange
from transxnet.explain.ablation.catalog import parse_ablation, parse_ablations
from transxnet.explain.ablation.masking import FILLS, parse_mask

from .i18n.tabs import TABS
from .validation import Parameter, choice, flag, text, texts, whole_number

EVERY_ASKED = "asked"  # Session.every when the button was pressed
OWN = -2  # Session.other: the visitor's last own image but the one that is looked at
UPLOADS = 2  # kept in mind
KEY = 12  # letters of an image's key by which the browser says which one it means


@dataclass(frozen=True)
class Session:
    """image: the key under which Studio keeps it. example: its number among the examples, -1 for an upload."""

    image: str = ""
    example: int = -1
    position: tuple[int, int] = (0, 0)  # in pixels of the upright image
    target: str | None = None  # a WNID, so that variants with other label sets can look it up
    active: str = "overview"
    clicks: int = 0  # of tabs on this page, by its own count
    variants: tuple[str, ...] = ("pico",)
    other: int = -1  # the second image: an example, -1 the one after the image's own, OWN the visitor's
    language: str = "en"  # of the words the server makes (demo/languages.py)
    tour: int = 0  # step of the guided tour, from 1; 0: none
    compared: str = "attention"  # the map that Compare sets side by side
    photos: bool = False  # Compare: two photos on one variant, instead of variants on one photo
    edits: tuple[str, ...] = ()  # What if: parts switched off
    mask: str = ""  # What if: the painted region
    held: tuple[str, ...] = ()  # keys of the attention tables that this visitor's browser was sent (demo/tables.py)
    fill: str = "gray"  # What if: what stands in the painted region
    every: str = ""  # What if: whether every change stands below, one at a time (demo/below.py)
    shown: tuple[str, str] = ("", "")  # the image and the view whose answer stands on the page
    visitor: str = ""  # whose it is (demo/visitors.py)
    asked_language: str = ""  # by the address; "" is the browser's own
    gone: tuple[int, ...] = ()  # what the last `go` set: its number, stage, Grad-CAM's stage, block
    went: float = 0.0  # when, by time.monotonic
    uploads: tuple[str, ...] = ()  # keys of the visitor's own images, the last first, to come back to

    def on_upload(self, key: str) -> Session:
        """The session with one more image of the visitor's own."""
        return replace(self, uploads=(key, *(one for one in self.uploads if one != key))[:UPLOADS])


@dataclass(frozen=True)
class Controls:
    """Values of the components that every event gets, in the order of Page.inputs after the session."""

    variants: list[str]
    stage: int
    cam_layer: int
    block: int  # of attention and kernels, from 1; 0 is the stage's last
    slower: bool = False
    beside: bool = False


NAME_LENGTH = 120  # characters of a model's or a class's name
MASK_TEXT = 20_000  # characters of a painted region that are read
AGAIN = "Load the page again."


def _itself(value: Any) -> Any:
    return value


def _check_mask(text: str) -> None:
    if text:
        parse_mask(text)


CHANGES: Mapping[str, Parameter] = MappingProxyType(
    {
        parameter.name: parameter
        for parameter in (
            Parameter("active", choice(*TABS), description="the tab that is open"),
            Parameter("clicks", whole_number(0, 10**9), description="clicks of tabs, by the page's own count"),
            Parameter("compared", text(40), description="the map that Compare shows"),
            Parameter("photos", flag(), description="whether Compare shows two images"),
            Parameter("edits", texts(64, 80, parse_ablation), description="parts switched off"),
            Parameter("mask", text(MASK_TEXT, _check_mask), description="the painted region"),
            Parameter("fill", choice(*FILLS), description="what replaces it"),
            Parameter("every", flag(), description="whether the table of all changes is wanted"),
            Parameter("held", texts(64, 200), description="keys of the tables that the browser holds"),
        )
    }
)  # what a view's own script may change
BECOMES: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "edits": lambda keys: tuple(str(switch) for switch in parse_ablations(keys)),
        "every": lambda wanted: EVERY_ASKED if wanted else "",
        "held": lambda keys: (),  # a browser that lost its tables says so
    }
)  # what some of them become in a Session


def changed(session: Session, change: Any) -> Session:
    """The session after a view's script asked for this; fields that are none of CHANGES stay as they are.

    Raises LensError for what cannot be used; nothing is changed then.
    """
    if not isinstance(change, Mapping):
        raise OutOfRange("The page sent no change where one was expected.", remedy=AGAIN)
    valid = {name: CHANGES[name].validate(value) for name, value in change.items() if name in CHANGES}
    return replace(session, **{name: BECOMES.get(name, _itself)(value) for name, value in valid.items()})
