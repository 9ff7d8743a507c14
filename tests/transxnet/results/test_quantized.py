"""Tables in bytes: within half a step of the raw weights, of a trained model and of rows made for it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small import image, small_model
from transxnet import load
from transxnet.results import AttentionTable, Geometry
from transxnet.results.quantized import LEVELS, quantized
from transxnet.study import StudyOptions, study

GRID = Geometry((1, 2), 32, (64, 64), (0, 0, 64, 64), (64, 64))


def table(weights: np.ndarray) -> AttentionTable:
    weights = np.asarray(weights, np.float32)
    nothing = np.zeros(weights.shape[:2], np.float32)
    return AttentionTable("small", 2, 1, weights, nothing, nothing, GRID, GRID)


def test_a_row_by_hand():
    found = quantized(table([[[0.75, 0.25], [0, 0]]]))
    assert found.weights.tolist() == [[[255, 85], [0, 0]]]
    assert found.scales.tolist() == [[pytest.approx(0.75 / 255), 0]]
    assert found.values()[0, 0] == pytest.approx([0.75, 0.25], rel=1e-6)
    assert found.weights.dtype == np.uint8


@pytest.mark.parametrize("stage", [1, 2, 3, 4])
def test_what_comes_back_is_within_half_a_step(stage):
    s = study(load("pico"), image(3, 128, 128), StudyOptions(stage=stage, only=("attention_table", "block_table")))
    raw, found = s.attention_table, s.block_table
    assert (found.stage, found.block, found.model) == (stage, raw.block, raw.model)
    assert (found.queries, found.keys) == (raw.queries, raw.keys)
    steps = raw.weights.max(axis=-1, keepdims=True) / LEVELS
    assert (np.abs(found.values() - raw.weights) <= steps / 2 * (1 + 1e-4)).all()
    assert (found.weights.max(axis=-1) == LEVELS).all()  # all steps are used
    keys = raw.weights.shape[-1]
    assert np.array_equal(found.entropy, raw.entropy.astype(np.float32))
    assert np.array_equal(found.distance, raw.distance.astype(np.float32))
    assert np.abs(found.values().sum(axis=-1) - 1).max() <= keys * steps.max() / 2


def test_a_study_holds_the_last_block_of_every_stage_and_the_one_looked_at_once():
    looked = study(small_model(), image(), StudyOptions(stage=2, block=1, only=("block_table", "stage_tables")))
    assert [(t.stage, t.block) for t in looked.stage_tables] == [(1, 1), (2, 2), (3, 2), (4, 1)]
    assert (looked.block_table.stage, looked.block_table.block) == (2, 1)
    last = study(small_model(), image(), StudyOptions(stage=2, block=2, only=("block_table", "stage_tables")))
    assert last.block_table is last.stage_tables[1]
    assert all(t.weights.base is None for t in last.stage_tables)  # a view would keep the float table


def test_without_osra_the_study_says_why():
    looked = study(small_model(osra=False), image(), StudyOptions(only=("block_table", "stage_tables")))
    assert "no OSRA" in looked.missing["block_table"]
    assert looked.missing["stage_tables"] == looked.missing["block_table"]
