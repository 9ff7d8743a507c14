"""A visitor's Session and Controls as the State of a link, and back. No gradio here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from transxnet.errors import OutOfRange, quote

from .cells import Json
from .examples import example_name, examples
from .i18n.translate import tr
from .links import WHAT, State, query_of
from .session import AGAIN, OWN, Controls, Session


def middle(size: tuple[int, int]) -> tuple[int, int]:
    """Where the crosshair stands at first. size: width and height in pixels."""
    return (size[0] - 1) // 2, (size[1] - 1) // 2


def state_of(session: Session, controls: Controls, size: tuple[int, int], default: str) -> State:
    """What this visitor looks at. size: of the image. default: the variant that the page opens on."""
    return State(
        image=_label(session.example),
        variants=() if session.variants == (default,) else session.variants,
        view=session.active,
        stage=controls.stage,
        block=controls.block,
        cam=controls.cam_layer,
        position=None if session.position == middle(size) else session.position,
        target=session.target or "",
        compared=session.compared,
        second=_label(session.other),
        tour=session.tour,
        language=session.asked_language,
        edits=session.edits,
        photos=session.photos,
    )


def arrived(state: State, session: Session, controls: Controls, default: str) -> tuple[Session, Controls]:
    """Session and controls that show this state; the image and the point in it are its caller's to find."""
    names = state.variants or (default,)
    session = replace(
        session, variants=names, active=state.view, target=state.target or None, compared=state.compared,
        other=session.other if session.other == OWN and not state.second else number_of(state.second),
        tour=state.tour, language=state.language or session.language,
        asked_language=state.language, edits=state.edits, photos=state.photos,
    )  # fmt: skip
    changes = {"variants": list(names), "stage": state.stage, "block": state.block, "cam_layer": state.cam}
    return session, replace(controls, **changes)


def link(state: State, upload: bool, painted: bool = False, second: bool = False) -> Json:
    """What js/links.js writes into the address, and its words. upload: whether the image is the visitor's own.

    painted: whether a region is painted out. second: whether the second image is the visitor's own. None of these is
    in the address.
    """
    first = examples()[0].label
    lost = [tr("links.upload", example=example_name(first))] * upload
    lost += [tr("links.reference_image")] * second + [tr("links.mask")] * painted
    query = query_of(replace(state, position=None) if upload else state)  # a place in another image means nothing
    return {
        "query": {} if query == {"image": first} else query,
        "keys": list(WHAT),
        "first": first,  # the image of an address without any key
        "upload": " ".join(lost),
        "words": {
            "copy": tr("links.copy"), "copied": tr("links.copied"), "selected": tr("links.selected"),
            "address": tr("links.address"),
        },
    }  # fmt: skip


def asked_of(go: Mapping[str, Any]) -> dict[str, Any]:
    """A script's wish with the image by its label instead of its number. Raises OutOfRange for what is no number."""
    asked = {key: value for key, value in go.items() if key != "example"}
    if "example" in go:
        asked["image"] = _label(int(number(go["example"], "An example's number")))
    return asked


def wish(go: Any) -> Mapping[str, Any]:
    """Where a script wants to go. Raises OutOfRange for what is no wish."""
    if not isinstance(go, Mapping):
        raise OutOfRange("The page asked to go nowhere.", remedy=AGAIN)
    return go


def number(value: Any, what: str) -> float:
    """A finite number that a script sent. Raises OutOfRange for anything else. what: it is, in words."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise OutOfRange(f"{what} is a number, not {quote(value)}.", remedy=AGAIN)
    return value


def number_of(label: str) -> int:
    """The number of the example that is called so; -1 for none."""
    return next((i for i, example in enumerate(examples()) if example.label == label), -1)


def _label(number: int) -> str:
    return examples()[number].label if 0 <= number < len(examples()) else ""
