"""The reply of endpoint `ablation`: parts switched off, an occluded region, the predictions before and after."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from transxnet.draw.overlay import to_png
from transxnet.errors import PartMissing
from transxnet.export.records import clean, npz, prediction_json
from transxnet.results import Prediction
from transxnet.study import Study

from .i18n.translate import message
from .replies import predictions


def ablation_of(study: Study) -> tuple[dict[str, Any], bytes, bytes]:
    """Numbers, a PNG of the model input, and an NPZ: `logits_before`, `logits_after`, `crop`, `control_effects`.

    study: one with the analysis "ablation". The numbers: the model, the ablations applied and those that this variant
    cannot have (`skipped`), the target class and the first predictions before and after, and of an occluded region its
    share of the input, the change of the target logit that it made, and those of the same shape elsewhere.
    Raises PartMissing where the study has none.
    """
    t = study.ablation
    if t is None:
        raise PartMissing(
            study.missing.get("ablation", "This study has no ablation."), remedy=message("errors.part_missing_remedy")
        )
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
    arrays = {
        "logits_before": t.logits_before,
        "logits_after": t.logits_after,
        "crop": t.crop,
        "control_effects": controls,
    }
    return numbers, to_png(t.crop), npz(arrays)


def _pair(before: Prediction, after: Prediction) -> dict[str, Any]:
    """One class: share and logit before and after."""
    return {
        "index": before.index, "wnid": before.wnid, "label": before.label,
        "probability": [before.probability, after.probability], "logit": [before.logit, after.logit],
    }  # fmt: skip
