"""What a file's structure gives away before a decoder sees it."""

from __future__ import annotations

import io
import struct
import time
import zlib
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageFile

from transxnet import images
from transxnet.errors import ImageTooLarge, ImageUnreadable
from transxnet.image_structure import (
    MAX_GIF_COMMENTS,
    MAX_JPEG_SEGMENTS,
    MAX_PNG_CHUNKS,
    check_structure,
    strip_png,
)
from transxnet.images import FILE_LIMITS, UPLOAD_LIMITS

decode = partial(images.decode, limits=UPLOAD_LIMITS)


def encode(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def source_crop(mode: str = "RGB", side: int = 64) -> Image.Image:
    noise = np.random.default_rng(3).integers(0, 256, (side, side, 3), np.uint8)
    return Image.fromarray(noise).convert(mode)


def segment(code: int, content: bytes) -> bytes:
    return b"\xff" + bytes([code]) + struct.pack(">H", len(content) + 2) + content


def chunk(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def behind_header(data: bytes, inserted: bytes, size: int) -> bytes:
    return data[:size] + inserted + data[size:]


def scan_bomb(scans: int, side: int = 4992) -> bytes:
    """A progressive JPEG whose last scan, of a few bytes, is repeated until there are so many."""
    data = encode(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    last = data[data.rfind(b"\xff\xda") : -2]
    return data[:-2] + last * (scans - check_structure(data)) + b"\xff\xd9"


def resized(data: bytes, width: int, height: int) -> bytes:
    """The JPEG with another size in its header; libjpeg fills what is missing with gray."""
    frame = next(data.find(b"\xff" + bytes([code])) for code in (0xC0, 0xC2) if b"\xff" + bytes([code]) in data)
    return data[: frame + 5] + struct.pack(">HH", height, width) + data[frame + 9 :]


PROGRESSIVE = encode(source_crop(), "JPEG", progressive=True)
BASELINE = encode(source_crop(), "JPEG")
THUMBNAIL = segment(0xE1, b"Exif\0\0" + PROGRESSIVE)
# name: (file, scans)
SCANS = {
    "baseline": (BASELINE, 1),
    "progressive, color": (PROGRESSIVE, 10),
    "progressive, gray": (encode(source_crop("L"), "JPEG", progressive=True), 6),
    "restart markers": (encode(source_crop(), "JPEG", restart_marker_blocks=1), 1),
    "thumbnail in EXIF": (behind_header(BASELINE, THUMBNAIL, 2), 1),
    "progressive, thumbnail": (behind_header(PROGRESSIVE, THUMBNAIL, 2), 10),
    "fill bytes": (PROGRESSIVE.replace(b"\xff\xda", b"\xff" * 40 + b"\xda").replace(b"\xff\xc4", b"\xff\xff\xc4"), 10),
    "zeros between segments": (behind_header(PROGRESSIVE, b"\0" * 900, 20), 10),
    "a marker inside a comment": (behind_header(BASELINE, segment(0xFE, b"\xff\xda\0\x08" * 9), 2), 1),
    "two images in a file": (encode(source_crop(), "MPO", save_all=True, append_images=[source_crop()]), 1),
    "bytes behind the end": (BASELINE + PROGRESSIVE, 1),
    "cut off": (PROGRESSIVE[: PROGRESSIVE.rfind(b"\xff\xda") + 4], 10),
    "a PNG": (encode(source_crop(), "PNG"), 0),
    "nothing": (b"", 0),
}


@pytest.mark.parametrize("name", SCANS)
def test_scans_are_counted_by_markers(name):
    data, scans = SCANS[name]
    assert check_structure(data) == scans


def test_a_scan_bomb_is_refused_undecoded(monkeypatch):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded"))
    data = scan_bomb(2_000)
    assert len(data) < 200_000
    with pytest.raises(
        ImageTooLarge, match=r"4992 × 4992 pixels in 2000 scans \(49840 million pixels in total\)"
    ) as caught:
        decode(data, name="bomb.jpg")
    assert caught.value.remedy == "Convert it to JPEG or PNG."


def test_the_limit_is_scans_times_pixels():
    limits = replace(UPLOAD_LIMITS, max_scanned_pixels=10 * 64 * 64)
    assert decode(PROGRESSIVE, limits=limits).size == (64, 64)
    with pytest.raises(ImageTooLarge, match="in 11 scans"):
        decode(scan_bomb(11, side=64), limits=limits)


def test_a_camera_file_stays_within_the_limit():
    assert UPLOAD_LIMITS.max_scanned_pixels > 25_000_000 * 10
    assert decode(scan_bomb(24, side=640)).size == (640, 640)


def test_baseline_jpeg_in_scans_has_the_lower_limit():
    """It cannot be reduced while it is decoded either, so it may not have 50 million pixels."""
    scan = BASELINE[BASELINE.find(b"\xff\xda") : -2]
    repeated = BASELINE[:-2] + scan + b"\xff\xd9"
    assert decode(resized(BASELINE, 8000, 5000)).original_size == (8000, 5000)
    with pytest.raises(ImageTooLarge, match=r"\(40 million\); the limit is 25 million"):
        decode(resized(repeated, 8000, 5000))


@pytest.mark.parametrize(("kind", "mode"), [("WEBP", "RGB"), ("WEBP", "RGBA"), ("AVIF", "RGBA")])
def test_formats_with_canvases_have_a_lower_limit(kind, mode):
    limits = replace(UPLOAD_LIMITS, max_pixels_canvas=64 * 64 - 1)
    transparent = source_crop()
    transparent.putalpha(99)
    with pytest.raises(ImageTooLarge, match="64 × 64"):
        decode(encode(transparent if mode == "RGBA" else source_crop(), kind), limits=limits)
    assert decode(encode(source_crop(), "AVIF"), limits=limits).size == (64, 64)


def test_webp_of_24_megapixels_is_refused():
    with pytest.raises(ImageTooLarge, match="the limit is 15 million"):
        decode(encode(Image.new("RGB", (4990, 4990)), "WEBP", lossless=True, quality=0, method=0))


# --- work that grows faster than the file ----------------------------------------------------------------------------


def shared_exif(entries: int, size: int) -> bytes:
    """EXIF whose entries all refer to the same bytes: read, they are `entries` times `size` bytes."""
    directory = b"II*\0\x08\0\0\0" + struct.pack("<H", entries)
    directory += b"".join(struct.pack("<HHII", 0x1000 + i, 7, size, 8) for i in range(entries)) + bytes(4)
    return directory + bytes(max(0, size + 8 - len(directory)))


def with_exif(data: bytes, exif: bytes) -> bytes:
    """A JPEG whose EXIF is split into as many segments as it needs, and which has no density of its own."""
    parts = [segment(0xE1, b"Exif\0\0" + exif[i : i + 60_000]) for i in range(0, len(exif), 60_000)]
    return data[:2] + b"".join(parts) + data[20:]


def big_tiff(entries: int, size: int) -> bytes:
    """The same in a BigTIFF, whose offsets have 64 bits."""
    directory = b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, entries)
    directory += b"".join(struct.pack("<HHQQ", 0x1000 + i, 7, size, 16) for i in range(entries)) + bytes(8)
    return directory + bytes(size)


def tiff_with_exif(entries: int, size: int) -> bytes:
    """A TIFF whose EXIF directory is such a one."""
    first = b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0)
    directory = struct.pack("<H", entries)
    directory += b"".join(struct.pack("<HHII", 0x1000 + i, 7, size, 8) for i in range(entries)) + bytes(4)
    return first + directory + bytes(size)


def tiff_pages(pages: int) -> bytes:
    """Empty directories, each followed by the next."""
    return b"II*\0\x08\0\0\0" + b"".join(struct.pack("<HI", 0, 8 + 6 * (i + 1)) for i in range(pages))


PNG, GIF = encode(source_crop(), "PNG"), encode(source_crop(), "GIF")
GIF_HEADER = 13 + 3 * 256
EXCESSIVE = {
    "JPEG segments": lambda: behind_header(BASELINE, segment(0xFE, b"") * (MAX_JPEG_SEGMENTS + 1), 2),
    "JPEG fill bytes": lambda: behind_header(BASELINE, b"\xff" * 2**20, 2),
    "JPEG junk and no scan": lambda: BASELINE[:20] + bytes(2**20),
    "JPEG, segments behind an early end": lambda: behind_header(BASELINE, b"\xff\xd9" + segment(0xFE, b"") * 2000, 20),
    "JPEG, EXIF in many segments": lambda: behind_header(
        BASELINE, segment(0xE1, b"Exif\0\0" + bytes(90)) * (MAX_JPEG_SEGMENTS + 1), 2
    ),
    "JPEG, EXIF entries share bytes": lambda: with_exif(BASELINE, shared_exif(300, 100_000)),
    "JPEG, MPO index shares bytes": lambda: behind_header(
        BASELINE, segment(0xE2, b"MPF\0" + shared_exif(999, 40_000)), 2
    ),
    "JPEG, EXIF prefixes": lambda: with_exif(BASELINE, b"Exif\0\0" * 9_999),
    "PNG chunks": lambda: behind_header(PNG, chunk(b"prVt") * MAX_PNG_CHUNKS, 33),
    "PNG, empty chunks of pixels": lambda: behind_header(PNG, chunk(b"IDAT") * MAX_PNG_CHUNKS, 33),
    "PNG, chunks behind the pixels": lambda: PNG[:-12] + chunk(b"prVt") * MAX_PNG_CHUNKS + PNG[-12:],
    "GIF, a long comment": lambda: behind_header(GIF, b"!\xfe" + (b"\xff" + b"!" * 255) * 5_000 + b"\0", GIF_HEADER),
    "GIF comments": lambda: behind_header(GIF, b"!\xfe\x01a\0" * (MAX_GIF_COMMENTS + 1), GIF_HEADER),
    "GIF comments behind the frame": lambda: GIF[:-1] + b"!\xfe\x01a\0" * (MAX_GIF_COMMENTS + 1) + b";",
    "GIF comments behind an empty block": lambda: behind_header(
        GIF, b"!\x99\0\x01a\0" + b"!\xff\x0bNETSCAPE2.0\0\x01a\0" + b"!\xfe\x01a\0" * (MAX_GIF_COMMENTS + 1), GIF_HEADER
    ),
    "TIFF, entries share bytes": lambda: shared_exif(300, 100_000),
    "BigTIFF, entries share bytes": lambda: big_tiff(300, 100_000),
    "TIFF, EXIF entries share bytes": lambda: tiff_with_exif(300, 100_000),
    "TIFF pages": lambda: tiff_pages(10_001),
    "AVIF, EXIF entries share bytes": lambda: avif_with_exif(shared_exif(300, 100_000)),
}  # fmt: skip


def avif_with_exif(exif: bytes) -> bytes:
    """As an encoder without Pillow's checks writes it: an honest EXIF of the same length is exchanged for it."""
    honest = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHII", 0x9999, 7, len(exif) - 26, 26) + bytes(4)
    honest += b"\x55" * (len(exif) - len(honest))
    data = encode(source_crop(), "AVIF", exif=honest)
    assert honest in data
    return data.replace(honest, exif)


@pytest.mark.parametrize("name", EXCESSIVE)
def test_excessive_metadata_is_refused_unopened(name, monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *args, **options: pytest.fail("opened"))
    data = EXCESSIVE[name]()
    assert len(data) < UPLOAD_LIMITS.max_bytes
    with pytest.raises(ImageUnreadable, match="contains far more metadata than an image needs"):
        decode(data, limits=FILE_LIMITS)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_shared_exif_is_not_read_after_decoding(kind, monkeypatch):
    data = encode(source_crop(), kind, exif=b"Exif\0\0" + shared_exif(300, 100_000))
    monkeypatch.setattr(Image.Exif, "load", lambda *args: pytest.fail("read"))
    assert decode(data).notes == ()


def test_shared_exif_in_png_text_is_not_read(monkeypatch):
    profile = "\nexif\n 1\n" + shared_exif(300, 10_000).hex()
    text = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile.encode()))
    monkeypatch.setattr(Image.Exif, "load", lambda *args: pytest.fail("read"))
    assert decode(behind_header(PNG, text, 33)).notes == ()


# --- what is no excess ------------------------------------------------------------------------------------------------


def turned_exif(value: int = 6) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = value
    exif[ExifTags.Base.Software] = "a camera " * 20
    exif[ExifTags.Base.ImageDescription] = "words " * 900
    return exif.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "MPO"])
def test_ordinary_exif_still_rotates(kind):
    upright, turned = source_crop(), decode(encode(source_crop(), kind, exif=turned_exif()))
    assert turned.notes == ("Rotated according to its EXIF orientation.",)
    assert turned.size == upright.size


def test_exif_in_png_text_still_rotates():
    profile = "\nexif\n 1\n" + turned_exif().hex()
    text = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile.encode()))
    assert decode(behind_header(PNG, text, 33)).notes == ("Rotated according to its EXIF orientation.",)


def test_large_color_profiles_and_texts_are_read():
    assert decode(encode(source_crop(), "JPEG", icc_profile=bytes(4_000_000))).notes == ()
    texts = b"".join(chunk(b"tEXt", b"k%d\0" % i + b"a" * 1000) for i in range(8000))
    assert decode(behind_header(PNG, texts, 33)).notes == ()


LARGE = ("workflow " * 300_000).encode()


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"tEXt", b"workflow\0" + LARGE), chunk(b"zTXt", b"workflow\0\0" + zlib.compress(LARGE)),
        chunk(b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(LARGE)),
        chunk(b"iCCP", b"printer\0\0" + zlib.compress(bytes(1_400_000))), chunk(b"iCCP"), chunk(b"pHYs", b"1"),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(LARGE)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(LARGE)),
        chunk(b"tEXt", b"no separator"), chunk(b"zTXt"), chunk(b"iTXt", b"k\0"),
        chunk(b"tEXt", b"workflow\0" + LARGE)[:-4] + b"sum?",
    ],
)  # fmt: skip
@pytest.mark.parametrize("position", [33, -12])
def test_png_texts_and_profiles_are_skipped(extra, position):
    data = PNG[:position] + extra + PNG[position:]
    assert decode(data) == decode(PNG)
    assert decode(data).notes == ()
    assert strip_png(data) == (PNG, 0)


def test_png_texts_are_not_inflated(monkeypatch):
    """300 chunks that inflate to 30 MB each."""
    monkeypatch.setattr(zlib, "decompressobj", lambda *args: pytest.fail("inflated"))
    bomb = chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(30_000_000)))
    start = time.thread_time()
    assert strip_png(behind_header(PNG, bomb * 300, 33)) == (PNG, 0)
    assert time.thread_time() - start < 1


def test_png_chunks_that_matter_are_kept():
    transparent = encode(source_crop().quantize(8), "PNG", transparency=1, exif=turned_exif(), dpi=(72, 72))
    stripped, bits = strip_png(behind_header(transparent, chunk(b"sBIT", bytes([5, 6, 5])), 33))
    assert bits == 6
    assert b"tRNS" in stripped
    assert b"eXIf" in stripped
    assert b"pHYs" not in stripped
    animated = encode(source_crop(), "PNG", save_all=True, append_images=[source_crop("L").convert("RGB")])
    assert strip_png(animated) == (animated, 0)
    assert strip_png(BASELINE) == (BASELINE, 0)


@pytest.mark.parametrize("end", [40, 60, -1, -9])
def test_cut_off_png_is_still_damaged(end):
    data = behind_header(PNG, chunk(b"tEXt", b"k\0" + bytes(90)), 33)[:end]
    if end in (-1, -9):  # nothing but the end is missing
        assert decode(data) == decode(PNG)
    else:
        with pytest.raises(ImageUnreadable, match="damaged"):
            decode(data)


def test_xmp_orientation_in_png_still_rotates():
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    for text in (b"\0\0\0\0" + xmp, b"\1\0\0\0" + zlib.compress(xmp)):
        data = behind_header(PNG, chunk(b"iTXt", b"XML:com.adobe.xmp\0" + text), 33)
        assert decode(data).notes == ("Rotated according to its EXIF orientation.",)


def test_gif_pixels_that_look_like_comments_are_read():
    """Compressed pixels repeat themselves: a gradient's hold the bytes of a comment's start thousands of times."""
    gradient = Image.linear_gradient("L").resize((1500, 1500)).quantize(64)
    assert decode(encode(gradient, "GIF")).size == (1500, 1500)
    frame = GIF[GIF_HEADER:]
    assert frame[:1] in (b",", b"!")
    pixels = b",\0\0\0\0\x40\0\x40\0\0\x08" + (b"\xfe" + b"!\xfe" * 127) * 5_000 + b"\0;"
    assert check_structure(GIF[:GIF_HEADER] + pixels) == 0
