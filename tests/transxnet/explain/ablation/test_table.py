"""Ablation table: each ablation equals a model changed by hand, none is a no-op on pico, nothing is left behind."""

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
from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from transxnet.errors import LensError, OutOfRange, PartMissing, UnknownName, WeightsMismatch
from transxnet.explain.ablation import table as module
from transxnet.explain.ablation.catalog import ABLATIONS
from transxnet.explain.ablation.edits import Scope, replace_kernels, uniform_gates, zero_half
from transxnet.explain.ablation.table import ablation_table, edited_logits
from transxnet.explain.observe import observe
from transxnet.images import decode, prepare
from transxnet.labels import LabelSet, label_set

NAMES = tuple(f"class {i}" for i in range(SPEC.num_classes))
LABELS = LabelSet("seven", NAMES, NAMES, NAMES)
SCOPES = ((3, 2), (3, 0), (0, 0))  # a block, a stage, everywhere
REFERENCE = replace(
    model_input(seed=5), tensor=3 * model_input(seed=5).tensor + 2
)  # far from noise of mean 0 and deviation 1


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def table(model):
    return ablation_table(model, model_input(), LABELS, reference_input=REFERENCE)


# --- By hand: a copy of the model with other modules --------------------------------------------------


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
    """STE that receives zeros for the first (0) or second (1) half of its channels."""

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
    """Composed by hand from the reference image's input of this IDConv."""
    unit, x = mixer.local_unit, inputs_of(path)
    pooled, mean = F.adaptive_avg_pool2d(x, 7), x.mean(dim=(2, 3), keepdim=True)
    gates = unit.proj(pooled).reshape(*unit.weight.shape).softmax(dim=0)
    bias_gates = unit.proj(mean).reshape(*unit.bias.shape).softmax(dim=0)
    mixer.local_unit = Fixed((gates * unit.weight).sum(dim=0), (bias_gates * unit.bias).sum(dim=0))


@cache
def inputs_of(path):
    """Input of this module's IDConv in the unchanged model for the reference image."""
    copy, inputs = unchanged_model(), []
    hook = copy.get_submodule(path).local_unit.register_forward_pre_hook(lambda unit, args: inputs.append(args[0]))
    copy(REFERENCE.tensor)
    hook.remove()
    return inputs[0]


@cache
def unchanged_model():
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


def no_projection(mixer, path, row):
    mixer.proj = torch.nn.Identity()


BY_HAND = {
    "uniform_gates": mean_kernels,
    "other_kernels": other_kernels,
    "no_idconv": first_half_zero,
    "uniform_attention": mean_values,
    "one_head": without_values_of_heads,
    "no_osra": second_half_zero,
    "no_ste": no_projection,
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


@pytest.mark.parametrize("scope", SCOPES, ids=["block", "stage", "everywhere"])
@pytest.mark.parametrize("name", ABLATIONS)
def test_ablations_equal_a_model_changed_by_hand(model, table, name, scope):
    row = table.find(name, *scope)
    np.testing.assert_allclose(row.logits, changed_by_hand(model, BY_HAND[name], row), atol=2e-6)
    assert np.abs(row.logits - table.logits).max() > 2e-4  # a hundred times what may differ above


def test_muted_heads_equal_zeroed_values(model, table):
    assert len(table.heads) == sum(depth * heads for depth, heads in zip(SPEC.depths, SPEC.heads, strict=True))
    for row in [row for row in table.heads if row.stage in (2, 4)]:
        assert [(row.stage, row.block)] == [head[:2] for head in row.heads]
        by_hand = changed_by_hand(model, without_values_of_heads, row)
        np.testing.assert_allclose(row.logits, by_hand, rtol=1e-5, atol=1e-5)


def test_one_head_mutes_the_strongest_head(table):
    for stage, block in [(s, b) for s, depth in enumerate(SPEC.depths, 1) for b in range(1, depth + 1)]:
        single_heads = [row for row in table.heads if (row.stage, row.block) == (stage, block)]
        moves = [abs(row.logit_after - row.logit_before) for row in single_heads]
        best = (stage, block, int(np.argmax(moves)) + 1)
        assert table.find("one_head", stage, block).heads == (best,)
        assert best in table.find("one_head").heads
        assert best in table.find("one_head", stage).heads
    assert len(table.find("one_head").heads) == sum(SPEC.depths)
    assert len({head for _, _, head in table.find("one_head").heads}) > 1  # not always the first


def test_gray_is_the_default_reference(model, table):
    gray = replace(REFERENCE, tensor=torch.zeros_like(REFERENCE.tensor))
    options = {"scopes": "everywhere", "ablations": ("other_kernels",)}
    default, given = (
        ablation_table(model, model_input(), LABELS, reference_input=reference, **options) for reference in (None, gray)
    )
    assert np.array_equal(default.rows[0].logits, given.rows[0].logits)
    assert not np.allclose(default.rows[0].logits, table.find("other_kernels").logits, atol=1e-3)
    assert default.ablations == {"other_kernels": "IDConv’s kernels made for a plain gray image"}
    assert (default.reference_name, table.reference_name) == ("a plain gray image", "another image")
    named = ablation_table(model, model_input(), LABELS, reference_input=gray, reference_name="fog", **options)
    assert named.ablations == {"other_kernels": "IDConv’s kernels made for fog"}


# --- pico ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pico():
    return transxnet.load("pico").model


@pytest.fixture(scope="module")
def photo_input(pico):
    image = decode(examples()[0].path)
    return prepare(image, image_size=pico.spec.image_size, crop_pct=pico.spec.crop_pct)


@pytest.mark.parametrize("name", ABLATIONS)
def test_no_ablation_is_a_no_op_on_pico(pico, photo_input, name):
    """At every stage a photo's logits move a thousand times more than rounding moves them."""
    table = ablation_table(pico, photo_input, label_set("tiny-imagenet-200"), scopes="stages", ablations=(name,))
    assert table.scopes(name) == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)]
    assert {scope: np.abs(table.find(name, *scope).logits - table.logits).max() > 1e-2
            for scope in table.scopes(name)} == dict.fromkeys(table.scopes(name), True)  # fmt: skip
    assert leftover_state(pico) == []


def test_neutral_edits_change_pico_by_rounding_only(pico, photo_input):
    same = replace_kernels(observe(pico, photo_input, keep=("kernels", "biases")).trace)
    plain = observe(pico, photo_input, keep=()).logits.numpy()
    np.testing.assert_allclose(edited_logits(pico, photo_input, [same, {}, same]), plain.repeat(3, axis=0), atol=1e-5)


def test_batches_equal_single_runs(model, monkeypatch, table):
    monkeypatch.setattr(module, "MAX_BATCH_PIXELS", 1)
    unbatched = ablation_table(model, model_input(), LABELS, reference_input=REFERENCE, scopes="stages")
    for single in unbatched.rows:
        row = table.find(single.ablation, single.stage, single.block)
        np.testing.assert_allclose(single.logits, row.logits, rtol=1e-6, atol=1e-6)
        assert single.heads == row.heads


# --- The numbers --------------------------------------------------------------------------------------


def test_numbers_by_hand(monkeypatch):
    """Before 1/2, 1/4, 1/8, 1/16, 1/32, 1/64, 1/64; afterwards the first three have shifted by one."""
    before = np.log2(np.array([1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 64])) * np.log(2)
    after = before[[2, 0, 1, 3, 4, 5, 6]] + 3  # a constant added to all logits changes no probability
    model = recipe_model()
    with torch.no_grad():
        model.classifier[2].weight.zero_()
        model.classifier[2].bias.copy_(torch.tensor(before))
    monkeypatch.setattr(module, "edited_logits", lambda m, p, edits: np.float32([after] * len(edits)))
    table = ablation_table(model, model_input(), LABELS, scopes="everywhere", ablations=("no_osra",))
    row = table.rows[0]
    assert (table.target.index, table.runner_up.index) == (0, 1)
    ln2 = np.log(2)
    assert (row.probability_before, row.probability_after) == pytest.approx((1 / 2, 1 / 8), abs=1e-6)
    assert (row.logit_before, row.logit_after) == pytest.approx((-ln2, 3 - 3 * ln2), abs=1e-6)
    assert row.logit_change == pytest.approx(3 - 2 * ln2, abs=1e-6)
    assert row.margin_change == pytest.approx(-3 * ln2, abs=1e-6)  # from ln 2 ahead to 2 ln 2 behind
    assert row.divergence == pytest.approx(5 / 8 * ln2, abs=1e-6)  # 1/2 ln 4 + 1/4 ln 1/2 + 1/8 ln 1/2
    assert (row.new_top.index, row.new_top.label) == (1, "class 1")
    assert row.new_top.probability == pytest.approx(1 / 2, abs=1e-6)
    assert row.new_top.logit == pytest.approx(3 - ln2, abs=1e-6)
    second = ablation_table(model, model_input(), LABELS, 1, scopes="everywhere", ablations=("no_osra",))
    assert (second.target.index, second.runner_up.index) == (1, 0)
    assert second.rows[0].margin_change == pytest.approx(3 * ln2, abs=1e-6)
    assert second.rows[0].new_top.index == 1  # another top prediction than before, though the target class


def test_new_top_is_set_only_if_it_changes(table):
    tops = [(int(row.logits.argmax()), row.new_top) for row in table.rows]
    assert all((new is None) == (top == table.logits.argmax()) for top, new in tops)
    assert any(new is None for _, new in tops)


def test_the_unchanged_pass_stays_identical(model):
    plain = observe(model, model_input(), keep=()).logits
    table = ablation_table(model, model_input(), LABELS, scopes="stages")
    assert np.array_equal(table.logits, plain[0].numpy())
    assert torch.equal(observe(model, model_input(), keep=()).logits, plain)
    assert leftover_state(model) == []


# --- Scopes, parts, errors ----------------------------------------------------------------------------


def test_scopes_are_listed_in_order(model, table):
    everywhere, stages = [(0, 0)], [(1, 0), (2, 0), (3, 0), (4, 0)]
    blocks = [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (3, 3), (4, 1), (4, 2)]
    assert table.scopes("no_osra") == everywhere + stages + blocks
    assert tuple(table.ablations) == tuple(ABLATIONS)
    assert table.missing == {}
    partial = ablation_table(model, model_input(), LABELS, scopes=[Scope(3, 2)], ablations=("one_head",))
    assert [(row.stage, row.block) for row in partial.rows] == [(3, 2)]
    assert {(row.stage, row.block) for row in partial.heads} == {(3, 2)}  # nothing else is computed
    with pytest.raises(OutOfRange, match="not asked at stage 2"):
        partial.find("one_head", 2)


@pytest.mark.parametrize(
    ("part", "missing", "message", "least"),  # least: the change of a logit, everywhere and in each stage
    [
        ("osra", ("uniform_attention", "one_head", "no_osra"), "transxnet_tiny has no OSRA", 1e-3),
        ("idconv", ("uniform_gates", "other_kernels"), "tiny’s kernels are learned, not generated", 1e-3),
        ("ste", ("no_ste",), "tiny has no STE", 2e-4),
    ],
)
def test_ablations_of_missing_parts_have_reasons(part, missing, message, least):
    model = recipe_model(replace(SPEC, **{part: False}))
    table = ablation_table(model, model_input(), LABELS, scopes="stages")
    assert tuple(table.missing) == missing
    assert all(why.startswith(message) for why in table.missing.values())
    assert tuple(table.ablations) == tuple(ABLATIONS)
    assert set(table.available) == set(ABLATIONS) - set(missing) == {row.ablation for row in table.rows}
    for name in table.available:
        assert all(np.abs(table.find(name, s).logits - table.logits).max() > least for s in range(5))


def test_invalid_arguments_are_refused(model):
    with pytest.raises(UnknownName, match="no question 'no_dpe'"):
        ablation_table(model, model_input(), LABELS, ablations=("no_dpe",))
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


def test_progress_reaches_its_total(model):
    calls = []
    table = ablation_table(model, model_input(), LABELS, progress=lambda done, total: calls.append((done, total)))
    total = len(table.rows) + len(table.heads)
    assert calls[-1] == (total, total)
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})
    assert {total for _, total in calls} == {total}


def test_exceptions_leave_no_state(model):
    plain = observe(model, model_input(), keep=()).logits

    def stop(done, total):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ablation_table(model, model_input(), LABELS, progress=stop)
    with pytest.raises(OutOfRange):  # inside the pass: the reference trace recorded nothing
        edited_logits(
            model, model_input(), [uniform_gates(), replace_kernels(observe(model, REFERENCE, keep=()).trace)]
        )
    assert torch.equal(observe(model, model_input(), keep=()).logits, plain)
    assert transxnet.trace.active_trace() is None
    assert leftover_state(model) == []


def test_threads_do_not_mix_images(model):
    def run(seed, started=lambda: None):
        started()
        table = ablation_table(
            model, model_input(64, 64, seed), LABELS, scopes="everywhere", ablations=("no_idconv", "one_head")
        )
        return np.stack([row.logits for row in (*table.rows, *table.heads)])

    sequential = [run(seed) for seed in range(4)]
    barrier = threading.Barrier(4, timeout=60)
    with ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(lambda seed: run(seed, barrier.wait), range(4)))
    for expected, result in zip(sequential, threaded, strict=True):
        assert np.array_equal(expected, result)
    assert not np.allclose(sequential[0], sequential[1], atol=1e-3)
    assert leftover_state(model) == []


def test_batches_are_as_large_as_allowed(model, monkeypatch):
    sizes = []
    monkeypatch.setattr(
        module, "edited_logits", lambda m, p, edits: sizes.append(len(edits)) or edited_logits(m, p, edits)
    )
    monkeypatch.setattr(module, "MAX_BATCH_PIXELS", 3 * 96**2)
    ablation_table(model, model_input(), LABELS, ablations=("no_osra",))
    assert sizes == [3, 3, 3, 3, 1]  # everywhere, 4 stages, 8 blocks


def test_each_row_has_its_own_edits(model):
    after = edited_logits(model, model_input(), [zero_half("osra"), {}, zero_half("osra", Scope(3))])
    plain = observe(model, model_input(), keep=()).logits[0].numpy()
    np.testing.assert_allclose(after[1], plain, rtol=1e-6, atol=1e-6)
    assert np.abs(after[0] - after[2]).max() > 1e-3
