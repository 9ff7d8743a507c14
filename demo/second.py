"""The same variants on a second picture, looked at from the same place of the view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from transxnet.study import Options

from .columns import Column, gather
from .session import Session
from .studio import Studio

PARTS = ("attention", "kernels")  # what two photographs are compared by


def gather_second(
    studio: Studio, session: Session, key: str, options: Options, newest: Callable[[], bool]
) -> Iterator[list[Column]]:
    """As `gather`: the session's variants on the picture kept under `key`."""
    point = same_place(session.point, studio.picture(session.picture).size, studio.picture(key).size)
    return gather(studio, key, session.variants, replace(options, point=point, only=PARTS), newest)


def same_place(point: tuple[float, float], size: tuple[int, int], other: tuple[int, int]) -> tuple[float, float]:
    """The point of another picture that stands in the same place of the view. Sizes: (width, height) in pixels.

    A view is a square about the picture's middle, its side a share of the shorter one: so the distance from the middle
    keeps its share of that. A point whose place lies outside the other picture is held at its edge.
    """
    shares = min(other) / min(size)
    return tuple(
        min(max((p + 0.5 - side / 2) * shares + o / 2 - 0.5, 0.0), o - 1.0)
        for p, side, o in zip(point, size, other, strict=True)
    )
