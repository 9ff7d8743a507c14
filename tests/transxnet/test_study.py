from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest
import torch

from tests.fixtures.small_model import SPEC, few_passes, image, small_model
from transxnet.errors import DeviceError, OutOfRange, UnknownName
from transxnet.explain.attention.attention import attention_from, attention_table
from transxnet.explain.attention.depth import pathway_energies
from transxnet.explain.attention.rollout import rollout
from transxnet.explain.attribution.captum_methods import integrated_gradients, occlusion
from transxnet.explain.attribution.grad_cam import grad_cam
from transxnet.explain.erf.erf import receptive_field
from transxnet.explain.kernels.change import kernel_depth
from transxnet.explain.kernels.clusters import kernel_clusters
from transxnet.explain.kernels.kernels import kernels
from transxnet.explain.kernels.spectra import kernel_spectrum
from transxnet.explain.observe import observe
from transxnet.explain.predict import predict
from transxnet.export.records import describe
from transxnet.images import prepare
from transxnet.model import TransXNet
from transxnet.results import KernelSet
from transxnet.study import ANALYSES, OVERVIEW_ANALYSES, StudyOptions, run, study

LABELS = SPEC.labels
KINDS = ("attention", "kernels", "gates", "biases", "bias_gates", "idconv", "osra", "stage")
POSITION = (30.0, 70.0)  # upload pixels; the view is columns 10 to 90 of a 100 x 80 image, 64 px wide


@pytest.mark.parametrize(("target", "error"), [("zebroid", UnknownName), (10**6, OutOfRange)])
def test_unknown_classes_are_refused_before_the_pass(monkeypatch, target, error):
    monkeypatch.setattr(run, "observe", lambda *_, **__: pytest.fail("a pass was run"))
    with pytest.raises(error):
        study(small_model(), image(), StudyOptions(target=target))


@pytest.fixture(scope="module")
def full_study():
    """All analyses at once; captum with few steps and large patches."""
    with few_passes():
        return study(
            small_model(),
            image(),
            StudyOptions(stage=2, block=1, position=POSITION, cam_layer="head", analyses=ANALYSES),
        )


@pytest.fixture(scope="module")
def observation():
    model_input = prepare(image(), image_size=SPEC.image_size, crop_pct=SPEC.crop_pct)
    return observe(small_model().model, model_input, grad=True)


def test_shared_pass_equals_each_explanation_alone(full_study, observation):
    direct = attention_from(observation, 2, 1, POSITION)
    assert (full_study.attention.heads == direct.heads).all()
    assert full_study.attention.query == direct.query == (7, 2)  # (70, 30) of the upload is (55.5, 15.5) of the view
    assert (full_study.attention_table.weights == attention_table(observation, 2, 1).weights).all()
    generated = kernels(observation, 2, 1)
    for name in (f.name for f in dataclasses.fields(KernelSet)):
        assert np.array_equal(getattr(full_study.kernels, name), getattr(generated, name)), name
    top = predict(observation, LABELS).top[0]
    assert (full_study.grad_cam.heatmap == grad_cam(observation, top.index, "head").heatmap).all()
    assert (full_study.receptive_field.heatmap == receptive_field(observation, 2, POSITION).heatmap).all()
    assert (full_study.predictions.logits == predict(observation, LABELS).logits).all()
    assert full_study.predictions.top == predict(observation, LABELS).top


def test_captum_maps_explain_the_same_class(full_study, observation):
    arguments = (small_model().model, threading.RLock(), observation.model_input, full_study.target.index)
    assert full_study.integrated_gradients.heatmap == pytest.approx(
        integrated_gradients(*arguments, steps=2).heatmap, abs=1e-6
    )
    assert full_study.occlusion.heatmap == pytest.approx(occlusion(*arguments, patch=32, stride=32).heatmap, abs=1e-6)
    assert full_study.occlusion.target == full_study.integrated_gradients.target == full_study.grad_cam.target


def test_a_study_has_its_metadata(full_study):
    top = full_study.predictions.top[0]
    assert (full_study.model, full_study.spec, full_study.untrained) == ("small", SPEC, False)
    assert full_study.provenance.sha256 == "ab" * 32
    assert full_study.image == image().sha256
    assert (full_study.target.index, full_study.target.wnid, full_study.target.note) == (top.index, top.wnid, "")
    assert full_study.grad_cam.target == f"{top.label} (class {top.index})"
    assert full_study.crop.crop_box == (10, 0, 90, 80)
    assert full_study.crop.source_size == (100, 80)
    assert full_study.crop.rgb.shape == (64, 64, 3)
    assert full_study.notes == ()
    assert set(full_study.seconds) == {"total", "forward", *ANALYSES} - {"kernel_change", "out_of_distribution"}
    assert full_study.missing["kernel_change"] == "There is no second image to compare kernels with."
    assert set(full_study.missing) == {"kernel_change", "out_of_distribution"}  # nothing is recorded of these weights
    assert full_study.seconds["total"] >= full_study.seconds["forward"] + full_study.seconds["occlusion"]


def test_a_study_holds_no_tensors_or_views(full_study):
    def walk(value):
        assert not isinstance(value, torch.Tensor)
        if dataclasses.is_dataclass(value):
            for f in dataclasses.fields(value):
                walk(getattr(value, f.name))

    walk(full_study)
    for values in (full_study.attention.heads, full_study.attention.entropy, full_study.attention.distance):
        assert values.base is None  # a view would keep the whole table


def test_the_default_position_is_the_crop_center():
    result = study(small_model(), image(), StudyOptions(stage=3, analyses=("attention",)))
    assert result.position == (49.5, 39.5)
    assert result.attention.query == (2, 2)  # 31.5 of the view's 63 px, stride 16


@pytest.mark.parametrize("analyses", [(), ("kernels",), ("attention",), ("grad_cam",), ("receptive_field",)])
def test_only_requested_analyses_are_computed(analyses, monkeypatch):
    grads = []
    monkeypatch.setattr(run, "observe", lambda *a, grad, modules: grads.append(grad) or observe(*a, grad=grad))
    result = study(small_model(), image(), StudyOptions(analyses=analyses))
    assert {name for name in ANALYSES if getattr(result, name) is not None} == set(analyses)
    assert set(result.seconds) == {"total", "forward", *analyses}
    assert grads == [bool({"grad_cam", "receptive_field"} & set(analyses))]  # a graph only if needed


def test_the_trace_records_only_the_chosen_stage(monkeypatch):
    records = []

    def spy(*args, **more):
        observation = observe(*args, **more)
        records.extend((r.kind, r.stage) for r in observation.trace.records)
        return observation

    monkeypatch.setattr(run, "observe", spy)
    study(small_model(), image(), StudyOptions(stage=2))
    assert set(records) == {(k, 2) for k in ("attention", "kernels", "gates", "biases", "bias_gates", "stage")} | {
        ("stage", 4)
    }


@pytest.mark.parametrize("target", ["ladybug", "n02165456", 36, " Ladybug "])
def test_targets_by_name_wnid_or_index(target):
    result = study(small_model(), image(), StudyOptions(target=target, analyses=("grad_cam",)))
    assert result.target == run.Target(36, "n02165456", "ladybug")
    assert result.grad_cam.target == "ladybug (class 36)"


def test_the_default_target_is_the_top_prediction():
    without_target, blank = (study(small_model(), image(), StudyOptions(target=t, analyses=())) for t in (None, " "))
    assert without_target.target == blank.target
    assert without_target.target.index == int(np.argmax(without_target.predictions.logits))


@pytest.mark.parametrize("target", ["tench", "n01440764"])
def test_foreign_targets_fall_back_with_a_note(target):
    result = study(small_model(), image(), StudyOptions(target=target, analyses=("grad_cam",)))
    top = result.predictions.top[0]
    note = f"small has no class “tench”, so its own top answer, {top.label}, is explained."
    assert result.target == run.Target(top.index, top.wnid, top.label, note)
    assert result.notes == (note,)
    assert result.grad_cam.target == f"{top.label} (class {top.index}). {note}"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (StudyOptions(target="tnech"), UnknownName, "called 'tnech'"),
        (StudyOptions(target=200), OutOfRange, "no class 200"),
        (StudyOptions(analyses=("attentoin",)), UnknownName, "no analysis called 'attentoin'.*attention, .*kernels"),
        (StudyOptions(stage=5), OutOfRange, "no stage 5"),
        (StudyOptions(stage=2, block=3), OutOfRange, "Stage 2 of transxnet_small has no block 3"),
        (StudyOptions(position=(100, 10)), OutOfRange, r"\(100, 10\) is outside the image"),
    ],
)
def test_invalid_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        study(small_model(), image(), options)


def test_positions_outside_the_crop_use_the_nearest_unit():
    result = study(small_model(), image(), StudyOptions(stage=3, position=(99, 40), analyses=("attention",)))
    assert result.attention.query == (2, 3)
    assert result.notes == ("The point lies outside what this model saw; the nearest unit is shown.",)


def test_image_notes_are_kept():
    noted = dataclasses.replace(image(), notes=("Rotated according to its EXIF orientation.",))
    assert study(small_model(), noted, StudyOptions(analyses=())).notes == (
        "Rotated according to its EXIF orientation.",
    )


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("tried to allocate"), RuntimeError("MPS backend out of memory: tried to allocate")]
)
def test_out_of_memory_is_a_device_error(monkeypatch, error):
    def full(*_, **__):
        raise error

    monkeypatch.setattr(run, "observe", full)
    with pytest.raises(DeviceError, match="memory of cpu is too small to explain small") as caught:
        study(small_model(), image())
    assert caught.value.detail == str(error)


def test_autocast_changes_nothing_on_cpu():
    plain, half = (study(small_model(), image(), StudyOptions(analyses=(), autocast=auto)) for auto in (False, True))
    assert np.array_equal(plain.predictions.logits, half.predictions.logits)
    assert half.notes == plain.notes  # no note about half precision


def test_unsupported_analyses_have_reasons():
    spec = dataclasses.replace(SPEC, name="transxnet_noosra", osra=False)
    loaded = dataclasses.replace(small_model(), model=TransXNet(spec).eval().requires_grad_(False), spec=spec)
    observation = study(loaded, image(), StudyOptions(analyses=(*OVERVIEW_ANALYSES, "attention_table")))
    why = "transxnet_noosra has no OSRA, so there is no attention: its IDConv takes all channels."
    assert observation.missing == {"attention": why, "attention_table": why}
    assert (observation.attention, observation.attention_table) == (None, None)
    assert len(observation.kernels.kernels) == spec.dims[2]  # all channels, not half of them
    assert observation.grad_cam is not None
    assert observation.receptive_field is not None
    assert describe(observation)["missing"] == observation.missing


def test_analyses_of_all_blocks_match(full_study, observation):
    assert [(b.stage, b.block) for b in full_study.attention_depth.blocks] == [
        (1, 1),
        (2, 1),
        (2, 2),
        (3, 1),
        (3, 2),
        (4, 1),
    ]
    everything = observe(small_model().model, observation.model_input, KINDS)
    assert (full_study.pathway_energies.osra == pathway_energies(everything).osra).all()
    assert (full_study.kernel_depth.static_distance == kernel_depth(everything).static_distance).all()
    assert [r.heatmap.tolist() for r in full_study.rollouts] == [
        rollout(everything, s, POSITION).heatmap.tolist() for s in (1, 2, 3, 4)
    ]


def test_analyses_of_one_block_match(full_study):
    assert (full_study.clusters.medoids == kernel_clusters(full_study.kernels).medoids).all()
    generated, static = full_study.spectra
    assert (generated.response == kernel_spectrum(full_study.kernels).response).all()
    assert (static.response == kernel_spectrum(full_study.kernels, "static").response).all()
    assert full_study.position_attention.attention_from.query == full_study.attention.query
    assert full_study.position_attention.attention_to.key == (1, 0)  # keys are 32 px apart: (55.5, 15.5) of the view


def test_contrast_names_both_classes(full_study):
    first, second = full_study.predictions.top[:2]
    assert full_study.contrast.numbers["contrast_index"] == second.index
    assert (
        full_study.contrast.target
        == f"{first.label} (class {first.index}) against {second.label} (class {second.index})"
    )


def test_separate_analyses_use_the_target_and_maps(full_study):
    assert full_study.ablation_table.target.index == full_study.sanity_checks.class_index == full_study.target.index
    assert full_study.sanity_checks.maps["grad_cam"] is full_study.grad_cam
    assert full_study.sanity_checks.maps["occlusion"] is full_study.occlusion


def test_a_reference_image_lends_its_kernels():
    analyses = ("kernels", "kernel_change", "ablation_table")
    result = study(small_model(), image(), StudyOptions(analyses=analyses), image(7))
    reference = study(small_model(), image(7), StudyOptions(analyses=("kernels",)))
    assert (result.kernel_change.first == result.kernels.kernels).all()
    assert (result.kernel_change.second == reference.kernels.kernels).all()
    assert (result.reference_crop == reference.crop.rgb).all()
    gray = study(small_model(), image(), StudyOptions(analyses=("ablation_table",)))
    borrowed, gray_kernels = (result.ablation_table.find("other_kernels").logit_after for result in (result, gray))
    assert borrowed != gray_kernels


def test_long_analyses_report_progress():
    calls = []
    study(
        small_model(),
        image(),
        StudyOptions(analyses=("erf_pathways", "ablation_table")),
        progress=lambda *step: calls.append(step),
    )
    assert calls[:5] == [("erf_pathways", done, 5) for done in range(1, 6)]
    last = calls[-1]
    assert (last[0], last[1]) == ("ablation_table", last[2])


def test_analyses_of_missing_parts_have_reasons():
    result = study(
        small_model(osra=False),
        image(),
        StudyOptions(analyses=("position_attention", "pathway_energies", "kernels", "rollout")),
    )
    assert set(result.missing) == {"position_attention", "pathway_energies", "rollout"}
    assert all("no OSRA" in why for why in result.missing.values())
    assert result.kernels is not None


def test_an_image_is_not_compared_with_itself():
    result = study(small_model(), image(), StudyOptions(analyses=("kernel_change", "ablation_table")), image())
    assert result.missing == {"kernel_change": "The second image is the same as the first."}
    assert result.ablation_table.reference_name == "a plain gray image"
    named = study(
        small_model(), image(), StudyOptions(analyses=("ablation_table",)), image(7), reference_name="lion.jpg"
    )
    assert named.ablation_table.reference_name == "lion.jpg"
