"""A view of an image by machine: names and numbers as a program sends them -> files, as the page's Download makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transxnet.backbones.spec import spec_of
from transxnet.errors import OutOfRange, UnknownName, quote
from transxnet.export.rows import Shot
from transxnet.images import SourceImage
from transxnet.labels import label_set
from transxnet.study import StudyOptions, find_class

from .columns import comparable_options, variant_title, with_costs
from .exports import File, export, manifest_of
from .exports_asked import Asked, display_of
from .i18n.tabs import TABS
from .i18n.translate import message
from .links import LONGEST
from .studio import Studio
from .wanted import WANTED

EXACT = {
    "attention": ("attention", "position_attention"),
    "kernels": ("kernels",),
}  # where the page itself has less, or more


def check_target(target: str | None, name: str, follow: bool = False) -> None:
    """Refuse an unknown model or target class before anything is loaded.

    Args:
        target: StudyOptions.target.
        name: The model that explains it.
        follow: Whether the target is another model's answer, which this one need not know.

    Raises:
        UnknownName: There is no such model, or no label set has such a class.
        OutOfRange: The model has no class of this index.
    """
    find_class(target, label_set(spec_of(name)[0].label_set), follow)


class Asking:
    """Studies of a Studio as files."""

    def __init__(self, studio: Studio):
        self.studio = studio

    def about(
        self, image: SourceImage, view: str, variants: str, display: Mapping[str, Any] | None = None,
        compared: str = "attention", only: tuple[str, ...] = (), **options: Any,
    ) -> Asked:  # fmt: skip
        """variants: names with commas. options: fields of StudyOptions; block 0 is the last. An empty target is the
        answer
        of the first variant, which the others explain as well.

        Raises UnknownName for a view that there is not, OutOfRange for too many variants, LensError as study does.
        """
        if view not in TABS or view == "tour":
            known = ", ".join(name for name in TABS if name != "tour")
            raise UnknownName(message("exports.no_tab", name=quote(view)), remedy=f"Choose one of: {known}.")
        names = self.studio.check_names(name for name in variants[:LONGEST].split(",") if name.strip())
        if not names:
            raise OutOfRange(message("exports.model_count", count=0), remedy=message("exports.model_count_remedy"))
        numbers = {key: int(options[key]) for key in ("stage", "block", "cam_layer")}
        target = str(options.pop("target", "")).strip() or None
        for name in names:
            check_target(target, name, follow=name != names[0])
        wanted = StudyOptions(
            **{**options, **numbers}, target=target, analyses=only or EXACT.get(view, WANTED[view].maps),
        )  # fmt: skip
        key = self.studio.add(image, visitor=False)
        shots: list[Shot] = []
        for name in names:
            own = comparable_options(wanted, shots[0].study if shots else None)
            shots.append(Shot(variant_title(name), self.studio.study(key, name, own), image.rgb))
        columns = with_costs(self.studio, names, [shot.study for shot in shots])
        timings = self.studio.timer.run(names) if view == "compare" else {}
        computed = {name: value for name, value in options.items() if name not in numbers} | numbers
        computed |= {"target": target, "block": numbers["block"] or "last", "position": shots[0].study.position}
        return Asked(
            view, shots, [image], [""], computed, display_of(display or {}), compared,
            columns=columns, timings=timings,
        )  # fmt: skip

    def files(self, asked: Asked, *kinds: str) -> tuple[dict[str, Any], list[File]]:
        """The manifest as JSON, and a file of each kind."""
        made = [export(kind, asked) for kind in kinds]
        return manifest_of(asked), made
