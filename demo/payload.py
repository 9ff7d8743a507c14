"""Studies -> what stands beside the views: the image with its crosshair, the answers, how far downloads are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from transxnet.images import SourceImage

from .cells import Json, bars, jpeg, pending, percent, weights_words
from .columns import Column
from .i18n.translate import tr, tr_message
from .session import KEY

DATASETS = {"tiny-imagenet-200": "Tiny-ImageNet", "imagenet-1k": "ImageNet-1K"}  # label set -> its dataset


def crosshair(image: SourceImage, position: tuple[int, int], columns: Sequence[Column]) -> Json:
    """The one image with the one crosshair, and an outline for every variant that sees only a part of it."""
    width, height = image.size
    scale = min(1.0, 720 / max(width, height))
    small = Image.fromarray(image.rgb).resize((round(width * scale), round(height * scale)), Image.Resampling.LANCZOS)
    crops = []
    for column in columns:
        if column.study is not None:
            x0, y0, x1, y1 = column.study.crop.crop_box
            partial = x0 > 0.5 or y0 > 0.5 or x1 < width - 0.5 or y1 < height - 0.5
            crops.append((column.title, partial, [x0, y0, x1, y1]))
    outlined = _outlined([name for name, partial, _ in crops if partial])
    return {
        "src": jpeg(np.asarray(small)),
        "key": image.sha256[:KEY],
        "size": [width, height],
        "position": list(position),
        "crops": [{"name": name, "box": box} for name, partial, box in crops if partial],
        "alt": tr("page.crosshair_alt", width=width, height=height, x=position[0], y=position[1]),
        "role": tr("page.crosshair_role"),
        "back": tr("page.back"),
        "note": " ".join(filter(None, (outlined, *map(tr_message, image.notes)))),
    }


def _outlined(names: Sequence[str]) -> str:
    """Which variants see only the outlined part; '' where none does."""
    return tr("page.input_crops", count=len(names), names=tr("page.and_join").join(names)) if names else ""


def answers(columns: Sequence[Column]) -> Json:
    """The first variant's five best answers, as bars that are also buttons."""
    first = next((c for c in columns if c.study is not None), None)
    if first is None:
        failed = [column.title for column in columns if column.error is not None]
        lost = bool(failed) and len(failed) == len(columns)
        note = tr("predictions.none", titles=tr("page.and_join").join(failed)) if lost else ""
        return {"answers": [], "chosen": -1, "note": note, "warning": "", "weights": []}
    classes, dataset = len(first.study.predictions.probabilities), DATASETS.get(first.study.spec.label_set)
    described = {"title": first.title, "classes": f"{classes:,}"} | ({"dataset": dataset} if dataset else {})
    note = tr("predictions.classes_of" if dataset else "predictions.classes", **described)
    return {
        "answers": bars(first.study), "chosen": first.study.target.index, "note": note, "warning": warning(first),
        "weights": [weights_chip(column) for column in columns if column.study is not None],
    }  # fmt: skip


def weights_chip(column: Column) -> Json:
    """The header's word on one variant: which weights, from where; digest and all for who points at it."""
    where = "" if column.study.untrained else tr_message(column.study.provenance.origin)
    return {"title": column.title, "where": where, "more": weights_words(column)}


def warning(column: Column) -> str:
    """That the image is unlike those a bundled model knows, or its answer unsure; '' where neither, or not known."""
    known = column.study.out_of_distribution
    if known is None or not (known.unlike or known.unsure):
        return ""
    return tr(
        "predictions.out_of_distribution" if known.unlike else "predictions.low_confidence",
        title=column.title,
        images=f"{known.images:,}",
        nearer=percent(known.nearer),
        more=percent(1 - known.less_sure),
    )


def progress(columns: Sequence[Column]) -> Json:
    """How far each column is that is not there yet: its cell of the view, by the variant's name."""
    return {c.name: pending(c) for c in columns if not c.finished}
