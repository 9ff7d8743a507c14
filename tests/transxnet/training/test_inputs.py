"""What a model is shown in an evaluation is what the official validation shows it, to the bit."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data import create_transform

from transxnet.errors import ImageUnreadable
from transxnet.training.inputs import _view, read_as_stored
from transxnet.training.protocol import Protocol
from transxnet.training.samples import Sample
from transxnet.variants import find_variant


def jpeg(width: int, height: int, mode: str = "RGB", **options: object) -> bytes:
    """A smooth random image."""
    coarse = np.random.default_rng(width).integers(0, 256, (height // 20 + 1, width // 20 + 1, 3), np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).convert(mode)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90, **options)
    return file.getvalue()


def lying() -> Image.Exif:
    """EXIF that asks for a quarter turn: timm's reader leaves the image as it is stored."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize(
    ("name", "side", "short"), [("t", 224, 248), ("s", 224, 248), ("b", 224, 235), ("b-384", 384, 404)]
)
@pytest.mark.parametrize(
    "data",
    [jpeg(500, 375), jpeg(301, 400), jpeg(90, 60), jpeg(400, 300, "CMYK"), jpeg(400, 300, "L"), jpeg(2500, 300),
     jpeg(400, 300, exif=lying())],
    ids=["usual", "upright", "small", "CMYK", "gray", "longer than the page keeps", "turned by EXIF"],
)  # fmt: skip
def test_views_are_those_of_timm(name, side, short, data):
    spec = find_variant(name)
    assert (spec.image_size, int(spec.image_size / spec.crop_pct)) == (side, short)
    transform = create_transform(side, is_training=False, crop_pct=spec.crop_pct, interpolation="bicubic")
    expected = transform(Image.open(io.BytesIO(data)).convert("RGB"))
    view = _view(Sample("x.jpg", "n00000000", len(data), lambda: data), Protocol.of(spec))
    assert torch.equal(view.tensor[0], expected)
    assert view.tensor.dtype == torch.float32


@pytest.mark.parametrize("data", [b"", b"no image", jpeg(90, 60)[:-200], b"%!PS-Adobe-3.0 EPSF-3.0"])
def test_damage_is_a_sentence(data):
    with pytest.raises(ImageUnreadable, match=r"val/x\.jpg is damaged, or no image"):
        read_as_stored(data, "val/x.jpg")
    view = _view(Sample("val/x.jpg", "n00000000", len(data), lambda: data), Protocol(32, 1.0))
    assert view.tensor is None
    assert (len(view.sha256), view.problem[:20]) == (64, "val/x.jpg is damaged")


def test_bytes_that_do_not_come_have_no_digest():
    def fail() -> bytes:
        raise OSError("the disk is gone")

    view = _view(Sample("x.jpg", "n00000000", 1, fail), Protocol(32, 1.0))
    assert (view.tensor, view.sha256) == (None, "")
    assert view.problem.startswith("x.jpg cannot be read.")
