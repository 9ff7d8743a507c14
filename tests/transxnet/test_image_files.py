"""Image files in folders are recognized by their content; links are followed; what is skipped is listed."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from transxnet import image_files
from transxnet.image_files import ImageFiles, skipped_text
from transxnet.image_structure import HEAD, file_format
from transxnet.labels import label_set
from transxnet.training.samples import list_images


def encode(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 12), "red").save(file, kind)
    return file.getvalue()


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)
FORMATS = {kind: encode(kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF", "TIFF")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    return tmp_path / "images"


def search(root: Path, exclude: Path | None = None) -> tuple[list[str], dict[str, str]]:
    """Names of the images below a folder, and the reasons of what is skipped by name."""
    files = ImageFiles()
    images = files.search(root, exclude)
    assert images == files.paths
    return [path.relative_to(root).as_posix() for path in images], dict(files.skipped)


@pytest.mark.parametrize("kind", FORMATS)
def test_format_is_recognized_by_content(kind):
    assert file_format(FORMATS[kind][:HEAD]) == kind


@pytest.mark.parametrize(
    "head", [b"", b"hello", b"BMW and other makes of cars, a text", b"RIFF\0\0\0\0WAVEfmt ", b"%PDF-1.7", b"\xff\xd8",
             b"\0\0\0\x18ftypisom\0\0\0\0mp41mp42", b"\0\0\0\x18ftyp", b"\xff\xff\xff\xffftypmp42"],
)  # fmt: skip
def test_other_content_is_no_image(head):
    assert file_format(head) == ""


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1"])
def test_heic_is_recognized_by_its_brands(brand):
    assert file_format(HEIC.replace(b"ftypheic", b"ftyp" + brand)) == "HEIF"


def test_suffix_does_not_matter(folder):
    names = []
    for kind, data in FORMATS.items():
        for suffix in ("", ".txt", f".{kind.lower()}", ".JFIF"):
            names.append(f"{kind}{suffix}")
            (folder / names[-1]).write_bytes(data)
    assert search(folder) == (sorted(set(names)), {})


def test_damaged_images_are_left_to_the_decoder(folder):
    for name in ("empty.png", "text.JPG", "cut.jpe"):
        (folder / name).write_bytes(b"")
    assert search(folder)[0] == ["cut.jpe", "empty.png", "text.JPG"]


def test_skipped_files_are_listed_with_reasons(folder, monkeypatch):
    monkeypatch.setattr(image_files, "find_spec", lambda name: None)
    contents = {"notes.txt": b"text", "a.heic": HEIC, "raw.NEF": FORMATS["TIFF"], "nothing": b"", ".DS_Store": b"x",
                "sub/more.xml": b"<x/>"}  # fmt: skip
    for name, data in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "broken").symlink_to(folder / "missing")
    os.mkfifo(folder / "pipe.jpg")  # opening it would wait for ever
    images, skipped = search(folder)
    assert images == []
    assert skipped == {
        "notes.txt": "not an image", "a.heic": "HEIC, which needs pillow-heif", "raw.NEF": "a camera's raw file",
        "nothing": "empty", "broken": "a broken link", "pipe.jpg": "not a file", "sub/more.xml": "not an image",
    }  # fmt: skip
    assert skipped_text([("notes.txt", "not an image")]) == "1 file was skipped: notes.txt (not an image)."
    many = skipped_text([(str(i), "empty") for i in range(25)])
    assert many.startswith("25 files were skipped: 0 (empty), 1 (empty)")
    assert many.endswith("19 (empty) and 5 more.")
    assert skipped_text([]) == ""


def test_heic_is_an_image_where_its_package_is_installed(folder, monkeypatch):
    monkeypatch.setattr(image_files, "find_spec", lambda name: name)
    (folder / "a.heic").write_bytes(HEIC)
    assert search(folder) == (["a.heic"], {})


def test_links_to_folders_are_followed_once(tmp_path, folder):
    """Wherever they lead: elsewhere, to a folder above, to each other, to a folder that is found anyway."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.png").write_bytes(FORMATS["PNG"])
    (folder / "z").mkdir()
    (folder / "z" / "a.png").write_bytes(FORMATS["PNG"])
    for name, target in {
        "link": elsewhere, "again": elsewhere, "up": tmp_path, "self": folder, "a_link": folder / "z",
        "z/loop": folder / "z",
    }.items():  # fmt: skip
        (folder / name).symlink_to(target)
    (elsewhere / "back").symlink_to(folder)
    (folder / "circle").symlink_to(folder / "circle")
    assert search(folder) == (["again/b.png", "z/a.png"], {"circle": "a broken link"})
    assert search(folder / "link")[0] == ["b.png", "back/z/a.png"]
    files = ImageFiles()
    files.search(folder)
    assert files.search(elsewhere) == []


def test_linked_files_are_images(tmp_path, folder):
    (tmp_path / "a").write_bytes(FORMATS["PNG"])
    (folder / "b").symlink_to(tmp_path / "a")
    assert search(folder)[0] == ["b"]


def test_excluded_folder_is_skipped_through_links(tmp_path, folder):
    out = tmp_path / "out"
    (out / "photo").mkdir(parents=True)
    (out / "photo" / "a.png").write_bytes(FORMATS["PNG"])
    (folder / "b.png").write_bytes(FORMATS["PNG"])
    (folder / "results").symlink_to(out)
    (folder / "photo").symlink_to(out / "photo")
    assert search(folder, out)[0] == ["b.png"]


def test_names_of_any_bytes_are_found(folder):
    name = os.fsdecode(b"caf\xe9 \n\x1b")
    (folder / name).write_bytes(FORMATS["PNG"])
    (folder / f"{name}.txt").write_bytes(b"text")
    assert search(folder) == ([name], {f"{name}.txt": "not an image"})


@pytest.mark.parametrize("packed", [False, True])
def test_labeled_images_are_recognized_by_content(tmp_path, packed):
    """In folders and in zips, with their labels in folder and file names."""
    contents = {
        "n01443537/a": FORMATS["JPEG"], "n01443537/b.jfif": FORMATS["JPEG"], "n01443537/c.tif": FORMATS["TIFF"],
        "x_n01443537": FORMATS["WEBP"], "n01443537/notes.xml": b"<x/>", "n01443537/._a": b"\0", "n01443537/e": b"",
    }  # fmt: skip
    path = tmp_path / ("data.zip" if packed else "data")
    if packed:
        with zipfile.ZipFile(path, "w") as archive:
            archive.mkdir("n01443537")
            for name, data in contents.items():
                archive.writestr(name, data)
    else:
        for name, data in contents.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    listing = list_images([path], label_set("imagenet-1k"))
    assert [sample.name for sample in listing.samples] == [
        "n01443537/a", "n01443537/b.jfif", "n01443537/c.tif", "x_n01443537"
    ]  # fmt: skip
    assert {sample.decode(sample.read()).size for sample in listing.samples} == {(16, 12)}
    assert sorted(listing.skipped) == [("n01443537/e", "empty"), ("n01443537/notes.xml", "not an image")]


def test_labeled_images_behind_links_are_listed(tmp_path):
    """As data sets are laid out: a folder that holds only links to folders."""
    (tmp_path / "store" / "fish").mkdir(parents=True)
    (tmp_path / "store" / "fish" / "a.png").write_bytes(FORMATS["PNG"])
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "n01443537").symlink_to(tmp_path / "store" / "fish")
    (sample,) = list_images([tmp_path / "data"]).samples
    assert (sample.name, sample.label) == ("n01443537/a.png", "n01443537")
    assert sample.read() == FORMATS["PNG"]
