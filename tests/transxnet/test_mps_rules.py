"""Every analysis under the rules of Apple GPUs, which are simulated on the CPU: no float64, restricted pooling."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.fixtures.small_model import few_passes
from tests.mps_rules import MPSRules
from transxnet import load
from transxnet.explain.erf.protocol import published_erf
from transxnet.explain.observe import observe
from transxnet.explain.predict import predict_batch
from transxnet.explain.sanity.out_of_distribution import features
from transxnet.images import SourceImage, decode, prepare_for
from transxnet.labels import label_set
from transxnet.study import ANALYSES, StudyOptions, study
from transxnet.weights.load import LoadedModel

SIZE = 96  # stages of 24, 12, 6 and 3 units: none divides IDConv's 7
MASK = "2x4:iA=="  # a first cell of each row
BACKBONE_ANALYSES = (
    "grad_cam", "cam_stages", "receptive_field", "integrated_gradients", "smooth_grad", "occlusion",
)  # fmt: skip


@pytest.fixture(scope="module")
def pico() -> LoadedModel:
    return load("pico", device="cpu", image_size=SIZE)


def random_image(seed: int = 0) -> SourceImage:
    return decode(np.random.default_rng(seed).integers(0, 255, (80, 120, 3), np.uint8))


def run_study(loaded: LoadedModel, *analyses: str) -> None:
    options = StudyOptions(analyses=analyses, ablations=("uniform_gates", "no_osra"), mask=MASK)
    with MPSRules(), few_passes():
        result = study(loaded, random_image(), options, random_image(1))
    assert not result.missing


def test_simulation_refuses_what_mps_lacks():
    x = torch.ones(1, 1, 32, 32)
    with MPSRules():
        F.adaptive_avg_pool2d(x, 8)
        F.adaptive_avg_pool2d(x, 64)
        with pytest.raises(RuntimeError, match="32 to 7"):
            F.adaptive_avg_pool2d(x, 7)
        with pytest.raises(TypeError, match="float64"):
            x.double()
        with pytest.raises(TypeError, match="float64"):
            torch.from_numpy(np.ones(3)).float()


@pytest.mark.parametrize("analysis", ANALYSES)
def test_pico_runs_every_analysis(pico: LoadedModel, analysis: str):
    run_study(pico, *(("grad_cam", "rollout", analysis) if analysis == "sanity_checks" else (analysis,)))


def test_t_predicts_and_explains():
    run_study(load("t@untrained", device="cpu", image_size=SIZE), "rollout", "pathway_energies", "grad_cam", "kernels")


@pytest.mark.parametrize("analyses", [BACKBONE_ANALYSES, ("grad_cam", "sanity_checks")], ids=["maps", "sanity_checks"])
def test_backbone_runs_its_analyses(analyses: tuple[str, ...]):
    run_study(load("timm:resnet18@untrained", device="cpu", image_size=64), *analyses)


@pytest.mark.parametrize("name", ["pico", "timm:resnet18@untrained"])
def test_published_erf_protocol_runs(pico: LoadedModel, name: str):
    loaded = pico if name == "pico" else load(name, device="cpu")
    with MPSRules():
        result = published_erf(loaded, [random_image().rgb], 64)
    assert result.heatmap.dtype == np.float64


def test_out_of_distribution_features_of_a_batch(pico: LoadedModel):
    model_input = prepare_for(random_image(), pico.spec)
    with MPSRules():
        assert features(observe(pico.model, model_input, ("stage",))).dtype == np.float32


def test_prediction_of_a_batch(pico: LoadedModel):
    tensors = [prepare_for(random_image(seed), pico.spec).tensor for seed in range(3)]
    with MPSRules():
        assert len(list(predict_batch(pico.model, tensors, label_set(pico.spec.label_set)))) == 3
