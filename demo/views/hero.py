"""The first screen's comparison: kernels of one layer for two images, those that differ most, and their difference.

Same layer, same weights, another image: a convolution with learned kernels would show the same kernels twice. Distances
are those of transxnet/explain/kernels/change.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transxnet.draw.text import number
from transxnet.explain.kernels.change import kernel_change
from transxnet.images import SourceImage
from transxnet.study import Study

from ..cells import Json, jpeg, scale, thumbnail, tiles_cell
from ..columns import Column
from ..i18n.translate import tr, tr_group

CHANNELS = 9  # shown, three by three


def first_with_kernels(columns: Sequence[Column]) -> Column | None:
    """The first model with kernels: timm's backbones have none."""
    return next((c for c in columns if c.study is not None and "kernels" not in c.study.missing), None)


def hero(column: Column, other: Study, image: SourceImage, reference: SourceImage) -> Json:
    """Two images, the kernels of one layer for each, and the difference of these kernels.

    Args:
        column: The model with its study of the image.
        other: The model's study of the reference image.
        image: The image.
        reference: The reference image.
    """
    change = kernel_change(column.study.kernels, other.kernels)
    distance = np.nan_to_num(change.distance, nan=-1.0)  # (C,); NaN where the static kernel is all zeros
    channels = np.sort(np.argsort(-distance, kind="stable")[:CHANNELS])
    first, second = change.first[channels], change.second[channels]  # (9, K, K) each
    grids = {"first": first, "difference": second - first, "second": second}
    names, texts = [tr("kernels.tile", channel=i + 1) for i in channels], tr_group("hero.")
    median = float(np.nanmedian(change.distance))
    values = {"stage": change.stage, "block": change.block, "shown": len(channels), "count": len(distance)}
    return {
        "scale": scale(list(grids.values()), "weight", "RdBu_r", signed=True),
        "cells": {
            name: tiles_cell(grid, names, texts[name], texts[f"{name}_alt"], taps=True) for name, grid in grids.items()
        },
        "images": {"first": jpeg(thumbnail(image)), "second": jpeg(thumbnail(reference))},
        "data": {"distance": repr(median), "channels": ",".join(str(i + 1) for i in channels)},
        "title": tr("hero.title" if column.study.spec.idconv else "hero.title_learned"),
        "layer": tr("hero.layer", title=column.title, **values),
        "sentence": _sentence(column, other, median),
    }


def _sentence(column: Column, other: Study, median: float) -> str:
    if column.study.image == other.image:
        return tr("hero.same_image")
    if not column.study.spec.idconv:
        return tr("hero.learned")
    return tr("hero.generated", distance=number(median))
