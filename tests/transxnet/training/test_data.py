"""Labeled images decoded to one size, with a digest of their bytes."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from transxnet.errors import ImageUnreadable
from transxnet.labels import label_set, own_labels
from transxnet.training import data as data_module
from transxnet.training.data import combine_hashes, image_hashes, load_images
from transxnet.training.samples import list_images

IMAGENET = label_set("imagenet-1k")
FISH, SALAMANDER, TENCH = "n01443537", "n01629819", "n01440764"
ONE, TWO = own_labels("fish", (FISH,)), own_labels("two", (FISH, SALAMANDER))


def digest(paths: list[Path]) -> str:
    return combine_hashes(image_hashes(list_images(paths, IMAGENET).samples))


def test_images_become_arrays_and_labels(make_images):
    path = make_images("some.zip", {SALAMANDER: 1, TENCH: 1, FISH: 2})
    data = load_images(list_images([path], TWO), TWO, side=8)
    assert (data.images.shape, data.images.dtype, data.classes) == ((3, 8, 8, 3), np.uint8, TWO)
    assert data.labels.tolist() == [0, 0, 1]
    assert [tuple(pixel) for pixel in data.images[:, 7, 7]] == [(120, 0, 200), (120, 1, 200), (0, 0, 200)]


def test_center_square_is_cropped(tmp_path):
    rgb = np.zeros((16, 40, 3), np.uint8)
    rgb[:, 12:28] = 255  # the center square, and nothing else, is white
    Image.fromarray(rgb).save(tmp_path / f"{FISH}_x.png")
    (image,) = load_images(list_images([tmp_path], ONE), ONE, side=8).images
    assert (image[1:-1, 1:-1] == 255).all()
    assert image.min() > 230  # at its edges the filter reaches outside


def test_more_images_than_memory_are_mapped_from_a_file(make_images, monkeypatch):
    path = make_images("some.zip", {FISH: 2, SALAMANDER: 1})
    in_memory = load_images(list_images([path], TWO), TWO, side=8)
    monkeypatch.setattr(data_module, "MAX_IN_MEMORY", 100)
    mapped = load_images(list_images([path], TWO), TWO, side=8)
    assert isinstance(mapped.images, np.memmap)
    assert np.array_equal(mapped.images, in_memory.images)


def test_image_of_this_size_is_unchanged(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(rgb).save(tmp_path / f"{FISH}_x.png")
    assert np.array_equal(load_images(list_images([tmp_path], ONE), ONE).images[0], rgb)


def test_digest_ignores_order_and_packing(make_images):
    folder, packed = (make_images(name, {FISH: 2, SALAMANDER: 1}) for name in ("one", "two.zip"))
    hashes = sorted(hashlib.sha256(path.read_bytes()).digest() for path in folder.rglob("*.png"))
    expected = hashlib.sha256(b"".join(hashes)).hexdigest()
    wnids = (SALAMANDER, FISH)
    assert load_images(list_images([folder], TWO), TWO).digest == expected
    assert load_images(list_images([packed], TWO), TWO).digest == expected
    assert digest([packed]) == expected
    halves = [folder / "train" / SALAMANDER, folder / "train" / FISH]
    for half, wnid in zip(halves, wnids, strict=True):
        for file in half.iterdir():
            file.rename(half / f"{wnid}_{file.name}")
    assert digest(halves) == expected
    next(halves[0].iterdir()).unlink()
    assert digest([folder]) != expected


def test_damaged_image_is_named(make_images):
    path = make_images("some", {FISH: 2})
    (path / "train" / FISH / "1.png").write_bytes(b"no image")
    with pytest.raises(ImageUnreadable) as caught:
        load_images(list_images([path], ONE), ONE)
    assert str(caught.value).startswith("“1.png” is damaged")
    assert caught.value.detail.startswith(f"train/{FISH}/1.png: ")


def test_damaged_zip_member_is_named(make_images):
    path = make_images("some.zip", {FISH: 1})
    with zipfile.ZipFile(path) as archive:
        start = archive.infolist()[0].header_offset + 60
    content = bytearray(path.read_bytes())
    content[start] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ImageUnreadable, match=rf"train/{FISH}/0.png cannot be read"):
        load_images(list_images([path], ONE), ONE)
