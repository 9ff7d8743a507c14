"""Tab Live: the camera; frames are answered by demo/live.py."""

from __future__ import annotations

import math

from transxnet.backbones.spec import spec_of

from ..cells import Json, unfinished
from ..columns import Scene
from ..i18n.translate import tr_group


def live(scene: Scene) -> Json:
    column = scene.columns[0]
    spec = spec_of(column.name)[0]
    side = math.floor((scene.state.image_size or spec.image_size) / spec.crop_pct)  # which preparing does not resize
    return {
        "layout": "live", "instead": (unfinished(column) or [None])[0], "side": side, "strings": tr_group("live."),
    }  # fmt: skip
