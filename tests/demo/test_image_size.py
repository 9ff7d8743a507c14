"""Other input sizes than the model's own: offered, limited by memory, used and mentioned."""

from __future__ import annotations

import pytest

from demo.controls import Controls
from demo.renderer import Renderer
from demo.service import StudyService
from demo.state import SIZES, ViewState, from_query
from tests.fixtures.small_model import image
from transxnet.errors import OutOfRange
from transxnet.study import StudyOptions
from transxnet.weights.load import study_memory


@pytest.fixture(scope="module")
def service() -> StudyService:
    return StudyService(device="cpu")


def test_large_sizes_are_disabled_with_their_memory(service):
    choices = Controls(service, ["pico", "t"], "pico").image_sizes(["pico", "t"])["choices"]
    assert choices[0] == [0, "the model's own (128, 224 px)", False]
    assert [side for side, *_ in choices[1:]] == list(SIZES)
    allowed = [side for side, _, disabled in choices[1:] if not disabled]
    assert allowed == [side for side in SIZES if study_memory("t", side) <= 2 * 10**9]
    assert 224 in allowed
    assert 1024 not in allowed
    needed = study_memory("t", 1024) / 1e9
    assert choices[-1] == [1024, f"1024 px (needs {needed:.1f} GB)", True]


def test_the_limit_is_the_operators():
    small = StudyService(device="cpu", request_bytes=100 * 10**6)
    with pytest.raises(OutOfRange, match=r"pico at 512 px needs about 0\.7 GB of memory\. This page allows 0\.1 GB"):
        small.study(small.add(image()), "pico", StudyOptions(image_size=512))
    state, _, notes = Renderer(small).resolve(ViewState(image_size=512))
    assert state.image_size == 0
    assert notes == ["pico at 512 px needs about 0.7 GB of memory. This page allows 0.1 GB for a request. "
                     "Select a smaller size."]  # fmt: skip


def test_a_study_at_another_size_says_so(service):
    key = service.add(image())
    study = service.study(key, "pico", StudyOptions(image_size=160, analyses=("grad_cam",)))
    assert study.crop.rgb.shape == (160, 160, 3)
    assert study.spec.image_size == 160
    assert study.provenance.note.endswith("Images of 160 px instead of the model's own 128 px.")
    assert study.grad_cam.heatmap.shape == (5, 5)
    own = service.study(key, "pico", StudyOptions(image_size=128, analyses=("grad_cam",)))
    assert "instead of" not in own.provenance.note
    assert own is service.study(key, "pico", StudyOptions(analyses=("grad_cam",)))


def test_a_backbone_of_one_size_keeps_it(service):
    study = service.study(
        service.add(image()), "timm:test_vit@untrained", StudyOptions(image_size=224, analyses=("grad_cam",))
    )
    assert study.spec.image_size == 160
    assert study.crop.rgb.shape == (160, 160, 3)


def test_a_url_names_a_size():
    assert from_query([("image_size", "224")])[0].image_size == 224
    for text in ("225", "64", "1056", "x", "-96"):
        state, notes = from_query([("image_size", text)])
        assert state.image_size == 0
        assert notes
