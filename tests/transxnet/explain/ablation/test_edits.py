"""Edits: what each replaces, where it holds, and that nothing outside its scope moves."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import OutOfRange
from transxnet.explain.ablation.edits import (  # fmt: skip
    Scope,
    detached,
    half_off,
    head_off,
    kernels_of,
    rows,
    together,
    uniform_attention,
    uniform_gates,
)
from transxnet.explain.observe import observe
from transxnet.trace import Tap

KINDS = ("attention", "gates", "bias_gates", "kernels", "biases", "idconv", "osra", "stage")


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def plain(model):
    return observe(model, model_input(), KINDS)


def edited(model, edits, **options):
    return observe(model, model_input(), KINDS, edits=edits, **options)


def test_scope_in_words():
    assert [str(Scope()), str(Scope(3)), str(Scope(3, 2))] == ["everywhere", "stage 3", "stage 3, block 2"]


def test_uniform_gates_make_the_static_kernel(model, plain):
    seen = edited(model, uniform_gates(Scope(2, 1)))
    unit = model.network[2][0].token_mixer.local_unit
    groups = SPEC.kernel_groups[1]
    assert torch.equal(seen.trace.one("gates", 2, 1).tensor.unique(), torch.tensor([1 / groups]))
    torch.testing.assert_close(seen.trace.one("kernels", 2, 1).tensor[0], unit.weight.mean(dim=0))
    torch.testing.assert_close(seen.trace.one("biases", 2, 1).tensor[0], unit.bias.mean(dim=0))
    assert torch.equal(seen.trace.one("stage", 1).tensor, plain.trace.one("stage", 1).tensor)  # before: untouched
    assert not torch.equal(seen.logits, plain.logits)


def test_uniform_attention_is_the_mean_of_the_values(model):
    weights = edited(model, uniform_attention(Scope(3))).trace.find("attention", 3)
    assert all(torch.equal(r.tensor, torch.full_like(r.tensor, 1 / r.tensor.shape[-1])) for r in weights)


def test_a_head_that_is_off_leaves_its_channels_at_zero(model, plain):
    heads = SPEC.heads[3]
    seen = edited(model, head_off(2, Scope(4, 1)))
    out, before = (trace.one("osra", 4, 1).tensor[0] for trace in (seen.trace, plain.trace))  # (C, h, w)
    by_head, unchanged = out.chunk(heads), before.chunk(heads)
    assert not by_head[1].any()
    assert torch.equal(by_head[0], unchanged[0])
    with pytest.raises(OutOfRange, match="Stage 4 has no head 99"):
        edited(model, head_off(99, Scope(4)))


@pytest.mark.parametrize("half", ["idconv", "osra"])
def test_a_half_that_is_off(model, plain, half):
    seen = edited(model, half_off(half, Scope(1)))
    assert not seen.trace.one(half, 1, 1).tensor.any()
    assert seen.trace.one(half, 2, 1).tensor.any()
    with pytest.raises(OutOfRange, match="idconv, osra"):
        half_off("ste")


def test_kernels_of_another_image(model, plain):
    other = observe(model, model_input(seed=5), ("kernels", "biases"))
    seen = edited(model, kernels_of(other.trace))
    for record in other.trace.records:
        assert torch.equal(seen.trace.one(record.kind, record.stage, record.block).tensor, record.tensor)
    assert not torch.equal(seen.logits, plain.logits)
    own = edited(model, kernels_of(plain.trace))
    assert torch.equal(own.logits, plain.logits)  # its own kernels: nothing changes


def test_detaching_keeps_values_and_cuts_gradients(model, plain):
    kinds = ("attention", "kernels", "biases")
    seen = edited(model, detached(kinds), grad=True)
    torch.testing.assert_close(seen.logits.detach(), plain.logits)
    assert not any(r.tensor.requires_grad for r in seen.trace.records if r.kind in kinds)
    assert seen.trace.one("osra", 1, 1).tensor.requires_grad
    assert leftovers(model) == []


def test_together_applies_both_in_order(model):
    seen = edited(model, together(half_off("osra"), uniform_attention(Scope(1)), head_off(1, Scope(1))))
    first = seen.trace.find("attention", 1)[0].tensor
    assert not first[:, 0].any()  # uniform, and then off
    assert not seen.trace.one("osra", 1, 1).tensor.any()


def test_rows_edit_each_image_as_if_it_were_alone(model, plain):
    other = observe(model, model_input(seed=5), ("kernels", "biases"))
    edits = [uniform_gates(Scope(3)), {}, kernels_of(other.trace), together(half_off("osra"), head_off(1, Scope(2)))]
    images = replace(model_input(), tensor=torch.cat([model_input(seed=i).tensor for i in range(4)]))
    batch = observe(model, images, KINDS, edits=rows(edits))
    for i, one in enumerate(edits):
        alone = observe(model, model_input(seed=i), KINDS, edits=one)
        torch.testing.assert_close(batch.logits[i : i + 1], alone.logits, rtol=1e-6, atol=1e-6)
        for r, mine in zip(batch.trace.records, alone.trace.records, strict=True):
            torch.testing.assert_close(r.tensor[i : i + 1], mine.tensor, rtol=1e-5, atol=1e-5)
    assert leftovers(model) == []


def test_rows_need_a_image_each(model):
    with pytest.raises(ValueError, match="2 rows of edits for a batch of 1"):
        edited(model, rows([half_off("osra"), {}]))


def test_rows_leave_what_no_edit_concerns_uncopied():
    x, tap = torch.rand(2, 1, 3, 3), Tap("attention")
    tap.stage, tap.block = 1, 1
    assert rows([uniform_attention(Scope(2)), {}])["attention"](tap, x) is x
    assert torch.equal(rows([{}, uniform_attention(Scope(1))])["attention"](tap, x)[0], x[0])
