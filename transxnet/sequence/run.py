"""Frames -> what a model computes for each: one study a frame, combined into a results.KernelSequence.

The channels shown are the same in all frames: those whose kernels change most, by the largest distance to the first
frame's kernel, ||k - k_first|| / ||static|| (as in explain/kernels/change.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ..errors import PartMissing
from ..explain.kernels.kernels import REPRESENTATIVE_COUNT, relative_distance
from ..images import SourceImage
from ..results.sequence import KernelSequence
from ..study import Study, StudyOptions, study
from ..weights.load import LoadedModel


def options_of(stage: int = 3, block: int | None = None, image_size: int | None = None) -> StudyOptions:
    """Options of the study of a frame.

    Args:
        stage: From 1.
        block: From 1; None or 0 is the stage's last.
        image_size: Side of the model input in pixels; None is the model's own.
    """
    return StudyOptions(stage=stage, block=block, image_size=image_size, analyses=("kernels",))


def analyze(
    loaded: LoadedModel,
    frames: Iterable[SourceImage],
    stage: int = 3,
    block: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> KernelSequence:
    """Run the model on every frame.

    Args:
        loaded: The model.
        frames: At least one image; read one after another.
        stage: From 1.
        block: From 1; None or 0 is the stage's last.
        progress: Called with the number of finished frames.

    Returns:
        Kernels, mixing weights and predictions of every frame.

    Raises:
        OutOfRange: There is no such stage or block.
        PartMissing: The model generates no kernels and has no learned ones instead.
    """
    studies: list[Study] = []
    for frame in frames:
        studies.append(study(loaded, frame, options_of(stage, block)))
        if progress:
            progress(len(studies))
        if studies[-1].kernels is None:
            break  # `combine` says why
    return combine(studies)


def combine(studies: Sequence[Study], n: int = REPRESENTATIVE_COUNT) -> KernelSequence:
    """The sequence of several studies with the analysis "kernels" of one block.

    Args:
        studies: Of one model, at least one, in order; their model inputs have one size.
        n: How many channels to show.

    Returns:
        At most n channels of every frame.

    Raises:
        PartMissing: The studies have no kernels.
    """
    if studies[0].kernels is None:
        raise PartMissing(studies[0].missing["kernels"], remedy="Choose a TransXNet.")
    sets = [frame.kernels for frame in studies]
    first = sets[0]
    # (F, C)
    distances = np.stack([relative_distance(s.kernels, first.kernels, first.static_kernels) for s in sets])
    largest = np.nan_to_num(distances).max(axis=0)
    channels = np.argsort(-largest, kind="stable")[:n]
    return KernelSequence(
        first.model, first.stage, first.block, channels,
        kernels=np.stack([s.kernels[channels] for s in sets]),
        gates=np.stack([s.gates[0, channels] for s in sets]),
        distance=np.nanmedian(distances, axis=1),
        predictions=tuple(frame.predictions for frame in studies),
        crops=np.stack([frame.crop.rgb for frame in studies]),
    )  # fmt: skip
