"""Tab Sequence: choices of a transition; its frames are computed when they are requested (demo/sequence.py)."""

from __future__ import annotations

from transxnet.results.layer import LayerResult
from transxnet.sequence import TRANSITIONS

from ..cells import Json, missing, unfinished
from ..columns import Scene
from ..i18n.translate import tr, tr_group

COUNTS = (12, 24, 48)  # frames to choose from
PART = "kernels"


def layer_text(result: LayerResult) -> str:
    """ "stage 3, block 2"."""
    return tr("kernels.layer", stage=result.stage, block=result.block)


def sequence(scene: Scene) -> Json:
    column, text = scene.columns[0], tr_group("sequence.")
    return {
        "layout": "sequence",
        "instead": (unfinished(column) or [missing(column, PART)])[0],
        "transitions": [[name, text[f"kind_{name}"]] for name in TRANSITIONS],
        "counts": sorted({*COUNTS, scene.state.frames}),
        "note": tr("sequence.one_model", title=column.title) if len(scene.columns) > 1 else "",
        "strings": text,
    }
