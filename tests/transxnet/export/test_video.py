"""GIF, WebM and MP4 files of frames, decoded again."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from transxnet.errors import LensError, UnknownName
from transxnet.export import video
from transxnet.export.video import encode

FRAMES = [np.full((51, 64, 3), (level, 100, 200 - level), np.uint8) for level in (0, 60, 120)]


def test_gif_holds_every_frame_and_its_duration():
    with Image.open(io.BytesIO(encode(FRAMES, "gif", fps=20))) as gif:
        assert (gif.n_frames, gif.size, gif.info["duration"], gif.info["loop"]) == (3, (64, 51), 50, 0)
        for i, frame in enumerate(FRAMES):
            gif.seek(i)
            assert np.array_equal(np.asarray(gif.convert("RGB")), frame)


def test_webm_is_vp9_with_even_sides(tmp_path):
    path = tmp_path / "a.webm"
    path.write_bytes(encode(iter(FRAMES), "webm", fps=10))
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    codec = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little")
    assert (codec.upper(), capture.get(cv2.CAP_PROP_FPS)) == (b"VP90", 10)
    frames = [frame for _, frame in iter(capture.read, (False, None))]
    capture.release()
    assert [frame.shape for frame in frames] == [(50, 64, 3)] * 3
    for frame, expected in zip(frames, FRAMES, strict=True):
        np.testing.assert_allclose(frame[..., ::-1].mean(axis=(0, 1)), expected[0, 0], atol=6)


def test_missing_codec_names_the_alternatives(monkeypatch):
    monkeypatch.setitem(video.CODECS, "mp4", "none")
    with pytest.raises(LensError) as caught:
        encode(FRAMES, "mp4")
    assert str(caught.value) == "This build of OpenCV cannot encode H.264. Save the sequence as WebM or GIF."


def test_unknown_format_is_refused():
    with pytest.raises(UnknownName, match="A sequence cannot be saved as 'avi'"):
        encode(FRAMES, "avi")
