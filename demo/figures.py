"""Studies -> the figures below a view, as JSON for figures.js: figures of transxnet.draw with their words and tables.

A figure's image is a PNG that can be kept as it is: what it shows, of what and of whose weights, is told inside it.

Several visitors' figures are drawn at the same moment, in threads of their own, and no lock stands between them: they
are Figure objects on Agg, never pyplot's, and Matplotlib keeps a font object a thread (font_manager._get_font).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

import numpy as np

from transxnet.draw.canvas import DPI, Canvas, Panel
from transxnet.draw.erf import COLORMAP, DECADES, RING, erf_curves_figure, log_multiple
from transxnet.draw.figure import StudyFigure
from transxnet.draw.overlay import mark, resized
from transxnet.draw.scale import colorize
from transxnet.draw.styles import key_numbers, marked_position
from transxnet.explain.erf.erf import erf_curves
from transxnet.export.figures import figures_for
from transxnet.export.images import Style, source_crop
from transxnet.export.manifest import manifest, png_with
from transxnet.images import SourceImage
from transxnet.study import Study

from .cells import Json, data_url, pending
from .columns import Column
from .exports_asked import identity
from .i18n.translate import tr
from .wanted import ALIKE_EVERYWHERE, WANTED

MOST_IN_A_ROW = 5  # maps of models, the photo among them
_serial = count(1)


def figures_of(
    view: str, columns: Sequence[Column], image: SourceImage, beside: Sequence[Column] = (), stage: int | None = None,
    second: SourceImage | None = None,
) -> list[Json]:  # fmt: skip
    """The figures of a view, every finished column in each, on one scale.

    beside: other backbones' columns, which stand in the receptive field's first figures with them.
    stage: the one that is shown of parts that hold every stage (wanted.ALIKE_EVERYWHERE); None is the studies' own.
    second: the image that parts compare with.
    """
    done, others = _studies(columns), _studies(beside)
    figures = backbone_figures(done, others, image) if done and beside else []
    for part in WANTED[view].figures:
        if not (beside and part == "receptive_field"):
            figures += figures_for(part, _from_stage(stage, done) if part in ALIKE_EVERYWHERE else done, image.rgb)
    images = [identity(one) for one in (image, second) if one is not None]
    about = manifest({"view": view, "stage": stage}, images, [*done, *others], [], Style())
    return [figure(study_figure, about) for study_figure in figures]


def _from_stage(stage: int | None, studies: Sequence[Study]) -> list[Study]:
    """The same results, of which another stage is drawn."""
    return [replace(s, options=replace(s.options, stage=stage or s.options.stage)) for s in studies]


def backbone_figures(studies: Sequence[Study], beside: Sequence[Study], image: SourceImage) -> list[StudyFigure]:
    """The receptive fields of the variants and of other backbones on one image: maps, and r(t) in one diagram."""
    every = [*studies, *beside]
    names = [study.model for study in every]
    random = [study.model for study in beside if study.untrained]
    told = f" {tr('erf.backbones_random', names=', '.join(random))}" if random else ""
    alt, image_of = tr("erf.backbones_alt", names=", ".join(names)), _maps_beside(every, image)
    return [
        StudyFigure(
            "beside",
            tr("erf.backbones_title"),
            tr("erf.backbones_caption") + told,
            alt,
            tr("erf.backbones_limits"),
            image_of,
        ),
        erf_curves_figure([erf_curves(study.receptive_field) for study in every], names),
    ]


def _maps_beside(studies: Sequence[Study], image: SourceImage) -> np.ndarray:
    """A panel a model, on one scale: uint8 (H, W, 3), RGB."""
    canvas, columns = Canvas(), min(MOST_IN_A_ROW, max(3, 1 + len(studies)))
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
    return canvas.to_rgb()


def figure(study_figure: StudyFigure, about: Mapping[str, object] | None = None) -> Json:
    """One study_figure as the browser shows it; without an image where only its table speaks.

    about: goes into the PNG.
    """
    found: Json = {
        "name": study_figure.name,
        "title": study_figure.title,
        "caption": study_figure.caption,
        "alt": study_figure.alt,
    }
    if study_figure.image is not None:
        height, width = study_figure.image.shape[:2]
        told = {
            "name": study_figure.name,
            "title": study_figure.title,
            "caption": study_figure.caption,
            "limits": study_figure.limits,
        }
        data = png_with(study_figure.image, {**(about or {}), "figure": told}, DPI)
        found |= {"src": data_url(data, "png"), "size": [width, height]}
    if study_figure.table is not None:
        found["table"] = {"head": list(study_figure.table.head), "rows": [list(row) for row in study_figure.table.rows]}
    return found | {"limits": study_figure.limits}


def shown(figures: list[Json]) -> Json:
    said = {
        "numbers": tr("figures.data_table"), "table": tr("figures.table"), "image": tr("figures.image"),
        "save": tr("figures.save"), "save_table": tr("figures.save_table"),
    }  # fmt: skip
    return {"serial": next(_serial), "figures": figures, "status": None, "words": said}


def waiting(columns: Sequence[Column], keep: bool) -> Json:
    """While figures are on their way. keep: leave the last ones standing, paler."""
    unfinished = next((column for column in columns if not column.finished), None)
    if unfinished is None:
        return {"keep": keep, "status": {"text": tr("progress.drawing")}}
    finished = sum(column.finished for column in columns)
    told = tr("progress.models", title=unfinished.title, done=finished + 1, total=len(columns))
    return {"keep": keep, "status": {**pending(unfinished), "text": f"{told}, {pending(unfinished)['text']}"}}


def stopped(column: Column) -> Json:
    """The figures that the visitor did not wait for. column: one of those they were to show."""
    return {"serial": next(_serial), "figures": [], "status": pending(replace(column, stopped=True))}


def none(why: str = "") -> Json:
    """No figures here. why: in words."""
    return {"serial": next(_serial), "figures": [], "status": {"text": why} if why else None}


def _studies(columns: Sequence[Column]) -> list[Study]:
    return [column.study for column in columns if column.study is not None]
