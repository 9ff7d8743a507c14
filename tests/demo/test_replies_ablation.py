"""What an endpoint answers about a ablation is the library's ablation."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from demo.replies import ablation_of
from tests.fixtures.small_model import image, small_model
from tests.masks import format_mask
from transxnet.errors import PartMissing
from transxnet.study import StudyOptions, study

GRID = np.zeros((8, 10), bool)
GRID[2:5, 3:6] = True


@pytest.fixture(scope="module")
def tried():
    options = StudyOptions(
        analyses=("ablation",), ablations=("no_osra@2.0", "head_off:9@1.1"), mask=format_mask(GRID), fill="blur"
    )
    return study(small_model(), image(), options)


def test_the_numbers_are_the_librarys(tried):
    numbers, png, held = ablation_of(tried)
    t = tried.ablation
    assert json.loads(json.dumps(numbers)) == numbers
    assert numbers["model"] == "small"
    assert numbers["ablations"] == [{"key": "no_osra@2.0", "description": "OSRA’s half zeroed", "scope": "stage 2"}]
    assert list(numbers["skipped"]) == ["head_off:9@1.1"]
    assert numbers["target"]["logit"] == [t.target[0].logit, t.target[1].logit]
    assert [one["probability"] for one in numbers["predictions"]] == [
        [old.probability, new.probability] for old, new in zip(t.predictions_before, t.predictions_after, strict=True)
    ]
    assert numbers["occlusion"] == {
        "share": t.masked_share, "fill": "blur", "logit_change": t.mask_effect,
        "control_logit_changes": t.control_effects.tolist(),
    }  # fmt: skip
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png))), t.crop)
    with np.load(io.BytesIO(held), allow_pickle=False) as arrays:
        assert np.array_equal(arrays["logits_after"], t.logits_after)
        assert np.array_equal(arrays["control_effects"], t.control_effects)


def test_a_study_without_a_ablation_says_so():
    with pytest.raises(PartMissing, match="has no ablation"):
        ablation_of(study(small_model(), image(), StudyOptions(analyses=())))
