"""What the endpoints answer: numbers, an image, and the library's own arrays."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from demo import replies
from tests.fixtures.small_model import image, small_model
from transxnet.draw.overlay import crop_source
from transxnet.draw.scale import shared_range
from transxnet.draw.styles import draw_result
from transxnet.explain.kernels.kernels import representatives
from transxnet.study import OVERVIEW_ANALYSES, StudyOptions, study

UPLOAD = image()


@pytest.fixture(scope="module")
def seen():
    return study(small_model(), UPLOAD, StudyOptions(stage=2, block=1, position=(30, 70)))


def answered(seen, part: str, head: int = 0):
    numbers, png, npz = replies.map_of(seen, part, UPLOAD, head)
    return numbers, np.asarray(Image.open(io.BytesIO(png))), np.load(io.BytesIO(npz), allow_pickle=False)


def test_answers_best_first_with_provenance(seen):
    reply = replies.predictions(seen)
    assert reply["provenance"] == {"kind": "folder", "location": "small.safetensors", "sha256": "ab" * 32}
    assert (reply["model"], reply["untrained"]) == ("small", False)
    assert [(a["index"], a["probability"]) for a in reply["predictions"]] == [
        (a.index, a.probability) for a in seen.predictions.top
    ]
    assert json.loads(json.dumps(reply, allow_nan=False)) == reply


@pytest.mark.parametrize("part", OVERVIEW_ANALYSES)
def test_a_map_is_answered_whole(seen, part):
    numbers, png, npz = answered(seen, part)
    result = getattr(seen, part)
    raw = {"attention": "heads", "kernels": "kernels"}.get(part, "heatmap")
    assert np.array_equal(npz[part], getattr(result, raw))
    assert np.array_equal(npz["crop"], seen.crop.rgb)
    assert np.array_equal(npz["logits"], seen.predictions.logits)
    assert json.loads(str(npz["about"])) == json.loads(json.dumps(numbers, allow_nan=False))
    assert numbers["provenance"]["sha256"] == "ab" * 32
    assert numbers["layer"].startswith("stage 4, block 1" if part == "grad_cam" else "stage 2, block")
    assert numbers["range"] == [npz[part].min(), npz[part].max()]
    assert "maps" not in numbers
    assert png.dtype == np.uint8
    assert png.shape[-1] == 3


def test_kernels_come_with_their_gates_and_the_channels_drawn(seen):
    numbers, _, npz = answered(seen, "kernels")
    made = seen.kernels
    assert np.array_equal(npz["kernels_static"], made.static_kernels)
    assert np.array_equal(npz["kernels_gates"], made.gates)
    assert np.array_equal(npz["kernels_biases"], made.biases)
    assert np.array_equal(npz["kernels_bias_gates"], made.bias_gates)
    assert npz["kernels"] == pytest.approx((made.gates * weights(seen)).sum(axis=0), abs=1e-6)
    assert numbers["shown_channels"] == [int(c) + 1 for c in representatives(made, 12)]
    assert numbers["numbers"]["distance"] == pytest.approx(np.median(made.static_distance))


def weights(seen) -> np.ndarray:
    """The learned kernels of the block, (G, C, 7, 7)."""
    block = small_model().model.network[2][0]
    return block.token_mixer.local_unit.weight.detach().numpy()


@pytest.mark.parametrize("head", [0, 2])
def test_the_image_is_the_librarys_drawing_of_that_head(seen, head):
    _, png, _ = answered(seen, "attention", head)
    photo = crop_source(UPLOAD.rgb, seen.crop.crop_box, (replies.SIDE, replies.SIDE))
    assert np.array_equal(png, draw_result(seen.attention, photo, shared_range([seen.attention.head(head)]), head=head))


def test_the_receptive_field_has_its_numbers(seen):
    numbers, png, _ = answered(seen, "receptive_field")
    assert numbers["numbers"] == pytest.approx(seen.receptive_field.numbers)
    assert png.shape == (replies.SIDE, replies.SIDE, 3)
    assert numbers["position"] == [30, 70]
