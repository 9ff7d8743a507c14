"""Studies -> the figures below a tab as JSON: figures of transxnet.draw with their text and tables.

The PNG of a figure carries its text and the manifest, so that it can be saved as it is.

Figures of several visitors are drawn concurrently, each in its own thread and without a lock: they are Figure objects
on Agg, never pyplot's, and Matplotlib has one font object per thread (font_manager._get_font).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

from transxnet.draw.canvas import DPI, Canvas, Panel
from transxnet.draw.erf import COLORMAP, DECADES, RING, erf_curves_figure, log_multiple
from transxnet.draw.figure import StudyFigure, joined
from transxnet.draw.overlay import mark, resized
from transxnet.draw.scale import colorize
from transxnet.draw.styles import key_numbers, marked_position
from transxnet.explain.erf.erf import erf_curves
from transxnet.export.figures import figures_for
from transxnet.export.images import Style, source_crop
from transxnet.export.manifest import manifest, png_with
from transxnet.images import SourceImage
from transxnet.study import Study

from .cells import Json, data_url, pending, png
from .columns import Column
from .export_request import identity
from .i18n.translate import message, tr, tr_group, tr_message
from .views import LAYER_INDEPENDENT, VIEWS

MAX_IN_ROW = 5  # panels: the image and maps of models
_serial = count(1)


def figures_of(
    view: str, columns: Sequence[Column], image: SourceImage, backbones: Sequence[Column] = (),
    stage: int | None = None, reference_image: SourceImage | None = None, dark: bool = False,
) -> list[Json]:  # fmt: skip
    """The figures of a tab; each shows all finished columns on one scale.

    Args:
        view: Of the tab.
        columns: One per model.
        image: The source image.
        backbones: Columns of other backbones, added to the first figures of the receptive field.
        stage: Shown of analyses that hold every stage (views.LAYER_INDEPENDENT); None is the studies' own.
        reference_image: Of analyses that compare two images.
        dark: Whether the page is dark.
    """
    studies, backbone_studies = _studies(columns), _studies(backbones)
    compared = bool(studies and backbones)
    figures = backbone_figures(studies, backbone_studies, image) if compared else []
    for part in VIEWS[view].figures:
        if not (backbones and part == "receptive_field"):
            figures += figures_for(part, _at_stage(stage, studies) if part in LAYER_INDEPENDENT else studies, image.rgb)
    images = [identity(source) for source in (image, reference_image) if source is not None]
    about = manifest({"tab": view, "stage": stage}, images, [*studies, *backbone_studies], [], Style())
    return [figure(study_figure, about, dark) for study_figure in figures]


def _at_stage(stage: int | None, studies: Sequence[Study]) -> list[Study]:
    """The same results, drawn at another stage."""
    return [replace(study, options=replace(study.options, stage=stage or study.options.stage)) for study in studies]


def backbone_figures(studies: Sequence[Study], backbones: Sequence[Study], image: SourceImage) -> list[StudyFigure]:
    """Receptive fields of the models and of other backbones on one image: maps, and the curves r(t)."""
    compared = [study for study in (*studies, *backbones) if study.receptive_field is not None]
    if not compared:
        return []
    names = ", ".join(study.model for study in compared)
    random = ", ".join(study.model for study in backbones if study.untrained)
    caption = [message("erf.backbones_caption"), *([message("erf.backbones_random", names=random)] if random else [])]
    return [
        StudyFigure(
            "beside", message("erf.backbones_title"), joined(caption, " "), tr("erf.backbones_alt", names=names),
            message("erf.backbones_limits"), _backbone_maps(compared, image),
        ),
        erf_curves_figure([erf_curves(study.receptive_field) for study in compared], [s.model for s in compared]),
    ]  # fmt: skip


def _backbone_maps(studies: Sequence[Study], image: SourceImage) -> Canvas:
    """One panel per model on one scale."""
    canvas, columns = Canvas(), min(MAX_IN_ROW, max(3, 1 + len(studies)))
    side = canvas.panel_pixels(columns)
    fields = [study.receptive_field for study in studies]
    logs = [log_multiple(field.heatmap, field.heatmap.mean(), side) for field in fields]
    high = max(values.max() for values in logs)
    photo = resized(source_crop(studies[0], image.rgb, side), side)
    panels = [Panel("Photo", photo, [f"model input of {studies[0].model}"])]
    for study, field, values in zip(studies, fields, logs, strict=True):
        rgb = colorize(values, (high - DECADES, high), COLORMAP)
        random = ["random weights, not trained"] if study.untrained else []
        caption = [f"{field.layer}, {field.target}", key_numbers(field), *random]
        position, input_size = marked_position(field), field.geometry.input_size
        panels.append(Panel(study.model, mark(rgb, position, input_size, RING), caption))
    canvas.panels(panels, columns)
    units = "multiples of the map's mean (logarithmic)"
    canvas.y += canvas.color_bar((high - DECADES, high), units, COLORMAP, decades=True)
    return canvas


def figure(study_figure: StudyFigure, about: Mapping[str, object] | None = None, dark: bool = False) -> Json:
    """A figure for the browser, its text in the current locale; without an image if the table is the figure.

    Args:
        study_figure: As transxnet.draw made it.
        about: Manifest that goes into the PNG together with the English text.
        dark: Whether it is shown on a dark page; the file that is saved is white all the same.
    """
    text = {key: getattr(study_figure, key) for key in ("title", "caption", "limits")}
    content: Json = {"name": study_figure.name, "alt": study_figure.alt}
    content |= {key: tr_message(value) for key, value in text.items()}
    if study_figure.image is not None:
        height, width = study_figure.image.shape[:2]
        data = png_with(study_figure.image, {**(about or {}), "figure": {"name": study_figure.name, **text}}, DPI)
        content |= {"src": data_url(data, "png"), "size": [width, height]}
        if dark and study_figure.canvas is not None:
            content |= {"save": content["src"], "src": png(study_figure.canvas.to_dark_rgb())}
    if study_figure.table is not None:
        table = study_figure.table
        content["table"] = {"head": list(table.head), "rows": [list(row) for row in table.rows]}
    return content


def finished_figures(figures: list[Json]) -> Json:
    """Finished figures."""
    return {"serial": next(_serial), "figures": figures, "status": None, "strings": tr_group("figures.")}


def waiting(columns: Sequence[Column], keep: bool) -> Json:
    """While figures are computed. keep: show the previous ones meanwhile, in pale colors."""
    unfinished = next((column for column in columns if not column.finished), None)
    if unfinished is None:
        return {"keep": keep, "status": {"text": tr("progress.drawing")}}
    status, name = pending(unfinished), unfinished.title
    if len(columns) > 1:
        number = sum(column.finished for column in columns) + 1
        name = tr("progress.models", title=name, done=number, total=len(columns))
    return {"keep": keep, "status": {**status, "text": f"{name}, {status['text']}"}}


def not_started(tab: str) -> Json:
    """In place of figures that take long, before the visitor starts them."""
    texts = tr_group("progress.start_")
    return {"serial": next(_serial), "figures": [], "status": {"text": texts[f"{tab}_hint"], "again": texts[tab]}}


def stopped(column: Column) -> Json:
    """Figures that the visitor stopped. column: one of those they were to show."""
    return {"serial": next(_serial), "figures": [], "status": pending(replace(column, stopped=True))}


def none(why: str = "") -> Json:
    """No figures. why: a sentence to show instead."""
    return {"serial": next(_serial), "figures": [], "status": {"text": why} if why else None}


def _studies(columns: Sequence[Column]) -> list[Study]:
    return [column.study for column in columns if column.study is not None]
