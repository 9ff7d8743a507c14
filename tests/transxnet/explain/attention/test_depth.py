"""Entropy, distance and energies over depth: closed forms, and trained against random weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import transxnet
from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from transxnet.errors import OutOfRange, PartMissing
from transxnet.explain.attention.attention import attention_table
from transxnet.explain.attention.depth import attention_depth, pathway_energies
from transxnet.explain.observe import observe

BLOCKS = [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (3, 3), (4, 1), (4, 2)]
KEEP = ("attention", "idconv", "osra")


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def observation(model):
    return observe(model, model_input(), KEEP)


def test_values_are_means_over_queries(model, observation):
    depth = attention_depth(observation)
    assert [(block.stage, block.block) for block in depth.blocks] == BLOCKS
    assert (depth.model, depth.input_size) == ("transxnet_tiny", (96, 96))
    for block in depth.blocks:
        table = attention_table(observation, block.stage, block.block)
        assert block.entropy.shape == block.distance.shape == (SPEC.heads[block.stage - 1],)
        for head in range(len(block.entropy)):
            weights = table.weights[head].astype(float)
            nats = [-sum(p * np.log(p) for p in row) for row in weights]
            assert block.entropy[head] == pytest.approx(np.mean(nats) / np.log(9), rel=1e-5)
            distances = [row @ distances_from(query, block.stage) for query, row in enumerate(weights)]
            assert block.distance[head] == pytest.approx(np.mean(distances), rel=1e-5)
    assert leftover_state(model) == []


def distances_from(query: int, stage: int) -> np.ndarray:
    """To the 3 x 3 keys at input pixels 0, 32 and 64."""
    stride = SPEC.strides[stage - 1]
    row, col = divmod(query, 96 // stride)
    return np.array([np.hypot(32 * j - stride * col, 32 * i - stride * row) for i in range(3) for j in range(3)])


def test_uniform_attention_has_maximal_entropy_and_uniform_distance(model):
    uniform = {"attention": lambda tap, a: torch.full_like(a, 1 / a.shape[-1])}
    for block in attention_depth(observe(model, model_input(), ("attention",), edits=uniform)).blocks:
        np.testing.assert_allclose(block.entropy, 1, rtol=1e-6)
        np.testing.assert_allclose(block.distance, block.uniform_distance, rtol=1e-6)
        expected = np.mean(
            [distances_from(query, block.stage) for query in range((96 // SPEC.strides[block.stage - 1]) ** 2)]
        )
        assert block.uniform_distance == pytest.approx(expected)


def test_only_recorded_blocks_are_listed(model):
    observation = observe(model, model_input(), lambda tap: tap.kind == "attention" and tap.stage == 3)
    assert [(block.stage, block.block) for block in attention_depth(observation).blocks] == BLOCKS[3:6]
    with pytest.raises(OutOfRange, match="holds no attention"):
        attention_depth(observe(model, model_input(32, 32), ("stage",)))


# --- Energies ---------------------------------------------------------------------------------------


def energies_with(model, idconv, osra):
    """Energies with the two halves replaced by idconv(y) and osra(y)."""
    edits = {"idconv": lambda tap, y: idconv(y), "osra": lambda tap, y: osra(y)}
    return pathway_energies(observe(model, model_input(), ("idconv", "osra"), edits=edits))


def test_energies_are_mean_squares_of_the_records(observation):
    energies = pathway_energies(observation)
    assert list(zip(energies.stages.tolist(), energies.blocks.tolist(), strict=True)) == BLOCKS
    for half, plain, varying in (
        ("idconv", energies.idconv, energies.idconv_varying),
        ("osra", energies.osra, energies.osra_varying),
    ):
        for i, block in enumerate(BLOCKS):
            features = observation.trace.find_one(half, *block).tensor[0].numpy().astype(float)
            assert plain[i] == pytest.approx((features**2).mean(), rel=1e-6)
            assert varying[i] == pytest.approx(features.reshape(len(features), -1).var(axis=1).mean(), rel=1e-6)
    np.testing.assert_allclose(energies.osra_share, energies.osra / (energies.osra + energies.idconv))
    np.testing.assert_allclose(
        energies.osra_varying_share, energies.osra_varying / (energies.osra_varying + energies.idconv_varying)
    )


def test_energy_shares_by_hand(model):
    """Checkerboards of +1 and -1: energy 1; three times OSRA's: 9 to 1. IDConv's plus 2: 9 to 5, varying 9 to 1."""

    def checkered(y):
        rows, cols = torch.arange(y.shape[-2])[:, None], torch.arange(y.shape[-1])
        return ((rows + cols) % 2 * 2.0 - 1).expand_as(y)

    blocks = slice(0, 6)  # stages 1 to 3; stage 4's 3 x 3 checks do not balance
    plain = energies_with(model, checkered, lambda y: 3 * checkered(y))
    np.testing.assert_allclose(plain.osra_share[blocks], 0.9)
    np.testing.assert_allclose(plain.osra_varying_share[blocks], 0.9)
    offset = energies_with(model, lambda y: checkered(y) + 2, lambda y: 3 * checkered(y))
    np.testing.assert_allclose(offset.osra_share[blocks], 9 / 14)
    np.testing.assert_allclose(offset.osra_varying_share[blocks], 0.9)


def test_zero_output_has_no_share(model):
    silent = energies_with(model, torch.zeros_like, torch.zeros_like)
    assert np.isnan(silent.osra_share).all()
    constant = energies_with(model, torch.ones_like, torch.zeros_like)
    assert constant.osra_share.tolist() == [0] * 8
    assert np.isnan(constant.osra_varying_share).all()


def test_unrecorded_half_is_refused(model):
    for keep in (("idconv",), ("osra",), ()):
        with pytest.raises(OutOfRange, match="both halves"):
            pathway_energies(observe(model, model_input(32, 32), keep))
    assert leftover_state(model) == []


def test_model_without_osra_is_refused():
    observation = observe(recipe_model(replace(SPEC, osra=False)), model_input(32, 32), KEEP)
    for explain in (attention_depth, pathway_energies):
        with pytest.raises(PartMissing, match="no OSRA"):
            explain(observation)


# --- Trained and random weights ---------------------------------------------------------------------------------


def test_trained_pico_differs_from_random_weights():
    """Attention is nearly uniform with random weights, and not in the bundled pico."""
    trained, random_init = (
        observe(transxnet.load(name).model, model_input(128, 128), KEEP) for name in ("pico", "pico@untrained")
    )
    entropies = [
        np.concatenate([block.entropy for block in attention_depth(observation).blocks])
        for observation in (trained, random_init)
    ]
    assert entropies[0].min() < 0.7
    assert entropies[1].min() > 0.99
    spreads = [
        max(np.abs(block.distance - block.uniform_distance).max() for block in attention_depth(observation).blocks)
        for observation in (trained, random_init)
    ]
    assert spreads[0] > 5 * spreads[1]
    assert (
        np.abs(pathway_energies(trained).osra_varying_share - pathway_energies(random_init).osra_varying_share).max()
        > 0.3
    )
