"""Ablations: edits equal a model changed by hand, an occluded region an image changed by hand."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.fixtures.small_model import SPEC, image, small_model
from tests.fixtures.tiny_model import leftover_state
from tests.masks import format_mask
from transxnet import load
from transxnet.errors import LensError, OutOfRange, UnknownName
from transxnet.explain.ablation.ablation import ablation
from transxnet.explain.ablation.catalog import SELECTABLE, ScopedAblation, parse_ablation
from transxnet.explain.ablation.edits import Scope, uniform_attention
from transxnet.explain.ablation.masking import FILLS, mask_on_crop, moved_masks, occlude, parse_mask
from transxnet.explain.observe import observe
from transxnet.images import ModelInput, prepare_for
from transxnet.study import StudyOptions, study

LABELS = SPEC.labels
FULL_MASK = format_mask(np.ones((8, 10), bool))
REGION = np.zeros((8, 10), bool)
REGION[2:6, 2:4] = True  # of a 100 x 80 upload: x 20 to 40, y 20 to 60


@pytest.fixture(scope="module")
def model():
    return small_model().model


@pytest.fixture(scope="module")
def model_input() -> ModelInput:
    return prepare_for(image(), SPEC)  # columns 10 to 90 of the upload, 64 x 64


@pytest.fixture(scope="module")
def logits_before(model, model_input) -> np.ndarray:
    return logits_of(model, model_input.tensor)


def logits_of(model, tensor: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return model(tensor)[0].numpy()


def run_ablation(model, model_input, **options):
    return ablation(model, model_input, LABELS, **options)


def test_no_changes_return_identical_logits(model, model_input, logits_before):
    empty = format_mask(np.zeros((5, 5), bool))
    for options in ({}, {"mask": empty}, {"mask": empty, "fill": "inpaint"}):
        result = run_ablation(model, model_input, **options)
        assert np.array_equal(result.logits_after, logits_before)
        assert result.predictions_after == result.predictions_before
        assert (result.new_top, result.masked_share, result.mask_effect, result.control_effects) == (
            None,
            0,
            None,
            None,
        )
        assert np.array_equal(result.crop, model_input.crop)
    assert leftover_state(model) == []


def test_uniform_gates_use_the_mean_kernel(model, model_input):
    """By hand: a model whose IDConvs in stage 2 mix all groups alike, as equal gate logits make them."""
    changed = deepcopy(model)
    for block in changed.network[2]:
        last = block.token_mixer.local_unit.proj[1]
        last.weight.zero_()
        last.bias.zero_()
    result = run_ablation(model, model_input, ablations=["uniform_gates@2.0"])
    np.testing.assert_allclose(result.logits_after, logits_of(changed, model_input.tensor), rtol=1e-4, atol=1e-5)
    assert np.abs(result.logits_after - result.logits_before).max() > 1e-3
    assert [(c.key, c.scope) for c in result.applied] == [("uniform_gates@2.0", "stage 2")]


def test_two_parts_are_zeroed_in_one_block(model, model_input):
    """By hand: a D-Mixer whose two halves' last steps give zero."""
    changed = deepcopy(model)
    mixer = changed.network[4][1].token_mixer
    mixer.local_unit.weight.zero_()
    mixer.local_unit.bias.zero_()
    channels = SPEC.dims[2] // 2
    mixer.global_unit.kv.weight[channels:] = 0  # the values
    mixer.global_unit.kv.bias[channels:] = 0
    result = run_ablation(model, model_input, ablations=["no_idconv@3.2", "no_osra@3.2"])
    np.testing.assert_allclose(result.logits_after, logits_of(changed, model_input.tensor), rtol=1e-4, atol=1e-5)
    single = run_ablation(model, model_input, ablations=["no_osra@3.2"])
    assert np.abs(result.logits_after - single.logits_after).max() > 1e-4


def test_a_muted_head_equals_zeroed_values(model, model_input):
    changed = deepcopy(model)
    for stage, layer in ((3, 4), (4, 6)):  # the stages that have three heads
        for block in changed.network[layer]:
            osra, half = block.token_mixer.global_unit, SPEC.dims[stage - 1] // 2
            width = half // SPEC.heads[stage - 1]
            rows = slice(half + 2 * width, half + 3 * width)  # the third head's values
            osra.kv.weight[rows], osra.kv.bias[rows] = 0, 0
    result = run_ablation(model, model_input, ablations=["head_off:3"])
    np.testing.assert_allclose(result.logits_after, logits_of(changed, model_input.tensor), rtol=1e-4, atol=1e-5)
    assert result.applied[0].description == "Head 3 off"


def test_kernels_are_borrowed_from_image_or_gray(model, model_input, logits_before):
    second = prepare_for(image(5), SPEC)
    same = run_ablation(model, model_input, ablations=["other_kernels"], reference_input=model_input)
    np.testing.assert_allclose(same.logits_after, logits_before, rtol=1e-5, atol=1e-6)  # its own kernels
    borrowed = run_ablation(model, model_input, ablations=["other_kernels"], reference_input=second)
    gray = run_ablation(model, model_input, ablations=["other_kernels"])
    assert np.abs(borrowed.logits_after - gray.logits_after).max() > 1e-4
    assert borrowed.applied[0].description.endswith("another image")
    assert gray.applied[0].description.endswith("a plain gray image")


def test_predictions_list_the_top_before_and_after(model, model_input, logits_before):
    result = run_ablation(model, model_input, ablations=["no_idconv", "no_osra"], mask=FULL_MASK)
    first = np.argsort(-logits_before, kind="stable")[:5].tolist()
    then = np.argsort(-result.logits_after, kind="stable")[:5].tolist()
    assert [a.index for a in result.predictions_before] == [a.index for a in result.predictions_after]
    assert [a.index for a in result.predictions_before] == first + [i for i in then if i not in first]
    assert [a.logit for a in result.predictions_before] == logits_before[
        [a.index for a in result.predictions_before]
    ].tolist()
    shares = np.exp(result.logits_after.astype(float)) / np.exp(result.logits_after.astype(float)).sum()
    assert [a.probability for a in result.predictions_after] == pytest.approx(
        shares[[a.index for a in result.predictions_after]], rel=1e-5
    )
    assert result.new_top.index == then[0] != first[0]
    assert result.target[0].index == first[0]
    other_class = run_ablation(model, model_input, class_index=7)
    assert other_class.target[0].logit == logits_before[7]


# ---- occlusion -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fill", FILLS)
def test_a_full_mask_leaves_the_fill_only(model, model_input, fill):
    """By hand: gray is zeros once normalized; no pixel is known, so `inpaint` is gray as well."""
    result = run_ablation(model, model_input, mask=FULL_MASK, fill=fill)
    if fill == "blur":
        expected = occlude(model_input.tensor, torch.ones(1, 64, 64, dtype=torch.bool), "blur")
        assert (expected - model_input.tensor).abs().max() > 0
    else:
        expected = torch.zeros_like(model_input.tensor)
        assert (result.crop == np.rint(255 * np.array([0.485, 0.456, 0.406]))).all()
    np.testing.assert_allclose(result.logits_after, logits_of(model, expected), rtol=1e-4, atol=1e-5)
    assert (result.masked_share, len(result.control_effects)) == (1, 0)  # no room to move it to


def test_a_region_is_occluded_on_the_crop(model, model_input, logits_before):
    result = run_ablation(model, model_input, mask=format_mask(REGION))
    tensor = model_input.tensor.clone()
    tensor[:, :, 16:48, 8:24] = 0  # 0.8 view pixels an upload pixel; the crop begins at x = 10
    np.testing.assert_allclose(result.logits_after, logits_of(model, tensor), rtol=1e-4, atol=1e-5)
    assert result.masked_share == 32 * 16 / 64**2
    assert result.mask_effect == pytest.approx(result.logit_change, abs=1e-6)
    untouched = np.ones((64, 64), bool)
    untouched[16:48, 8:24] = False
    assert np.array_equal(result.crop[untouched], model_input.crop[untouched])
    assert (result.crop[~untouched] == (124, 116, 104)).all()


def test_control_effects_equal_direct_passes(model, model_input, logits_before):
    result = run_ablation(model, model_input, mask=format_mask(REGION), ablations=["uniform_attention"])
    masked = mask_on_crop(REGION, model_input)
    edits = uniform_attention(Scope())
    top = int(logits_before.argmax())

    def target_logit(mask: np.ndarray) -> float:
        x = torch.where(torch.from_numpy(mask), 0.0, model_input.tensor)
        return float(observe(model, replace(model_input, tensor=x), keep=(), edits=edits).logits[0, top])

    plain = target_logit(np.zeros_like(masked))
    assert result.mask_effect == pytest.approx(target_logit(masked) - plain, abs=1e-5)
    assert result.control_effects == pytest.approx(
        [target_logit(control) - plain for control in moved_masks(masked)], abs=1e-5
    )
    assert len(result.control_effects) == 8


def test_moved_masks_keep_the_shape():
    mask = np.zeros((40, 30), bool)
    mask[3:9, 4:12] = True
    mask[3, 4] = False
    moved = moved_masks(mask)
    assert moved.shape == (8, 40, 30)
    assert len({copy.tobytes() for copy in moved}) == 8
    for copy in moved:
        rows, cols = np.nonzero(copy)
        assert np.array_equal(copy[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1], mask[3:9, 4:12])
        assert (copy & mask).sum() <= mask.sum() / 4
    assert np.array_equal(moved, moved_masks(mask))


def test_inpaint_uses_the_surrounding_colors():
    x = torch.full((1, 3, 16, 16), -1.0)
    x[..., 8:] = 2.0
    masks = torch.zeros(2, 16, 16, dtype=torch.bool)
    masks[0, 5:7, 1:3], masks[1, 6:10, 11:14] = True, True
    x = torch.where(masks.any(dim=0), 77.0, x)  # occluded values must not come back
    filled = occlude(x, masks, "inpaint")
    assert filled[0, :, 5:7, 1:3].tolist() == [[[-1.0] * 2] * 2] * 3  # surrounded by one color
    inside = filled[1, :, 6:10, 11:14]
    assert (inside > 1.9).all()
    assert (inside <= 2.0).all()
    assert torch.equal(filled[1][:, ~masks[1]], x[0][:, ~masks[1]])


@pytest.mark.parametrize("shape", [(1, 1), (8, 10), (7, 5), (256, 256)])
def test_mask_text_round_trips(shape):
    grid = np.random.default_rng(0).random(shape) < 0.3
    assert np.array_equal(parse_mask(format_mask(grid)), grid)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "not ROWSxCOLS:BASE64"),
        ("2x2:8A==; rm", "not ROWSxCOLS:BASE64"),
        ("0x4:8A==", "0 x 4 cells"),
        ("999x999:8A==", "999 x 999 cells"),
        ("9x9:8A==", "not the bits of 9 x 9 cells"),
        ("2x2:8A=", "not base64"),
        ("2x2:", "not the bits of 2 x 2"),
    ],
)
def test_invalid_masks_are_refused(model, model_input, text, message):
    with pytest.raises(OutOfRange, match=message):
        run_ablation(model, model_input, mask=text)


def test_an_unknown_fill_is_refused_without_mask_too(model, model_input):
    for mask in ("", format_mask(REGION)):
        with pytest.raises(UnknownName, match=r"no fill called 'lava'.*gray, blur, inpaint"):
            run_ablation(model, model_input, mask=mask, fill="lava")


# ---- text form --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("no_osra", ScopedAblation("no_osra")),
        ("uniform_gates@3.0", ScopedAblation("uniform_gates", Scope(3))),
        ("head_off:2@3.2", ScopedAblation("head_off", Scope(3, 2), 2)),
    ],
)
def test_ablations_parse_and_print(key, expected):
    assert parse_ablation(key) == expected == parse_ablation(str(expected))


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        ("gates_off", UnknownName, f"called 'gates_off'. Choose some of: {', '.join(SELECTABLE)}"),
        ("no_osra@3", UnknownName, "called 'no_osra@3'"),
        ("x" * 500, UnknownName, "x{59}"),
        ("no_osra@0.2", OutOfRange, "a block of no stage"),
        ("head_off@3.2", OutOfRange, "names no head"),
        ("no_osra:1@3.2", OutOfRange, "names a head, and no_osra has none"),
    ],
)
def test_invalid_ablations_are_refused(model, model_input, key, error, message):
    with pytest.raises(error, match=message):
        run_ablation(model, model_input, ablations=[key])


def test_too_many_ablations_are_refused(model, model_input):
    keys = [f"head_off:{head}@3.1" for head in range(1, 40)]
    with pytest.raises(OutOfRange, match="39 changes at once"):
        run_ablation(model, model_input, ablations=keys)


def test_inapplicable_ablations_are_skipped_with_reasons(model_input):
    model = small_model(osra=False).model
    keys = ["uniform_attention@3.1", "no_idconv@2.0", "no_idconv@3.9", "uniform_gates@9.0"]
    result = run_ablation(model, model_input, ablations=keys)
    assert [c.key for c in result.applied] == ["no_idconv@2.0"]
    assert "has no OSRA" in result.skipped["uniform_attention@3.1"]
    assert result.skipped["no_idconv@3.9"] == "transxnet_small has no stage 3, block 9."
    assert result.skipped["uniform_gates@9.0"] == "transxnet_small has no stage 9."
    full = run_ablation(small_model().model, model_input, ablations=["head_off:2@1.1"])
    assert full.skipped == {"head_off:2@1.1": "transxnet_small has no head 2 there (stage 1, block 1)."}
    assert np.array_equal(full.logits_after, full.logits_before)


def test_training_mode_is_refused(model_input):
    with pytest.raises(LensError, match="training mode"):
        run_ablation(deepcopy(small_model().model).train(), model_input)


def test_backbones_support_occlusion_only():
    backbone = load("timm:test_resnet@untrained", device="cpu")
    result = study(
        backbone, image(), StudyOptions(analyses=("ablation",), ablations=("no_osra",), mask=FULL_MASK)
    ).ablation
    assert "is no TransXNet" in result.skipped["no_osra@0.0"]
    gray = logits_of(backbone.model, torch.zeros_like(prepare_for(image(), backbone.spec).tensor))
    np.testing.assert_allclose(result.logits_after, gray, rtol=1e-4, atol=1e-5)


# ---- in a study -----------------------------------------------------------------------------------------------


def test_a_study_applies_its_options(model, model_input):
    options = StudyOptions(
        target=3, analyses=("ablation",), ablations=("no_osra@3.0",), mask=format_mask(REGION), fill="inpaint"
    )
    result = study(small_model(), image(), options)
    direct = run_ablation(
        model, model_input, class_index=3, ablations=["no_osra@3.0"], mask=format_mask(REGION), fill="inpaint"
    )
    assert np.array_equal(result.ablation.logits_after, direct.logits_after)
    assert result.ablation.logits_before is result.predictions.logits
    assert result.ablation.target[0].index == 3
