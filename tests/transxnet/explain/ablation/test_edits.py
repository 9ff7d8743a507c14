"""Edits: what each replaces, where it applies, and that nothing outside its scope changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from transxnet.errors import OutOfRange, UnknownName
from transxnet.explain.ablation.edits import (  # fmt: skip
    Scope,
    combine,
    detach,
    edits_by_image,
    mute_head,
    replace_kernels,
    uniform_attention,
    uniform_gates,
    zero_half,
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


def test_scope_description():
    assert [scope.description for scope in (Scope(), Scope(3), Scope(3, 2))] == [
        "everywhere",
        "stage 3",
        "stage 3, block 2",
    ]


def test_uniform_gates_give_the_static_kernel(model, plain):
    observation = edited(model, uniform_gates(Scope(2, 1)))
    unit = model.network[2][0].token_mixer.local_unit
    groups = SPEC.kernel_groups[1]
    assert torch.equal(observation.trace.find_one("gates", 2, 1).tensor.unique(), torch.tensor([1 / groups]))
    torch.testing.assert_close(observation.trace.find_one("kernels", 2, 1).tensor[0], unit.weight.mean(dim=0))
    torch.testing.assert_close(observation.trace.find_one("biases", 2, 1).tensor[0], unit.bias.mean(dim=0))
    assert torch.equal(
        observation.trace.find_one("stage", 1).tensor, plain.trace.find_one("stage", 1).tensor
    )  # before: untouched
    assert not torch.equal(observation.logits, plain.logits)


def test_uniform_attention_has_equal_weights(model):
    weights = edited(model, uniform_attention(Scope(3))).trace.find("attention", 3)
    assert all(torch.equal(r.tensor, torch.full_like(r.tensor, 1 / r.tensor.shape[-1])) for r in weights)


def test_a_muted_head_outputs_zeros(model, plain):
    heads = SPEC.heads[3]
    observation = edited(model, mute_head(2, Scope(4, 1)))
    out, before = (trace.find_one("osra", 4, 1).tensor[0] for trace in (observation.trace, plain.trace))  # (C, h, w)
    by_head, unchanged = out.chunk(heads), before.chunk(heads)
    assert not by_head[1].any()
    assert torch.equal(by_head[0], unchanged[0])
    with pytest.raises(OutOfRange, match="Stage 4 has no head 99"):
        edited(model, mute_head(99, Scope(4)))


@pytest.mark.parametrize("half", ["idconv", "osra"])
def test_a_zeroed_half_outputs_zeros(model, plain, half):
    observation = edited(model, zero_half(half, Scope(1)))
    assert not observation.trace.find_one(half, 1, 1).tensor.any()
    assert observation.trace.find_one(half, 2, 1).tensor.any()
    with pytest.raises(UnknownName, match="idconv, osra"):
        zero_half("ste")


def test_kernels_are_replaced_by_another_images(model, plain):
    reference = observe(model, model_input(seed=5), ("kernels", "biases"))
    observation = edited(model, replace_kernels(reference.trace))
    for record in reference.trace.records:
        assert torch.equal(observation.trace.find_one(record.kind, record.stage, record.block).tensor, record.tensor)
    assert not torch.equal(observation.logits, plain.logits)
    same = edited(model, replace_kernels(plain.trace))
    assert torch.equal(same.logits, plain.logits)  # its own kernels: nothing changes


def test_detaching_keeps_values_and_stops_gradients(model, plain):
    kinds = ("attention", "kernels", "biases")
    observation = edited(model, detach(kinds), grad=True)
    torch.testing.assert_close(observation.logits.detach(), plain.logits)
    assert not any(r.tensor.requires_grad for r in observation.trace.records if r.kind in kinds)
    assert observation.trace.find_one("osra", 1, 1).tensor.requires_grad
    assert leftover_state(model) == []


def test_combined_edits_apply_in_order(model):
    observation = edited(model, combine(zero_half("osra"), uniform_attention(Scope(1)), mute_head(1, Scope(1))))
    first = observation.trace.find("attention", 1)[0].tensor
    assert not first[:, 0].any()  # uniform, and then off
    assert not observation.trace.find_one("osra", 1, 1).tensor.any()


def test_each_image_gets_its_own_edits(model, plain):
    reference = observe(model, model_input(seed=5), ("kernels", "biases"))
    edits = [
        uniform_gates(Scope(3)),
        {},
        replace_kernels(reference.trace),
        combine(zero_half("osra"), mute_head(1, Scope(2))),
    ]
    images = replace(model_input(), tensor=torch.cat([model_input(seed=i).tensor for i in range(4)]))
    batch = observe(model, images, KINDS, edits=edits_by_image(edits))
    for i, image_edits in enumerate(edits):
        single = observe(model, model_input(seed=i), KINDS, edits=image_edits)
        torch.testing.assert_close(batch.logits[i : i + 1], single.logits, rtol=1e-6, atol=1e-6)
        for r, expected in zip(batch.trace.records, single.trace.records, strict=True):
            torch.testing.assert_close(r.tensor[i : i + 1], expected.tensor, rtol=1e-5, atol=1e-5)
    assert leftover_state(model) == []


def test_edits_must_match_the_batch_size(model):
    with pytest.raises(ValueError, match="2 rows of edits for a batch of 1"):
        edited(model, edits_by_image([zero_half("osra"), {}]))


def test_unaffected_tensors_are_not_copied():
    x, tap = torch.rand(2, 1, 3, 3), Tap("attention")
    tap.stage, tap.block = 1, 1
    assert edits_by_image([uniform_attention(Scope(2)), {}])["attention"](tap, x) is x
    assert torch.equal(edits_by_image([{}, uniform_attention(Scope(1))])["attention"](tap, x)[0], x[0])
