"""Images made in the test: one color each, as WNID folders, a zip of them, or flat WNID_name files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

FISH, SALAMANDER, BULLFROG = "n01443537", "n01629819", "n01641577"  # classes 0, 1 and 2 of Tiny-ImageNet
TENCH = "n01440764"  # an ImageNet class that Tiny-ImageNet lacks

MakeImages = Callable[..., Path]


@pytest.fixture
def make_images(tmp_path: Path) -> MakeImages:
    return lambda *args, **options: write_images(tmp_path, *args, **options)


def write_images(
    root: Path, name: str, counts: Mapping[str, int], *, size: tuple[int, int] = (64, 64), flat: bool = False
) -> Path:
    """root/name, a folder or (where the name ends so) a zip, with so many images of each WNID. Returns its path.

    SourceImage i of the k-th WNID is plain (60 k, i, 200), saved without loss.
    """
    folder = root / name.removesuffix(".zip")
    for k, (wnid, n) in enumerate(counts.items()):
        for i in range(n):
            path = folder / (f"{wnid}_{i}.png" if flat else f"train/{wnid}/{i}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", size, (60 * k, i, 200)).save(path)
    if not name.endswith(".zip"):
        return folder
    with zipfile.ZipFile(root / name, "w") as archive:
        for path in sorted(folder.rglob("*.png"), reverse=True):
            archive.write(path, path.relative_to(folder))
    return root / name
