"""What if: every question equals a model changed by hand, none is a no-op on pico, and nothing is left behind."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import timm
import torch
import torch.nn.functional as F
from torch import nn

import transxnet
from demo.examples import examples
from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import LensError, OutOfRange, PartMissing, UnknownName, WeightsMismatch
from transxnet.explain.ablation import table as module
from transxnet.explain.ablation.catalog import QUESTIONS
from transxnet.explain.ablation.edits import Scope, half_off, kernels_of, uniform_gates
from transxnet.explain.ablation.table import ablation_table, edited_logits, heads_off
from transxnet.explain.observe import observe
from transxnet.images import decode, prepare
from transxnet.labels import LabelSet, label_set

NAMES = tuple(f"class {i}" for i in range(SPEC.num_classes))
LABELS = LabelSet("seven", NAMES, NAMES, NAMES)
PLACES = ((3, 2), (3, 0), (0, 0))  # a block, a stage, everywhere
OTHER = replace(
    model_input(seed=5), tensor=3 * model_input(seed=5).tensor + 2
)  # far from noise of mean 0 and deviation 1


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def found(model):
    return ablation_table(model, model_input(), LABELS, other=OTHER)


# --- The same by hand: a copy of the model whose modules are others ----------------------------------


class Fixed(nn.Module):
    """A depthwise convolution with given kernels (C, 7, 7) and biases (C,)."""

    def __init__(self, kernels, biases):
        super().__init__()
        self.kernels, self.biases = kernels, biases

    def forward(self, x):
        return F.conv2d(x, self.kernels[:, None], self.biases, padding=3, groups=len(self.kernels))


class MeanOfValues(nn.Module):
    """OSRA whose every position gets the mean of all values."""

    def __init__(self, osra):
        super().__init__()
        self.osra = osra

    def forward(self, x, relative_pos_enc):
        reduced = self.osra.sr(x)
        values = self.osra.kv(reduced + self.osra.local_conv(reduced))[:, x.shape[1] :]
        return values.mean(dim=(2, 3), keepdim=True).expand_as(x)


class HalfZero(nn.Module):
    """STE that is handed zeros in place of the first (0) or second (1) half of its channels."""

    def __init__(self, ste, half):
        super().__init__()
        self.ste, self.half = ste, half

    def forward(self, x):
        x = x.clone()
        x.chunk(2, dim=1)[self.half].zero_()
        return self.ste(x)


def mean_kernels(mixer, path, row):
    mixer.local_unit = Fixed(mixer.local_unit.weight.mean(dim=0), mixer.local_unit.bias.mean(dim=0))


def other_kernels(mixer, path, row):
    """Mixed by hand from what the other image brings to this IDConv."""
    unit, x = mixer.local_unit, inputs_of(path)
    pooled, mean = F.adaptive_avg_pool2d(x, 7), x.mean(dim=(2, 3), keepdim=True)
    gates = unit.proj(pooled).reshape(*unit.weight.shape).softmax(dim=0)
    bias_gates = unit.proj(mean).reshape(*unit.bias.shape).softmax(dim=0)
    mixer.local_unit = Fixed((gates * unit.weight).sum(dim=0), (bias_gates * unit.bias).sum(dim=0))


@cache
def inputs_of(path):
    """What the untouched model hands this module's IDConv for the other image."""
    copy, seen = untouched(), []
    hook = copy.get_submodule(path).local_unit.register_forward_pre_hook(lambda unit, args: seen.append(args[0]))
    copy(OTHER.tensor)
    hook.remove()
    return seen[0]


@cache
def untouched():
    return recipe_model()


def mean_values(mixer, path, row):
    mixer.global_unit = MeanOfValues(mixer.global_unit)


def without_values_of_heads(mixer, path, row):
    """The head's rows of the layer that makes keys and values, where they make values, are zero."""
    stage, block = int(path.split(".")[1]) // 2 + 1, int(path.split(".")[2]) + 1
    osra = mixer.global_unit
    channels = osra.q.out_channels
    for head in [h for s, b, h in row.heads if (s, b) == (stage, block)]:
        size = channels // osra.heads
        rows = slice(channels + (head - 1) * size, channels + head * size)
        osra.kv.weight[rows], osra.kv.bias[rows] = 0, 0


def first_half_zero(mixer, path, row):
    mixer.proj = HalfZero(mixer.proj, 0)


def second_half_zero(mixer, path, row):
    mixer.proj = HalfZero(mixer.proj, 1)


def halves_side_by_side(mixer, path, row):
    mixer.proj = torch.nn.Identity()


BY_HAND = {
    "uniform_gates": mean_kernels,
    "other_kernels": other_kernels,
    "no_idconv": first_half_zero,
    "uniform_attention": mean_values,
    "one_head": without_values_of_heads,
    "no_osra": second_half_zero,
    "no_ste": halves_side_by_side,
}


@torch.no_grad()
def changed_by_hand(model, change, row) -> np.ndarray:
    copy = deepcopy(model)
    for stage, depth in enumerate(SPEC.depths, 1):
        for block in range(1, depth + 1):
            if row.stage in (0, stage) and row.block in (0, block):
                path = f"network.{2 * stage - 2}.{block - 1}.token_mixer"
                change(copy.get_submodule(path), path, row)
    return copy(model_input().tensor)[0].numpy()


@pytest.mark.parametrize("place", PLACES, ids=["block", "stage", "everywhere"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_it_equals_a_model_changed_by_hand(model, found, question, place):
    row = found.find(question, *place)
    np.testing.assert_allclose(row.logits, changed_by_hand(model, BY_HAND[question], row), atol=2e-6)
    assert np.abs(row.logits - found.logits).max() > 2e-4  # a hundred times what may differ above


def test_every_head_off_alone_equals_its_values_at_zero(model, found):
    assert len(found.heads) == sum(depth * heads for depth, heads in zip(SPEC.depths, SPEC.heads, strict=True))
    for row in [row for row in found.heads if row.stage in (2, 4)]:
        assert [(row.stage, row.block)] == [head[:2] for head in row.heads]
        by_hand = changed_by_hand(model, without_values_of_heads, row)
        np.testing.assert_allclose(row.logits, by_hand, rtol=1e-5, atol=1e-5)


def test_one_head_takes_in_each_block_the_head_that_moves_the_logit_most(found):
    for stage, block in [(s, b) for s, depth in enumerate(SPEC.depths, 1) for b in range(1, depth + 1)]:
        alone = [row for row in found.heads if (row.stage, row.block) == (stage, block)]
        moves = [abs(row.logit_after - row.logit_before) for row in alone]
        best = (stage, block, int(np.argmax(moves)) + 1)
        assert found.find("one_head", stage, block).heads == (best,)
        assert best in found.find("one_head").heads
        assert best in found.find("one_head", stage).heads
    assert len(found.find("one_head").heads) == sum(SPEC.depths)
    assert len({head for _, _, head in found.find("one_head").heads}) > 1  # not always the first


def test_gray_is_the_other_image_where_none_is_given(model, found):
    gray = replace(OTHER, tensor=torch.zeros_like(OTHER.tensor))
    some = {"scopes": "everywhere", "questions": ("other_kernels",)}
    default, given = (ablation_table(model, model_input(), LABELS, other=other, **some) for other in (None, gray))
    assert np.array_equal(default.rows[0].logits, given.rows[0].logits)
    assert not np.allclose(default.rows[0].logits, found.find("other_kernels").logits, atol=1e-3)
    assert default.questions == {"other_kernels": "IDConv’s kernels made for a plain gray image"}
    assert (default.other, found.other) == ("a plain gray image", "another image")
    named = ablation_table(model, model_input(), LABELS, other=gray, other_words="fog", **some)
    assert named.questions == {"other_kernels": "IDConv’s kernels made for fog"}


# --- pico ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pico():
    return transxnet.load("pico").model


@pytest.fixture(scope="module")
def source_crop(pico):
    image = decode(examples()[0].path)
    return prepare(image, image_size=pico.spec.image_size, crop_pct=pico.spec.crop_pct)


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_is_a_no_op_on_pico(pico, photo, question):
    """At every stage a photo's logits move a thousand times more than rounding moves them."""
    found = ablation_table(pico, photo, label_set("tiny-imagenet-200"), scopes="stages", questions=(question,))
    assert found.places(question) == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)]
    assert {place: np.abs(found.find(question, *place).logits - found.logits).max() > 1e-2
            for place in found.places(question)} == dict.fromkeys(found.places(question), True)  # fmt: skip
    assert leftovers(pico) == []


def test_edits_that_change_nothing_move_pico_by_rounding_only(pico, photo):
    own = kernels_of(observe(pico, photo, keep=("kernels", "biases")).trace)
    plain = observe(pico, photo, keep=()).logits.numpy()
    np.testing.assert_allclose(edited_logits(pico, photo, [own, {}, own]), plain.repeat(3, axis=0), atol=1e-5)


def test_many_as_one_batch_equal_one_by_one(model, monkeypatch, found):
    monkeypatch.setattr(module, "PIXELS", 1)
    alone = ablation_table(model, model_input(), LABELS, other=OTHER, scopes="stages")
    for one in alone.rows:
        row = found.find(one.question, one.stage, one.block)
        np.testing.assert_allclose(one.logits, row.logits, rtol=1e-6, atol=1e-6)
        assert one.heads == row.heads


# --- The numbers --------------------------------------------------------------------------------------


def test_the_numbers_by_hand(monkeypatch):
    """Before 1/2, 1/4, 1/8, 1/16, 1/32, 1/64, 1/64; after, the first three have moved on by one place."""
    before = np.log2(np.array([1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 64])) * np.log(2)
    after = before[[2, 0, 1, 3, 4, 5, 6]] + 3  # a constant added to all logits changes no probability
    model = recipe_model()
    with torch.no_grad():
        model.classifier[2].weight.zero_()
        model.classifier[2].bias.copy_(torch.tensor(before))
    monkeypatch.setattr(module, "edited_logits", lambda m, p, edits: np.float32([after] * len(edits)))
    found = ablation_table(model, model_input(), LABELS, scopes="everywhere", questions=("no_osra",))
    row = found.rows[0]
    assert (found.explained.index, found.runner_up.index) == (0, 1)
    ln2 = np.log(2)
    assert (row.probability_before, row.probability_after) == pytest.approx((1 / 2, 1 / 8), abs=1e-6)
    assert (row.logit_before, row.logit_after) == pytest.approx((-ln2, 3 - 3 * ln2), abs=1e-6)
    assert row.logit_change == pytest.approx(3 - 2 * ln2, abs=1e-6)
    assert row.margin_change == pytest.approx(-3 * ln2, abs=1e-6)  # from ln 2 ahead to 2 ln 2 behind
    assert row.divergence == pytest.approx(5 / 8 * ln2, abs=1e-6)  # 1/2 ln 4 + 1/4 ln 1/2 + 1/8 ln 1/2
    assert (row.new_top.index, row.new_top.label) == (1, "class 1")
    assert row.new_top.probability == pytest.approx(1 / 2, abs=1e-6)
    assert row.new_top.logit == pytest.approx(3 - ln2, abs=1e-6)
    second = ablation_table(model, model_input(), LABELS, 1, scopes="everywhere", questions=("no_osra",))
    assert (second.explained.index, second.runner_up.index) == (1, 0)
    assert second.rows[0].margin_change == pytest.approx(3 * ln2, abs=1e-6)
    assert second.rows[0].new_top.index == 1  # another top answer than before, though the explained one


def test_an_answer_that_stays_is_not_new(found):
    tops = [(int(row.logits.argmax()), row.new_top) for row in found.rows]
    assert all((new is None) == (top == found.logits.argmax()) for top, new in tops)
    assert any(new is None for _, new in tops)


def test_before_is_the_plain_pass_which_stays_as_it_was(model):
    plain = observe(model, model_input(), keep=()).logits
    found = ablation_table(model, model_input(), LABELS, scopes="stages")
    assert np.array_equal(found.logits, plain[0].numpy())
    assert torch.equal(observe(model, model_input(), keep=()).logits, plain)
    assert leftovers(model) == []


# --- Scopes, parts, mistakes --------------------------------------------------------------------------


def test_scopes(model, found):
    everywhere, stages = [(0, 0)], [(1, 0), (2, 0), (3, 0), (4, 0)]
    blocks = [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (3, 3), (4, 1), (4, 2)]
    assert found.places("no_osra") == everywhere + stages + blocks
    assert tuple(found.questions) == tuple(QUESTIONS)
    assert found.missing == {}
    some = ablation_table(model, model_input(), LABELS, scopes=[Scope(3, 2)], questions=("one_head",))
    assert [(row.stage, row.block) for row in some.rows] == [(3, 2)]
    assert {(row.stage, row.block) for row in some.heads} == {(3, 2)}  # no looks at what was not asked
    with pytest.raises(OutOfRange, match="not asked at stage 2"):
        some.find("one_head", 2)


@pytest.mark.parametrize(
    ("part", "missing", "words", "least"),  # least: what every question moves a logit by, everywhere and in each stage
    [
        ("osra", ("uniform_attention", "one_head", "no_osra"), "transxnet_tiny has no OSRA", 1e-3),
        ("idconv", ("uniform_gates", "other_kernels"), "tiny’s kernels are learned, not generated", 1e-3),
        ("ste", ("no_ste",), "tiny has no STE", 2e-4),
    ],
)
def test_questions_about_a_missing_part_are_told_why(part, missing, words, least):
    model = recipe_model(replace(SPEC, **{part: False}))
    found = ablation_table(model, model_input(), LABELS, scopes="stages")
    assert tuple(found.missing) == missing
    assert all(why.startswith(words) for why in found.missing.values())
    assert tuple(found.questions) == tuple(QUESTIONS)
    assert set(found.answered) == set(QUESTIONS) - set(missing) == {row.question for row in found.rows}
    for question in found.answered:
        assert all(np.abs(found.find(question, s).logits - found.logits).max() > least for s in range(5))


def test_one_stage_of_heads(model, found):
    heads = heads_off(model, model_input(), LABELS, 4).heads
    assert [row.heads[0] for row in heads] == [(4, b, h) for b in (1, 2) for h in range(1, 6)]
    expected = [row.logits for row in found.heads if row.stage == 4]
    np.testing.assert_allclose([row.logits for row in heads], expected, rtol=1e-6, atol=1e-6)
    for stage in (0, 5):
        with pytest.raises(OutOfRange, match=f"no stage {stage}"):
            heads_off(model, model_input(), LABELS, stage)
    with pytest.raises(PartMissing, match="has no OSRA"):
        heads_off(recipe_model(replace(SPEC, osra=False)), model_input(), LABELS, 4)


def test_what_cannot_be_asked(model):
    with pytest.raises(UnknownName, match="no question 'no_dpe'"):
        ablation_table(model, model_input(), LABELS, questions=("no_dpe",))
    with pytest.raises(UnknownName, match="no scopes called 'heads'"):
        ablation_table(model, model_input(), LABELS, scopes="heads")
    with pytest.raises(OutOfRange, match="no stage 2, block 2"):
        ablation_table(model, model_input(), LABELS, scopes=[Scope(2, 2)])
    with pytest.raises(OutOfRange, match="no class 7"):
        ablation_table(model, model_input(), LABELS, 7)
    with pytest.raises(WeightsMismatch):
        ablation_table(model, model_input(), label_set("tiny-imagenet-200"))
    with pytest.raises(LensError, match="training mode"):
        ablation_table(recipe_model().train(), model_input(), LABELS)
    with pytest.raises(PartMissing, match="no TransXNet"):
        ablation_table(timm.create_model("resnet10t").eval(), model_input(), LABELS)


# --- Progress, exceptions, threads --------------------------------------------------------------------


def test_progress_counts_to_its_total(model):
    heard = []
    found = ablation_table(model, model_input(), LABELS, progress=lambda done, total: heard.append((done, total)))
    total = len(found.rows) + len(found.heads)
    assert heard[-1] == (total, total)
    assert [done for done, _ in heard] == sorted({done for done, _ in heard})
    assert {total for _, total in heard} == {total}


def test_an_exception_leaves_nothing_behind(model):
    plain = observe(model, model_input(), keep=()).logits

    def stop(done, total):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ablation_table(model, model_input(), LABELS, progress=stop)
    with pytest.raises(OutOfRange):  # inside the pass: the other image's trace kept nothing
        edited_logits(model, model_input(), [uniform_gates(), kernels_of(observe(model, OTHER, keep=()).trace)])
    assert torch.equal(observe(model, model_input(), keep=()).logits, plain)
    assert transxnet.trace.active_trace() is None
    assert leftovers(model) == []


def test_eight_threads_with_eight_images_get_what_they_get_alone(model):
    def ask(seed, started=lambda: None):
        started()
        found = ablation_table(
            model, model_input(64, 64, seed), LABELS, scopes="everywhere", questions=("no_idconv", "one_head")
        )
        return np.stack([row.logits for row in (*found.rows, *found.heads)])

    alone = [ask(seed) for seed in range(8)]
    barrier = threading.Barrier(8, timeout=60)
    with ThreadPoolExecutor(8) as pool:
        crowd = list(pool.map(lambda seed: ask(seed, barrier.wait), range(8)))
    assert [np.array_equal(one, other) for one, other in zip(alone, crowd, strict=True)] == [True] * 8
    assert not np.allclose(alone[0], alone[1], atol=1e-3)
    assert leftovers(model) == []


def test_single_pass_holds_as_many_looks_as_fit(model, monkeypatch):
    sizes = []
    monkeypatch.setattr(
        module, "edited_logits", lambda m, p, edits: sizes.append(len(edits)) or edited_logits(m, p, edits)
    )
    monkeypatch.setattr(module, "PIXELS", 3 * 96**2)
    ablation_table(model, model_input(), LABELS, questions=("no_osra",))
    assert sizes == [3, 3, 3, 3, 1]  # everywhere, 4 stages, 8 blocks


def test_a_row_is_edited_alone(model):
    after = edited_logits(model, model_input(), [half_off("osra"), {}, half_off("osra", Scope(3))])
    plain = observe(model, model_input(), keep=()).logits[0].numpy()
    np.testing.assert_allclose(after[1], plain, rtol=1e-6, atol=1e-6)
    assert np.abs(after[0] - after[2]).max() > 1e-3
