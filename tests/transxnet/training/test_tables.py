"""Labeled images from CSV files and from Hugging Face's Dataset.save_to_disk."""

from __future__ import annotations

import builtins
import io

import datasets
import pytest
from PIL import Image

from transxnet.errors import ImageUnreadable, SourceFailed, UnknownName
from transxnet.labels import label_set, own_labels
from transxnet.training.samples import list_images

BIRDS = own_labels("birds", ("song thrush", "wren"))


@pytest.fixture
def table(tmp_path):
    """Write a table next to two images."""
    (tmp_path / "images").mkdir()
    for number in (1, 2):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / "images" / f"{number}.png")

    def write(text: str, name: str = "train.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("path,label\nimages/1.png,wren\nimages/2.png,song thrush\n", "train.csv"),
        ("images/1.png,wren\nimages/2.png,song thrush\n", "train.csv"),  # without a heading
        ("id;class_name;file_name\n7;wren;images/1.png\n8;Song_Thrush;images/2.png\n", "train.csv"),
        ("\ufefffilename\tspecies\r\nimages/1.png\twren\r\nimages/2.png\tsong thrush\r\n", "train.tsv"),
        ("path,label\nimages/1.png,1\nimages/2.png,0\n", "train.csv"),
        ('path,label\n"images/1.png",wren\nimages/2.png,song thrush\nimages/1.png,wren\n', "train.csv"),
    ],
)
def test_paths_are_relative_to_the_table(table, text, name):
    listing = list_images([table(text, name)], BIRDS)
    assert [(sample.name, sample.label) for sample in listing.samples] == [
        ("images/1.png", "wren"), ("images/2.png", "song thrush"),
    ]  # fmt: skip
    assert listing.samples[1].decode(listing.samples[1].read()).rgb[0, 0].tolist() == [2, 0, 0]
    meaning = "the model's classes, from 0" if ",1\n" in text else "class names"
    assert listing.labels == (f"{name}: {meaning}",)


def test_wnids_and_missing_labels(table):
    path = table("path,label\nimages/1.png,n01443537\nimages/2.png,\n")
    listing = list_images([path], label_set("imagenet-1k"))
    assert ([sample.label for sample in listing.samples], listing.unlabeled) == (["n01443537"], 1)


def test_missing_file_is_an_image_that_cannot_be_read(table):
    (sample,) = list_images([table("path,label\nimages/3.png,wren\n")], BIRDS).samples
    with pytest.raises(ImageUnreadable, match=r"images/3\.png cannot be read"):
        sample.read()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        ("a,b,c\n1,2,3\n", "its columns are a, b, c"),
        ("path,label\nimages/1.png\n", "row 1 has 1 columns"),
        ("path,label\nimages/1.png,wren\nimages/1.png,song thrush\n", "gives 'images/1.png' two different labels"),
    ],
)
def test_other_tables_are_refused(table, text, message):
    with pytest.raises(SourceFailed, match=rf"train\.csv is not a list of labeled images: .*{message}") as caught:
        list_images([table(text)], BIRDS)
    assert "columns path and label" in caught.value.remedy


def test_numbers_that_may_be_counted_from_one_are_refused(table):
    with pytest.raises(UnknownName, match=r"numbers in train\.csv range from 1 to 2: they may be counted from 1"):
        list_images([table("path,label\nimages/1.png,1\nimages/2.png,2\n")], BIRDS)


def test_binary_file_is_refused(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00,\n")
    with pytest.raises(SourceFailed, match="it is not a table in UTF-8"):
        list_images([tmp_path / "x.csv"], BIRDS)


# --- Hugging Face datasets --------------------------------------------------------------------------------------------


def png(red: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (red, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def dataset(labels: list, feature=None) -> datasets.Dataset:
    images = [{"bytes": png(number), "path": None} for number in range(len(labels))]
    features = datasets.Features({"image": datasets.Image(), "label": feature or datasets.Value("string")})
    return datasets.Dataset.from_dict({"image": images, "label": labels}, features=features)


@pytest.mark.parametrize(
    ("labels", "feature"),
    [(["wren", "Song thrush", None], None), ([0, 1, -1], datasets.ClassLabel(names=["wren", "song thrush"]))],
)
def test_saved_dataset(tmp_path, labels, feature):
    dataset(labels, feature).save_to_disk(str(tmp_path / "birds"))
    listing = list_images([tmp_path / "birds"], BIRDS)
    assert [(sample.name, sample.label) for sample in listing.samples] == [
        ("birds/0", "wren"), ("birds/1", "song thrush"),
    ]  # fmt: skip
    assert listing.unlabeled == 1
    assert listing.samples[1].read() == png(1)
    assert list_images([tmp_path / "birds"]).classes in (("Song thrush", "wren"), ("song thrush", "wren"))


def test_splits_are_named(tmp_path):
    both = datasets.DatasetDict({"train": dataset(["wren"]), "test": dataset(["wren"])})
    both.save_to_disk(str(tmp_path / "birds"))
    with pytest.raises(SourceFailed, match="holds the splits test, train") as caught:
        list_images([tmp_path / "birds"], BIRDS)
    assert "birds/test" in caught.value.remedy
    assert len(list_images([tmp_path / "birds" / "train"], BIRDS).samples) == 1


def test_dataset_without_images_or_damaged(tmp_path):
    datasets.Dataset.from_dict({"text": ["a"], "label": ["wren"]}).save_to_disk(str(tmp_path / "texts"))
    with pytest.raises(SourceFailed, match=r"texts has no column of images: text, label"):
        list_images([tmp_path / "texts"], BIRDS)
    dataset(["wren"]).save_to_disk(str(tmp_path / "birds"))
    next((tmp_path / "birds").glob("*.arrow")).write_bytes(b"nothing")
    with pytest.raises(SourceFailed, match="The dataset birds is damaged"):
        list_images([tmp_path / "birds"], BIRDS)


def test_missing_package_is_named(tmp_path, monkeypatch):
    dataset(["wren"]).save_to_disk(str(tmp_path / "birds"))
    original = builtins.__import__

    def without_datasets(name, *args, **kwargs):
        if name == "datasets":
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_datasets)
    with pytest.raises(SourceFailed, match="which is not installed") as caught:
        list_images([tmp_path / "birds"], BIRDS)
    assert caught.value.remedy == "Run: pip install datasets."
