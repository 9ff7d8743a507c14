"""What the named endpoints answer: a study as JSON numbers, a PNG to look at, the raw arrays as an NPZ."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from transxnet.draw.png import to_png
from transxnet.errors import PartMissing
from transxnet.export.pictures import Style, channels_of, photograph, picture, ranges
from transxnet.export.records import arrays, describe, npz
from transxnet.images import Picture
from transxnet.study import Study

from .captions import PART_REMEDY

SIDE = 448  # pixels of a PNG's side


def answers(study: Study) -> dict[str, Any]:
    """Provenance and the best answers, best first."""
    described = describe(study)
    return {key: described[key] for key in ("model", "untrained", "provenance", "top", "notes")}


def map_of(study: Study, part: str, upload: Picture, head: int = 0) -> tuple[dict[str, Any], bytes, bytes]:
    """One part ("attention", "kernels", "grad_cam", "receptive_field"): numbers, PNG, NPZ.

    The numbers are the study's description with this part's own beside it (layer, target, units, raw range,
    geometry); they also stand in the NPZ as JSON under `about`. head: the head that is drawn, 0 the mean.
    Raises PartMissing where the variant has no such part.
    """
    if part in study.missing:
        raise PartMissing(study.missing[part], remedy=PART_REMEDY)
    style = Style(head=head)
    described = describe(study)
    numbers = {**described, **described["maps"][part]}
    del numbers["maps"]
    if part == "kernels":
        numbers["shown_channels"] = [int(c) + 1 for c in channels_of(study.kernels) or ()]
    drawn = picture(study, part, photograph(study, upload.rgb, SIDE), ranges([study], style)[part], style)
    return numbers, to_png(drawn), npz(arrays(study) | {"about": np.array(json.dumps(numbers))})
