"""A backbone in a study: all that needs no TransXNet parts, trust included, and reasons for the rest; beside pico,
too."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small import image, small_model
from tests.tiny import one_thread  # noqa: F401 - a fixture
from transxnet.explain.attribution.methods import METHODS
from transxnet.explain.sanity.agreement import agreement_between_variants
from transxnet.explain.sanity.randomization import groups
from transxnet.export.figures import figures
from transxnet.study import DRAWN, Study, StudyOptions, study
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
    """Everything there is, of a backbone that takes a 64 px square out of 95 % of the short side."""
    state = {name: tensor.clone() for name, tensor in convnext.model.state_dict().items()}
    found = study(convnext, PHOTO, StudyOptions(only=DRAWN, target="ladybug"), other=image(4))
    assert all((convnext.model.state_dict()[name] == tensor).all() for name, tensor in state.items())
    return found


@pytest.fixture(scope="module")
def small() -> Study:
    """A small TransXNet's, of the same photo."""
    only = tuple(name for name in DRAWN if name not in ("occlusion", "integrated_gradients"))
    return study(small_model(), PHOTO, StudyOptions(only=only, target="ladybug"), other=image(4))


def test_what_needs_no_transxnet_parts_is_there(backbone):
    assert {name for name in DRAWN if getattr(backbone, name) is None} == set(NEED_PARTS) == set(backbone.missing)
    for name in MAPS:
        assert np.ptp(getattr(backbone, name).heatmap) > 0, name
        assert getattr(backbone, name).model == "timm:test_convnext"
    assert (backbone.model, backbone.untrained) == ("timm:test_convnext@untrained", True)
    assert (backbone.target.label, backbone.target.note) == ("ladybug", "")


def test_what_needs_them_says_why_not(backbone):
    of_osra = "test_convnext is no TransXNet: it has no OSRA to attend with."
    of_idconv = "test_convnext is no TransXNet: it generates no kernels."
    for name in ("attention", "position_attention", "attention_depth", "rollout", "rollouts", "pathway_energies"):
        assert backbone.missing[name] == of_osra
    for name in ("kernels", "kernel_depth", "clusters", "spectra", "kernel_change"):
        assert backbone.missing[name] == of_idconv
    assert "that could be changed" in backbone.missing["ablation_table"]
    assert "nothing to detach" in backbone.missing["erf_pathways"]


def test_a_backbones_maps_are_doubted_like_others(backbone, convnext):
    """Insertion and deletion, randomization of every tensor by name, agreement and a sanity_check for each map."""
    report = backbone.sanity_checks
    assert set(report.maps) == set(report.faithfulness) == set(report.checks) == set(MAPS)
    assert set(report.missing) == set(METHODS) - set(MAPS) == {"attention", "rollout"}
    assert "no OSRA" in report.missing["rollout"]
    order = groups(convnext.model)
    assert [name for name, _ in order] == ["head", "stage 4", "stage 3", "stage 2", "stage 1", "stem"]
    named = [key for _, keys in order for key in keys]
    own = [name for name, _ in (*convnext.model.named_parameters(), *convnext.model.named_buffers())]
    assert sorted(named) == sorted(own)
    cascade = report.randomization["grad_cam"]
    assert cascade.steps == tuple(name for name, _ in order)
    assert np.isfinite(cascade.signed).all()
    assert len(cascade.complete_signed) == 4
    assert len(set(cascade.complete_signed)) == 4  # each random copy has numbers of its own


def test_each_is_placed_in_its_own_view(backbone, small):
    """95 % of the short side beside all of it: one photo, two views, and maps compared where both are."""
    rows = [one.crop.crop_box[3] - one.crop.crop_box[1] for one in (small, backbone)]  # of the photo's 110
    assert rows == pytest.approx([110, 110 * 64 / int(64 / 0.95)])
    stages = [(one.grad_cam.geometry.stride, one.grad_cam.geometry.origin) for one in (small, backbone)]
    assert stages == [(32, 0), (32, 15.5)]
    found = agreement_between_variants({"small": small.grad_cam, "backbone": backbone.grad_cam})
    assert found.box == backbone.crop.crop_box  # what both saw
    assert np.isfinite(found.correlation).all()


def test_both_in_every_figure_and_transxnets_parts_alone(backbone, small):
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
