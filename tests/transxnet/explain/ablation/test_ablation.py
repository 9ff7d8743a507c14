"""Trials: an edit is the model changed by hand, a painted region the image changed by hand; nothing asked is nothing
changed."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.small import SPEC, image, small_model
from tests.tiny import leftovers
from transxnet import load
from transxnet.errors import LensError, OutOfRange, UnknownName
from transxnet.explain.ablation.ablation import ablation
from transxnet.explain.ablation.edits import Scope, uniform_attention
from transxnet.explain.ablation.masking import FILLS, elsewhere, on_view, painted_out, read_mask, write_mask
from transxnet.explain.ablation.switches import SWITCHES, Switch, read_switch
from transxnet.explain.observe import observe
from transxnet.images import ModelInput, prepare_for
from transxnet.labels import label_set
from transxnet.study import StudyOptions, study

LABELS = label_set(SPEC.label_set)
WHOLE = write_mask(np.ones((8, 10), bool))
LEFT = np.zeros((8, 10), bool)
LEFT[2:6, 2:4] = True  # of a 100 x 80 upload: x 20 to 40, y 20 to 60


@pytest.fixture(scope="module")
def model():
    return small_model().model


@pytest.fixture(scope="module")
def model_input() -> ModelInput:
    return prepare_for(image(), SPEC)  # columns 10 to 90 of the upload, 64 x 64


@pytest.fixture(scope="module")
def before(model, model_input) -> np.ndarray:
    return logits_of(model, model_input.tensor)


def logits_of(model, tensor: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return model(tensor)[0].numpy()


def tried(model, model_input, **asked):
    return ablation(model, model_input, LABELS, **asked)


def test_nothing_asked_is_the_answer_before_bit_for_bit(model, model_input, before):
    empty = write_mask(np.zeros((5, 5), bool))
    for asked in ({}, {"mask": empty}, {"mask": empty, "fill": "around"}):
        found = tried(model, model_input, **asked)
        assert np.array_equal(found.logits_after, before)
        assert found.after == found.before
        assert (found.new_top, found.painted, found.painted_change, found.elsewhere) == (None, 0, None, None)
        assert np.array_equal(found.view, model_input.crop)
    assert leftovers(model) == []


def test_gates_made_uniform_are_the_mean_of_the_learned_kernels(model, model_input):
    """By hand: a model whose IDConvs in stage 2 mix all groups alike, as equal gate logits make them."""
    changed = deepcopy(model)
    for block in changed.network[2]:
        last = block.token_mixer.local_unit.proj[1]
        last.weight.zero_()
        last.bias.zero_()
    found = tried(model, model_input, edits=["uniform_gates@2.0"])
    np.testing.assert_allclose(found.logits_after, logits_of(changed, model_input.tensor), rtol=1e-4, atol=1e-5)
    assert np.abs(found.logits_after - found.logits_before).max() > 1e-3
    assert [(c.key, c.where) for c in found.changes] == [("uniform_gates@2.0", "stage 2")]


def test_two_parts_silenced_in_one_block_at_once(model, model_input):
    """By hand: a D-Mixer whose two halves' last steps give zero."""
    changed = deepcopy(model)
    mixer = changed.network[4][1].token_mixer
    mixer.local_unit.weight.zero_()
    mixer.local_unit.bias.zero_()
    channels = SPEC.dims[2] // 2
    mixer.global_unit.kv.weight[channels:] = 0  # the values
    mixer.global_unit.kv.bias[channels:] = 0
    found = tried(model, model_input, edits=["no_idconv@3.2", "no_osra@3.2"])
    np.testing.assert_allclose(found.logits_after, logits_of(changed, model_input.tensor), rtol=1e-4, atol=1e-5)
    one = tried(model, model_input, edits=["no_osra@3.2"])
    assert np.abs(found.logits_after - one.logits_after).max() > 1e-4


def test_a_head_off_is_its_values_at_zero_wherever_a_block_has_it(model, model_input):
    changed = deepcopy(model)
    for stage, layer in ((3, 4), (4, 6)):  # the stages that have three heads
        for block in changed.network[layer]:
            osra, half = block.token_mixer.global_unit, SPEC.dims[stage - 1] // 2
            width = half // SPEC.heads[stage - 1]
            rows = slice(half + 2 * width, half + 3 * width)  # the third head's values
            osra.kv.weight[rows], osra.kv.bias[rows] = 0, 0
    found = tried(model, model_input, edits=["head_off:3"])
    np.testing.assert_allclose(found.logits_after, logits_of(changed, model_input.tensor), rtol=1e-4, atol=1e-5)
    assert found.changes[0].words == "Head 3 off"


def test_kernels_lent_by_a_second_image_and_by_gray(model, model_input, before):
    second = prepare_for(image(5), SPEC)
    own = tried(model, model_input, edits=["other_kernels"], other=model_input)
    np.testing.assert_allclose(own.logits_after, before, rtol=1e-5, atol=1e-6)  # its own kernels: nothing changes
    lent, gray = tried(model, model_input, edits=["other_kernels"], other=second), tried(
        model, model_input, edits=["other_kernels"]
    )  # fmt: skip
    assert np.abs(lent.logits_after - gray.logits_after).max() > 1e-4
    assert lent.changes[0].words.endswith("another image")
    assert gray.changes[0].words.endswith("a plain gray image")


def test_the_answers_told_are_the_first_five_before_and_who_enters_them(model, model_input, before):
    found = tried(model, model_input, edits=["no_idconv", "no_osra"], mask=WHOLE)
    first = np.argsort(-before, kind="stable")[:5].tolist()
    then = np.argsort(-found.logits_after, kind="stable")[:5].tolist()
    assert [a.index for a in found.before] == [a.index for a in found.after]
    assert [a.index for a in found.before] == first + [i for i in then if i not in first]
    assert [a.logit for a in found.before] == before[[a.index for a in found.before]].tolist()
    shares = np.exp(found.logits_after.astype(float)) / np.exp(found.logits_after.astype(float)).sum()
    assert [a.probability for a in found.after] == pytest.approx(shares[[a.index for a in found.after]], rel=1e-5)
    assert found.new_top.index == then[0] != first[0]
    assert found.explained[0].index == first[0]
    asked = tried(model, model_input, class_index=7)
    assert asked.explained[0].logit == before[7]


# ---- painting -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fill", FILLS)
def test_painting_all_is_the_fills_own_image(model, model_input, fill):
    """By hand: gray is zeros once normalized; nothing is left to carry in, so `around` is gray as well."""
    found = tried(model, model_input, mask=WHOLE, fill=fill)
    if fill == "blur":
        expected = painted_out(model_input.tensor, torch.ones(1, 64, 64, dtype=torch.bool), "blur")
        assert (expected - model_input.tensor).abs().max() > 0
    else:
        expected = torch.zeros_like(model_input.tensor)
        assert (found.view == np.rint(255 * np.array([0.485, 0.456, 0.406]))).all()
    np.testing.assert_allclose(found.logits_after, logits_of(model, expected), rtol=1e-4, atol=1e-5)
    assert (found.painted, len(found.elsewhere)) == (1, 0)  # no room to move it to


def test_a_region_is_painted_in_the_views_pixels(model, model_input, before):
    found = tried(model, model_input, mask=write_mask(LEFT))
    tensor = model_input.tensor.clone()
    tensor[:, :, 16:48, 8:24] = 0  # 0.8 view pixels an upload pixel; the crop begins at x = 10
    np.testing.assert_allclose(found.logits_after, logits_of(model, tensor), rtol=1e-4, atol=1e-5)
    assert found.painted == 32 * 16 / 64**2
    assert found.painted_change == pytest.approx(found.logit_change, abs=1e-6)
    untouched = np.ones((64, 64), bool)
    untouched[16:48, 8:24] = False
    assert np.array_equal(found.view[untouched], model_input.crop[untouched])
    assert (found.view[~untouched] == (124, 116, 104)).all()


def test_the_same_shape_elsewhere_is_the_model_asked_about_each(model, model_input, before):
    found = tried(model, model_input, mask=write_mask(LEFT), edits=["uniform_attention"])
    gone = on_view(LEFT, model_input)
    edits = uniform_attention(Scope())
    top = int(before.argmax())

    def asked(mask: np.ndarray) -> float:
        x = torch.where(torch.from_numpy(mask), 0.0, model_input.tensor)
        return float(observe(model, replace(model_input, tensor=x), keep=(), edits=edits).logits[0, top])

    plain = asked(np.zeros_like(gone))
    assert found.painted_change == pytest.approx(asked(gone) - plain, abs=1e-5)
    assert found.elsewhere == pytest.approx([asked(one) - plain for one in elsewhere(gone)], abs=1e-5)
    assert len(found.elsewhere) == 8


def test_the_moved_shape_is_whole_and_away_from_where_it_was():
    mask = np.zeros((40, 30), bool)
    mask[3:9, 4:12] = True
    mask[3, 4] = False
    moved = elsewhere(mask)
    assert moved.shape == (8, 40, 30)
    assert len({one.tobytes() for one in moved}) == 8
    for one in moved:
        rows, cols = np.nonzero(one)
        assert np.array_equal(one[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1], mask[3:9, 4:12])
        assert (one & mask).sum() <= mask.sum() / 4
    assert np.array_equal(moved, elsewhere(mask))


def test_around_carries_in_the_colors_beside_the_region():
    x = torch.full((1, 3, 16, 16), -1.0)
    x[..., 8:] = 2.0
    masks = torch.zeros(2, 16, 16, dtype=torch.bool)
    masks[0, 5:7, 1:3], masks[1, 6:10, 11:14] = True, True
    x = torch.where(masks.any(dim=0), 77.0, x)  # what is painted over must not come back
    filled = painted_out(x, masks, "around")
    assert filled[0, :, 5:7, 1:3].tolist() == [[[-1.0] * 2] * 2] * 3  # of one color all round
    inside = filled[1, :, 6:10, 11:14]
    assert (inside > 1.9).all()
    assert (inside <= 2.0).all()
    assert torch.equal(filled[1][:, ~masks[1]], x[0][:, ~masks[1]])


@pytest.mark.parametrize("shape", [(1, 1), (8, 10), (7, 5), (256, 256)])
def test_a_mask_reads_back_as_it_was_written(shape):
    grid = np.random.default_rng(0).random(shape) < 0.3
    assert np.array_equal(read_mask(write_mask(grid)), grid)


@pytest.mark.parametrize(
    ("text", "words"),
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
def test_a_mask_that_cannot_be_is_said_in_words(model, model_input, text, words):
    with pytest.raises(OutOfRange, match=words):
        tried(model, model_input, mask=text)


def test_an_unknown_fill_is_said_whether_or_not_something_is_painted(model, model_input):
    for mask in ("", write_mask(LEFT)):
        with pytest.raises(UnknownName, match=r"no fill called 'lava'.*gray, blur, around"):
            tried(model, model_input, mask=mask, fill="lava")


# ---- names of changes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "switch"),
    [
        ("no_osra", Switch("no_osra")),
        ("uniform_gates@3.0", Switch("uniform_gates", Scope(3))),
        ("head_off:2@3.2", Switch("head_off", Scope(3, 2), 2)),
    ],
)
def test_a_change_by_name(key, switch):
    assert read_switch(key) == switch == read_switch(str(switch))


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        ("gates_off", UnknownName, f"called 'gates_off'. Choose some of: {', '.join(SWITCHES)}"),
        ("no_osra@3", UnknownName, "called 'no_osra@3'"),
        ("x" * 500, UnknownName, "x{59}"),
        ("no_osra@0.2", OutOfRange, "a block of no stage"),
        ("head_off@3.2", OutOfRange, "names no head"),
        ("no_osra:1@3.2", OutOfRange, "names a head, and no_osra has none"),
    ],
)
def test_a_change_that_cannot_be_is_said_in_words(model, model_input, key, error, words):
    with pytest.raises(error, match=words):
        tried(model, model_input, edits=[key])


def test_too_many_changes_are_refused(model, model_input):
    keys = [f"head_off:{head}@3.1" for head in range(1, 40)]
    with pytest.raises(OutOfRange, match="39 changes at once"):
        tried(model, model_input, edits=keys)


def test_what_this_variant_lacks_is_said_and_the_rest_is_changed(model_input):
    bare = small_model(osra=False).model
    edits = ["uniform_attention@3.1", "no_idconv@2.0", "no_idconv@3.9", "uniform_gates@9.0"]
    found = tried(bare, model_input, edits=edits)
    assert [c.key for c in found.changes] == ["no_idconv@2.0"]
    assert "has no OSRA" in found.skipped["uniform_attention@3.1"]
    assert found.skipped["no_idconv@3.9"] == "transxnet_small has no stage 3, block 9."
    assert found.skipped["uniform_gates@9.0"] == "transxnet_small has no stage 9."
    full = tried(small_model().model, model_input, edits=["head_off:2@1.1"])
    assert full.skipped == {"head_off:2@1.1": "transxnet_small has no head 2 there (stage 1, block 1)."}
    assert np.array_equal(full.logits_after, full.logits_before)


def test_a_model_in_training_mode_is_refused(model_input):
    with pytest.raises(LensError, match="training mode"):
        tried(deepcopy(small_model().model).train(), model_input)


def test_a_backbone_of_timm_loses_regions_but_has_no_parts_to_switch():
    backbone = load("timm:test_resnet@untrained", device="cpu")
    found = study(backbone, image(), StudyOptions(only=("ablation",), edits=("no_osra",), mask=WHOLE)).ablation
    assert "is no TransXNet" in found.skipped["no_osra@0.0"]
    gray = logits_of(backbone.model, torch.zeros_like(prepare_for(image(), backbone.spec).tensor))
    np.testing.assert_allclose(found.logits_after, gray, rtol=1e-4, atol=1e-5)


# ---- in a study -----------------------------------------------------------------------------------------------


def test_a_study_tries_what_its_options_say(model, model_input):
    options = StudyOptions(target=3, only=("ablation",), edits=("no_osra@3.0",), mask=write_mask(LEFT), fill="around")
    found = study(small_model(), image(), options)
    alone = tried(model, model_input, class_index=3, edits=["no_osra@3.0"], mask=write_mask(LEFT), fill="around")
    assert np.array_equal(found.ablation.logits_after, alone.logits_after)
    assert found.ablation.logits_before is found.predictions.logits
    assert found.ablation.explained[0].index == 3
