"""Classes from WNIDs, ImageNet-V2's folders and lists of labels; ambiguous ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from transxnet.errors import UnknownName
from transxnet.labels import label_set
from transxnet.training.labeling import labeling_from_names, read_labeling
from transxnet.training.samples import list_images

IMAGENET = label_set("imagenet-1k")
WNIDS = IMAGENET.wnids
TENCH, GOLDFISH, SEA_SNAKE = "n01440764", "n01443537", "n01751748"  # ImageNet-1K's classes 0, 1 and 65


def wnids_of(names: list[str], labels: str | None = None) -> list[str | None]:
    labeling = read_labeling(labels, IMAGENET) if labels else labeling_from_names(names, "somewhere", IMAGENET)
    return [labeling.label(name) for name in names]


@pytest.mark.parametrize(
    ("name", "wnid"),
    [
        (f"val/{TENCH}/ILSVRC2012_val_00000293.JPEG", TENCH),
        (f"{TENCH}/images/{TENCH}_12.JPEG", TENCH),
        (f"{GOLDFISH}_a_fish.jpg", GOLDFISH),
        (f"ILSVRC2012_val_00000293_{TENCH}.JPEG", TENCH),  # as in the Hub's copy of ImageNet
        (f"{TENCH}/7/x.jpg", TENCH),  # a number inside a WNID folder means nothing
        (f"{GOLDFISH}/{TENCH}_x.jpg", TENCH),
        (f"{GOLDFISH}/x_{TENCH}.jpg", TENCH),
    ],
)
def test_wnids_in_names(name, wnid):
    assert wnids_of([name, "x.jpg"]) == [wnid, None]


# --- ImageNet-V2 ------------------------------------------------------------------------------------------------------


def numbered(numbers: list[int]) -> list[str]:
    return [f"imagenetv2-matched-frequency-format-val/{number}/ab12.jpeg" for number in numbers]


def test_thousand_numbered_folders_are_imagenets_classes():
    wnids = wnids_of(numbered(list(range(1000))))
    assert wnids == list(WNIDS) == sorted(WNIDS)
    assert (wnids[0], wnids[1], wnids[65]) == (TENCH, GOLDFISH, SEA_SNAKE)
    labeling = labeling_from_names(numbered(list(range(1000))), "v2", IMAGENET)
    assert labeling.description == "folder numbers: ImageNet-1K's classes by WNID, from 0"


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (range(999), "of v2 are 999 numbers from 0 to 998; only the complete set of 0 to 999"),
        (range(1, 1001), "are 1000 numbers from 1 to 1000"),
        (range(1001), "are 1001 numbers from 0 to 1000"),
        ([3], "are 1 numbers from 3 to 3"),
    ],
)
def test_other_numbers_are_not_guessed(numbers, message):
    with pytest.raises(UnknownName, match=message) as caught:
        labeling_from_names(numbered(list(numbers)), "v2", IMAGENET)
    assert "add --labels indices" in caught.value.remedy


def test_incomplete_numbers_need_the_option():
    assert wnids_of([*numbered([65, 1000]), "x.jpg"], "indices") == [SEA_SNAKE, None, None]


def test_numbered_folders_on_disk(tmp_path):
    for number in range(1000):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "x.jpeg").write_bytes(b"")
    samples = list_images([tmp_path], IMAGENET).samples
    assert {sample.name: sample.label for sample in samples}["65/x.jpeg"] == SEA_SNAKE
    assert len(samples) == 1000
    (tmp_path / "65" / "x.jpeg").unlink()
    with pytest.raises(UnknownName, match="are 999 numbers from 0 to 999"):
        list_images([tmp_path], IMAGENET)


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
def test_formats_of_lists(write, text):
    assert wnids_of(FLAT, write(text)) == [SEA_SNAKE, TENCH, None]


def test_names_may_hold_spaces_and_folders(write):
    path = write(f"a/my fish, red.jpg,{GOLDFISH}\nb/my fish, red.jpg,{TENCH}\nc/one.jpg,{SEA_SNAKE}\n")
    names = ["a/my fish, red.jpg", "b/my fish, red.jpg", "elsewhere/one.jpg", "my fish, red.jpg"]
    assert wnids_of(names, path) == [GOLDFISH, TENCH, SEA_SNAKE, None]  # the last is ambiguous


def test_wnids_in_the_order_of_validation_images(write):
    lines = [SEA_SNAKE, TENCH, *[GOLDFISH] * 49_997, TENCH]
    names = [*FLAT, "ILSVRC2012_val_00050000.JPEG", "ILSVRC2012_val_00050001.JPEG", "ILSVRC2012_val_00000000.JPEG"]
    path = write("\n".join(lines), "imagenet_2012_validation_synset_labels.txt")
    assert wnids_of([*names, "x.jpg"], path) == [SEA_SNAKE, TENCH, GOLDFISH, TENCH, None, None, None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "490\n361\n171\n",
            "numbers without names, and the challenge's class numbers are not those of the models",
        ),
        (
            f"{TENCH}\n{GOLDFISH}\n",
            "2 WNIDs without names; without names there must be one for each of the 50000",
        ),
        ("a.jpg 1\nb.jpg 1000\n", "range from 1 to 1000: they may be counted from 1"),
        ("a.jpg 0\nb.jpg 1000\n", "range from 0 to 1000"),
        ("a.jpg 1\nb.jpg 999\n", "range from 1 to 999: they may be counted from 1"),
        (f"a.jpg {TENCH}\nb.jpg {GOLDFISH}\na.JPEG {GOLDFISH}\n", "gives a.JPEG two different labels"),
        (f"a.jpg {TENCH}\nwhat is this\n", "is not a list of labels: “what is this” has no name and label"),
        (f"{TENCH} tench, Tinca tinca\n", "is not a list of labels: no line has a name and a label"),
        (f"{TENCH} 1 tench\n{GOLDFISH} 2 goldfish\n", "is not a list of labels: no line has a name and a label"),
        ("", "is not a list of labels: no line has a name and a label"),
    ],
)
def test_ambiguous_lists_are_refused(write, text, message):
    with pytest.raises(UnknownName, match=message) as caught:
        read_labeling(write(text), IMAGENET)
    assert str(caught.value).count("labels.txt") == 1


def test_unreadable_list_is_named(tmp_path):
    (tmp_path / "labels.bin").write_bytes(b"\xff\xfe\x00")
    for name in ("labels.bin", "absent.csv"):
        with pytest.raises(UnknownName, match=f"The labels '{name}' cannot be read") as caught:
            read_labeling(str(tmp_path / name), IMAGENET)
        assert str(tmp_path) not in str(caught.value)
