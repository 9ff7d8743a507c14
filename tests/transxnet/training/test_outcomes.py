"""What a killed evaluation leaves behind is used whole lines at a time, and by the same evaluation only."""

from __future__ import annotations

import pytest

from transxnet.errors import SourceFailed, WeightsError, WeightsMismatch
from transxnet.training.outcomes import OutcomeFolder
from transxnet.training.scores import Outcome

SETTINGS = {"model": "pico", "weights": "ab" * 32, "image size": 128, "crop_pct": 0.9}
FIRST, SECOND = [Outcome(0, 3, "aa"), Outcome(2, 5, "bb")], [Outcome(7, 1, "cc")]
SIZES = [2, 1, 2]


@pytest.fixture
def folder(tmp_path) -> OutcomeFolder:
    return begun(tmp_path / "out")


def begun(path, rank: int = 0) -> OutcomeFolder:
    folder = OutcomeFolder(path, rank)
    folder.check(SETTINGS, resume=True)
    folder.begin(SETTINGS)
    return folder


def test_what_is_added_is_found_again_whichever_process_did_it(folder):
    folder.add(0, FIRST)
    begun(folder.folder, rank=1).add(1, SECOND)
    assert begun(folder.folder, rank=5).done(SIZES) == {0: FIRST, 1: SECOND}


@pytest.mark.parametrize("cut", [1, 2, 20, 40])
def test_a_line_that_broke_off_was_never_written(folder, cut):
    folder.add(0, FIRST)
    folder.add(1, SECOND)
    folder.own.write_bytes(folder.own.read_bytes()[:-cut])
    again = begun(folder.folder)
    assert again.done(SIZES) == ({0: FIRST} if cut > 1 else {0: FIRST, 1: SECOND})
    again.add(1, SECOND)
    again.add(2, FIRST)
    assert again.done(SIZES) == {0: FIRST, 1: SECOND, 2: FIRST}


def test_batches_of_another_size_and_lost_images_are_done_again(folder):
    folder.add(0, FIRST)
    folder.add(1, FIRST)  # two outcomes, one image
    folder.add(2, [Outcome(0, 1, "dd"), Outcome(-1, -1, "", "cannot be read")])
    folder.add(3, SECOND)  # there is no such batch
    assert folder.done(SIZES) == {0: FIRST}


def test_an_evaluation_is_continued_only_when_asked(folder):
    with pytest.raises(WeightsError, match=r"The folder out holds an evaluation already\. Add --resume") as caught:
        OutcomeFolder(folder.folder, 0).check(SETTINGS, resume=False)
    assert str(folder.folder) not in str(caught.value)
    OutcomeFolder(folder.folder, 0).check(SETTINGS, resume=True)
    OutcomeFolder(folder.folder.parent / "empty", 0).check(SETTINGS, resume=False)
    OutcomeFolder(folder.folder.parent / "empty", 0).check(SETTINGS, resume=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": "cd" * 32}, "another evaluation: weights abababababababab…, not cdcdcdcdcdcdcdcd…"),
        ({"image size": 160, "crop_pct": 1.0}, r"image size 128, not 160; crop_pct 0\.9, not 1\.0"),
        ({"answers": "all classes"}, "answers None, not all classes"),
    ],
)
def test_another_evaluation_is_refused(folder, change, message):
    with pytest.raises(WeightsMismatch, match=message):
        OutcomeFolder(folder.folder, 0).check(SETTINGS | change, resume=True)


@pytest.mark.parametrize("content", ["", "{", "[1]", "3"])
def test_damaged_settings_are_named(folder, content):
    (folder.folder / "evaluation.json").write_text(content, encoding="utf-8")
    with pytest.raises(SourceFailed, match=r"The evaluation\.json of out is damaged"):
        OutcomeFolder(folder.folder, 0).check(SETTINGS, resume=True)
