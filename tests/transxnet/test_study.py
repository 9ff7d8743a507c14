from __future__ import annotations

import dataclasses
import threading
from functools import partial

import numpy as np
import pytest
import torch

from tests.small import SPEC, image, small_model
from transxnet.errors import DeviceError, OutOfRange, UnknownName
from transxnet.explain.attention.attention import attention_from, attention_table
from transxnet.explain.attention.depth import pathway_energies
from transxnet.explain.attention.rollout import rollout
from transxnet.explain.attribution import methods
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
from transxnet.labels import label_set
from transxnet.model import TransXNet
from transxnet.results import KernelSet
from transxnet.study import ANALYSES, OVERVIEW, StudyOptions, study
from transxnet.study import run as module

LABELS = label_set(SPEC.label_set)
KINDS = ("attention", "kernels", "gates", "biases", "bias_gates", "idconv", "osra", "stage")
POINT = (30.0, 70.0)  # upload pixels; the view is columns 10 to 90 of a 100 x 80 image, 64 px wide


@pytest.mark.parametrize(("target", "error"), [("zebroid", UnknownName), (10**6, OutOfRange)])
def test_an_unknown_class_is_refused_before_the_pass(monkeypatch, target, error):
    monkeypatch.setattr(module, "observe", lambda *_, **__: pytest.fail("a pass was run"))
    with pytest.raises(error):
        study(small_model(), image(), StudyOptions(target=target))


@pytest.fixture(scope="module")
def whole():
    """Everything, asked for at once; captum with few steps and large patches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(methods, "integrated_gradients", partial(integrated_gradients, steps=2))
        patch.setattr(methods, "occlusion", partial(occlusion, patch=32, stride=32))
        return study(
            small_model(), image(), StudyOptions(stage=2, block=1, position=POINT, cam_layer="head", only=ANALYSES)
        )


@pytest.fixture(scope="module")
def seen():
    model_input = prepare(image(), image_size=SPEC.image_size, crop_pct=SPEC.crop_pct)
    return observe(small_model().model, model_input, grad=True)


def test_single_pass_gives_what_each_explanation_gives_alone(whole, seen):
    alone = attention_from(seen, 2, 1, POINT)
    assert (whole.attention.heads == alone.heads).all()
    assert whole.attention.query == alone.query == (7, 2)  # (70, 30) of the upload is (55.5, 15.5) of the view
    assert (whole.attention_table.weights == attention_table(seen, 2, 1).weights).all()
    generated = kernels(seen, 2, 1)
    for name in (f.name for f in dataclasses.fields(KernelSet)):
        assert np.array_equal(getattr(whole.kernels, name), getattr(generated, name)), name
    top = predict(seen, LABELS).top[0]
    assert (whole.grad_cam.heatmap == grad_cam(seen, top.index, "head").heatmap).all()
    assert (whole.receptive_field.heatmap == receptive_field(seen, 2, POINT).heatmap).all()
    assert (whole.predictions.logits == predict(seen, LABELS).logits).all()
    assert whole.predictions.top == predict(seen, LABELS).top


def test_captums_maps_explain_the_same_class(whole, seen):
    given = (small_model().model, threading.RLock(), seen.model_input, whole.target.index)
    assert whole.integrated_gradients.heatmap == pytest.approx(integrated_gradients(*given, steps=2).heatmap, abs=1e-6)
    assert whole.occlusion.heatmap == pytest.approx(occlusion(*given, patch=32, stride=32).heatmap, abs=1e-6)
    assert whole.occlusion.target == whole.integrated_gradients.target == whole.grad_cam.target


def test_a_study_says_who_what_and_from_where(whole):
    top = whole.predictions.top[0]
    assert (whole.model, whole.spec, whole.untrained) == ("small", SPEC, False)
    assert whole.provenance.sha256 == "ab" * 32
    assert whole.image == image().sha256
    assert (whole.target.index, whole.target.wnid, whole.target.note) == (top.index, top.wnid, "")
    assert whole.grad_cam.target == f"{top.label} (class {top.index})"
    assert whole.crop.crop_box == (10, 0, 90, 80)
    assert whole.view.source_size == (100, 80)
    assert whole.crop.rgb.shape == (64, 64, 3)
    assert whole.notes == ()
    assert set(whole.seconds) == {"total", "forward", *ANALYSES} - {"kernel_change", "out_of_distribution"}
    assert whole.missing["kernel_change"] == "There is no second image to compare kernels with."
    assert set(whole.missing) == {"kernel_change", "out_of_distribution"}  # nothing is recorded of these weights
    assert whole.seconds["total"] >= whole.seconds["forward"] + whole.seconds["occlusion"]


def test_a_study_keeps_no_tensor_and_no_larger_array_than_it_shows(whole):
    def walk(value):
        assert not isinstance(value, torch.Tensor)
        if dataclasses.is_dataclass(value):
            for f in dataclasses.fields(value):
                walk(getattr(value, f.name))

    walk(whole)
    for values in (whole.attention.heads, whole.attention.entropy, whole.attention.distance):
        assert values.base is None  # a view would keep the whole table


def test_the_middle_of_the_view_is_where_it_looks_from_by_default():
    looked = study(small_model(), image(), StudyOptions(stage=3, only=("attention",)))
    assert looked.position == (49.5, 39.5)
    assert looked.attention.query == (2, 2)  # 31.5 of the view's 63 px, stride 16


@pytest.mark.parametrize("only", [(), ("kernels",), ("attention",), ("grad_cam",), ("receptive_field",)])
def test_only_what_is_asked_for_is_computed(only, monkeypatch):
    asked = []
    monkeypatch.setattr(module, "observe", lambda *a, grad: asked.append(grad) or observe(*a, grad=grad))
    looked = study(small_model(), image(), StudyOptions(only=only))
    assert {name for name in ANALYSES if getattr(looked, name) is not None} == set(only)
    assert set(looked.seconds) == {"total", "forward", *only}
    assert asked == [bool({"grad_cam", "receptive_field"} & set(only))]  # a graph only where one is needed


def test_the_trace_keeps_only_the_stage_looked_at(monkeypatch):
    records = []

    def spy(*args, **more):
        made = observe(*args, **more)
        records.extend((r.kind, r.stage) for r in made.trace.records)
        return made

    monkeypatch.setattr(module, "observe", spy)
    study(small_model(), image(), StudyOptions(stage=2))
    assert set(records) == {(k, 2) for k in ("attention", "kernels", "gates", "biases", "bias_gates", "stage")} | {
        ("stage", 4)
    }


@pytest.mark.parametrize("target", ["ladybug", "n02165456", 36, " Ladybug "])
def test_the_class_to_explain_by_words_wnid_or_index(target):
    looked = study(small_model(), image(), StudyOptions(target=target, only=("grad_cam",)))
    assert looked.target == module.Target(36, "n02165456", "ladybug")
    assert looked.grad_cam.target == "ladybug (class 36)"


def test_no_class_means_the_top_answer():
    asked_nothing, blank = (study(small_model(), image(), StudyOptions(target=t, only=())) for t in (None, " "))
    assert asked_nothing.target == blank.target
    assert asked_nothing.target.index == int(np.argmax(asked_nothing.predictions.logits))


@pytest.mark.parametrize("target", ["tench", "n01440764"])
def test_a_class_that_only_another_label_set_has_gives_way_to_the_top_answer_and_says_so(target):
    looked = study(small_model(), image(), StudyOptions(target=target, only=("grad_cam",)))
    top = looked.predictions.top[0]
    words = f"small has no class “tench”, so its own top answer, {top.label}, is explained."
    assert looked.target == module.Target(top.index, top.wnid, top.label, words)
    assert looked.notes == (words,)
    assert looked.grad_cam.target == f"{top.label} (class {top.index}). {words}"


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (StudyOptions(target="tnech"), UnknownName, "called 'tnech'"),
        (StudyOptions(target=200), OutOfRange, "no class 200"),
        (StudyOptions(only=("attentoin",)), UnknownName, "no part called 'attentoin'.*attention, .*kernels"),
        (StudyOptions(stage=5), OutOfRange, "no stage 5"),
        (StudyOptions(stage=2, block=3), OutOfRange, "Stage 2 of transxnet_small has no block 3"),
        (StudyOptions(position=(100, 10)), OutOfRange, r"\(100, 10\) is outside the image"),
    ],
)
def test_what_does_not_exist_is_said(options, error, words):
    with pytest.raises(error, match=words):
        study(small_model(), image(), options)


def test_a_position_that_the_model_did_not_see_takes_the_nearest_unit_and_says_so():
    looked = study(small_model(), image(), StudyOptions(stage=3, position=(99, 40), only=("attention",)))
    assert looked.attention.query == (2, 3)
    assert looked.notes == ("The point lies outside what this model saw; the nearest unit is shown.",)


def test_what_decoding_did_to_the_image_is_said():
    noted = dataclasses.replace(image(), notes=("Rotated according to its EXIF orientation.",))
    assert study(small_model(), noted, StudyOptions(only=())).notes == ("Rotated according to its EXIF orientation.",)


def test_a_device_out_of_memory_is_a_sentence(monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("tried to allocate")

    monkeypatch.setattr(module, "observe", full)
    with pytest.raises(DeviceError, match="memory of cpu is too small to explain small") as caught:
        study(small_model(), image())
    assert caught.value.detail == "tried to allocate"


def test_autocast_changes_nothing_on_the_cpu():
    plain, half = (study(small_model(), image(), StudyOptions(only=(), autocast=auto)) for auto in (False, True))
    assert np.array_equal(plain.predictions.logits, half.predictions.logits)
    assert half.notes == plain.notes  # and it does not say that it did


def test_what_a_variant_cannot_give_is_said_and_the_rest_is_given():
    spec = dataclasses.replace(SPEC, name="transxnet_noosra", osra=False)
    loaded = dataclasses.replace(small_model(), model=TransXNet(spec).eval().requires_grad_(False), spec=spec)
    seen = study(loaded, image(), StudyOptions(only=(*OVERVIEW, "attention_table")))
    why = "transxnet_noosra has no OSRA, so there is no attention: its IDConv takes all channels."
    assert seen.missing == {"attention": why, "attention_table": why}
    assert (seen.attention, seen.attention_table) == (None, None)
    assert len(seen.kernels.kernels) == spec.dims[2]  # all channels, not half of them
    assert seen.grad_cam is not None
    assert seen.receptive_field is not None
    assert describe(seen)["missing"] == seen.missing


def test_the_parts_of_single_pass_that_speak_of_all_blocks(whole, seen):
    assert [(b.stage, b.block) for b in whole.attention_depth.blocks] == [
        (1, 1),
        (2, 1),
        (2, 2),
        (3, 1),
        (3, 2),
        (4, 1),
    ]
    everything = observe(small_model().model, seen.model_input, KINDS)
    assert (whole.pathway_energies.osra == pathway_energies(everything).osra).all()
    assert (whole.kernel_depth.static_distance == kernel_depth(everything).static_distance).all()
    assert [r.heatmap.tolist() for r in whole.rollouts] == [
        rollout(everything, s, POINT).heatmap.tolist() for s in (1, 2, 3, 4)
    ]


def test_the_parts_of_one_block_are_of_the_block_looked_at(whole):
    assert (whole.clusters.medoids == kernel_clusters(whole.kernels).medoids).all()
    generated, static = whole.spectra
    assert (generated.response == kernel_spectrum(whole.kernels).response).all()
    assert (static.response == kernel_spectrum(whole.kernels, "static").response).all()
    assert whole.position_attention.attention_from.query == whole.attention.query
    assert whole.position_attention.attention_to.key == (1, 0)  # keys are 32 px apart: (55.5, 15.5) of the view


def test_contrast_is_with_the_best_other_answer_and_names_both(whole):
    first, second = whole.predictions.top[:2]
    assert whole.contrast.numbers["contrast_index"] == second.index
    assert whole.contrast.target == f"{first.label} (class {first.index}) against {second.label} (class {second.index})"


def test_ablation_table_and_sanity_checks_speak_of_the_explained_class_and_of_the_maps_made_before(whole):
    assert whole.ablation_table.explained.index == whole.sanity_checks.class_index == whole.target.index
    assert whole.sanity_checks.maps["grad_cam"] is whole.grad_cam
    assert whole.sanity_checks.maps["occlusion"] is whole.occlusion


def test_a_second_image_lends_its_kernels():
    only = ("kernels", "kernel_change", "ablation_table")
    looked = study(small_model(), image(), StudyOptions(only=only), image(7))
    other = study(small_model(), image(7), StudyOptions(only=("kernels",)))
    assert (looked.kernel_change.first == looked.kernels.kernels).all()
    assert (looked.kernel_change.second == other.kernels.kernels).all()
    assert (looked.other_view == other.crop.rgb).all()
    gray = study(small_model(), image(), StudyOptions(only=("ablation_table",)))
    lent, bare = (found.ablation_table.find("other_kernels").logit_after for found in (looked, gray))
    assert lent != bare


def test_long_parts_say_how_far_they_are():
    told = []
    study(
        small_model(),
        image(),
        StudyOptions(only=("erf_pathways", "ablation_table")),
        progress=lambda *step: told.append(step),
    )
    assert told[:5] == [("erf_pathways", done, 5) for done in range(1, 6)]
    last = told[-1]
    assert (last[0], last[1]) == ("ablation_table", last[2])


def test_a_part_that_a_variant_does_without_is_missing_with_the_reason():
    looked = study(
        small_model(osra=False),
        image(),
        StudyOptions(only=("position_attention", "pathway_energies", "kernels", "rollout")),
    )
    assert set(looked.missing) == {"position_attention", "pathway_energies", "rollout"}
    assert all("no OSRA" in why for why in looked.missing.values())
    assert looked.kernels is not None


def test_a_image_is_not_compared_with_itself():
    looked = study(small_model(), image(), StudyOptions(only=("kernel_change", "ablation_table")), image())
    assert looked.missing == {"kernel_change": "The second image is the same as the first."}
    assert looked.ablation_table.other == "a plain gray image"
    named = study(small_model(), image(), StudyOptions(only=("ablation_table",)), image(7), other_words="lion.jpg")
    assert named.ablation_table.other == "lion.jpg"
