"""The folder of visitors' downloads: bounded, the least recently used go first, and nothing else is touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from demo.download_folder import DownloadFolder
from transxnet.errors import OutOfRange
from transxnet.weights.download import repository_folder


def put(folder: DownloadFolder, repository: str, size: int, used: float) -> Path:
    """A repository as the Hub's client keeps it: a blob, and a link to it."""
    place = repository_folder(repository, folder.path)
    (place / "blobs").mkdir(parents=True)
    (place / "snapshots" / "c0ffee").mkdir(parents=True)
    (place / "blobs" / "ab").write_bytes(bytes(size))
    (place / "snapshots" / "c0ffee" / "model.safetensors").symlink_to("../../blobs/ab")
    os.utime(place, (used, used))
    return place


def here(folder: DownloadFolder) -> list[str]:
    return sorted(place.name.rpartition("--")[2] for place in folder.path.glob("models--*"))


@pytest.fixture
def folder(tmp_path) -> DownloadFolder:
    folder = DownloadFolder(tmp_path / "visitors", 100_000)
    for used, name in enumerate("abc", start=1_000_000):
        put(folder, f"timm/{name}", 30_000, used)
    return folder


def test_the_least_recently_used_goes(folder):
    folder.make_room("timm/d", 5_000)
    assert here(folder) == ["a", "b", "c"]
    folder.mark_used("timm/a")
    folder.make_room("timm/d", 50_000)
    assert here(folder) == ["a"]
    assert not (folder.path / "models--timm--b").exists()


def test_what_is_too_large_removes_nothing(folder):
    with pytest.raises(OutOfRange, match=r"is 1.0 GB; this page stores at most 0.0 GB"):
        folder.make_room("timm/d", 10**9)
    assert here(folder) == ["a", "b", "c"]


def test_a_download_makes_its_own_room(folder):
    """Also where the server does not say how much will come."""
    admit = folder.watch("timm/a")
    admit(0, 0)
    assert here(folder) == ["a", "b", "c"]
    admit(39_000, 0)
    assert here(folder) == ["a", "b", "c"]  # its own old file does not count: it is being replaced
    admit(60_000, 0)
    assert here(folder) == ["a", "c"]
    admit(60_000, 90_000)
    assert here(folder) == ["a"]
    with pytest.raises(OutOfRange):
        admit(200_000, 90_000)


def test_other_files_stay(folder):
    (folder.path / "notes.txt").write_text("mine", encoding="utf-8")
    (folder.path / "other").mkdir()
    folder.make_room("timm/d", 99_000)
    assert sorted(path.name for path in folder.path.iterdir()) == ["notes.txt", "other"]


def test_a_folder_that_is_not_there_yet(tmp_path):
    folder = DownloadFolder(tmp_path / "none", 10)
    folder.mark_used("timm/a")
    folder.make_room("timm/a", 10)
    assert not folder.path.exists()
