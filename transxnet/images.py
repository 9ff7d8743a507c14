"""Untrusted bytes -> a safe RGB image or a sentence; an image -> what the model sees.

`decode` accepts whatever a visitor sends and answers with a `SourceImage` or with one of the ImageErrors:
limits are checked on the header before a single pixel is decoded (image_structure.py checks what the header does not
say), only six formats are tried (so nothing reaches Ghostscript or the network), and every failure inside a decoder
becomes a sentence with a remedy. torch is imported by `prepare` only: demo/decode_worker.py decodes without it.
`prepare` is timm's evaluation protocol (timm/data/transforms_factory.py, `transforms_imagenet_eval`): the
short side to floor(image_size / crop_pct), bicubic, a center crop, ImageNet's mean and standard deviation; for
other backbones with what theirs says instead. `prepare_for` takes all of that from a model's spec.
`view_to_upload` and `upload_to_view` are its geometry.

Sizes are (width, height), points (x, y) in pixels, arrays (height, width, channel). Integer coordinates are
pixel centres; boxes are given by their edges, so pixel i of an axis covers [i, i + 1) and a box (0, 0, w, h)
is the whole image.
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

if TYPE_CHECKING:
    import torch

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")  # every decoder here is in-process and takes no file names

MAX_BYTES = 10 * 2**20
# The largest phone and camera images have 48 to 50 megapixels. A baseline JPEG of that size is reduced while it is
# decoded (`draft`) and costs about 100 MB. Every other format, JPEG in several scans included, is held whole, more than
# once on the way: half the pixels keep it at 150 to 250 MB. WebP's decoder,
# and AVIF's with transparency, keep canvases of their own: 15 million pixels cost them 220 to 290 MB.
MAX_PIXELS = 50_000_000
MAX_PIXELS_WHOLE = 25_000_000
MAX_PIXELS_CANVAS = 15_000_000
MAX_SCANNED_PIXELS = 600_000_000  # scans times pixels: each scan of a JPEG is a pass over all its pixels
MAX_ASPECT = 20  # a center crop of a longer strip shows less than 5 % of it
MIN_SIDE = 8
MAX_SIDE = 2048  # longer images are reduced: no view needs more, and the page stays quick

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
CROP_MODES = ("center", "squash")
_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}

_RESAVE = "Open it in an image viewer, save it as JPEG or PNG, and send that."
_SMALLER = "Make it smaller and send it again."
_decoders = threading.BoundedSemaphore(2)  # two images at a time: the limits above bound one, this bounds the sum


@dataclass(frozen=True)
class SourceImage:
    """A safe image. Two images are equal when their size and pixels are.

    rgb: uint8 (H, W, 3), upright, read-only. sha256: hex digest of size and pixels, an identity for caches.
    note: what was done to it, '' if nothing. original_size: (width, height) of the upright original, pixels.
    """

    rgb: np.ndarray = field(compare=False, repr=False)
    sha256: str
    note: str = field(default="", compare=False)
    original_size: tuple[int, int] = field(default=(0, 0), compare=False)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of `rgb`, pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]


@dataclass(frozen=True, eq=False)
class ModelInput:
    """One image as one model sees it.

    tensor: float32 (1, 3, S, S), normalized. view: uint8 (S, S, 3), the same image before normalization, read-only.
    crop_box: (x0, y0, x1, y1), edges of what the view covers in pixels of the upright upload, `SourceImage.rgb`.
    upload_size: (width, height) of the upright upload, pixels.
    """

    tensor: torch.Tensor
    crop: np.ndarray
    crop_box: tuple[float, float, float, float]
    source_size: tuple[int, int]


# --- bytes -> image ------------------------------------------------------------------------------------------------


def decode(source: Any, *, name: str = "image") -> SourceImage:
    """Make a safe image out of anything.

    source: bytes, a path, a binary file (read from where it stands), a PIL image or a uint8 array (H, W),
        (H, W, 1), (H, W, 3) or (H, W, 4). Web addresses and data: URLs are refused, never fetched.
    name: what messages call it; of a path only the last part is used.

    The first frame of an animation, turned upright by EXIF, is taken; transparency is laid over white; 16-bit gray
    (PIL modes I and I;16, 0..65535) is rescaled; mode F is taken as 0..255; sides above MAX_SIDE are reduced.
    Color profiles are not applied, as in the evaluation protocol.

    Raises ImageTooLarge (bytes, pixels, scans, memory), ImageUnreadable (damaged, or not one of FORMATS),
    ImageError (too small or too thin). Nothing else, and nothing is written anywhere.
    """
    subject = message_subject(name)
    try:
        with _decoders:
            return _finish(_open(source, subject), subject)
    except ImageError:
        raise
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLarge(
            f"{subject} has more pixels than this page decodes.", remedy=_SMALLER, detail=repr(error)
        ) from error
    except ExcessiveMetadata as error:
        raise ImageUnreadable(
            f"{subject} contains far more metadata than an image needs.", remedy=_RESAVE, detail=repr(error)
        ) from error
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, EOFError, ...
        raise ImageUnreadable(
            f"{subject} is damaged: it could not be decoded to the end.", remedy=_RESAVE, detail=repr(error)
        ) from error


def message_subject(name: str) -> str:
    """How a message begins. Only the last part of a path, printable and short: the name is a visitor's text too."""
    last = str(name).replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(c for c in last if not unicodedata.category(c).startswith("C")).strip()
    return "The image" if clean in ("", "image") else f"“{clean[:80]}”"


def _open(source: Any, subject: str) -> Image.Image:
    """source -> a PIL image within the limits. Bytes are opened, not decoded."""
    if source is None:
        raise ImageUnreadable("There is no image.", remedy="Choose or paste one first.")
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
    raise ImageUnreadable(f"{subject} is not an image.", remedy=_RESAVE, detail=f"type {type(source).__name__}")


def _read_path(path: str | bytes, subject: str) -> bytes:
    head = os.fsdecode(path).strip().lower()
    if head.startswith("data:") or "://" in head or head.startswith(("http:", "https:")):
        raise ImageUnreadable(
            f"{subject} is a web address, not a file, and addresses are not fetched.",
            remedy="Save the image to a file and send the file.",
        )
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe or a device could be read forever
            raise ImageUnreadable(f"{subject} is not a file.", remedy="Choose an image file.", detail=repr(path))
        with open(path, "rb") as file:
            return _read(file, subject)
    except (OSError, ValueError) as error:  # ValueError: a NUL inside the name
        if isinstance(error, ImageError):
            raise
        raise ImageUnreadable(
            f"{subject} could not be read from disk.",
            remedy="Check that the file exists and may be read, then send it again.",
            detail=repr(error),
        ) from error


def _read(file: Any, subject: str) -> bytes:
    """At most MAX_BYTES + 1 bytes: one more than allowed is enough to know."""
    data = bytearray()
    while len(data) <= MAX_BYTES:
        block = file.read(MAX_BYTES + 1 - len(data))
        if isinstance(block, str):
            raise ImageUnreadable(f"{subject} was opened as text.", remedy="Open the file in binary mode ('rb').")
        if not block:
            break
        data += block
    return bytes(data)


def _from_bytes(data: bytes, subject: str) -> Image.Image:
    if not data:
        raise ImageUnreadable(f"{subject} is empty: the file has no bytes.", remedy="Send it again.")
    if len(data) > MAX_BYTES:
        raise ImageTooLarge(f"{subject} is a file of more than {MAX_BYTES // 2**20} MB.", remedy=_SMALLER)
    scans = check_structure(data)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        kind = _kind(data)
        raise ImageUnreadable(
            f"{subject} looks like {kind}; JPEG, PNG, WebP, GIF, BMP and AVIF are read here."
            if kind
            else f"{subject} is damaged, or not a JPEG, PNG, WebP, GIF, BMP or AVIF image.",
            remedy=_RESAVE,
            detail=repr(error),
        ) from error
    _check_size(image.size, _limit(image, scans), subject)
    _check_scans(image.size, scans, subject)
    return image


def _kind(data: bytes) -> str:
    """What the bytes are, when it is something people do send. '' if unknown."""
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
    # A PIL image may still be a file that nobody has decoded: loading an EPS one would start Ghostscript.
    if isinstance(image, ImageFile.ImageFile) and image.format not in (*FORMATS, "MPO"):
        raise ImageUnreadable(
            f"{subject} is a {image.format} file; JPEG, PNG, WebP, GIF, BMP and AVIF are read here.",
            remedy="Pass image.convert('RGB') instead.",
        )
    _check_size(image.size, _limit(image), subject)
    return image.copy()  # what follows works in place, and the caller's image is not ours


def _from_array(array: np.ndarray, subject: str) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype != np.uint8 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise ImageUnreadable(
            f"{subject} is an array of {array.dtype} with shape {array.shape}; expected uint8 (H, W), (H, W, 3) "
            "or (H, W, 4).",
            remedy="Scale it to 0..255, convert it with .astype('uint8') and put the channels last.",
        )
    _check_size((array.shape[1], array.shape[0]), MAX_PIXELS, subject)
    return Image.fromarray(np.ascontiguousarray(array))


def _limit(image: Image.Image, scans: int = 1) -> int:
    """Most pixels we accept. Only a JPEG in one scan can be reduced while it is being decoded."""
    if image.format == "WEBP" or (image.format == "AVIF" and image.mode == "RGBA"):
        return MAX_PIXELS_CANVAS
    return MAX_PIXELS if _is_jpeg(image) and not image.info.get("progressive") and scans <= 1 else MAX_PIXELS_WHOLE


def _is_jpeg(image: Image.Image) -> bool:
    return image.format in ("JPEG", "MPO")  # MPO: a JPEG with further images behind it, from phones and 3-D cameras


def _check_size(size: tuple[int, int], limit: int, subject: str) -> None:
    """size: (width, height) from the header. Turning by EXIF changes none of these answers."""
    width, height = size
    if width * height > limit:
        raise ImageTooLarge(
            f"{subject} has {width} x {height} pixels, {width * height / 1e6:.0f} million; at most "
            f"{limit / 1e6:.0f} million are decoded.",
            remedy=_SMALLER,
        )
    if min(size) < MIN_SIDE:
        raise ImageError(
            f"{subject} is too small: {width} x {height} pixels.",
            remedy=f"Send one with at least {MIN_SIDE} pixels on each side.",
        )
    if max(size) > MAX_ASPECT * min(size):
        raise ImageError(
            f"{subject} is too thin: {width} x {height} pixels, more than {MAX_ASPECT} times as long as wide.",
            remedy="Cut out the part you mean and send that.",
        )


def _check_scans(size: tuple[int, int], scans: int, subject: str) -> None:
    """size: (width, height) from the header. scans: of a JPEG, 0 for other formats."""
    width, height = size
    if width * height * scans > MAX_SCANNED_PIXELS:
        raise ImageTooLarge(
            f"{subject} stores {width} x {height} pixels in {scans} scans, {width * height * scans / 1e6:.0f} million "
            f"pixels in all; at most {MAX_SCANNED_PIXELS / 1e6:.0f} million are decoded.",
            remedy=_RESAVE,
        )


# --- image -> upright RGB ------------------------------------------------------------------------------------------


def _finish(image: Image.Image, subject: str) -> SourceImage:
    """An opened image within the limits -> upright RGB uint8, with notes of what was done."""
    notes: list[str] = []
    before, after = image.size, _fit(image.size)
    if before != after:  # a baseline JPEG is decoded at 1/2, 1/4 or 1/8; elsewhere this does nothing
        image.draft(None, (2 * after[0], 2 * after[1]))
    image.load()
    orientation = _orientation(image)
    image = _resizable(image, notes, subject)
    if image.size != after:
        image = image.resize(after, Image.Resampling.BICUBIC, reducing_gap=2.0)
    rgb = _flatten(image, notes)
    if orientation in _TURNS:
        rgb = rgb.transpose(_TURNS[orientation])
        notes.append("turned upright as its EXIF says")
    original, final = (size[::-1] if orientation >= 5 else size for size in (before, after))
    if final != original:
        notes.append("scaled from {}x{} to {}x{}".format(*original, *final))
    pixels = np.array(rgb)  # (H, W, 3)
    pixels.setflags(write=False)
    digest = hashlib.sha256("{}x{}:".format(*final).encode())
    digest.update(pixels)
    return SourceImage(pixels, digest.hexdigest(), "; ".join(notes), original)


def _fit(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) reduced until neither is above MAX_SIDE; never enlarged."""
    scale = min(1.0, MAX_SIDE / max(size))
    return round(size[0] * scale), round(size[1] * scale)


_TURNS = {  # EXIF 2.3, tag 0x0112: what brings the stored image upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _orientation(image: Image.Image) -> int:
    """1..8; 1 where there is none, or where the EXIF is broken: that is no reason to refuse a good image.

    Of an image that is already loaded: a PNG's getexif() would otherwise decode inside the `try` and hide a failure.
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
    """Into a mode that Pillow resizes with a filter: P and 1 would be resized by nearest neighbor, a transparent
    color would be mixed with its neighbors, and I and I;16 would be clipped at 255 later on."""
    if _is_animated(image):
        notes.append("first frame of an animation")
    if image.mode == "I" or image.mode.startswith("I;16"):
        notes.append("16-bit gray brought to 8 bits")
        return _eight_bit(image)
    if image.mode == "F":
        values = np.asarray(image)
        if not np.isfinite(values).all():
            raise ImageUnreadable(
                f"{subject} holds values that are not numbers.", remedy="Replace NaN and infinity, and send it again."
            )
        return Image.fromarray(np.rint(np.clip(values, 0, 255)).astype(np.uint8))
    if image.mode in ("PA", "RGBa", "La") or (image.mode in ("P", "1", "L", "RGB") and "transparency" in image.info):
        return image.convert("RGBA")
    return image.convert({"P": "RGB", "1": "L"}[image.mode]) if image.mode in ("P", "1") else image


def _is_animated(image: Image.Image) -> bool:
    """Of an image that is already loaded: a GIF looks for its second frame now, and that one may be broken."""
    try:
        return not _is_jpeg(image) and bool(getattr(image, "is_animated", False))
    except Exception:
        return False


def _eight_bit(image: Image.Image) -> Image.Image:
    """Gray on 0..65535 -> L on 0..255, rounded: 65535 gives 255, 257 v gives v. In bands, to stay small."""
    wide, key = image.convert("I"), image.info.get("transparency")
    width, height = wide.size
    gray = np.empty((height, width), np.uint8)
    for top in range(0, height, 256):
        band = np.asarray(wide.crop((0, top, width, min(top + 256, height))))
        gray[top : top + 256] = (np.clip(band, 0, 65535) + 128) // 257
        if isinstance(key, int):
            gray[top : top + 256][band == key] = 255  # the one transparent gray, over white
    return Image.fromarray(gray)


def _flatten(image: Image.Image, notes: list[str]) -> Image.Image:
    """Any mode -> RGB; transparency over white, so that no hidden color shows."""
    if image.mode not in ("RGBA", "LA"):
        return image.convert("RGB")
    alpha = image.getchannel("A")
    if alpha.getextrema()[0] == 255:
        return image.convert("RGB")
    notes.append("transparency laid over white")
    white = Image.new("RGB", image.size, "white")
    white.paste(image.convert("RGB"), mask=alpha)
    return white


# --- image -> what the model sees ----------------------------------------------------------------------------------


class ViewSpec(Protocol):
    """What `prepare_for` reads of a VariantSpec or BackboneSpec."""

    image_size: int
    crop_pct: float


def prepare_for(image: SourceImage, spec: ViewSpec) -> ModelInput:
    """`prepare` as this model's spec says: a BackboneSpec brings its backbone's colors, interpolation and crop."""
    own = {name: getattr(spec, name) for name in ("mean", "std", "interpolation", "crop_mode") if hasattr(spec, name)}
    return prepare(image, image_size=spec.image_size, crop_pct=spec.crop_pct, **own)


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
    """timm's evaluation protocol, keeping what it cut away.

    The short side becomes floor(image_size / crop_pct) and the long one is rounded down (PIL, antialiased), the
    center image_size x image_size is cut out, scaled to 0..1 and normalized by mean and std, one a color.
    interpolation: "bicubic" or "bilinear". crop_mode: "center", or "squash", where both sides become the short one's
    length, so that the image's proportions are lost.
    Equal to `timm.data.create_transform` given the same, bit for bit.

    Returns ModelInput with tensor (1, 3, S, S), S = image_size. Raises OutOfRange if image_size is not positive,
    crop_pct not in (0, 1], or interpolation or crop_mode is none of these.
    """
    if image_size < 1 or not 0 < crop_pct <= 1:
        raise OutOfRange(
            f"image_size={image_size} with crop_pct={crop_pct} is no view.",
            remedy="Use a positive size and a crop_pct above 0 and up to 1.",
        )
    if interpolation not in _FILTERS or crop_mode not in CROP_MODES:
        raise OutOfRange(
            f"A view cannot be made by {quote(interpolation)} and {quote(crop_mode)}.",
            remedy=f"Use one of {', '.join(_FILTERS)}, and one of {', '.join(CROP_MODES)}.",
        )
    (width, height), short_side = image.size, math.floor(image_size / crop_pct)
    long_side = short_side if crop_mode == "squash" else int(short_side * max(width, height) / min(width, height))
    new_width, new_height = (short_side, long_side) if width <= height else (long_side, short_side)
    left, top = (round((side - image_size) / 2.0) for side in (new_width, new_height))  # as torchvision rounds

    resized = Image.fromarray(image.rgb).resize((new_width, new_height), _FILTERS[interpolation])
    view = np.array(resized.crop((left, top, left + image_size, top + image_size)))  # (S, S, 3)
    scale_x, scale_y = width / new_width, height / new_height  # the long side was rounded: these may differ a little
    box = (left * scale_x, top * scale_y, (left + image_size) * scale_x, (top + image_size) * scale_y)
    tensor = _normalize(view, mean, std)
    view.setflags(write=False)
    return ModelInput(tensor, view, box, image.size)


def _normalize(view: np.ndarray, mean: tuple[float, ...], std: tuple[float, ...]) -> torch.Tensor:
    """uint8 (S, S, 3) -> float32 (1, 3, S, S), in torchvision's order of operations."""
    import torch

    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (mean, std))
    chw = torch.from_numpy(view).permute(2, 0, 1).contiguous()
    return chw.to(torch.float32).div(255).sub(mean).div(std).unsqueeze(0)


def view_to_upload(model_input: ModelInput, x: float, y: float) -> tuple[float, float]:
    """A point of the view -> the same point of the upright upload, in pixels of each; both may be arrays.

    Pixel centres, as in bicubic resampling: upload_x = (x + 0.5) * scale + x0 - 0.5.
    """
    (x0, y0, _, _), (scale_x, scale_y) = model_input.crop_box, _scale(model_input)
    return (x + 0.5) * scale_x + x0 - 0.5, (y + 0.5) * scale_y + y0 - 0.5


def upload_to_view(model_input: ModelInput, x: float, y: float) -> tuple[float, float]:
    """The inverse of `view_to_upload`. A point outside the crop comes out below -0.5 or above side - 0.5."""
    (x0, y0, _, _), (scale_x, scale_y) = model_input.crop_box, _scale(model_input)
    return (x + 0.5 - x0) / scale_x - 0.5, (y + 0.5 - y0) / scale_y - 0.5


def _scale(model_input: ModelInput) -> tuple[float, float]:
    """Upload pixels per view pixel, along x and y."""
    (x0, y0, x1, y1), (height, width) = model_input.crop_box, model_input.crop.shape[:2]
    return (x1 - x0) / width, (y1 - y0) / height
