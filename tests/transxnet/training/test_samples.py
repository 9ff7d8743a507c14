"""Labeled images in folders, zips and flat files are listed; unlabeled ones are counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from transxnet.errors import ImageUnreadable, UnknownName
from transxnet.labels import label_set
from transxnet.training.labeling import Labeling
from transxnet.training.samples import Sample, list_images

IMAGENET = label_set("imagenet-1k")
FISH, SALAMANDER, TENCH = "n01443537", "n01629819", "n01440764"


def list_samples(paths: list[Path]) -> list[Sample]:
    return list(list_images(paths, IMAGENET).samples)


@pytest.mark.parametrize(("name", "flat"), [("folder", False), ("flat", True), ("some.zip", False), ("f.zip", True)])
def test_samples_are_listed_in_order(make_images, name, flat):
    path = make_images(name, {SALAMANDER: 1, FISH: 2}, flat=flat)
    samples = list_samples([path])
    inside = "{}_{}.png" if flat else "train/{}/{}.png"
    assert [(s.name, s.label) for s in samples] == [
        (inside.format(FISH, 0), FISH), (inside.format(FISH, 1), FISH), (inside.format(SALAMANDER, 0), SALAMANDER),
    ]  # fmt: skip
    with Image.open(tmp_file(path.parent, samples[1].read())) as image:
        assert image.getpixel((0, 0)) == (60, 1, 200)


def tmp_file(folder: Path, data: bytes) -> Path:
    (folder / "image.png").write_bytes(data)
    return folder / "image.png"


def test_innermost_wnid_is_the_label(tmp_path):
    for name in (
        f"{FISH}/{TENCH}_tench.png", f"{FISH}/images/x.png", f"{FISH}/{SALAMANDER}/x.PNG",
        f"{FISH}0/x.png", f"{FISH}/notes.txt", "x.png", f"{FISH}.png",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert {s.name: s.label for s in list_samples([tmp_path])} == {
        f"{FISH}/{TENCH}_tench.png": TENCH, f"{FISH}/images/x.png": FISH, f"{FISH}/{SALAMANDER}/x.PNG": SALAMANDER,
    }  # fmt: skip


def test_path_without_images_is_refused(make_images, tmp_path):
    good, empty = make_images("good", {FISH: 1}), tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UnknownName, match=r"empty holds no labeled images\. Use folders or zips"):
        list_samples([good, empty])
    with pytest.raises(UnknownName, match=r"There is no file or folder 'tiny\.zip'") as caught:
        list_samples([good, tmp_path / "tiny.zip"])
    assert str(tmp_path) not in str(caught.value)
    (tmp_path / "tiny.zip").write_bytes(b"PK half a zip")
    with pytest.raises(ImageUnreadable, match=r"tiny.zip is damaged or not a zip"):
        list_samples([good, tmp_path / "tiny.zip"])


def test_samples_of_the_models_classes(make_images):
    listing = list_images([make_images("some", {FISH: 2, TENCH: 3})], IMAGENET)
    assert [sample.label for sample in listing.of_classes((FISH, SALAMANDER))] == [FISH, FISH]
    with pytest.raises(UnknownName, match="None of the 5 images belongs to one of the model's 1 classes"):
        listing.of_classes((SALAMANDER,))


def test_sizes_are_those_of_the_files(make_images):
    path = make_images("some.zip", {FISH: 1, SALAMANDER: 1})
    for source in (path, path.with_suffix("")):
        samples = list_samples([source])
        assert [s.size for s in samples] == [len(s.read()) for s in samples]


def test_unlabeled_images_are_counted(make_images):
    path = make_images("some", {FISH: 2, TENCH: 1})
    for name in ("x.png", "other/y.jpg", "._z.jpg", "notes.txt"):  # two images, macOS's metadata of one, no image
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_bytes(b"")
    listing = list_images([path, make_images("more.zip", {FISH: 1})], IMAGENET)
    assert (len(listing.samples), listing.unlabeled) == (4, 2)
    assert listing.labels == ("WNIDs in folder and file names",)
    assert len(listing.of_classes([FISH])) == 3


def test_labels_from_a_list(make_images):
    path = make_images("some", {FISH: 2})
    labeling = Labeling("a list", {f"train/{FISH}/1.png": TENCH}.get)
    listing = list_images([path], labeling=labeling)
    assert [(s.name, s.label) for s in listing.samples] == [(f"train/{FISH}/1.png", TENCH)]
    assert (listing.unlabeled, listing.labels) == (1, ("a list",))
