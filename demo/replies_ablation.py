"""What an endpoint answers about a ablation: parts switched off, a region painted out, the answers before and after."""

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
from .replies import answers


def ablation_of(study: Study) -> tuple[dict[str, Any], bytes, bytes]:
    """Numbers, a PNG of what the model was given, and an NPZ: `logits_before`, `logits_after`, `crop`, `elsewhere`.

    study: one with the part "ablation". The numbers: who answers, the changes made and those that this variant cannot
    have (`skipped`), the explained class and the first answers before and after, and of a painted region its share of
    the view, the change of the explained logit that it made, and those of the same shape elsewhere.
    Raises PartMissing where the study has none.
    """
    t = study.ablation
    if t is None:
        raise PartMissing(
            study.missing.get("ablation", "This study tried nothing."), remedy=message("errors.part_missing_remedy")
        )
    elsewhere = np.zeros(0, np.float32) if t.control_effects is None else t.control_effects
    numbers = answers(study) | clean(
        {
            "target": asdict(study.target),
            "changes": [asdict(change) for change in t.applied],
            "skipped": dict(t.skipped),
            "explained": _pair(*t.target),
            "answers": [_pair(*pair) for pair in zip(t.predictions_before, t.predictions_after, strict=True)],
            "new_top": None if t.new_top is None else prediction_json(t.new_top),
            "painted": {
                "share": t.masked_share, "fill": t.fill, "logit_change": t.mask_effect, "elsewhere": elsewhere.tolist(),
            },
        }
    )  # fmt: skip
    held = {"logits_before": t.logits_before, "logits_after": t.logits_after, "crop": t.crop, "elsewhere": elsewhere}
    return numbers, to_png(t.crop), npz(held)


def _pair(before: Prediction, after: Prediction) -> dict[str, Any]:
    """One class: share and logit before and after."""
    return {
        "index": before.index, "wnid": before.wnid, "label": before.label,
        "probability": [before.probability, after.probability], "logit": [before.logit, after.logit],
    }  # fmt: skip
