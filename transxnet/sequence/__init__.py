"""Sequences: the frames of a transition or of a video file, and what a model computes for each of them.

frames = transition("crossfade", loaded.spec, cat, dog, count=24)
result = analyze(loaded, frames, stage=3)                 # a results.KernelSequence
data = encode(sequence_frames(result), "webm")            # draw/sequence.py, export/video.py
"""

from .run import analyze, combine, options_of
from .transitions import MAX_FRAMES, TRANSITIONS, TWO_IMAGES, check_count, transition

__all__ = [
    "MAX_FRAMES", "TRANSITIONS", "TWO_IMAGES", "analyze", "check_count", "combine", "options_of", "transition",
]  # fmt: skip
