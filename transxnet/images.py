"""Decode untrusted images, and prepare them as the input of a model.

`decode` accepts any file and returns a `SourceImage` or raises an ImageError: limits are checked on the header before
any pixel is decoded (image_structure.py checks what the header does not contain), only six formats are tried (so that
nothing reaches Ghostscript or the network), and every failure of a decoder becomes a message with a remedy. Only
`prepare` imports torch: demo/decode_worker.py decodes without it.

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
import threading
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from .errors import ImageError, ImageTooLarge, ImageUnreadable, OutOfRange, quote
from .image_structure import ExcessiveMetadata, check_exif, check_structure
from .messages import Message
from .variants import CROP_MODES, IMAGENET_MEAN, IMAGENET_STD, INTERPOLATIONS

if TYPE_CHECKING:
    import torch

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")  # decoded in-process, without file names

MAX_BYTES = 10 * 2**20
# The largest phone and camera images have 48 to 50 megapixels. A baseline JPEG of that size is reduced while it is
# decoded (`draft`) and needs about 100 MB. Any other format, JPEG in several scans included, is in memory at full size
# more than once: half the pixels need 150 to 250 MB. The decoder of WebP, and that of AVIF with transparency, allocate
# additional canvases: 15 million pixels need 220 to 290 MB.
MAX_PIXELS = 50_000_000
MAX_PIXELS_WHOLE = 25_000_000
MAX_PIXELS_CANVAS = 15_000_000
MAX_SCANNED_PIXELS = 600_000_000  # scans times pixels: each scan of a JPEG is a pass over all its pixels
MAX_ASPECT = 20  # a center crop of a longer strip contains less than 5% of it
MIN_SIDE = 8
MAX_SIDE = 2048  # larger images are reduced: no figure needs more, and the page stays fast

FILTERS = {name: Image.Resampling[name.upper()] for name in INTERPOLATIONS}

_RESAVE = "Convert it to JPEG or PNG and upload it again."
_SMALLER = "Reduce its size and upload it again."
_UNSUPPORTED = "{subject} is {kind}. Supported formats: JPEG, PNG, WebP, GIF, BMP and AVIF."
_NOT_AN_IMAGE = "{subject} is damaged or not a JPEG, PNG, WebP, GIF, BMP or AVIF image."
_decoders = threading.BoundedSemaphore(2)  # two images at a time: the limits above are for one image


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


def decode(source: Any, *, name: str = "image") -> SourceImage:
    """Decode an image of any origin.

    The first frame of an animation is used. The image is rotated according to its EXIF orientation; transparent pixels
    become white; 16-bit gray (PIL modes I and I;16, 0..65535) is rescaled; mode F is read as 0..255; sides above
    MAX_SIDE are reduced. Color profiles are not applied, as in the evaluation protocol. Nothing is written.

    Args:
        source: Bytes, a path, a binary file (read from its current position), a PIL image or a uint8 array (H, W),
            (H, W, 1), (H, W, 3) or (H, W, 4). Web addresses and data: URLs are refused, never downloaded.
        name: The image, as messages name it; of a path only the last part is used.

    Returns:
        The image.

    Raises:
        ImageTooLarge: Too many bytes, pixels or scans, or too little memory.
        ImageUnreadable: Damaged, or not one of FORMATS.
        ImageError: Too small or too narrow.
    """
    subject = message_subject(name)
    try:
        with _decoders:
            return _finish(_open(source, subject), subject)
    except ImageError:
        raise
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLarge(
            "{subject} has too many pixels to decode.", remedy=_SMALLER, detail=repr(error), subject=subject
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


def _open(source: Any, subject: str) -> Image.Image:
    """Open a source as a PIL image within the limits, without decoding bytes."""
    if source is None:
        raise ImageUnreadable("No image was given.", remedy="Upload an image first.")
    if isinstance(source, np.ndarray):
        return _from_array(source, subject)
    if isinstance(source, Image.Image):
        return _from_pil(source, subject)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(source), subject)
    if isinstance(source, (str, os.PathLike)):
        return _from_bytes(_read_path(os.fspath(source), subject), subject)
    if hasattr(source, "read"):
        return _from_bytes(_read(source, subject), subject)
    raise ImageUnreadable(
        "{subject} is not an image.", remedy=_RESAVE, detail=f"type {type(source).__name__}", subject=subject
    )


def _read_path(path: str | bytes, subject: str) -> bytes:
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
            return _read(file, subject)
    except (OSError, ValueError) as error:  # ValueError: a NUL inside the name
        if isinstance(error, ImageError):
            raise
        raise ImageUnreadable(
            "{subject} could not be read from disk.", remedy="Check that the file exists and is readable.",
            detail=repr(error), subject=subject,
        ) from error  # fmt: skip


def _read(file: Any, subject: str) -> bytes:
    """Read at most MAX_BYTES + 1 bytes: one byte more than allowed is sufficient to refuse."""
    data = bytearray()
    while len(data) <= MAX_BYTES:
        block = file.read(MAX_BYTES + 1 - len(data))
        if isinstance(block, str):
            raise ImageUnreadable(
                "{subject} was opened as text.", remedy="Open the file in binary mode ('rb').", subject=subject
            )
        if not block:
            break
        data += block
    return bytes(data)


def _from_bytes(data: bytes, subject: str) -> Image.Image:
    if not data:
        raise ImageUnreadable("{subject} is empty: the file has no bytes.", remedy="Upload it again.", subject=subject)
    if len(data) > MAX_BYTES:
        raise ImageTooLarge(
            "{subject} is larger than {size} MB.", remedy=_SMALLER, subject=subject, size=MAX_BYTES // 2**20
        )
    scans = check_structure(data)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        kind = _kind(data)
        raise ImageUnreadable(
            Message(_UNSUPPORTED, subject=subject, kind=kind) if kind else Message(_NOT_AN_IMAGE, subject=subject),
            remedy=_RESAVE,
            detail=repr(error),
        ) from error
    _check_size(image.size, _limit(image, scans), subject)
    _check_scans(image.size, scans, subject)
    return image


def _kind(data: bytes) -> str:
    """The format of a file that users commonly upload by mistake; '' if unknown."""
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"hevx"):
        return "a HEIC photo"
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    starts = {
        b"%PDF": "a PDF",
        b"%!PS": "PostScript",
        b"\xc5\xd0\xd3\xc6": "PostScript",
        b"II*\0": "a TIFF or a camera's raw file",
        b"MM\0*": "a TIFF or a camera's raw file",
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


def _from_pil(image: Image.Image, subject: str) -> Image.Image:
    # A PIL image may be a file that is not decoded yet: loading an EPS one would start Ghostscript.
    if isinstance(image, ImageFile.ImageFile) and image.format not in (*FORMATS, "MPO"):
        raise ImageUnreadable(
            _UNSUPPORTED, remedy="Pass image.convert('RGB') instead.", subject=subject, kind=f"a {image.format} file"
        )
    _check_size(image.size, _limit(image), subject)
    return image.copy()  # later steps work in place


def _from_array(array: np.ndarray, subject: str) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype != np.uint8 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise ImageUnreadable(
            "{subject} is an array of {dtype} with shape {shape}; expected uint8 (H, W), (H, W, 3) or (H, W, 4).",
            remedy="Scale it to 0..255, convert it with .astype('uint8') and put the channels last.", subject=subject,
            dtype=array.dtype, shape=array.shape,
        )  # fmt: skip
    _check_size((array.shape[1], array.shape[0]), MAX_PIXELS, subject)
    return Image.fromarray(np.ascontiguousarray(array))


def _limit(image: Image.Image, scans: int = 1) -> int:
    """The maximum number of pixels. Only a JPEG in one scan can be reduced while it is being decoded."""
    if image.format == "WEBP" or (image.format == "AVIF" and image.mode == "RGBA"):
        return MAX_PIXELS_CANVAS
    return MAX_PIXELS if _is_jpeg(image) and not image.info.get("progressive") and scans <= 1 else MAX_PIXELS_WHOLE


def _is_jpeg(image: Image.Image) -> bool:
    return image.format in ("JPEG", "MPO")  # MPO: a JPEG followed by more images, from phones and 3-D cameras


def _check_size(size: tuple[int, int], limit: int, subject: str) -> None:
    """Check (width, height) from the header; rotation by EXIF does not affect the result."""
    width, height = size
    if width * height > limit:
        raise ImageTooLarge(
            "{subject} has {width} × {height} pixels ({millions} million); the limit is {most} million.",
            remedy=_SMALLER, subject=subject, width=width, height=height, millions=f"{width * height / 1e6:.0f}",
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
            remedy="Crop it and upload it again.", subject=subject, width=width, height=height, ratio=MAX_ASPECT,
        )  # fmt: skip


def _check_scans(size: tuple[int, int], scans: int, subject: str) -> None:
    """Check (width, height) from the header times the scans of a JPEG (0 for other formats)."""
    width, height = size
    if width * height * scans > MAX_SCANNED_PIXELS:
        raise ImageTooLarge(
            "{subject} stores {width} × {height} pixels in {scans} scans ({millions} million pixels in total); the "
            "limit is {most} million.", remedy=_RESAVE, subject=subject, width=width, height=height, scans=scans,
            millions=f"{width * height * scans / 1e6:.0f}", most=f"{MAX_SCANNED_PIXELS / 1e6:.0f}",
        )  # fmt: skip


# --- image -> upright RGB ------------------------------------------------------------------------------------------


def _finish(image: Image.Image, subject: str) -> SourceImage:
    """Convert an opened image within the limits to upright uint8 RGB, with notes about every change."""
    notes: list[str] = []
    before, after = image.size, _fit(image.size)
    if before != after:  # decodes a baseline JPEG at 1/2, 1/4 or 1/8; no effect on other formats
        image.draft(None, (2 * after[0], 2 * after[1]))
    image.load()
    orientation = _orientation(image)
    image = _resizable(image, notes, subject)
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


def _resizable(image: Image.Image, notes: list[str], subject: str) -> Image.Image:
    """Convert to a mode that Pillow resizes with a filter.

    P and 1 would be resized by nearest neighbor, a transparent color would be mixed with its neighbors, and I and I;16
    would later be clipped at 255.
    """
    if _is_animated(image):
        notes.append(Message("First frame of an animation."))
    if image.mode == "I" or image.mode.startswith("I;16"):
        notes.append(Message("16-bit gray was converted to 8 bits."))
        return _eight_bit(image)
    if image.mode == "F":
        values = np.asarray(image)
        if not np.isfinite(values).all():
            raise ImageUnreadable(
                "{subject} contains NaN or infinite values.", remedy="Replace them and upload it again.",
                subject=subject,
            )  # fmt: skip
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


def _eight_bit(image: Image.Image) -> Image.Image:
    """Convert gray of 0..65535 to 0..255, rounded: 65535 gives 255, 257 v gives v. In bands, to save memory."""
    wide, key = image.convert("I"), image.info.get("transparency")
    width, height = wide.size
    gray = np.empty((height, width), np.uint8)
    for top in range(0, height, 256):
        band = np.asarray(wide.crop((0, top, width, min(top + 256, height))))
        gray[top : top + 256] = (np.clip(band, 0, 65535) + 128) // 257
        if isinstance(key, int):
            gray[top : top + 256][band == key] = 255  # the transparent gray value becomes white
    return Image.fromarray(gray)


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
