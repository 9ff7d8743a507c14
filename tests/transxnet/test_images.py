"""Uploads: whatever is sent, the answer is an image with known pixels or a sentence of ours."""

from __future__ import annotations

import dataclasses
import io
import os
import struct
import sys
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageFile, ImageOps

from transxnet import images
from transxnet.backbones.spec import spec_of
from transxnet.errors import ImageError, ImageTooLarge, ImageUnreadable, OutOfRange
from transxnet.explain.observe import grid_geometry
from transxnet.images import FILE_LIMITS, UPLOAD_LIMITS, ModelInput, SourceImage, decode, prepare, prepare_for
from transxnet.results import Geometry
from transxnet.variants import VARIANTS

pytestmark = [
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
    pytest.mark.filterwarnings("ignore:Corrupt EXIF data"),
]

RED, GREEN, BLUE, WHITE, GRAY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (128, 128, 128)


# --- how the inputs are made, all in memory --------------------------------------------------------------------------


def quarters(width: int = 40, height: int = 24) -> Image.Image:
    """Red, green over blue, white: no two turns of it look alike."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def encode(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(tag: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))


def png(width: int, height: int, depth: int, color: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG written by hand. rows: filtered scan lines; extra: chunks between header and pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    body = extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + body


def bomb() -> bytes:
    """177 megapixels in some twenty kilobytes."""
    return png(13300, 13300, 1, 0, bytes((1 + (13300 + 7) // 8) * 13300))


def rgb16(value: int) -> bytes:
    return png(10, 10, 16, 2, (b"\0" + struct.pack(">H", value) * 30) * 10)


def with_exif(image: Image.Image, orientation: int, kind: str = "PNG", **options) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(image, kind, exif=exif, **options)


def frames(kind: str) -> bytes:
    first, *rest = (Image.new("RGB", (20, 20), color) for color in (RED, GREEN, BLUE))
    return encode(first, kind, save_all=True, append_images=rest, duration=50, lossless=True)


def keyed(mode: str, fill, key) -> bytes:
    """One color of the image is declared transparent (PNG's tRNS chunk)."""
    image = Image.new(mode, (20, 20), fill)
    if mode == "P":
        image.putpalette([*RED, *BLUE])
    return encode(image, transparency=key)


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def noisy(kind: str, **options) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
    return encode(Image.fromarray(pixels), kind, **options)


def array16(value: int) -> Image.Image:
    return Image.fromarray(np.full((20, 20), value, np.uint16))


def mpo() -> bytes:
    return encode(Image.new("RGB", (16, 16), RED), "MPO", save_all=True, append_images=[Image.new("RGB", (16, 16))])


def unopened_eps() -> Image.Image:
    return Image.open(io.BytesIO(encode(Image.new("RGB", (20, 20)), "EPS")))


def webp_header(width: int, height: int) -> bytes:
    """A WebP that only claims its size (24 bits a side) and holds no frame."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size
    return b"RIFF" + struct.pack("<I", len(body)) + body


# name: (input, (x, y), expected RGB, tolerance, words of the note)
IMAGES = {
    "png": (lambda: encode(quarters()), (0, 0), RED, 0, ""),
    "jpeg": (lambda: encode(quarters(), "JPEG", quality=95), (30, 5), GREEN, 4, ""),
    "progressive jpeg": (lambda: encode(quarters(), "JPEG", progressive=True), (5, 20), BLUE, 6, ""),
    "gray jpeg": (lambda: encode(Image.new("L", (20, 20), 128), "JPEG"), (3, 3), GRAY, 1, ""),
    "cmyk jpeg": (lambda: encode(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), "JPEG"), (3, 3), RED, 4, ""),
    "mpo, two images in a jpeg": (mpo, (3, 3), RED, 4, ""),
    "webp": (lambda: encode(quarters(), "WEBP", lossless=True), (0, 23), BLUE, 0, ""),
    "avif": (lambda: encode(quarters(), "AVIF", quality=100), (5, 5), RED, 6, ""),
    "bmp": (lambda: encode(quarters(), "BMP"), (39, 0), GREEN, 0, ""),
    "gif, mode P": (lambda: encode(quarters(), "GIF"), (39, 0), GREEN, 0, ""),
    "1 bit": (lambda: encode(Image.new("1", (20, 20), 1)), (3, 3), WHITE, 0, ""),
    "gray": (lambda: encode(Image.new("L", (20, 20), 77)), (3, 3), (77, 77, 77), 0, ""),
    "16-bit gray": (lambda: encode(array16(128 * 257)), (3, 3), GRAY, 0, "16-bit gray was converted to 8 bits."),
    "16-bit gray, nearly white": (lambda: encode(array16(65535)), (3, 3), WHITE, 0, "16-bit"),
    "16-bit gray, dark": (
        lambda: encode(array16(300)),
        (3, 3),
        (75, 75, 75),
        0,
        "Scaled from 10 bits, guessed from the largest value, 300.",
    ),
    "16-bit color": (lambda: rgb16(0x80FF), (3, 3), GRAY, 0, ""),
    "palette": (lambda: encode(quarters().convert("P")), (0, 0), RED, 0, ""),
    "half transparent red": (
        lambda: encode(Image.new("RGBA", (20, 20), (255, 0, 0, 128))),
        (3, 3),
        (255, 127, 127),
        0,
        "Transparent pixels were filled with white.",
    ),
    "hidden color": (
        lambda: encode(Image.new("RGBA", (20, 20), (255, 0, 0, 0))),
        (3, 3),
        WHITE,
        0,
        "Transparent pixels",
    ),
    "opaque alpha": (lambda: encode(Image.new("RGBA", (20, 20), (*RED, 255))), (3, 3), RED, 0, ""),
    "gray and alpha": (
        lambda: encode(Image.new("LA", (20, 20), (0, 51))),
        (3, 3),
        (204, 204, 204),
        0,
        "Transparent pixels",
    ),
    "webp with alpha": (
        lambda: encode(Image.new("RGBA", (20, 20), (0, 0, 255, 0)), "WEBP", lossless=True, exact=True),
        (3, 3),
        WHITE,
        0,
        "Transparent pixels",
    ),
    "transparent palette entry": (lambda: keyed("P", 0, 0), (3, 3), WHITE, 0, "Transparent pixels"),
    "other palette entry": (lambda: keyed("P", 1, 0), (3, 3), BLUE, 0, ""),
    "palette with levels": (lambda: keyed("P", 0, bytes([51, 255])), (3, 3), (255, 204, 204), 0, "Transparent pixels"),
    "transparent color": (lambda: keyed("RGB", RED, RED), (3, 3), WHITE, 0, "Transparent pixels"),
    "transparent gray": (lambda: keyed("L", 9, 9), (3, 3), WHITE, 0, "Transparent pixels"),
    "transparent 16-bit gray": (
        lambda: png(10, 10, 16, 0, (b"\0" + b"\x01\x02" * 10) * 10, chunk(b"tRNS", b"\x01\x02")),
        (3, 3),
        WHITE,
        0,
        "16-bit",
    ),
    "animated gif": (lambda: frames("GIF"), (3, 3), RED, 0, "First frame of an animation."),
    "animated png": (lambda: frames("PNG"), (3, 3), RED, 0, "First frame"),
    "animated webp": (lambda: frames("WEBP"), (3, 3), RED, 0, "First frame"),
    "exif that is broken": (
        lambda: encode(quarters(), "JPEG", quality=95, exif=b"Exif\0\0II*\0\xff\xff\xff\x7f"),
        (5, 5),
        RED,
        4,
        "",
    ),
    "exif orientation 99": (lambda: with_exif(quarters(), 99), (0, 0), RED, 0, ""),
    "jpeg turned by exif": (
        lambda: with_exif(quarters().transpose(Image.Transpose.ROTATE_90), 6, "JPEG", quality=95),
        (30, 5),
        GREEN,
        4,
        "Rotated according to its EXIF orientation.",
    ),
    "wide jpeg, reduced by its decoder": (
        lambda: encode(quarters(8200, 500), "JPEG"),
        (500, 30),
        RED,
        6,
        "Resized from 8200 × 500 to 2048 × 125.",
    ),
    "trailing junk": (lambda: encode(quarters()) + b"<script>", (0, 0), RED, 0, ""),
    "memoryview": (lambda: memoryview(encode(quarters())), (0, 0), RED, 0, ""),
    "binary file": (lambda: io.BytesIO(encode(quarters())), (0, 0), RED, 0, ""),
    "PIL image": (quarters, (39, 23), WHITE, 0, ""),
    "PIL image, mode I": (lambda: array16(65535).convert("I"), (3, 3), WHITE, 0, "16-bit"),
    "PIL image, mode F": (lambda: Image.new("F", (20, 20), 127.6), (3, 3), GRAY, 0, ""),
    "PIL image, mode F out of range": (lambda: Image.new("F", (20, 20), 1e9), (3, 3), WHITE, 0, ""),
    "PIL image, YCbCr": (lambda: Image.new("RGB", (20, 20), GRAY).convert("YCbCr"), (3, 3), GRAY, 1, ""),
    "PIL image, premultiplied": (
        lambda: Image.new("RGBa", (20, 20), (0, 0, 0, 0)),
        (3, 3),
        WHITE,
        0,
        "Transparent pixels",
    ),
    "array": (lambda: np.asarray(quarters()), (0, 23), BLUE, 0, ""),
    "gray array": (lambda: np.full((20, 30), 128, np.uint8), (29, 19), GRAY, 0, ""),
    "array of one channel": (lambda: np.full((20, 30, 1), 128, np.uint8), (29, 19), GRAY, 0, ""),
    "array with alpha": (lambda: np.zeros((20, 30, 4), np.uint8), (3, 3), WHITE, 0, "Transparent pixels"),
    "array, channels first": (lambda: np.asarray(quarters()).transpose(2, 0, 1), (0, 23), BLUE, 0, ""),
    "floats of 0..1": (lambda: np.asarray(quarters()) / 255, (39, 0), GREEN, 0, ""),
    "floats of 0..1, with rounding errors": (lambda: np.full((9, 9), 1.0001, np.float32), (3, 3), WHITE, 0, ""),
    "tensor": (lambda: torch.from_numpy(np.asarray(quarters()).copy()).permute(2, 0, 1), (0, 23), BLUE, 0, ""),
    "tensor of 0..1": (lambda: torch.full((3, 20, 30), 128 / 255, requires_grad=True), (29, 19), GRAY, 0, ""),
    "tensor of bfloat16, channels last": (
        lambda: torch.zeros(20, 30, 3, dtype=torch.bfloat16),
        (29, 19),
        (0, 0, 0),
        0,
        "",
    ),
    "uint16 gray array": (
        lambda: np.full((20, 30), 2048, np.uint16),
        (3, 3),
        GRAY,
        0,
        "12 bits, guessed from the largest value, 2048.",
    ),
    "uint16 color array": (
        lambda: np.full((3, 20, 30), 512, np.uint16),
        (3, 3),
        GRAY,
        0,
        "10 bits, guessed from the largest value, 512.",
    ),
    "array, strided": (lambda: np.asarray(quarters())[::-1, ::-1], (0, 0), WHITE, 0, ""),
    "smallest": (lambda: np.zeros((8, 8, 3), np.uint8), (7, 7), (0, 0, 0), 0, ""),
    "thinnest": (lambda: np.zeros((160, 8, 3), np.uint8), (7, 159), (0, 0, 0), 0, ""),
}

# name: (input, error class exactly, a word of the sentence)
REFUSED = {
    "nothing": (lambda: None, ImageUnreadable, "No image was given."),
    "a number": (lambda: 7, ImageUnreadable, "not an image"),
    "a list": (lambda: [[0, 0], [0, 0]], ImageUnreadable, "not an image"),
    "no bytes": (lambda: b"", ImageUnreadable, "empty"),
    "noise": (lambda: np.random.default_rng(1).bytes(5000), ImageUnreadable, "damaged or not"),
    "text": (lambda: b"hello, this is not an image", ImageUnreadable, "damaged or not"),
    "web page": (lambda: b"<!DOCTYPE html><html></html>", ImageUnreadable, "web page"),
    "svg": (lambda: b'<?xml version="1.0"?><svg xmlns="x"/>', ImageUnreadable, "SVG"),
    "pdf": (lambda: b"%PDF-1.7\n" + bytes(99), ImageUnreadable, "PDF"),
    "postscript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", ImageUnreadable, "PostScript"),
    "eps by Pillow": (lambda: encode(Image.new("RGB", (20, 20)), "EPS"), ImageUnreadable, "PostScript"),
    "eps, opened but not loaded": (unopened_eps, ImageUnreadable, "EPS"),
    "tiff": (lambda: encode(quarters(), "TIFF"), ImageUnreadable, "TIFF"),
    "heic": (lambda: b"\0\0\0\x18ftypheic" + bytes(99), ImageUnreadable, "HEIC"),
    "zip": (lambda: b"PK\x03\x04" + bytes(99), ImageUnreadable, "ZIP"),
    "jpeg 2000": (lambda: encode(quarters(), "JPEG2000"), ImageUnreadable, "JPEG 2000"),
    "icon": (lambda: encode(quarters(), "ICO"), ImageUnreadable, "damaged or not"),
    "ppm": (lambda: encode(quarters(), "PPM"), ImageUnreadable, "damaged or not"),
    "half a png": (lambda: half(noisy("PNG")), ImageUnreadable, "damaged"),
    "half a jpeg": (lambda: half(noisy("JPEG")), ImageUnreadable, "damaged"),
    "half a progressive jpeg": (lambda: half(noisy("JPEG", progressive=True)), ImageUnreadable, "damaged"),
    "half a webp": (lambda: half(noisy("WEBP")), ImageUnreadable, "damaged"),
    "half a gif": (lambda: half(noisy("GIF")), ImageUnreadable, "damaged"),
    "half a bmp": (lambda: half(noisy("BMP")), ImageUnreadable, "damaged"),
    "half an avif": (lambda: half(noisy("AVIF")), ImageUnreadable, "damaged"),
    "png signature only": (lambda: b"\x89PNG\r\n\x1a\n", ImageUnreadable, "damaged"),
    "jpeg signature only": (lambda: b"\xff\xd8\xff\xe0", ImageUnreadable, "damaged"),
    "png, wrong checksum": (lambda: noisy("PNG").replace(b"IDAT", b"IDAU"), ImageUnreadable, "damaged"),
    "png without pixels": (
        lambda: encode(quarters()).split(b"IDAT")[0][:-4] + chunk(b"IEND", b""),
        ImageUnreadable,
        "damaged",
    ),
    "gif, no frame": (lambda: b"GIF89a\x10\0\x10\0\0\0\0;", ImageUnreadable, "damaged"),
    "webp that only claims a size": (lambda: webp_header(4000, 4000), ImageUnreadable, "damaged"),
    "11 MB": (lambda: encode(quarters()) + bytes(11 * 2**20), ImageTooLarge, "larger than 10 MB"),
    "endless file": (lambda: open("/dev/zero", "rb"), ImageTooLarge, "larger than 10 MB"),  # noqa: SIM115
    "177 megapixels": (bomb, ImageTooLarge, "177 million"),
    "400 megapixels": (lambda: png(20000, 20000, 1, 0, b""), ImageTooLarge, "too many pixels"),
    "2 gigapixels on a side": (lambda: png(2**31 - 1, 2**31 - 1, 8, 6, b""), ImageTooLarge, "too many pixels"),
    "26 megapixels that cannot be reduced": (lambda: png(6500, 4000, 8, 2, b""), ImageTooLarge, "26 million"),
    "huge bmp header": (
        lambda: b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 60000, 60000, 1, 24, 0, 0, 0, 0, 0, 0),
        ImageTooLarge,
        "pixels",
    ),
    "huge gif header": (
        lambda: b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x44\x01\0;",
        ImageTooLarge,
        "pixels",
    ),
    "array of 60 megapixels": (
        lambda: np.broadcast_to(np.uint8(0), (6000, 10000, 3)),
        ImageTooLarge,
        "60 million",
    ),
    "one pixel": (lambda: encode(Image.new("RGB", (1, 1))), ImageError, "too small"),
    "seven pixels high": (lambda: encode(Image.new("RGB", (100, 7))), ImageError, "too small"),
    "empty array": (lambda: np.zeros((0, 9, 3), np.uint8), ImageError, "too small"),
    "a strip": (lambda: encode(Image.new("RGB", (8, 161))), ImageError, "too narrow"),
    "a line": (lambda: encode(Image.new("RGB", (65000, 8))), ImageError, "too narrow"),
    "normalized floats": (lambda: np.full((20, 20, 3), -1.5, np.float32), ImageUnreadable, "from -1.5 to -1.5"),
    "floats of 0..255": (lambda: np.full((20, 20, 3), 255.0), ImageUnreadable, "expected 0..1"),
    "floats with NaN": (lambda: torch.full((3, 20, 20), float("nan")), ImageUnreadable, "NaN or infinite"),
    "array of int64": (lambda: np.zeros((20, 20, 3), np.int64), ImageUnreadable, "int64"),
    "complex array": (lambda: np.zeros((20, 20), np.complex64), ImageUnreadable, "complex64"),
    "a batch": (lambda: torch.zeros(1, 3, 20, 20), ImageUnreadable, "(1, 3, 20, 20)"),
    "array of two channels": (lambda: np.zeros((20, 20, 2), np.uint8), ImageUnreadable, "(20, 20, 2)"),
    "flat array": (lambda: np.zeros(900, np.uint8), ImageUnreadable, "(900,)"),
    "mode F with NaN": (lambda: Image.new("F", (20, 20), float("nan")), ImageUnreadable, "NaN or infinite"),
    "text file": (lambda: io.StringIO("hello"), ImageUnreadable, "text"),
    "data: URL": (lambda: "data:image/png;base64,iVBORw0KGgo=", ImageUnreadable, "web address"),
    "DATA: URL": (lambda: "  DATA:image/png;base64,iVBORw0KGgo=", ImageUnreadable, "web address"),
    "http": (lambda: "http://127.0.0.1:9/a.png", ImageUnreadable, "web address"),
    "https": (lambda: "HTTPS://example.com/a.png", ImageUnreadable, "web address"),
    "pathlib's https": (lambda: Path("https://example.com/a.png"), ImageUnreadable, "web address"),
    "file URL": (lambda: "file:///etc/hostname", ImageUnreadable, "web address"),
    "name with a NUL": (lambda: "a\0.png", ImageUnreadable, "could not be read"),
    "name too long": (lambda: "a" * 9999, ImageUnreadable, "could not be read"),
    "device": (lambda: "/dev/zero", ImageUnreadable, "not a file"),
}


# --- what a decoder must not do: start programs, write, or reach for the network -------------------------------------

_effects: list[tuple] = []
_listening = False


def _watch(event: str, args: tuple) -> None:
    if not _listening:
        return
    wrote = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if wrote or event in ("subprocess.Popen", "os.system", "os.posix_spawn", "socket.connect", "socket.getaddrinfo"):
        _effects.append((event, args))


@pytest.fixture(scope="module", autouse=True)
def audit():
    Image.init()  # Pillow imports its plugins once, and may write byte code while at it
    sys.addaudithook(_watch)  # cannot be removed: it is switched instead


@pytest.fixture
def effects():
    """Programs started, files written and addresses asked for since the test began."""
    global _listening
    _effects.clear()
    _listening = True
    yield _effects
    _listening = False


# --- the table -------------------------------------------------------------------------------------------------------


def test_at_least_forty_inputs_are_tested():
    assert len(IMAGES) + len(REFUSED) >= 40


@pytest.mark.parametrize("name", IMAGES)
def test_unusual_inputs_have_known_pixels(name, effects):
    make, (x, y), expected, tolerance, note = IMAGES[name]
    source = make()
    effects.clear()
    image = decode(source)
    assert image.rgb.dtype == np.uint8
    assert not image.rgb.flags.writeable
    assert np.abs(image.rgb[y, x].astype(int) - expected).max() <= tolerance
    assert image.notes == () if note == "" else note in " ".join(image.notes)
    assert effects == []


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_inputs_raise_a_message(name, effects):
    make, kind, message = REFUSED[name]
    source = make()
    effects.clear()
    with pytest.raises(ImageError) as caught:
        decode(source, limits=UPLOAD_LIMITS)
    error = caught.value
    assert type(error) is kind
    assert message in error.what
    assert error.what.endswith(".")
    assert error.remedy.endswith(".")
    assert "/" not in str(error), "a path reached the visitor"
    assert effects == []
    if hasattr(source, "close"):
        source.close()


def test_random_damage_gives_image_or_message():
    random = np.random.default_rng(7)
    answers = {"image": 0, "sentence": 0}
    for kind in images.FORMATS:
        good = np.frombuffer(noisy(kind), np.uint8)
        for _ in range(40):
            bad = good.copy()
            bad[random.integers(0, len(bad), 8)] = random.integers(0, 256, 8)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    decode(bad.tobytes())
                answers["image"] += 1
            except ImageError:
                answers["sentence"] += 1
    assert answers["image"] + answers["sentence"] == 240
    assert min(answers.values()) > 20  # the damage is neither harmless nor always fatal


# --- paths -----------------------------------------------------------------------------------------------------------


def test_decoding_a_path_writes_no_file(tmp_path, effects):
    path = tmp_path / "photo.png"
    path.write_bytes(encode(quarters()))
    effects.clear()
    assert decode(path) == decode(str(path)) == decode(path.read_bytes())
    assert effects == []
    assert [file.name for file in tmp_path.iterdir()] == ["photo.png"]


def make_missing(path: Path) -> None: ...


def make_fifo(path: Path) -> None:
    os.mkfifo(path)  # opening it would wait for ever


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (make_missing, "could not be read"),
        (Path.mkdir, "not a file"),
        (make_fifo, "not a file"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_bytes(half(noisy("JPEG"))), "damaged"),
        (lambda path: path.write_bytes(encode(Image.new("RGB", (20, 20)), "EPS")), "PostScript"),
    ],
)
def test_messages_name_paths_without_folder(tmp_path, make, message):
    path = tmp_path / "my photo.jpg"
    make(path)
    with pytest.raises(ImageUnreadable, match=message) as caught:
        decode(path, name=str(path))
    assert str(caught.value).startswith("“my photo.jpg” ")
    assert str(tmp_path) not in str(caught.value)
    assert tmp_path.name not in str(caught.value)


def test_names_in_messages_are_short_and_printable():
    with pytest.raises(ImageUnreadable) as caught:
        decode(b"", name="C:\\Users\\me\\ho\x1b[31m\nliday\u202e" + "y" * 500)
    assert str(caught.value).startswith("“ho[31mlidayy")
    assert len(str(caught.value)) < 160


# --- limits ----------------------------------------------------------------------------------------------------------


def test_decompression_bomb_is_refused_by_its_header(monkeypatch):
    loads = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: loads.append(self.size))
    data = bomb()
    assert len(data) < 30_000
    with pytest.raises(ImageTooLarge, match="13300 × 13300"):
        decode(data)
    assert loads == []


def test_only_baseline_jpeg_may_have_fifty_megapixels():
    # An honest image's height and width are overwritten in its header; libjpeg fills what is missing with gray.
    baseline, progressive = (
        encode(Image.new("RGB", (16, 16)), "JPEG", progressive=progressive) for progressive in (False, True)
    )
    claim, honest = struct.pack(">HH", 5000, 8000), struct.pack(">HH", 16, 16)
    image = decode(baseline.replace(b"\x08" + honest, b"\x08" + claim), limits=UPLOAD_LIMITS)
    assert image.original_size == (8000, 5000)
    assert image.size == (2048, 1280)
    with pytest.raises(ImageTooLarge, match=r"\(40 million\); the limit is 25 million"):
        decode(progressive.replace(b"\x08" + honest, b"\x08" + claim), limits=UPLOAD_LIMITS)


def test_memory_error_is_a_message(monkeypatch):
    def load(self):
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    with pytest.raises(ImageTooLarge, match="Reduce its size"):
        decode(encode(quarters()))


def test_a_wide_jpeg_is_decoded_at_half_size(monkeypatch):
    """Reduced by its decoder, a gradient of 8200 pixels still reads x / width at every place."""
    loaded, load = [], ImageFile.ImageFile.load
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: (loaded.append(self.size), load(self))[1])
    ramp = np.broadcast_to(np.linspace(0, 255, 8200)[None, :, None], (500, 8200, 3)).astype(np.uint8)
    image = decode(encode(Image.fromarray(ramp), "JPEG", quality=95))
    assert loaded[0] == (4100, 250)
    assert image.original_size == (8200, 500)
    assert image.size == (2048, 125)
    expected = (np.arange(2048) + 0.5) / 2048 * 255
    assert np.abs(image.rgb[60, :, 0] - expected).max() < 2


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA", "I;16", "F"])
def test_fine_checkerboard_is_averaged(mode):
    """Pillow resizes P and 1 by picking pixels: the board would come out black or white."""
    board = Image.fromarray((np.indices((400, 4096)).sum(0) % 2 * 255).astype(np.uint8))
    if mode == "I;16":
        board = Image.fromarray(np.asarray(board).astype(np.uint16) * 257)
    image = decode(board.convert(mode))
    assert image.size == (2048, 200)
    inner = image.rgb[2:-2, 2:-2].astype(int)  # away from the borders, where the filter is cut off
    assert np.abs(inner - 127.5).max() < 1


def test_files_have_higher_limits_than_uploads():
    """45 megapixels of any format and 100 MB; an upload's remedy names the command line, a file's the option."""
    whole = png(9000, 5000, 1, 0, bytes((1 + 9000 // 8) * 5000))
    padded = encode(quarters()) + bytes(99 * 2**20)
    assert decode(whole).original_size == (9000, 5000)
    assert decode(padded).size == quarters().size
    for data in (whole, padded):
        with pytest.raises(ImageTooLarge, match="use the command line, which accepts larger files"):
            decode(data, limits=UPLOAD_LIMITS)
    large = png(9000, 6000, 1, 0, bytes((1 + 9000 // 8) * 6000))
    with pytest.raises(ImageTooLarge, match=r"\(54 million\); the limit is 50 million.*--max-megapixels"):
        decode(large)
    assert decode(large, limits=FILE_LIMITS.scaled(54)).original_size == (9000, 6000)
    with pytest.raises(ImageTooLarge, match="the limit is 45 million"):
        decode(large, limits=FILE_LIMITS.scaled(45))


def test_limits_scale_bytes_with_pixels():
    assert FILE_LIMITS.scaled(20).max_bytes == FILE_LIMITS.max_bytes == 100 * 2**20
    assert FILE_LIMITS.scaled(200).max_bytes == 400 * 2**20


def test_a_file_of_200_megapixels_is_decoded_where_allowed(monkeypatch):
    """Above twice Pillow's own limit its Image.open refuses by itself."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    data = png(20_000, 10_000, 1, 0, bytes((1 + 20_000 // 8) * 10_000))
    with pytest.raises(ImageTooLarge, match="too many pixels"):
        decode(data)
    assert decode(data, limits=FILE_LIMITS.scaled(200)).size == (2048, 1024)


# --- formats of files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "compression"),
    [("RGB", "jpeg"), ("L", "jpeg"), ("1", "group4"), ("1", "raw")]
    + [(mode, method) for mode in ("RGB", "L", "P", "RGBA", "CMYK") for method in ("raw", "tiff_lzw", "tiff_deflate")],
)
def test_tiff_is_read_where_files_are(mode, compression):
    source = quarters().convert(mode)
    data = encode(source, "TIFF", compression=compression)
    image = decode(data, limits=FILE_LIMITS)
    assert np.abs(image.rgb.astype(int) - np.asarray(source.convert("RGB"))).mean() < 3
    with pytest.raises(ImageUnreadable, match="is a TIFF or"):
        decode(data)


def test_tiff_is_upright_and_of_one_page():
    stored = quarters().transpose(Image.Transpose.ROTATE_90)
    tags = {274: 6}
    data = encode(stored, "TIFF", tiffinfo=tags, save_all=True, append_images=[stored])
    image = decode(data, limits=FILE_LIMITS)
    assert np.array_equal(image.rgb, np.asarray(quarters()))
    assert image.original_size == quarters().size
    assert image.notes == ("Rotated according to its EXIF orientation.", "First page of several.")


@pytest.mark.parametrize("tags", [{254: 1}, {50706: b"\1\4\0\0"}], ids=["NEF and ARW", "DNG"])
def test_raw_files_are_refused_not_their_previews(tags):
    data = encode(quarters(), "TIFF", tiffinfo=tags)
    with pytest.raises(ImageUnreadable, match="is a camera's raw file"):
        decode(data, limits=FILE_LIMITS)


def test_heic_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(images, "register_heif", lambda: False)
    data = b"\0\0\0\x18ftypheic" + bytes(99)
    with pytest.raises(ImageUnreadable, match=r"is a HEIC photo.*pip install pillow-heif"):
        decode(data, limits=FILE_LIMITS)
    with pytest.raises(ImageUnreadable, match=r"is a HEIC photo.*Convert it to JPEG or PNG"):
        decode(data, limits=UPLOAD_LIMITS)


# --- what decoding means ---------------------------------------------------------------------------------------------


def test_sixteen_bit_ramp_is_rescaled():
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    image = decode(encode(Image.fromarray(ramp)))
    assert np.array_equal(image.rgb[:, :, 1], np.rint(ramp / 257).astype(np.uint8))


def gray16(values: np.ndarray, extra: bytes = b"") -> bytes:
    """A 16-bit gray PNG with additional chunks."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(values.shape[1], values.shape[0], 16, 0, rows, extra)


def rgb16_png(values: np.ndarray, extra: bytes = b"") -> bytes:
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(values.shape[1], values.shape[0], 16, 2 if values.shape[2] == 3 else 6, rows, extra)


@pytest.mark.parametrize(
    ("largest", "bits"),
    [(0, 10), (200, 10), (1023, 10), (1024, 12), (4095, 12), (4096, 14), (16383, 14), (16384, 16), (65535, 16)],
)
@pytest.mark.parametrize("kind", ["gray", "color", "alpha", "TIFF", "color TIFF"])
def test_sixteen_bit_samples_are_scaled_by_a_guess(kind, largest, bits):
    values = np.linspace(0, largest, 12 * 20).astype(np.uint16).reshape(12, 20)
    color = np.dstack([values, values // 2, values // 3, np.full_like(values, largest)])
    data = {
        "gray": lambda: gray16(values),
        "color": lambda: rgb16_png(color[..., :3]),
        "alpha": lambda: rgb16_png(color),
        "TIFF": lambda: encode(Image.fromarray(values), "TIFF"),
        "color TIFF": lambda: cv2.imencode(".tif", color[..., 2::-1])[1].tobytes(),
    }[kind]()
    image = decode(data, limits=FILE_LIMITS)
    top = 2**bits - 1
    if kind == "alpha":
        values = values * (largest / top) + top * (1 - largest / top)
    assert np.abs(image.rgb[..., 0] - values / top * 255).max() <= 1
    note = f"Scaled from {bits} bits, guessed from the largest value, {largest}."
    assert (note in image.notes) == (bits < 16 or kind in ("gray", "TIFF"))


@pytest.mark.parametrize(
    ("stated", "largest", "bits"), [(12, 900, 12), (10, 1023, 10), (14, 9, 14), (16, 900, 16), (12, 65520, 16)]
)
def test_png_sbit_decides(stated, largest, bits):
    """The last of these is as the specification asks: 12 bits that were scaled to 16."""
    values = np.full((9, 9), largest, np.uint16)
    image = decode(gray16(values, chunk(b"sBIT", bytes([stated]))))
    assert image.rgb[3, 3, 0] == round(largest / (2**bits - 1) * 255)
    assert image.notes[-1] == f"Scaled from {bits} bits, as the file states."
    color = decode(rgb16_png(np.dstack([values] * 3), chunk(b"sBIT", bytes([stated] * 3))))
    assert abs(int(color.rgb[3, 3, 0]) - largest / (2**bits - 1) * 255) <= 1


def test_tiff_bits_per_sample_decides():
    """Pillow writes no TIFF of 12 bits: two samples are three bytes."""
    packed = bytes.fromhex("384384") * 5 * 10  # 0x384 = 900
    entries = [(256, 4, 1, 10), (257, 4, 1, 10), (258, 3, 1, 12), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 134),
               (277, 3, 1, 1), (278, 4, 1, 10), (279, 4, 1, len(packed))]  # fmt: skip
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    data = (b"II*\0\x08\0\0\0" + directory + bytes(4)).ljust(134, b"\0") + packed
    image = decode(data, limits=FILE_LIMITS)
    assert image.rgb[3, 3, 0] == round(900 / 4095 * 255)
    assert image.notes[-1] == "Scaled from 12 bits, as the file states."


def test_transparent_gray_does_not_count_as_the_largest():
    values = np.full((10, 10), 1000, np.uint16)
    values[0] = 65535
    image = decode(gray16(values, chunk(b"tRNS", b"\xff\xff")))
    assert image.rgb[5, 5, 0] == round(1000 / 1023 * 255)
    assert image.rgb[0, 0, 0] == 255


def test_every_exif_orientation_is_upright():
    turn = Image.Transpose
    undo = {  # how a camera that writes this orientation stored the image
        1: None,
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_90,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_270,
    }
    upright = Image.fromarray(np.random.default_rng(3).integers(0, 256, (23, 41, 3), np.uint8))
    for orientation, method in undo.items():
        stored = upright if method is None else upright.transpose(method)
        for kind, options in (("PNG", {}), ("WEBP", {"lossless": True})):
            data = with_exif(stored, orientation, kind, **options)
            assert np.array_equal(np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))), upright)
            image = decode(data)
            assert np.array_equal(image.rgb, np.asarray(upright)), (kind, orientation)
            assert image.size == image.original_size == (41, 23)
            assert image.notes == (() if orientation == 1 else ("Rotated according to its EXIF orientation.",))


def test_sizes_of_a_rotated_image_are_upright():
    image = decode(with_exif(quarters(2400, 1200), 6, "JPEG"))
    assert image.original_size == (1200, 2400)
    assert image.size == (1024, 2048)
    assert image.notes == (
        "Rotated according to its EXIF orientation.", "Resized from 1200 × 2400 to 1024 × 2048."
    )  # fmt: skip


def test_digest_is_of_pixels_not_of_files():
    pixels = np.asarray(quarters()).copy()
    as_png, as_bmp = decode(encode(quarters(), "PNG")), decode(encode(quarters(), "BMP"))
    assert as_png.sha256 == as_bmp.sha256
    assert as_png == as_bmp
    assert hash(as_png) == hash(as_bmp)
    pixels[3, 3, 2] ^= 1
    assert decode(pixels).sha256 != as_png.sha256
    wide, tall = (decode(np.zeros(shape, np.uint8)) for shape in ((10, 20, 3), (20, 10, 3)))
    assert wide.sha256 != tall.sha256  # the same bytes in another shape


def test_source_object_is_not_changed():
    source = Image.new("RGB", (3000, 1500), RED)
    assert decode(source).size == (2048, 1024)
    assert source.size == (3000, 1500)
    array = np.zeros((20, 20, 3), np.uint8)
    image = decode(array)
    array[:] = 9
    assert image.rgb.max() == 0


def test_image_is_immutable():
    image = decode(encode(quarters()))
    with pytest.raises(ValueError, match="read-only"):
        image.rgb[0, 0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        image.notes = ("changed",)


# --- the model's view ------------------------------------------------------------------------------------------------


def photo(width: int, height: int, seed: int = 0) -> SourceImage:
    return decode(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


@pytest.mark.parametrize(("image_size", "crop_pct"), [(224, 0.9), (224, 0.95), (384, 1.0), (128, 0.875), (225, 0.9)])
@pytest.mark.parametrize("size", [(640, 480), (480, 640), (301, 199), (199, 302), (224, 224), (97, 50), (20, 400)])
def test_prepare_equals_timms_evaluation_transform(size, image_size, crop_pct):
    from timm.data import create_transform

    image = photo(*size)
    transform = create_transform(image_size, is_training=False, interpolation="bicubic", crop_pct=crop_pct)
    expected = transform(Image.fromarray(image.rgb))
    model_input = prepare(image, image_size=image_size, crop_pct=crop_pct)
    assert model_input.tensor.dtype == torch.float32
    assert torch.equal(model_input.tensor[0], expected)
    assert model_input.crop.shape == (image_size, image_size, 3)
    assert model_input.source_size == size
    assert not model_input.crop.flags.writeable


@pytest.mark.parametrize(
    "name",  # colors, interpolation, crop and whether proportions are kept differ
    ["vit_small_patch16_224", "test_resnet", "resnet50.gluon_in1k", "dm_nfnet_f0"],
)
@pytest.mark.parametrize("size", [(301, 199), (199, 302)])
def test_backbone_input_equals_timms_transform(name, size):
    from timm import get_pretrained_cfg
    from timm.data import create_transform, resolve_data_config

    config = get_pretrained_cfg(name).to_dict()
    image = photo(*size)
    expected = create_transform(**resolve_data_config(pretrained_cfg=config))(Image.fromarray(image.rgb))
    assert torch.equal(prepare_for(image, spec_of(f"timm:{name}")[0]).tensor[0], expected)


def test_prepare_for_uses_the_spec():
    image = photo(90, 70)
    prepared, plain = prepare_for(image, VARIANTS["transxnet_b"]), prepare(image, image_size=224, crop_pct=0.95)
    assert torch.equal(prepared.tensor, plain.tensor)
    assert prepared.crop_box == plain.crop_box


def pixels_of(model_input: ModelInput) -> Geometry:
    """Where the pixels of the model input lie in the source image."""
    return grid_geometry(model_input, model_input.crop.shape[:2], 1.0)


def test_squash_keeps_the_entire_image():
    model_input = prepare(photo(120, 60), image_size=32, crop_pct=1.0, crop_mode="squash")
    assert model_input.crop_box == (0, 0, 120, 60)
    assert pixels_of(model_input).to_source(15.5, 15.5) == (59.5, 29.5)


@pytest.mark.parametrize("options", [{"interpolation": "random"}, {"crop_mode": "border"}])
def test_unknown_interpolation_or_crop_is_refused(options):
    with pytest.raises(OutOfRange, match=r"lanczos, box, hamming, and one of center, squash"):
        prepare(photo(90, 70), image_size=64, crop_pct=1.0, **options)


def test_tensor_equals_the_normalized_crop():
    model_input = prepare(photo(90, 70), image_size=64, crop_pct=0.9)
    mean, std = np.float32(images.IMAGENET_MEAN), np.float32(images.IMAGENET_STD)
    back = model_input.tensor[0].permute(1, 2, 0).numpy() * std + mean
    assert np.abs(back * 255 - model_input.crop).max() < 1e-3


def test_image_of_model_size_is_unchanged():
    image = photo(64, 64)
    model_input = prepare(image, image_size=64, crop_pct=1.0)
    assert np.array_equal(model_input.crop, image.rgb)
    assert model_input.crop_box == (0, 0, 64, 64)
    assert pixels_of(model_input).to_source(5, 7) == (5, 7)


def test_crop_box_includes_rounding():
    # short side floor(224 / 0.9) = 248; long side int(248 * 640 / 480) = 330; offsets round(53) and round(12)
    model_input = prepare(photo(640, 480), image_size=224, crop_pct=0.9)
    assert model_input.crop_box == pytest.approx((53 * 640 / 330, 12 * 480 / 248, 277 * 640 / 330, 236 * 480 / 248))
    # short side 235, long side int(235 * 500 / 333) = 352; 5.5 and 64 round to the even 6 and 64
    model_input = prepare(photo(333, 500), image_size=224, crop_pct=0.95)
    assert model_input.crop_box == pytest.approx((6 * 333 / 235, 64 * 500 / 352, 230 * 333 / 235, 288 * 500 / 352))


@pytest.mark.parametrize(("width", "height"), [(256, 200), (180, 250), (255, 255)])
@pytest.mark.parametrize(("image_size", "crop_pct"), [(48, 0.9), (64, 1.0), (400, 0.95)])
def test_ramp_gives_its_coordinates(width, height, image_size, crop_pct):
    """Red holds x and green holds y: bicubic resampling keeps a ramp, so each view pixel names its place."""
    y, x = np.mgrid[:height, :width]
    image = decode(np.stack([x, y, 0 * x], axis=2).astype(np.uint8))
    model_input = prepare(image, image_size=image_size, crop_pct=crop_pct)
    inner = slice(3 * image_size // 16, -3 * image_size // 16)  # the filter meets no border here
    row, column = (axis[inner, inner] for axis in np.mgrid[:image_size, :image_size])
    upload_x, upload_y = pixels_of(model_input).to_source(column, row)
    assert np.abs(model_input.crop[inner, inner, 0] - upload_x).max() < 0.6  # half a level of rounding, and a little
    assert np.abs(model_input.crop[inner, inner, 1] - upload_y).max() < 0.6


def test_positions_convert_both_ways():
    model_input = prepare(photo(301, 199), image_size=96, crop_pct=0.9)
    pixels = pixels_of(model_input)
    for position in [(0, 0), (95, 95), (12.25, 80.5), (-7, 130)]:
        assert pixels.to_input(*pixels.to_source(*position)) == pytest.approx(position)
    x0, y0, x1, y1 = model_input.crop_box
    assert pixels.to_input(x0 - 0.5, y0 - 0.5) == pytest.approx((-0.5, -0.5))
    assert pixels.to_input(x1 - 0.5, y1 - 0.5) == pytest.approx((95.5, 95.5))


@pytest.mark.parametrize(("image_size", "crop_pct"), [(0, 0.9), (224, 0.0), (224, 1.1), (224, float("nan"))])
def test_impossible_sizes_are_refused(image_size, crop_pct):
    with pytest.raises(OutOfRange, match="is not possible"):
        prepare(photo(20, 20), image_size=image_size, crop_pct=crop_pct)
