"""Frames of a video file, read with OpenCV's FFmpeg. A file is hostile until it has been checked.

The first bytes decide whether a file is one of the CONTAINERS: FFmpeg would also open playlists and lists of files,
which name other files and addresses. Size, resolution and number of frames are limited before a frame is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ..errors import ImageTooLarge, ImageUnreadable
from ..images import FILE_LIMITS, Limits, SourceImage, decode, message_subject

SUFFIXES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")
CONTAINERS = ((4, b"ftyp"), (0, b"\x1a\x45\xdf\xa3"), (8, b"AVI "))  # offset, bytes: MP4 and MOV, Matroska, AVI
MAX_BYTES = 500 * 2**20
MAX_VIDEO_FRAMES = 18_000  # ten minutes at 30 frames a second
_CONVERT = "Convert it to MP4 or WebM."


def is_video(path: Path) -> bool:
    """Whether a file's name says that it is a video."""
    return path.suffix.lower() in SUFFIXES


def video_frames(path: Path, count: int, limits: Limits = FILE_LIMITS) -> Iterator[SourceImage]:
    """Frames at equal distances from the first to the last, all if the video has fewer than `count`.

    Args:
        path: The file.
        count: How many frames.
        limits: Of the pixels of a frame.

    Yields:
        The frames, upright.

    Raises:
        ImageTooLarge: Too many bytes, pixels or frames.
        ImageUnreadable: No video, damaged, or its length is unknown.
    """
    subject = message_subject(str(path))
    _check_file(path, subject)
    capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    try:
        total = _check_video(capture, subject, limits)
        selected = set(np.linspace(0, total - 1, min(count, total)).round().astype(int).tolist())
        frames = 0
        for i in range(total):
            if not capture.grab():
                break  # fewer frames than the file's header says
            if i in selected:
                _, bgr = capture.retrieve()
                yield decode(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), name=path.name, limits=limits)
                frames += 1
        if not frames:
            raise ImageUnreadable("{subject} is damaged: it has no frames.", remedy=_CONVERT, subject=subject)
    finally:
        capture.release()


def _check_file(path: Path, subject: str) -> None:
    try:
        size = path.stat().st_size if path.is_file() else -1
        with open(path, "rb") as file:
            head = file.read(12)
    except OSError as error:
        raise ImageUnreadable(
            "{subject} could not be read from disk.", remedy="Check that the file exists and is readable.",
            detail=repr(error), subject=subject,
        ) from error  # fmt: skip
    if size < 0 or not any(head[at : at + len(magic)] == magic for at, magic in CONTAINERS):
        raise ImageUnreadable("{subject} is no MP4, MOV, WebM, MKV or AVI file.", remedy=_CONVERT, subject=subject)
    if size > MAX_BYTES:
        raise ImageTooLarge(
            "{subject} is larger than {size} MB.", remedy="Cut or reduce the video.", subject=subject,
            size=MAX_BYTES // 2**20,
        )  # fmt: skip


def _check_video(capture: cv2.VideoCapture, subject: str, limits: Limits) -> int:
    """The number of frames of an opened video within the limits."""
    if not capture.isOpened():
        raise ImageUnreadable("{subject} is damaged and could not be decoded.", remedy=_CONVERT, subject=subject)
    properties = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_COUNT)
    width, height, total = (int(capture.get(name)) for name in properties)
    if width * height > limits.max_pixels:
        raise ImageTooLarge(
            "{subject} has {width} × {height} pixels ({millions} million); the limit is {most} million.",
            remedy=limits.remedy, subject=subject, width=width, height=height,
            millions=f"{width * height / 1e6:.0f}", most=f"{limits.max_pixels / 1e6:.0f}",
        )  # fmt: skip
    if total < 1:
        raise ImageUnreadable("{subject} does not state how long it is.", remedy=_CONVERT, subject=subject)
    if total > MAX_VIDEO_FRAMES:
        raise ImageTooLarge(
            "{subject} has {count} frames; the limit is {most}.", remedy="Cut the video.", subject=subject,
            count=f"{total:,}", most=f"{MAX_VIDEO_FRAMES:,}",
        )  # fmt: skip
    return total
