"""A view of a picture by machine: names and numbers as a program sends them -> files, as the page's Download makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transxnet.errors import OutOfRange, UnknownName
from transxnet.export.rows import Shot
from transxnet.images import Picture
from transxnet.study import Options

from .captions import VIEWS
from .captions import exports as words
from .columns import beside, variant_title, with_costs
from .exports import File, export, manifest_of
from .exports_asked import Asked, display_of
from .links import LONGEST
from .studio import Studio
from .wanted import WANTED

EXACT = {"attention": ("attention", "both_ways"), "kernels": ("kernels",)}  # where the page itself has less, or more


class Asking:
    """Studies of a Studio as files."""

    def __init__(self, studio: Studio):
        self.studio = studio

    def about(
        self, picture: Picture, view: str, variants: str, display: Mapping[str, Any] | None = None,
        compared: str = "attention", only: tuple[str, ...] = (), **options: Any,
    ) -> Asked:  # fmt: skip
        """variants: names with commas. options: fields of Options; block 0 is the last. An empty target is the answer
        of the first variant, which the others explain as well.

        Raises UnknownName for a view that there is not, OutOfRange for too many variants, LensError as study does.
        """
        if view not in VIEWS or view == "tour":
            known = ", ".join(name for name in VIEWS if name != "tour")
            raise UnknownName(words.NO_VIEW.format(name=view[:40]), remedy=f"Choose one of: {known}.")
        names = self.studio.check_names(name for name in str(variants)[:LONGEST].split(",") if name.strip())
        if not names:
            raise OutOfRange(words.SO_MANY.format(count=0), remedy=words.SO_MANY_REMEDY)
        numbers = {key: int(options[key]) for key in ("stage", "block", "cam_stage")}
        target = str(options.pop("target", "")).strip() or None
        wanted = Options(
            **{**options, **numbers}, target=target, only=only or EXACT.get(view, WANTED[view].maps),
        )  # fmt: skip
        key = self.studio.add(picture, visitor=False)
        shots: list[Shot] = []
        for name in names:
            own = beside(wanted, shots[0].study if shots else None)
            shots.append(Shot(variant_title(name), self.studio.study(key, name, own), picture.rgb))
        columns = with_costs(self.studio, names, [shot.study for shot in shots])
        timings = self.studio.timer.run(names) if view == "compare" else {}
        computed = {name: value for name, value in options.items() if name not in numbers} | numbers
        computed |= {"target": target, "block": numbers["block"] or "last", "point": shots[0].study.point}
        return Asked(
            view, shots, [picture], [""], computed, display_of(display or {}), compared,
            columns=columns, timings=timings,
        )  # fmt: skip

    def files(self, asked: Asked, *kinds: str) -> tuple[dict[str, Any], list[File]]:
        """The manifest as JSON, and a file of each kind."""
        made = [export(kind, asked) for kind in kinds]
        return manifest_of(asked), made
