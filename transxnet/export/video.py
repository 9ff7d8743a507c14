"""Frames as a moving image: GIF with Pillow, WebM (VP9) and MP4 (H.264) with OpenCV's FFmpeg.

OpenCV's packages from PyPI contain no H.264 encoder, for its licence; other builds may.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ..errors import LensError, check_name

GIF, WEBM, MP4 = FORMATS = ("gif", "webm", "mp4")
CODECS = {WEBM: "VP90", MP4: "avc1"}  # FourCC
CODEC_NAMES = {WEBM: "VP9", MP4: "H.264"}


def encode(frames: Iterable[np.ndarray], kind: str, fps: float = 12.0) -> bytes:
    """A video file of frames.

    Args:
        frames: At least one, uint8 (H, W, 3), RGB, of one size. An odd row or column is left out where a codec needs
            even sizes.
        kind: One of FORMATS.
        fps: Frames a second, up to 50; GIF counts in hundredths of a second.

    Returns:
        The content of the file. A GIF repeats for ever.

    Raises:
        UnknownName: There is no such format.
        LensError: This build of OpenCV lacks the codec.
    """
    check_name(kind, FORMATS, "A sequence cannot be saved as {name}.")
    return _gif(frames, fps) if kind == GIF else _video(frames, kind, fps)


def _gif(frames: Iterable[np.ndarray], fps: float) -> bytes:
    """Each frame with a palette of its 256 most frequent colors, not dithered: colors stand for values."""
    images = [Image.fromarray(rgb).quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE) for rgb in frames]
    buffer = io.BytesIO()
    milliseconds = round(100 / fps) * 10
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=milliseconds, loop=0)
    return buffer.getvalue()


def _video(frames: Iterable[np.ndarray], kind: str, fps: float) -> bytes:
    """OpenCV writes to a path only."""
    writer = cv2.VideoWriter()
    with tempfile.TemporaryDirectory(prefix="transxnet-video-") as folder:
        path = Path(folder) / f"video.{kind}"
        try:
            for rgb in frames:
                even = rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2]
                if not writer.isOpened():
                    _open(writer, path, kind, fps, even.shape[1::-1])
                writer.write(cv2.cvtColor(np.ascontiguousarray(even), cv2.COLOR_RGB2BGR))
        finally:
            writer.release()
        return path.read_bytes()


def _open(writer: cv2.VideoWriter, path: Path, kind: str, fps: float, size: tuple[int, int]) -> None:
    if not writer.open(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*CODECS[kind]), fps, size):
        raise LensError(
            "This build of OpenCV cannot encode {codec}.", remedy="Save the sequence as WebM or GIF.",
            codec=CODEC_NAMES[kind],
        )  # fmt: skip
