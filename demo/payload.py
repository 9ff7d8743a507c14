"""Studies -> JSON of the side panel: image with query position, predictions, progress of downloads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from transxnet.images import SourceImage

from .cells import Json, bars, jpeg, pending, percent, weights_details
from .columns import Column
from .i18n.translate import tr, tr_message

PREVIEW_SIDE = 720

DATASETS = {"tiny-imagenet-200": "Tiny-ImageNet", "imagenet-1k": "ImageNet-1K"}  # label set -> its dataset


def crosshair(
    image: SourceImage, key: str, position: tuple[int, int], columns: Sequence[Column], with_image: bool = True
) -> Json:
    """The image with its query position, and an outline for every model that sees only a part of it.

    Args:
        image: The image.
        key: By which the browser knows it.
        position: Column and row in pixels of the image.
        columns: The models' columns.
        with_image: Whether its pixels are sent; the browser may have them.
    """
    width, height = image.size
    crops: list[tuple[str, list[float]]] = []
    for column in columns:
        if column.study is not None:
            x0, y0, x1, y1 = column.study.crop.crop_box
            if x0 > 0.5 or y0 > 0.5 or x1 < width - 0.5 or y1 < height - 0.5:
                crops.append((column.title, [x0, y0, x1, y1]))
    cropping = [name for name, _ in crops]
    return {
        **({"src": _preview(image)} if with_image else {}),
        "key": key,
        "size": [width, height],
        "position": list(position),
        "crops": [{"name": name, "box": box} for name, box in crops],
        "alt": tr("page.crosshair_alt", width=width, height=height, x=position[0], y=position[1]),
        "role": tr("page.crosshair_role"),
        "back": tr("page.back"),
        "note": " ".join(filter(None, (_input_crops(cropping), *map(tr_message, image.notes)))),
    }


def _preview(image: SourceImage) -> str:
    """At most PREVIEW_SIDE pixels on each side, as a data URL."""
    width, height = image.size
    scale = min(1.0, PREVIEW_SIDE / max(width, height))
    size = round(width * scale), round(height * scale)
    return jpeg(np.asarray(Image.fromarray(image.rgb).resize(size, Image.Resampling.LANCZOS)))


def _input_crops(names: Sequence[str]) -> str:
    """Names the models that crop the image; '' if none does."""
    return tr("page.input_crops", count=len(names), names=tr("page.and_join").join(names)) if names else ""


def predictions(columns: Sequence[Column]) -> Json:
    """Top-5 predictions of the first finished model, as bars that are also buttons."""
    first = next((c for c in columns if c.study is not None), None)
    if first is None:
        failed = [column.title for column in columns if column.error is not None]
        all_failed = bool(failed) and len(failed) == len(columns)
        note = tr("predictions.none", titles=tr("page.and_join").join(failed)) if all_failed else ""
        return {"predictions": [], "chosen": -1, "note": note, "warning": "", "weights": []}
    classes, dataset = len(first.study.predictions.probabilities), DATASETS.get(first.study.spec.label_set)
    values = {"title": first.title, "classes": f"{classes:,}"} | ({"dataset": dataset} if dataset else {})
    note = tr("predictions.classes_of" if dataset else "predictions.classes", **values)
    return {
        "predictions": bars(first.study), "chosen": first.study.target.index, "note": note, "warning": warning(first),
        "weights": [weights_chip(column) for column in columns if column.study is not None],
    }  # fmt: skip


def weights_chip(column: Column) -> Json:
    """Source of a model's weights for the page header; `more` has all details."""
    where = "" if column.study.untrained else tr_message(column.study.provenance.origin)
    return {"title": column.title, "where": where, "more": weights_details(column)}


def warning(column: Column) -> str:
    """Warning that the image is out of distribution or the confidence low; '' if neither, or unknown."""
    ood = column.study.out_of_distribution
    if ood is None or not (ood.is_out_of_distribution or ood.is_low_confidence):
        return ""
    return tr(
        "predictions.out_of_distribution" if ood.is_out_of_distribution else "predictions.low_confidence",
        title=column.title,
        images=f"{ood.held_out_count:,}",
        nearer=percent(ood.nearer_share),
        more=percent(1 - ood.less_confident_share),
    )


def progress(columns: Sequence[Column]) -> Json:
    """Model -> the cell of its progress, for every unfinished column."""
    return {c.name: pending(c) for c in columns if not c.finished}
