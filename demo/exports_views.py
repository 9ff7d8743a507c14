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

from .cells import TILES, share
from .exports_asked import Asked
from .i18n.tabs import LIMITS as LIMITS_OF_TABS
from .i18n.tabs import TABS
from .i18n.translate import tr, tr_lines
from .views.ablation import logit
from .views.compare import MAPS, compared, compared_map, has
from .views.costs import MEASURED, costs

LIMITS = LIMITS_OF_TABS | {
    "overview": "files.limits_overview",
    "attention": "files.limits_attention",
}  # whose text speaks of the page


@dataclass(frozen=True)
class Shown:
    """One view as it goes into a file. numbers: for the manifest. arrays: raw, besides those of the studies."""

    title: str
    subtitle: str
    shots: Sequence[Shot]
    rows: Sequence[Row] = ()
    tables: Sequence[tuple[str, Table]] = ()
    figures: Sequence[StudyFigure] = ()
    notes: Sequence[str] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    def composition(self, made: Mapping[str, Any], tone: Tone) -> Composition:
        rows = [(row.heading(tone), row.cells) for row in self.rows]
        columns, notes = [shot.heading() for shot in self.shots], [*self.notes, _foot(made)]
        return Composition(self.title, self.subtitle, columns, rows, self.tables, self.figures, notes)


def figure_of(asked: Asked) -> Shown:
    """Raises LensError where the view has nothing to draw."""
    if asked.display.seen:
        shots = [replace(shot, upload=None) for shot in (*asked.shots, *asked.second)]
    else:
        shots = [*asked.shots, *asked.second]
    sizes = {f"{s.study.crop.rgb.shape[1]} × {s.study.crop.rgb.shape[0]}" for s in shots}
    notes = [tr(LIMITS[asked.view], sizes=" or ".join(sorted(sizes)), shown=TILES)]
    notes += asked.notes
    if asked.left_out:
        notes.append(tr("files.left_out", names="; ".join(f"{n}, {why}" for n, why in asked.left_out.items())))
    shown = Shown(f"{tr(TABS[asked.view])}: {_titles(shots)}", _subtitle(asked), shots, notes=notes)
    return MADE[asked.view](asked, shown)


def arrays_of(asked: Asked, shown: Shown) -> dict[str, np.ndarray]:
    """Under "VARIANT/NAME"; of a second photo "second/VARIANT/NAME"; of several variants "difference/A/B"."""
    found: dict[str, np.ndarray] = {}
    for place, group in (("", asked.shots), ("second/", asked.second)):
        for shot in group:
            study, key = shot.study, f"{place}{shot.study.model}"
            found |= {f"{key}/{name}": values for name, values in arrays(study).items()}
            if study.position_attention is not None:
                found[f"{key}/attention_users"] = study.position_attention.attention_to.heads
            if study.ablation is not None:
                t = study.ablation
                found |= {f"{key}/logits_after": t.logits_after, f"{key}/view_given": t.crop}
                if t.control_effects is not None:
                    found[f"{key}/elsewhere"] = t.control_effects
    for study_figure in shown.figures:
        found |= {f"{study_figure.name}/{name}": values for name, values in study_figure.arrays.items()}
    return found | shown.arrays


# ---- views --------------------------------------------------------------------------------------------------


def _overview(asked: Asked, shown: Shown) -> Shown:
    style = asked.display.style
    rows = []
    for name in OVERVIEW_ANALYSES:  # of kernels the generated ones alone
        rows.append(kernel_rows(shown.shots, style)[0] if name == "kernels" else map_row(name, shown.shots, style))
    return replace(shown, rows=rows)


def _attention(asked: Asked, shown: Shown) -> Shown:
    style = asked.display.style
    row = (
        attention_to_row(shown.shots, style)
        if asked.display.direction == "to"
        else map_row("attention", shown.shots, style)
    )
    return replace(shown, rows=[row])


def _kernels(asked: Asked, shown: Shown) -> Shown:
    return replace(shown, rows=kernel_rows(shown.shots, asked.display.style))


def _grad_cam(asked: Asked, shown: Shown) -> Shown:
    style = asked.display.style
    others = [name for name in MAP_STYLES if any(name in shot.study.options.analyses for shot in shown.shots)]
    return replace(
        shown, rows=[signed_grad_cam_row(shown.shots, style), *(map_row(n, shown.shots, style) for n in others)]
    )


def _erf(asked: Asked, shown: Shown) -> Shown:
    studies = [shot.study for shot in asked.shots]
    figures = figures_for("receptive_field", studies)
    return replace(shown, rows=[map_row("receptive_field", shown.shots, asked.display.style)], figures=figures)


def _compare(asked: Asked, shown: Shown) -> Shown:
    """Variants: maps, differences, numbers. Two photos: attention and kernels of each."""
    style = asked.display.style
    if asked.second:
        return replace(shown, rows=[*_rows("kernels", shown.shots, style), *_rows("attention", shown.shots, style)])
    name = compared(asked.compared, [shot.study for shot in shown.shots])
    tables, notes = _costs(asked)
    shown = replace(shown, rows=_rows(name, shown.shots, style), tables=tables, notes=[*shown.notes, *notes])
    maps = {shot.study.model: compared_map(shot.study, name) for shot in shown.shots if has(shot.study, name)}
    answers = {shot.study.target.wnid for shot in shown.shots if has(shot.study, name)}
    if len(maps) < 2 or (METHODS[name].about_class and len(answers) > 1):
        return replace(shown, numbers=clean({"pairs": [], "costs": _counted(asked)}))
    found = compare_maps(maps)
    units = next(iter(maps.values())).units
    pairs = [
        {
            "first": d.first, "second": d.second, "rank_correlation": d.correlation, "in_common": d.overlap,
            "share": d.chance_overlap, "mean_absolute": d.mean_absolute, "units": units,
        }
        for d in found.differences
    ]  # fmt: skip
    head = tr_lines("files.pairs_head", share=f"{100 * found.agreement.share:.0f}%")
    row = difference_row(found, tr(TABS[MAPS[name]]), units, asked.shots, style)
    table = [
        (cell.title, _or_even(p["rank_correlation"], "{:.3f}"), _or_even(100 * p["in_common"], "{:.1f}%"),
         f"{p['mean_absolute']:.3g} {units}") for cell, p in zip(row.cells, pairs, strict=True)
    ]  # fmt: skip
    return replace(
        shown,
        rows=[*shown.rows, row],
        tables=[(tr("files.pairs"), Table(head, table)), *shown.tables],
        numbers=clean({"pairs": pairs, "common_box": found.agreement.box, "costs": _counted(asked)}),
        arrays={f"difference/{d.first}/{d.second}": d.values for d in found.differences},
    )


def _ablation(asked: Asked, shown: Shown) -> Shown:
    tried = [shot for shot in shown.shots if shot.study.ablation is not None]
    if not tried:
        raise LensError(next(iter(shown.shots)).study.missing.get("ablation", tr("exports.failed")))
    row = Row("given", tr("files.given"), tr("files.given_caption"), [_given(shot) for shot in shown.shots])
    rows = [row] if any(shot.study.ablation.masked_share for shot in tried) else []
    numbers = {
        shot.study.model: {
            "changes": [asdict(one) for one in shot.study.ablation.applied],
            "skipped": dict(shot.study.ablation.skipped),
            "answers": [
                {"before": asdict(old), "after": asdict(new)}
                for old, new in zip(
                    shot.study.ablation.predictions_before, shot.study.ablation.predictions_after, strict=True
                )
            ],
            "painted": shot.study.ablation.masked_share, "painted_change": shot.study.ablation.mask_effect,
        }
        for shot in tried
    }  # fmt: skip
    return replace(shown, rows=rows, tables=[_answers(shot) for shot in tried], numbers=clean(numbers))


def _sanity_checks(asked: Asked, shown: Shown) -> Shown:
    figures = figures_for("sanity_checks", [shot.study for shot in asked.shots])
    return replace(
        shown,
        figures=figures,
        numbers=clean({study_figure.name: dict(study_figure.numbers) for study_figure in figures}),
    )


MADE: Mapping[str, Callable[[Asked, Shown], Shown]] = {
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

    return Cell(paint, tr("files.occluded", share=share(t.masked_share), fill=t.fill))


def _answers(shot: Shot) -> tuple[str, Table]:
    t = shot.study.ablation
    pairs = list(zip(t.predictions_before, t.predictions_after, strict=True))
    if t.target[0].index not in [old.index for old, _ in pairs]:
        pairs.append(t.target)
    rows = [
        (old.label, share(old.probability), share(new.probability), logit(old.logit), logit(new.logit))
        for old, new in pairs
    ]
    made = "; ".join(f"{one.description}, {one.scope}" for one in t.applied)
    told = [tr("files.predictions", title=shot.title), *([tr("files.edited", changes=made)] if made else [])]
    return ". ".join(told), Table(tr_lines("files.predictions_head"), rows)


def _counted(asked: Asked) -> dict[str, Any]:
    """What the columns cost: counted, and what was measured in one run of all of them."""
    found = {}
    for column in asked.columns:
        cost, timing = column.cost, asked.timings.get(column.name)
        found[column.name] = {
            "parameters": cost.parameters, "macs": cost.macs, "side": cost.image_size, "weights_bytes": cost.weights,
            **({"activations_bytes": timing.activations, "seconds": timing.seconds, "passes": timing.passes}
               if timing else {}),
        }  # fmt: skip
    return found


def _costs(asked: Asked) -> tuple[list[tuple[str, Table]], list[str]]:
    """The page's table, and its note."""
    if not asked.columns:
        return [], []
    found = costs(asked.columns, asked.timings)
    rows = [
        (row["title"], *("; ".join(cell) for cell in row["cells"]))
        for row in found["rows"]
        if asked.timings or row["key"] not in MEASURED
    ]
    return [(f"{found['title']}: {found['sub']}", Table(("", *found["head"]), rows))], [found["note"]]


def _or_even(value: float, text: str) -> str:
    return tr("files.uniform") if isnan(value) else text.format(value)


def _titles(shots: Sequence[Shot]) -> str:
    return ", ".join(dict.fromkeys(shot.title for shot in shots))


def _subtitle(asked: Asked) -> str:
    told = []
    for image, label in zip(asked.images, asked.labels, strict=True):
        name = tr("files.example", label=label) if label else tr("files.uploaded_image")
        told.append(tr("files.subtitle", image=name, width=image.size[0], height=image.size[1]))
    text = " and ".join(told)
    return text[:1].upper() + text[1:] + "."


def _foot(made: Mapping[str, Any]) -> str:
    model = made["models"][0]
    x, y = made["request"]["position"]
    where = tr("files.position", x=x, y=y, label=model["target"]["label"])
    return tr(
        "files.footer", made=made["created"].replace("T", " ").replace("+00:00", ""), source=made["source"][:12],
        where=where, images=", ".join(one["sha256"][:16] for one in made["images"]),
        link=tr("files.link", link=made["link"]) if made["link"] else "",
    )  # fmt: skip
