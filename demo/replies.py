"""What the named endpoints answer: a study as JSON numbers, a PNG to look at, the raw arrays as an NPZ."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from transxnet.draw.figure import StudyFigure
from transxnet.draw.overlay import to_png
from transxnet.draw.styles import MAP_STYLES
from transxnet.errors import PartMissing, UnknownName, quote
from transxnet.export.figures import figures_for
from transxnet.export.images import Style, channels_of, draw_map, ranges, source_crop
from transxnet.export.records import arrays, clean, describe, npz
from transxnet.images import SourceImage
from transxnet.study import FIGURE_ANALYSES, Study

from .i18n.translate import message

SIDE = 448  # pixels of a PNG's side


def predictions(study: Study) -> dict[str, Any]:
    """Provenance and the best predictions, best first."""
    described = describe(study)
    return {key: described[key] for key in ("model", "untrained", "provenance", "predictions", "notes")}


def map_of(study: Study, part: str, upload: SourceImage, head: int = 0) -> tuple[dict[str, Any], bytes, bytes]:
    """One part ("attention", "kernels", "grad_cam", "receptive_field"): numbers, PNG, NPZ.

    The numbers are the study's description with this part's own beside it (layer, target, units, raw range,
    geometry); they also stand in the NPZ as JSON under `about`. head: the head that is drawn, 0 the mean.
    Raises PartMissing where the variant has no such part.
    """
    if part in study.missing:
        raise PartMissing(study.missing[part], remedy=message("errors.part_missing_remedy"))
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
    figures or some. Raises UnknownName, PartMissing.
    """
    if part not in FIGURE_ANALYSES:
        raise UnknownName(
            f"There is no analysis called {quote(part)}.", remedy=f"Choose one of: {', '.join(FIGURE_ANALYSES)}."
        )
    if part in study.missing:
        raise PartMissing(study.missing[part], remedy=message("errors.part_missing_remedy"))
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
    table = study_figure.table and {"head": study_figure.table.head, "rows": study_figure.table.rows}
    return clean(
        {
            "name": study_figure.name, "title": study_figure.title, "caption": study_figure.caption,
            "alt": study_figure.alt,
            "limits": study_figure.limits, "numbers": dict(study_figure.numbers), "table": table,
            "png": None if study_figure.image is None else number,
        }
    )  # fmt: skip
