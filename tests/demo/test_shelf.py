"""The bounded store: how many, how much memory, and what goes first."""

from __future__ import annotations

import numpy as np

from demo.shelf import Shelf, nbytes
from tests.fixtures.small_model import image, small_model
from transxnet.study import StudyOptions, study


def test_a_shelf_forgets_what_was_longest_unused():
    shelf: Shelf[str] = Shelf(3)
    for name in "abc":
        shelf.put(name, name.upper())
    assert shelf.get("a") == "A"  # used again, so b is the oldest now
    shelf.put("d", "D")
    assert list(shelf) == ["c", "a", "d"]
    shelf.put("c", "again")
    assert list(shelf.items()) == [("a", "A"), ("d", "D"), ("c", "again")]
    assert shelf.get("b") is None
    assert shelf.get("b", "none") == "none"


def test_a_shelf_holds_no_more_bytes_than_it_may():
    shelf: Shelf[np.ndarray] = Shelf(9, most=100)
    for name in "abc":
        shelf.put(name, np.zeros(40, np.uint8))
    assert list(shelf) == ["b", "c"]
    shelf.put("b", np.zeros(60, np.uint8))  # in the place of 40: 100 in all, which is not too much
    assert list(shelf) == ["c", "b"]
    shelf.put("d", np.zeros(1, np.uint8))
    assert list(shelf) == ["b", "d"]
    shelf.put("e", np.zeros(500, np.uint8))  # too much alone, but what was asked for last stays
    assert list(shelf) == ["e"]
    shelf.put("f", np.zeros(100, np.uint8))
    assert list(shelf) == ["f"]


def test_what_a_value_takes():
    one = np.zeros((2, 3), np.float32)
    assert nbytes(one) == 24
    assert nbytes((one, [one, {"again": one}])) == 24
    assert nbytes((one, one[:1], one.T)) == 24  # parts of it
    assert nbytes(one[:1]) == 24  # all of it stays in memory for its first row
    assert nbytes((one, one.copy(), "text", None, 3)) == 48


def test_a_study_counts_the_arrays_inside_its_parts():
    found = study(small_model(), image(), StudyOptions(stage=2, analyses=("stage_tables",)))
    bare = study(small_model(), image(), StudyOptions(stage=2, analyses=()))
    tables = [array for t in found.stage_tables for array in (t.weights, t.scales, t.entropy, t.distance)]
    assert nbytes(found) - nbytes(bare) == sum(array.nbytes for array in tables) > 1000
