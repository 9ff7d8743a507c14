"""Model inputs of an evaluation equal those of the official validation, to the bit."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data import create_transform

from transxnet.errors import ImageUnreadable
from transxnet.training.inputs import decode_as_stored, read_input
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


def quarter_turn() -> Image.Exif:
    """EXIF with a quarter turn, which timm's reader ignores."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize(
    ("name", "side", "short"), [("t", 224, 248), ("s", 224, 248), ("b", 224, 235), ("b-384", 384, 404)]
)
@pytest.mark.parametrize(
    "data",
    [jpeg(500, 375), jpeg(301, 400), jpeg(90, 60), jpeg(400, 300, "CMYK"), jpeg(400, 300, "L"), jpeg(2500, 300),
     jpeg(400, 300, exif=quarter_turn())],
    ids=["landscape", "portrait", "small", "CMYK", "gray", "larger than uploads", "EXIF rotation"],
)  # fmt: skip
def test_inputs_equal_timms(name, side, short, data):
    spec = find_variant(name)
    assert (spec.image_size, int(spec.image_size / spec.crop_pct)) == (side, short)
    transform = create_transform(side, is_training=False, crop_pct=spec.crop_pct, interpolation="bicubic")
    expected = transform(Image.open(io.BytesIO(data)).convert("RGB"))
    model_input = read_input(Sample("x.jpg", "n00000000", len(data), lambda: data), Protocol.of(spec))
    assert torch.equal(model_input.tensor[0], expected)
    assert model_input.tensor.dtype == torch.float32


@pytest.mark.parametrize("data", [b"", b"no image", jpeg(90, 60)[:-200], b"%!PS-Adobe-3.0 EPSF-3.0"])
def test_damaged_image_is_explained(data):
    with pytest.raises(ImageUnreadable, match=r"val/x\.jpg is damaged or not an image"):
        decode_as_stored(data, "val/x.jpg")
    model_input = read_input(Sample("val/x.jpg", "n00000000", len(data), lambda: data), Protocol(32, 1.0))
    assert model_input.tensor is None
    assert (len(model_input.sha256), model_input.error[:20]) == (64, "val/x.jpg is damaged")


def test_unreadable_file_has_no_digest():
    def fail() -> bytes:
        raise OSError("disk failure")

    model_input = read_input(Sample("x.jpg", "n00000000", 1, fail), Protocol(32, 1.0))
    assert (model_input.tensor, model_input.sha256) == (None, "")
    assert model_input.error.startswith("x.jpg cannot be read.")
