"""Model inputs of an evaluation, read by several threads a few batches ahead.

As the official validation reads images (timm 0.6.12, `timm/data/dataset.py` and `transforms_factory.py`): decoded and
converted to RGB as stored, where images.decode would apply EXIF rotation and reduce large images. Samples of 16 bits
are scaled as by images.decode: timm's reader clips them at 255.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from torch import Tensor

from ..errors import ImageError, ImageTooLarge, ImageUnreadable
from ..images import FILE_LIMITS, Limits, SourceImage, load_eight_bits, open_file, prepare_for
from ..prefetch import map_ahead
from .data import THREADS
from .protocol import Protocol, Task
from .samples import Sample

BATCHES_AHEAD = 2  # read while one passes through the model


@dataclass(frozen=True)
class EvaluationInput:
    """Model input of one image.

    Attributes:
        tensor: (1, 3, S, S); None if the image cannot be used.
        sha256: Of the file's bytes, '' if they cannot be read.
        error: Why there is no tensor.
    """

    tensor: Tensor | None
    sha256: str
    error: str = ""


def read_inputs(
    task: Task, batches: Iterable[int], limits: Limits = FILE_LIMITS
) -> Iterator[tuple[int, list[EvaluationInput]]]:
    """Yield (batch, its inputs) in the order of the batches."""
    batches = list(batches)
    samples = (task.samples[i] for batch in batches for i in task.batches[batch])
    with ThreadPoolExecutor(THREADS) as pool:
        read = partial(read_input, protocol=task.protocol, limits=limits)
        inputs = map_ahead(pool, read, samples, ahead=BATCHES_AHEAD * task.protocol.batch_size)
        for batch in batches:
            yield batch, list(islice(inputs, len(task.batches[batch])))


def read_input(sample: Sample, protocol: Protocol, limits: Limits = FILE_LIMITS) -> EvaluationInput:
    """Read and preprocess one image; errors of the image are returned in the result."""
    sha256 = ""
    try:
        data = sample.read()
        sha256 = hashlib.sha256(data).hexdigest()
        image = decode_as_stored(data, sample.name, limits)
        model_input = prepare_for(image, protocol)
    except (ImageError, MemoryError) as error:  # no memory: a thin strip is resized to a very long one
        return EvaluationInput(None, sha256, str(error) or f"There is not enough memory for {sample.name}.")
    return EvaluationInput(model_input.tensor, sha256)


def decode_as_stored(data: bytes, name: str, limits: Limits = FILE_LIMITS) -> SourceImage:
    """Decode a file as timm's reader does: converted to RGB, no EXIF rotation, not reduced.

    Raises:
        ImageTooLarge: More bytes or pixels than the limits.
        ImageUnreadable: The bytes are damaged, or not an image.
    """
    try:
        image = open_file(data, name, limits)
        width, height = image.size
        if width * height > limits.max_pixels:
            raise ImageTooLarge(
                f"{name} has {width} × {height} pixels; the limit is {limits.max_pixels / 1e6:g} million.",
                remedy=limits.remedy,
            )
        rgb = np.array(load_eight_bits(image, []).convert("RGB"))
        return SourceImage(rgb, sha256="", original_size=image.size)
    except ImageTooLarge:
        raise
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, EOFError, ...
        raise ImageUnreadable(
            f"{name} is damaged or not an image.", remedy="Replace it with an intact copy.", detail=repr(error)
        ) from error
