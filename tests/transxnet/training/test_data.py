"""Labelled pictures: found in folders, zips and flat files alike, decoded to one size, with a digest of their bytes."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from transxnet.errors import PictureUnreadable, UnknownName
from transxnet.training.data import digest, find_samples, known_samples, load_pictures

FISH, SALAMANDER, TENCH = "n01443537", "n01629819", "n01440764"


@pytest.mark.parametrize(("name", "flat"), [("folder", False), ("flat", True), ("some.zip", False), ("f.zip", True)])
def test_samples_are_found_in_order(make_pictures, name, flat):
    path = make_pictures(name, {SALAMANDER: 1, FISH: 2}, flat=flat)
    samples = find_samples([path])
    inside = "{}_{}.png" if flat else "train/{}/{}.png"
    assert [(s.name, s.wnid) for s in samples] == [
        (inside.format(FISH, 0), FISH), (inside.format(FISH, 1), FISH), (inside.format(SALAMANDER, 0), SALAMANDER),
    ]  # fmt: skip
    with Image.open(tmp_file(path.parent, samples[1].read())) as picture:
        assert picture.getpixel((0, 0)) == (60, 1, 200)


def tmp_file(folder: Path, data: bytes) -> Path:
    (folder / "one.png").write_bytes(data)
    return folder / "one.png"


def test_a_label_is_the_file_s_own_or_its_innermost_folder_s(tmp_path):
    for name in (
        f"{FISH}/{TENCH}_tench.png", f"{FISH}/images/x.png", f"{FISH}/{SALAMANDER}/x.PNG",
        f"{FISH}0/x.png", f"{FISH}/notes.txt", "x.png", f"{FISH}.png",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert {s.name: s.wnid for s in find_samples([tmp_path])} == {
        f"{FISH}/{TENCH}_tench.png": TENCH, f"{FISH}/images/x.png": FISH, f"{FISH}/{SALAMANDER}/x.PNG": SALAMANDER,
    }  # fmt: skip


def test_a_path_without_pictures_is_no_silent_loss(make_pictures, tmp_path):
    good, empty = make_pictures("good", {FISH: 1}), tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UnknownName, match=r"empty holds no labelled pictures\. Give folders or zips"):
        find_samples([good, empty])
    with pytest.raises(UnknownName, match=r"There is no folder or zip 'tiny\.zip'") as caught:
        find_samples([good, tmp_path / "tiny.zip"])
    assert str(tmp_path) not in str(caught.value)
    (tmp_path / "tiny.zip").write_bytes(b"PK half a zip")
    with pytest.raises(PictureUnreadable, match=r"tiny.zip is damaged, or no zip"):
        find_samples([good, tmp_path / "tiny.zip"])


def test_known_samples_are_those_of_the_model_s_classes(make_pictures):
    path = make_pictures("some", {FISH: 2, TENCH: 3})
    known, left_out = known_samples([path], (FISH, SALAMANDER))
    assert ([s.wnid for s in known], left_out) == ([FISH, FISH], 3)
    with pytest.raises(UnknownName, match="None of the 5 pictures is of one of the model's 1 classes"):
        known_samples([path], (SALAMANDER,))


def test_pictures_become_arrays_and_labels(make_pictures):
    path = make_pictures("some.zip", {SALAMANDER: 1, TENCH: 1, FISH: 2})
    data = load_pictures([path], (FISH, SALAMANDER), side=8)
    assert (data.images.shape, data.images.dtype, data.wnids) == ((3, 8, 8, 3), np.uint8, (FISH, SALAMANDER))
    assert data.labels.tolist() == [0, 0, 1]
    assert [tuple(pixel) for pixel in data.images[:, 7, 7]] == [(120, 0, 200), (120, 1, 200), (0, 0, 200)]


def test_a_picture_keeps_its_centre_square(tmp_path):
    rgb = np.zeros((16, 40, 3), np.uint8)
    rgb[:, 12:28] = 255  # the centre square, and nothing else, is white
    Image.fromarray(rgb).save(tmp_path / f"{FISH}_x.png")
    (image,) = load_pictures([tmp_path], (FISH,), side=8).images
    assert (image[1:-1, 1:-1] == 255).all()
    assert image.min() > 230  # at its edges the filter looks a little further


def test_a_picture_of_the_right_size_is_not_touched(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(rgb).save(tmp_path / f"{FISH}_x.png")
    assert np.array_equal(load_pictures([tmp_path], (FISH,)).images[0], rgb)


def test_the_digest_is_of_the_bytes_whatever_their_order_and_packing(make_pictures):
    folder, packed = (make_pictures(name, {FISH: 2, SALAMANDER: 1}) for name in ("one", "two.zip"))
    hashes = sorted(hashlib.sha256(path.read_bytes()).digest() for path in folder.rglob("*.png"))
    expected = hashlib.sha256(b"".join(hashes)).hexdigest()
    wnids = (SALAMANDER, FISH)
    assert load_pictures([folder], wnids).digest == expected
    assert load_pictures([packed], wnids).digest == expected
    assert digest(find_samples([packed])) == expected
    halves = [folder / "train" / SALAMANDER, folder / "train" / FISH]
    for half, wnid in zip(halves, wnids, strict=True):
        for file in half.iterdir():
            file.rename(half / f"{wnid}_{file.name}")
    assert digest(find_samples(halves)) == expected
    next(halves[0].iterdir()).unlink()
    assert digest(find_samples([folder])) != expected


def test_a_damaged_picture_is_named(make_pictures):
    path = make_pictures("some", {FISH: 2})
    (path / "train" / FISH / "1.png").write_bytes(b"no picture")
    with pytest.raises(PictureUnreadable) as caught:
        load_pictures([path], (FISH,))
    assert str(caught.value).startswith("“1.png” is damaged")
    assert caught.value.detail.startswith(f"train/{FISH}/1.png: ")


def test_a_damaged_zip_member_is_named(make_pictures):
    path = make_pictures("some.zip", {FISH: 1})
    with zipfile.ZipFile(path) as archive:
        start = archive.infolist()[0].header_offset + 60
    content = bytearray(path.read_bytes())
    content[start] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(PictureUnreadable, match=rf"train/{FISH}/0.png cannot be read"):
        load_pictures([path], (FISH,))
