"""What the named endpoints answer: a study as JSON numbers, a PNG to look at, the raw arrays as NPZ; a tab as a file.

Parameters are as a program sends them (demo/parameters.py).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from transxnet.backbones.spec import spec_of
from transxnet.draw.figure import StudyFigure
from transxnet.draw.overlay import to_png
from transxnet.draw.styles import MAP_STYLES
from transxnet.errors import OutOfRange, PartMissing
from transxnet.explain.observe import missing_classifier
from transxnet.export.figures import figures_for
from transxnet.export.images import Style, channels_of, draw_map, ranges, source_crop
from transxnet.export.records import arrays, clean, describe, npz, prediction_json
from transxnet.export.rows import Shot
from transxnet.images import SourceImage
from transxnet.results import Prediction
from transxnet.study import Study, StudyOptions, find_class

from .columns import comparable_options, model_title, with_costs
from .export_request import Display, ExportRequest
from .i18n.translate import message
from .service import StudyService
from .views import VIEWS

SIDE = 448  # pixels of a PNG's side
EXACT = {"attention": ("attention", "position_attention"), "kernels": ("kernels",)}  # the page has less, or more


def predictions(study: Study) -> dict[str, Any]:
    """Provenance and the best predictions, best first. Raises PartMissing for a model without a classifier."""
    if not study.predictions.top:
        raise _missing(missing_classifier(study.spec))
    described = describe(study)
    return {key: described[key] for key in ("model", "untrained", "provenance", "predictions", "notes")}


def map_of(study: Study, part: str, upload: SourceImage, head: int = 0) -> tuple[dict[str, Any], bytes, bytes]:
    """One part ("attention", "kernels", "grad_cam", "receptive_field"): numbers, PNG, NPZ.

    The numbers are the study's description with this part's own beside it (layer, target, units, raw range,
    geometry); they also stand in the NPZ as JSON under `about`. head: the head that is drawn, 0 the mean.
    Raises PartMissing where the variant has no such part.
    """
    if part in study.missing:
        raise _missing(study.missing[part])
    style = Style(head=head)
    described = describe(study)
    numbers = {**described, **described["heatmaps"][part]}
    del numbers["heatmaps"]
    if part == "kernels":
        numbers["shown_channels"] = [int(c) + 1 for c in channels_of(study.kernels) or ()]
    rendered_map = draw_map(study, part, source_crop(study, upload.rgb, SIDE), ranges([study], style)[part], style)
    return numbers, to_png(rendered_map), npz(arrays(study) | {"about": np.array(json.dumps(numbers))})


def figures_of(study: Study, part: str, upload: SourceImage) -> tuple[dict[str, Any], list[bytes], bytes]:
    """Every figure of one analysis (of transxnet.study.FIGURE_ANALYSES): numbers, PNGs, one NPZ.

    The numbers: the study's description, and `figures`, each with title, numbers and table; `png` is the index of
    its image in the list, None without one. A part that is a map comes as map_of gives it, with no
    figures or some. Raises PartMissing.
    """
    if part in study.missing:
        raise _missing(study.missing[part])
    numbers, pngs, raw = describe(study), [], {}
    if part in MAP_STYLES:
        numbers, png, _ = map_of(study, part, upload)
        pngs, raw = [png], arrays(study)
    figures = []
    for study_figure in figures_for(part, [study], upload.rgb):
        figures.append(_figure(study_figure, len(pngs)))
        raw |= {f"{study_figure.name}/{name}": values for name, values in study_figure.arrays.items()}
        pngs += [to_png(study_figure.image)] if study_figure.image is not None else []
    numbers = {**numbers, "figures": figures}
    return numbers, pngs, npz(raw | {"about": np.array(json.dumps(numbers))})


def _figure(study_figure: StudyFigure, number: int) -> dict[str, Any]:
    entry = {key: getattr(study_figure, key) for key in ("name", "title", "caption", "alt", "limits", "numbers")}
    table = study_figure.table and {"head": study_figure.table.head, "rows": study_figure.table.rows}
    return clean({**entry, "table": table, "png": None if study_figure.image is None else number})


def ablation_of(study: Study) -> tuple[dict[str, Any], bytes, bytes]:
    """Numbers, a PNG of the model input, and an NPZ: `logits_before`, `logits_after`, `crop`, `control_effects`.

    study: one with the analysis "ablation". The numbers: the model, the ablations applied and those that this variant
    cannot have (`skipped`), the target class and the first predictions before and after, and of an occluded region its
    share of the input, the change of the target logit that it made, and those of the same shape elsewhere.
    Raises PartMissing where the study has none.
    """
    t = study.ablation
    if t is None:
        raise _missing(study.missing.get("ablation", "This study has no ablation."))
    controls = np.zeros(0, np.float32) if t.control_effects is None else t.control_effects
    numbers = predictions(study) | clean(
        {
            "ablations": [asdict(ablation) for ablation in t.applied],
            "skipped": dict(t.skipped),
            "target": _pair(*t.target),
            "predictions": [_pair(*pair) for pair in zip(t.predictions_before, t.predictions_after, strict=True)],
            "new_top": None if t.new_top is None else prediction_json(t.new_top),
            "occlusion": {
                "share": t.masked_share, "fill": t.fill, "logit_change": t.mask_effect,
                "control_logit_changes": controls.tolist(),
            },
        }
    )  # fmt: skip
    raw = {name: getattr(t, name) for name in ("logits_before", "logits_after", "crop")}
    return numbers, to_png(t.crop), npz(raw | {"control_effects": controls})


def _pair(before: Prediction, after: Prediction) -> dict[str, Any]:
    """One class: share and logit before and after."""
    probability, logit = [before.probability, after.probability], [before.logit, after.logit]
    return {**prediction_json(before), "probability": probability, "logit": logit}


def _missing(why: str) -> PartMissing:
    return PartMissing(why, remedy=message("errors.part_missing_remedy"))


# ---- a tab -----------------------------------------------------------------------------------------------------------


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
    find_class(target, spec_of(name)[0].labels, follow)


def request_of_tab(
    service: StudyService, image: SourceImage, tab: str, models: str, target: str | None,
    display: Display | None = None, compared: str = "attention", analyses: tuple[str, ...] = (), **options: Any,
) -> ExportRequest:  # fmt: skip
    """What a file of a tab shows.

    Args:
        service: Models and studies.
        image: What is explained.
        tab: Any but the tour.
        models: Names, separated by commas.
        target: Class by name, WNID or index; None for the first model's prediction, which the others explain as well.
        display: How it is drawn.
        compared: The map that Compare shows.
        analyses: Analyses, if not those of the tab.
        options: Fields of StudyOptions; block 0 is the last.

    Raises:
        UnknownName: There is no such model or class.
        OutOfRange: Too many models.
        LensError: As `study` does.
    """
    names = service.check_names(name for name in models.split(",") if name.strip())
    if not names:
        raise OutOfRange(message("exports.model_count", count=0), remedy=message("exports.model_count_remedy"))
    for name in names:
        check_target(target, name, follow=name != names[0])
    analyses = analyses or EXACT.get(tab, VIEWS[tab].maps)
    study_options = StudyOptions(**options, target=target, analyses=analyses)
    key = service.add(image, visitor=False)
    shots: list[Shot] = []
    for name in names:
        model_options = comparable_options(study_options, shots[0].study if shots else None)
        shots.append(Shot(model_title(name), service.study(key, name, model_options), image.rgb))
    columns = with_costs(service, names, [shot.study for shot in shots])
    timings = service.timer.run(names) if tab == "compare" else {}
    recorded = {"target": target, "block": options["block"] or "last", "position": shots[0].study.position}
    return ExportRequest(
        tab, shots, [image], [""], options | recorded, display or Display(), compared, columns=columns, timings=timings
    )
