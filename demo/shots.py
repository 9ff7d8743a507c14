"""The columns of the page for a file: those that are there, each as the page explains it. No gradio here."""

from __future__ import annotations

from collections.abc import Sequence

from transxnet.errors import LensError
from transxnet.export.rows import Shot
from transxnet.study import StudyOptions

from .columns import comparable_options, variant_title
from .i18n.translate import message
from .studio import Studio


def shots_of(
    studio: Studio, key: str, names: Sequence[str], options: StudyOptions, other: str = ""
) -> tuple[list[Shot], dict[str, str]]:
    """Shots of the image kept under `key`, and why variants are left out. other: the key of a second image.

    Raises LensError where none is there.
    """
    shots: list[Shot] = []
    left: dict[str, str] = {}
    for name in names:
        entry = studio.peek(name)
        if entry is not None and entry.loaded is None:
            left[name] = str(entry.error) if entry.error is not None else "still on its way"
            continue
        try:
            own = comparable_options(options, shots[0].study if shots else None)
            shots.append(Shot(variant_title(name), studio.study(key, name, own, other), studio.image(key).rgb))
        except LensError as error:
            left[name] = str(error)
    if not shots and left:
        told = next(iter(left.values())) if len(left) == 1 else message("exports.not_ready", names=", ".join(left))
        raise LensError(told, remedy=message("exports.not_ready_remedy"))
    return shots, left
