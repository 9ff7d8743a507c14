"""The cache of studies: how many, how much memory, and which are dropped first."""

from __future__ import annotations

import numpy as np
import pytest

from demo import service
from demo.service import array_bytes, study_cache
from tests.fixtures.small_model import image, small_model
from transxnet.study import StudyOptions, study


def test_least_recently_used_studies_are_dropped():
    cache = study_cache(3)
    for name in "abc":
        cache[name] = name.upper()
    assert cache.get("a") == "A"  # b is the oldest now
    cache["d"] = "D"
    assert set(cache) == {"a", "c", "d"}
    cache["c"] = "again"
    assert (cache["a"], cache["c"], cache.get("b")) == ("A", "again", None)


def test_arrays_are_bounded_by_their_bytes(monkeypatch):
    monkeypatch.setattr(service, "STUDY_BYTES", 100)
    cache = study_cache(100)
    for name in "abc":
        cache[name] = np.zeros(40, np.uint8)
    assert set(cache) == {"b", "c"}
    cache["b"] = np.zeros(60, np.uint8)  # 100 with c
    assert set(cache) == {"b", "c"}
    cache["d"] = np.zeros(1, np.uint8)
    assert set(cache) == {"b", "d"}
    with pytest.raises(ValueError, match="too large"):
        cache["e"] = np.zeros(500, np.uint8)
    assert set(cache) == {"b", "d"}


def test_shared_arrays_count_once():
    array = np.zeros((2, 3), np.float32)
    assert array_bytes(array) == 24
    assert array_bytes((array, [array, {"again": array}])) == 24
    assert array_bytes((array, array[:1], array.T)) == 24  # parts of it
    assert array_bytes(array[:1]) == 24  # all of it stays in memory for its first row
    assert array_bytes((array, array.copy(), "text", None, 3)) == 48


def test_arrays_of_a_study_count():
    full = study(small_model(), image(), StudyOptions(stage=2, analyses=("stage_tables",)))
    empty = study(small_model(), image(), StudyOptions(stage=2, analyses=()))
    tables = [array for t in full.stage_tables for array in (t.weights, t.scales, t.entropy, t.distance)]
    assert array_bytes(full) - array_bytes(empty) == sum(array.nbytes for array in tables) > 1000
