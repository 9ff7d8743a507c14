"""Backbones in a study: analyses that need no TransXNet parts, and reasons for the others."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fixtures.small_model import image, small_model
from transxnet.explain.attribution.methods import METHODS
from transxnet.explain.sanity.agreement import agreement_between_models
from transxnet.explain.sanity.randomization import parameter_groups
from transxnet.export.figures import figures
from transxnet.study import FIGURE_ANALYSES, Study, StudyOptions, study
from transxnet.weights.load import LoadedModel, load

PHOTO = image(3, 140, 110)
NEED_PARTS = (  # of a TransXNet
    "attention", "position_attention", "attention_depth", "rollout", "rollouts", "pathway_energies", "kernels",
    "kernel_depth",
    "clusters", "spectra", "kernel_change", "erf_pathways", "ablation_table",
)  # fmt: skip
MAPS = ("grad_cam", "contrast", "cam_stages", "receptive_field", "integrated_gradients", "smooth_grad", "occlusion")


@pytest.fixture(scope="module")
def convnext() -> LoadedModel:
    return load("timm:test_convnext@untrained", device="cpu", image_size=64)


@pytest.fixture(scope="module")
def backbone(convnext) -> Study:
    """All analyses of a backbone that receives a 64 px square of 95% of the short side."""
    state = {name: tensor.clone() for name, tensor in convnext.model.state_dict().items()}
    result = study(convnext, PHOTO, StudyOptions(analyses=FIGURE_ANALYSES, target="ladybug"), reference_image=image(4))
    assert all((convnext.model.state_dict()[name] == tensor).all() for name, tensor in state.items())
    return result


@pytest.fixture(scope="module")
def small() -> Study:
    """The same photo in a small TransXNet."""
    only = tuple(name for name in FIGURE_ANALYSES if name not in ("occlusion", "integrated_gradients"))
    return study(small_model(), PHOTO, StudyOptions(analyses=only, target="ladybug"), reference_image=image(4))


def test_general_analyses_are_available(backbone):
    assert (
        {name for name in FIGURE_ANALYSES if getattr(backbone, name) is None}
        == set(NEED_PARTS)
        == set(backbone.missing)
    )
    for name in MAPS:
        assert np.ptp(getattr(backbone, name).heatmap) > 0, name
        assert getattr(backbone, name).model == "timm:test_convnext"
    assert (backbone.model, backbone.untrained) == ("timm:test_convnext@untrained", True)
    assert (backbone.target.label, backbone.target.note) == ("ladybug", "")


def test_transxnet_analyses_have_reasons(backbone):
    of_osra = "test_convnext is no TransXNet: it has no OSRA to attend with."
    of_idconv = "test_convnext is no TransXNet: it generates no kernels."
    for name in ("attention", "position_attention", "attention_depth", "rollout", "rollouts", "pathway_energies"):
        assert backbone.missing[name] == of_osra
    for name in ("kernels", "kernel_depth", "clusters", "spectra", "kernel_change"):
        assert backbone.missing[name] == of_idconv
    assert "that could be changed" in backbone.missing["ablation_table"]
    assert "nothing to detach" in backbone.missing["erf_pathways"]


def test_backbone_maps_are_checked(backbone, convnext):
    """Faithfulness, randomization of every tensor by name, agreement and outcomes of each map."""
    report = backbone.sanity_checks
    assert set(report.maps) == set(report.faithfulness) == set(report.checks) == set(MAPS)
    assert set(report.missing) == set(METHODS) - set(MAPS) == {"attention", "rollout"}
    assert "no OSRA" in report.missing["rollout"]
    parameters_by_group = parameter_groups(convnext.model)
    assert [name for name, _ in parameters_by_group] == ["head", "stage 4", "stage 3", "stage 2", "stage 1", "stem"]
    named = [key for _, keys in parameters_by_group for key in keys]
    tensors = [name for name, _ in (*convnext.model.named_parameters(), *convnext.model.named_buffers())]
    assert sorted(named) == sorted(tensors)
    cascade = report.randomization["grad_cam"]
    assert cascade.steps == tuple(name for name, _ in parameters_by_group)
    assert np.isfinite(cascade.signed).all()
    assert len(cascade.complete_signed) == 4
    assert len(set(cascade.complete_signed)) == 4  # each random copy has other values


def test_maps_have_their_own_crops(backbone, small):
    """One photo, two crops (95% and all of the short side), compared on the common part."""
    rows = [
        study_result.crop.crop_box[3] - study_result.crop.crop_box[1] for study_result in (small, backbone)
    ]  # of the photo's 110
    assert rows == pytest.approx([110, 110 * 64 / int(64 / 0.95)])
    stages = [
        (study_result.grad_cam.geometry.stride, study_result.grad_cam.geometry.origin)
        for study_result in (small, backbone)
    ]
    assert stages == [(32, 0), (32, 15.5)]
    result = agreement_between_models({"small": small.grad_cam, "backbone": backbone.grad_cam})
    assert result.box == backbone.crop.crop_box  # the common part
    assert np.isfinite(result.correlation).all()


def test_figures_show_both_models_where_possible(backbone, small):
    by_name = {study_figure.name: study_figure for study_figure in figures([small, backbone], PHOTO.rgb)}
    about_parts = {
        "attention_heads", "attention_depth", "rollout", "pathway_energies", "kernel_clusters", "kernel_gates",
        "kernel_spectrum",
        "kernel_change", "kernel_depth", "erf_pathways", "ablation_table", "ablation_heads",
    }  # fmt: skip
    assert about_parts < set(by_name)
    for name, study_figure in by_name.items():
        words = " ".join([study_figure.alt, *study_figure.numbers, *study_figure.arrays, *(_cells(study_figure))])
        assert ("test_convnext" in words) is (name not in about_parts), name


def _cells(study_figure) -> list[str]:
    return [cell for row in study_figure.table.rows for cell in row] if study_figure.table else []
