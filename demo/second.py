"""The second image: which one it is, and the same variants on it, looked at from the same place of the view."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from transxnet.study import StudyOptions

from .columns import Column, gather
from .examples import Example
from .session import OWN, Session
from .studio import Studio

ANALYSES = ("attention", "kernels")  # what two photos are compared by


@dataclass(frozen=True)
class Second:
    """key: under which Studio keeps it. example: its number, -1 for the visitor's own. label: what it shows, or ""."""

    key: str
    example: int = -1
    label: str = ""


def second_of(session: Session, studio: Studio, examples: Sequence[Example]) -> Second:
    """What was chosen, else the example after the image's own; never that image itself."""
    if session.other == OWN and (own := own_before(session, studio)):
        return Second(own)
    wanted = session.other if session.other >= 0 else session.example + 1
    number = (wanted + (wanted == session.example)) % len(examples)
    example = examples[number]
    return Second(studio.add_example(example.path, example.label), number, example.label)


def own_before(session: Session, studio: Studio) -> str:
    """The key of the visitor's last own image but the one that is looked at; "" where none is kept."""
    return next((key for key in session.uploads if key != session.image and studio.keeps(key)), "")


def gather_second(
    studio: Studio, session: Session, key: str, options: StudyOptions, newest: Callable[[], bool]
) -> Iterator[list[Column]]:
    """As `gather`: the session's variants on the image kept under `key`."""
    position = same_place(session.position, studio.image(session.image).size, studio.image(key).size)
    return gather(studio, key, session.variants, replace(options, position=position, analyses=ANALYSES), newest)


def same_place(position: tuple[float, float], size: tuple[int, int], other: tuple[int, int]) -> tuple[float, float]:
    """The point of another image that stands in the same place of the view. Sizes: (width, height) in pixels.

    A view is a square about the image's middle, its side a share of the shorter one: so the distance from the middle
    keeps its share of that. A point whose place lies outside the other image is held at its edge.
    """
    shares = min(other) / min(size)
    return tuple(
        min(max((p + 0.5 - side / 2) * shares + o / 2 - 0.5, 0.0), o - 1.0)
        for p, side, o in zip(position, size, other, strict=True)
    )
