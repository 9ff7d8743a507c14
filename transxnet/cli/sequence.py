"""`python -m transxnet sequence`: kernels, mixing weights and predictions for every frame of a transition or a video.

DIR/sequence.webm  (or .gif, .mp4)
DIR/sequence.npz   channels (n,), kernels and gates (frames, n, 7, 7), distance (frames,), probabilities
DIR/manifest.json
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import OutOfRange
from ..output import check_output
from .common import (
    AddOption,
    add_image_size_option,
    add_model_options,
    explained_write_errors,
    image_limits,
    load_model,
    model_names,
    positive_int,
)

if TYPE_CHECKING:
    from ..images import InputSpec, SourceImage

TRANSITIONS, FORMATS = ("crossfade", "pan", "zoom", "rotate"), ("webm", "gif", "mp4")
MAX_FPS = 50
REPORT_EVERY = 12  # frames
AXES = {  # of the arrays in sequence.npz
    "channels": "channel; index in the block, from 0",
    "kernels": "frame, channel, row, column; weights",
    "gates": "frame, channel, row, column; mixing weights of the first learned kernel, 0 to 1",
    "distance": "frame; relative distance to the first frame's kernels, median over all channels of the block",
    "probabilities": "frame, class",
}
EPILOG = """exit code: 2 if an image or the video could not be used, or OpenCV lacks the codec

MP4 (H.264) needs a build of OpenCV with an H.264 encoder; that of PyPI has none."""


def add_options(add: AddOption) -> None:
    """Define the options of `sequence`."""
    add("images", "one image, two images, or one video file", nargs="+", metavar="IMAGE", type=Path)
    add_model_options(add, several=False)
    add_image_size_option(add)
    text, default = "how the frames are made from images", "crossfade for two images, zoom for one"
    add("--transition", text, choices=TRANSITIONS, default_text=default)
    add("--stage", "stage, from 1", type=int, default=3, metavar="N")
    add("--block", "block, from 1; 0 = last block", type=int, default=0, metavar="N")
    add("--frames", "number of frames; of a video at equal distances", type=positive_int, default=24, metavar="N")
    add("--fps", "frames a second of the file", type=_fps, default=12.0, metavar="N")
    add("--format", "of the video file", choices=FORMATS, default=FORMATS[0])
    add("--out", "output folder", required=True, type=Path, metavar="DIR")


def _fps(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= MAX_FPS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and up to {MAX_FPS}")
    return number


def run(args: argparse.Namespace) -> int:
    """Analyze the frames with one model and write video, values and manifest."""
    from ..draw.sequence import kernel_range, sequence_frames
    from ..export.files import write_atomically, write_manifest
    from ..export.records import npz, versions
    from ..export.video import encode
    from ..sequence import analyze

    check_output(args.out)
    encode([np.zeros((64, 64, 3), np.uint8)], args.format)  # a missing codec is an error before the work
    (name,) = model_names(args, [args.model])
    loaded = load_model(name, args, args.image_size)
    result = analyze(loaded, _frames(args, loaded.spec), args.stage, args.block, _report_progress)
    title = f"{loaded.name}, stage {result.stage}, block {result.block}"
    data = encode(sequence_frames(result, title), args.format, args.fps)
    values = {name: getattr(result, name) for name in ("channels", "kernels", "gates", "distance")}
    values["probabilities"] = np.stack([predictions.probabilities for predictions in result.predictions])
    with explained_write_errors():
        print(write_atomically(args.out / f"sequence.{args.format}", data))
        print(write_atomically(args.out / "sequence.npz", npz(values)))
        about = {
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": ["python", "-m", "transxnet", *args.argv], "versions": versions(), "model": loaded.name,
            "provenance": loaded.provenance.as_json(), "stage": result.stage, "block": result.block,
            "frames": len(result), "fps": args.fps, "kernel_range": kernel_range(result), "axes": AXES,
            "predictions": [predictions.top[0].label for predictions in result.predictions if predictions.top],
        }  # fmt: skip
        print(write_manifest(args.out, about))
    return 0


def _frames(args: argparse.Namespace, spec: InputSpec) -> Iterator[SourceImage]:
    from ..images import decode
    from ..sequence import check_count, transition
    from ..sequence.video_file import is_video, video_frames

    limits = image_limits(args)
    check_count(args.frames)
    if any(is_video(path) for path in args.images):
        if len(args.images) > 1 or args.transition:
            raise OutOfRange("A video is a sequence already.", remedy="Name it alone, without --transition.")
        return video_frames(args.images[0], args.frames, limits)
    if len(args.images) > 2:
        raise OutOfRange(f"{len(args.images)} images were given.", remedy="Name one or two, or a video file.")
    images = [decode(path, name=path.name, limits=limits) for path in args.images]
    name = args.transition or ("crossfade" if len(images) == 2 else "zoom")
    return transition(name, spec, *images, count=args.frames)


def _report_progress(finished: int) -> None:
    if finished % REPORT_EVERY == 0:
        print(f"{finished} frames", file=sys.stderr, flush=True)
