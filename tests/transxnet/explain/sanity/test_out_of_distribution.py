"""How far an image is from those a model learned from: the formula on numbers made by hand, and the bundled pico's."""

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
from transxnet.explain.sanity.out_of_distribution import SUFFIX, Known, features, known_of, learn, out_of_distribution
from transxnet.images import decode, prepare_for
from transxnet.study import StudyOptions, study
from transxnet.weights.load import LoadedModel
from transxnet.weights.sources import BUNDLED


def test_distances_are_standard_deviations_along_the_images_own_axes():
    rng = np.random.default_rng(0)
    training = rng.normal(size=(4000, 3)) * [2.0, 0.5, 1.0] + [10, 0, -3]
    known = learn(training, training[:50], np.linspace(0, 1, 50), "w", axes=2)
    middle = training.mean(axis=0)
    spread = training.std(axis=0)
    assert known.distance(middle) == pytest.approx(0, abs=1e-3)
    for axis in range(3):  # the columns are independent: three deviations along any one are three away
        assert known.distance(middle + 3 * spread * np.eye(3)[axis]) == pytest.approx(3, rel=0.05)
    assert np.mean(known.distance(training) ** 2) == pytest.approx(3, rel=0.01)  # as many as features


def test_what_goes_together_is_near_and_what_does_not_is_far():
    rng = np.random.default_rng(1)
    shared = rng.normal(size=(2000, 1))
    training = shared + 0.1 * rng.normal(size=(2000, 2))  # the two go together
    known = learn(training, training, np.zeros(2000), "w", axes=1)
    assert known.distance(np.array([2.0, 2.0])) < 3
    assert known.distance(np.array([1.0, -1.0])) > 9


@pytest.fixture(scope="module")
def pico() -> LoadedModel:
    return load("pico")


def look(loaded: LoadedModel, data, sha256: str | None = None):
    seen = observe(loaded.model, prepare_for(decode(data), loaded.spec), ("stage",))
    best = float(seen.logits.softmax(dim=1).max())
    return out_of_distribution(seen, best, sha256 or loaded.provenance.sha256)


def as_png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_noise_and_a_plain_wall_are_unlike_what_pico_knows_and_a_photo_of_an_animal_is_not(pico):
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    assert look(pico, as_png(noise)).unlike
    assert look(pico, as_png(np.full((256, 256, 3), 128, np.uint8))).unlike
    cheetah, lion = (look(pico, one.path) for one in examples()[:2])
    assert not cheetah.unlike
    assert not lion.unlike
    assert cheetah.images == 3000


def test_its_numbers_are_shares_of_the_held_out_images(pico):
    known = known_of("transxnet_pico", pico.provenance.sha256)
    found = look(pico, examples()[0].path)
    assert found.nearer == (known.distances < found.distance).mean()
    assert found.less_sure == (known.best < found.best).mean()
    seen = observe(pico.model, prepare_for(decode(examples()[0].path), pico.spec), ("stage",))
    row = features(seen)
    assert row.shape == (1, sum(pico.spec.dims))
    assert row[0, -1] == pytest.approx(float(seen.trace.one("stage", 4).tensor[0, -1].mean()), rel=1e-5)
    assert float(known.distance(row)[0]) == pytest.approx(found.distance)


def test_an_unsure_answer_is_told(pico):
    found = look(pico, examples()[0].path)
    assert replace(found, less_sure=0.04).unsure
    assert not replace(found, less_sure=0.06).unsure


def test_other_weights_are_not_judged_by_what_these_saw(pico):
    with pytest.raises(PartMissing, match="not recorded"):
        look(pico, examples()[0].path, sha256="0" * 64)
    assert known_of("transxnet_t", pico.provenance.sha256) is None
    assert (BUNDLED / f"transxnet_pico{SUFFIX}").stat().st_size < 200_000


# ---- damaged records ------------------------------------------------------------------------------------------


def record(path: Path, **changes: object) -> None:
    """A small record with these arrays changed; None leaves one out."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(40, 5))
    arrays = dict(learn(rows, rows, np.linspace(0, 1, 40), "of these", axes=2).arrays) | changes
    np.savez_compressed(path, **{name: array for name, array in arrays.items() if array is not None})


def damage(path: Path, change: Callable[[bytes], bytes]) -> None:
    record(path)
    path.write_bytes(change(path.read_bytes()))


DAMAGE: dict[str, Callable[[Path], None]] = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("no archive", encoding="utf-8"),
    "cut short": lambda path: damage(path, lambda data: data[: len(data) // 2]),
    "changed in the middle": lambda path: damage(path, lambda data: data[:200] + bytes(400) + data[600:]),
    "without an array": lambda path: record(path, axes=None),
    "objects": lambda path: np.savez(path, mean=np.array([object()], dtype=object)),
    "words": lambda path: record(path, mean=np.array(["a"] * 5)),
    "other shapes": lambda path: record(path, axes=np.zeros((2, 9), np.float16)),
    "no rows": lambda path: record(path, axes=np.zeros(5, np.float16)),
    "not finite": lambda path: record(path, spread=np.full(5, np.nan)),
    "no spread": lambda path: record(path, spread=np.zeros(5)),
    "nothing held out": lambda path: record(path, distances=np.zeros(0), best=np.zeros(0)),
    "a folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_record_is_no_record(kind, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("transxnet.explain.sanity.out_of_distribution.BUNDLED", tmp_path)
    DAMAGE[kind](tmp_path / f"transxnet_pico{SUFFIX}")
    assert known_of("transxnet_pico", "of these") is None
    assert str(tmp_path) not in caplog.text
    record(tmp_path / f"transxnet_nano{SUFFIX}")
    assert isinstance(known_of("transxnet_nano", "of these"), Known)  # the same arrays, whole


def test_a_study_goes_on_without_a_damaged_record(pico, tmp_path, monkeypatch):
    damaged = tmp_path / f"transxnet_pico{SUFFIX}"
    damaged.write_bytes(b"PK\x03\x04 and no more")
    monkeypatch.setattr("transxnet.explain.sanity.out_of_distribution.BUNDLED", tmp_path)
    image = decode(examples()[0].path)
    found = study(pico, image, StudyOptions(only=("attention", "out_of_distribution")))
    assert (found.attention.heads == study(pico, image, StudyOptions(only=("attention",))).attention.heads).all()
    assert found.missing["out_of_distribution"] == "It is not recorded which images transxnet_pico learned from."


def test_a_record_of_another_model_is_refused(pico, tmp_path, monkeypatch):
    record(tmp_path / f"transxnet_pico{SUFFIX}", sha256=np.array(pico.provenance.sha256))
    monkeypatch.setattr("transxnet.explain.sanity.out_of_distribution.BUNDLED", tmp_path)
    with pytest.raises(PartMissing, match="is of another model"):
        look(pico, examples()[0].path)
