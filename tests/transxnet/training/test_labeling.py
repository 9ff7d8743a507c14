"""What tells an image's class: WNIDs, ImageNet-V2's folders, lists of labels; what has two readings is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from transxnet.errors import UnknownName
from transxnet.labels import label_set
from transxnet.training.labeling import by_the_names_of, read_labeling
from transxnet.training.samples import list_images

WNIDS = label_set("imagenet-1k").wnids
TENCH, GOLDFISH, SEA_SNAKE = "n01440764", "n01443537", "n01751748"  # ImageNet-1K's classes 0, 1 and 65


def named(names: list[str], labels: str | None = None) -> list[str | None]:
    labeling = read_labeling(labels) if labels else by_the_names_of(names, "somewhere")
    return [labeling.wnid(name) for name in names]


@pytest.mark.parametrize(
    ("name", "wnid"),
    [
        (f"val/{TENCH}/ILSVRC2012_val_00000293.JPEG", TENCH),
        (f"{TENCH}/images/{TENCH}_12.JPEG", TENCH),
        (f"{GOLDFISH}_a_fish.jpg", GOLDFISH),
        (f"ILSVRC2012_val_00000293_{TENCH}.JPEG", TENCH),  # as the Hub's copy of ImageNet has them
        (f"{TENCH}/7/x.jpg", TENCH),  # a number inside a WNID folder means nothing
        (f"{GOLDFISH}/{TENCH}_x.jpg", TENCH),
        (f"{GOLDFISH}/x_{TENCH}.jpg", TENCH),
    ],
)
def test_wnids_in_names(name, wnid):
    assert named([name, "x.jpg"]) == [wnid, None]


# --- ImageNet-V2 ------------------------------------------------------------------------------------------------------


def numbered(numbers: list[int]) -> list[str]:
    return [f"imagenetv2-matched-frequency-format-val/{number}/ab12.jpeg" for number in numbers]


def test_a_thousand_numbered_folders_are_the_classes_in_the_order_of_their_wnids():
    found = named(numbered(list(range(1000))))
    assert found == list(WNIDS) == sorted(WNIDS)
    assert (found[0], found[1], found[65]) == (TENCH, GOLDFISH, SEA_SNAKE)
    labeling = by_the_names_of(numbered(list(range(1000))), "v2")
    assert labeling.words == "the folders' numbers: ImageNet-1K's classes by WNID, from 0"


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (range(999), "of v2 are 999 numbers from 0 to 998; only all of 0 to 999 together"),
        (range(1, 1001), "are 1000 numbers from 1 to 1000"),
        (range(1001), "are 1001 numbers from 0 to 1000"),
        ([3], "are 1 numbers from 3 to 3"),
    ],
)
def test_other_numbers_are_not_guessed(numbers, message):
    with pytest.raises(UnknownName, match=message) as caught:
        by_the_names_of(numbered(list(numbers)), "v2")
    assert "add --labels indices" in caught.value.remedy


def test_a_part_of_them_is_read_when_said():
    assert named([*numbered([65, 1000]), "x.jpg"], "indices") == [SEA_SNAKE, None, None]


def test_numbered_folders_are_found_on_the_disk(tmp_path):
    for number in range(1000):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "x.jpeg").write_bytes(b"")
    samples = list_images([tmp_path]).samples
    assert {sample.name: sample.wnid for sample in samples}["65/x.jpeg"] == SEA_SNAKE
    assert len(samples) == 1000
    (tmp_path / "65" / "x.jpeg").unlink()
    with pytest.raises(UnknownName, match="are 999 numbers from 0 to 999"):
        list_images([tmp_path])


# --- Lists of labels --------------------------------------------------------------------------------------------------


@pytest.fixture
def write(tmp_path: Path):
    def labels(text: str, name: str = "labels.txt") -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return labels


FLAT = [f"ILSVRC2012_val_0000000{k}.JPEG" for k in (1, 2, 3)]


@pytest.mark.parametrize(
    "text",
    [
        "ImageId,PredictionString\n"
        f"ILSVRC2012_val_00000002,{TENCH} 85 1 499 272 {TENCH} 1 2 3 4 \nILSVRC2012_val_00000001,{SEA_SNAKE} 1 2 3 4\n",
        f"ILSVRC2012_val_00000001.JPEG {SEA_SNAKE}\nILSVRC2012_val_00000002.JPEG {TENCH}",
        f'"val/ILSVRC2012_val_00000001.JPEG","{SEA_SNAKE}"\r\n"val/ILSVRC2012_val_00000002.JPEG","{TENCH}"\r\n',
        f"\ufeffname\twnid\n\nILSVRC2012_val_00000001.JPEG\t{SEA_SNAKE}\t0\t0\nILSVRC2012_val_00000002.jpeg\t{TENCH}",
        "ILSVRC2012_val_00000001.JPEG 65\nILSVRC2012_val_00000002.JPEG 0\n",
    ],
    ids=["LOC_val_solution.csv", "name wnid", "quoted, with folders", "heading, tabs, byte-order mark", "val.txt"],
)
def test_lists_that_people_have(write, text):
    assert named(FLAT, write(text)) == [SEA_SNAKE, TENCH, None]


def test_a_name_may_hold_spaces_and_folders(write):
    path = write(f"a/my fish, red.jpg,{GOLDFISH}\nb/my fish, red.jpg,{TENCH}\nc/one.jpg,{SEA_SNAKE}\n")
    names = ["a/my fish, red.jpg", "b/my fish, red.jpg", "elsewhere/one.jpg", "my fish, red.jpg"]
    assert named(names, path) == [GOLDFISH, TENCH, SEA_SNAKE, None]  # the last could be either


def test_a_wnid_a_line_is_in_the_order_of_the_validation_images(write):
    lines = [SEA_SNAKE, TENCH, *[GOLDFISH] * 49_997, TENCH]
    names = [*FLAT, "ILSVRC2012_val_00050000.JPEG", "ILSVRC2012_val_00050001.JPEG", "ILSVRC2012_val_00000000.JPEG"]
    path = write("\n".join(lines), "imagenet_2012_validation_synset_labels.txt")
    assert named([*names, "x.jpg"], path) == [SEA_SNAKE, TENCH, GOLDFISH, TENCH, None, None, None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("490\n361\n171\n", "holds numbers without names, and the challenge's own numbers are not the models' classes"),
        (f"{TENCH}\n{GOLDFISH}\n", "holds 2 WNIDs without names; without names it takes one for each of the 50000"),
        ("a.jpg 1\nb.jpg 1000\n", "go from 1 to 1000: they may be counted from 1"),
        ("a.jpg 0\nb.jpg 1000\n", "go from 0 to 1000"),
        ("a.jpg 1\nb.jpg 999\n", "go from 1 to 999: they may be counted from 1"),
        (f"a.jpg {TENCH}\nb.jpg {GOLDFISH}\na.JPEG {GOLDFISH}\n", "gives a.JPEG two different labels"),
        (f"a.jpg {TENCH}\nwhat is this\n", "is no list of labels: “what is this” has no name and label"),
        (f"{TENCH} tench, Tinca tinca\n", "is no list of labels: no line has a name and a WNID"),
        (f"{TENCH} 1 tench\n{GOLDFISH} 2 goldfish\n", "is no list of labels: no line has a name and a WNID"),
        ("", "is no list of labels: no line has a name and a WNID"),
    ],
)
def test_what_has_two_readings_or_none_is_refused(write, text, message):
    with pytest.raises(UnknownName, match=message) as caught:
        read_labeling(write(text))
    assert str(caught.value).count("labels.txt") == 1


def test_a_list_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "labels.bin").write_bytes(b"\xff\xfe\x00")
    for name in ("labels.bin", "absent.csv"):
        with pytest.raises(UnknownName, match=f"The labels '{name}' cannot be read") as caught:
            read_labeling(str(tmp_path / name))
        assert str(tmp_path) not in str(caught.value)
