"""Files of the endpoints: a tab of an image, with parameters as a program sends them."""

from __future__ import annotations

from typing import Any

from transxnet.backbones.spec import spec_of
from transxnet.errors import OutOfRange, UnknownName, quote
from transxnet.export.rows import Shot
from transxnet.images import SourceImage
from transxnet.labels import label_set
from transxnet.study import StudyOptions, find_class

from .columns import comparable_options, model_title, with_costs
from .export_request import Display, ExportRequest
from .exports import File, export, manifest_of
from .i18n.translate import message
from .service import StudyService
from .state import MAX_QUERY_VALUE, TABS
from .views import VIEWS

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


def request_of_tab(
    service: StudyService, image: SourceImage, tab: str, models: str, display: Display | None = None,
    compared: str = "attention", analyses: tuple[str, ...] = (), **options: Any,
) -> ExportRequest:  # fmt: skip
    """What a file of a tab shows.

    Args:
        service: Models and studies.
        image: What is explained.
        tab: Any but the tour.
        models: Names, separated by commas.
        display: How it is drawn.
        compared: The map that Compare shows.
        analyses: Analyses, if not those of the tab.
        options: Fields of StudyOptions; block 0 is the last. An empty target is the first model's prediction, which the
            others explain as well.

    Raises:
        UnknownName: There is no such tab, model or class.
        OutOfRange: Too many models.
        LensError: As `study` does.
    """
    if tab not in TABS or tab == "tour":
        tabs = ", ".join(name for name in TABS if name != "tour")
        raise UnknownName(message("exports.no_tab", name=quote(tab)), remedy=f"Choose one of: {tabs}.")
    names = service.check_names(name for name in models[:MAX_QUERY_VALUE].split(",") if name.strip())
    if not names:
        raise OutOfRange(message("exports.model_count", count=0), remedy=message("exports.model_count_remedy"))
    numbers = {key: int(options[key]) for key in ("stage", "block", "cam_layer")}
    target = str(options.pop("target", "")).strip() or None
    for name in names:
        check_target(target, name, follow=name != names[0])
    study_options = StudyOptions(
        **{**options, **numbers}, target=target, analyses=analyses or EXACT.get(tab, VIEWS[tab].maps)
    )
    key = service.add(image, visitor=False)
    shots: list[Shot] = []
    for name in names:
        model_options = comparable_options(study_options, shots[0].study if shots else None)
        shots.append(Shot(model_title(name), service.study(key, name, model_options), image.rgb))
    columns = with_costs(service, names, [shot.study for shot in shots])
    timings = service.timer.run(names) if tab == "compare" else {}
    computed = {name: value for name, value in options.items() if name not in numbers} | numbers
    computed |= {"target": target, "block": numbers["block"] or "last", "position": shots[0].study.position}
    return ExportRequest(
        tab, shots, [image], [""], computed, display or Display(), compared, columns=columns, timings=timings
    )


def make_files(request: ExportRequest, *kinds: str) -> tuple[dict[str, Any], list[File]]:
    """The manifest as JSON, and a file of each kind."""
    return manifest_of(request), [export(kind, request) for kind in kinds]
