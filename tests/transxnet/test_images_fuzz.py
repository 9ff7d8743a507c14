"""Decoding of generated files: whatever the bytes, the answer is an image or a sentence.

Files are grown from small ones of every format by changes that keep some structure: a decoder that is given noise stops
at the signature. `make fuzz` runs the same with other inputs, and for longer.
"""

from __future__ import annotations

import io
import re
import struct
import time
import warnings
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from transxnet.errors import ImageError
from transxnet.images import FILE_FORMATS, FORMATS, MAX_SIDE, MIN_SIDE, UPLOAD_LIMITS, SourceImage, decode

pytestmark = pytest.mark.fuzz
MANY = settings(max_examples=8 * settings.default.max_examples)  # milliseconds each, unlike a request to the page
SECONDS = 10  # of computing, at most; 25 million pixels take less than one
LEAK = re.compile(r"/tmp|site-packages|\.py\b|Traceback|0x[0-9a-f]{6}")


def seeds() -> list[bytes]:
    """Small files of every format and of the variants that a decoder treats differently."""
    noise = np.random.default_rng(11).integers(0, 256, (24, 32, 4), np.uint8)
    transparent = Image.fromarray(noise)
    image, frames = transparent.convert("RGB"), [Image.new("RGB", (32, 24), color) for color in ("red", "blue")]
    exif = Image.Exif()
    exif[0x0112] = 6
    variants = [
        *((image, kind, {}) for kind in FORMATS),
        (image, "JPEG", {"progressive": True, "exif": exif, "comment": b"comment"}),
        (image.convert("CMYK"), "JPEG", {"restart_marker_blocks": 1}),
        (image, "MPO", {"save_all": True, "append_images": frames}),
        (transparent, "PNG", {"exif": exif}),
        (image.quantize(8), "PNG", {"transparency": 1, "bits": 4}),
        (Image.fromarray(noise[..., 0].astype(np.uint16) * 200), "PNG", {}),
        (image, "GIF", {"save_all": True, "append_images": frames, "comment": b"comment"}),
        (transparent, "WEBP", {"lossless": True, "exif": exif}),
        (image, "WEBP", {"save_all": True, "append_images": frames}),
        (transparent, "AVIF", {"exif": exif, "speed": 10}),
        (image.quantize(16), "BMP", {}),
        (image, "TIFF", {"compression": "tiff_lzw", "exif": exif}),
        (Image.fromarray(noise[..., 0].astype(np.uint16) * 20), "TIFF", {}),
    ]
    files = []
    for variant, kind, options in variants:
        file = io.BytesIO()
        variant.save(file, kind, **options)
        files.append(file.getvalue())
    return files


SEEDS = seeds()
MARKERS = (
    b"\xff\xd8", b"\xff\xd9", b"\xff\xda", b"\xff\xc2", b"\xff\xca", b"\xff\xe1\0\x0aExif\0\0II", b"\xff" * 30,
    b"!\xfe", b"!\xff\x0bNETSCAPE2.0", b",\0\0\0\0", b"II*\0\x08\0\0\0", b"IDAT", b"fcTL", b"tRNS", b"eXIf", b"VP8X",
    b"ANMF", b"ispe", b"sBIT", b"zTXtk\0\0",
)  # fmt: skip
NUMBERS = st.sampled_from([0, 1, 7, 8, 255, 256, 4999, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A seed after some changes."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 60)))
        kind = draw(st.sampled_from(["bytes", "number", "marker", "repeat", "remove", "cut", "splice"]))
        if kind == "bytes":
            changed = draw(st.binary(min_size=1, max_size=8))
            data[start : start + len(changed)] = changed
        elif kind == "number":
            form = draw(st.sampled_from([">I", "<I", ">H", "<H"]))
            number = draw(NUMBERS) & (0xFFFF if form[1] == "H" else 0xFFFFFFFF)
            data[start : start + struct.calcsize(form)] = struct.pack(form, number)
        elif kind == "marker":
            data[start:start] = draw(st.sampled_from(MARKERS))
        elif kind == "repeat":
            data[start:start] = data[start:end] * draw(st.integers(1, 40))
        elif kind == "remove":
            del data[start:end]
        elif kind == "cut":
            del data[max(start, 4) :]
        else:
            other = draw(st.sampled_from(SEEDS))
            position = draw(st.integers(0, len(other)))
            data[start:] = other[position:]
    return with_checksums(bytes(data)) if draw(st.booleans()) else bytes(data)


def with_checksums(data: bytes) -> bytes:
    """A PNG with the checksums its chunks should have, so that what is inside them is read."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    fixed, position = bytearray(data[:8]), 8
    while position + 12 <= len(data):
        end = position + 8 + int.from_bytes(data[position : position + 4])
        fixed += data[position:end] + struct.pack(">I", zlib.crc32(data[position + 4 : end]))
        position = end + 4
    return bytes(fixed)


def decode_or_refuse(data: bytes) -> SourceImage | ImageError:
    """What decode answers; any other exception fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return decode(data, name="fuzz.bin", limits=replace(UPLOAD_LIMITS, formats=FILE_FORMATS))
        except ImageError as error:
            return error


def check_decode(data: bytes) -> None:
    """Hold what `decode` promises of any bytes."""
    start = time.thread_time()
    answer = decode_or_refuse(data)
    assert time.thread_time() - start < SECONDS
    if isinstance(answer, ImageError):
        assert answer.what.endswith(".")
        assert answer.remedy.endswith(".")
        assert not LEAK.search(str(answer))
        return
    height, width, colors = answer.rgb.shape
    assert (colors, answer.rgb.dtype) == (3, np.uint8)
    assert max(height, width) <= MAX_SIDE
    assert min(answer.original_size) >= MIN_SIDE
    assert not answer.rgb.flags.writeable


@MANY
@given(files())
def test_any_file_gives_image_or_message(data: bytes):
    check_decode(data)


@MANY
@given(st.binary(max_size=400), st.sampled_from(SEEDS))
def test_any_bytes_after_a_header_are_handled(data: bytes, seed: bytes):
    check_decode(seed[:16] + data)


@MANY
@given(files())
def test_result_depends_on_the_bytes_only(data: bytes):
    """Two decodes of the same bytes agree, in their pixels or in their words."""
    first, second = decode_or_refuse(data), decode_or_refuse(data)
    assert (first == second) if isinstance(first, SourceImage) else (str(first) == str(second))
