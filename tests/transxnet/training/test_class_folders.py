"""Class folders by any name: matched to the model's classes, or the classes of a model to be trained."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from transxnet.errors import UnknownName
from transxnet.labels import label_set, own_labels
from transxnet.training.class_matching import class_matcher
from transxnet.training.labeling import labeling_from_names, read_labeling
from transxnet.training.samples import list_images

IMAGENET, TINY = label_set("imagenet-1k"), label_set("tiny-imagenet-200")
BIRDS = own_labels("birds", ("song thrush", "직박구리", "wren"))
FISH, TENCH = "n01443537", "n01440764"


def labels_of(names: list[str], classes=BIRDS) -> list[str | None]:
    labeling = labeling_from_names(names, "data", classes)
    return [labeling.label(name) for name in names]


def write_image(path: Path, color: tuple[int, int, int] = (9, 9, 9)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), color).save(path)


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("song thrush", "song thrush"),
        ("Song_Thrush", "song thrush"),
        ("직박구리", "직박구리"),
        (unicodedata.normalize("NFD", "직박구리"), "직박구리"),  # as macOS writes it
        ("robin", None),
        ("1", None),
    ],
)
def test_spellings_of_a_class(text, identifier):
    assert class_matcher(BIRDS)(text) == identifier


def test_synonyms_and_wnids_of_imagenet():
    match = class_matcher(IMAGENET)
    assert [match(text) for text in ("goldfish", "Carassius_auratus", FISH)] == [FISH] * 3
    with pytest.raises(
        UnknownName, match=r"2 classes of imagenet-1k are called 'crane'\. Choose one of them: n02012849"
    ):
        match("crane")


def test_class_folders_are_matched_to_the_models_classes():
    assert labels_of(["wren/1.jpg", "train/Song_thrush/2.jpg", "robin/3.jpg", "x.jpg"]) == [
        "wren", "song thrush", "robin", None,
    ]  # fmt: skip
    assert labeling_from_names(["wren/1.jpg"], "data", BIRDS).description == "class folders"


def test_outermost_class_counts_and_single_folders_work():
    assert labels_of(["val/wren/song thrush/1.jpg", "val/wren/2.jpg"]) == ["wren", "wren"]
    assert labels_of(["goldfish/1.jpg"], IMAGENET) == [FISH]


def test_own_class_folders_take_precedence_over_wnids_in_file_names():
    names = [f"wren/{FISH}_1.JPEG", f"song thrush/{TENCH}_2.JPEG"]
    assert labels_of(names) == ["wren", "song thrush"]
    assert labels_of(names, IMAGENET) == [FISH, TENCH]


def test_ambiguous_folder_is_refused_with_the_candidates():
    with pytest.raises(UnknownName, match="called 'crane'"):
        labels_of(["crane/1.jpg"], IMAGENET)


def test_folders_of_other_classes_are_listed(tmp_path):
    for name in ("cat", "dog"):
        write_image(tmp_path / "val" / name / "1.png")
    listing = list_images([tmp_path / "val"], TINY)
    with pytest.raises(UnknownName, match=r"None of the 2 images .* 200 classes\. The images are labeled cat, dog\."):
        listing.of_classes(TINY.wnids)


# --- Numbered folders -------------------------------------------------------------------------------------------------


def test_numbered_folders_are_the_classes_of_an_own_model_if_complete():
    assert labels_of(["0/a.jpg", "1/b.jpg", "2/c.jpg"]) == list(BIRDS.wnids)
    with pytest.raises(UnknownName, match=r"2 numbers from 0 to 1; only the complete set of 0 to 2") as caught:
        labels_of(["0/a.jpg", "1/b.jpg"])
    assert "If they are the model's classes, from 0, add --labels indices." in caught.value.remedy
    labeling = read_labeling("indices", BIRDS)
    assert [labeling.label(name) for name in ("1/b.jpg", "3/c.jpg", "x.jpg")] == ["직박구리", None, None]


def test_numbers_that_are_names_of_classes_are_names():
    digits = own_labels("digits", ("2", "1", "0"))
    assert labels_of(["0/a.jpg", "2/b.jpg"], digits) == ["0", "2"]


def test_order_of_more_than_ten_numbers_is_ambiguous_without_class_names():
    """Sorted as text, as torchvision does, 10 comes before 2; sorted as numbers, as timm does, after it."""
    names = [f"{number}/x.jpg" for number in range(12)]
    with pytest.raises(UnknownName, match="sorted as text or as numbers they give different classes"):
        labels_of(names, label_set("numbered-12"))
    padded = [f"{number:02}/x.jpg" for number in range(12)]
    assert labels_of(padded, label_set("numbered-12"))[10] == "class 10"


# --- The classes of the data ------------------------------------------------------------------------------------------


def test_folders_define_the_classes_whatever_the_files_are_called(tmp_path):
    for name in (f"bird/{FISH}_1.png", "bird/deeper/2.png", f"fish/{TENCH}_3.png", "4.png"):
        write_image(tmp_path / "train" / name)
    listing = list_images([tmp_path / "train"])
    assert {sample.name: sample.label for sample in listing.samples} == {
        f"bird/{FISH}_1.png": "bird", "bird/deeper/2.png": "bird", f"fish/{TENCH}_3.png": "fish",
    }  # fmt: skip
    assert (listing.classes, listing.unlabeled) == (("bird", "fish"), 1)


@pytest.mark.parametrize("prefix", ["", "my data/", "my data/train/"])
def test_folders_that_hold_all_images_are_no_classes(tmp_path, prefix):
    for name in ("bird/1.png", "fish/2.png"):
        write_image(tmp_path / "root" / f"{prefix}{name}")
    assert list_images([tmp_path / "root"]).classes == ("bird", "fish")


def test_files_with_wnids_in_one_folder_define_classes(tmp_path):
    for name in (f"{FISH}_1.png", f"{TENCH}_2.png"):
        write_image(tmp_path / name)
    assert list_images([tmp_path]).classes == (TENCH, FISH)


# --- Files of labels --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "a/1.jpg wren\nb/2.png Song thrush\n",
        '"a/1.jpg","wren"\n"b/2.png","Song thrush"\n',
        "a/1.jpg\twren\nb/2.png\tsong_thrush",
    ],
)
def test_file_of_class_names(tmp_path, text):
    (tmp_path / "labels.txt").write_text(text, encoding="utf-8")
    labeling = read_labeling(str(tmp_path / "labels.txt"), BIRDS)
    assert [labeling.label(name) for name in ("a/1.jpg", "b/2.png", "c/3.png")] == ["wren", "song thrush", None]
    assert labeling.description == "labels.txt: class names by name"


def test_numbers_in_a_file_are_the_own_models_classes(tmp_path):
    (tmp_path / "labels.txt").write_text("1.jpg 0\n2.jpg 2\n", encoding="utf-8")
    labeling = read_labeling(str(tmp_path / "labels.txt"), BIRDS)
    assert [labeling.label(name) for name in ("1.jpg", "2.jpg")] == ["song thrush", "wren"]
    assert labeling.description == "labels.txt: class numbers by name: the model's classes, from 0"
