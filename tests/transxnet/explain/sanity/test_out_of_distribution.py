"""Out-of-distribution scores: the formula on synthetic features, and the bundled pico."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.examples import examples
from transxnet import load
from transxnet.errors import PartMissing
from transxnet.explain.observe import observe
from transxnet.explain.sanity.out_of_distribution import (
    SUFFIX,
    FeatureStatistics,
    features,
    fit_statistics,
    load_statistics,
    out_of_distribution,
)
from transxnet.images import decode, prepare_for
from transxnet.study import StudyOptions, study
from transxnet.weights.load import LoadedModel
from transxnet.weights.sources import BUNDLED


def test_distances_are_standard_deviations_along_axes():
    rng = np.random.default_rng(0)
    training = rng.normal(size=(4000, 3)) * [2.0, 0.5, 1.0] + [10, 0, -3]
    statistics = fit_statistics(training, training[:50], np.linspace(0, 1, 50), "w", axes=2)
    middle = training.mean(axis=0)
    spread = training.std(axis=0)
    assert statistics.distance(middle) == pytest.approx(0, abs=1e-3)
    for axis in range(3):  # the columns are independent: three deviations along any one are three away
        assert statistics.distance(middle + 3 * spread * np.eye(3)[axis]) == pytest.approx(3, rel=0.05)
    assert np.mean(statistics.distance(training) ** 2) == pytest.approx(3, rel=0.01)  # as many as features


def test_distance_respects_correlated_features():
    rng = np.random.default_rng(1)
    shared = rng.normal(size=(2000, 1))
    training = shared + 0.1 * rng.normal(size=(2000, 2))  # the two are correlated
    statistics = fit_statistics(training, training, np.zeros(2000), "w", axes=1)
    assert statistics.distance(np.array([2.0, 2.0])) < 3
    assert statistics.distance(np.array([1.0, -1.0])) > 9


@pytest.fixture(scope="module")
def pico() -> LoadedModel:
    return load("pico")


def score_image(loaded: LoadedModel, data, sha256: str | None = None):
    observation = observe(loaded.model, prepare_for(decode(data), loaded.spec), ("stage",))
    confidence = float(observation.logits.softmax(dim=1).max())
    return out_of_distribution(observation, confidence, sha256 or loaded.provenance.sha256)


def as_png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_noise_is_out_of_distribution_and_photos_are_not(pico):
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    assert score_image(pico, as_png(noise)).is_out_of_distribution
    assert score_image(pico, as_png(np.full((256, 256, 3), 128, np.uint8))).is_out_of_distribution
    cheetah, lion = (score_image(pico, example.path) for example in examples()[:2])
    assert not cheetah.is_out_of_distribution
    assert not lion.is_out_of_distribution
    assert cheetah.held_out_count == 3000


def test_scores_are_shares_of_held_out_images(pico):
    statistics = load_statistics("transxnet_pico", pico.provenance.sha256)
    score = score_image(pico, examples()[0].path)
    assert score.nearer_share == (statistics.distances < score.ood_score).mean()
    assert score.less_confident_share == (statistics.best < score.confidence).mean()
    observation = observe(pico.model, prepare_for(decode(examples()[0].path), pico.spec), ("stage",))
    row = features(observation)
    assert row.shape == (1, sum(pico.spec.dims))
    assert row[0, -1] == pytest.approx(float(observation.trace.find_one("stage", 4).tensor[0, -1].mean()), rel=1e-5)
    assert float(statistics.distance(row)[0]) == pytest.approx(score.ood_score)


def test_low_confidence_has_a_threshold(pico):
    score = score_image(pico, examples()[0].path)
    assert replace(score, less_confident_share=0.04).is_low_confidence
    assert not replace(score, less_confident_share=0.06).is_low_confidence


def test_other_weights_have_no_statistics(pico):
    with pytest.raises(PartMissing, match="not recorded"):
        score_image(pico, examples()[0].path, sha256="0" * 64)
    assert load_statistics("transxnet_t", pico.provenance.sha256) is None
    assert (BUNDLED / f"transxnet_pico{SUFFIX}").stat().st_size < 200_000


# ---- damaged files --------------------------------------------------------------------------------------------


def write_statistics(path: Path, **changes: object) -> None:
    """Write small statistics with these arrays changed; None leaves one out."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(40, 5))
    arrays = dict(fit_statistics(rows, rows, np.linspace(0, 1, 40), "of these", axes=2).arrays) | changes
    np.savez_compressed(path, **{name: array for name, array in arrays.items() if array is not None})


def damage(path: Path, change: Callable[[bytes], bytes]) -> None:
    write_statistics(path)
    path.write_bytes(change(path.read_bytes()))


DAMAGE: dict[str, Callable[[Path], None]] = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("no archive", encoding="utf-8"),
    "cut short": lambda path: damage(path, lambda data: data[: len(data) // 2]),
    "changed in the middle": lambda path: damage(path, lambda data: data[:200] + bytes(400) + data[600:]),
    "without an array": lambda path: write_statistics(path, axes=None),
    "objects": lambda path: np.savez(path, mean=np.array([object()], dtype=object)),
    "words": lambda path: write_statistics(path, mean=np.array(["a"] * 5)),
    "other shapes": lambda path: write_statistics(path, axes=np.zeros((2, 9), np.float16)),
    "no rows": lambda path: write_statistics(path, axes=np.zeros(5, np.float16)),
    "not finite": lambda path: write_statistics(path, spread=np.full(5, np.nan)),
    "no spread": lambda path: write_statistics(path, spread=np.zeros(5)),
    "nothing held out": lambda path: write_statistics(path, distances=np.zeros(0), confidence=np.zeros(0)),
    "a folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_files_are_ignored(kind, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("transxnet.explain.sanity.out_of_distribution.BUNDLED", tmp_path)
    DAMAGE[kind](tmp_path / f"transxnet_pico{SUFFIX}")
    assert load_statistics("transxnet_pico", "of these") is None
    assert str(tmp_path) not in caplog.text
    write_statistics(tmp_path / f"transxnet_nano{SUFFIX}")
    assert isinstance(load_statistics("transxnet_nano", "of these"), FeatureStatistics)  # the same arrays, intact


def test_a_study_continues_without_statistics(pico, tmp_path, monkeypatch):
    damaged = tmp_path / f"transxnet_pico{SUFFIX}"
    damaged.write_bytes(b"PK\x03\x04 and no more")
    monkeypatch.setattr("transxnet.explain.sanity.out_of_distribution.BUNDLED", tmp_path)
    image = decode(examples()[0].path)
    score = study(pico, image, StudyOptions(analyses=("attention", "out_of_distribution")))
    assert (score.attention.heads == study(pico, image, StudyOptions(analyses=("attention",))).attention.heads).all()
    assert score.missing["out_of_distribution"] == "It is not recorded which images transxnet_pico learned from."


def test_statistics_of_another_model_are_refused(pico, tmp_path, monkeypatch):
    write_statistics(tmp_path / f"transxnet_pico{SUFFIX}", sha256=np.array(pico.provenance.sha256))
    monkeypatch.setattr("transxnet.explain.sanity.out_of_distribution.BUNDLED", tmp_path)
    with pytest.raises(PartMissing, match="is of another model"):
        score_image(pico, examples()[0].path)


def test_random_weights_learned_from_no_images():
    """No record is missing: there is nothing to record."""
    untrained = load("pico@untrained")
    image = decode(examples()[0].path)
    missing = study(untrained, image, StudyOptions(analyses=("out_of_distribution",))).missing
    assert missing["out_of_distribution"] == "pico@untrained has random weights: it learned from no images."
