"""What of each view goes into a file: its rows of maps, tables and figures, its numbers and its raw arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import isnan
from typing import Any

import cv2
import numpy as np

from transxnet.draw.compose import Cell, Composition
from transxnet.draw.figure import StudyFigure, Table
from transxnet.draw.scale import Tone
from transxnet.draw.styles import MAP_STYLES
from transxnet.draw.text import percent
from transxnet.errors import LensError
from transxnet.explain.attribution.methods import METHODS
from transxnet.explain.sanity.agreement import compare_maps
from transxnet.export.figures import figures_for
from transxnet.export.images import Style
from transxnet.export.records import arrays, clean
from transxnet.export.rows import (
    Row,
    Shot,
    attention_to_row,
    difference_row,
    kernel_rows,
    map_row,
    signed_grad_cam_row,
)
from transxnet.study import OVERVIEW_ANALYSES

from .cells import TILES
from .export_request import ExportRequest
from .i18n.translate import tr, tr_group, tr_lines
from .views.ablation import logit
from .views.compare import MAPS, compared, compared_map, has
from .views.costs import MEASURED, costs

SECOND = "second/"  # before the model in names of what is of the reference image


@dataclass(frozen=True)
class Content:
    """What a file shows. numbers: for the manifest. arrays: raw, besides those of the studies."""

    title: str
    subtitle: str
    shots: Sequence[Shot]
    rows: Sequence[Row] = ()
    tables: Sequence[tuple[str, Table]] = ()
    figures: Sequence[StudyFigure] = ()
    notes: Sequence[str] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    def keys(self, row: str) -> list[str]:
        """A name for each cell of a row: its model, or the pair of models of a difference."""
        if row == "difference" and self.arrays:
            return [name.removeprefix("difference/") for name in self.arrays]
        models = [shot.study.model for shot in self.shots]
        return [f"{SECOND}{model}" if model in models[:i] else model for i, model in enumerate(models)]

    def composition(self, metadata: Mapping[str, Any], tone: Tone) -> Composition:
        rows = [(row.heading(tone), row.cells) for row in self.rows]
        columns, notes = [shot.heading() for shot in self.shots], [*self.notes, _footer(metadata)]
        return Composition(self.title, self.subtitle, columns, rows, self.tables, self.figures, notes)


def content_of(request: ExportRequest) -> Content:
    """Raises LensError where the view has nothing to draw."""
    if request.display.model_resolution:
        shots = [replace(shot, upload=None) for shot in (*request.shots, *request.second)]
    else:
        shots = [*request.shots, *request.second]
    sizes = {f"{s.study.crop.rgb.shape[1]} × {s.study.crop.rgb.shape[0]}" for s in shots}
    limits = {**tr_group("limits."), **tr_group("files.limits_")}  # those of files do not speak of the page
    notes = [limits[request.view].format(sizes=" or ".join(sorted(sizes)), shown=TILES)]
    notes += request.notes
    if request.left_out:
        notes.append(tr("files.left_out", names="; ".join(f"{n}, {why}" for n, why in request.left_out.items())))
    content = Content(f"{tr_group('tabs.')[request.view]}: {_titles(shots)}", _subtitle(request), shots, notes=notes)
    return BUILDERS[request.view](request, content)


def arrays_of(request: ExportRequest, content: Content) -> dict[str, np.ndarray]:
    """Under "VARIANT/NAME"; of a second photo "second/VARIANT/NAME"; of several variants "difference/A/B"."""
    named: dict[str, np.ndarray] = {}
    for prefix, group in (("", request.shots), (SECOND, request.second)):
        for shot in group:
            study, key = shot.study, f"{prefix}{shot.study.model}"
            named |= {f"{key}/{name}": values for name, values in arrays(study).items()}
            if study.position_attention is not None:
                named[f"{key}/attention_to"] = study.position_attention.attention_to.heads
            if study.ablation is not None:
                t = study.ablation
                named |= {f"{key}/logits_after": t.logits_after, f"{key}/crop_occluded": t.crop}
                if t.control_effects is not None:
                    named[f"{key}/control_effects"] = t.control_effects
    for study_figure in content.figures:
        named |= {f"{study_figure.name}/{name}": values for name, values in study_figure.arrays.items()}
    return named | content.arrays


# ---- views --------------------------------------------------------------------------------------------------


def _overview(request: ExportRequest, content: Content) -> Content:
    style = request.display.style
    rows = []
    for name in OVERVIEW_ANALYSES:  # of kernels the generated ones alone
        rows.append(kernel_rows(content.shots, style)[0] if name == "kernels" else map_row(name, content.shots, style))
    return replace(content, rows=rows)


def _attention(request: ExportRequest, content: Content) -> Content:
    style = request.display.style
    row = (
        attention_to_row(content.shots, style)
        if request.display.direction == "to"
        else map_row("attention", content.shots, style)
    )
    return replace(content, rows=[row])


def _kernels(request: ExportRequest, content: Content) -> Content:
    return replace(content, rows=kernel_rows(content.shots, request.display.style))


def _grad_cam(request: ExportRequest, content: Content) -> Content:
    style = request.display.style
    map_names = [name for name in MAP_STYLES if any(name in shot.study.options.analyses for shot in content.shots)]
    return replace(
        content,
        rows=[signed_grad_cam_row(content.shots, style), *(map_row(n, content.shots, style) for n in map_names)],
    )


def _erf(request: ExportRequest, content: Content) -> Content:
    studies = [shot.study for shot in request.shots]
    figures = figures_for("receptive_field", studies)
    return replace(content, rows=[map_row("receptive_field", content.shots, request.display.style)], figures=figures)


def _compare(request: ExportRequest, content: Content) -> Content:
    """Variants: maps, differences, numbers. Two photos: attention and kernels of each."""
    style = request.display.style
    if request.second:
        return replace(
            content, rows=[*_rows("kernels", content.shots, style), *_rows("attention", content.shots, style)]
        )
    name = compared(request.compared, [shot.study for shot in content.shots])
    tables, notes = _costs(request)
    content = replace(content, rows=_rows(name, content.shots, style), tables=tables, notes=[*content.notes, *notes])
    maps = {shot.study.model: compared_map(shot.study, name) for shot in content.shots if has(shot.study, name)}
    targets = {shot.study.target.wnid for shot in content.shots if has(shot.study, name)}
    if len(maps) < 2 or (METHODS[name].about_class and len(targets) > 1):
        return replace(content, numbers=clean({"pairs": [], "costs": _counted(request)}))
    comparison = compare_maps(maps)
    units = next(iter(maps.values())).units
    pairs = [
        {
            "first": d.first, "second": d.second, "rank_correlation": d.correlation, "in_common": d.overlap,
            "share": d.chance_overlap, "mean_absolute": d.mean_absolute, "units": units,
        }
        for d in comparison.differences
    ]  # fmt: skip
    head = tr_lines("files.pairs_head", share=f"{100 * comparison.agreement.share:.0f}%")
    row = difference_row(comparison, tr_group("tabs.")[MAPS[name]], units, request.shots, style)
    table = [
        (cell.title, _or_even(p["rank_correlation"], "{:.3f}"), _or_even(100 * p["in_common"], "{:.1f}%"),
         f"{p['mean_absolute']:.3g} {units}") for cell, p in zip(row.cells, pairs, strict=True)
    ]  # fmt: skip
    return replace(
        content,
        rows=[*content.rows, row],
        tables=[(tr("files.pairs"), Table(head, table)), *content.tables],
        numbers=clean({"pairs": pairs, "common_box": comparison.agreement.box, "costs": _counted(request)}),
        arrays={f"difference/{d.first}/{d.second}": d.values for d in comparison.differences},
    )


def _ablation(request: ExportRequest, content: Content) -> Content:
    ablated = [shot for shot in content.shots if shot.study.ablation is not None]
    if not ablated:
        raise LensError(next(iter(content.shots)).study.missing.get("ablation", tr("downloads.failed")))
    row = Row("given", tr("files.given"), tr("files.given_caption"), [_given(shot) for shot in content.shots])
    rows = [row] if any(shot.study.ablation.masked_share for shot in ablated) else []
    numbers = {
        shot.study.model: {
            "ablations": [asdict(ablation) for ablation in shot.study.ablation.applied],
            "skipped": dict(shot.study.ablation.skipped),
            "predictions": [
                {"before": asdict(old), "after": asdict(new)}
                for old, new in zip(
                    shot.study.ablation.predictions_before, shot.study.ablation.predictions_after, strict=True
                )
            ],
            "occlusion": {
                "share": shot.study.ablation.masked_share, "logit_change": shot.study.ablation.mask_effect,
            },
        }
        for shot in ablated
    }  # fmt: skip
    return replace(content, rows=rows, tables=[_prediction_table(shot) for shot in ablated], numbers=clean(numbers))


def _sanity_checks(request: ExportRequest, content: Content) -> Content:
    figures = figures_for("sanity_checks", [shot.study for shot in request.shots])
    return replace(
        content,
        figures=figures,
        numbers=clean({study_figure.name: dict(study_figure.numbers) for study_figure in figures}),
    )


BUILDERS: Mapping[str, Callable[[ExportRequest, Content], Content]] = {
    "overview": _overview, "attention": _attention, "kernels": _kernels, "grad_cam": _grad_cam, "erf": _erf,
    "compare": _compare, "ablation": _ablation, "sanity_checks": _sanity_checks,
}  # fmt: skip


# ---- pieces -------------------------------------------------------------------------------------------------


def _rows(name: str, shots: Sequence[Shot], style: Style) -> list[Row]:
    if name == "kernels":
        return kernel_rows(shots, style)
    return [signed_grad_cam_row(shots, style)] if name == "grad_cam" else [map_row(name, shots, style)]


def _given(shot: Shot) -> Cell | str:
    t = shot.study.ablation
    if t is None:
        return shot.study.missing.get("ablation", "")

    def paint(side: int) -> np.ndarray:
        high, wide = t.crop.shape[:2]
        return cv2.resize(t.crop, (side, round(side * high / wide)), interpolation=cv2.INTER_NEAREST)

    return Cell(paint, tr("files.occluded", share=percent(t.masked_share), fill=t.fill))


def _prediction_table(shot: Shot) -> tuple[str, Table]:
    t = shot.study.ablation
    pairs = list(zip(t.predictions_before, t.predictions_after, strict=True))
    if t.target[0].index not in [old.index for old, _ in pairs]:
        pairs.append(t.target)
    rows = [
        (old.label, percent(old.probability, 1), percent(new.probability, 1), logit(old.logit), logit(new.logit))
        for old, new in pairs
    ]
    changes = "; ".join(f"{change.description}, {change.scope}" for change in t.applied)
    title = tr("files.predictions", title=shot.title)
    if changes:
        title = f"{title}. {tr('files.edited', changes=changes)}"
    return title, Table(tr_lines("files.predictions_head"), rows)


def _counted(request: ExportRequest) -> dict[str, Any]:
    """What the columns cost: counted, and what was measured in one run of all of them."""
    costs_by_model = {}
    for column in request.columns:
        cost, timing = column.cost, request.timings.get(column.name)
        costs_by_model[column.name] = {
            "parameters": cost.parameters, "macs": cost.macs, "side": cost.image_size, "weights_bytes": cost.weights,
            **({"activations_bytes": timing.activations, "seconds": timing.seconds, "passes": timing.passes}
               if timing else {}),
        }  # fmt: skip
    return costs_by_model


def _costs(request: ExportRequest) -> tuple[list[tuple[str, Table]], list[str]]:
    """The page's table, and its note."""
    if not request.columns:
        return [], []
    table = costs(request.columns, request.timings)
    rows = [
        (row["title"], *("; ".join(cell) for cell in row["cells"]))
        for row in table["rows"]
        if request.timings or row["key"] not in MEASURED
    ]
    return [(f"{table['title']}: {table['sub']}", Table(("", *table["head"]), rows))], [table["note"]]


def _or_even(value: float, text: str) -> str:
    return tr("files.uniform") if isnan(value) else text.format(value)


def _titles(shots: Sequence[Shot]) -> str:
    return ", ".join(dict.fromkeys(shot.title for shot in shots))


def _subtitle(request: ExportRequest) -> str:
    descriptions = []
    for image, label in zip(request.images, request.labels, strict=True):
        name = tr("files.example", label=label) if label else tr("files.uploaded_image")
        descriptions.append(tr("files.subtitle", image=name, width=image.size[0], height=image.size[1]))
    text = " and ".join(descriptions)
    return text[:1].upper() + text[1:] + "."


def _footer(metadata: Mapping[str, Any]) -> str:
    model = metadata["models"][0]
    x, y = metadata["request"]["position"]
    where = tr("files.position", x=x, y=y, label=model["target"]["label"])
    created = metadata["created"].replace("T", " ").replace("+00:00", "")
    return tr(
        "files.footer", made=created, source=metadata["source"][:12],
        where=where, images=", ".join(image["sha256"][:16] for image in metadata["images"]),
        link=tr("files.link", link=metadata["link"]) if metadata["link"] else "",
    )  # fmt: skip
