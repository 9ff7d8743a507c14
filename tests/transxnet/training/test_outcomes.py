"""Stored outcomes: only complete lines are used, and only by the same evaluation."""

from __future__ import annotations

import pytest

from transxnet.errors import SourceFailed, WeightsError, WeightsMismatch
from transxnet.training.outcomes import OutcomeFolder
from transxnet.training.scores import Outcome

SETTINGS = {"model": "pico", "weights": "ab" * 32, "image_size": 128, "crop_pct": 0.9}
FIRST, SECOND = [Outcome(0, 3, "aa"), Outcome(2, 5, "bb")], [Outcome(7, 1, "cc")]
SIZES = [2, 1, 2]


@pytest.fixture
def folder(tmp_path) -> OutcomeFolder:
    return started(tmp_path / "out")


def started(path, rank: int = 0) -> OutcomeFolder:
    folder = OutcomeFolder(path, rank)
    folder.check(SETTINGS, resume=True)
    folder.start(SETTINGS)
    return folder


def test_outcomes_of_all_processes_are_read(folder):
    folder.append(0, FIRST)
    started(folder.folder, rank=1).append(1, SECOND)
    assert started(folder.folder, rank=5).finished_batches(SIZES) == {0: FIRST, 1: SECOND}


@pytest.mark.parametrize("cut", [1, 2, 20, 40])
def test_incomplete_line_is_skipped(folder, cut):
    folder.append(0, FIRST)
    folder.append(1, SECOND)
    folder.file.write_bytes(folder.file.read_bytes()[:-cut])
    again = started(folder.folder)
    assert again.finished_batches(SIZES) == ({0: FIRST} if cut > 1 else {0: FIRST, 1: SECOND})
    again.append(1, SECOND)
    again.append(2, FIRST)
    assert again.finished_batches(SIZES) == {0: FIRST, 1: SECOND, 2: FIRST}


def test_incomplete_batches_are_not_finished(folder):
    folder.append(0, FIRST)
    folder.append(1, FIRST)  # two outcomes for one image
    folder.append(2, [Outcome(0, 1, "dd"), Outcome(-1, -1, "", "cannot be read")])
    folder.append(3, SECOND)  # there is no such batch
    assert folder.finished_batches(SIZES) == {0: FIRST}


def test_existing_evaluation_needs_resume(folder):
    with pytest.raises(WeightsError, match=r"The folder out already holds an evaluation\. Add --resume") as caught:
        OutcomeFolder(folder.folder, 0).check(SETTINGS, resume=False)
    assert str(folder.folder) not in str(caught.value)
    OutcomeFolder(folder.folder, 0).check(SETTINGS, resume=True)
    OutcomeFolder(folder.folder.parent / "empty", 0).check(SETTINGS, resume=False)
    OutcomeFolder(folder.folder.parent / "empty", 0).check(SETTINGS, resume=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": "cd" * 32}, "another evaluation: weights abababababababab…, not cdcdcdcdcdcdcdcd…"),
        ({"image_size": 160, "crop_pct": 1.0}, r"image size 128, not 160; crop pct 0\.9, not 1\.0"),
        ({"classes": "all"}, "classes None, not all"),
    ],
)
def test_other_settings_are_refused(folder, change, message):
    with pytest.raises(WeightsMismatch, match=message):
        OutcomeFolder(folder.folder, 0).check(SETTINGS | change, resume=True)


@pytest.mark.parametrize("content", ["", "{", "[1]", "3"])
def test_damaged_settings_are_explained(folder, content):
    (folder.folder / "evaluation.json").write_text(content, encoding="utf-8")
    with pytest.raises(SourceFailed, match=r"The evaluation\.json of out is damaged"):
        OutcomeFolder(folder.folder, 0).check(SETTINGS, resume=True)
