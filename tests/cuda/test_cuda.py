"""Models from the Hub on a CUDA device: predictions and explanations equal those on the CPU.

T and B with the reference weights come from the loopback Hub. Convolutions on recent GPUs use TF32 by
default, with 10 bits of mantissa: the close comparisons switch it off, one test leaves it on.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from tests import reference
from tests.hub import NAMESPACE, HubServer, family_root, use_hub
from transxnet.explain.predict import predict_batch
from transxnet.images import SourceImage, decode, prepare
from transxnet.study import OVERVIEW_ANALYSES, Study, StudyOptions, study
from transxnet.weights.load import LoadedModel, load, resolve_device

pytestmark = pytest.mark.cuda
DEVICE = "cuda"


@pytest.fixture(scope="module", params=["t", "b"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LoadedModel, ...]]:
    """The same weights on the CPU and on the CUDA device, both through the Hub's client."""
    with pytest.MonkeyPatch.context() as monkeypatch, HubServer(family_root()) as hub:
        use_hub(monkeypatch, hub.url, tmp_path_factory.mktemp("hub-cache"))
        yield tuple(load(request.param, device=device, hub_namespace=NAMESPACE) for device in ("cpu", DEVICE))


@pytest.fixture
def full_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@pytest.fixture(scope="module")
def image() -> SourceImage:
    """Smooth noise, 300 x 260 px: every region has contrast."""
    coarse = np.random.default_rng(0).integers(0, 256, (13, 15, 3), dtype=np.uint8)
    return decode(np.kron(coarse, np.ones((20, 20, 1), np.uint8)))


def relative_error(ours: np.ndarray, reference: np.ndarray) -> float:
    """Largest difference over largest absolute value."""
    return float(np.abs(np.asarray(ours) - np.asarray(reference)).max() / np.abs(reference).max())


def test_cuda_is_the_first_choice(pair):
    assert resolve_device().type == DEVICE
    cpu, cuda = pair
    assert {p.device.type for p in cuda.model.parameters()} == {DEVICE}
    assert cuda.provenance == cpu.provenance
    assert cuda.provenance.kind == "hub"


def test_logits_equal_the_official_ones(pair, full_float32):
    _, cuda = pair
    variant = cuda.spec.short
    with torch.no_grad():
        logits = cuda.model(reference.reference_input(224, 224).to(DEVICE))[0].cpu().numpy()
    assert relative_error(logits, reference.arrays()[f"{variant}.224x224.logits"]) < 1e-4


def test_explanations_equal_those_on_the_cpu(pair, image, full_float32):
    options = StudyOptions(stage=3, target=281, analyses=(*OVERVIEW_ANALYSES, "attention_table"))
    cpu, cuda = (study(loaded, image, options) for loaded in pair)
    assert relative_error(cuda.predictions.logits, cpu.predictions.logits) < 1e-4
    assert [a.index for a in cuda.predictions.top] == [a.index for a in cpu.predictions.top]
    errors = {name: relative_error(ours, reference) for name, ours, reference in _maps(cuda, cpu)}
    assert {name: error for name, error in errors.items() if not error < 1e-3} == {}


def _maps(ours: Study, reference_study: Study) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Every array two studies hold, in pairs."""
    yield "attention", ours.attention.heads, reference_study.attention.heads
    yield "attention, all queries", ours.attention_table.weights, reference_study.attention_table.weights
    for name in ("kernels", "gates", "biases", "static_kernels"):
        yield name, getattr(ours.kernels, name), getattr(reference_study.kernels, name)
    for name in ("grad_cam", "receptive_field"):
        yield name, getattr(ours, name).heatmap, getattr(reference_study, name).heatmap


def test_prediction_with_tf32_and_with_half_precision(pair, image):
    """As the page predicts: faster arithmetic may change probabilities a little, but not the top class."""
    cpu, cuda = pair
    tensors = [prepare(image, image_size=cpu.spec.image_size, crop_pct=cpu.spec.crop_pct).tensor] * 3
    labels = cpu.spec.labels
    expected = next(predict_batch(cpu.model, tensors[:1], labels))
    for autocast in (False, True):
        for predictions in predict_batch(cuda.model, tensors, labels, batch_size=2, autocast=autocast):
            assert predictions.top[0].index == expected.top[0].index
            assert np.abs(predictions.probabilities - expected.probabilities).max() < 0.05
            assert predictions.probabilities.sum() == pytest.approx(1, abs=1e-4)
