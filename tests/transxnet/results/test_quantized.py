"""Quantized attention tables: within half a step of the raw weights."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fixtures.small_model import image, small_model
from transxnet import load
from transxnet.results import AttentionTable, Geometry
from transxnet.results.quantized import LEVELS, QuantizedTable, quantize
from transxnet.study import StudyOptions, study

GRID = Geometry((1, 2), 32, (64, 64), (0, 0, 64, 64), (64, 64))


def make_table(weights: np.ndarray) -> AttentionTable:
    weights = np.asarray(weights, np.float32)
    zeros = np.zeros(weights.shape[:2], np.float32)
    return AttentionTable("small", 2, 1, weights, zeros, zeros, GRID, GRID)


def dequantize(quantized: QuantizedTable) -> np.ndarray:
    """(heads, queries, keys) weights."""
    return quantized.weights * quantized.scales[..., None]


def test_quantized_row_by_hand():
    quantized = quantize(make_table([[[0.75, 0.25], [0, 0]]]))
    assert quantized.weights.tolist() == [[[255, 85], [0, 0]]]
    assert quantized.scales.tolist() == [[pytest.approx(0.75 / 255), 0]]
    assert dequantize(quantized)[0, 0] == pytest.approx([0.75, 0.25], rel=1e-6)
    assert quantized.weights.dtype == np.uint8


@pytest.mark.parametrize("stage", [1, 2, 3, 4])
def test_dequantized_weights_are_within_half_a_step(stage):
    result = study(
        load("pico"), image(3, 128, 128), StudyOptions(stage=stage, analyses=("attention_table", "block_table"))
    )
    raw, quantized = result.attention_table, result.block_table
    assert (quantized.stage, quantized.block, quantized.model) == (stage, raw.block, raw.model)
    assert (quantized.queries, quantized.keys) == (raw.queries, raw.keys)
    steps = raw.weights.max(axis=-1, keepdims=True) / LEVELS
    assert (np.abs(dequantize(quantized) - raw.weights) <= steps / 2 * (1 + 1e-4)).all()
    assert (quantized.weights.max(axis=-1) == LEVELS).all()  # all steps are used
    keys = raw.weights.shape[-1]
    assert np.array_equal(quantized.entropy, raw.entropy.astype(np.float32))
    assert np.array_equal(quantized.distance, raw.distance.astype(np.float32))
    assert np.abs(dequantize(quantized).sum(axis=-1) - 1).max() <= keys * steps.max() / 2


def test_study_holds_each_quantized_table_once():
    result = study(small_model(), image(), StudyOptions(stage=2, block=1, analyses=("block_table", "stage_tables")))
    assert [(table.stage, table.block) for table in result.stage_tables] == [(1, 1), (2, 2), (3, 2), (4, 1)]
    assert (result.block_table.stage, result.block_table.block) == (2, 1)
    last_block = study(small_model(), image(), StudyOptions(stage=2, block=2, analyses=("block_table", "stage_tables")))
    assert last_block.block_table is last_block.stage_tables[1]
    assert all(table.weights.base is None for table in last_block.stage_tables)  # no view of the float table


def test_study_without_osra_gives_the_reason():
    result = study(small_model(osra=False), image(), StudyOptions(analyses=("block_table", "stage_tables")))
    assert "no OSRA" in result.missing["block_table"]
    assert result.missing["stage_tables"] == result.missing["block_table"]
