"""Which figures studies give, in which order, and that a variant without a part stands on none about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.fixtures.small_model import few_passes, image, small_model
from transxnet.draw import fonts
from transxnet.draw.canvas import Canvas
from transxnet.draw.figure import StudyFigure
from transxnet.explain.sanity.agreement import agreement_between_models
from transxnet.export.axes import describe_arrays
from transxnet.export.figures import FIGURES, figures, figures_for, model_agreement
from transxnet.export.images import class_numbers, overview_sheet
from transxnet.export.records import arrays
from transxnet.labels import label_set
from transxnet.study import ANALYSES, FIGURE_ANALYSES, StudyOptions, study

IN_ORDER = [
    "sheet", "maps", "attention_heads", "attention_depth", "rollout", "pathway_energies", "kernel_clusters",
    "kernel_gates",
    "kernel_spectrum", "kernel_change", "kernel_depth", "erf_pathways", "erf_curves", "ablation_table",
    "ablation_heads",
    "checks", "faithfulness", "randomization", "agreement", "variants",
]  # fmt: skip
QUICK = tuple(
    name
    for name in FIGURE_ANALYSES
    if name not in ("sanity_checks", "occlusion", "integrated_gradients", "smooth_grad")
)


@pytest.fixture(scope="module")
def full_study():
    options = StudyOptions(stage=2, target=3, analyses=tuple(ANALYSES), ablations=("no_osra@2.0",))
    with few_passes():
        return study(small_model(), image(), options, image(3))


@pytest.fixture(scope="module")
def partial_study():
    partial = study(small_model(osra=False), image(), StudyOptions(stage=2, target=3, analyses=QUICK), image(3))
    return replace(partial, model="small without OSRA")


@pytest.fixture(scope="module")
def figures_by_name(full_study, partial_study) -> dict[str, StudyFigure]:
    return {figure.name: figure for figure in figures([full_study, partial_study], image().rgb)}


def test_figures_come_in_reading_order(figures_by_name):
    assert list(figures_by_name) == IN_ORDER


def test_every_figure_draws_an_analysis(full_study):
    assert {part for part, _ in FIGURES} <= set(ANALYSES)
    drawn_parts = {part for part, _ in FIGURES}
    maps = {name for name in FIGURE_ANALYSES if name not in drawn_parts}
    assert maps == {
        "attention",
        "rollout",
        "grad_cam",
        "contrast",
        "cam_stages",
        "integrated_gradients",
        "smooth_grad",
        "occlusion",
    }  # on the two sheets of maps


def test_every_figure_has_caption_alt_and_limits(figures_by_name):
    for name, figure in figures_by_name.items():
        assert len(figure.caption) > 30, name
        assert len(figure.alt) > 30, name
        assert len(figure.limits) > 30, name
        assert figure.image is not None or figure.table is not None
        if figure.image is not None:
            assert figure.image.dtype == np.uint8
            assert figure.image.shape[1] >= 1100 or name == "sheet"


def test_every_array_has_an_axis_for_each_dimension(full_study, figures_by_name):
    described = describe_arrays(arrays(full_study))
    for name, figure in figures_by_name.items():
        described |= {f"{name}/{array}": d for array, d in describe_arrays(figure.arrays, name).items()}
    assert len(described) > 100
    for name, entry in described.items():
        assert len(entry["axes"]) == len(entry["shape"]), name
    assert described["attention"]["axes"] == ["head", "key row", "key column"]
    assert described["logits"]["units"] == "logit"


def test_raw_values_are_those_of_the_study(figures_by_name, full_study):
    assert (figures_by_name["erf_pathways"].arrays["small/all"] == full_study.erf_pathways.maps["all"].heatmap).all()
    assert figures_by_name["pathway_energies"].numbers


def test_models_without_attention_are_left_out(figures_by_name):
    attention_figures = ("attention_heads", "attention_depth", "rollout", "pathway_energies")
    for name in attention_figures:
        assert not any("without" in key for key in (*figures_by_name[name].numbers, *figures_by_name[name].arrays)), (
            name
        )
    assert any("without" in key for key in figures_by_name["kernel_clusters"].arrays)
    assert any("without" in key for key in figures_by_name["erf_pathways"].arrays)


def test_models_are_compared_on_common_maps(figures_by_name, full_study, partial_study):
    figure = figures_by_name["variants"]
    expected = agreement_between_models({"small": full_study.grad_cam, "small without OSRA": partial_study.grad_cam})
    key = "small/small without OSRA/grad_cam"
    assert figure.numbers[f"{key}/correlation"] == expected.correlation[0, 1]
    assert figure.numbers[f"{key}/overlap"] == expected.overlap[0, 1]
    assert not any("occlusion" in name or "rollout" in name for name in figure.numbers)
    assert model_agreement([full_study]) == []


def test_maps_of_different_classes_are_not_compared(full_study, partial_study):
    """cougar against Chihuahua beside cougar against bikini; and a variant that does not know the class at all."""
    (same,) = model_agreement([full_study, replace(full_study, model="again")])
    methods = {key.split("/")[2] for key in same.numbers}
    assert {"grad_cam", "contrast", "cam_stages", "receptive_field"} <= methods
    assert "Left out" not in same.caption
    contrast_target = int(full_study.contrast.numbers["contrast_index"])
    another = next(i for i in (10, 11) if i != contrast_target)
    moved = replace(full_study.contrast, numbers=full_study.contrast.numbers | {"contrast_index": float(another)})
    (figure,) = model_agreement([full_study, replace(full_study, model="other rival", contrast=moved)])
    assert {key.split("/")[2] for key in figure.numbers} == methods - {"contrast"}
    names = label_set("tiny-imagenet-200").names
    assert (
        "Left out: Contrastive Grad-CAM, because the models explain different classes "
        f"(small: {names[3]} against {names[contrast_target]}; other rival: {names[3]} against {names[another]})."
        in figure.caption
    )
    other_class = replace(full_study, model="other class", target=replace(full_study.target, wnid="n0", label="bee"))
    (figure,) = model_agreement([full_study, other_class])
    assert {key.split("/")[2] for key in figure.numbers} == {"rollout", "receptive_field"}
    assert "Left out: Grad-CAM, Contrastive Grad-CAM, Grad-CAM of several stages" in figure.caption


def test_many_maps_use_several_rows(full_study, figures_by_name):
    three = overview_sheet([full_study], names=["contrast", "cam_stages", "rollout"], with_predictions=False)
    assert figures_by_name["maps"].image.shape[1] == three.shape[1] < 1400
    assert figures_by_name["maps"].image.shape[0] > 2 * three.shape[0]


def test_parts_without_results_have_no_figure(partial_study):
    assert figures_for("sanity_checks", [partial_study]) == []
    assert figures_for("attention_depth", [partial_study]) == []


def test_classes_without_a_font_are_numbered_in_figures_only(full_study, monkeypatch):
    """The caption, which the report shows, keeps the name; the figures name the class by its number and say why."""
    drawn: list[str] = []
    names = tuple("猫" if i == 3 else f"class name {i}" for i in range(200))
    labels = replace(full_study.spec.labels, names=names)
    target = replace(full_study.target, label="猫")
    predictions = replace(full_study.predictions, top=(replace(full_study.predictions.top[0], index=3, label="猫"),))
    named = replace(
        full_study, spec=replace(full_study.spec, own_labels=labels), target=target, predictions=predictions
    )
    monkeypatch.setattr(fonts, "family_of", lambda c: "" if c == "猫" else fonts.FAMILY)
    text = Canvas.text
    monkeypatch.setattr(
        Canvas,
        "text",
        lambda self, x, y, line, *args, **style: (drawn.append(line), text(self, x, y, line, *args, **style)),
    )
    overview_sheet([named], image().rgb)
    assert "class 3" in drawn
    assert any("Target class: class 3, " in line for line in drawn)
    assert any(line.startswith("No font of this machine") for line in drawn)
    assert not any("猫" in line for line in drawn)
    drawn.clear()
    assert figures_for("ablation_table", [named])
    assert not any("猫" in line for line in drawn)
    assert class_numbers([named, full_study]) == {"猫": "class 3"}
