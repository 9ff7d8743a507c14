"""Rates of the verdicts: what is counted, the command on two images, and the committed table."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import transxnet
from demo.examples import examples
from tests.fixtures.tiny_model import SPEC, model_input, recipe_model
from transxnet.__main__ import main
from transxnet.assets import find_asset
from transxnet.draw.sanity_checks import verdict_rates_text
from transxnet.explain.sanity import verdict_rates as rates
from transxnet.explain.sanity.faithfulness import COPIES, FaithfulnessTest
from transxnet.explain.sanity.verdict_rates import count_outcomes, make_candidate, random_field
from transxnet.images import decode, prepare_for
from transxnet.results.verdict_rates import (
    COLUMNS,
    FILE,
    GRAD_CAM,
    OTHER_IMAGE,
    RANDOM_FIELD,
    UNRELATED,
    VerdictRate,
    read_verdict_rates,
)
from transxnet.training.scores import wilson

KINDS = {GRAD_CAM, OTHER_IMAGE, RANDOM_FIELD, UNRELATED}


def test_random_fields_keep_the_spectrum():
    rng = np.random.default_rng(0)
    for shape in ((4, 4), (5, 7)):
        heatmap = rng.standard_normal(shape) - 1
        field = random_field(heatmap, rng)
        assert field.dtype == np.float32
        assert np.abs(np.fft.fft2(field)) == pytest.approx(np.abs(np.fft.fft2(heatmap)), abs=1e-4)
        assert field.mean() == pytest.approx(heatmap.mean(), abs=1e-6)
        assert not np.allclose(field, heatmap)
        assert not np.allclose(field, random_field(heatmap, rng))


def test_stopping_early_changes_no_outcome():
    model = recipe_model(replace(SPEC, depths=(1, 1, 1, 1)))
    test, rng, copies = FaithfulnessTest(model, model_input(32, 32), 3, steps=3), np.random.default_rng(0), []
    for heatmap in rng.standard_normal((5, 4, 4)):
        complete, stopped = test.run(heatmap), test.run(heatmap, stop_early=True)
        copies.append(len(stopped.chance))
        assert count_outcomes([complete], 1, 0) == count_outcomes([stopped], 1, 0)
        np.testing.assert_allclose(stopped.deletion, complete.deletion, atol=1e-6)
    assert len(complete.chance) == COPIES
    assert min(copies) < COPIES


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command on two photos, labeled with pico's own predictions; three steps and copies, for speed."""
    folder = tmp_path_factory.mktemp("rates")
    pico = transxnet.load("pico")
    for example in examples()[:2]:
        data = Path(example.path).read_bytes()
        best = make_candidate(pico, prepare_for(decode(data), pico.spec)).class_index
        (folder / "data" / pico.spec.labels.wnids[best]).mkdir(parents=True, exist_ok=True)
        (folder / "data" / pico.spec.labels.wnids[best] / Path(example.path).name).write_bytes(data)
    arguments = ["verdict-rates", "--data", str(folder / "data"), "--pairs", "4", "--out", str(folder / "rates.csv")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rates, "FaithfulnessTest", partial(FaithfulnessTest, steps=3, copies=3))
        assert main(arguments) == 0
    return folder / "rates.csv"


def check_form(path: Path) -> tuple[VerdictRate, ...]:
    """The rows, if they are complete and their rates and intervals are those of the counts."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.startswith("# ")]
    assert "`python -m transxnet verdict-rates --data " in comments[1]
    assert tuple(next(csv.reader(lines[len(comments) :]))) == COLUMNS
    rows = read_verdict_rates(path)
    assert len(rows) == len(lines) - len(comments) - 1 == 16
    keys = {(row.model, row.map, row.maps_tested) for row in rows}
    assert keys == {(model, kind, maps) for model in ("pico", "pico@untrained") for kind in KINDS for maps in (1, 6)}
    for row in rows:
        assert row.minimum_probability == (0.0 if row.model == "pico@untrained" else 0.1)
        assert row.passes + row.fails + row.no_verdict <= row.pairs
        assert row.rate == pytest.approx(row.passes / row.pairs, abs=1e-4)
        assert (row.low, row.high) == pytest.approx(wilson(row.passes, row.pairs), abs=1e-4)
        assert len(row.weights) == 8
    return rows


def test_the_command_counts_two_images(table: Path):
    rows = check_form(table)
    assert {row.pairs for row in rows if row.map == GRAD_CAM} == {2}
    for model in ("pico", "pico@untrained"):
        by_map = {row.map: row for row in rows if row.model == model and row.maps_tested == 1}
        assert by_map[UNRELATED].pairs == by_map[OTHER_IMAGE].pairs + by_map[RANDOM_FIELD].pairs


def test_the_tab_quotes_the_table(table: Path):
    trained, random = verdict_rates_text(read_verdict_rates(table))
    rows = {(row.model, row.map, row.maps_tested): row for row in read_verdict_rates(table)}
    for kind in (GRAD_CAM, UNRELATED):
        for maps in (1, 6):
            assert rows["pico", kind, maps].percent in trained
            assert rows["pico@untrained", kind, maps].percent in random
    assert f"weights {rows['pico', GRAD_CAM, 1].weights}" in trained
    assert list(verdict_rates_text(())) == []  # the file is missing


def test_the_committed_table_has_its_form_and_few_false_verdicts():
    rows = check_form(find_asset(FILE))
    pico = {(row.map, row.maps_tested): row for row in rows if row.model == "pico"}
    assert pico[UNRELATED, 1].pairs >= 200
    assert pico[UNRELATED, 1].rate <= 0.05
    assert pico[UNRELATED, 6].rate <= 0.05
    assert pico[GRAD_CAM, 1].pairs >= 100
    assert pico[GRAD_CAM, 1].rate > pico[UNRELATED, 1].high
