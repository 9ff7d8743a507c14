"""Entropy, distance and energies over depth: closed forms, and that training shows in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import transxnet
from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import OutOfRange, PartMissing
from transxnet.explain.attention.attention import attention_table
from transxnet.explain.attention.depth import attention_depth, pathway_energies
from transxnet.explain.observe import observe

PLACES = [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (3, 3), (4, 1), (4, 2)]
KEEP = ("attention", "idconv", "osra")


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def seen(model):
    return observe(model, model_input(), KEEP)


def test_every_block_and_head_has_its_means_over_queries(model, seen):
    depth = attention_depth(seen)
    assert [(b.stage, b.block) for b in depth.blocks] == PLACES
    assert (depth.model, depth.input_size) == ("transxnet_tiny", (96, 96))
    for b in depth.blocks:
        table = attention_table(seen, b.stage, b.block)
        assert b.entropy.shape == b.distance.shape == (SPEC.heads[b.stage - 1],)
        for head in range(len(b.entropy)):
            a = table.weights[head].astype(float)
            nats = [-sum(p * np.log(p) for p in row) for row in a]
            assert b.entropy[head] == pytest.approx(np.mean(nats) / np.log(9), rel=1e-5)
            away = [row @ distances_from(query, b.stage) for query, row in enumerate(a)]
            assert b.distance[head] == pytest.approx(np.mean(away), rel=1e-5)
    assert leftovers(model) == []


def distances_from(query: int, stage: int) -> np.ndarray:
    """To the 3 x 3 keys on view pixels 0, 32 and 64."""
    stride = SPEC.strides[stage - 1]
    row, col = divmod(query, 96 // stride)
    return np.array([np.hypot(32 * j - stride * col, 32 * i - stride * row) for i in range(3) for j in range(3)])


def test_uniform_attention_has_entropy_one_and_the_uniform_distance(model):
    even = {"attention": lambda tap, a: torch.full_like(a, 1 / a.shape[-1])}
    for b in attention_depth(observe(model, model_input(), ("attention",), edits=even)).blocks:
        np.testing.assert_allclose(b.entropy, 1, rtol=1e-6)
        np.testing.assert_allclose(b.distance, b.uniform_distance, rtol=1e-6)
        expected = np.mean([distances_from(query, b.stage) for query in range((96 // SPEC.strides[b.stage - 1]) ** 2)])
        assert b.uniform_distance == pytest.approx(expected)


def test_only_kept_blocks_are_listed_and_none_is_refused(model):
    some = observe(model, model_input(), lambda tap: tap.kind == "attention" and tap.stage == 3)
    assert [(b.stage, b.block) for b in attention_depth(some).blocks] == PLACES[3:6]
    with pytest.raises(OutOfRange, match="holds no attention"):
        attention_depth(observe(model, model_input(32, 32), ("stage",)))


# --- Energies ---------------------------------------------------------------------------------------


def energies_with(model, idconv, osra):
    """What is said of halves that are replaced by idconv(y) and osra(y)."""
    edits = {"idconv": lambda tap, y: idconv(y), "osra": lambda tap, y: osra(y)}
    return pathway_energies(observe(model, model_input(), ("idconv", "osra"), edits=edits))


def test_energies_are_the_records_mean_squares(seen):
    found = pathway_energies(seen)
    assert list(zip(found.stages.tolist(), found.blocks.tolist(), strict=True)) == PLACES
    for half, plain, varying in (
        ("idconv", found.idconv, found.idconv_varying),
        ("osra", found.osra, found.osra_varying),
    ):
        for i, place in enumerate(PLACES):
            y = seen.trace.one(half, *place).tensor[0].numpy().astype(float)
            assert plain[i] == pytest.approx((y**2).mean(), rel=1e-6)
            assert varying[i] == pytest.approx(y.reshape(len(y), -1).var(axis=1).mean(), rel=1e-6)
    np.testing.assert_allclose(found.share, found.osra / (found.osra + found.idconv))
    np.testing.assert_allclose(found.varying_share, found.osra_varying / (found.osra_varying + found.idconv_varying))


def test_a_half_three_times_as_large_has_nine_times_the_energy_and_an_offset_varies_nowhere(model):
    """Checkers of +1 and -1: energy 1; three times OSRA's: 9 to 1. IDConv's plus 2: 9 to 5, varying 9 to 1."""

    def checkered(y):
        rows, cols = torch.arange(y.shape[-2])[:, None], torch.arange(y.shape[-1])
        return ((rows + cols) % 2 * 2.0 - 1).expand_as(y)

    blocks = slice(0, 6)  # stages 1 to 3; stage 4's 3 x 3 checks do not balance
    plain = energies_with(model, checkered, lambda y: 3 * checkered(y))
    np.testing.assert_allclose(plain.share[blocks], 0.9)
    np.testing.assert_allclose(plain.varying_share[blocks], 0.9)
    offset = energies_with(model, lambda y: checkered(y) + 2, lambda y: 3 * checkered(y))
    np.testing.assert_allclose(offset.share[blocks], 9 / 14)
    np.testing.assert_allclose(offset.varying_share[blocks], 0.9)


def test_silence_has_no_share(model):
    silent = energies_with(model, torch.zeros_like, torch.zeros_like)
    assert np.isnan(silent.share).all()
    constant = energies_with(model, torch.ones_like, torch.zeros_like)
    assert constant.share.tolist() == [0] * 8
    assert np.isnan(constant.varying_share).all()


def test_both_halves_must_have_been_kept(model):
    for keep in (("idconv",), ("osra",), ()):
        with pytest.raises(OutOfRange, match="both halves"):
            pathway_energies(observe(model, model_input(32, 32), keep))
    assert leftovers(model) == []


def test_without_osra_there_is_nothing_to_compare():
    seen = observe(recipe_model(replace(SPEC, osra=False)), model_input(32, 32), KEEP)
    for explain in (attention_depth, pathway_energies):
        with pytest.raises(PartMissing, match="no OSRA"):
            explain(seen)


# --- Training shows ---------------------------------------------------------------------------------


def test_trained_pico_differs_from_untrained():
    """Untrained attention weighs nearly all keys alike; the bundled pico's does not."""
    trained, untrained = (
        observe(transxnet.load(name).model, model_input(128, 128), KEEP) for name in ("pico", "pico@untrained")
    )
    entropies = [np.concatenate([b.entropy for b in attention_depth(seen).blocks]) for seen in (trained, untrained)]
    assert entropies[0].min() < 0.7
    assert entropies[1].min() > 0.99
    spreads = [
        max(np.abs(b.distance - b.uniform_distance).max() for b in attention_depth(seen).blocks)
        for seen in (trained, untrained)
    ]
    assert spreads[0] > 5 * spreads[1]
    assert np.abs(pathway_energies(trained).varying_share - pathway_energies(untrained).varying_share).max() > 0.3
