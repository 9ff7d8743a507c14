"""Decode untrusted images, and prepare them as the input of a model.

`decode` accepts any file and returns a `SourceImage` or raises an ImageError: limits are checked on the header before
any pixel is decoded (image_structure.py checks what the header does not contain), only the formats of the `Limits` are
tried (so that nothing reaches Ghostscript or the network), and every failure of a decoder becomes a message with a
remedy. Only `prepare` imports torch: demo/decode_worker.py decodes without it.

`prepare` is timm's evaluation protocol (timm/data/transforms_factory.py, `transforms_imagenet_eval`): the short side is
resized to floor(image_size / crop_pct), bicubic, then a center crop, ImageNet's mean and standard deviation; other
backbones have their own values. `prepare_for` takes all of them from a model's spec.

Sizes are (width, height), positions (x, y) in pixels, arrays (height, width, channel). Integer coordinates are pixel
centers; boxes are given by their edges, so pixel i of an axis covers [i, i + 1) and a box (0, 0, w, h) is the entire
image.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import stat
import sys
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from .errors import ImageError, ImageTooLarge, ImageUnreadable, OutOfRange, quote
from .image_structure import HEIC_BRANDS, ExcessiveMetadata, check_exif, check_structure, strip_png
from .messages import Message
from .variants import CROP_MODES, IMAGENET_MEAN, IMAGENET_STD, INTERPOLATIONS

if TYPE_CHECKING:
    import torch

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")  # decoded in-process, without file names

FILE_FORMATS = (*FORMATS, "TIFF", "HEIF")  # of files on the command line; HEIF where pillow-heif is installed

MAX_ASPECT = 20  # a center crop of a longer strip contains less than 5% of it
MIN_SIDE = 8
MAX_SIDE = 2048  # larger images are reduced: no figure needs more, and the page stays fast

FILTERS = {name: Image.Resampling[name.upper()] for name in INTERPOLATIONS}

_NOT_FINITE = "{subject} contains NaN or infinite values."
_REPLACE = "Replace them."
_TOLERANCE = 1e-3  # of floating-point images in 0..1
_RESAVE = "Convert it to JPEG or PNG."
_SMALLER_UPLOAD = "Reduce its size, or use the command line, which accepts larger files."
_SMALLER_FILE = "Reduce its size, or raise the limit: --max-megapixels N, in Python limits=FILE_LIMITS.scaled(N)."
_UNSUPPORTED = "{subject} is {kind}. Supported formats: JPEG, PNG, WebP, GIF, BMP and AVIF."
_UNSUPPORTED_FILE = "{subject} is {kind}. Supported formats: JPEG, PNG, WebP, GIF, BMP, AVIF and TIFF."
_NOT_AN_IMAGE = "{subject} is damaged or not a JPEG, PNG, WebP, GIF, BMP or AVIF image."
_NOT_AN_IMAGE_FILE = "{subject} is damaged or not a JPEG, PNG, WebP, GIF, BMP, AVIF or TIFF image."
_INSTALL_HEIF = "Install pillow-heif to read HEIC (pip install pillow-heif), or convert it to JPEG."
HEIC, TIFF = "a HEIC photo", "a TIFF or a camera's raw file"  # kinds of files
_BIT_DEPTHS = (10, 12, 14, 16)  # of samples stored in 16 bits
# keys of Image.info: what has been done already, the scans of a JPEG, and what the file says of its 16-bit samples
_NOTES, _SCANS, _BITS = "notes", "scans", "significant bits"
_decoders = threading.BoundedSemaphore(2)  # two images at a time: the limits above are for one image


@dataclass(frozen=True)
class Limits:
    """What `decode` accepts. The defaults are for files that the user of the program names.

    A baseline JPEG is reduced while it is decoded (`draft`): one of 50 million pixels needs about 100 MB. Any other
    format, JPEG in several scans included, is in memory at full size more than once: 25 million pixels need 150 to
    250 MB. The decoder of WebP, and that of AVIF with transparency, allocate additional canvases: 15 million pixels
    need 220 to 290 MB.

    Attributes:
        max_bytes: Of a file.
        max_pixels: Of a baseline JPEG or an array. The largest phone and camera images have 48 to 50 million.
        max_pixels_whole: Of a format that is decoded at full size.
        max_pixels_canvas: Of WebP, and of AVIF with transparency.
        max_scanned_pixels: Scans times pixels of a JPEG: each scan is a pass over all pixels.
        formats: Pillow's names of the formats that are tried.
        remedy: For an image that is too large.
    """

    max_bytes: int = 100 * 2**20
    max_pixels: int = 50_000_000
    max_pixels_whole: int = 50_000_000
    max_pixels_canvas: int = 50_000_000
    max_scanned_pixels: int = 1_200_000_000
    formats: tuple[str, ...] = FORMATS
    remedy: str = _SMALLER_FILE

    def scaled(self, megapixels: float) -> Limits:
        """Limits of so many million pixels, of any format, and of files that are larger in proportion."""
        pixels = round(megapixels * 1e6)
        return replace(
            self, max_bytes=max(self.max_bytes, self.max_bytes * pixels // self.max_pixels), max_pixels=pixels,
            max_pixels_whole=pixels, max_pixels_canvas=pixels, max_scanned_pixels=24 * pixels,
        )  # fmt: skip


LIMITS = Limits()
FILE_LIMITS = Limits(formats=FILE_FORMATS)
UPLOAD_LIMITS = Limits(
    10 * 2**20, max_pixels_whole=25_000_000, max_pixels_canvas=15_000_000, max_scanned_pixels=600_000_000,
    remedy=_SMALLER_UPLOAD,
)  # fmt: skip


@dataclass(frozen=True)
class SourceImage:
    """A decoded image. Two images are equal if their sizes and pixels are.

    Attributes:
        rgb: uint8 (H, W, 3), upright, read-only.
        sha256: Hex digest of size and pixels, a key for caches.
        notes: What was changed, one sentence each.
        original_size: (width, height) of the upright original in pixels.
    """

    rgb: np.ndarray = field(compare=False, repr=False)
    sha256: str
    notes: tuple[str, ...] = field(default=(), compare=False)
    original_size: tuple[int, int] = field(default=(0, 0), compare=False)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of `rgb`, pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]


@dataclass(frozen=True, eq=False)
class ModelInput:
    """The input of one model for one image.

    Attributes:
        tensor: float32 (1, 3, S, S), normalized.
        crop: uint8 (S, S, 3), the same pixels before normalization, read-only.
        crop_box: (x0, y0, x1, y1), edges of the crop in pixels of the upright image, `SourceImage.rgb`.
        source_size: (width, height) of the upright image in pixels.
    """

    tensor: torch.Tensor
    crop: np.ndarray
    crop_box: tuple[float, float, float, float]
    source_size: tuple[int, int]


# --- bytes -> image ------------------------------------------------------------------------------------------------


def decode(source: Any, *, name: str = "image", limits: Limits = LIMITS) -> SourceImage:
    """Decode an image of any origin.

    The first frame of an animation is used. The image is rotated according to its EXIF orientation; transparent pixels
    become white; mode F is read as 0..255; sides above MAX_SIDE are reduced. Color profiles are not applied, as in the
    evaluation protocol. Nothing is written.

    16-bit samples (PIL modes I and I;16, uint16 arrays, and color in PNG and TIFF) are scaled from as many bits as the
    file states: PNG's sBIT, or a BitsPerSample below 16 in TIFF. Otherwise from the fewest of 10, 12, 14 and 16 bits
    that hold the largest value, and a note says that this is a guess.

    Args:
        source: One of

            * bytes, a path, or a binary file, read from its current position. Web addresses and data: URLs are refused,
              never downloaded.
            * a PIL image.
            * a NumPy array or a torch tensor, on any device: gray (H, W), or 1, 3 (RGB) or 4 (RGBA) channels, first or
              last. uint8 in 0..255; uint16 as above; floating point in 0..1, not normalized.
        name: The image, as messages name it; of a path only the last part is used.
        limits: What is accepted.

    Returns:
        The image.

    Raises:
        ImageTooLarge: Too many bytes, pixels or scans, or too little memory.
        ImageUnreadable: Damaged, or in none of the formats.
        ImageError: Too small or too narrow.
    """
    subject = message_subject(name)
    try:
        with _decoders:
            return _finish(_open(source, subject, limits), subject)
    except ImageError:
        raise
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLarge(
            "{subject} has too many pixels to decode.", remedy=limits.remedy, detail=repr(error), subject=subject
        ) from error
    except ExcessiveMetadata as error:
        raise ImageUnreadable(
            "{subject} contains far more metadata than an image needs.", remedy=_RESAVE, detail=repr(error),
            subject=subject,
        ) from error  # fmt: skip
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, EOFError, ...
        raise ImageUnreadable(
            "{subject} is damaged and could not be decoded.", remedy=_RESAVE, detail=repr(error), subject=subject
        ) from error


def message_subject(name: str) -> str:
    """The image, as messages name it: the last part of a path, printable and at most 80 characters."""
    last = str(name).replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(c for c in last if not unicodedata.category(c).startswith("C")).strip()
    return "The image" if clean in ("", "image") else f"“{clean[:80]}”"


def _open(source: Any, subject: str, limits: Limits) -> Image.Image:
    """Open a source as a PIL image within the limits, without decoding bytes."""
    if source is None:
        raise ImageUnreadable("No image was given.", remedy="Upload an image first.")
    if hasattr(source, "detach") and hasattr(source, "cpu"):  # a torch tensor
        source = _to_numpy(source)
    if isinstance(source, np.ndarray):
        return _from_array(source, subject, limits)
    if isinstance(source, Image.Image):
        return _from_pil(source, subject, limits)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(source), subject, limits)
    if isinstance(source, (str, os.PathLike)):
        return _from_bytes(_read_path(os.fspath(source), subject, limits), subject, limits)
    if hasattr(source, "read"):
        return _from_bytes(_read(source, subject, limits), subject, limits)
    raise ImageUnreadable(
        "{subject} is not an image.", remedy=_RESAVE, detail=f"type {type(source).__name__}", subject=subject
    )


def _read_path(path: str | bytes, subject: str, limits: Limits) -> bytes:
    head = os.fsdecode(path).strip().lower()
    if head.startswith("data:") or "://" in head or head.startswith(("http:", "https:")):
        raise ImageUnreadable(
            "{subject} is a web address, and images are not downloaded.",
            remedy="Save the image to a file and upload the file.", subject=subject,
        )  # fmt: skip
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe or a device could be read forever
            raise ImageUnreadable(
                "{subject} is not a file.", remedy="Choose an image file.", detail=repr(path), subject=subject
            )
        with open(path, "rb") as file:
            return _read(file, subject, limits)
    except (OSError, ValueError) as error:  # ValueError: a NUL inside the name
        if isinstance(error, ImageError):
            raise
        raise ImageUnreadable(
            "{subject} could not be read from disk.", remedy="Check that the file exists and is readable.",
            detail=repr(error), subject=subject,
        ) from error  # fmt: skip


def _read(file: Any, subject: str, limits: Limits) -> bytes:
    """Read at most one byte more than the limit, which is sufficient to refuse."""
    data = bytearray()
    while len(data) <= limits.max_bytes:
        block = file.read(limits.max_bytes + 1 - len(data))
        if isinstance(block, str):
            raise ImageUnreadable(
                "{subject} was opened as text.", remedy="Open the file in binary mode ('rb').", subject=subject
            )
        if not block:
            break
        data += block
    return bytes(data)


def _from_bytes(data: bytes, subject: str, limits: Limits) -> Image.Image:
    image = open_file(data, subject, limits)
    _check_size(image.size, _limit(image, limits, image.info[_SCANS]), subject, limits)
    _check_scans(image.size, image.info[_SCANS], subject, limits)
    return image


def open_file(data: bytes, subject: str, limits: Limits) -> Image.Image:
    """Open a file of one of the formats; nothing is decoded, and its size is not checked.

    Args:
        data: The whole file.
        subject: The image, as messages name it.
        limits: The bytes and formats that are accepted.

    Raises:
        ImageTooLarge: More bytes than the limit.
        ImageUnreadable: None of the formats.
        ExcessiveMetadata: See image_structure.py.
    """
    if not data:
        raise ImageUnreadable(
            "{subject} is empty: the file has no bytes.", remedy="Replace it with an intact copy.", subject=subject
        )
    if len(data) > limits.max_bytes:
        size = limits.max_bytes // 2**20
        raise ImageTooLarge("{subject} is larger than {size} MB.", remedy=limits.remedy, subject=subject, size=size)
    scans = check_structure(data)
    data, bits = strip_png(data)
    if Image.MAX_IMAGE_PIXELS is not None and limits.max_pixels > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = limits.max_pixels  # Pillow's own limit, for all images of the process
    image = _open_format(data, subject, limits)
    image.info |= {_SCANS: scans, _BITS: bits}
    return image


def _open_format(data: bytes, subject: str, limits: Limits) -> Image.Image:
    """The image of a file in one of the formats, not decoded yet. Raises ImageUnreadable for others."""
    kind, formats = _kind(data), [name for name in limits.formats if name != "HEIF"]
    if "HEIF" in limits.formats and kind == HEIC and register_heif():
        formats.append("HEIF")
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError as error:
        files = "TIFF" in limits.formats
        remedy = _INSTALL_HEIF if files and kind == HEIC and "HEIF" not in formats else _RESAVE
        is_tried = files and (kind == TIFF or "HEIF" in formats)
        if kind and not is_tried:
            what = Message(_UNSUPPORTED_FILE if files else _UNSUPPORTED, subject=subject, kind=kind)
        else:
            what = Message(_NOT_AN_IMAGE_FILE if files else _NOT_AN_IMAGE, subject=subject)
        raise ImageUnreadable(what, remedy=remedy, detail=repr(error)) from error
    if image.format == "TIFF" and _is_raw(image, data):
        raise ImageUnreadable(_UNSUPPORTED_FILE, remedy=_RESAVE, subject=subject, kind="a camera's raw file")
    return image


def register_heif() -> bool:
    """Let Pillow read HEIC, if pillow-heif is installed; whether it is."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def _is_raw(image: Image.Image, data: bytes) -> bool:
    """Whether the first page of a TIFF is the preview of a raw file: DNG, NEF, ARW (by their tags) or CR2."""
    reduced, dng_version = 254, 50706
    return bool(image.tag_v2.get(reduced, 0) & 1) or dng_version in image.tag_v2 or data[8:10] == b"CR"


def _kind(data: bytes) -> str:
    """The format of a file that users commonly upload by mistake; '' if unknown."""
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        return HEIC
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    starts = {
        b"%PDF": "a PDF",
        b"%!PS": "PostScript",
        b"\xc5\xd0\xd3\xc6": "PostScript",
        b"II*\0": TIFF,
        b"MM\0*": TIFF,
        b"PK\x03\x04": "a ZIP or Office file",
        b"\xff\x0a": "a JPEG XL image",
        b"\0\0\0\x0cJXL ": "a JPEG XL image",
        b"\0\0\0\x0cjP  ": "a JPEG 2000 image",
        b"8BPS": "a Photoshop file",
    }
    for start, kind in starts.items():
        if head.startswith(start):
            return kind
    low = head.lower()
    if b"<svg" in low:
        return "an SVG drawing"
    return "a web page" if low.startswith((b"<!doctype html", b"<html")) else ""


def _from_pil(image: Image.Image, subject: str, limits: Limits) -> Image.Image:
    # A PIL image may be a file that is not decoded yet: loading an EPS one would start Ghostscript.
    if isinstance(image, ImageFile.ImageFile) and image.format not in (*limits.formats, "MPO"):
        raise ImageUnreadable(
            _UNSUPPORTED, remedy="Pass image.convert('RGB') instead.", subject=subject, kind=f"a {image.format} file"
        )
    _check_size(image.size, _limit(image, limits), subject, limits)
    return image.copy()  # later steps work in place


def _to_numpy(tensor: Any) -> np.ndarray:
    """A torch tensor as an array; NumPy has no bfloat16."""
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.is_floating_point() else tensor).numpy()


def _from_array(array: np.ndarray, subject: str, limits: Limits) -> Image.Image:
    """An image of mode L, I;16, RGB or RGBA; color of more than 8 bits is scaled here."""
    kind = array.dtype.kind
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4) and array.shape[0] in (1, 3, 4):
        array = np.moveaxis(array, 0, 2)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if not is_image or not (array.dtype in (np.uint8, np.uint16) or kind == "f"):
        raise ImageUnreadable(
            "{subject} is an array of {dtype} with shape {shape}; expected (H, W), or 1, 3 or 4 channels first or "
            "last.",
            remedy="Pass one image as uint8 or uint16, or as floating-point values in 0..1.", subject=subject,
            dtype=array.dtype, shape=array.shape,
        )  # fmt: skip
    _check_size((array.shape[1], array.shape[0]), limits.max_pixels, subject, limits)
    notes: list[str] = []
    if kind == "f":
        array = _float_to_eight_bits(array, subject)
    elif array.dtype == np.uint16 and array.ndim == 3:
        array = _scale(array, _significant_bits(int(array.max()), 0, notes))
    image = Image.fromarray(np.ascontiguousarray(array))
    image.info[_NOTES] = notes
    return image


def _float_to_eight_bits(array: np.ndarray, subject: str) -> np.ndarray:
    """0..1 as 0..255, rounded; what exceeds the range by rounding errors is clipped."""
    low, high = float(array.min()), float(array.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ImageUnreadable(_NOT_FINITE, remedy=_REPLACE, subject=subject)
    if low < -_TOLERANCE or high > 1 + _TOLERANCE:
        raise ImageUnreadable(
            "{subject} holds floating-point values from {low} to {high}; expected 0..1.",
            remedy="Undo a normalization, or divide by the largest possible value.", subject=subject, low=f"{low:.3g}",
            high=f"{high:.3g}",
        )  # fmt: skip
    return np.rint(np.clip(array, 0, 1) * np.float32(255)).astype(np.uint8)


def _limit(image: Image.Image, limits: Limits, scans: int = 1) -> int:
    """The maximum number of pixels. Only a JPEG in one scan can be reduced while it is being decoded."""
    if image.format == "WEBP" or (image.format == "AVIF" and image.mode == "RGBA"):
        return limits.max_pixels_canvas
    baseline = _is_jpeg(image) and not image.info.get("progressive") and scans <= 1
    return limits.max_pixels if baseline else limits.max_pixels_whole


def _is_jpeg(image: Image.Image) -> bool:
    return image.format in ("JPEG", "MPO")  # MPO: a JPEG followed by more images, from phones and 3-D cameras


def _check_size(size: tuple[int, int], limit: int, subject: str, limits: Limits) -> None:
    """Check (width, height) from the header; rotation by EXIF does not affect the result."""
    width, height = size
    if width * height > limit:
        raise ImageTooLarge(
            "{subject} has {width} × {height} pixels ({millions} million); the limit is {most} million.",
            remedy=limits.remedy, subject=subject, width=width, height=height, millions=f"{width * height / 1e6:.0f}",
            most=f"{limit / 1e6:.0f}",
        )  # fmt: skip
    if min(size) < MIN_SIDE:
        raise ImageError(
            "{subject} is too small: {width} × {height} pixels.",
            remedy="Use an image with at least {side} pixels on each side.", subject=subject, width=width,
            height=height, side=MIN_SIDE,
        )  # fmt: skip
    if max(size) > MAX_ASPECT * min(size):
        raise ImageError(
            "{subject} is too narrow: {width} × {height} pixels, an aspect ratio above {ratio}:1.",
            remedy="Crop it.", subject=subject, width=width, height=height, ratio=MAX_ASPECT,
        )  # fmt: skip


def _check_scans(size: tuple[int, int], scans: int, subject: str, limits: Limits) -> None:
    """Check (width, height) from the header times the scans of a JPEG (0 for other formats)."""
    width, height = size
    if width * height * scans > limits.max_scanned_pixels:
        raise ImageTooLarge(
            "{subject} stores {width} × {height} pixels in {scans} scans ({millions} million pixels in total); the "
            "limit is {most} million.", remedy=_RESAVE, subject=subject, width=width, height=height, scans=scans,
            millions=f"{width * height * scans / 1e6:.0f}", most=f"{limits.max_scanned_pixels / 1e6:.0f}",
        )  # fmt: skip


# --- image -> upright RGB ------------------------------------------------------------------------------------------


def _finish(image: Image.Image, subject: str) -> SourceImage:
    """Convert an opened image within the limits to upright uint8 RGB, with notes about every change."""
    notes: list[str] = list(image.info.pop(_NOTES, ()))
    before, after = image.size, _fit(image.size)
    if before != after:  # decodes a baseline JPEG at 1/2, 1/4 or 1/8; no effect on other formats
        image.draft(None, (2 * after[0], 2 * after[1]))
    loaded = load_eight_bits(image, notes)
    orientation = _orientation(image)
    if _is_animated(image):
        pages = image.format == "TIFF"
        notes.append(Message("First page of several.") if pages else Message("First frame of an animation."))
    image = _resizable(loaded, subject)
    if image.size != after:
        image = image.resize(after, Image.Resampling.BICUBIC, reducing_gap=2.0)
    rgb = _flatten(image, notes)
    if orientation in _TURNS:
        rgb = rgb.transpose(_TURNS[orientation])
        notes.append(Message("Rotated according to its EXIF orientation."))
    original, final = (size[::-1] if orientation >= 5 else size for size in (before, after))
    if final != original:
        before, after = ("{} × {}".format(*size) for size in (original, final))
        notes.append(Message("Resized from {before} to {after}.", before=before, after=after))
    pixels = np.array(rgb)  # (H, W, 3)
    pixels.setflags(write=False)
    digest = hashlib.sha256("{}x{}:".format(*final).encode())
    digest.update(pixels)
    return SourceImage(pixels, digest.hexdigest(), tuple(notes), original)


def _fit(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) reduced until neither is above MAX_SIDE; never enlarged."""
    scale = min(1.0, MAX_SIDE / max(size))
    return round(size[0] * scale), round(size[1] * scale)


_TURNS = {  # EXIF 2.3, tag 0x0112: the transposition that makes the stored image upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _orientation(image: Image.Image) -> int:
    """1..8; 1 if there is none or the EXIF is damaged, which is no reason to refuse an image.

    The image must be loaded: otherwise a PNG's getexif() would decode inside the `try` and hide a failure.
    """
    try:
        profile = image.info.pop("Raw profile type exif", "")  # ImageMagick's form of it, in a PNG's text
        if profile and "exif" not in image.info:
            image.info["exif"] = bytes.fromhex("".join(profile.split("\n")[3:]))
        check_exif(image.info.get("exif", b""))
        value = image.getexif().get(0x0112, 1)
    except Exception:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _resizable(image: Image.Image, subject: str) -> Image.Image:
    """Convert an image of 8 bits, or of mode F, to a mode that Pillow resizes with a filter.

    P and 1 would be resized by nearest neighbor, and a transparent color would be mixed with its neighbors.
    """
    if image.mode == "F":
        values = np.asarray(image)
        if not np.isfinite(values).all():
            raise ImageUnreadable(_NOT_FINITE, remedy=_REPLACE, subject=subject)
        return Image.fromarray(np.rint(np.clip(values, 0, 255)).astype(np.uint8))
    if image.mode in ("PA", "RGBa", "La") or (image.mode in ("P", "1", "L", "RGB") and "transparency" in image.info):
        return image.convert("RGBA")
    return image.convert({"P": "RGB", "1": "L"}[image.mode]) if image.mode in ("P", "1") else image


def _is_animated(image: Image.Image) -> bool:
    """Whether a loaded image is animated; a GIF now reads its second frame, which may be damaged."""
    try:
        return not _is_jpeg(image) and bool(getattr(image, "is_animated", False))
    except Exception:
        return False


# --- samples of 16 bits --------------------------------------------------------------------------------------------


def load_eight_bits(image: Image.Image, notes: list[str]) -> Image.Image:
    """Load an image, and scale samples of 16 bits as `decode` says; otherwise the image itself is returned.

    Args:
        image: Of `open_file`, or any other.
        notes: Where notes are appended.
    """
    if image.format == "TIFF":
        _prepare_tiff(image, notes)
    low = _low_bytes(image)
    image.load()
    if image.mode == "I" or image.mode.startswith("I;16"):
        notes.append(Message("16-bit gray was converted to 8 bits."))
        return _gray_to_eight_bits(image, notes)
    return image if low is None else _scale_color(image, low, notes)


def _significant_bits(largest: int, stated: int, notes: list[str]) -> int:
    """From how many bits samples that are stored in 16 are scaled.

    Args:
        largest: The largest sample.
        stated: What the file says, 0 if nothing. Samples above that were scaled to 16 bits by the encoder, as PNG's
            specification asks (W3C PNG, 12.4 and 13.12, sBIT).
        notes: Where the note is appended.
    """
    if 0 < stated < 16 or (stated == 16 and largest < 2**16):
        bits = stated if largest < 2**stated else 16
        notes.append(Message("Scaled from {bits} bits, as the file states.", bits=bits))
        return bits
    bits = next((bits for bits in _BIT_DEPTHS if largest < 2**bits), 16)
    notes.append(
        Message("Scaled from {bits} bits, guessed from the largest value, {largest}.", bits=bits, largest=largest)
    )
    return bits


def _scale(values: np.ndarray, bits: int) -> np.ndarray:
    """uint16 of 0..2**bits - 1 as uint8 of 0..255, rounded and clipped."""
    top = 2**bits - 1
    table = np.minimum(np.arange(2**16, dtype=np.uint32), top)
    return ((table * 255 + top // 2) // top).astype(np.uint8)[values]


def _bands(*images: Image.Image) -> Iterator[tuple[slice, list[np.ndarray]]]:
    """Rows of images as arrays, a few at a time to save memory."""
    width, height = images[0].size
    for top in range(0, height, 256):
        box = (0, top, width, min(top + 256, height))
        yield slice(top, box[3]), [np.asarray(image.crop(box)) for image in images]


def _gray_to_eight_bits(image: Image.Image, notes: list[str]) -> Image.Image:
    """Convert 16-bit gray; the transparent value becomes white."""
    key = image.info.get("transparency")
    key = key if isinstance(key, int) else -1
    largest = max(int(band.max(where=band != key, initial=0)) for _, (band,) in _bands(image))
    bits = _significant_bits(largest, image.info.get(_BITS, 0), notes)
    gray = np.empty(image.size[::-1], np.uint8)
    for rows, (band,) in _bands(image):
        gray[rows] = _scale(band if band.dtype == np.uint16 else np.clip(band, 0, 65535), bits)
        gray[rows][band == key] = 255
    return Image.fromarray(gray)


def _low_bytes(image: Image.Image) -> Image.Image | None:
    """The same PNG or TIFF, opened again to decode the low bytes of 16-bit color, of which Pillow keeps the high ones.

    A sample's bytes are exchanged by naming the other byte order to the unpacker. None for other images.
    """
    tiles = getattr(image, "tile", ())
    arguments = [tile.args if isinstance(tile.args, tuple) else (tile.args,) for tile in tiles]
    raw_modes = {str(args[0]) if args else "" for args in arguments}
    if len(raw_modes) != 1 or image.mode not in ("RGB", "RGBA") or image.format not in ("PNG", "TIFF"):
        return None
    (raw_mode,) = raw_modes
    if raw_mode[:-1] not in ("RGB;16", "RGBA;16"):
        return None
    order = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}[raw_mode[-1]]
    low = Image.open(io.BytesIO(image.fp.getvalue()), formats=(image.format,))
    low.tile = [
        tile._replace(
            args=(raw_mode[:-1] + order, *args[1:]) if isinstance(tile.args, tuple) else raw_mode[:-1] + order
        )
        for tile, args in zip(low.tile, arguments, strict=True)
    ]
    return low


def _scale_color(high: Image.Image, low: Image.Image, notes: list[str]) -> Image.Image:
    """Color of 16 bits, decoded as its high bytes, scaled from its significant bits; alpha likewise.

    Args:
        high: Loaded; changed in place.
        low: Not loaded: it is decoded only where the high bytes leave anything open.
        notes: Where a note is appended, unless all 16 bits are in use.
    """
    largest = max(int(band.max()) for _, (band,) in _bands(high)) * 256 + 255
    stated = high.info.get(_BITS, 0)
    if largest >= 2**14 and not (0 < stated < 16 and largest < 2**stated):
        return high
    low.load()
    largest = max(int((first.astype(np.uint16) * 256 + last).max()) for _, (first, last) in _bands(high, low))
    bits = _significant_bits(largest, stated, notes)
    for rows, (first, last) in _bands(high, low):
        high.paste(Image.fromarray(_scale(first.astype(np.uint16) * 256 + last, bits)), (0, rows.start))
    return high


def _prepare_tiff(image: Image.Image, notes: list[str]) -> None:
    """Read from a TIFF's tags what is lost when it is loaded: its bits, and its orientation, which Pillow applies."""
    bits = image.tag_v2.get(258, (1,))[0]  # BitsPerSample
    if bits < 16:
        image.info[_BITS] = bits
    if image.tag_v2.get(274, 1) in _TURNS:
        notes.append(Message("Rotated according to its EXIF orientation."))


def _flatten(image: Image.Image, notes: list[str]) -> Image.Image:
    """Convert any mode to RGB; transparent pixels become white, so that no hidden color is visible."""
    if image.mode not in ("RGBA", "LA"):
        return image.convert("RGB")
    alpha = image.getchannel("A")
    if alpha.getextrema()[0] == 255:
        return image.convert("RGB")
    notes.append(Message("Transparent pixels were filled with white."))
    white = Image.new("RGB", image.size, "white")
    white.paste(image.convert("RGB"), mask=alpha)
    return white


# --- image -> model input ----------------------------------------------------------------------------------


class InputSpec(Protocol):
    """The fields of a VariantSpec or BackboneSpec that `prepare_for` needs."""

    image_size: int
    crop_pct: float
    crop_mode: str
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def prepare_for(image: SourceImage, spec: InputSpec) -> ModelInput:
    """`prepare` with the values of a model's spec."""
    return prepare(
        image, image_size=spec.image_size, crop_pct=spec.crop_pct, mean=spec.mean, std=spec.std,
        interpolation=spec.interpolation, crop_mode=spec.crop_mode,
    )  # fmt: skip


def prepare(
    image: SourceImage,
    *,
    image_size: int,
    crop_pct: float,
    mean: tuple[float, float, float] = IMAGENET_MEAN,
    std: tuple[float, float, float] = IMAGENET_STD,
    interpolation: str = "bicubic",
    crop_mode: str = "center",
) -> ModelInput:
    """timm's evaluation protocol; the result equals that of `timm.data.create_transform` exactly.

    The short side is resized to floor(image_size / crop_pct), the long one is rounded down (PIL, antialiased); the
    center image_size x image_size pixels are cropped, scaled to 0..1 and normalized.

    Args:
        image: The image.
        image_size: S, the side of the model input in pixels.
        crop_pct: In (0, 1].
        mean: Of red, green and blue.
        std: Of red, green and blue.
        interpolation: One of INTERPOLATIONS.
        crop_mode: One of CROP_MODES: "center", or "squash", which resizes both sides to the length of the short one and
            so changes the aspect ratio.

    Returns:
        The model input, with a tensor (1, 3, S, S).

    Raises:
        OutOfRange: image_size is not positive, crop_pct not in (0, 1], or interpolation or crop_mode unknown.
    """
    if image_size < 1 or not 0 < crop_pct <= 1:
        raise OutOfRange(
            "image_size={size} with crop_pct={crop_pct} is not possible.",
            remedy="Use a positive size and a crop_pct above 0 and up to 1.", size=image_size, crop_pct=crop_pct,
        )  # fmt: skip
    if interpolation not in FILTERS or crop_mode not in CROP_MODES:
        raise OutOfRange(
            "Unknown interpolation {interpolation} or crop mode {mode}.",
            remedy=f"Use one of {', '.join(FILTERS)}, and one of {', '.join(CROP_MODES)}.",
            interpolation=quote(interpolation), mode=quote(crop_mode),
        )  # fmt: skip
    (width, height), short_side = image.size, math.floor(image_size / crop_pct)
    long_side = short_side if crop_mode == "squash" else int(short_side * max(width, height) / min(width, height))
    new_width, new_height = (short_side, long_side) if width <= height else (long_side, short_side)
    left, top = (round((side - image_size) / 2.0) for side in (new_width, new_height))  # as torchvision rounds

    resized = Image.fromarray(image.rgb).resize((new_width, new_height), FILTERS[interpolation])
    crop = np.array(resized.crop((left, top, left + image_size, top + image_size)))  # (S, S, 3)
    # these may differ slightly, because the long side was rounded
    scale_x, scale_y = width / new_width, height / new_height
    box = (left * scale_x, top * scale_y, (left + image_size) * scale_x, (top + image_size) * scale_y)
    tensor = _normalize(crop, mean, std)
    crop.setflags(write=False)
    return ModelInput(tensor, crop, box, image.size)


def _normalize(crop: np.ndarray, mean: tuple[float, ...], std: tuple[float, ...]) -> torch.Tensor:
    """uint8 (S, S, 3) -> float32 (1, 3, S, S), in torchvision's order of operations."""
    import torch

    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (mean, std))
    chw = torch.from_numpy(crop).permute(2, 0, 1).contiguous()
    return chw.to(torch.float32).div(255).sub(mean).div(std).unsqueeze(0)
