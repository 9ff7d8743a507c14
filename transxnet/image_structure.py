"""Checks of an image file's structure, before any decoder reads it.

Limits on bytes and pixels do not bound the work of every decoder. A JPEG may repeat its scans, each of them a pass over
all pixels; Pillow joins comments and EXIF blocks by copying what it has so far, and reads segments and chunks in a
Python loop; the entries of an EXIF directory may all refer to the same bytes. The checks here read markers only, and
refuse structures that no encoder writes. A damaged file passes: its decoder reports the damage.

`strip_png` removes what Pillow would inflate only to limit it: texts and color profiles, which no pixel depends on.
"""

from __future__ import annotations

import re
import struct
import zlib

# Far above what encoders write into 10 MB: segments hold 64 kB, and the smallest usual PNG chunks of pixels 2 kB.
MAX_JPEG_SEGMENTS = 1_000
MAX_JPEG_FILL = 2**18  # bytes between the segments before the first scan
MAX_PNG_CHUNKS = 50_000
MAX_GIF_COMMENTS = 1_000
MAX_GIF_COMMENT_BLOCKS = 4_096  # of at most 255 bytes each, in all comments
MAX_TIFF_HEADERS = 100  # of an AVIF file, where compressed pixels may look like one
MAX_EXIF_PREFIXES = 8
MAX_TIFF_DIRECTORIES = 10_000  # pages and EXIF directories
MAX_PNG_TEXT = 2**20  # bytes of a text that may hold an orientation

HEAD = 64  # bytes that `file_format` needs
HEIC_BRANDS = frozenset((b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"hevx", b"heim", b"heis"))
_BMP_HEADERS = frozenset(struct.pack("<I", size) for size in (12, 16, 40, 52, 56, 64, 108, 124))
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset((b"tRNS", b"eXIf", b"acTL", b"fcTL", b"fdAT"))  # ancillary chunks: pixels, EXIF, first frame
_PNG_TEXTS = frozenset((b"tEXt", b"zTXt", b"iTXt"))
_PNG_ORIENTATION = b"Raw profile type exif", b"XML:com.adobe.xmp"  # keys of texts that Pillow's getexif reads

_SOI, _EOI, _SOS, _APP1, _APP2 = 0xD8, 0xD9, 0xDA, 0xE1, 0xE2
# A marker with a segment, an SOI or an EOI. Stuffed zeros, TEM, restart markers and fill bytes are none of these.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
_TIFF_HEADER = re.compile(rb"II[*+]\0|II\0[*+]|MM\0[*+]|MM[*+]\0")
_EXIF_PREFIX = b"Exif\0\0"
_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_TIFF_DIRECTORIES = frozenset((0x8769, 0x8825, 0xA005))  # tags of EXIF, GPS and interoperability


class ExcessiveMetadata(ValueError):
    """The file contains more metadata, or more copies of it, than any encoder writes."""


def file_format(head: bytes) -> str:
    """Pillow's name of the format that a file's first HEAD bytes announce; '' if it is none that is read here."""
    if head[4:8] == b"ftyp":
        brands = {head[8:12], *(head[i : i + 4] for i in range(16, min(int.from_bytes(head[:4]), len(head)), 4))}
        return "AVIF" if brands & {b"avif", b"avis"} else "HEIF" if brands & HEIC_BRANDS else ""
    if head.startswith(b"RIFF"):
        return "WEBP" if head[8:12] == b"WEBP" else ""
    if head.startswith(b"BM"):  # the header's size follows the file's: text may begin with these letters, too
        return "BMP" if head[14:18] in _BMP_HEADERS else ""
    starts = {b"\xff\xd8\xff": "JPEG", PNG_SIGNATURE: "PNG", b"GIF87a": "GIF", b"GIF89a": "GIF"}
    kind = next((kind for start, kind in starts.items() if head.startswith(start)), "")
    return kind or ("TIFF" if _TIFF_HEADER.match(head) else "")


def check_structure(data: bytes) -> int:
    """Check the markers of a file that is one of the formats with work beyond its bytes and pixels.

    Args:
        data: The whole file, of any format.

    Returns:
        The number of scans of a JPEG, 0 for any other format.

    Raises:
        ExcessiveMetadata: Segments, chunks, comments or EXIF exceed the limits above.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return _check_jpeg(data)
    if data.startswith(PNG_SIGNATURE):
        _check_png(data)
    elif data.startswith((b"GIF87a", b"GIF89a")):
        _check_gif(data)
    elif data[4:8] == b"ftyp":
        _check_avif(data)
    elif _TIFF_HEADER.match(data):
        _check_tiff(data)
    return 0


def check_exif(exif: bytes) -> None:
    """Check that the first directory of EXIF, or of any other TIFF structure, refers to no byte more than twice.

    Args:
        exif: What follows the header of an EXIF segment or chunk, with or without its prefix.

    Raises:
        ExcessiveMetadata: Reading all entries would copy more than twice the bytes of `exif`.
    """
    if exif.startswith(_EXIF_PREFIX * MAX_EXIF_PREFIXES):
        raise ExcessiveMetadata("repeated EXIF prefixes")
    start = 0
    while exif.startswith(_EXIF_PREFIX, start):
        start += len(_EXIF_PREFIX)
    if _copied_bytes(memoryview(exif)[start:]) > 2 * len(exif):
        raise ExcessiveMetadata("EXIF entries that share their bytes")


def _check_jpeg(data: bytes) -> int:
    """Walk over the markers as libjpeg does: what a segment contains, a thumbnail's markers included, is skipped."""
    scans = segments = fill = 0
    position, exif = 2, bytearray()
    while match := _JPEG_MARKER.search(data, position):
        code = match[1][0]
        if not scans:
            fill += match.start() - position
        segments += 1
        if segments > MAX_JPEG_SEGMENTS + scans or fill > MAX_JPEG_FILL:
            raise ExcessiveMetadata(f"{segments} segments, {fill} fill bytes")
        if code == _EOI and scans:
            break  # what follows is another image of an MPO file, or not an image
        if code in (_SOI, _EOI):
            position = match.end()
            continue
        position = match.end() + max(2, int.from_bytes(data[match.end() : match.end() + 2]))
        scans += code == _SOS
        content = data[match.end() + 2 : position] if code in (_APP1, _APP2) else b""
        if content.startswith(_EXIF_PREFIX):
            exif += content[len(_EXIF_PREFIX) :]
        elif content.startswith(b"MPF\0"):
            check_exif(content[4:])
    if not scans and len(data) - position > MAX_JPEG_FILL:
        raise ExcessiveMetadata("fill bytes to the end")
    check_exif(bytes(exif))
    return scans


def _check_png(data: bytes) -> None:
    position = 8
    for _ in range(MAX_PNG_CHUNKS):
        name = data[position + 4 : position + 8]
        if not name or name == b"IEND":
            return
        position += 12 + int.from_bytes(data[position : position + 4])
    raise ExcessiveMetadata(f"more than {MAX_PNG_CHUNKS} chunks")


def strip_png(data: bytes) -> tuple[bytes, int]:
    """Remove the ancillary chunks that no pixel depends on, without inflating them.

    Pillow refuses a text or a color profile that inflates to more than 1 MiB, and with it an image whose pixels are
    intact. Kept are transparency, EXIF, the chunks of an animation, and short texts that may hold an orientation.

    Args:
        data: A file of any format, whose structure was checked.

    Returns:
        The file without these chunks, or as it is where there are none; and the largest number of significant bits in
        its sBIT chunk, 0 if it has none.
    """
    if not data.startswith(PNG_SIGNATURE):
        return data, 0
    source, kept, position, start, bits = memoryview(data), [], 8, 0, 0
    while position + 12 <= len(data):
        name = data[position + 4 : position + 8]
        end = position + 12 + int.from_bytes(data[position : position + 4])
        if name == b"IEND" or end > len(data):
            break
        if name == b"sBIT" and end - position <= 16:
            bits = max(data[position + 8 : end - 4], default=0)
        if name.isalpha() and name[:1].islower() and not _is_needed(name, source[position + 8 : end - 4]):
            kept.append(source[start:position])
            start = end
        position = end
    return b"".join([*kept, source[start:]]) if start else data, bits


def _is_needed(name: bytes, content: memoryview) -> bool:
    """Whether an ancillary chunk of a PNG is read: see `strip_png`."""
    if name not in _PNG_TEXTS:
        return name in _PNG_KEPT
    key, separator, _ = bytes(content[:80]).partition(b"\0")
    if not separator or key not in _PNG_ORIENTATION:
        return False
    start = len(key) + 1
    if name == b"tEXt" or (name == b"iTXt" and bytes(content[start : start + 1]) == b"\0"):
        return len(content) <= MAX_PNG_TEXT
    if name == b"zTXt":
        compressed = content[start + 1 :]
    else:  # flag, method, language, translated key
        compressed = memoryview(bytes(content[start + 2 : start + 2 + MAX_PNG_TEXT]).split(b"\0", 2)[-1])
    inflate = zlib.decompressobj()
    try:
        inflate.decompress(compressed, MAX_PNG_TEXT)
    except zlib.error:
        return False
    return not inflate.unconsumed_tail


def _check_gif(data: bytes) -> None:
    """Walk over the blocks as Pillow does, up to the second frame: there it stops when one frame is wanted."""
    position = 13 + _color_table_size(data[10:11])
    frames = comments = comment_blocks = 0
    while position < len(data) and frames < 2:
        introducer = data[position : position + 1]
        position += 1
        if introducer == b";":
            break
        if introducer == b",":
            frames += 1
            position += 10 + _color_table_size(data[position + 8 : position + 9])
            position, _ = _skip_blocks(data, position)
        elif introducer == b"!":
            label = data[position : position + 1]
            position += 1
            if label == b"\xfe":
                position, blocks = _skip_blocks(data, position)
                comments, comment_blocks = comments + 1, comment_blocks + blocks
            else:  # Pillow reads on after an empty first block, and after an empty second one of NETSCAPE's
                start = position + 1
                position = _next_block(data, position)
                if not frames and label == b"\xff" and data.startswith(b"NETSCAPE2.0", start):
                    position = _next_block(data, position)
                position, _ = _skip_blocks(data, position)
        if comments > MAX_GIF_COMMENTS or comment_blocks > MAX_GIF_COMMENT_BLOCKS:
            raise ExcessiveMetadata(f"{comments} comments of {comment_blocks} blocks")


def _color_table_size(flags: bytes) -> int:
    """Bytes of the color table that a GIF's packed field announces."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _next_block(data: bytes, position: int) -> int:
    return position + 1 + (data[position] if position < len(data) else 0)


def _skip_blocks(data: bytes, position: int) -> tuple[int, int]:
    """The position behind the empty block that ends a chain of blocks, and how many blocks came before it."""
    blocks = 0
    while position < len(data) and data[position]:
        position, blocks = position + 1 + data[position], blocks + 1
    return position + 1, blocks


def _check_avif(data: bytes) -> None:
    """Pillow reads the EXIF of an AVIF file as soon as it opens it."""
    if _EXIF_PREFIX * MAX_EXIF_PREFIXES in data:
        raise ExcessiveMetadata("repeated EXIF prefixes")
    for number, match in enumerate(_TIFF_HEADER.finditer(data)):
        if number >= MAX_TIFF_HEADERS or _copied_bytes(memoryview(data)[match.start() :]) > 2 * len(data):
            raise ExcessiveMetadata("EXIF entries that share their bytes")


def _check_tiff(data: bytes) -> None:
    """Check all directories that Pillow may read: pages, and those of EXIF, GPS and interoperability."""
    tiff, pending, visited, copied = memoryview(data), [_first_directory(data)], set(), 0
    while pending:
        start = pending.pop()
        if not start or start in visited:
            continue
        visited.add(start)
        size, linked = _read_directory(tiff, start)
        pending += linked
        copied += size
        if len(visited) > MAX_TIFF_DIRECTORIES or copied > 2 * len(data):
            raise ExcessiveMetadata(f"{len(visited)} TIFF directories whose entries hold {copied} bytes")


def _copied_bytes(tiff: memoryview) -> int:
    """How many bytes are copied when all entries of the first directory are read; 0 if there is none."""
    start = _first_directory(tiff)
    return 0 if start is None else _read_directory(tiff, start)[0]


def _byte_order(tiff: bytes | memoryview) -> str:
    """The order of bytes as `struct` has it; '' if this is no TIFF structure."""
    return {b"II": "<", b"MM": ">"}.get(bytes(tiff[:2]), "")


def _is_big_tiff(tiff: bytes | memoryview) -> bool:
    return bytes(tiff[2:4]) in (b"+\0", b"\0+")


def _first_directory(tiff: bytes | memoryview) -> int | None:
    """Offset of the first directory; None if there is none."""
    order, at, kind = _byte_order(tiff), *((8, "Q") if _is_big_tiff(tiff) else (4, "I"))
    if not order or len(tiff) < at + struct.calcsize(f"{order}{kind}"):
        return None
    return struct.unpack_from(f"{order}{kind}", tiff, at)[0]


def _read_directory(tiff: memoryview, start: int) -> tuple[int, list[int]]:
    """The bytes that are copied when all entries of a directory are read, and the offsets of those it refers to."""
    order, big = _byte_order(tiff), _is_big_tiff(tiff)
    count_format, entry_format, offset_format = (
        (f"{order}Q", f"{order}HHQQ", f"{order}Q") if big else (f"{order}H", f"{order}HHII", f"{order}I")
    )
    entry_size, first = struct.calcsize(entry_format), start + struct.calcsize(count_format)
    if first > len(tiff):
        return 0, []
    (count,) = struct.unpack_from(count_format, tiff, start)
    entries = tiff[first : first + entry_size * count]
    entries = entries[: len(entries) // entry_size * entry_size]
    copied, linked = 0, []
    for tag, kind, number, offset in struct.iter_unpack(entry_format, entries):
        size = number * _TIFF_SIZES.get(kind, 0)
        if size > (8 if big else 4) and offset + size <= len(tiff):
            copied += size
        if tag in _TIFF_DIRECTORIES:
            linked.append(offset)
    end = first + entry_size * count
    if end + struct.calcsize(offset_format) <= len(tiff):
        linked.append(struct.unpack_from(offset_format, tiff, end)[0])
    return copied, linked
