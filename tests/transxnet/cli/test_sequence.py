"""`python -m transxnet sequence` with pico: its file is decoded, and shows the library's kernels."""

from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest
from PIL import Image

import transxnet
from demo.examples import examples
from tests.fixtures.kernel_colors import drawn_kernels
from transxnet.__main__ import main
from transxnet.explain.kernels.kernels import kernels
from transxnet.explain.observe import observe
from transxnet.images import decode, prepare_for

PATHS = [str(example.path) for example in examples()[:2]]
COUNT = 4


@pytest.fixture(scope="module")
def expected() -> list[np.ndarray]:
    """All kernels of stage 3's last block, (C, K, K), for the two images."""
    loaded = transxnet.load("pico", device="cpu")
    observations = [observe(loaded.model, prepare_for(decode(path), loaded.spec)) for path in PATHS]
    return [kernels(observation, 3).kernels for observation in observations]


def decoded(data: bytes, kind: str, folder) -> list[np.ndarray]:
    """Every frame, uint8 (H, W, 3), RGB."""
    if kind == "gif":
        with Image.open(io.BytesIO(data)) as gif:
            return [np.asarray((gif.seek(i), gif.convert("RGB"))[1]) for i in range(gif.n_frames)]
    path = folder / f"again.{kind}"
    path.write_bytes(data)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames = [frame[..., ::-1] for _, frame in iter(capture.read, (False, None))]
    capture.release()
    return frames


@pytest.mark.parametrize("kind", ["gif", "webm"])
def test_first_and_last_frame_show_the_kernels_of_the_images(tmp_path, capsys, expected, kind):
    out = tmp_path / "out"
    arguments = ["--frames", str(COUNT), "--format", kind, "--out", str(out), "--device", "cpu"]
    assert main(["sequence", *PATHS, *arguments]) == 0
    assert capsys.readouterr().out.split() == [
        str(out / name) for name in (f"sequence.{kind}", "sequence.npz", "manifest.json")
    ]
    with np.load(out / "sequence.npz") as arrays:
        values = dict(arrays)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["frames"], manifest["stage"], manifest["model"]) == (COUNT, 3, "pico")
    assert manifest["axes"].keys() == values.keys()
    frames = decoded((out / f"sequence.{kind}").read_bytes(), kind, tmp_path)
    assert len(frames) == COUNT == len(values["kernels"])
    largest, channels = manifest["kernel_range"][1], values["channels"]
    for i, kernel_set in ((0, expected[0]), (-1, expected[1])):
        np.testing.assert_allclose(values["kernels"][i], kernel_set[channels], atol=1e-6)
        drawn = drawn_kernels(frames[i], len(channels), kernel_set.shape[-1], largest)
        error = np.abs(drawn - kernel_set[channels])
        # GIF has 256 colors a frame, VP9 half as many pixels of color as of light
        assert (np.median(error), error.max()) < (0.03 * largest, 0.25 * largest)
        assert np.corrcoef(drawn.ravel(), kernel_set[channels].ravel())[0, 1] > 0.98


def test_video_is_a_sequence_of_its_frames(tmp_path, capsys):
    for arguments, out in (([PATHS[0], "--transition", "rotate"], "a"), ([str(tmp_path / "a" / "sequence.webm")], "b")):
        options = ["--frames", "3", "--out", str(tmp_path / out), "--device", "cpu", "--stage", "4"]
        assert main(["sequence", *arguments, *options]) == 0
    with np.load(tmp_path / "b" / "sequence.npz") as arrays:
        assert arrays["kernels"].shape[0] == 3
        assert arrays["distance"][0] == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([*PATHS, PATHS[0]], "3 images were given."),
        (["clip.mp4", "--transition", "zoom"], "A video is a sequence already."),
        (["clip.mp4"], "could not be read from disk"),
        ([PATHS[0], "--frames", "601"], "A sequence cannot have 601 frames."),
        ([PATHS[0], "--stage", "7", "--frames", "2"], "has no stage 7"),
    ],
)
def test_wrong_arguments_are_explained(tmp_path, capsys, arguments, text):
    assert main(["sequence", *arguments, "--format", "gif", "--out", str(tmp_path / "out"), "--device", "cpu"]) == 2
    assert text in capsys.readouterr().err
