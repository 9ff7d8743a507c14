"""Video files as input: which frames are read, and what is refused before anything is decoded."""

from __future__ import annotations

import numpy as np
import pytest

from transxnet.errors import ImageTooLarge, ImageUnreadable
from transxnet.export.video import encode
from transxnet.images import FILE_LIMITS
from transxnet.sequence import video_file
from transxnet.sequence.video_file import video_frames

LEVELS = [0, 40, 80, 120, 160, 200, 240]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "levels.webm"
    path.write_bytes(encode([np.full((48, 64, 3), level, np.uint8) for level in LEVELS], "webm"))
    return path


@pytest.mark.parametrize(("count", "expected"), [(3, [0, 120, 240]), (7, LEVELS), (50, LEVELS), (2, [0, 240])])
def test_frames_are_at_equal_distances(video, count, expected):
    frames = list(video_frames(video, count))
    assert [frame.size for frame in frames] == [(64, 48)] * len(expected)
    np.testing.assert_allclose([frame.rgb.mean() for frame in frames], expected, atol=6)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"#EXTM3U\nhttp://127.0.0.1:9/secret.ts\n", "is no MP4, MOV, WebM, MKV or AVI file"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "is no MP4, MOV, WebM, MKV or AVI file"),
        (b"", "is no MP4, MOV, WebM, MKV or AVI file"),
        (b"\x1a\x45\xdf\xa3" + bytes(200), "is damaged and could not be decoded"),
    ],
)
def test_other_files_are_refused(tmp_path, content, text):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(ImageUnreadable, match=text):
        list(video_frames(path, 3))


def test_missing_file_and_folder_are_refused(tmp_path):
    for path in (tmp_path / "absent.mp4", tmp_path):
        with pytest.raises(ImageUnreadable):
            list(video_frames(path, 3))


def test_cut_file_is_an_error(video, tmp_path):
    path = tmp_path / "cut.webm"
    path.write_bytes(video.read_bytes()[:-300])
    with pytest.raises(ImageUnreadable, match="is damaged"):
        list(video_frames(path, 7))


def test_limits_hold_before_a_frame_is_decoded(video, monkeypatch):
    with pytest.raises(ImageTooLarge, match="has 64 × 48 pixels"):
        list(video_frames(video, 3, FILE_LIMITS.scaled(0.003)))
    monkeypatch.setattr(video_file, "MAX_VIDEO_FRAMES", 6)
    with pytest.raises(ImageTooLarge, match="has 7 frames; the limit is 6"):
        list(video_frames(video, 3))
    monkeypatch.setattr(video_file, "MAX_BYTES", 100)
    with pytest.raises(ImageTooLarge, match="is larger than"):
        list(video_frames(video, 3))
